"""The clinic in numbers: what is counted, by month, for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from api.app import create_app
from api.described import components
from tests.api.house import Desk, House, desk_of, entry, goal, new_desk, refused
from tests.conftest import Caller, Clinic

GOAL, EXPOSURE, DIARY = (str(UUID(int=number)) for number in (1, 2, 3))
NOTHING: dict[str, Any] = {
    "plans": {"opened": [], "closed": []},
    "relapses": {"noted": 0, "answered_in_time": 0, "answered_late": 0, "open": 0},
    "reviews": {"held_in_time": 0, "held_late": 0, "overdue": 0},
    "swaps": [],
}


def figures(caller: Caller, first: str = "2026-01", last: str = "2026-12") -> dict[str, Any]:
    """The figures of those months, as they are described."""
    answer = caller.get(f"/v1/figures?from={first}&to={last}")
    assert answer.status_code == 200, answer.text
    Draft202012Validator(components()["Figures"]).validate(answer.json)
    shown: dict[str, Any] = answer.json
    assert (shown.pop("from"), shown.pop("to")) == (first, last)
    shown.pop("today")
    return shown


def on(day: str, said: dict[str, Any]) -> dict[str, Any]:
    """An entry as true on that day."""
    return {**said, "occurred_at": f"{day}T09:00:00Z"}


def at(house: House, day: str) -> House:
    """The same house on another day."""
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    held = replace(house.container.figures, clock=lambda: now)
    container = replace(house.container, figures=held)
    return replace(house, container=container, app=create_app(container))


def _desk(house: House, clinic: Clinic, number: int, day: str) -> Desk:
    opened = {"client_ref": f"c-{number}", "occurred_at": f"{day}T09:00:00Z"}
    return desk_of(house, clinic, house.sign_in(clinic), **opened)


def _review(kind: str, *answers: str) -> dict[str, Any]:
    return entry(
        "ReviewHeld",
        kind=kind,
        participants=["Both"],
        client_participated=True,
        summary="Looked at it together",
        answers_entry_ids=list(answers),
    )


def _relapse(desk: Desk, day: str, answered: str | None = None) -> None:
    noted = desk.record(on(day, entry("RelapseNoted", what_resurfaced="Panic", severity="mild")))
    if answered:
        desk.record(on(answered, _review("relapse", noted["entries"][0]["entry_id"])))


def test_plans_are_counted_in_the_months_in_which_they_were_opened_and_closed(house: House) -> None:
    """Endings by status and outcome; what lies outside of the months asked for is left out."""
    clinic = house.clinic()
    days = ("2026-01-10", "2026-01-31", "2026-02-01", "2025-12-31")
    desks = [_desk(house, clinic, number, day) for number, day in enumerate(days)]
    done = entry("PlanCompleted", outcome="goals_met", summary="All is well")
    desks[0].record(on("2026-04-30", done))
    desks[1].record(on("2026-04-01", done))
    desks[2].record(on("2026-05-01", entry("PlanDiscontinued", "Moved away")))
    house.catch_up()
    auditor = house.sign_in(clinic, "auditor")

    assert figures(auditor)["plans"] == {
        "opened": [{"month": "2026-01", "count": 2}, {"month": "2026-02", "count": 1}],
        "closed": [
            {"month": "2026-04", "status": "completed", "outcome": "goals_met", "count": 2},
            {"month": "2026-05", "status": "discontinued", "outcome": None, "count": 1},
        ],
    }
    assert figures(auditor, "2026-02", "2026-04")["plans"] == {
        "opened": [{"month": "2026-02", "count": 1}],
        "closed": [{"month": "2026-04", "status": "completed", "outcome": "goals_met", "count": 2}],
    }


def test_relapses_are_counted_by_how_soon_they_were_answered(house: House) -> None:
    """In the month in which they were noted."""
    clinic = house.clinic()
    desk = _desk(house, clinic, 1, "2026-01-10")
    _relapse(desk, "2026-03-01", answered="2026-03-08")
    _relapse(desk, "2026-03-31", answered="2026-04-08")
    _relapse(desk, "2026-03-20")
    _relapse(desk, "2026-02-20")
    house.catch_up()
    auditor = house.sign_in(clinic, "auditor")

    march = {"noted": 3, "answered_in_time": 1, "answered_late": 1, "open": 1}
    assert figures(auditor, "2026-03", "2026-03")["relapses"] == march
    assert figures(auditor)["relapses"] == {**march, "noted": 4, "open": 2}


def test_formal_reviews_are_counted_by_whether_they_were_in_time(house: House) -> None:
    """One that is due is overdue the day after, by the clock alone."""
    clinic = house.clinic()
    desk = desk_of(
        house,
        clinic,
        house.sign_in(clinic),
        review_interval_days=30,
        occurred_at="2026-01-01T09:00:00Z",
    )
    desk.record(on("2026-01-31", _review("formal")), on("2026-03-15", _review("formal")))
    house.catch_up()
    auditor = house.sign_in(clinic, "auditor")

    for today, overdue in (("2026-04-14", 0), ("2026-04-15", 1)):
        later = replace(auditor, client=at(house, today).client)
        assert figures(later)["reviews"] == {"held_in_time": 1, "held_late": 1, "overdue": overdue}
    assert figures(auditor, "2026-04", "2026-04")["reviews"] == {
        "held_in_time": 0,
        "held_late": 0,
        "overdue": 1,
    }


def test_swaps_are_counted_by_technique_the_most_frequent_first(house: House) -> None:
    """From what to what, across plans; by the catalogue's names, never in the words of one plan."""
    clinic = house.clinic()
    for number, (before, after) in enumerate(
        [("exposure", "mindfulness"), ("exposure", "diary"), ("Exposure: the lift", "mindfulness")]
    ):
        desk = _desk(house, clinic, number, "2026-01-10")
        agreed = {
            "orientation": "cbt",
            "goal_ids": [GOAL],
            "format": "individual",
            "consent": {"given": True, "explained_by": "The therapist"},
        }
        old = {**agreed, "intervention_id": EXPOSURE, "technique": before}
        new = {**agreed, "intervention_id": DIARY, "technique": after}
        swap = {"from_intervention_id": EXPOSURE, "to": new, "decided_with": "client"}
        desk.record(
            on("2026-01-11", goal(goal_id=GOAL)),
            on("2026-01-12", entry("InterventionAgreed", **old)),
            on("2026-02-12", entry("InterventionSwapped", "Too fast", **swap)),
        )
    house.catch_up()

    assert figures(house.sign_in(clinic, "auditor"))["swaps"] == [
        {"from": "exposure", "to": "mindfulness", "count": 2},
        {"from": "exposure", "to": "another technique", "count": 1},
    ]


