"""A small client for Plan History: copy this file; it needs nothing but Python's own library.

It opens plans, records entries, reads plans at any moment, walks through timelines and follows the clinic. For
everything else there is ``send``: the routes are in the API guide. ::

    clinic = PlanHistory("http://127.0.0.1:8000", token)
    done = clinic.record(plan_id, [{"type": "SetbackNoted", "data": {"what": "A bad night"}}])
    for entry in clinic.timeline(plan_id):
        print(entry["recorded_at"], entry["sentence"])
    for event in clinic.follow(after="latest"):  # keep event["id"]: follow(after=...) goes on there
        print(event["subject"], event["type"])
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

Document = dict[str, Any]


class ProblemError(Exception):
    """A refusal (RFC 9457): ``code`` is stable, ``errors`` names the fields at fault."""

    def __init__(self, problem: Document) -> None:
        super().__init__(problem["detail"])
        self.status: int = problem["status"]
        self.code: str = problem["code"]
        self.detail: str = problem["detail"]
        self.errors: list[Document] = problem.get("errors", [])
        self.retry_after = 0
        """Seconds after which to try again, where the service said so."""


def _content(raw: bytes, headers: Message) -> Any:
    """What an answer holds, by its content type."""
    kind = headers.get_content_type()
    if not raw:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return json.loads(raw)
    if kind.startswith("text/") or kind == "application/x-ndjson":
        return raw.decode()
    return raw


def _problem(status: int, raw: bytes) -> Document:
    """A refusal as a problem, also where FHIR has its OperationOutcome, or a proxy a page of its own."""
    try:
        told: Document = json.loads(raw)
        if told.get("resourceType") != "OperationOutcome":
            return told
        [issue] = told["issue"]
        code = issue["details"]["coding"][0]["code"]
        return {"status": status, "code": code, "detail": issue["diagnostics"]}
    except ValueError:
        return {"status": status, "code": f"http-{status}", "detail": "Refused, in no known form."}


@dataclass(frozen=True)
class PlanHistory:
    """The service at ``url``, as whoever the token stands for."""

    url: str
    token: str
    seconds: float = 30

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Document | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Send a request to any route but the endless stream, ``body`` as JSON, or as it is if it is bytes.

        What comes back is parsed if it is JSON, text if it is text (CSV, NDJSON, a page), else bytes; None if
        there is nothing in it (204, 304). Raises ProblemError for a refusal, OSError for no answer.
        """
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        place = path + (f"?{urlencode(asked)}" if asked else "")
        return self._exchange(method, place, body, headers or {})[0]

    def _exchange(
        self, method: str, place: str, body: Any, headers: dict[str, str]
    ) -> tuple[Any, Message]:
        """The body and the headers of an answer."""
        request = urllib.request.Request(
            f"{self.url}{place}",
            method=method,
            data=body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                return _content(answer.read(), answer.headers), answer.headers
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code == 304:
                    return None, refused.headers
                problem = ProblemError(_problem(refused.code, refused.read()))
                problem.retry_after = int(refused.headers.get("Retry-After") or 0)
            raise problem from None

    def open_plan(
        self, opening: Document, entries: Sequence[Document] = (), *, key: str | None = None
    ) -> Document:
        """Open a plan with its first entries, all or none.

        ``key`` makes it safe to send again: keep it until you have an answer.
        """
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self._post("/v1/plans", {**opening, "entries": list(entries)}, headers)

    def record(
        self,
        plan_id: UUID | str,
        entries: Sequence[Document],
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> Document:
        """Record entries, in order, all or none; with ``seen`` only if the plan is still at that version.

        Raises ProblemError ``plan-changed`` when somebody was faster.
        """
        headers = {"Idempotency-Key": key or str(uuid4())}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'
        return self._post(f"/v1/plans/{plan_id}/entries", {"entries": list(entries)}, headers)

    def _post(self, path: str, body: Document, headers: dict[str, str]) -> Document:
        answer: Document = self.send("POST", path, body, headers=headers)
        return answer

    def plan(
        self,
        plan_id: UUID | str,
        *,
        version: int | None = None,
        as_of: datetime | None = None,
        effective_at: datetime | None = None,
    ) -> Document:
        """The plan now, or at another moment (aware): as known then, as true then, or both."""
        moments = {"as_of": as_of, "effective_at": effective_at}
        told = {name: at.isoformat() for name, at in moments.items() if at is not None}
        answer: Document = self.send(
            "GET", f"/v1/plans/{plan_id}", query={"version": version, **told}
        )
        return answer

    def timeline(self, plan_id: UUID | str, **filters: Any) -> Iterator[Document]:
        """Every entry, oldest first, page by page; filters as in the API guide."""
        cursor = None
        while True:
            query = {"limit": 200, **filters, "cursor": cursor}
            page = self.send("GET", f"/v1/plans/{plan_id}/timeline", query=query)
            yield from page["entries"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def follow(
        self, after: str = "0", *, types: Sequence[str] = (), wait: float = 20
    ) -> Iterator[Document]:
        """What the clinic records, as CloudEvents in order, for ever; ``after``: the last event's id, or latest.

        Nothing is missed, whatever breaks: start again with the id of the last event you dealt with.
        """
        asked = {"lastEventId": after, "timeout": str(int(wait * 1000)), "type": ",".join(types)}
        place = f"/v1/feed?{urlencode({name: held for name, held in asked.items() if held})}"
        while True:
            try:
                events, headers = self._exchange("GET", place, None, {})
            except ProblemError as refused:
                if not refused.retry_after:
                    raise
                time.sleep(refused.retry_after)
                continue
            yield from events
            place = headers["Link"].partition(">")[0].lstrip("<")  # also past what types left out
