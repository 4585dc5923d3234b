"""What a field may hold: the rules, and how data is checked, kept and read back."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidDataError
from domain.fields import (
    MAX_TEXT,
    DurationRule,
    IdRule,
    Line,
    ManyRule,
    New,
    Number,
    RangeRule,
    Ref,
    Scale,
    Text,
    TextRule,
    add_duration,
    build,
    check,
    fields_of,
    plain_moment,
    revive,
    to_plain,
)
from domain.goals import GoalRevised, GoalSet
from domain.opening import ReadinessAssessed
from domain.practice import LookBackHeld, Period
from tests.domain.specs import an_id
from tests.domain.strategies import instances

ID = an_id("thing")


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A group of fields inside another."""

    name: Line
    on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Everything:
    """Every kind of field there is."""

    made: Annotated[str, New("thing")] = ""
    text: Text
    scale: Scale | None = None
    number: Number | None = None
    yes: bool = False
    on: date | None = None
    at: datetime | None = None
    kind: Literal["a", "b"] = "a"
    about: Annotated[Annotated[str, Ref("thing")] | None, "What it is", "about."] = None
    texts: Annotated[tuple[Line, ...], ManyRule(0, 3)] = ()
    kinds: tuple[Literal["a", "b"], ...] = ()
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    from_: date | None = None
    free: dict[str, Any] | None = None


def good(**changed: Any) -> Everything:
    """An instance that nothing is wrong with, but for what is changed."""
    return Everything(**{"made": ID, "text": "Hello", **changed})


# Rules


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Must not be empty"),
        (" ", "spaces at its ends"),
        ("x ", "spaces at its ends"),
        ("\nx", "spaces at its ends"),
        ("a\0b", "cannot be stored"),
        ("a\ud800b", "cannot be stored"),
        ("a\udfff", "cannot be stored"),
        ("x" * (MAX_TEXT + 1), "Is 10001 characters long; at most 10000"),
    ],
)
def test_a_text_is_trimmed_storable_and_of_a_length(text: str, problem: str) -> None:
    """Empty, untrimmed, unstorable and overlong texts are refused, each with its remedy."""
    found = TextRule().problem(text)
    assert found is not None
    assert problem in found


@pytest.mark.parametrize("text", ["x", "x" * MAX_TEXT, "zwei Wörter", "🌱", "a\nb", "\ue000"])
def test_any_other_text_is_fine(text: str) -> None:
    """Lines, emoji and private characters can be stored."""
    assert TextRule().problem(text) is None


def test_an_empty_text_is_fine_where_the_rule_says_so() -> None:
    """A hash that is filled in later starts empty."""
    assert TextRule(least=0).problem("") is None


@pytest.mark.parametrize(
    ("rule", "value", "problem"),
    [
        (RangeRule(0, 10), -1, "Must be between 0 and 10."),
        (RangeRule(0, 10), 10.5, "Must be between 0 and 10."),
        (RangeRule(least=1), 0, "Must be 1 or more."),
        (RangeRule(most=9), 10, "Must be 9 or less."),
        (RangeRule(), float("nan"), "Must be a finite number."),
        (RangeRule(), float("inf"), "Must be a finite number."),
        (RangeRule(), float("-inf"), "Must be a finite number."),
        pytest.param(
            RangeRule(0, 10),
            10**400,
            "Must be between 0 and 10.",
            id="a whole number of 401 digits",
        ),
    ],
)
def test_a_number_is_finite_and_in_its_range(rule: RangeRule, value: float, problem: str) -> None:
    """Both ends are included; open ranges say so in words."""
    assert rule.problem(value) == problem


@pytest.mark.parametrize(
    ("rule", "value"),
    [(RangeRule(0, 10), 0), (RangeRule(0, 10), 10), (RangeRule(), 1e300), (RangeRule(1), 1)],
)
def test_the_ends_of_a_range_belong_to_it(rule: RangeRule, value: float) -> None:
    """From the least to the most, both included."""
    assert rule.problem(value) is None


