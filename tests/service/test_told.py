"""A timeline told by the database is told as the service tells it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from domain.entry import Reason
from domain.record import AddendumAdded, EntryCorrected, EntryMarkedInError
from service.access import Principal
from service.container import Container
from service.plans import Draft
from service.timeline import Filter
from tests.conftest import Clinic
from tests.service.recording import asked, goal, open_plan

WHY = Reason(text="A slip: “x”, \\ and\nanother line")
MORNING = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def pages(container: Container, who: Principal, plan_id: UUID, limit: int) -> list[list[str]]:
    """The plan's timeline, page by page."""
    found, wanted = [], Filter(limit=limit)
    while True:
        page = container.timeline.of_plan(who, plan_id, wanted)
        found.append(page.entries)
        if page.next is None:
            return found
        wanted = Filter(limit=limit, after=page.next)


def lived(container: Container, who: Principal) -> UUID:
    """A plan with words that need escaping, late and undated entries, and things said about others."""
    plan_id = open_plan(container, who, "c-1", asked(recorded_at=MORNING)).plan_id

    def record(*drafts: Draft, microseconds: int = 0) -> UUID:
        at = MORNING + timedelta(hours=1, microseconds=microseconds)
        done = container.plans.record(who, plan_id, drafts, asked(recorded_at=at))
        return UUID(done.entries[0].entry_id)

    first = str(
        record(goal('“A” "walk" \\ park\n– 睡眠 😴'), goal("x\u2028y\u007f"), microseconds=120)
    )
    record(goal("Late", occurred_at=MORNING - timedelta(days=2)), microseconds=500_000)
    record(goal("Just in time", occurred_at=MORNING + timedelta(minutes=5)), microseconds=999_999)
    corrected = EntryCorrected(entry_id=first, data={"statement": "Run"})
    correction = str(record(Draft(data=corrected, reason=WHY, voiced_by="client")))
    record(Draft(data=AddendumAdded(entry_id=first, text="With the dog")))
    record(Draft(data=EntryMarkedInError(entry_id=correction), reason=WHY))
    record(Draft(data=EntryMarkedInError(entry_id=first), reason=WHY))
    return plan_id


@pytest.mark.parametrize("limit", [1, 3, 200])
def test_the_database_tells_what_the_service_tells(
    container: Container, clinic: Clinic, catch_up: Callable[[], int], limit: int
) -> None:
    """Before the projector has them entries are told by the service, afterwards by the database: alike."""
    who = clinic.member()
    plan_id = lived(container, who)
    live = pages(container, who, plan_id, limit)
    catch_up()
    told = pages(container, who, plan_id, limit)
    assert [list(map(orjson.loads, page)) for page in told] == [
        list(map(orjson.loads, page)) for page in live
    ]
    assert sum(map(len, told)) == 9
    assert {orjson.loads(text)["late"] for page in told for text in page} == {True, False}
