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


class Cutter:
    """Hangs up exchanges that take too long altogether: a receiver may answer byte by byte.

    One thread for all exchanges of a target, since each may take as long as any other.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends: dict[HTTPConnection, float] = {}
        self._late: set[HTTPConnection] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._over = False

    def close(self) -> None:
        """Look after nothing any more."""
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    @contextlib.contextmanager
    def limit(self, conn: HTTPConnection) -> Iterator[None]:
        """An exchange over the connection; raises TimeoutError at its end when it was hung up."""
        with self._changed:
            self._ends[conn] = time.monotonic() + self.seconds
            if len(self._ends) == 1:  # those that come later also end later
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cutter", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._ends.pop(conn, None)
                late = conn in self._late
                self._late.discard(conn)
        if late:  # headers that break off look like headers that end
            raise TimeoutError

    def _run(self) -> None:
        with self._changed:
            while not self._over:
                conn, end = next(iter(self._ends.items()), (None, None))
                left = None if end is None else end - time.monotonic()
                if conn is None or (left is not None and left > 0):
                    self._changed.wait(left)
                    continue
                del self._ends[conn]
                self._late.add(conn)
                with contextlib.suppress(OSError, AttributeError):
                    conn.sock.shutdown(socket.SHUT_RDWR)


class Target:
    """A receiver, resolved once; its connections are kept for as long as this lives."""

    def __init__(self, url: str, *, seconds: float, private: bool) -> None:
        self.url = url
        self.seconds = seconds
        self.private = private
        self._cutter = Cutter(seconds)
        self._idle: queue.LifoQueue[HTTPConnection] = queue.LifoQueue()
        self._resolving = threading.Lock()
        self._found: tuple[Place, str] | None = None

    def close(self) -> None:
        """Hang up."""
        self._cutter.close()
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
            with self._cutter.limit(conn):
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
