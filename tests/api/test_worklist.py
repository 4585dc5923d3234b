"""What is owed: the worklist of clinicians and supervisors, and the obligations of one plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator

from api.app import create_app
from api.described import components
from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import EntryData
from service.access import Principal
from service.recording import Draft, Request
from service.worklist import KINDS, PATIENCE
from tests.api.house import Desk, House, desk_of, entry, goal, new_desk, refused
from tests.conftest import Caller, Clinic

GOAL, INTERVENTION, LONG_AGO = str(UUID(int=1)), str(UUID(int=2)), "2025-01-01T09:00:00Z"
Fact = tuple[str, str]
"""A kind of obligation and the day it is due."""


def list_of(caller: Caller, **asked: Any) -> dict[str, Any]:
    """A page of the caller's worklist, as it is described."""
    answer = caller.get("/v1/worklist" + (f"?{urlencode(asked)}" if asked else ""))
    assert answer.status_code == 200, answer.text
    Draft202012Validator(components()["Worklist"]).validate(answer.json)
    page: dict[str, Any] = answer.json
    return page


def kinds(caller: Caller, **asked: Any) -> list[str]:
    """The kinds of what a page holds."""
    return [held["kind"] for held in list_of(caller, **asked)["obligations"]]


def plans(caller: Caller, **asked: Any) -> set[str]:
    """The plans a page is about."""
    return {held["plan_id"] for held in list_of(caller, **asked)["obligations"]}


@dataclass
class Clock:
    """A clock that stands where it was put."""

    now: datetime

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now


def at(house: House, clock: Callable[[], datetime], **given: Any) -> House:
    """The same house, where the worklist goes by another clock (or waits in another way)."""
    worklist = replace(house.container.worklist, clock=clock, **given)
    container = replace(house.container, worklist=worklist)
    return replace(house, container=container, app=create_app(container))


def caller_in(house: House, caller: Caller) -> Caller:
    """The same caller in another house."""
    return replace(caller, client=house.client)


# Whose


def test_a_clinician_sees_their_own_plans_and_a_supervisor_their_teams(house: House) -> None:
    """Unless they ask otherwise; nobody sees what neither relates to."""
    clinic = house.clinic()
    supervisor = house.sign_in(clinic, "supervisor")
    clinician, colleague = house.sign_in(clinic), house.sign_in(clinic, member_id=uuid4())
    team = {"supervisor_id": str(supervisor.who.member_id)}
    supervised = desk_of(house, clinic, clinician, **team)
    alone = desk_of(house, clinic, clinician, client_ref="c-2")
    own = desk_of(house, clinic, supervisor, client_ref="c-3")
    house.catch_up()

    assert plans(clinician) == {supervised.plan_id, alone.plan_id}
    assert plans(clinician, mine="true") == {supervised.plan_id, alone.plan_id}
    assert plans(colleague) == set()
    assert plans(supervisor) == {supervised.plan_id}
    assert plans(supervisor, team="true") == {supervised.plan_id}
    assert plans(supervisor, mine="true") == {own.plan_id}
    assert plans(supervisor, mine="true", team="true") == {supervised.plan_id, own.plan_id}
    assert plans(clinician, team="true") == set()


@pytest.mark.parametrize("query", ["mine=false", "mine=false&team=false"])
def test_a_list_of_nobodys_plans_is_refused(steady: Desk, query: str) -> None:
    """There is no list of everybody's obligations."""
    refused(steady.get(f"/v1/worklist?{query}"), 400, "invalid-query", "mine", "team=true")


