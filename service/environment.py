"""Variables of the environment: an empty one counts as unset, a malformed one is told with what is allowed.

Messages name the variable and never what it holds: that may be a password in the wrong place.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import environs

D = TypeVar("D")
T = TypeVar("T")
OURS = "PLAN_HISTORY_"
ELSEWHERE = frozenset(
    {
        "PLAN_HISTORY_OWNER_PASSWORD",
        "PLAN_HISTORY_API_PASSWORD",
        "PLAN_HISTORY_PROJECTOR_PASSWORD",
        "PLAN_HISTORY_DELIVERER_PASSWORD",
        "PLAN_HISTORY_SEALER_PASSWORD",
        "PLAN_HISTORY_SUPERVISOR",
        "PLAN_HISTORY_METRICS_OF_THIS_RUN",
    }
)
"""Known, but no settings: what compose.yaml makes URLs of, and what our processes tell one another."""
_YES = frozenset({"true", "yes", "on", "1", "t", "y"})
_NO = frozenset({"false", "no", "off", "0", "f", "n"})


class SettingError(environs.EnvError):
    """A variable holds what it may not."""

    def __init__(self, variable: str, allowed: str) -> None:
        super().__init__(
            f"{variable} must be {allowed}. Set it so, or unset it for its default; docker/env.example explains it."
        )


class Variables:
    """The variables that begin with a prefix; ``asked`` has the whole names of those that were read."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.asked: set[str] = set()
        self._env = environs.Env(prefix=prefix)

    def exact(self, name: str, default: str) -> str:
        """A text that may be empty."""
        self.asked.add(self.prefix + name)
        return self._env.str(name, default)

    def text(self, name: str) -> str | None:
        """A text; None when it is unset or blank."""
        return self.exact(name, "").strip() or None

    def secret(self, name: str, take: Callable[[str], str] = str, allowed: str = "") -> str | None:
        """A text, or what the file holds that ``name_FILE`` names, as container platforms hand secrets over."""
        given, place = self.text(name), self.text(f"{name}_FILE")
        if given is None and place is not None:
            given = _held_in(place, f"{self.prefix}{name}_FILE")
        return None if given is None else self._made(name, given, take, allowed)

    def path(self, name: str) -> Path | None:
        """A place in the file system."""
        given = self.text(name)
        return Path(given).expanduser() if given else None

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Words separated by commas."""
        given = self.text(name)
        return default if given is None else words(given)

    def taken(self, name: str, default: D, take: Callable[[str], T], allowed: str) -> T | D:
        """What ``take`` makes of the text; its ValueError says that it is not what is allowed."""
        given = self.text(name)
        return default if given is None else self._made(name, given, take, allowed)

    def _made(self, name: str, given: str, take: Callable[[str], T], allowed: str) -> T:
        try:
            return take(given)
        except ValueError:
            raise SettingError(
                self.prefix + name, allowed
            ) from None  # its text may repeat the value

    def whole(self, name: str, default: D, least: int, most: int | None = None) -> int | D:
        """A whole number within bounds."""

        def take(given: str) -> int:
            number = int(given)
            if number < least or (most is not None and number > most):
                raise ValueError
            return number

        bounds = f"from {least} on" if most is None else f"from {least} to {most}"
        return self.taken(name, default, take, f"a whole number {bounds}")

    def seconds(self, name: str, default: float) -> float:
        """A length of time, less than a day."""

        def take(given: str) -> float:
            number = float(given)
            if not (math.isfinite(number) and 0 < number < 86_400):
                raise ValueError
            return number

        return self.taken(name, default, take, "a number of seconds, more than 0")

    def yes(self, name: str, *, default: bool) -> bool:
        """Yes or no."""

        def take(given: str) -> bool:
            if given.lower() not in _YES | _NO:
                raise ValueError
            return given.lower() in _YES

        return self.taken(name, default, take, "true or false")


def _held_in(place: str, variable: str) -> str | None:
    try:
        return Path(place).expanduser().read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise environs.EnvError(
            f"The file {place} that {variable} names cannot be read; check its path."
        ) from unreadable


def words(text: str) -> tuple[str, ...]:
    """The words of a text that commas separate."""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def slips(given: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """A sentence for each name that looks like a setting and is none, with the nearest that is."""
    others = tuple(_of_kubernetes(given))
    strange = (
        name
        for name in given
        if name.startswith(OURS)
        and name not in known
        and name not in ELSEWHERE
        and not name.startswith(others)
    )
    return tuple(_slip(name, known) for name in sorted(strange))


def _of_kubernetes(given: Iterable[str]) -> Iterator[str]:
    """How the variables begin that Kubernetes sets about services, should one be called plan-history."""
    for name in given:
        if name.endswith("_SERVICE_HOST"):
            service = name.removesuffix("_SERVICE_HOST")
            yield from (f"{service}_SERVICE_", f"{service}_PORT")


def _slip(name: str, known: Collection[str]) -> str:
    bare = {held.removeprefix(OURS): held for held in sorted(known)}
    near = difflib.get_close_matches(name.removeprefix(OURS), bare, n=1)
    ask = f"did you mean {bare[near[0]]}?" if near else "docker/env.example has all there are."
    return f"{name} is no setting, so it has no effect: {ask}"
