"""Where deliveries may go, and how long one may take: what a hostile receiver can try."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest
import trustme

from service.errors import TargetRefusedError
from service.webhooks import sending
from service.webhooks.addresses import is_public, place_of, resolve
from service.webhooks.management import NewWebhook, WebhookService
from service.webhooks.sending import MOST_READ, Reply, Target
from tests.service.webhooks import receiving as tests_receiving
from tests.service.webhooks.conftest import RECIPIENT, Office
from tests.service.webhooks.receiving import Receiver

INSIDE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",  # noqa: S104 - refused
    "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1",
    "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "::7f00:1", "::127.0.0.1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "5f00::1", "4000::1",
    "3fff::1", "192.88.99.1", "2001:0:4136:e378:8000:63bf:80ff:fffe",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
REFUSED = [
    "", "example.org", "//example.org", "ftp://example.org", "file:///etc/passwd", "https://",
    "https:///path", "http://example.org/", "https://user@example.org/", "https://u:p@example.org/",
    "https://example.org/#part", "https://example.org:99999/", "https://exa mple.org/",
    "https://example.org/\n", "https://exämple.org/", "https://[::1", "javascript:alert(1)",
    "https://example.org/" + "a" * 2000,
]  # fmt: skip


def posted(url: str, seconds: float = 2) -> Reply:
    """How one delivery to that URL goes."""
    target = Target(url, seconds=seconds, private=True)
    reply = target.post({"webhook-id": "1"}, b"{}")
    target.close()
    return reply


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_is_sent_inside(address: str) -> None:
    """Loopback, private, link-local, shared, reserved, multicast – also wrapped in another address."""
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_open_internet_is_outside(address: str) -> None:
    """An address anybody can reach is one to send to."""
    assert is_public(address)


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_no_address_to_send_to_is_refused(url: str) -> None:
    """Anything but a plain https URL, with a sentence what to write."""
    with pytest.raises(TargetRefusedError, match=r"\.$"):
        place_of(url, private=False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "LOCALHOST",
    ],
)
def test_a_host_inside_is_refused_however_it_is_written(host: str) -> None:
    """By number, by name, in the odd spellings that resolvers take."""
    with pytest.raises(TargetRefusedError, match="nothing is sent"):
        resolve(place_of(f"https://{host}/hook", private=False), private=False)


def test_one_address_inside_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points both outside and inside is refused as a whole."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)),
    ]
    monkeypatch.setattr("service.webhooks.addresses.socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(TargetRefusedError):
        resolve(place_of("https://both.example/", private=False), private=False)


def test_a_name_that_changes_its_mind_changes_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is asked once; the connection goes to the address that was judged."""
    port = int(receiver.address.rpartition(":")[2].partition("/")[0])
    asked: list[str] = []
    true = socket.getaddrinfo

    def once(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return true("127.0.0.1", *rest, **more)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr("service.webhooks.addresses.socket.getaddrinfo", once)
    target = Target(f"http://hook.example:{port}/x", seconds=2, private=True)
    for _ in range(3):
        assert target.post({"webhook-id": "1"}, b"{}").delivered
    target.close()
    assert asked.count("hook.example") == 1
    assert {held.headers["host"] for held in receiver.seen} == {f"hook.example:{port}"}


def test_a_target_inside_is_refused_when_made_and_when_told(
    office: Office, receiver: Receiver
) -> None:
    """At the desk with a sentence; and once more at delivery, should the setting have changed."""
    service = office.container.webhooks
    strict = WebhookService(service.database, service.feed, private=False)
    for url in (receiver.address, receiver.address.replace("http", "https")):
        with pytest.raises(TargetRefusedError):
            strict.create(office.admin, NewWebhook(url=url))
    assert service.all(office.admin) == []
    office.plan()
    webhook = office.webhook(receiver)
    office.rounds(until=lambda: office.log(webhook), private=False)
    assert receiver.seen == []
    [attempt, *_] = office.log(webhook)
    assert attempt["why"] == "its host lies in a network to which nothing is sent"
    assert UUID(attempt["plan_id"]) == office.plans[0]


# How one is answered


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """Wherever it leads, nothing goes there."""
    receiver.answering = lambda _: tests_receiving.Reply(307, {"Location": receiver.address + "2"})
    reply = posted(receiver.address)
    assert (reply.delivered, reply.why) == (
        False,
        "answered 307, a redirect, which is not followed",
    )
    assert [held.path for held in receiver.seen] == ["/hook"]


def test_a_long_answer_is_not_read(receiver: Receiver) -> None:
    """A few kilobytes at most; the delivery counts by its status, and the next one is sent anew."""
    receiver.answering = lambda _: tests_receiving.Reply(200, body=b"x" * 50 * MOST_READ)
    target = Target(receiver.address, seconds=2, private=True)
    assert [target.post({}, b"{}").delivered for _ in range(3)] == [True] * 3
    target.close()


def test_an_idle_connection_that_was_hung_up_is_no_failure(receiver: Receiver) -> None:
    """A receiver may close what it keeps alive; the delivery goes over a new one."""
    target = Target(receiver.address, seconds=2, private=True)
    assert target.post({}, b"{}").delivered
    idle = target._idle.get()
    assert idle.sock is not None
    idle.sock.shutdown(socket.SHUT_RDWR)
    target._idle.put(idle)
    assert target.post({}, b"{}").delivered
    target.close()


@contextlib.contextmanager
def answering(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """A server that reads a little and says its parts, pausing between them; its URL."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    conn, _ = server.accept()
                    with conn, contextlib.suppress(OSError):
                        conn.recv(65_536)
                        for part in parts:
                            conn.sendall(part)
                            if pause and stop.wait(pause):
                                break

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        stop.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"X-Slow: 1\r\n"] * 500],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 500],
        [b"", *[b""] * 500],
    ],
    ids=["in its headers", "in its body", "in silence"],
)
def test_a_receiver_that_dawdles_is_cut_off(parts: list[bytes]) -> None:
    """The whole exchange has one time limit, however steadily the bytes drip."""
    with answering(*parts, pause=0.05) as url:
        begun = time.monotonic()
        reply = posted(url, seconds=0.6)
        assert time.monotonic() - begun < 3
    assert (reply.delivered, reply.why) == (False, "did not answer in time")
    assert reply.troubled


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([b"nonsense\r\n\r\n"], "broke off the connection"),
        ([], "broke off the connection"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"], "broke off the connection"),
        ([b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"], "answered 500"),
        ([b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"], "answered 404"),
    ],
)
def test_a_strange_answer_is_a_failure_with_a_reason(parts: list[bytes], why: str) -> None:
    """Nothing a receiver says makes the sender fall over; the reason is in our own words."""
    with answering(*parts) as url:
        assert posted(url).why == why


def test_a_receiver_may_ask_for_time(receiver: Receiver) -> None:
    """Retry-After is heard, in seconds or until a date; what is past, or nonsense, asks for nothing."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    for said, least, most in (
        ("7", 7, 7), (later, 85, 91), (past, 0, 0), ("-1", 0, 0), ("soon", 0, 0), ("9" * 400, 0, 0),
    ):  # fmt: skip
        receiver.answering = lambda _, said=said: tests_receiving.Reply(  # type: ignore[misc]
            429, {"Retry-After": said}
        )
        reply = posted(receiver.address)
        assert least <= reply.retry_after <= most, said
        assert reply.troubled


def test_a_name_that_turns_inwards_is_refused_when_told(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside when the webhook was made, inside when it is told (DNS rebinding): nothing is sent there."""
    service = office.container.webhooks
    strict = WebhookService(service.database, service.feed, private=False)
    place = ["93.184.216.34"]

    def moving(host: str, port: int, **_: object) -> object:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place[0], port))]

    monkeypatch.setattr("service.webhooks.addresses.socket.getaddrinfo", moving)
    port = receiver.address.rpartition(":")[2].partition("/")[0]
    wanted = NewWebhook(url=f"https://hook.example:{port}/x", after="0", recipient=RECIPIENT)
    webhook = strict.create(office.admin, wanted)
    place[0] = "127.0.0.1"
    office.plan()
    office.rounds(until=lambda: office.log(webhook), private=False)
    [attempt, *_] = office.log(webhook)
    assert attempt["why"] == "its host lies in a network to which nothing is sent"
    assert receiver.seen == []


def test_nobody_listening_is_a_reason() -> None:
    """A closed port and a name without an address are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    def why(url: str) -> str | None:
        return posted(url).why

    assert why(f"http://127.0.0.1:{port}/") == "refused the connection"
    assert why("http://no-such-host.invalid/") == "its host has no address"


# TLS


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that the sender trusts, alone."""
    made = trustme.CA()
    trust = ssl.create_default_context()
    made.configure_trust(trust)
    monkeypatch.setattr(sending, "_trust", lambda: trust)
    return made


@contextlib.contextmanager
def secure(certificate: trustme.LeafCert) -> Iterator[tuple[int, list[str | None]]]:
    """A receiver with that certificate: its port, and the names callers asked for."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.sni_callback = lambda _, name, __: asked.append(name)
    with tests_receiving.receiving(context=context) as held:
        yield int(held.address.rpartition(":")[2].partition("/")[0]), asked


def test_the_certificate_is_checked_against_the_name(authority: trustme.CA) -> None:
    """The connection goes to an address, yet the certificate must be the name's."""
    with secure(authority.issue_cert("localhost")) as (port, asked):
        reply = posted(f"https://localhost:{port}/")
        assert (reply.delivered, asked) == (True, ["localhost"]), reply
    with secure(authority.issue_cert("other.example")) as (port, _):
        reply = posted(f"https://localhost:{port}/")
        assert reply.why == "TLS failed; its certificate may be the reason"


def test_a_certificate_of_nobody_we_know_is_refused() -> None:
    """Signed by an authority that nobody trusts."""
    with secure(trustme.CA().issue_cert("localhost")) as (port, _):
        reply = posted(f"https://localhost:{port}/")
    assert reply == Reply(None, reply.why, reply.milliseconds)
    assert reply.why == "TLS failed; its certificate may be the reason"
