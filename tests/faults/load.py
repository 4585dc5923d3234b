"""Writers who insist, and a judge of what became of what they wrote."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg

from projections.sealing import Seals
from service.keys.ring import Ring
from tests.service.recording import holes, stored
from tests.service.servers import soon
from tests.service.serving import Answer, Serving

PATIENCE = 60.0
OPENING = {
    "client_label": "Client",
    "initiated_by": "client",
    "presenting_concern": "Leaving the house has become hard.",
    "hopes": "To sit in the park again.",
    "signs_of_improvement": "I go out without planning for days.",
    "therapist_id": "00000000-0000-4000-8000-000000000001",
}


class Writer(threading.Thread):
    """Records one entry after the other in a plan of its own, each until there is an answer.

    Every other entry says which version was seen. Each request has a key of its own, and the same
    at every retry.
    """

    def __init__(self, serving: Serving, token: str) -> None:
        super().__init__(daemon=True)
        self.serving = serving
        self.authorization = f"Bearer {token}"
        self.over = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[int] = []
        self.failed: list[BaseException] = []

    def run(self) -> None:
        """Open a plan and record in it until it is over."""
        try:
            opened = self.insist("/v1/plans", {**OPENING, "client_ref": uuid4().hex})
            path = f"{opened.headers['Location']}/entries"
            while not self.over.is_set():
                self.write(path)
        except BaseException as failed:  # noqa: BLE001 - the test's thread looks at it
            self.failed.append(failed)

    def write(self, path: str) -> None:
        """Record one entry."""
        note = {"type": "SetbackNoted", "data": {"what": str(uuid4())}}
        number = len(self.acknowledged)
        seen = {"If_Match": f'"{number}"'} if number % 2 else {}
        self.insist(path, {"entries": [note]}, **seen)

    def insist(self, path: str, body: dict[str, Any], **headers: str) -> Answer:
        """POST until there is an answer; only 5xx and lost connections are tried again."""
        key = str(uuid4())
        answers: list[Answer] = []

        def attempt() -> bool:
            try:
                answer = self.serving.send(
                    path,
                    body,
                    Authorization=self.authorization,
                    Idempotency_Key=key,
                    **headers,
                )
            except (OSError, HTTPException, ValueError):
                return False
            if answer.status < 500:
                answers.append(answer)
            return bool(answers)

        assert soon(attempt, PATIENCE), "no answer at all"
        [answer] = answers
        if answer.status == 201:
            self.acknowledged += [held["entry_id"] for held in answer.body["entries"]]
        else:
            self.refused.append(answer.status)
        return answer


class Forgetful(Writer):
    """Sends each entry again under another key, as if the first answer had been lost."""

    def write(self, path: str) -> None:
        """Record one entry, and once more."""
        note = {"type": "SetbackNoted", "data": {"what": str(uuid4())}}
        self.insist(path, {"entries": [note]})
        version = self.insist(path, {"entries": [note]}).body["version"]
        for _ in ("at first", "again"):
            self.insist(path, {"entries": [note]}, If_Match=f'"{version}"')


def what_of(row: dict[str, Any], vault: Ring) -> str | None:
    """What a stored entry says under ``what``."""
    place = (row["plan_id"], row["version"], row["entry_id"], row["state"])
    state = Seals(vault, row["clinic_id"]).state(*place)
    assert state is not None
    said: str | None = orjson.loads(state)["data"].get("what")
    return said


def verdict(
    owner: psycopg.Connection[Any], clinic_id: UUID, writers: Sequence[Writer], vault: Ring
) -> list[str]:
    """Everything that is not as the writers were told; nothing is well."""
    rows = stored(owner, clinic_id)
    found = holes(rows)
    there = {str(row["entry_id"]) for row in rows}
    said = Counter(what_of(row, vault) for row in rows)
    found += [f"twice: {what}" for what, times in said.items() if what and times > 1]
    told: set[str] = set()
    for writer in writers:
        told.update(writer.acknowledged)
        found += [f"lost: {held}" for held in writer.acknowledged if held not in there]
        found += [f"refused: {status}" for status in writer.refused]
        found += [f"failed: {failed}" for failed in writer.failed]
    found += [f"never acknowledged: {held}" for held in there - told]
    return found
