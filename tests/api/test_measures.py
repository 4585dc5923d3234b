"""A plan's measured values: a series for each measure, with what happened meanwhile."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator

from api.described import components
from projections.sealing import Seals
from service.measures import series_of
from tests.api.house import Desk, House, entry, goal, new_desk, refused
from tests.projections.lived import folded, lived

GOAL, OTHER_GOAL, EVENT = (str(UUID(int=number)) for number in (1, 2, 3))
INTERVENTION, OTHER_INTERVENTION = str(UUID(int=4)), str(UUID(int=5))
ATTACKS = {
    "name": "Panic attacks",
    "unit": "attacks",
    "baseline": 5,
    "target": 1,
    "direction": "decrease",
}


def series(desk: Desk) -> list[dict[str, Any]]:
    """The plan's series, as they are described."""
    answer = desk.get("/measures")
    assert answer.status_code == 200, answer.text
    Draft202012Validator(components()["Measures"]).validate(answer.json)
    found: list[dict[str, Any]] = answer.json["series"]
    return found


def on(day: int, said: dict[str, Any]) -> dict[str, Any]:
    """An entry as true on that day of May."""
    return {**said, "occurred_at": f"2026-05-{day:02}T09:00:00Z"}


def value(held: float, goal_id: str | None = GOAL, /, **more: Any) -> dict[str, Any]:
    """A value that was measured."""
    about = {"goal_id": goal_id} if goal_id else {}
    return entry("MeasureRecorded", **{**about, "value": held, "by": "client", **more})


def a_goal(goal_id: str = GOAL, **more: Any) -> dict[str, Any]:
    """A goal that is measured, set in April."""
    told = goal(goal_id=goal_id, **{"measure": ATTACKS, **more})
    return {**told, "occurred_at": "2026-04-01T09:00:00Z"}


@pytest.fixture
def desk(house: House) -> Desk:
    """A plan opened before everything that happens here."""
    return new_desk(house, occurred_at="2026-03-01T09:00:00Z")


def test_a_goals_measure_is_a_series_with_baseline_and_target(desk: Desk) -> None:
    """Values stand in the order in which they were true, whenever they were recorded."""
    desk.record(a_goal())
    assert [(held["name"], held["values"]) for held in series(desk)] == [("Panic attacks", [])]

    desk.record(on(10, value(4)), on(20, value(2.5, by="therapist")), on(15, value(3)))

    assert series(desk) == [
        {
            "goal_id": GOAL,
            "name": "Panic attacks",
            "unit": "attacks",
            "instrument": None,
            "direction": "decrease",
            "baseline": 5,
            "target": 1,
            "values": [
                {"at": "2026-05-10T09:00:00Z", "value": 4, "by": "client", "version": 3},
                {"at": "2026-05-15T09:00:00Z", "value": 3, "by": "client", "version": 5},
                {"at": "2026-05-20T09:00:00Z", "value": 2.5, "by": "therapist", "version": 4},
            ],
            "annotations": [],
        }
    ]


def test_a_corrected_value_is_shown_as_corrected_and_one_in_error_not_at_all(desk: Desk) -> None:
    """A chart must not show what never was."""
    done = desk.record(a_goal(), on(10, value(40)), on(11, value(9)))
    wrong, never = (held["entry_id"] for held in done["entries"][1:])
    desk.record(
        entry("EntryCorrected", "A slip of the pen", entry_id=wrong, data={"value": 4}),
        entry("EntryMarkedInError", "Another client", entry_id=never),
    )

    [shown] = series(desk)

    assert [(held["value"], held["version"]) for held in shown["values"]] == [(4, 3)]


def test_an_instrument_without_a_goal_is_a_series_of_its_own(desk: Desk) -> None:
    """And so is one that measures a goal beside the goal's own measure."""
    desk.record(
        a_goal(),
        on(10, value(12, None, instrument="phq9")),
        on(11, value(9, None, instrument="phq9")),
        on(12, value(14, GOAL, instrument="gad7")),
    )

    shown = [
        (held["goal_id"], held["name"], held["baseline"], [one["value"] for one in held["values"]])
        for held in series(desk)
    ]

    assert shown == [
        (GOAL, "Panic attacks", 5, []),
        (None, "PHQ-9", None, [12, 9]),
        (GOAL, "GAD-7", None, [14]),
    ]


