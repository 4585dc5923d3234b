"""A brake on guessing: whoever fails to sign in too often from one address is told to wait."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

from service.errors import QuotaExceededError

MOST_ADDRESSES = 10_000


class Brake:
    """Counts failures per address in this process. ``per_minute``: 0 for no brake."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.most = per_minute / 60, float(per_minute)
        self.clock = clock
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def failed(self, address: str | None) -> None:
        """Somebody failed to sign in from the address."""
        if not self.per_second:
            return
        place = _place(address)
        with self._lock:
            self._failures[place] = (self._now(place) + 1, self.clock())
            self._failures.move_to_end(place)
            if len(self._failures) > MOST_ADDRESSES:
                self._failures.popitem(last=False)

    def refuse(self, address: str | None) -> None:
        """Raises QuotaExceededError when too many have failed from the address."""
        if not self.per_second:
            return
        with self._lock:
            over = self._now(_place(address)) + 1 - self.most
        if over > 0:
            seconds = max(math.ceil(over / self.per_second), 1)
            raise QuotaExceededError(
                f"Too many failed sign-ins from your address; try again in {seconds} s.",
                retry_after=seconds,
            )

    def _now(self, place: str) -> float:
        """How many failures still count: they are forgotten evenly, over a minute."""
        count, counted_at = self._failures.get(place, (0.0, 0.0))
        return max(count - (self.clock() - counted_at) * self.per_second, 0.0)


def _place(address: str | None) -> str:
    """The address, or for IPv6 the network somebody has to themselves."""
    try:
        held = ip_address(address or "")
    except ValueError:
        return ""
    return (
        str(IPv6Network((held, 64), strict=False)) if isinstance(held, IPv6Address) else str(held)
    )
