"""What a load generator sends: requests to walk through, over and over."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from bench.figures import Run

HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
"""What an API client sends with every request."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address to send to, and as whom.

    ``version``: what goes into If-Match at first; 0: without If-Match.
    """

    path: str
    token: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """Requests of one kind. In ``body``, ``@unique@`` is another text each time.

    With a body every request carries an idempotency key of its own. The connections share out the
    places, so that nobody else records in a plan whose version a connection follows.
    """

    places: tuple[Place, ...]
    body: str | None = None

    @property
    def method(self) -> str:
        """GET, or POST with a body."""
        return "POST" if self.body else "GET"

    @property
    def expected(self) -> int:
        """The status of every good answer."""
        return 201 if self.body else 200

    def headers_for(self, place: Place, version: int, unique: str) -> dict[str, str]:
        """The headers of one request."""
        more = {"Idempotency-Key": unique} if self.body else {}
        seen = {"If-Match": f'"{version}"'} if version else {}
        return {**HEADERS, "Authorization": f"Bearer {place.token}", **more, **seen}

    def body_for(self, unique: str) -> bytes | None:
        """The body of one request."""
        return self.body.replace("@unique@", unique).encode() if self.body else None

    def lua(self, connections: int) -> str:
        """The job as a Lua chunk for load.lua."""
        places = (
            f"{{path = {_lua(held.path)}, token = {_lua(held.token)}, version = {held.version}}}"
            for held in self.spread(connections)
        )
        headers = (f"[{_lua(name)}] = {_lua(value)}" for name, value in HEADERS.items())
        parts = {
            "method": _lua(self.method),
            "expected": str(self.expected),
            "connections": str(connections),
            "headers": f"{{{', '.join(headers)}}}",
            "places": f"{{{', '.join(places)}}}",
            "body": _lua(self.body) if self.body else "nil",
        }
        return "return {" + ", ".join(f"{name} = {held}" for name, held in parts.items()) + "}\n"

    def spread(self, connections: int) -> tuple[Place, ...]:
        """The places, repeated until every connection has one; a single GET stays as it is."""
        alone = len(self.places) == 1 and self.body is None
        return self.places if alone else self.places * -(-connections // len(self.places))


def _lua(text: str) -> str:
    return json.dumps(
        text, ensure_ascii=False
    )  # a JSON text without control characters is a Lua text


class Generator(Protocol):
    """Something that sends a job over so many connections for so long."""

    name: str

    def run(self, address: str, job: Job, connections: int, seconds: float) -> Run:
        """Send as quickly as answers come, on every connection one request at a time."""
