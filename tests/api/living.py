"""The sample life of a plan (tests/domain/samples.py), lived through the API, its texts replaced at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from api.examples import group_example
from api.schemas import given_fields
from domain.entry import EntryData, Reason
from domain.fields import Field, Ref, TextRule, build, fields_of, to_plain
from service.access import Principal
from service.recording import Draft, Request
from tests.api.house import Desk, House, assign
from tests.conftest import Caller
from tests.domain.samples import LIFE, SUPERVISOR, THERAPIST, Sample

Words = Callable[[str, TextRule], str]


def as_they_are(text: str, _: TextRule) -> str:
    """The sample's own words."""
    return text


def texts_of(
    cls: type, plain: dict[str, Any], pointer: str = ""
) -> Iterator[tuple[str, Field, str]]:
    """(JSON pointer, declaration, text) of every text in an entry's plain data, groups included."""
    for held in fields_of(cls):
        value = plain.get(held.key)
        items = value if isinstance(value, list) else [] if value is None else [value]
        for number, item in enumerate(items):
            place = f"{pointer}/{held.key}" + (f"/{number}" if held.many else "")
            if held.nested:
                yield from texts_of(held.type, item, place)
            elif rule_of(held) is not None:
                yield place, held, item


def rule_of(declared: Field) -> TextRule | None:
    """The rule of a field that holds free text, or None."""
    for rule in (*declared.rules, *declared.item_rules):
        if isinstance(rule, TextRule) and not declared.choices:
            return rule
    return None


def data_of(data: EntryData, words: Words = as_they_are) -> dict[str, Any]:
    """An entry's data as it is sent, with ``words`` for its texts, which are all there then."""
    cls = type(data)
    plain: dict[str, Any] = to_plain(data)
    given = {held.key for held in given_fields(cls)}
    sent = {key: held for key, held in plain.items() if key in given}
    if words is not as_they_are:
        sent = with_every_text(cls, sent)
    for pointer, declared, text in list(texts_of(cls, sent)):
        rule = rule_of(declared)
        assert rule is not None
        put(sent, pointer, words(text, rule))
    if isinstance(sent.get("data"), dict):  # a correction's, of a text field of its own
        sent["data"] = {**sent["data"], "indicators": words("Blinds down", TextRule())}
    return sent


def with_every_text(cls: type, plain: dict[str, Any]) -> dict[str, Any]:
    """``plain`` with every text there is room for, in groups that were left out, too."""
    shown = dict(plain)
    for held in given_fields(cls):
        value = shown.get(held.key)
        if held.nested and held.many:
            shown[held.key] = [with_every_text(held.type, item) for item in value or ()]
        elif held.nested:
            shown[held.key] = with_every_text(held.type, value or group_example(held.type))
        elif value is None and rule_of(held) is not None:
            shown[held.key] = ["…"] if held.many else "…"
    return shown


def declared_texts(cls: type, pointer: str = "") -> Iterator[str]:
    """The pointers of every text an entry's data has room for, without places in lists."""
    for held in given_fields(cls):
        if held.nested:
            yield from declared_texts(held.type, f"{pointer}/{held.key}")
        elif rule_of(held) is not None:
            yield f"{pointer}/{held.key}"


def put(document: Any, pointer: str, value: object) -> None:
    """Put ``value`` where the pointer points."""
    *steps, last = pointer.split("/")[1:]
    for step in steps:
        document = document[int(step) if isinstance(document, list) else step]
    document[int(last) if isinstance(document, list) else last] = value


