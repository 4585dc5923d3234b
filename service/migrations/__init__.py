"""Forward-only numbered SQL files; see service/migrate.py."""