def test_a_value_in_another_unit_is_not_drawn_into_the_same_line(desk: Desk) -> None:
    """Five attacks and fifty minutes are no series."""
    desk.record(
        a_goal(),
        on(10, value(4)),
        on(11, value(50, unit="minutes")),
        on(12, value(3, unit="attacks")),
    )

    shown = [(held["unit"], [one["value"] for one in held["values"]]) for held in series(desk)]

    assert shown == [("attacks", [4, 3]), ("minutes", [50])]


def test_each_other_instrument_is_a_series_by_its_name(desk: Desk) -> None:
    """Two questionnaires that the list does not know are not one; their words name them."""
    other = {"instrument": "other"}
    desk.record(
        on(10, value(9, None, in_words="WHO-5", **other)),
        on(11, value(3, None, in_words="ORS", **other)),
        on(12, value(12, None, in_words="WHO-5", **other)),
        on(13, value(1, None, **other)),
    )

    shown = [(held["name"], [one["value"] for one in held["values"]]) for held in series(desk)]

    assert shown == [("WHO-5", [9, 12]), ("ORS", [3]), ("Another instrument", [1])]


def test_a_goals_own_instrument_keeps_its_values_together(desk: Desk) -> None:
    """Whether its name is said again or not; another name is another instrument."""
    wellbeing = {**ATTACKS, "name": "Wellbeing", "instrument": "other", "in_words": "WHO-5"}
    desk.record(
        a_goal(measure=wellbeing),
        on(10, value(9)),
        on(11, value(10, instrument="other")),
        on(12, value(11, instrument="other", in_words="WHO-5")),
        on(13, value(3, instrument="other", in_words="ORS")),
    )

    shown = [(held["name"], [one["value"] for one in held["values"]]) for held in series(desk)]

    assert shown == [("Wellbeing", [9, 10, 11]), ("ORS", [3])]


def test_a_goal_without_a_measure_is_named_by_its_statement(desk: Desk) -> None:
    """Once it has a value."""
    desk.record({**goal("Sleep through", goal_id=GOAL), "occurred_at": "2026-04-01T09:00:00Z"})
    assert series(desk) == []

    desk.record(on(10, value(3)))

    [shown] = series(desk)
    assert (shown["name"], shown["direction"], shown["target"]) == ("Sleep through", None, None)


def _agreed(intervention_id: str, *goal_ids: str) -> dict[str, Any]:
    return {
        "intervention_id": intervention_id,
        "technique": "exposure",
        "orientation": "cbt",
        "goal_ids": list(goal_ids),
        "format": "individual",
        "consent": {"given": True, "explained_by": "The therapist"},
    }