def test_the_last_twelve_months_are_shown_unless_others_are_asked_for(house: House) -> None:
    """Up to this one; a last month alone brings the eleven before it."""
    clinic = house.clinic()
    auditor = house.sign_in(clinic, "auditor")

    def months(day: str, query: str = "") -> tuple[str, str]:
        answer = replace(auditor, client=at(house, day).client).get(f"/v1/figures{query}")
        assert answer.status_code == 200, answer.text
        return answer.json["from"], answer.json["to"]

    assert months("2026-11-30") == ("2025-12", "2026-11")
    assert months("2026-12-01") == ("2026-01", "2026-12")
    assert months("2026-12-01", "?to=2026-03") == ("2025-04", "2026-03")
    assert months("2026-12-01", "?from=2020-01") == ("2020-01", "2026-12")
    assert months("2026-12-01", "?from=2027-03") == ("2027-03", "2027-03")


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ("from=2026", "from"),
        ("from=2026-13", "from"),
        ("to=2026-1", "to"),
        ("to=0000-01", "to"),
        ("from=2026-03&to=2026-02", "from"),
        ("from=1789-07", "from"),
        ("month=2026-03", "month"),
    ],
)
def test_what_makes_no_sense_is_refused(
    house: House, steady: Desk, query: str, at_fault: str
) -> None:
    """Naming the parameter."""
    auditor = replace(
        house.sign_in(steady.clinic, "auditor"), client=at(house, "2026-12-01").client
    )
    refused(auditor.get(f"/v1/figures?{query}"), 400, "invalid-query", at_fault)


def test_the_last_month_there_is_can_be_asked_for(house: House, steady: Desk) -> None:
    """No calendar ends in a failure."""
    auditor = house.sign_in(steady.clinic, "auditor")
    assert figures(auditor, "2999-12", "2999-12") == NOTHING


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("supervisor", 200),
        ("auditor", 200),
        ("admin", 200),
        ("clinician", 403),
        ("client", 403),
        ("integration", 403),
        ("privacy_officer", 403),
    ],
)
def test_figures_are_for_those_who_answer_for_the_clinic(
    house: House, steady: Desk, role: str, status: int
) -> None:
    """As the table of access says."""
    assert house.sign_in(steady.clinic, role).get("/v1/figures").status_code == status


def test_two_clinics_are_counted_apart(house: House) -> None:
    """What one does is nothing to the other."""
    busy, idle = new_desk(house), house.clinic()
    house.catch_up()

    assert figures(house.sign_in(idle, "auditor")) == NOTHING
    year = busy.get().json["opened_at"][:4]
    counted = figures(house.sign_in(busy.clinic, "auditor"), f"{year}-01", f"{year}-12")
    assert [held["count"] for held in counted["plans"]["opened"]] == [1]
