"""The catalogue of entries, written from their declarations in ``domain/``."""