def look_up(document: Any, pointer: str) -> Any:
    """What ``document`` holds at a JSON pointer (RFC 6901)."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def refers_to_entries(sample: Sample) -> set[str]:
    """The ids of earlier entries that a sample names."""
    told = {held.entry_id for held in LIFE}
    named = str(to_plain(sample.data))
    return {held for held in told if held in named}


@dataclass
class Living:
    """A plan that lives the sample life; the service gives entries ids of its own, ``known`` has them."""

    house: House
    therapist: Caller
    supervisor: Caller
    desk: Desk
    known: dict[str, str] = field(default_factory=dict)
    lived: int = 1

    @classmethod
    def begin(cls, house: House, words: Words = as_they_are) -> Living:
        """Open the plan in a clinic of its own."""
        clinic = house.clinic()
        therapist, supervisor = (
            house.sign_in(clinic, who.role, name=who.name, member_id=UUID(who.member_id))
            for who in (THERAPIST, SUPERVISOR)
        )
        opening = LIFE[0]
        envelope = envelope_of(opening, words)
        answer = therapist.post("/v1/plans", {**envelope, **data_of(opening.data, words)})
        assert answer.status_code == 201, answer.text
        made = answer.json
        desk = Desk(house, clinic, therapist, made["plan_id"])
        assign(desk, therapist)  # who goes on recording when another therapist takes over
        known = {opening.entry_id: made["entries"][0]["entry_id"]}
        return cls(house, therapist, supervisor, desk, known)

    def entry(self, sample: Sample, words: Words = as_they_are) -> dict[str, Any]:
        """A sample as it is sent, referring to this plan's own entries."""
        data = data_of(sample.data, words)
        for spec in given_fields(type(sample.data)):
            held = data.get(spec.key)
            if isinstance(spec.link, Ref) and held:
                many = isinstance(held, list)
                ids = [self.known.get(item, item) for item in (held if many else [held])]
                data[spec.key] = ids if many else ids[0]
        return {"type": sample.type, **envelope_of(sample, words), "data": data}

    def live(self, until: int = len(LIFE), words: Words = as_they_are) -> Living:
        """Live on until so many entries are recorded, in as few requests as it takes."""
        batch: list[Sample] = []
        for sample in LIFE[self.lived : until]:
            waits = refers_to_entries(sample) & {held.entry_id for held in batch}
            if batch and (waits or sample.recorded_by != batch[-1].recorded_by):
                self._record(batch, words)
                batch = []
            batch.append(sample)
        if batch:
            self._record(batch, words)
        return self

    def _record(self, batch: Sequence[Sample], words: Words) -> None:
        if batch[0].data.ONLY_BY:
            self._happen(batch, words)
            return
        caller = self.supervisor if batch[0].recorded_by == SUPERVISOR else self.therapist
        sent = {"entries": [self.entry(sample, words) for sample in batch]}
        answer = caller.post(f"{self.desk.url}/entries", sent)
        assert answer.status_code == 201, answer.text
        for sample, made in zip(batch, answer.json["entries"], strict=True):
            self.known[sample.entry_id] = made["entry_id"]
        self.lived += len(batch)

    def _happen(self, batch: Sequence[Sample], words: Words) -> None:
        """Let happen what is not sent as an entry: the service records it by itself."""
        who = batch[0].recorded_by
        clinic_id, member_id = self.desk.clinic.clinic_id, UUID(who.member_id)
        principal = Principal(clinic_id, member_id, who.name, who.role, None, uuid4())
        drafts = [
            Draft(
                data=build(type(sample.data), self.entry(sample, words)["data"]),
                occurred_at=sample.occurred_at,
            )
            for sample in batch
        ]
        recording = self.house.container.plans.recording
        done = recording.record_in(principal, UUID(self.desk.plan_id), drafts, Request())
        for sample, made in zip(batch, done.entries, strict=True):
            self.known[sample.entry_id] = made.entry_id
        self.lived += len(batch)


def envelope_of(sample: Sample, words: Words = as_they_are) -> dict[str, Any]:
    """What surrounds a sample's data when it is sent."""
    shown: dict[str, Any] = {"occurred_at": sample.occurred_at.isoformat()}
    if sample.voiced_by:
        shown["voiced_by"] = sample.voiced_by
    if sample.reason:
        plain = to_plain(sample.reason)
        for pointer, declared, text in list(texts_of(Reason, plain)):
            rule = rule_of(declared)
            assert rule is not None
            put(plain, pointer, words(text, rule))
        shown["reason"] = plain
    if sample.session_id:
        shown["session_id"] = str(uuid5(NAMESPACE_URL, sample.session_id))
    return shown