def test_a_plan_that_is_own_and_the_teams_is_listed_once(house: House) -> None:
    """Whoever supervises their own plan owes things once."""
    clinic = house.clinic()
    supervisor = house.sign_in(clinic, "supervisor")
    desk_of(house, clinic, supervisor, supervisor_id=str(supervisor.who.member_id))
    house.catch_up()

    assert kinds(supervisor, mine="true", team="true") == ["first_signature", "formal_review"]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("clinician", 200),
        ("supervisor", 200),
        ("client", 403),
        ("auditor", 403),
        ("integration", 403),
        ("admin", 403),
        ("privacy_officer", 403),
    ],
)
def test_the_list_is_for_those_who_treat_and_supervise(
    house: House, steady: Desk, role: str, status: int
) -> None:
    """As the table of access says."""
    answer = house.sign_in(steady.clinic, role).get("/v1/worklist")
    if status == 200:
        assert answer.status_code == 200
    else:
        refused(answer, status, "not-allowed")


def test_two_clinics_know_nothing_of_each_other(house: House) -> None:
    """Somebody who works in both sees in each what belongs there."""
    member_id = uuid4()
    here, there = house.clinic(), house.clinic()
    me_here, me_there = (house.sign_in(clinic, member_id=member_id) for clinic in (here, there))
    first, second = desk_of(house, here, me_here), desk_of(house, there, me_there)
    house.catch_up()

    assert plans(me_here) == {first.plan_id}
    assert plans(me_there) == {second.plan_id}
    assert plans(me_there, kind="formal_review") == {second.plan_id}
    refused(me_there.get(f"{first.url}/obligations"), 404, "plan-not-found")


def test_a_transferred_plan_changes_lists(house: House) -> None:
    """With the therapist, what the plan owes goes along."""
    clinic = house.clinic()
    before, after = house.sign_in(clinic), house.sign_in(clinic, member_id=uuid4())
    desk = desk_of(house, clinic, before)
    moved = {
        "to_member_id": str(after.who.member_id),
        "handover": "All told",
        "client_consented": True,
    }
    desk.record(entry("TherapistTransferred", "Moves away", **moved))
    house.catch_up()

    assert plans(before) == set()
    assert plans(after) == {desk.plan_id}


# When


def test_overdue_turns_by_the_clock_alone(house: House) -> None:
    """Nobody records anything, yet the next day something is overdue; days are UTC's."""
    desk = new_desk(house)
    house.catch_up()
    [signature, review] = list_of(desk.caller)["obligations"]
    assert not signature["overdue"]
    assert not review["overdue"]

    due_on = date.fromisoformat(signature["due_on"])
    last_moment = datetime(due_on.year, due_on.month, due_on.day, 23, 59, 59, tzinfo=UTC)
    clock = Clock(last_moment)
    caller = caller_in(at(house, clock), desk.caller)
    assert list_of(caller)["today"] == signature["due_on"]
    assert kinds(caller, overdue="true") == []

    clock.now += timedelta(seconds=1)
    assert kinds(caller, overdue="true") == ["first_signature"]
    assert kinds(caller, overdue="false") == ["formal_review"]
    page = list_of(caller)
    assert [held["overdue"] for held in page["obligations"]] == [True, False]
    assert [
        held["overdue"] for held in caller.get(f"{desk.url}/obligations").json["obligations"]
    ] == [
        True,
        False,
    ]
    assert page["today"] == (due_on + timedelta(days=1)).isoformat()


def test_what_is_due_before_a_day_and_what_is_of_a_kind_can_be_asked_for(house: House) -> None:
    """The day itself is not included."""
    desk = new_desk(house)
    house.catch_up()
    signature = list_of(desk.caller)["obligations"][0]["due_on"]
    after = (date.fromisoformat(signature) + timedelta(days=1)).isoformat()

    assert kinds(desk.caller, due_before=signature) == []
    assert kinds(desk.caller, due_before=after) == ["first_signature"]
    assert kinds(desk.caller, kind="formal_review") == ["formal_review"]
    assert kinds(desk.caller, kind="formal_review", due_before=after) == []