@pytest.mark.parametrize("rule", [New("thing"), Ref("thing"), IdRule()])
@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (ID, True),
        (ID.upper(), False),
        (ID[:-1], False),
        (ID + "\n", False),
        (f"{{{ID}}}", False),
        ("goal", False),
    ],
)
def test_an_id_is_a_uuid_in_lower_case(rule: New | Ref | IdRule, value: str, fits: bool) -> None:
    """One spelling per id, so that ids can be compared as text."""
    assert (rule.problem(value) is None) == fits


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("P2M", True),
        ("P6W", True),
        ("P10D", True),
        ("P1Y2M3W4D", True),
        ("P1DT12H", True),
        ("PT30M", True),
        ("P0D", True),
        ("P", False),
        ("PT", False),
        ("P1DT", False),
        ("P1H", False),
        ("P-1M", False),
        ("P1.5M", False),
        ("2M", False),
        ("P٢M", False),
        ("p2m", False),
        ("P2M ", False),
        ("P1M1Y", False),
        ("", False),
        ("P" + "1" * 18 + "D", True),
        ("P" + "1" * 19 + "D", False),
    ],
)
def test_a_duration_is_iso_8601(text: str, fits: bool) -> None:
    """Years to minutes in their order, at least one of them, of a sensible length."""
    assert (DurationRule().problem(text) is None) == fits


def test_a_list_holds_as_many_items_as_its_rule_says() -> None:
    """Too few and too many are refused in words."""
    assert ManyRule(1, 2).problem(()) == "Needs at least 1 item."
    assert ManyRule(2, 3).problem(("a",)) == "Needs at least 2 items."
    assert ManyRule(0, 2).problem(("a", "b", "c")) == "Holds 3 items; at most 2 fit here."
    assert ManyRule(1, 2).problem(("a", "b")) is None


# Durations


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2024, 1, 31), "P1M", date(2024, 2, 29)),
        (date(2024, 2, 29), "P1Y", date(2025, 2, 28)),
        (date(2024, 2, 29), "P4Y", date(2028, 2, 29)),
        (date(2026, 8, 31), "P6M", date(2027, 2, 28)),
        (date(2026, 11, 30), "P1M", date(2026, 12, 30)),
        (date(2026, 12, 31), "P1M", date(2027, 1, 31)),
        (date(2026, 1, 5), "P2M", date(2026, 3, 5)),
        (date(2026, 1, 5), "P6W", date(2026, 2, 16)),
        (date(2026, 1, 5), "P10D", date(2026, 1, 15)),
        (date(2026, 1, 31), "P1M1D", date(2026, 3, 1)),
        (date(2026, 1, 5), "P1Y2M3W4D", date(2027, 3, 30)),
        (date(2026, 1, 5), "PT36H", date(2026, 1, 5)),
        (date(2026, 1, 5), "P0D", date(2026, 1, 5)),
    ],
)
def test_a_duration_ends_on_a_day(start: date, duration: str, end: date) -> None:
    """Months and years clip to the end of the month, before weeks and days are added."""
    assert add_duration(start, duration) == end


@pytest.mark.parametrize("duration", ["P99999Y", "P999999999M", "P99999999999W", "P9999999D"])
@pytest.mark.parametrize("start", [date.min, date(2026, 1, 31), date(7999, 12, 31)])
def test_an_endless_duration_ends_somewhere(start: date, duration: str) -> None:
    """Applying never fails: beyond the calendar the end is cut off."""
    assert add_duration(start, duration) > start


def test_a_period_at_the_calendars_end_ends_there() -> None:
    """Nor does it fail on the last day there is."""
    assert add_duration(date.max, "P1Y1D").year == 9998


def test_what_is_no_duration_has_no_end() -> None:
    """Asked directly, it is refused (entries are checked before)."""
    with pytest.raises(ValueError, match="two months"):
        add_duration(date(2026, 1, 5), "two months")


