"""Given what was recorded, when one more entry is recorded, then the plan says so – or refuses.

Entries of a spec are recorded one a day from ``day(0)`` on, so the third one is true on ``day(2)``
unless it says otherwise. Whatever a spec reads is read twice: from the plan as it was recorded, and
from one that was stored and read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.entry import Author, Entry, EntryData, Reason, from_stored, to_stored
from domain.errors import PlanHistoryError
from domain.goals import GoalSet
from domain.history import History
from domain.interventions import Consent, InterventionAgreed
from domain.opening import PlanOpened
from domain.plan import Plan
from domain.policy import DEFAULT_POLICY, Policy

THistory = TypeVar("THistory", bound=History)


def an_id(name: str) -> str:
    """The UUID that belongs to ``name`` in all specs."""
    return str(uuid5(NAMESPACE_URL, name))


def day(number: float) -> datetime:
    """The moment ``number`` days after the plan of a spec was opened."""
    return datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(days=number)


PLAN = an_id("plan")
GOAL, OTHER_GOAL = an_id("goal"), an_id("other goal")
CONCERN, OTHER_CONCERN = an_id("concern"), an_id("other concern")
INTERVENTION, OTHER_INTERVENTION = an_id("intervention"), an_id("other intervention")
NOWHERE = an_id("nowhere")
THERAPIST = Author(
    member_id=an_id("therapist"), name="Dr Nadia Okafor", role="clinician", credential="LMFT"
)
SUPERVISOR = Author(member_id=an_id("supervisor"), name="Prof. Ida Lund", role="supervisor")
COLLEAGUE = Author(member_id=an_id("colleague"), name="Jo Marsh", role="clinician")


def opened(**changed: Any) -> PlanOpened:
    """A plan's opening, as good as any."""
    plain = PlanOpened(
        client_ref="C-1001",
        client_label="Mira T.",
        initiated_by="Herself",
        presenting_concern="She has hardly left the house since spring",
        hopes="To sit in the park with a friend",
        signs_of_improvement="She would take the dog out in the morning",
        therapist_id=THERAPIST.member_id,
    )
    return replace(plain, **changed)


def a_goal(goal_id: str = GOAL, **changed: Any) -> GoalSet:
    """A goal, as good as any."""
    plain = GoalSet(goal_id=goal_id, statement="Half an hour in the park, twice a week")
    return replace(plain, **changed)


def an_intervention(intervention_id: str = INTERVENTION, **changed: Any) -> InterventionAgreed:
    """An intervention for the goal, as good as any."""
    plain = InterventionAgreed(
        intervention_id=intervention_id,
        technique="exposure",
        orientation="cbt",
        goal_ids=(GOAL,),
        format="individual",
        consent=Consent(given=True, explained_by="Dr Nadia Okafor"),
    )
    return replace(plain, **changed)


@dataclass(frozen=True, kw_only=True)
class Said:
    """An entry's data together with its envelope."""

    data: EntryData
    occurred_at: datetime | None = None
    now: datetime | None = None
    reason: str | None = None
    by: Author = THERAPIST
    entry_id: str | None = None
    voiced_by: str | None = None


def said(data: EntryData, **envelope: Any) -> Said:
    """``data`` with the given parts of its envelope."""
    return Said(data=data, **envelope)


def given(*entries: EntryData | Said) -> Spec:
    """What was recorded before; entries that need a reason and give none get one."""
    spec = Spec()
    for entry in entries:
        told = entry if isinstance(entry, Said) else said(entry)
        spec.record(replace(told, reason=told.reason or "It had to be so."))
    return spec