@pytest.mark.parametrize(
    "query",
    [
        "kind=dishes",
        "overdue=perhaps",
        "due_before=soon",
        "due_before=2026-02-30",
        "at_least=-1",
        "at_least=now",
        "mine=1",
        "limit=0",
        "cursor=x",
        "therapist_id=1",
    ],
)
def test_what_makes_no_sense_is_refused(steady: Desk, query: str) -> None:
    """Naming the parameter."""
    refused(steady.get(f"/v1/worklist?{query}"), 400, "invalid-query", query.partition("=")[0])


def test_what_has_no_due_day_comes_last_and_is_never_overdue(house: House) -> None:
    """A plateau that is suspected has no day: it is there, after all the rest."""
    desk = new_desk(house)
    stand_still(desk)
    house.catch_up()
    far_on = caller_in(at(house, Clock(datetime(2999, 1, 1, tzinfo=UTC))), desk.caller)

    assert kinds(far_on)[-1] == "plateau_suspected"
    last = list_of(far_on)["obligations"][-1]
    assert (last["due_on"], last["overdue"]) == (None, False)
    assert kinds(far_on, overdue="false") == ["plateau_suspected"]
    assert "plateau_suspected" not in kinds(far_on, due_before="9999-12-31")
    first = list_of(far_on, limit=2)
    assert kinds(far_on, limit=2, cursor=first["next_cursor"]) == ["plateau_suspected"]
    by_kind = list_of(far_on, kind="plateau_suspected")
    assert by_kind["next_cursor"] is None


# Own writes


