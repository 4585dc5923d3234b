"""Settings, from the environment alone. Each is explained in docker/env.example."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import platformdirs

from service.environment import Variables, slips, words

MOST_PORTS = 65_535
LISTENING = "an address to listen on: HOST:PORT, [IPv6]:PORT, unix:/PATH or fd://NUMBER"
PROXIES = "addresses or networks such as 10.0.0.0/8, separated by commas"
PROGRAMS = "auto, wheel, system, or the path of a folder with initdb and postgres in it"
KEYS = "off, the absolute path of a folder, or the postgresql:// address of a database"
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
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_PROVIDERS = ("wheel", "system")
_HOST = re.compile(r"[\w.-]*[^\W\d][\w.-]*|")  # a name, or nothing: every address


def _level(given: str) -> str:
    if given.upper() not in _LEVELS:
        raise ValueError
    return given.upper()


def _addresses(given: str) -> str:
    for held in words(given):
        ip_network(held)
    return given


def _listening(given: str) -> str:
    """What gunicorn can listen on; it takes several, separated by commas."""
    for held in words(given):
        if not held.startswith("unix:/") and not re.fullmatch(r"fd://\d+", held):
            _host_and_port(held)
    return given


def _host_and_port(given: str) -> None:
    host, colon, port = given.rpartition(":")
    if given.endswith("]") or not colon:
        host, port = given, "0"
    if not (port.isdecimal() and int(port) <= MOST_PORTS):
        raise ValueError
    if host.startswith("[") and host.endswith("]"):
        IPv6Address(host[1:-1])
    elif not _HOST.fullmatch(host):
        IPv4Address(host)


def _programs(given: str) -> str | None:
    """Where the embedded database's programs come from; None where nobody says."""
    if given in _PROVIDERS:
        return given
    folder = Path(given).expanduser()
    if given != "auto" and not all((folder / name).is_file() for name in ("initdb", "postgres")):
        raise ValueError
    return None if given == "auto" else str(folder)


def _place_of_keys(given: str) -> str:
    """A folder whose name does not depend on where a process begins, the address of a database, or off."""
    if given == "off" or given.startswith(("postgresql://", "postgres://")):
        return given
    folder = Path(given).expanduser()
    if not folder.is_absolute() or "://" in given:
        raise ValueError
    return str(folder)


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
    bind: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int | None = None
    threads: int = 8
    max_requests: int = 0
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
    slips: tuple[str, ...] = ()
    """A sentence for each variable that looks like a setting and is none."""

    @classmethod
    def from_environment(cls) -> Settings:
        """Read every setting; a malformed one raises ``environs.EnvError`` naming it."""
        env, own = Variables(), Variables("PLAN_HISTORY_")
        home = (own.path("HOME") or platformdirs.user_data_path("plan-history")).absolute()
        database_url, keys = env.secret("DATABASE_URL"), own.secret("KEYS", _place_of_keys, KEYS)
        threads = own.whole("THREADS", 8, 1)
        held = cls(
            database_url=database_url,
            migration_url=own.secret("MIGRATION_URL"),
            projector_url=own.secret("PROJECTOR_URL"),
            home=home,
            keys=keys or (None if database_url else str(home / "keys")),
            master_key=own.text("MASTER_KEY"),
            master_key_file=own.path("MASTER_KEY_FILE"),
            embedded=own.taken("EMBEDDED", None, _programs, PROGRAMS),
            bind=own.taken("BIND", None, _listening, LISTENING),
            host=own.text("HOST") or "127.0.0.1",
            port=env.whole("PORT", 8000, 0, MOST_PORTS),
            workers=own.whole("WORKERS", None, 1),
            threads=threads,
            max_requests=own.whole("MAX_REQUESTS", 0, 0),
            pool_size=own.whole("POOL_SIZE", 8, 1),
            log_level=own.taken(
                "LOG_LEVEL", "INFO", _level, f"one of {', '.join(_LEVELS).lower()}"
            ),
            trusted_proxies=own.taken("TRUSTED_PROXIES", "127.0.0.1", _addresses, PROXIES),
            request_seconds=own.seconds("REQUEST_SECONDS", 3.0),
            cached_plans=own.whole("CACHED_PLANS", 512, 1),
            quota_per_minute=own.whole("QUOTA_PER_MINUTE", 6000, 0),
            quota_burst=own.whole("QUOTA_BURST", 600, 0),
            failed_sign_ins=own.whole("FAILED_SIGN_INS", 300, 0),
            oidc_issuer=own.text("OIDC_ISSUER"),
            oidc_audience=own.text("OIDC_AUDIENCE"),
            oidc_jwks=own.text("OIDC_JWKS"),
            oidc_algorithms=own.words("OIDC_ALGORITHMS", ("RS256", "ES256")),
            oidc_types=own.words("OIDC_TYPES", ("at+jwt", "JWT")),
            oidc_clinic_claim=own.text("OIDC_CLINIC_CLAIM") or "clinic_id",
            oidc_member_claim=own.text("OIDC_MEMBER_CLAIM") or "sub",
            oidc_client_id=own.text("OIDC_CLIENT_ID"),
            oidc_client_secret=own.secret("OIDC_CLIENT_SECRET"),
            oidc_name=own.text("OIDC_NAME") or "your clinic's sign-in",
            oidc_scope=own.text("OIDC_SCOPE") or "openid",
            oidc_prompt=own.exact("OIDC_PROMPT", "login"),
            feed_readers=own.whole("FEED_READERS", max(threads // 2, 1), 0),
            deliverer_url=own.secret("DELIVERER_URL"),
            sealer_url=own.secret("SEALER_URL"),
            sealer_key_file=own.path("SEALER_KEY_FILE"),
            webhook_private_targets=own.yes("WEBHOOK_PRIVATE_TARGETS", default=False),
            webhook_attempts=own.whole("WEBHOOK_ATTEMPTS", 16, 1),
            webhook_pause=own.seconds("WEBHOOK_PAUSE", 5.0),
            webhook_seconds=own.seconds("WEBHOOK_SECONDS", 10.0),
        )
        return replace(held, slips=slips(os.environ.keys(), env.asked | own.asked))

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
        held = {
            spec.name: getattr(self, spec.name) for spec in fields(self) if spec.name != "slips"
        }
        return {
            name: ("(set, hidden)" if value else "(not set)") if name in SECRET else _shown(value)
            for name, value in held.items()
        }


def _shown(value: object) -> str:
    return "(not set)" if value is None else str(value)
