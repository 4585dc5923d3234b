"""Settings, from the environment alone. Each is explained in docker/env.example."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import environs
import platformdirs

SECRET = frozenset({"database_url", "migration_url", "projector_url"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings of a process. Times in seconds."""

    database_url: str | None = None
    migration_url: str | None = None
    projector_url: str | None = None
    home: Path = Path()
    embedded: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 8
    pool_size: int = 8
    log_level: str = "INFO"
    trusted_proxies: str = "127.0.0.1"
    request_seconds: float = 3.0
    cached_plans: int = 512

    @classmethod
    def from_environment(cls) -> Settings:
        """Read every setting; a malformed one raises ``environs.EnvError`` naming it."""
        env = environs.Env()
        own = environs.Env(prefix="PLAN_HISTORY_")
        default_home = platformdirs.user_data_path("plan-history")
        return cls(
            database_url=env.str("DATABASE_URL", None) or None,
            migration_url=own.str("MIGRATION_URL", None) or None,
            projector_url=own.str("PROJECTOR_URL", None) or None,
            home=Path(own.str("HOME", "") or default_home).expanduser(),
            embedded=own.str("EMBEDDED", None) or None,
            host=own.str("HOST", "127.0.0.1"),
            port=env.int("PORT", 8000),
            workers=own.int("WORKERS", 2),
            threads=own.int("THREADS", 8),
            pool_size=own.int("POOL_SIZE", 8),
            log_level=own.str("LOG_LEVEL", "INFO").upper(),
            trusted_proxies=own.str("TRUSTED_PROXIES", "127.0.0.1"),
            request_seconds=own.float("REQUEST_SECONDS", 3.0),
            cached_plans=own.int("CACHED_PLANS", 512),
        )

    def shown(self) -> dict[str, str]:
        """The settings for people, secrets hidden."""
        held = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        return {
            name: ("(set, hidden)" if value else "(not set)") if name in SECRET else str(value)
            for name, value in held.items()
        }