def test_a_reader_can_wait_for_what_they_recorded(house: House) -> None:
    """With the position from the answer, the list is shown as soon as it is in."""
    desk = new_desk(house)
    position = desk.get().json["position"]
    waited: list[float] = []

    def while_waiting(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            house.catch_up()

    caller = caller_in(at(house, house.container.clock, pause=while_waiting), desk.caller)
    page = list_of(caller, at_least=position)

    assert len(waited) == 3
    assert page["position"] == position
    assert [held["kind"] for held in page["obligations"]] == ["first_signature", "formal_review"]
    assert list_of(caller, at_least=position, kind="formal_review")["position"] == position


@pytest.mark.parametrize("more", [{}, {"kind": "formal_review"}])
def test_a_reader_does_not_wait_for_longer_than_two_seconds(
    house: House, more: dict[str, str]
) -> None:
    """Then they are told how far the list is, and to come again."""
    desk = new_desk(house)
    house.catch_up()
    position = desk.get().json["position"]
    desk.record(goal())
    waited: list[float] = []
    waiting = at(house, house.container.clock, pause=waited.append, now=lambda: sum(waited))

    query = urlencode({"at_least": position + 1, **more})
    answer = caller_in(waiting, desk.caller).get(f"/v1/worklist?{query}")

    problem = refused(answer, 503, "not-yet-visible", saying=f"position {position}")
    assert problem["position"] == position
    assert answer.headers["Retry-After"] == "1"
    assert PATIENCE <= sum(waited) < PATIENCE + 0.1


def test_a_position_beyond_the_log_is_not_waited_for(house: House) -> None:
    """Nothing was recorded there: the reader is told at once where the clinic's log ends."""
    desk = new_desk(house)
    position = desk.get().json["position"]
    waited: list[float] = []
    caller = caller_in(at(house, house.container.clock, pause=waited.append), desk.caller)
    answer = caller.get(f"/v1/worklist?at_least={position + 1}")
    problem = refused(answer, 404, "beyond-the-log", saying=f"log ends at {position}")
    assert problem["position"] == position
    assert not waited


def test_a_clinic_nothing_was_taken_in_of_is_at_position_0(house: House) -> None:
    """An empty list, not a failure."""
    caller = house.sign_in(house.clinic())

    page = list_of(caller)

    assert (page["obligations"], page["position"], page["next_cursor"]) == ([], 0, None)


# Pages


@pytest.mark.parametrize("asked", [{}, {"mine": "true", "team": "true"}, {"overdue": "false"}])
def test_pages_show_everything_once_and_in_order(house: House, asked: dict[str, str]) -> None:
    """Many plans opened on one day are due on one day, and still none is lost between pages."""
    clinic = house.clinic()
    me = house.sign_in(clinic)
    opened = [
        desk_of(house, clinic, me, client_ref=f"c-{number}", supervisor_id=str(me.who.member_id))
        for number in range(7)
    ]
    stand_still(opened[3])
    house.catch_up()
    whole = list_of(me, limit=200, **asked)["obligations"]
    assert len(whole) == 2 * len(opened) + 1
    assert whole == sorted(whole, key=_order)

    for size in (1, 2, 5, 15):
        seen: list[Any] = []
        path: str | None = f"/v1/worklist?{urlencode({'limit': size, **asked})}"
        while path:
            answer = me.get(path)
            assert len(answer.json["obligations"]) <= size
            seen += answer.json["obligations"]
            path = (
                answer.headers["Link"].partition(">")[0][1:] if "Link" in answer.headers else None
            )
            assert bool(path) == bool(answer.json["next_cursor"])
        assert seen == whole


def _order(owed: dict[str, Any]) -> tuple[Any, ...]:
    return owed["due_on"] or "9999", owed["plan_id"], owed["kind"], owed["about"]


def test_an_obligation_tells_whose_it_is_and_what_for(house: House) -> None:
    """Client, therapist and supervisor are there: the list can be worked off without opening plans."""
    supervisor_id = str(uuid4())
    desk = new_desk(house, supervisor_id=supervisor_id, client_label="Zoë “Z” Müller")
    house.catch_up()

    [owed] = list_of(desk.caller, kind="first_signature")["obligations"]

    since = datetime.fromisoformat(owed.pop("since"))
    assert owed == {
        "plan_id": desk.plan_id,
        "client": {"ref": "c-1", "label": "Zoë “Z” Müller"},
        "kind": "first_signature",
        "about": "plan",
        "due_on": (since.date() + timedelta(days=30)).isoformat(),
        "overdue": False,
        "words": "First signature",
        "therapist_id": str(desk.caller.who.member_id),
        "supervisor_id": supervisor_id,
    }


# One plan


def test_a_plans_obligations_are_there_at_once(house: House) -> None:
    """No projector has seen what was just recorded, the plan itself has."""
    desk = new_desk(house)
    noted = desk.record(entry("RelapseNoted", what_resurfaced="Panic", severity="mild"))

    answer = desk.get("/obligations")

    Draft202012Validator(components()["PlanObligations"]).validate(answer.json)
    assert answer.json["version"] == noted["version"]
    assert [(held["kind"], held["about"]) for held in answer.json["obligations"]] == [
        ("reevaluation", noted["entries"][0]["entry_id"]),
        ("first_signature", "plan"),
        ("formal_review", "plan"),
    ]


def test_a_plan_that_is_not_there_owes_nothing(house: House, steady: Desk) -> None:
    """Nor is the clinic itself a plan."""
    refused(steady.get(f"/v1/plans/{uuid4()}/obligations"), 404, "plan-not-found")
    admin = house.sign_in(steady.clinic, "admin")
    renamed = entry("ClinicRenamed", name="By the river")
    assert admin.post("/v1/clinic/entries", {"entries": [renamed]}).status_code == 201
    path = f"/v1/plans/{steady.clinic.clinic_id}/obligations"
    refused(steady.get(path), 404, "plan-not-found")


def test_the_clinics_policy_sets_the_days(house: House) -> None:
    """For plans that are there already, too, in the list and in the plan."""
    desk = new_desk(house)
    house.catch_up()
    admin = house.sign_in(desk.clinic, "admin")
    policy = entry("PolicySet", "A law changed", first_signature_days=3)
    assert admin.post("/v1/clinic/entries", {"entries": [policy]}).status_code == 201
    house.catch_up()

    [owed] = list_of(desk.caller, kind="first_signature")["obligations"]

    since = datetime.fromisoformat(owed["since"])
    assert owed["due_on"] == (since.date() + timedelta(days=3)).isoformat()


# Every kind


def stand_still(desk: Desk) -> None:
    """Five weeks of values that do not move."""
    measure = {"name": "Panic", "unit": "attacks", "target": 1, "direction": "decrease"}
    began = datetime(2026, 1, 5, 9, tzinfo=UTC)
    moments = [(began + timedelta(weeks=week)).isoformat() for week in range(6)]
    desk.record(
        {**goal(goal_id=GOAL, measure=measure), "occurred_at": LONG_AGO},
        *(
            {**entry("MeasureRecorded", goal_id=GOAL, value=5, by="client"), "occurred_at": moment}
            for moment in moments
        ),
    )


def _raise(desk: Desk, *said: dict[str, Any]) -> str:
    return str(desk.record(*said)["entries"][-1]["entry_id"])


def _review(kind: str, *answers: str) -> dict[str, Any]:
    return entry(
        "ReviewHeld",
        kind=kind,
        participants=["Everybody"],
        client_participated=True,
        summary="Looked at it together",
        answers_entry_ids=list(answers),
    )


def _intervention(desk: Desk) -> None:
    agreed = {
        "intervention_id": INTERVENTION,
        "technique": "exposure",
        "orientation": "cbt",
        "goal_ids": [GOAL],
        "format": "individual",
        "consent": {"given": True, "explained_by": "The therapist"},
    }
    desk.record(goal(goal_id=GOAL), entry("InterventionAgreed", **agreed))


def _discomfort(desk: Desk) -> str:
    _intervention(desk)
    return _raise(desk, entry("DiscomfortVoiced", intervention_id=INTERVENTION, words="Too fast"))


def _plateau(desk: Desk) -> str:
    noted = entry("PlateauNoted", goal_id=GOAL, window="six weeks", detected_by="client")
    return _raise(desk, goal(goal_id=GOAL), noted)


def _pause(desk: Desk) -> str:
    desk.record(
        goal(goal_id=GOAL),
        entry("GoalPaused", "Moving", goal_id=GOAL, resume_check_on="2030-01-01"),
    )
    return GOAL


def _signed(desk: Desk) -> str:
    return _raise(desk, entry("PlanSigned", of_version=1, meaning="author"))


def _changed_after_agreement(desk: Desk) -> str:
    desk.record(entry("PlanAgreed", by="client", of_version=1))
    desk.record(goal(goal_id=GOAL))
    return "plan"


def _still(desk: Desk) -> str:
    stand_still(desk)
    return GOAL


def _emergency(desk: Desk) -> str:
    return _by_itself(desk, EmergencyAccessTaken(why="He is at the desk"), "clinician")


def _by_itself(desk: Desk, data: EntryData, role: str) -> str:
    """Let happen what is not sent as an entry."""
    who = Principal(desk.clinic.clinic_id, uuid4(), "Robin Sample", role, None, uuid4())
    recording = desk.house.container.plans.recording
    done = recording.record_in(who, UUID(desk.plan_id), [Draft(data=data)], Request())
    return done.entries[0].entry_id


def _nothing(_: Desk) -> str:
    return "plan"


APPEAR: dict[str, Callable[[Desk], str]] = {
    "safety_review": lambda desk: _raise(
        desk, entry("SafetyConcernNoted", concern="Harm", level="high", actions_taken="Called")
    ),
    "reevaluation": lambda desk: _raise(
        desk, entry("RelapseNoted", what_resurfaced="Panic", severity="mild")
    ),
    "answer_discomfort": _discomfort,
    "answer_resistance": lambda desk: _raise(
        desk, entry("ResistanceNoted", about="trams", reason="fear")
    ),
    "answer_mismatch": lambda desk: _raise(
        desk, entry("MismatchRaised", raised_by="client", dimension="pace", words="Too fast")
    ),
    "answer_plateau": _plateau,
    "resume_check": _pause,
    "formal_review": _nothing,
    "first_signature": _nothing,
    "cosignature": _signed,
    "client_agreement": _changed_after_agreement,
    "plateau_suspected": _still,
    "emergency_review": _emergency,
}
"""What brings an obligation about; it returns what the obligation is about."""
DISAPPEAR: dict[str, Callable[[str], dict[str, Any]]] = {
    "safety_review": lambda about: _review("safety", about),
    "reevaluation": lambda about: _review("relapse", about),
    "answer_discomfort": lambda about: entry(
        "DiscomfortAnswered", discomfort_entry_id=about, answer="clarified", note="Slower now"
    ),
    "answer_resistance": lambda about: entry(
        "ResistanceExplored", resistance_entry_id=about, understanding="Was locked in once"
    ),
    "answer_mismatch": lambda about: entry(
        "MismatchDiscussed", mismatch_entry_id=about, outcome="continue"
    ),
    "answer_plateau": lambda about: entry("PlateauAnswered", plateau_entry_id=about, answer="wait"),
    "resume_check": lambda about: entry("GoalResumed", goal_id=about),
    "formal_review": lambda _: entry("PlanCompleted", outcome="goals_met", summary="All is well"),
    "first_signature": lambda _: entry("PlanSigned", of_version=1, meaning="author"),
    "cosignature": lambda _: entry("PlanCosigned", of_version=1),
    "client_agreement": lambda _: entry("PlanAgreed", by="client", of_version=3),
    "plateau_suspected": lambda about: entry(
        "ProgressNoted", goal_id=about, direction="improving", evidence="Stays longer each time"
    ),
}


def test_every_kind_is_tried() -> None:
    """A new kind of obligation needs its lines above, and in the list that can be asked for."""
    assert set(APPEAR) == {*DISAPPEAR, "emergency_review"} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_appears_and_disappears(house: House, kind: str) -> None:
    """In the list of the clinician and of their supervisor, and in the plan."""
    clinic: Clinic = house.clinic()
    supervisor = house.sign_in(clinic, "supervisor")
    team = {"supervisor_id": str(supervisor.who.member_id)}
    desk = desk_of(house, clinic, house.sign_in(clinic), **team)

    about = APPEAR[kind](desk)
    house.catch_up()
    for caller in (desk.caller, supervisor):
        [owed] = list_of(caller, kind=kind)["obligations"]
        assert (owed["kind"], owed["about"], owed["plan_id"]) == (kind, about, desk.plan_id)
    whole = list_of(desk.caller)["obligations"]
    in_plan = desk.get("/obligations").json["obligations"]
    names = ("kind", "about", "since", "due_on", "overdue", "words")
    assert in_plan == [{name: held[name] for name in names} for held in whole]

    if kind == "emergency_review":
        found = EmergencyAccessReviewed(access_entry_id=about, finding="justified")
        _by_itself(desk, found, "privacy_officer")
    else:
        by = supervisor if kind == "cosignature" else desk.caller
        answer = by.post(f"{desk.url}/entries", {"entries": [DISAPPEAR[kind](about)]})
        assert answer.status_code == 201, answer.text
    house.catch_up()
    for caller in (desk.caller, supervisor):
        assert kinds(caller, kind=kind) == []
    assert kind not in [held["kind"] for held in desk.get("/obligations").json["obligations"]]


def test_a_correction_takes_back_what_was_owed(house: House) -> None:
    """A relapse entered in error calls for nothing."""
    desk = new_desk(house)
    noted = _raise(desk, entry("RelapseNoted", what_resurfaced="Panic", severity="mild"))
    house.catch_up()
    assert kinds(desk.caller, kind="reevaluation") == ["reevaluation"]

    desk.record(entry("EntryMarkedInError", "Another client", entry_id=noted))
    house.catch_up()

    assert kinds(desk.caller, kind="reevaluation") == []
