"""An entry: one recorded event of a plan, its envelope, and the closed registry of its types.

A chapter declares the *data* of an entry as a frozen dataclass under ``@recorded("plan.goal-set")``;
``Entry`` is the envelope around it and the event which the ``eventsourcing`` library stores, loads
and replays. Topics are published words: they never change, classes and modules may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
)
from uuid import UUID

from eventsourcing.domain import CanMutateAggregate

from domain.approval import Approval
from domain.errors import UnknownEntryTypeError
from domain.fields import (
    Field,
    Line,
    New,
    Opaque,
    Ref,
    Text,
    fields_of,
    plain_moment,
    remembered,
    revive,
    to_plain,
)
from domain.policy import DEFAULT_POLICY, Policy

if TYPE_CHECKING:
    from domain.state import PlanState

Voice = Literal["client", "guardian", "partner", "therapist", "supervisor", "team"]
VOICES: tuple[str, ...] = get_args(Voice)


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who recorded an entry, as they were at that moment."""

    member_id: str
    name: Line
    role: Opaque
    credential: Line | None = None


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why something was changed: a sentence, and a short code where the clinic keeps such a list."""

    text: Text
    code: Opaque | None = None


class EntryData:
    """What one type of entry says: its fields, its rule, its effect and its sentence."""

    TOPIC: ClassVar[str]
    WHY: ClassVar[bool] = False
    """Whether a reason is required."""
    WHEN_CLOSED: ClassVar[bool] = False
    """Whether a closed plan still takes it."""
    MATERIAL: ClassVar[bool] = False
    """Whether it changes what client and clinician agreed on."""
    PRIVATE: ClassVar[bool] = False
    """Whether it is a working note of the staff, which is not released to the client."""
    ONLY_BY: ClassVar[str] = ""
    """The route that alone records it; empty: it is recorded like any other."""
    APPROVAL: ClassVar[Approval | None] = None
    """Who approves it when it is proposed; None: nobody proposes it."""
    AMENDED_WITH: ClassVar[Approval | None] = None
    """Who approves that one is corrected or marked in error, where that takes another approval."""

    def complete(self, plan: Any) -> EntryData:
        """This data with what only the plan can fill in (a hash, the whole of a correction)."""
        return self

    def needs_reason(self, plan: PlanState) -> bool:
        """Whether the reason is required, given the plan as it stands."""
        return self.WHY

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """Refuse what is not possible from where the plan stands (raises a PlanHistoryError)."""

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """Change the plan's state accordingly. Never fails, never refuses."""

    def decide_amendment(self, amendment: Entry) -> None:
        """Refuse a correction of this entry, or a mark in error, that is not for its recorder to make."""

    def tell(self, plan: PlanState) -> str:
        """The entry in one sentence, for people."""
        raise NotImplementedError

    def ends(self) -> tuple[str, ...]:
        """The ids of things which are over once this entry counts."""
        return ()