class Spec:
    """A plan being specified."""

    def __init__(self) -> None:
        self.plan = Plan.new(UUID(PLAN))
        self.refusal: PlanHistoryError | None = None

    @property
    def last(self) -> Entry:
        """The entry recorded last, or its refusal."""
        self._raise_refusal()
        return self.plan.entries[-1]

    def record(self, told: Said) -> None:
        """Record one entry as the service would."""
        envelope: dict[str, Any] = {"reason": Reason(text=told.reason)} if told.reason else {}
        if told.voiced_by:
            envelope["voiced_by"] = told.voiced_by
        entry = self.plan.record(
            told.data,
            now=told.now or day(self.plan.version),
            recorded_by=told.by,
            new_id=_ids(told.entry_id or entry_id(self.plan.version + 1)),
            occurred_at=told.occurred_at,
            **envelope,
        )
        assert self.plan.follow(entry) == [], "An entry of a plan brings nothing along"

    def when(self, data: EntryData, **envelope: Any) -> Self:
        """One more entry is recorded, or refused."""
        self._raise_refusal()
        try:
            self.record(said(data, **envelope))
        except PlanHistoryError as refusal:
            self.refusal = refusal
        return self

    def then(self, expected: Mapping[str, Any]) -> Self:
        """The plan's document holds these values at these JSON pointers."""
        self._raise_refusal()
        shown = self.document()
        for pointer, value in expected.items():
            held = look_up(shown, pointer)
            assert held == value, f"{pointer} is {held!r}, not {value!r}"
        return self

    def document(self, policy: Policy = DEFAULT_POLICY) -> dict[str, Any]:
        """The plan in JSON types; the same whether recorded just now or read back."""
        shown: dict[str, Any] = json.loads(json.dumps(self.plan.document(policy=policy)))
        again = json.loads(json.dumps(read_back(self.plan).document(policy=policy)))
        assert shown == again, f"Stored and read back, the plan differs: {shown} {again}"
        return shown

    def owes(self, kind: str, **facts: Any) -> Self:
        """The plan owes something of that kind, with these facts."""
        owed = self.owed(kind)
        assert owed, f"No {kind} is owed"
        held = {name: owed[0][name] for name in facts}
        assert held == facts, f"{kind} has {held}, not {facts}"
        return self

    def owes_no(self, kind: str) -> Self:
        """The plan owes nothing of that kind."""
        assert not self.owed(kind), f"{kind} is owed: {self.owed(kind)}"
        return self

    def owed(self, kind: str, policy: Policy = DEFAULT_POLICY) -> list[dict[str, Any]]:
        """What the plan owes of that kind."""
        self._raise_refusal()
        return [held for held in self.document(policy)["obligations"] if held["kind"] == kind]

    def tells(self, sentence: str) -> Self:
        """The entry recorded last is told so."""
        told = self.last.data.tell(self.plan.state)
        assert told == sentence, f"It is told: {told}"
        return self

    def warns(self, *types: str) -> Self:
        """Recording the last entry names entries of these types that still use what it ended."""
        held = tuple(warning["type"] for warning in self.plan.warnings(self.last))
        assert held == types, f"It warns of {held}, not {types}"
        return self

    def refused(self, kind: type[PlanHistoryError], pointer: str = "", saying: str = "") -> Self:
        """The entry was refused for what the pointer names, and the plan is as it was."""
        refusal = self.refusal
        assert refusal is not None, "It was not refused"
        assert type(refusal) is kind, f"It was refused otherwise: {refusal!r}"
        pointers = [problem.pointer for problem in refusal.problems]
        assert pointers == ([pointer] if pointer else []), f"The refusal points at {pointers}"
        assert saying in refusal.detail, f"It says: {refusal.detail}"
        self.refusal = None
        return self

    def _raise_refusal(self) -> None:
        if self.refusal is not None:
            raise self.refusal


def entry_id(version: int) -> str:
    """The id of a spec's entry of that version, unless it was given another."""
    return an_id(f"entry {version}")


def _ids(first: str) -> Callable[[], str]:
    made = 0

    def new_id() -> str:
        nonlocal made
        made += 1
        return first if made == 1 else an_id(f"{first} {made}")

    return new_id


def read_back(plan: THistory) -> THistory:
    """The history as it comes out of the store."""
    again = type(plan).new(plan.id)
    for entry in plan.entries:
        stored = json.loads(json.dumps(to_stored(entry)))
        columns = {
            name: getattr(entry, name)
            for name in ("originator_id", "originator_version", "timestamp", "entry_id", "position")
        }
        again.learn(from_stored(entry.data.TOPIC, stored, **columns))
    return again


def look_up(document: dict[str, Any], pointer: str) -> object:
    """What ``document`` holds at a JSON pointer."""
    held: Any = document
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        held = held[int(key)] if isinstance(held, list) else held[key]
    return held
