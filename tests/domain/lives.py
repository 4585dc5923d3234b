"""Random lives of plans: plausible requests over the whole vocabulary, late, corrected, undone.

A life is played through ``Plan.record`` and ``Plan.confirm`` as the service does it. A refusal is
part of life: its request is forgotten whole. Any other exception is a failure of the domain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar, cast
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.emergency import EmergencyAccessReviewed
from domain.entry import TYPES, Author, Entry, EntryData, Reason
from domain.errors import PlanHistoryError
from domain.fields import (
    DurationRule,
    Field,
    IdRule,
    ManyRule,
    New,
    RangeRule,
    Ref,
    Rule,
    TextRule,
    fields_of,
    to_plain,
)
from domain.fold import AMENDING
from domain.opening import PlanOpened
from domain.plan import Plan
from domain.record import EntryCorrected, EntryMarkedInError
from domain.signatures import PlanCosigned, PlanReturned

T = TypeVar("T")
BEGIN = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
PLAN_ID = UUID(int=7)
MEMBERS = tuple(str(UUID(int=held)) for held in (101, 102, 103))
STRAY_ID = str(UUID(int=404))
AUTHORS = tuple(
    Author(member_id=held, name=f"Member {held[-2:]}", role=role)
    for held, role in zip(MEMBERS, ("clinician", "supervisor", "clinician"), strict=True)
)
OFFICER = Author(member_id=str(UUID(int=104)), name="Member 04", role="privacy_officer")
WORDS = (
    "a walk in the park",
    "sleeps badly",
    "Schlaf – 睡眠 – 😴",
    "work/life ~ balance",
    "“I” statements",
)
DURATIONS = ("P2M", "P6W", "P10D", "P1Y", "PT36H")
PASSING = (
    timedelta(),
    timedelta(seconds=1),
    timedelta(minutes=5),
    timedelta(hours=3),
    timedelta(days=1),
    timedelta(days=10),
)
TIMINGS = (
    *("just now",) * 6,
    *("undated",) * 5,
    *("late",) * 3,
    *("very late",) * 2,
    *("same",) * 2,
    "before the opening",
    "ahead",
)
WEIGHTS = {
    "GoalSet": 16,
    "InterventionAgreed": 16,
    "ConcernIdentified": 8,
    "ConcernsLinked": 16,
    "PracticeAssigned": 6,
    "PlanSigned": 6,
    "PlanCosigned": 6,
    "PlanReturned": 6,
    "EntryCorrected": 30,
    "EntryMarkedInError": 14,
    "PlanCompleted": 1,
    "PlanDiscontinued": 1,
    "PlanSuperseded": 1,
    "PlanOpened": 0,
    "PlanReopened": 0,
}
"""How often a type comes up; what names something in the plan has 6, all else 2."""

SAME_EVERY_TIME = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For every quick test over lives: the same lives on every run, and each may take its time."""
OTHERS_EVERY_TIME = settings(SAME_EVERY_TIME, derandomize=False, database=None, max_examples=50)
"""For a batch of a long run, whose seed is printed."""


@dataclass
class Life:
    """One plan and how it came about.

    ``seen``: what the plan said of itself – version and document – each time it was asked on the
    way; ``refused``: the refusals met, by code.
    """

    plan: Plan = field(default_factory=lambda: Plan.new(PLAN_ID))
    now: datetime = BEGIN
    seen: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    ids: Random = field(default_factory=lambda: Random(7))

    def __repr__(self) -> str:
        """Every entry on a line of its own; not endless, for a report may hold many lives."""
        lines = [_line(entry)[:600] for entry in self.plan.entries]
        return "\n".join(["A life:", *lines])[:20_000]

    @property
    def entries(self) -> list[Entry]:
        """What was recorded, in that order."""
        return self.plan.entries

    def new_id(self) -> str:
        """A fresh id; ids do not sort in the order in which they are made."""
        return str(UUID(int=self.ids.getrandbits(128)))

    def known(self, kind: str) -> list[str]:
        """The ids of everything of ``kind`` the plan ever had, oldest first."""
        if kind == "entry":
            return [held.entry_id for held in self.entries]
        taken = self.plan.settled.taken
        return [held for held, its_kind in taken.items() if its_kind == kind]

    def record(
        self,
        data: EntryData,
        *,
        author: Author = AUTHORS[0],
        occurred_at: datetime | None = None,
        **envelope: Any,
    ) -> Entry:
        """Record an entry now; it is pending until ``confirm``."""
        return self.plan.record(
            data,
            now=self.now,
            recorded_by=author,
            new_id=self.new_id,
            occurred_at=occurred_at,
            command_id=self.new_id(),
            **envelope,
        )

    def confirm(self) -> None:
        """Let the database have what is pending; a little later it gives the moment."""
        pending = cast("Sequence[Entry]", self.plan.collect_events())
        self.now += timedelta(milliseconds=3)
        self.plan.confirm(pending, self.now, pending[-1].originator_version)