TData = TypeVar("TData", bound=type[EntryData])
TOPICS: dict[str, type[EntryData]] = {}
TYPES: dict[str, type[EntryData]] = {}
"""The entry types of a plan, by name."""
CLINIC_TYPES: dict[str, type[EntryData]] = {}
"""The entry types of a clinic, by name."""
EVERY_TYPE: dict[str, type[EntryData]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def recorded(topic: str) -> Callable[[TData], TData]:
    """Declare a type of entry: make it a frozen dataclass and register its published topic."""

    def declare(cls: TData) -> TData:
        declared = cast("TData", dataclass(frozen=True, kw_only=True)(cls))
        own = CLINIC_TYPES if topic.startswith("clinic.") else TYPES
        name = declared.__name__
        if topic in TOPICS or name in EVERY_TYPE:
            raise TypeError(f"{name} ({topic}) is declared twice")
        TOPICS[topic] = EVERY_TYPE[name] = own[name] = declared
        declared.TOPIC = topic
        return declared

    return declare


def chapter_of(cls: type[EntryData]) -> str:
    """The chapter of the chart an entry type belongs to, e.g. ``goals``."""
    return cls.__module__.rpartition(".")[2]


def type_named(name: str, types: Mapping[str, type[EntryData]] = TYPES) -> type[EntryData]:
    """The entry type called ``name``; raises UnknownEntryTypeError, saying what was meant or where it belongs."""
    try:
        return types[name]
    except KeyError:
        if name in EVERY_TYPE:
            raise UnknownEntryTypeError(placed(name), "/type") from None
        near = [known for known in types if known.lower() == str(name).lower().replace("_", "")]
        hint = f" Did you mean {near[0]}?" if near else " GET /v1/entry-types lists them all."
        shown = str(name)[:60]
        raise UnknownEntryTypeError(f"There is no entry type “{shown}”.{hint}", "/type") from None


def placed(name: str) -> str:
    """Where an entry type belongs, in one sentence."""
    whose, route = "a plan", "POST /v1/plans/{plan_id}/entries"
    if name in CLINIC_TYPES:
        whose, route = "the clinic itself", "POST /v1/clinic/entries"
    return f"{name} is an entry of {whose}: {EVERY_TYPE[name].ONLY_BY or route} records it."


class Entry(CanMutateAggregate[UUID]):
    """One recorded event of a plan: its data and the envelope every entry has.

    ``timestamp`` is the library's name for ``recorded_at``. All moments are aware and in UTC.
    Until the database has stamped it, a new entry carries the service's own clock and position 0.
    """

    originator_id: UUID
    originator_version: int
    timestamp: datetime
    entry_id: str
    data: EntryData
    recorded_by: Author
    occurred_at: datetime
    dated: bool = True  # False: nobody gave occurred_at, it simply is recorded_at
    voiced_by: str | None = None
    reason: Reason | None = None
    session_id: str | None = None
    command_id: str | None = None
    causation_id: str | None = None
    position: int = 0
    key_id: UUID | None = None  # what its stored state is sealed with; None: kept as plain JSON
    sources: tuple[
        int, ...
    ] = ()  # the versions behind a corrected entry: its own, the correction's
    older: tuple[int, dict[str, Any]] | None = None  # format and data as stored before an upcast

    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Entries are never changed ({name})")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(self.entry_id)

    def __repr__(self) -> str:
        return f"<{self.type} {self.entry_id} v{self.originator_version}>"

    @property
    def plan_id(self) -> UUID:
        """The plan it belongs to."""
        return self.originator_id

    @property
    def version(self) -> int:
        """Its number in the plan, from 1."""
        return self.originator_version

    @property
    def recorded_at(self) -> datetime:
        """When the service wrote it down (UTC, given by the database)."""
        return self.timestamp

    @property
    def type(self) -> str:
        """The entry's name, e.g. ``GoalSet``."""
        return type(self.data).__name__

    def late(self, policy: Policy = DEFAULT_POLICY) -> bool:
        """Whether it was recorded later after it occurred than the clinic's policy calls in time."""
        return self.timestamp - self.occurred_at > policy.late_after

    def but(self, **changed: Any) -> Entry:
        """This entry with some of its envelope or data replaced."""
        return Entry(**{**self.__dict__, **changed})

    def seal_with(self, key_id: UUID) -> None:
        """Let a new entry, which nobody has stored yet, be kept under a key of its own."""
        self.__dict__["key_id"] = key_id

    def mutate(self, plan: Any) -> Any:
        """The library's hook: the plan with this entry learnt (a new plan when ``plan`` is None)."""
        from domain.aggregates import shell  # noqa: PLC0415 - histories are made of entries, not the reverse

        known = shell(self) if plan is None else plan
        known.learn(self)
        return known


Getter = Callable[[Any, str], Iterator[tuple[str, str]]]


@remembered
def links_of(cls: type) -> tuple[tuple[New | Ref, Getter], ...]:
    """For each field of ``cls`` that holds ids of the plan's things: its rule and a getter.

    The getter yields (JSON pointer, id) for every id held in that field of one instance.
    """
    found: list[tuple[New | Ref, Getter]] = []
    for field in fields_of(cls):
        if field.link is not None:
            found.append((field.link, _ids_getter(field)))
        elif field.nested:
            found.extend(
                (rule, _nested_getter(field, getter)) for rule, getter in links_of(field.type)
            )
    return tuple(found)


def _ids_getter(field: Field) -> Getter:
    name = field.name

    def one(data: Any, pointer: str) -> Iterator[tuple[str, str]]:
        held = getattr(data, name)
        if held:
            yield f"{pointer}/{field.key}", held

    def many(data: Any, pointer: str) -> Iterator[tuple[str, str]]:
        for index, held in enumerate(getattr(data, name) or ()):
            yield f"{pointer}/{field.key}/{index}", held

    return many if field.many else one


def _nested_getter(field: Field, inner: Getter) -> Getter:
    def getter(data: Any, pointer: str) -> Iterator[tuple[str, str]]:
        held = getattr(data, field.name)
        groups = held if field.many else (held,)
        for index, group in enumerate(groups or ()):
            if group is not None:
                place = f"{pointer}/{field.key}" + (f"/{index}" if field.many else "")
                yield from inner(group, place)

    return getter


@remembered
def _making(cls: type) -> tuple[tuple[New, Getter], ...]:
    return tuple((rule, getter) for rule, getter in links_of(cls) if isinstance(rule, New))


@remembered
def _referring(cls: type) -> tuple[tuple[Ref, Getter], ...]:
    return tuple((rule, getter) for rule, getter in links_of(cls) if isinstance(rule, Ref))


def created_ids(entry: Entry) -> Iterable[tuple[str, str, str]]:
    """(kind, id, JSON pointer) of everything new that the entry brings into its plan."""
    making = _making(type(entry.data))
    return _created(entry.data, making) if making else ()


def _created(
    data: EntryData, making: tuple[tuple[New, Getter], ...]
) -> Iterator[tuple[str, str, str]]:
    for rule, getter in making:
        for pointer, held in getter(data, "/data"):
            yield rule.kind, held, pointer


def references(entry: Entry) -> Iterable[tuple[Ref, str, str]]:
    """(rule, id, JSON pointer) of everything in its plan that the entry refers to."""
    referring = _referring(type(entry.data))
    return _referred(entry.data, referring) if referring else ()


def _referred(
    data: EntryData, referring: tuple[tuple[Ref, Getter], ...]
) -> Iterator[tuple[Ref, str, str]]:
    for rule, getter in referring:
        for pointer, held in getter(data, "/data"):
            yield rule, held, pointer


def to_stored(entry: Entry) -> dict[str, Any]:
    """What of an entry is kept in its stored state, in JSON types (ids, order and times are columns).

    The keys are the API's own, ``occurred_at`` first, so that a timeline can be served without taking
    the state apart.
    """
    stored: dict[str, Any] = {}
    if entry.dated:
        stored["occurred_at"] = plain_moment(entry.occurred_at)
    stored["recorded_by"] = to_plain(entry.recorded_by)
    for name in ("voiced_by", "session_id", "causation_id"):
        if (held := getattr(entry, name)) is not None:
            stored[name] = held
    if entry.reason is not None:
        stored["reason"] = to_plain(entry.reason)
    format_version = getattr(type(entry.data), "class_version", 1)
    if format_version > 1:
        stored["class_version"] = format_version
    stored["data"] = to_plain(entry.data, as_recorded=True)
    return stored


def as_recorded(entry: Entry) -> dict[str, Any]:
    """An entry as a line of an export holds it: id, topic, and its state with its moment filled in."""
    state = to_stored(entry)
    if entry.older is not None:
        format_version, state["data"] = entry.older
        state.pop("class_version")
        state.update({"class_version": format_version} if format_version > 1 else {})
    moment = {"occurred_at": plain_moment(entry.occurred_at)}
    return {"entry_id": entry.entry_id, "topic": entry.data.TOPIC, **state, **moment}


def before_upcast(
    cls: type[EntryData], stored: dict[str, Any], format_version: int
) -> tuple[int, dict[str, Any]] | None:
    """The format and a copy of data that is about to be upcast; None when its format is today's."""
    if format_version == getattr(cls, "class_version", 1):
        return None
    return format_version, deepcopy(stored)


def data_from_stored(
    cls: type[EntryData], stored: dict[str, Any], format_version: int
) -> EntryData:
    """An entry's data from its stored form, upcast step by step to today's format.

    An upcast is a static method ``upcast_v1_v2(data: dict) -> None`` on the entry's class.
    """
    current = getattr(cls, "class_version", 1)
    while format_version < current:
        getattr(cls, f"upcast_v{format_version}_v{format_version + 1}")(stored)
        format_version += 1
    return revive(cls, stored)


@lru_cache(maxsize=4096)
def _author(member_id: str, name: str, role: str, credential: str | None) -> Author:
    """One and the same author for the many entries they recorded."""
    return Author(member_id=member_id, name=name, role=role, credential=credential)


def from_stored(topic: str, stored: dict[str, Any], **columns: Any) -> Entry:
    """The entry kept under ``topic`` as ``stored``; ``columns`` are the facts kept beside it.

    Raises UnknownEntryTypeError for a topic outside the closed registry: nothing is imported by name.
    """
    cls = TOPICS.get(topic)
    if cls is None:
        raise UnknownEntryTypeError(f"Stored topic “{topic[:80]}” is not in the registry.")
    entry: Entry = object.__new__(Entry)
    held = entry.__dict__
    held.update(columns)
    format_version = stored.get("class_version", 1)
    if older := before_upcast(cls, stored["data"], format_version):
        held["older"] = older
    held["data"] = data_from_stored(cls, stored["data"], format_version)
    by = stored["recorded_by"]
    held["recorded_by"] = _author(by["member_id"], by["name"], by["role"], by.get("credential"))
    occurred = stored.get("occurred_at")
    held["dated"] = occurred is not None
    held["occurred_at"] = datetime.fromisoformat(occurred) if occurred else held["timestamp"]
    for name in ("voiced_by", "session_id", "causation_id"):
        if name in stored:
            held[name] = stored[name]
    if "reason" in stored:
        held["reason"] = revive(Reason, stored["reason"])
    return entry