@given(
    start=st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    months=st.integers(0, 240),
    days=st.integers(0, 400),
)
@settings(database=None, deadline=None)
def test_a_longer_duration_never_ends_earlier(start: date, months: int, days: int) -> None:
    """Adding a month or a day moves the end forward, or leaves it at the month's end."""
    end = add_duration(start, f"P{months}M{days}D")
    assert add_duration(start, f"P{months}M{days + 1}D") == end + timedelta(days=1)
    assert add_duration(start, f"P{months + 1}M{days}D") > end


# Declarations


def test_a_declaration_tells_everything_about_its_fields() -> None:
    """Type, rules, choices, whether it may be left out, and what it means."""
    held = {field.name: field for field in fields_of(Everything)}
    assert held["made"].link == New("thing")
    assert not held["made"].required
    assert held["text"].required
    assert held["text"].rules == (TextRule(),)
    assert held["scale"].nullable
    assert held["scale"].type is int
    assert held["kind"].choices == ("a", "b")
    assert held["about"].doc == "What it is about."
    assert held["about"].link == Ref("thing")
    assert held["texts"].many
    assert held["texts"].item_rules == (TextRule(most=200),)
    assert held["texts"].rules == (ManyRule(0, 3),)
    assert held["kinds"].rules == (ManyRule(),)
    assert held["inner"].nested
    assert not held["free"].nested
    assert held["free"].type is dict
    assert held["from_"].key == "from"
    assert held["text"].link is None


def test_a_field_holds_one_kind_of_thing() -> None:
    """A union of two things cannot be declared."""

    @dataclass(frozen=True, kw_only=True)
    class Unsure:
        either: int | str

    with pytest.raises(TypeError, match="one kind of thing"):
        fields_of(Unsure)


# Checking


@pytest.mark.parametrize(
    ("changed", "pointer", "detail"),
    [
        ({"text": None}, "/text", "Is required."),
        ({"text": 5}, "/text", "Must be text."),
        ({"text": ""}, "/text", "Must not be empty"),
        ({"made": ""}, "/made", "Must be a UUID"),
        ({"made": None}, "/made", "Is required."),
        ({"scale": 11}, "/scale", "Must be between 0 and 10."),
        ({"scale": True}, "/scale", "Must be a whole number."),
        ({"scale": 5.0}, "/scale", "Must be a whole number."),
        ({"scale": "5"}, "/scale", "Must be a whole number."),
        ({"number": True}, "/number", "Must be a number."),
        ({"number": "5"}, "/number", "Must be a number."),
        ({"number": float("nan")}, "/number", "Must be a finite number."),
        ({"number": 2e12}, "/number", "Must be between -1,000,000,000,000 and 1,000,000,000,000."),
        ({"yes": 1}, "/yes", "Must be true or false."),
        ({"yes": None}, "/yes", "Is required."),
        ({"on": "2026-01-05"}, "/on", "Must be a date"),
        ({"on": datetime(2026, 1, 5, tzinfo=UTC)}, "/on", "Must be a date"),
        ({"at": datetime(2026, 1, 5)}, "/at", "Must be a moment with its offset"),  # noqa: DTZ001 - a moment without zone is the point
        ({"at": date(2026, 1, 5)}, "/at", "Must be a moment"),
        ({"kind": "c"}, "/kind", "Must be one of: a, b."),
        ({"kind": 1}, "/kind", "Must be text."),
        ({"about": "goal"}, "/about", "Must be a UUID"),
        ({"texts": ["a"]}, "/texts", "Must be a list."),
        ({"texts": "abc"}, "/texts", "Must be a list."),
        ({"texts": None}, "/texts", "Is required."),
        ({"texts": ("a", "b", "c", "d")}, "/texts", "Holds 4 items"),
        ({"texts": ("a", " b")}, "/texts/1", "spaces at its ends"),
        ({"texts": ("a", None)}, "/texts/1", "Must be text."),
        ({"kinds": ("a", "c")}, "/kinds/1", "Must be one of: a, b."),
        ({"kinds": ("a",) * 101}, "/kinds", "Holds 101 items; at most 100"),
        ({"inner": "x"}, "/inner", "Must be a group of fields."),
        ({"inner": Inner(name="")}, "/inner/name", "Must not be empty"),
        ({"inners": (Inner(name="x"), Inner(name=""))}, "/inners/1/name", "Must not be empty"),
        ({"from_": 3}, "/from", "Must be a date"),
        ({"free": "x"}, "/free", "Must be a group of fields."),
    ],
)
def test_a_value_that_its_declaration_does_not_allow_is_named(
    changed: dict[str, Any], pointer: str, detail: str
) -> None:
    """Exactly one problem, at the field, saying what to do."""
    problems = list(check(good(**changed)))
    assert [problem.pointer for problem in problems] == [pointer]
    assert detail in problems[0].detail


