"""Who records without having seen what is newer is told of it – as far as they may read it, and that is a look."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from service.recording import Recording
from tests.api.cast import Cast, cast
from tests.api.house import OPENING, House, entry, goal, refused
from tests.conftest import Caller

SECRET = "A working note"
FEEDBACK = entry("FeedbackGiven", about="therapy", useful="yes", words="It helps")


@pytest.fixture(scope="module")
def made(house: House) -> Cast:
    """A plan in which the therapist made a working note, and then set a goal."""
    held = cast(house)
    held.desk.record(
        entry("ObservationRecorded", kind="other", text=SECRET), goal("Half an hour outside")
    )
    return held


def newer(caller: Caller, place: str, body: Any, seen: int = 1) -> list[dict[str, Any]]:
    """What somebody is told who saw version ``seen`` and sends something."""
    answer = caller.post(place, body, If_Match=f'"{seen}"')
    told: list[dict[str, Any]] = refused(answer, 412, "plan-changed")["newer_entries"]
    return told


def test_who_treats_is_told_all_of_it(made: Cast) -> None:
    """In sentences."""
    told = newer(made.people["therapist"], f"{made.desk.url}/entries", {"entries": [goal()]})
    assert SECRET in "".join(held["sentence"] for held in told)


def test_a_client_is_told_what_is_released_to_them(made: Cast) -> None:
    """By whatever version they claim to have seen; and that they looked is kept."""
    for seen in (0, 1, 2):
        told = newer(
            made.people["client"], f"{made.desk.url}/entries", {"entries": [FEEDBACK]}, seen
        )
        assert SECRET not in str(told)
        assert "Half an hour outside" in str(told)
        assert "ObservationRecorded" not in {held["type"] for held in told}
    place = f"/v1/access-log?plan_id={made.desk.plan_id}&limit=200"
    looks = made.people["auditor"].get(place).json["looks"]
    told_of = [
        held for held in looks if held["asked"] == "newer entries" and held["role"] == "client"
    ]
    assert len(told_of) == 3
    assert {(held["why"], held["view"]) for held in told_of} == {("self", "released")}


def test_who_records_without_reading_is_told_nothing(made: Cast) -> None:
    """A supervisor's proposals stand in the clinic's log, which they do not read; nor do clients."""
    clinic = made.people["admin"].get("/v1/clinic").json["version"]
    proposed = {
        "reason": {"text": "Learns with us"},
        "entries": [entry("MemberJoined", name="Fern", role="clinician", member_id=str(uuid4()))],
    }
    seen = clinic - 3
    assert newer(made.people["supervisor"], "/v1/clinic/proposals", proposed, seen) == []
    erasure = {"reason": {"text": "I want it"}, "before_retention_ends": True}
    assert newer(made.people["client"], "/v1/clients/c-cast/erasure", erasure, seen) == []
    policy = {"entries": [entry("PolicySet", "Decided", answer_days=20)]}
    assert len(newer(made.people["admin"], "/v1/clinic/entries", policy, seen)) == 3


def test_telling_everybody_all_is_noticed(made: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the view, the search above finds the working note."""

    def everything(_: Any, history: Any, seen: int) -> list[dict[str, Any]]:
        told = (held.data.tell(history.state) for held in history.entries[seen:])
        return [{"type": "GoalSet", "sentence": sentence} for sentence in told]

    recording: Recording = made.house.container.plans.recording
    monkeypatch.setattr(recording, "newer", everything)
    with pytest.raises(AssertionError, match=SECRET):
        test_a_client_is_told_what_is_released_to_them(made)


def test_an_open_plan_out_of_reach_is_not_named(made: Cast) -> None:
    """That the client has one is said, or they would get a second by mistake; whose it is, and its id, is not."""
    elsewhere = made.people["clinician elsewhere"]
    mine = {**OPENING, "client_ref": "c-cast", "therapist_id": str(elsewhere.who.member_id)}
    problem = refused(elsewhere.post("/v1/plans", mine), 409, "plan-already-open", "/client_ref")
    assert made.desk.plan_id not in str(problem)
    assert "plan_id" not in problem
    treating = made.people["therapist"]
    again = {**OPENING, "client_ref": "c-cast"}
    named = refused(treating.post("/v1/plans", again), 409, "plan-already-open", "/client_ref")
    assert named["plan_id"] == made.desk.plan_id
