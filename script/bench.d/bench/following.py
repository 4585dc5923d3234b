"""How fast entries reach those who follow: a reader of the stream from the beginning, and a webhook."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit
from uuid import uuid4

from bench import keys
from bench.clinic import clinic
from bench.report import Section
from bench.serving import Serving
from domain.consents import ConsentRecorded
from service.access import Principal
from service.container import build
from service.plans import Draft
from service.serving.deliverer import deliver, terms
from service.settings import Settings
from service.webhooks.management import NewWebhook

EVENTS, PLANS, EACH = 5_000, 20, 50
READER = "Bench reader"
PATIENCE = 120.0


def measure(running: Serving, url: str, token: str) -> Section:
    """Both, as a table of events a second."""
    streamed, seconds = _stream(running.service.address, token)
    delivered, told = _webhook(url)
    rows = [
        ("stream, from the first entry", f"{streamed:,}", f"{streamed / seconds:,.0f}/s"),
        (f"webhook, {PLANS} plans", f"{delivered:,}", f"{delivered / told:,.0f}/s"),
    ]
    return Section(
        "Those who follow",
        ("how", "events", "rate"),
        rows,
        "One reader of /v1/feed/stream over HTTP; one deliverer, one webhook, a receiver in this process "
        "that answers at once. Access is decided and logged for each batch in both.",
    )


def _stream(address: str, token: str) -> tuple[int, float]:
    place = urlsplit(address)
    conn = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"}
    begun = time.perf_counter()
    conn.request("GET", "/v1/feed/stream?lastEventId=0", headers=headers)
    answer = conn.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"the stream answered {answer.status}")
    seen = 0
    while seen < EVENTS:
        seen += answer.readline().startswith(b"data:")
    conn.close()
    return seen, time.perf_counter() - begun


@dataclass(slots=True)
class _Received:
    """How many deliveries came, and whether all did."""

    wanted: int
    count: int = 0
    all: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self) -> None:
        """One more came."""
        with self.lock:
            self.count += 1
            if self.count >= self.wanted:
                self.all.set()


def _webhook(url: str) -> tuple[int, float]:
    settings = keys.settings(url, webhook_private_targets=True)
    received = _Received(PLANS * EACH)
    with clinic(url, "Told by webhook") as held:
        for number in range(PLANS):
            plan_id = held.live(number, EACH - 1, 20)
            consent = ConsentRecorded(consent_id=str(uuid4()), scope="All", recipient=READER)
            held.record(plan_id, [Draft(data=consent)])
        reader = replace(held.who, member_id=uuid4(), name=READER, role="integration")
    return received.wanted, _delivered(settings, reader, received)


def _delivered(settings: Settings, reader: Principal, received: _Received) -> float:
    container, stop = build(settings), threading.Event()
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), answering(lambda _: received.one()))
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    target = NewWebhook(url=f"http://127.0.0.1:{receiver.server_port}/", after="0")
    container.webhooks.create(reader, target)
    given = (settings.database_url or "", terms(settings), container.feed.showing, stop)
    deliverer = threading.Thread(target=deliver, args=given)
    begun = time.perf_counter()
    deliverer.start()
    try:
        if not received.all.wait(PATIENCE):
            raise RuntimeError(f"only {received.count} of {received.wanted} deliveries came")
        return time.perf_counter() - begun
    finally:
        stop.set()
        deliverer.join()
        receiver.shutdown()
        receiver.server_close()
        container.close()


def answering(take: Callable[[bytes], None]) -> type[BaseHTTPRequestHandler]:
    """A receiver of webhooks that takes everything at once."""

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            take(body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *given: object) -> None:  # noqa: A002 - the library's name
            """Nothing."""

    return Receiver
