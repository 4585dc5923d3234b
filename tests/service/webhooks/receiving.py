"""A receiver of webhooks on this machine, that answers as a test wants it to."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Delivery:
    """What arrived: one request."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        held: dict[str, Any] = json.loads(self.body)
        return held

    @property
    def id(self) -> str:
        """The id by which a receiver knows what it has."""
        return self.headers["webhook-id"]

    @property
    def position(self) -> int:
        """Where the entry stands in the clinic's log."""
        return int(self.event["sequence"])

    @property
    def plan_id(self) -> str:
        """The plan it belongs to."""
        return str(self.event["subject"])

    def verified(self, secret: str) -> Any:
        """The payload as the reference library reads it; raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(frozen=True)
class Reply:
    """What the receiver answers."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Answering = Callable[[Delivery], Reply]


@dataclass
class Receiver:
    """Keeps what arrived; ``answering`` decides what is answered, ``taken`` are those it took."""

    address: str
    answering: Answering = lambda _: Reply()
    seen: list[Delivery] = field(default_factory=list)
    taken: list[Delivery] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, delivery: Delivery) -> Reply:
        """Decide what to answer."""
        with self.lock:
            self.seen.append(delivery)
        reply = self.answering(delivery)
        if reply.status < 300:
            with self.lock:
                self.taken.append(delivery)
        return reply

    def positions(self, plan_id: object = None) -> list[int]:
        """The positions taken, in the order they came; of one plan if named."""
        wanted = str(plan_id) if plan_id else None
        return [held.position for held in self.taken if wanted in (None, held.plan_id)]


def _handler(receiver: Callable[[], Receiver]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): held for name, held in self.headers.items()}
            reply = receiver().receive(Delivery(headers, body, self.path))
            self.send_response(reply.status)
            for name, held in reply.headers.items():
                self.send_header(name, held)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A sender that hangs up is no news."""


@contextlib.contextmanager
def receiving(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens until the end of the block."""
    held: list[Receiver] = []
    with _Server(("127.0.0.1", port), _handler(lambda: held[0])) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        held.append(Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook"))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield held[0]
        finally:
            server.shutdown()
            thread.join()