def _line(entry: Entry) -> str:
    undated = "" if entry.dated else " (undated)"
    return (
        f"  {entry.version} {entry.entry_id[:8]} true {entry.occurred_at:%Y-%m-%d %H:%M:%S}"
        f"{undated} recorded {entry.recorded_at:%Y-%m-%d %H:%M:%S.%f} {entry.data}"
    )


@st.composite
def lives(draw: st.DrawFn, most: int = 50) -> Life:
    """A plan that has lived through up to ``most`` requests.

    Hypothesis chooses how many and one number for each; so a failing life shrinks to the few
    requests that matter, and lives differ as much as numbers do.
    """
    size = draw(st.integers(0, most))
    return play([draw(st.integers(0, 2**32 - 1)) for _ in range(size + 1)])


def some_lives(count: int, requests: int = 30) -> Iterator[Life]:
    """As many lives, each of so many requests; always the same ones."""
    for number in range(count):
        rng = Random(number)
        yield play([rng.getrandbits(32) for _ in range(requests + 1)])


def play(chances: Sequence[int]) -> Life:
    """The life whose opening and requests follow from ``chances``, one for each."""
    life = Life()
    _open(life, Random(chances[0]))
    for chance in chances[1:]:
        _request(life, Random(chance))
    return life


def _open(life: Life, rng: Random) -> None:
    data = replace(_data(PlanOpened, life, rng), supervisor_id=rng.choice(MEMBERS))
    occurred_at = rng.choice([None, life.now, life.now - timedelta(days=3)])
    life.record(data, occurred_at=occurred_at)
    life.confirm()


def _request(life: Life, rng: Random) -> None:
    """One to three entries: all or none."""
    life.now += rng.choice(PASSING)
    try:
        for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
            _entry(life, rng, tries=rng.choice([1, 4]))
    except PlanHistoryError:
        life.plan.forget_pending()
    else:
        life.confirm()
    if rng.random() < 0.7:
        life.seen.append((life.plan.version, life.plan.state.document()))


def _entry(life: Life, rng: Random, tries: int) -> None:
    """One entry; after a refusal another one is tried."""
    try:
        _try_entry(life, rng)
    except PlanHistoryError as refusal:
        life.refused[refusal.code] += 1
        if tries == 1:
            raise
        _entry(life, rng, tries - 1)


def _try_entry(life: Life, rng: Random) -> None:
    cls = _type(life, rng)
    make = {EntryCorrected: _correction, EntryMarkedInError: _mark}.get(cls)
    data = make(life, rng) if make else _data(cls, life, rng)
    life.record(
        data,
        author=_author(cls, life, rng),
        occurred_at=_occurred(life, rng),
        reason=Reason(text=rng.choice(WORDS)) if rng.random() < 0.97 else None,
        voiced_by=rng.choice([None, "client", "team"]),
        session_id=rng.choice([None, "session-7"]),
        causation_id=rng.choice([None, None, life.entries[0].entry_id]),
    )


# What is recorded next, by whom, and when it was true


def _type(life: Life, rng: Random) -> type[EntryData]:
    """A type of entry the plan could take as it stands."""
    lifecycle = life.plan.state.lifecycle
    if lifecycle.status == "entered_in_error":
        return EntryMarkedInError
    if lifecycle.closed and rng.random() < 0.5:
        return TYPES["PlanReopened"]
    there = Counter(life.plan.settled.taken.values())
    there["entry"] = len(life.entries)
    possible = [cls for cls in TYPES.values() if _has_what_it_names(cls, there)]
    return rng.choices(possible, [_weight(cls) for cls in possible])[0]


def _weight(cls: type) -> int:
    names = any(isinstance(held.link, Ref) and held.required for held in fields_of(cls))
    return WEIGHTS.get(cls.__name__, 6 if names else 2)


def _has_what_it_names(cls: type, there: Counter[str]) -> bool:
    """Whether the plan holds something for each id that ``cls`` cannot do without."""
    for held in fields_of(cls):
        if held.nested and held.required and not _has_what_it_names(held.type, there):
            return False
        if isinstance(held.link, Ref) and held.required:
            least = max(
                [rule.least for rule in held.rules if isinstance(rule, ManyRule)], default=1
            )
            if there[held.link.kind] < least:
                return False
    return True


def _author(cls: type[EntryData], life: Life, rng: Random) -> Author:
    if cls is EmergencyAccessReviewed:
        return OFFICER
    supervisor = life.plan.state.opening.outline.supervisor_id
    supervising = [held for held in AUTHORS if held.member_id == supervisor]
    return rng.choice((cls in (PlanCosigned, PlanReturned) and supervising) or AUTHORS)


def _occurred(life: Life, rng: Random) -> datetime | None:
    """Mostly just now; sometimes late, undated, at another entry's moment, or a little ahead."""
    how = rng.choice(TIMINGS)
    if how == "undated":
        return None
    if how == "same":
        return rng.choice(life.entries).occurred_at
    if how == "before the opening":
        return life.entries[0].occurred_at - timedelta(minutes=rng.randint(1, 9_999))
    if how == "ahead":
        return life.now + timedelta(seconds=rng.randint(1, 303))
    most = {"just now": 60, "late": 3 * 24 * 60, "very late": 150 * 24 * 60}[how]
    return life.now - timedelta(minutes=rng.randint(0, most))