def test_what_is_allowed_has_no_problems() -> None:
    """Whole numbers are numbers; optional fields may be left out."""
    assert list(check(good())) == []
    whole = good(
        scale=0,
        number=3,
        on=date(2026, 1, 5),
        at=datetime(2026, 1, 5, tzinfo=UTC),
        about=ID,
        texts=("a", "b"),
        inner=Inner(name="x"),
        free={"any": ["thing"]},
    )
    assert list(check(whole)) == []


# Keeping and reading back


def test_groups_become_plain_without_their_empty_fields() -> None:
    """What is stored is JSON: ISO days and moments, no nulls, no empty lists."""
    plain = to_plain(
        good(
            on=date(2026, 1, 5),
            at=datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
            texts=("a",),
            inner=Inner(name="x", on=date(2026, 1, 6)),
            inners=(Inner(name="y"),),
            from_=date(2026, 1, 7),
            free={"left": None, "alone": []},
        )
    )
    assert plain == {
        "made": ID,
        "text": "Hello",
        "yes": False,
        "on": "2026-01-05",
        "at": "2026-01-05T09:30:00Z",
        "kind": "a",
        "texts": ["a"],
        "inner": {"name": "x", "on": "2026-01-06"},
        "inners": [{"name": "y"}],
        "from": "2026-01-07",
        "free": {"left": None, "alone": []},
    }
    assert json.loads(json.dumps(plain)) == plain


def test_a_moment_is_told_in_utc_with_z_and_otherwise_with_its_offset() -> None:
    """RFC 3339."""
    moment = datetime(2026, 1, 5, 9, 30, 0, 250, tzinfo=UTC)
    assert plain_moment(moment) == "2026-01-05T09:30:00.000250Z"
    there = moment.astimezone(timezone(timedelta(hours=2)))
    assert plain_moment(there) == "2026-01-05T11:30:00.000250+02:00"


@given(instances(Everything))
@settings(database=None, deadline=None, max_examples=100)
def test_what_is_kept_reads_back_as_it_was(held: Everything) -> None:
    """Through JSON and back, and nothing is wrong with it."""
    assert list(check(held)) == []
    plain = json.loads(json.dumps(to_plain(held)))
    assert revive(Everything, plain) == held


@given(instances(Everything))
@settings(database=None, deadline=None, max_examples=100)
def test_what_a_person_gives_is_built_into_the_same(held: Everything) -> None:
    """Building checks what reviving trusts; both read the same JSON."""
    plain = json.loads(json.dumps(to_plain(held)))
    assert build(Everything, plain) == held


def test_reading_back_does_not_check_again() -> None:
    """A rule tightened later must not make an old plan unreadable; absent fields are as default."""
    held = revive(Everything, {"text": "", "scale": 99})
    assert (held.text, held.scale, held.kind, held.texts, held.made) == ("", 99, "a", (), "")


