"""Forms derived from the declarations: every type of entry has one, and what is typed comes out right."""

from __future__ import annotations

from typing import Any

import pytest

from api.examples import entry_example
from api.pages import words
from api.pages.charts import GLYPHS
from api.pages.forms import Form
from api.pages.sent import load, mended
from api.pages.sheet import entries_of, faults
from api.pages.timeline import by_chapter
from api.pages.typed import flatten, fresh_ids, joined, moment_of, new_things, read
from domain.entry import TYPES
from domain.errors import InvalidDataError, Problem
from domain.goals import GoalSet
from domain.interventions import InterventionSwapped
from domain.record import EntryCorrected


@pytest.mark.parametrize("name", sorted(set(TYPES) - {EntryCorrected.__name__}))
def test_what_is_typed_into_a_form_comes_out_as_it_is_sent_to_the_api(name: str) -> None:
    """For every type: its example, typed in, is read as the example."""
    cls, example = TYPES[name], entry_example(TYPES[name]).get("data", {})
    typed = joined(cls, flatten(example, "e0.data"), "e0.data")
    assert read(cls, typed, "e0.data") == example


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_field_has_a_control(name: str) -> None:
    """And every control a name of its own and a label."""
    controls = Form({}, {}, {}).controls(TYPES[name], "e0.data")
    every = [*controls]
    for held in every:
        every.extend(held.inside)
    assert len({held.name for held in every}) == len(every)
    assert all(held.label for held in every)


def test_every_chapter_and_every_turning_point_has_a_name() -> None:
    """A new chapter without one would be missing from the page."""
    assert set(by_chapter()) <= set(words.CHAPTERS)
    assert set(GLYPHS) == set(words.MARKS)


def test_what_an_entry_brings_in_can_be_chosen_by_the_next() -> None:
    """By the id it was given when it was added, and the words typed so far."""
    typed = {**fresh_ids(GoalSet, "e0.data"), "e0.data.statement": ["A walk a day"]}
    [(kind, made, name)] = new_things(GoalSet, typed, "e0.data")
    assert (kind, name) == ("goal", "A walk a day (new)")
    assert made == typed["e0.data.goal_id"][0]
    swap = fresh_ids(InterventionSwapped, "x")
    assert [kind for kind, *_ in new_things(InterventionSwapped, swap, "x")] == ["intervention"]


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-07-01T09:30", "Europe/Berlin", "2026-07-01T07:30:00Z"),
        ("2026-01-01T09:30", "Europe/Berlin", "2026-01-01T08:30:00Z"),
        ("2026-07-01T09:30", "UTC", "2026-07-01T09:30:00Z"),
        ("2026-07-01T09:30", "No/Such_Place", "2026-07-01T09:30:00Z"),
        ("2026-07-01T09:30", "../../etc/passwd", "2026-07-01T09:30:00Z"),
        ("soon", "UTC", "soon"),
    ],
)
def test_a_time_is_taken_in_the_readers_zone(text: str, zone: str, moment: str) -> None:
    """Summer and winter; an unknown zone is UTC; what is no time is left for the schema to refuse."""
    assert moment_of(text, {"zone": [zone]}) == moment


@pytest.mark.parametrize(
    ("typed", "sent"), [("2 months", "P2M"), ("6 weeks", "P6W"), ("p1y", "P1Y")]
)
def test_a_period_may_be_typed_as_one_says_it(typed: str, sent: str) -> None:
    """ISO 8601 is for machines."""
    given: dict[str, Any] = {"x.statement": ["A walk"], "x.within": [typed]}
    assert read(GoalSet, given, "x")["within"] == sent


def test_a_refusal_is_put_at_the_control_it_is_about() -> None:
    """By its pointer; the number in it counts entries, whatever was taken out of the form before."""
    typed = {"e1.type": ["GoalSet"], "e4.type": ["RapportNoted"]}
    refused = InvalidDataError(
        [
            Problem("/entries/0/data/measure/unit", "Is required."),
            Problem("/entries/1/reason/text", "Is required."),
            Problem("/alongside", "Must be true or false."),
        ]
    )
    assert faults(typed, refused) == {
        "e1.data.measure.unit": ["Is required."],
        "e4.reason": ["Is required."],
        "": ["Must be true or false."],
    }


def test_everything_at_fault_is_named_at_once() -> None:
    """Nobody mends a form one field at a time."""
    with pytest.raises(InvalidDataError) as refused:
        load({"e0.type": ["RapportNoted"], "e0.data.rating": ["eleven"]})
    assert {held.pointer for held in refused.value.problems} == {
        "/entries/0/data/rating",
        "/entries/0/data/basis",
    }


def test_a_form_that_no_page_of_ours_made_is_mended() -> None:
    """Entries of a type nobody knows and unreadable numbers go; a key comes: else its page could not be shown."""
    typed = {
        "e0.type": ["Nonsense"], "e0.data.x": ["y"], "e1.type": ["GoalSet"],
        "e" + "9" * 5000 + ".type": ["GoalSet"], "key": ["x" * 3000],
    }  # fmt: skip
    held = mended(typed)
    assert entries_of(held) == ["e1"]
    assert "e0.data.x" not in held
    assert len(held["key"][0]) == 36
    assert held["seen"] == [""]


def test_a_form_of_ours_is_left_as_it_is() -> None:
    """Its key is what makes sending it twice record it once."""
    typed = {"e0.type": ["GoalSet"], "key": ["0" * 36], "seen": ["7"]}
    assert mended(typed) == typed
