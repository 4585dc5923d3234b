"""Where an issuer's keys come from: a JWKS at an address, or in a file."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

MOST_BYTES = 256 * 1024
SECONDS = 1.5


class _Straight(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that was configured, and from no other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Never."""
        return


_opener = urllib.request.build_opener(_Straight)


def source(place: str) -> Callable[[], Sequence[object]]:
    """What loads the keys of a JWKS at ``place``, an https address or a file.

    Raises ValueError for another address. What it returns raises OSError or ValueError when there
    is no JWKS to be had.
    """
    if "://" not in place:
        return lambda: _keys(Path(place).read_bytes())
    held = urlsplit(place)
    if held.scheme != "https" and not (held.scheme == "http" and _loopback(held.hostname)):
        raise ValueError("Must be a file, or an address that begins with https://.")
    return lambda: _keys(_fetched(place))


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _fetched(address: str) -> bytes:
    """What is at the address, if it comes in time and is not too much."""
    deadline, found = time.monotonic() + SECONDS, b""
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 - checked in source()
    with _opener.open(request, timeout=SECONDS) as answer:
        while part := answer.read1(65_536):
            found += part
            if len(found) > MOST_BYTES or time.monotonic() > deadline:
                raise ValueError("too large or too slow")
    return found


def _keys(raw: bytes) -> Sequence[object]:
    held = json.loads(raw)
    keys = held.get("keys") if isinstance(held, dict) else None
    if not isinstance(keys, list):
        raise ValueError("this is no JWKS")  # noqa: TRY004 - malformed is malformed
    return keys
