"""Sending one delivery: to the address that was judged, in bounded time, without following anywhere."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from http.client import HTTPException
from importlib.metadata import version

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError

from service.errors import TargetRefusedError
from service.webhooks.addresses import Place, place_of, resolve

MOST_READ = 4_096
"""Bytes of an answer that are read at most; nobody looks at them."""
_AGENT = {
    "User-Agent": f"plan-history/{version('plan-history')}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """How an attempt went; ``why``: what went wrong, in words that hold nothing of anybody.

    ``retry_after``: seconds the receiver asks us to wait. ``ours``: the trouble is on our side.
    """

    status: int | None = None
    why: str | None = None
    milliseconds: int = 0
    retry_after: float = 0.0
    ours: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == HTTPStatus.GONE

    @property
    def troubled(self) -> bool:
        """Whether the receiver as a whole seems unwell, rather than unhappy with this one delivery."""
        if self.status is None:
            return not self.ours
        return self.status >= 500 or self.status in (408, 429)


class Target:
    """A receiver, resolved once; its connections are kept for as long as this lives."""

    def __init__(self, url: str, *, seconds: float, private: bool) -> None:
        self.url = url
        self.seconds = seconds
        self.private = private
        self._idle: queue.LifoQueue[HTTPConnection] = queue.LifoQueue()
        self._resolving = threading.Lock()
        self._found: tuple[Place, str] | None = None

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send it once, and say how that went; never raises."""
        begun = time.monotonic()
        status, why, wait = self._attempt(headers, body, begun)
        return Reply(status, why, int((time.monotonic() - begun) * 1000), wait)

    def _attempt(
        self, headers: Mapping[str, str], body: bytes, begun: float
    ) -> tuple[int | None, str | None, float]:
        try:
            conn, used = self._connection()
            try:
                return self._exchange(conn, headers, body)
            except ConnectionError:
                if not used:
                    raise
            return self._exchange(self._fresh(), headers, body)  # an idle one had been hung up
        except TargetRefusedError:
            return None, "its host lies in a network to which nothing is sent", 0.0
        except (OSError, HTTPError, HTTPException) as failed:
            late = time.monotonic() - begun >= self.seconds
            return None, "did not answer in time" if late else _why(failed), 0.0

    def _connection(self) -> tuple[HTTPConnection, bool]:
        try:
            return self._idle.get_nowait(), True
        except queue.Empty:
            return self._fresh(), False

    def _fresh(self) -> HTTPConnection:
        with self._resolving:
            if self._found is None:
                place = place_of(self.url, private=self.private)
                self._found = place, resolve(place, private=self.private)
            place, address = self._found
        if not place.secure:
            return HTTPConnection(address, place.port, timeout=self.seconds)
        return HTTPSConnection(
            address,
            place.port,
            timeout=self.seconds,
            ssl_context=_trust(),
            server_hostname=place.host,
        )

    def _exchange(
        self, conn: HTTPConnection, headers: Mapping[str, str], body: bytes
    ) -> tuple[int | None, str | None, float]:
        assert self._found is not None
        place, _ = self._found
        said = {**_AGENT, **headers, "Host": place.named}
        try:
            with _cut_off(conn, self.seconds):
                conn.request("POST", place.path, body=body, headers=said, preload_content=False)
                answer = conn.getresponse()
                rest = answer.read(MOST_READ + 1)
        except BaseException:
            conn.close()
            raise
        if len(rest) > MOST_READ:
            conn.close()
        else:
            answer.drain_conn()
            self._idle.put(conn)
        return answer.status, _refusal(answer.status), _wait(answer.headers.get("Retry-After"))


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextlib.contextmanager
def _cut_off(conn: HTTPConnection, seconds: float) -> Iterator[None]:
    """Hang up when the exchange takes longer altogether; a receiver may answer byte by byte."""

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError, AttributeError):
            conn.sock.shutdown(socket.SHUT_RDWR)

    late = threading.Event()
    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if late.is_set():  # headers that break off look like headers that end
        raise TimeoutError


def _refusal(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}, a redirect, which is not followed"
    return f"answered {status}"


def _why(failed: Exception) -> str:
    if isinstance(failed, NameResolutionError | socket.gaierror):
        return "its host has no address"
    cause = failed.__cause__ or failed
    if isinstance(cause, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(failed, ConnectTimeoutError | TimeoutError):
        return "did not answer in time"
    if isinstance(failed, ssl.SSLError) or isinstance(cause, ssl.SSLError):
        return "TLS failed; its certificate may be the reason"
    return "broke off the connection"


def _wait(given: str | None) -> float:
    """The seconds a Retry-After header asks for, as a number or until a date (RFC 9110, 10.2.3); else 0."""
    if given and given.isascii() and given.isdecimal() and len(given) < 8:
        return float(given)
    try:
        until = parsedate_to_datetime(given or "")
    except ValueError:
        return 0.0
    at = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)
