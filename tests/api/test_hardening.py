"""What every answer carries, whoever asks for what; and requests that go too far."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.app import MOST_BYTES, create_app
from api.feed import _gone_from
from api.parsing import DEPTH
from api.proxies import networks
from tests.api.house import Desk, House, goal, refused

ROOT = Path(__file__).resolve().parents[2]
ALWAYS = {
    "Cache-Control",
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Request-ID",
}
REQUESTS: dict[str, tuple[str, str]] = {
    "a plan": ("GET", "{plan}"),
    "its head": ("HEAD", "{plan}"),
    "its options": ("OPTIONS", "{plan}"),
    "no such address": ("GET", "/nowhere"),
    "no such plan": ("GET", "/v1/plans/00000000-0000-4000-8000-000000000009"),
    "no such method": ("DELETE", "{plan}"),
    "an unknown method": ("BREW", "{plan}"),
    "a wrong query": ("GET", "{plan}?wrong=1"),
    "a static file": ("GET", "/static/docs.js"),
    "no such file": ("GET", "/static/../api/app.py"),
    "the docs": ("GET", "/docs"),
    "the description": ("GET", "/openapi.json"),
    "the front": ("GET", "/"),
    "liveness": ("GET", "/livez"),
    "metrics": ("GET", "/metrics"),
    "a body that is none": ("POST", "{plan}/entries"),
}


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "a stranger"])
@pytest.mark.parametrize(("method", "path"), REQUESTS.values(), ids=REQUESTS)
def test_every_answer_is_wrapped_up(
    steady: Desk, method: str, path: str, *, signed_in: bool
) -> None:
    """Security headers on answers and refusals alike, on every method and on files."""
    headers = steady.caller.headers if signed_in else {}
    answer = steady.house.client.open(path.format(plan=steady.url), method=method, headers=headers)
    answer.close()  # of a file
    assert not ALWAYS - set(answer.headers.keys())
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_answer_nobody_foresaw_is_wrapped_up_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is a problem like any other, with nothing of what was inside."""
    desk_app = create_app(replace_container(house))
    monkeypatch.setitem(desk_app.view_functions, "health.livez", broken)
    answer = desk_app.test_client().get("/livez")
    refused(answer, 500, "internal-error")
    assert not ALWAYS - set(answer.headers.keys())
    assert "secret" not in answer.text


def broken() -> None:
    """A view with a fault."""
    raise RuntimeError("secret")


def replace_container(house: House, **settings: Any) -> Any:
    """The house's services with other settings."""
    return replace(house.container, settings=replace(house.container.settings, **settings))


# Limits


def nested(depth: int) -> bytes:
    """JSON with objects inside one another."""
    return b'{"a":' * depth + b"1" + b"}" * depth


TOO_FAR: dict[str, tuple[Callable[[Desk], Any], int, str]] = {
    "a body too large": (lambda at: at.send(b" " * (MOST_BYTES + 1)), 413, "too-large"),
    "nested too deep": (lambda at: at.send(nested(DEPTH + 1)), 400, "malformed-request"),
    "nested without end": (lambda at: at.send(nested(100_000)), 400, "malformed-request"),
    "a number without end": (
        lambda at: at.send(b'{"entries":' + b"9" * 100_000 + b"}"),
        400,
        "malformed-request",
    ),
    "too many entries": (lambda at: at.send({"entries": [goal()] * 201}), 422, "invalid-data"),
    "a form": (
        lambda at: at.send(b"a=b", content_type="application/x-www-form-urlencoded"),
        415,
        "unsupported-media-type",
    ),
    "XML": (
        lambda at: at.send(b"<a/>", content_type="application/xml"),
        415,
        "unsupported-media-type",
    ),
    "several parts": (
        lambda at: at.send(b"--x--", content_type="multipart/form-data; boundary=x"),
        415,
        "unsupported-media-type",
    ),
    "no type at all": (
        lambda at: at.send(b"{}", content_type=None),
        415,
        "unsupported-media-type",
    ),
    "compressed": (
        lambda at: at.send(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
        400,
        "malformed-request",
    ),
}


@pytest.mark.parametrize(("ask", "status", "code"), TOO_FAR.values(), ids=TOO_FAR)
def test_what_goes_too_far_is_a_clear_problem(
    steady: Desk, ask: Callable[[Desk], Any], status: int, code: str
) -> None:
    """Size, depth, count and kind of a body; nothing is written."""
    with steady.house.nothing_written():
        refused(ask(steady), status, code)


# Proxies


def asked_from(house: House, trusted: str, peer: str, **headers: str) -> tuple[str, bool]:
    """Whom and how the application takes a request to come from."""
    app = create_app(replace_container(house, trusted_proxies=trusted))
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        from flask import request  # noqa: PLC0415 - within the application only

        seen.append((str(request.remote_addr), request.is_secure))

    app.before_request_funcs.setdefault(None, []).insert(0, look)
    names = {name.replace("_", "-"): held for name, held in headers.items()}
    answer = app.test_client().get("/livez", headers=names, environ_base={"REMOTE_ADDR": peer})
    secure = "Strict-Transport-Security" in answer.headers
    assert secure == seen[0][1]
    return seen[0]


SAID = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}


