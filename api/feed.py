"""The feed: a clinic's entries as CloudEvents, by long poll or as a stream."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import ValidationError

from api.auth import token_of_request
from api.blueprint import Blueprint
from api.conventions import principal, services, takes_query
from api.errors import InvalidQueryError
from api.queries import FeedQuery, FollowQuery, PlaceField
from domain.entry import EVERY_TYPE
from domain.errors import PlanHistoryError
from service.feed.events import BATCH_MEDIA_TYPE, Event
from service.feed.reading import Batch, Reader
from service.feed.scan import Interest

EVENT_STREAM = "text/event-stream"
KEEP_ALIVE = 15.0
PAGE = 200
SENDING = 30.0
"""Seconds a reader may take to receive what was sent before the stream is given up."""
feed = Blueprint("feed", "feed", description="Following what is recorded, entry by entry")


@feed.get(
    "/v1/feed",
    "read_feed",
    answer="CloudEvents",
    media_type=BATCH_MEDIA_TYPE,
    waits=True,
    action="feed.read",
)
@feed.query(FeedQuery)
@takes_query
def read_feed(query: Mapping[str, Any]) -> Response:
    """The entries after the last you have, in order, as CloudEvents; waits for one if asked to.

    The `Link` with `rel="next"` leads on from there, also when nothing came.
    """
    read, seconds = services().feed, query["timeout"] / 1000
    after = read.position(principal(), query["last_event_id"])
    batch = read.poll(_reader(), _interest(query), after, query["limit"], seconds)
    return _as_batch(batch)


@feed.get(
    "/v1/feed/stream",
    "stream_feed",
    answer="ServerSentEvent",
    media_type=EVENT_STREAM,
    waits=True,
    action="feed.read",
)
@feed.query(FollowQuery)
@takes_query
def stream_feed(query: Mapping[str, Any]) -> Response:
    """The same as Server-Sent Events; `Last-Event-ID` goes on where you were."""
    read = services().feed
    after = read.position(principal(), _last_event_id() or query["last_event_id"])
    place, batches = read.follow(_reader(), _interest(query), after, PAGE)
    answer = Response(_as_stream(batches), content_type=EVENT_STREAM)
    answer.call_on_close(place.leave)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep events back to send more at once
    return answer


def _interest(query: Mapping[str, Any]) -> Interest:
    topics = tuple(EVERY_TYPE[name].TOPIC for name in query["type"])
    return Interest(topics, query["plan_id"])


def _last_event_id() -> str | None:
    """The header with which readers of a stream go on."""
    given = request.headers.get("Last-Event-ID")
    try:
        return PlaceField().deserialize(given) if given else None
    except ValidationError as wrong:
        raise InvalidQueryError({"Last-Event-ID": str(wrong.messages[0])}) from wrong


def _as_batch(batch: Batch) -> Response:
    texts = ",".join(event.text for event in batch.events)
    answer = Response(f"[{texts}]", content_type=BATCH_MEDIA_TYPE)
    query = {**request.args, "lastEventId": str(batch.position)}
    answer.headers["Link"] = f'<{request.path}?{urlencode(query)}>; rel="next"'
    return answer


def _as_stream(batches: Iterator[Batch]) -> Iterator[str]:
    """Server-Sent Events (WHATWG HTML, 9.2): an id and a line of data each; a comment in quiet times.

    Whatever ends the reading ends the stream: the reader comes again and is told why.
    """
    yield ": these are CloudEvents\n"
    sent = time.monotonic()
    with contextlib.suppress(PlanHistoryError):
        for batch in batches:
            if batch.events:
                yield "".join(map(_as_event, batch.events))
            elif time.monotonic() - sent >= KEEP_ALIVE:
                yield ":\n"
            else:
                continue
            sent = time.monotonic()


def _as_event(event: Event) -> str:
    return f"id: {event.id}\ndata: {event.text}\n\n"


def _reader() -> Reader:
    """Whoever sends this request, asked again while they wait: a revoked token ends it."""
    identity, token, address = services().identity, token_of_request(), request.remote_addr
    return Reader(lambda: identity.principal(token, address), _gone_from(request.environ))


def _gone_from(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """Whether the other side has hung up; only known under gunicorn, and without TLS of its own."""
    sock = environ.get("gunicorn.socket")
    if not isinstance(sock, socket.socket):
        return lambda: False
    sock.settimeout(SENDING)

    def gone() -> bool:
        try:
            readable, _, _ = select.select([sock], [], [], 0)
            return bool(readable) and not sock.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    return gone
