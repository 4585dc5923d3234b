"""How PostgreSQL is set up: for a small host, in UTC, and silent about what it stores."""

import sys
from collections.abc import Mapping
from pathlib import Path

from service.embedded.errors import EmbeddedPostgresError
from service.embedded.places import PORT, Place
from service.embedded.providers import Programs

__all__ = ["initdb_command", "postgres_command", "refuse_our_own"]

USUAL: Mapping[str, str] = {
    "cluster_name": "plan-history",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
    # A week of logs, one file a day.
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_file_mode": "0600",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # What clients send stays out of the logs. Errors quote values ("Key (name)=(…) already exists")
    # and reach the client anyway; "log" keeps what concerns the server: start, crash, recovery.
    "log_statement": "none",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
    "log_lock_waits": "off",
}
FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
FIRST_WITH_OWN_LOCALE = 17
OURS = (
    "listen_addresses",
    "unix_socket_directories",
    "unix_socket_permissions",
    "port",
    "log_directory",
)


def initdb_command(
    programs: Programs, data: Path, password_file: Path, *, fast: bool
) -> list[str | Path]:
    """The command that makes a data folder: passwords always demanded, UTF-8, checksums."""
    return [
        programs.initdb,
        f"--pgdata={data}",
        "--username=postgres",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-instructions",
        *_locale(programs.major),
        *(["--no-sync", "--wal-segsize=1"] if fast else []),
    ]


def refuse_our_own(settings: Mapping[str, str]) -> None:
    """Refuse settings that decide where the server can be reached."""
    if refused := sorted(set(settings) & set(OURS)):
        raise EmbeddedPostgresError(
            f"The embedded database decides itself about {', '.join(refused)}.",
            "remove that setting, or set DATABASE_URL to use a server of your own.",
        )


def postgres_command(
    programs: Programs, place: Place, socket: Path, own: Mapping[str, str], *, fast: bool
) -> list[str | Path]:
    """The command that runs the server; `own` settings win over the usual ones."""
    settings = {
        **USUAL,
        **(FAST if fast else {}),
        **own,
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(socket),
        "unix_socket_permissions": "0700",
        "log_directory": str(place.log),
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [programs.postgres, "-D", place.data, *options]


def _locale(major: int) -> list[str]:
    """PostgreSQL's own locale, the same on every system, where it has one; else the system's."""
    if major >= FIRST_WITH_OWN_LOCALE:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