def test_python_names_are_not_seen_outside() -> None:
    """A trailing underscore is Python's need alone, at any depth."""
    assert to_plain(ReadinessAssessed(for_="going out", level=3)) == {
        "for": "going out",
        "level": 3,
    }
    plain = {"period": {"from": "2026-01-05", "to": "2026-01-06"}, "summary": "Two days"}
    held = revive(LookBackHeld, plain)
    assert held.period == Period(from_=date(2026, 1, 5), to=date(2026, 1, 6))


def test_an_empty_list_that_means_something_is_kept() -> None:
    """A revision that takes all concerns off a goal still says so when read back."""
    revised = GoalRevised(goal_id=ID, concern_ids=())
    assert revive(GoalRevised, to_plain(revised)) == revised


# Building from what people give


def test_what_people_give_is_trimmed_and_typed() -> None:
    """Spaces at the ends go; days, moments, groups and lists get their types."""
    built = build(
        Everything,
        {
            "made": ID,
            "text": "  Hello ",
            "scale": None,
            "on": "2026-01-05",
            "at": "2026-01-05T09:30:00+01:00",
            "texts": [" a ", "b"],
            "inner": {"name": " x", "on": "2026-01-06"},
            "inners": [{"name": "y"}],
            "from": "2026-01-07",
        },
    )
    assert built == good(
        on=date(2026, 1, 5),
        at=datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
        texts=("a", "b"),
        inner=Inner(name="x", on=date(2026, 1, 6)),
        inners=(Inner(name="y"),),
        from_=date(2026, 1, 7),
    )


def test_everything_wrong_is_said_at_once() -> None:
    """Unknown, missing and mistyped fields at every depth, each with its pointer."""
    given_by_someone: dict[str, Any] = {
        "made": ID,
        "colour": "blue",
        "on": "5 January",
        "at": "soon",
        "texts": ["a", " "],
        "inner": {"on": "never", "size": 3},
        "inners": [{"name": "x"}, {}],
        "from_": "2026-01-07",
    }
    with pytest.raises(InvalidDataError) as refused:
        build(Everything, given_by_someone, "/data")
    assert sorted(problem.pointer for problem in refused.value.problems) == [
        "/data/at",
        "/data/colour",
        "/data/from_",
        "/data/inner/name",
        "/data/inner/on",
        "/data/inner/size",
        "/data/inners/1/name",
        "/data/on",
        "/data/text",
    ]
    unknown = next(held for held in refused.value.problems if held.pointer == "/data/colour")
    assert unknown.detail.startswith("Unknown field; Everything has: made, text, scale")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"text": "   "}, "/text"),
        ({"text": 3}, "/text"),
        ({"texts": "abc"}, "/texts"),
        ({"texts": ["a", " "]}, "/texts/1"),
        ({"texts": ["a", {}]}, "/texts/1"),
        ({"inner": "x"}, "/inner"),
        ({"inner": ["x"]}, "/inner"),
        ({"on": 20260105}, "/on"),
        ({"at": "2026-01-05"}, "/at"),
        ({"scale": True}, "/scale"),
    ],
)
def test_what_has_the_wrong_shape_is_refused_not_crashed_on(
    changed: dict[str, Any], pointer: str
) -> None:
    """Whatever JSON people send, the answer is a refusal that names the field."""
    with pytest.raises(InvalidDataError) as refused:
        build(Everything, {"made": ID, "text": "Hello", **changed})
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


@given(
    st.dictionaries(
        st.sampled_from(["text", "on", "inner", "texts", "scale"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(),
            st.lists(st.text()),
            st.dictionaries(st.text(), st.text()),
        ),
    )
)
@settings(database=None, deadline=None, max_examples=100)
def test_anything_people_send_is_taken_or_refused(sent: dict[str, Any]) -> None:
    """Building never fails in another way."""
    with suppress(InvalidDataError):
        assert list(check(build(Everything, {"made": ID, **sent}))) == []


def test_an_id_that_is_left_out_is_no_problem() -> None:
    """The service makes it later."""
    assert build(GoalSet, {"statement": "Sleep through"}) == GoalSet(statement="Sleep through")
