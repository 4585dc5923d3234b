"""Settings, from the environment alone. Each is explained in docker/env.example."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path

import environs
import platformdirs

SECRET = frozenset(
    {
        "database_url",
        "migration_url",
        "projector_url",
        "deliverer_url",
        "sealer_url",
        "keys",
        "master_key",
        "oidc_client_secret",
    }
)
_NOT_NEGATIVE = environs.validate.Range(min=0)
_AT_LEAST_ONE = environs.validate.Range(min=1)
_PORT = environs.validate.Range(min=0, max=65_535)
_LEVEL = environs.validate.OneOf(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))


def _some_time(seconds: float) -> None:
    if not 0 < seconds < 86_400:
        raise environs.ValidationError("Must be a number of seconds, more than 0.")


def _addresses(trusted: str) -> None:
    for held in _words(trusted):
        try:
            ip_network(held)
        except ValueError as wrong:
            raise environs.ValidationError(
                f"{held} is no address and no network such as 10.0.0.0/8."
            ) from wrong


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _path(place: str | None) -> Path | None:
    return Path(place).expanduser() if place else None


def _held_in(place: str | None) -> str | None:
    """What a file holds, as container platforms hand secrets over; None without one."""
    if not place:
        return None
    try:
        return Path(place).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise environs.EnvError(f"The file {place} cannot be read; check its path.") from unreadable


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings of a process. Times in seconds."""

    database_url: str | None = None
    migration_url: str | None = None
    projector_url: str | None = None
    home: Path = Path()
    keys: str | None = None
    master_key: str | None = None
    master_key_file: Path | None = None
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
    quota_per_minute: int = 6000
    quota_burst: int = 600
    failed_sign_ins: int = 300
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks: str | None = None
    oidc_algorithms: tuple[str, ...] = ("RS256", "ES256")
    oidc_types: tuple[str, ...] = ("at+jwt", "JWT")
    oidc_clinic_claim: str = "clinic_id"
    oidc_member_claim: str = "sub"
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_name: str = "your clinic's sign-in"
    oidc_scope: str = "openid"
    oidc_prompt: str = "login"
    feed_readers: int = 4
    deliverer_url: str | None = None
    sealer_url: str | None = None
    sealer_key_file: Path | None = None
    webhook_private_targets: bool = False
    webhook_attempts: int = 16
    webhook_pause: float = 5.0
    webhook_seconds: float = 10.0

    @classmethod
    def from_environment(cls) -> Settings:
        """Read every setting; a malformed one raises ``environs.EnvError`` naming it."""
        env = environs.Env()
        own = environs.Env(prefix="PLAN_HISTORY_")
        home = Path(own.str("HOME", "") or platformdirs.user_data_path("plan-history")).expanduser()
        database_url = env.str("DATABASE_URL", None) or _held_in(env.str("DATABASE_URL_FILE", None))
        keys = own.str("KEYS", None) or _held_in(own.str("KEYS_FILE", None))
        master_key_file = own.str("MASTER_KEY_FILE", None)
        return cls(
            database_url=database_url,
            migration_url=own.str("MIGRATION_URL", None)
            or _held_in(own.str("MIGRATION_URL_FILE", None)),
            projector_url=own.str("PROJECTOR_URL", None)
            or _held_in(own.str("PROJECTOR_URL_FILE", None)),
            home=home,
            keys=keys or (None if database_url else str(home / "keys")),
            master_key=own.str("MASTER_KEY", None) or None,
            master_key_file=Path(master_key_file) if master_key_file else None,
            embedded=own.str("EMBEDDED", None) or None,
            host=own.str("HOST", "127.0.0.1"),
            port=env.int("PORT", 8000, validate=_PORT),
            workers=own.int("WORKERS", 2, validate=_AT_LEAST_ONE),
            threads=own.int("THREADS", 8, validate=_AT_LEAST_ONE),
            pool_size=own.int("POOL_SIZE", 8, validate=_AT_LEAST_ONE),
            log_level=own.str(
                "LOG_LEVEL", "INFO", validate=lambda held: _LEVEL(held.upper())
            ).upper(),
            trusted_proxies=own.str("TRUSTED_PROXIES", "127.0.0.1", validate=_addresses),
            request_seconds=own.float("REQUEST_SECONDS", 3.0, validate=_some_time),
            cached_plans=own.int("CACHED_PLANS", 512, validate=_AT_LEAST_ONE),
            quota_per_minute=own.int("QUOTA_PER_MINUTE", 6000, validate=_NOT_NEGATIVE),
            quota_burst=own.int("QUOTA_BURST", 600, validate=_NOT_NEGATIVE),
            failed_sign_ins=own.int("FAILED_SIGN_INS", 300, validate=_NOT_NEGATIVE),
            oidc_issuer=own.str("OIDC_ISSUER", None) or None,
            oidc_audience=own.str("OIDC_AUDIENCE", None) or None,
            oidc_jwks=own.str("OIDC_JWKS", None) or None,
            oidc_algorithms=_words(own.str("OIDC_ALGORITHMS", "") or "RS256,ES256"),
            oidc_types=_words(own.str("OIDC_TYPES", "") or "at+jwt,JWT"),
            oidc_clinic_claim=own.str("OIDC_CLINIC_CLAIM", "") or "clinic_id",
            oidc_member_claim=own.str("OIDC_MEMBER_CLAIM", "") or "sub",
            oidc_client_id=own.str("OIDC_CLIENT_ID", None) or None,
            oidc_client_secret=own.str("OIDC_CLIENT_SECRET", None)
            or _held_in(own.str("OIDC_CLIENT_SECRET_FILE", None)),
            oidc_name=own.str("OIDC_NAME", "") or "your clinic's sign-in",
            oidc_scope=own.str("OIDC_SCOPE", "") or "openid",
            oidc_prompt=own.str("OIDC_PROMPT", "login"),
            feed_readers=own.int(
                "FEED_READERS", max(own.int("THREADS", 8) // 2, 1), validate=_NOT_NEGATIVE
            ),
            deliverer_url=own.str("DELIVERER_URL", None)
            or _held_in(own.str("DELIVERER_URL_FILE", None)),
            sealer_url=own.str("SEALER_URL", None) or _held_in(own.str("SEALER_URL_FILE", None)),
            sealer_key_file=_path(own.str("SEALER_KEY_FILE", None)),
            webhook_private_targets=own.bool("WEBHOOK_PRIVATE_TARGETS", False),
            webhook_attempts=own.int("WEBHOOK_ATTEMPTS", 16, validate=_AT_LEAST_ONE),
            webhook_pause=own.float("WEBHOOK_PAUSE", 5.0, validate=_some_time),
            webhook_seconds=own.float("WEBHOOK_SECONDS", 10.0, validate=_some_time),
        )

    @property
    def sealer_key(self) -> Path:
        """Where the sealer's key is: where the setting says, else in the data home."""
        return self.sealer_key_file or self.home / "sealer-key.pem"

    @property
    def sealer_seen(self) -> Path:
        """Where the sealer remembers what it has signed, in the data home."""
        return self.home / "sealer-seen"

    def shown(self) -> dict[str, str]:
        """The settings for people, secrets hidden."""
        held = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        return {
            name: ("(set, hidden)" if value else "(not set)") if name in SECRET else _shown(value)
            for name, value in held.items()
        }


def _shown(value: object) -> str:
    return "(not set)" if value is None else str(value)