def test_a_trusted_proxy_says_who_asks_and_how(house: House) -> None:
    """By address or network; https then brings Strict-Transport-Security."""
    assert asked_from(house, "192.0.2.1", "192.0.2.1", **SAID) == ("203.0.113.9", True)
    assert asked_from(house, "10.0.0.0/8, ::1", "10.1.2.3", **SAID) == ("203.0.113.9", True)
    assert asked_from(house, "::1", "::1", **SAID) == ("203.0.113.9", True)


def test_anybody_else_says_nothing(house: House) -> None:
    """Their word about where they come from is taken off, not believed."""
    assert asked_from(house, "192.0.2.1", "192.0.2.2", **SAID) == ("192.0.2.2", False)
    assert asked_from(house, "", "192.0.2.1", **SAID) == ("192.0.2.1", False)
    assert asked_from(house, "192.0.2.1", "", **SAID)[1] is False


def test_of_a_chain_the_last_word_counts(house: House) -> None:
    """What the client wrote before the proxy's own word is the client's claim."""
    forged = {**SAID, "X_Forwarded_For": "198.51.100.1, 203.0.113.9"}
    assert asked_from(house, "192.0.2.1", "192.0.2.1", **forged)[0] == "203.0.113.9"


def test_a_proxy_must_be_an_address() -> None:
    """A name or a star is refused when the service starts."""
    for wrong in ("*", "proxy.example.org", "10.0.0.0/33"):
        with pytest.raises(ValueError, match=r"does not appear to be an IPv4 or IPv6 network"):
            networks(wrong)


# gunicorn


@pytest.mark.parametrize(
    "place", ["python:service.serving.gunicorn", str(ROOT / "docker" / "gunicorn.conf.py")]
)
def test_gunicorn_takes_its_settings(place: str) -> None:
    """Both files are what this gunicorn understands."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "gunicorn", "--check-config", "-c", place],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
            "PLAN_HISTORY_KEYS": "off",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_gunicorn_is_configured_as_the_design_says() -> None:
    """No control socket, one protocol, our patient worker, no line of a request in its logs."""
    from service.serving import gunicorn  # noqa: PLC0415 - reads the environment when imported

    assert gunicorn.control_socket_disable is True
    assert gunicorn.http2_cleartext == "off"
    assert gunicorn.worker_class == "service.serving.worker.Worker"
    assert gunicorn.accesslog is None
    assert gunicorn.preload_app is False


def slow(address: tuple[str, int], begin: bytes, more: bytes) -> float:
    """Seconds until the server lets go of a client who sends a byte now and then."""
    begun = time.monotonic()
    with socket.create_connection(address, timeout=0.2) as sock:
        sock.sendall(begin)
        while time.monotonic() - begun < 20:
            try:
                sock.sendall(more)
                if sock.recv(4096) == b"":
                    return time.monotonic() - begun
            except TimeoutError:
                continue
            except OSError:
                return time.monotonic() - begun
    return 99.0


SLOW = {
    "in the head": (b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ", b"a"),
    "in the body": (
        b"POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n",
        b" ",
    ),
}
PATIENT = """
import sys
import service.serving.worker as worker
worker.READING = 1.5
from gunicorn.app.wsgiapp import run
sys.argv = ["gunicorn", "-b", "127.0.0.1:0", "-k", sys.argv[1], "--threads", "2", "-t", "30",
            "tests.api.test_hardening:" + sys.argv[2]]
run()
"""


def reads_all(environ: Any, start_response: Any) -> list[bytes]:
    """An application that reads what it is sent."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def streams(environ: Any, start_response: Any) -> Iterator[bytes]:
    """An application that streams to whoever stays, and says when they have gone."""
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    gone = _gone_from(environ)
    yield b":\n"
    while not gone():
        time.sleep(0.05)  # the time in which nothing is to be told
        yield b":\n"
    sys.stderr.write("gone\n")
    sys.stderr.flush()


def listening(kind: str, app: str = "reads_all") -> tuple[subprocess.Popen[str], tuple[str, int]]:
    """A gunicorn with that kind of worker and two threads, and where it listens."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PATIENT, kind, app], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    line = next(said for said in process.stderr if "Listening at" in said)
    host, _, port = line.split("http://")[1].split(" ")[0].rpartition(":")
    return process, (host, int(port))


@pytest.mark.parametrize(("begin", "more"), SLOW.values(), ids=SLOW)
def test_a_slow_client_is_let_go(begin: bytes, more: bytes) -> None:
    """It holds a thread for a while, not for ever; others are answered again."""
    process, address = listening("service.serving.worker.Worker")
    try:
        assert slow(address, begin, more) < 10
        with socket.create_connection(address, timeout=5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        process.terminate()
        process.communicate(timeout=40)


def test_a_quiet_reader_of_a_stream_is_not_let_go() -> None:
    """The time in which a request must arrive is not the time its answer may take; who hangs up is noticed."""
    process, address = listening("service.serving.worker.Worker", "streams")
    try:
        with socket.create_connection(address, timeout=5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            begun = time.monotonic()
            while time.monotonic() - begun < 5:  # READING is 1.5 there, looked at every second
                assert sock.recv(4096), time.monotonic() - begun
        assert process.stderr is not None
        assert "gone\n" in process.stderr
    finally:
        process.terminate()
        process.communicate(timeout=40)


@pytest.mark.slow
def test_without_our_worker_a_slow_client_would_hold_on() -> None:
    """The negative control: gunicorn's own waits as long as bytes trickle in."""
    process, address = listening("gthread")
    try:
        assert slow(address, *SLOW["in the head"]) == 99.0
    finally:
        process.kill()
        process.communicate()