# What it says


def _data(cls: type[T], life: Life, rng: Random) -> T:
    """The data of an entry (or a group inside one), from its declaration."""
    held: dict[str, Any] = {}
    declared: type = cls
    for spec in fields_of(declared):
        if isinstance(spec.link, New) or (not spec.required and rng.random() < 0.5):
            continue
        value = _value(spec, life, rng)
        if value != () or spec.required:
            held[spec.name] = value
    return cls(**held)


def _value(spec: Field, life: Life, rng: Random) -> object:
    if not spec.many:
        return _one(spec, spec.rules, life, rng)
    least, most = next((r.least, r.most) for r in spec.rules if isinstance(r, ManyRule))
    size = rng.randint(least, min(most, least + 2))
    items = [_one(spec, spec.item_rules, life, rng) for _ in range(size)]
    return tuple(item for item in items if item is not None)


def _one(spec: Field, rules: tuple[Rule, ...], life: Life, rng: Random) -> object:
    if isinstance(spec.link, Ref):
        return _named(spec.link, life, rng)
    if spec.nested:
        made: object = _data(spec.type, life, rng)
        return made
    if spec.choices:
        return rng.choice(spec.choices)
    return _plain(spec, rules, life, rng)


def _plain(spec: Field, rules: tuple[Rule, ...], life: Life, rng: Random) -> object:
    if spec.type is str:
        return _text(rules, rng)
    if spec.type is bool:
        return rng.random() < 0.5
    if spec.type is date:
        return BEGIN.date() + timedelta(days=rng.randint(-60, 200))
    if spec.name == "of_version":
        signed = [held.of_version for held in life.plan.state.signatures.signed]
        some = rng.choice(signed or [1])
        return some if rng.random() < 0.5 else rng.randint(1, life.plan.version + 1)
    return _number(spec, rules, rng)


def _named(rule: Ref, life: Life, rng: Random) -> str | None:
    """The id of something of that kind; now and then of something else, or of nothing at all."""
    slip = rng.randrange(60)
    if slip == 0:
        return STRAY_ID
    known = life.known(rng.choice(["entry", "goal", "concern"]) if slip == 1 else rule.kind)
    known = known or life.known(rule.kind)
    return rng.choice(known if rng.random() < 0.6 else known[-2:]) if known else None


def _text(rules: tuple[Rule, ...], rng: Random) -> str:
    for rule in rules:
        if isinstance(rule, IdRule):
            return rng.choice(MEMBERS)
        if isinstance(rule, DurationRule):
            return rng.choice(DURATIONS)
        if isinstance(rule, TextRule) and rule.least == 0:
            return ""
    return rng.choice(WORDS)


def _number(spec: Field, rules: tuple[Rule, ...], rng: Random) -> float:
    held = next((rule for rule in rules if isinstance(rule, RangeRule)), RangeRule())
    least = max(-5, held.least if held.least is not None else -5)
    most = min(30, held.most if held.most is not None else 30)
    if spec.type is int or rng.random() < 0.5:
        return rng.randint(int(least), int(most))
    return round(rng.uniform(least, most), 2)


# Corrections and marks


def _correction(life: Life, rng: Random) -> EntryCorrected:
    """Another value for up to two fields of an earlier entry, another moment, or both."""
    plain = [held for held in life.entries if not isinstance(held.data, AMENDING)]
    target = rng.choice(plain if rng.random() < 0.95 else life.entries)
    cls: type = type(target.data)
    specs = [held for held in fields_of(cls) if held.type is not dict]
    changed: dict[str, Any] = {}
    for spec in rng.sample(specs, min(len(specs), rng.randint(0, 2))):
        if isinstance(spec.link, New) and rng.random() < 0.9:
            continue
        leave_out = not spec.required and rng.random() < 0.3
        changed[spec.key] = None if leave_out else to_plain(_value(spec, life, rng))
    moment = _occurred(life, rng) if not changed or rng.random() < 0.4 else None
    return EntryCorrected(entry_id=target.entry_id, data=changed, occurred_at=moment)


def _mark(life: Life, rng: Random) -> EntryMarkedInError:
    """A mark on any earlier entry; amendments are taken back more often, the opening seldom."""
    amendments = [held for held in life.entries if isinstance(held.data, AMENDING)]
    in_error = life.plan.state.lifecycle.status == "entered_in_error"
    target = rng.choice(life.entries[1:] or life.entries)
    if amendments and (in_error or rng.random() < 0.4):
        target = rng.choice(amendments)
    elif rng.random() < 0.04:
        target = life.entries[0]
    return EntryMarkedInError(entry_id=target.entry_id, including_dependents=rng.random() < 0.7)
