"""What an issuer publishes, and what it answers: from a configured address, in bounded time and size."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
MOST_BYTES = 256 * 1024
SECONDS = 1.5


class _Straight(urllib.request.HTTPRedirectHandler):
    """Answers come from the address that was configured, and from no other."""

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What an issuer said; a redirect is an answer like any other, and leads nowhere."""

    status: int
    raw: bytes

    def document(self) -> dict[str, Any]:
        """The JSON object of a good answer; raises ValueError when there is none."""
        held = json.loads(self.raw) if self.status == 200 else None
        if not isinstance(held, dict):
            raise ValueError(f"no JSON object, status {self.status}")  # noqa: TRY004 - as keys_in()
        return held


def trusted(place: str) -> str:
    """The address, if nobody stands between: https, or this very machine; raises ValueError."""
    held = urlsplit(place)
    secure = held.scheme == "https" and bool(held.hostname)
    if not secure and not (held.scheme == "http" and _loopback(held.hostname)):
        raise ValueError("Must be an address that begins with https://.")
    return place


def source(place: str) -> Callable[[], Sequence[object]]:
    """What loads the keys of a JWKS at ``place``, an https address or a file.

    Raises ValueError for another address. What it returns raises OSError or ValueError when there
    is no JWKS to be had.
    """
    if "://" not in place:
        return lambda: keys_in(json.loads(Path(place).read_bytes()))
    try:
        trusted(place)
    except ValueError as wrong:
        raise ValueError("Must be a file, or an address that begins with https://.") from wrong
    return lambda: keys_in(ask(place).document())


def keys_in(held: object) -> Sequence[object]:
    """The keys of a JWKS; raises ValueError for anything else."""
    keys = held.get("keys") if isinstance(held, dict) else None
    if not isinstance(keys, list):
        raise ValueError("this is no JWKS")  # noqa: TRY004 - malformed is malformed
    return keys


def _loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def ask(
    address: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """GET what is at a trusted address, or POST there; raises OSError or ValueError without an answer."""
    said = {"Accept": "application/json", **(headers or {})}
    request = urllib.request.Request(address, body, said)  # noqa: S310 - see trusted()
    try:
        answer = _opener.open(request, timeout=seconds)
    except urllib.error.HTTPError as other:
        answer = other
    except HTTPException as broken:
        raise ValueError("this is no HTTP") from broken
    with answer:
        return Answer(answer.status, _read(answer, time.monotonic() + seconds))


def _read(answer: Any, deadline: float) -> bytes:
    """What is answered, if it comes in time and is not too much."""
    found = b""
    try:
        while part := answer.read1(65_536):
            found += part
            if len(found) > MOST_BYTES or time.monotonic() > deadline:
                raise ValueError("too large or too slow")
    except HTTPException as broken:
        raise ValueError("this is no HTTP") from broken
    return found


def in_time(work: Callable[[], T], seconds: float) -> T:
    """What ``work`` returns, if it does so within so many seconds; raises TimeoutError (an OSError).

    An answer may trickle in byte by byte; whoever waits does not wait for that.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as failed:  # noqa: BLE001 - whoever waits is told
            done.set_exception(failed)

    Thread(target=run, name="issuer", daemon=True).start()
    return done.result(seconds)