def test_what_happened_meanwhile_is_told_beside_the_values_it_touches(desk: Desk) -> None:
    """What names another goal stays away; what names none is about all of them."""
    event = {"life_event_id": EVENT, "kind": "job", "impact": "high"}
    swap = {
        "from_intervention_id": INTERVENTION,
        "to": _agreed(OTHER_INTERVENTION, OTHER_GOAL),
        "decided_with": "client",
    }
    review = {
        "kind": "progress",
        "participants": ["Both"],
        "client_participated": True,
        "summary": "Going well",
    }
    desk.record(
        a_goal(),
        a_goal(OTHER_GOAL),
        on(1, entry("InterventionAgreed", **_agreed(INTERVENTION, GOAL))),
        on(2, entry("RelapseNoted", what_resurfaced="Fear", severity="mild", goal_ids=[GOAL])),
        on(3, entry("RelapseNoted", what_resurfaced="Shame", severity="mild")),
        on(4, entry("LifeEventNoted", **event, summary="Laid off", affected_goal_ids=[OTHER_GOAL])),
        on(5, entry("LifeEventEased", life_event_id=EVENT)),
        on(6, entry("InterventionPaused", "Too much", intervention_id=INTERVENTION)),
        on(7, entry("InterventionResumed", intervention_id=INTERVENTION)),
        on(8, entry("InterventionSwapped", "Too fast", **swap)),
        on(9, entry("GoalPaused", "Moving", goal_id=OTHER_GOAL)),
        on(10, entry("GoalResumed", goal_id=OTHER_GOAL)),
        on(11, entry("PlanPaused")),
        on(12, entry("PlanResumed")),
        on(13, entry("ReviewHeld", **review, goals_reviewed=[GOAL])),
        on(14, entry("ReviewHeld", **review)),
        on(15, entry("SetbackNoted", what="A bad week")),
        on(16, value(10, None, instrument="gad7")),
    )

    def days(shown: dict[str, Any]) -> list[int]:
        return [int(held["at"][8:10]) for held in shown["annotations"]]

    mine, other, instrument = series(desk)
    assert days(mine) == [2, 3, 6, 7, 8, 11, 12, 13, 14]
    assert days(other) == [3, 4, 5, 8, 9, 10, 11, 12, 14]
    assert days(instrument) == list(range(2, 15))
    assert mine["annotations"][0] == {
        "at": "2026-05-02T09:00:00Z",
        "type": "RelapseNoted",
        "version": 5,
        "sentence": "A mild relapse was noted: “Fear”.",
    }


def test_a_reader_who_has_the_newest_version_is_told_so(desk: Desk) -> None:
    """Series depend on the plan alone."""
    first = desk.get("/measures")
    assert first.headers["ETag"] == '"1"'
    assert desk.get("/measures", If_None_Match='"1"').status_code == 304

    desk.record(a_goal())

    assert desk.get("/measures", If_None_Match='"1"').status_code == 200


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("clinician", 200),
        ("supervisor", 404),
        ("auditor", 403),
        ("client", 404),
        ("integration", 404),
        ("admin", 403),
        ("privacy_officer", 403),
    ],
)
def test_values_are_for_those_who_may_read_the_plan(
    house: House, steady: Desk, role: str, status: int
) -> None:
    """As the table of access says."""
    for what in ("measures", "obligations"):
        answer = house.sign_in(steady.clinic, role).get(f"{steady.url}/{what}")
        assert answer.status_code == status


def test_a_plan_of_another_clinic_is_not_there(house: House, steady: Desk) -> None:
    """No more than one that never was."""
    stranger = house.sign_in(house.clinic())
    refused(stranger.get(f"{steady.url}/measures"), 404, "plan-not-found")
    refused(steady.get(f"/v1/plans/{uuid4()}/measures"), 404, "plan-not-found")


def test_every_life_of_a_plan_has_its_series() -> None:
    """Late, corrected, in error: each standing value is in one series, and nothing fails."""
    for plan in folded(lived()):
        shown = series_of(plan)
        standing = [held.version for held in plan.settled.order if held.type == "MeasureRecorded"]
        in_series = [one["version"] for held in shown for one in held["values"]]
        assert sorted(in_series) == sorted(standing)
        Draft202012Validator(components()["Measures"]).validate(
            {"plan_id": str(plan.id), "series": shown}
        )


def test_the_read_model_holds_the_same_values(house: House, desk: Desk) -> None:
    """What is charted for one plan and what is analysed across plans are one."""
    desk.record(a_goal(), on(10, value(4)), on(15, value(3, unit="attacks")))
    house.catch_up()

    rows = house.owner.execute(
        "SELECT version, measured, by FROM measures WHERE plan_id = %s ORDER BY version",
        [desk.plan_id],
    ).fetchall()
    seals = Seals(house.container.keys, desk.clinic.clinic_id)
    told = [
        (version, seals.document("measures", desk.plan_id, version, held)["value"], by)
        for version, held, by in rows
    ]

    [shown] = series(desk)
    assert [
        tuple(one[name] for name in ("version", "value", "by")) for one in shown["values"]
    ] == told
