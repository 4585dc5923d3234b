"""Signatures: agreement and disagreement, signing, co-signing, returning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from domain.entry import Author, Entry, EntryData, Voice, recorded
from domain.errors import InvalidDataError, NotYoursError, Problem, TransitionError
from domain.fields import RangeRule, Text, TextRule
from domain.parts import Part, Parts, Section, short

if TYPE_CHECKING:
    from domain.plan import Plan
    from domain.state import PlanState

Version = Annotated[int, RangeRule(1, 10_000_000)]
Hash = Annotated[str, TextRule(least=0, most=64)]


@dataclass(slots=True, kw_only=True)
class ClientVoice(Part):
    """The client's newest word on the plan: agreed, disagreed, or not signing."""

    answer: str | None = None
    by: str | None = None
    of_version: int | None = None
    words: str | None = None
    at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Signature(Part):
    """A clinician's signature under one version of the plan."""

    entry_id: str
    of_version: int
    meaning: str
    content_hash: str
    by: dict[str, Any]
    signed_at: datetime
    cosigner_id: str | None = None
    """Who had to co-sign it when it was signed; None: nobody."""
    status: str = "signed"
    cosigned_by: dict[str, Any] | None = None
    cosigned_at: datetime | None = None
    what_to_change: str | None = None


@dataclass(slots=True, kw_only=True)
class Material(Part):
    """The newest change that matters to what was agreed."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"touched", "agreement_needed_since"})

    last_material_version: int = 0
    last_material_at: datetime | None = None
    agreement_needed_since: datetime | None = None  # the first change the client has not spoken on


class Signatures(Section):
    """Who stands behind which version of the plan."""

    FLAT = frozenset({"material"})
    UNDER = "signatures"

    def __init__(self) -> None:
        self.client = ClientVoice()
        self.signed: Parts[Signature] = Parts()
        self.material = Material()

    def note_material(self, entry: Entry) -> None:
        """A change that matters was made."""
        held = self.material.edit(entry)
        held.last_material_version = max(held.last_material_version, entry.version)
        held.last_material_at = entry.occurred_at
        held.agreement_needed_since = held.agreement_needed_since or entry.occurred_at

    def under(self, of_version: int, *statuses: str) -> list[Signature]:
        """The signatures under that version in one of those statuses, oldest first."""
        return [s for s in self.signed if s.of_version == of_version and s.status in statuses]

    def owed(self) -> list[Signature]:
        """Each signer's newest signature, where it still waits for the co-signature it needed.

        What they signed before was about an older plan: the newer signature takes its place.
        """
        newest: dict[str, Signature] = {}
        for held in self.signed:
            member_id = held.by["member_id"]
            if member_id not in newest or newest[member_id].of_version <= held.of_version:
                newest[member_id] = held
        return [held for held in newest.values() if held.status == "signed" and held.cosigner_id]

    def waiting(self, of_version: int, supervisor_id: str) -> Signature | None:
        """The newest signature of somebody else under that version that waits for a supervisor."""
        under = self.under(of_version, "signed")
        return next((s for s in reversed(under) if s.by["member_id"] != supervisor_id), None)

    def document(self) -> dict[str, Any]:
        """Everything about signatures; ``current`` tells whether it covers the newest material change."""
        shown = Section.document(self)
        since = self.material.last_material_version
        held = shown["signatures"]
        for given in (held["client"], *held["signed"]):
            given["current"] = given["of_version"] is not None and given["of_version"] >= since
        return shown


def _by(author: Author) -> dict[str, Any]:
    return {
        "member_id": author.member_id,
        "name": author.name,
        "role": author.role,
        "credential": author.credential,
    }


def _refuse_unknown_version(of_version: int, entry: Entry) -> None:
    if of_version >= entry.version:
        detail = f"The plan has no version {of_version} yet; its newest is {entry.version - 1}."
        raise InvalidDataError([Problem("/data/of_version", detail)])


@recorded("plan.plan-agreed")
class PlanAgreed(EntryData):
    """The client (or who speaks for them) agrees to a version of the plan."""

    WHEN_CLOSED = True

    by: Voice
    statement: Text | None = None
    of_version: Version

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The version exists."""
        _refuse_unknown_version(self.of_version, entry)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The plan is agreed, and no longer a draft."""
        _hear(plan, entry, "agreed", self.by, self.of_version, self.statement)
        plan.lifecycle.activate(entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        said = f": {short(self.statement)}" if self.statement else ""
        return f"The {self.by} agreed to version {self.of_version} of the plan{said}."


@recorded("plan.plan-disagreed")
class PlanDisagreed(EntryData):
    """The client (or who speaks for them) disagrees with a version of the plan; that is documented."""

    WHEN_CLOSED = True

    by: Voice
    statement: Text | None = None
    of_version: Version
    what: Annotated[Text, "What they do not agree with."]

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The version exists."""
        _refuse_unknown_version(self.of_version, entry)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The disagreement is the newest word."""
        _hear(plan, entry, "disagreed", self.by, self.of_version, self.what)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"The {self.by} disagreed with version {self.of_version}: {short(self.what)}."


@recorded("plan.client-signature-declined")
class ClientSignatureDeclined(EntryData):
    """The client does not want to sign; documented, but no agreement."""

    WHY = True
    WHEN_CLOSED = True

    of_version: Version | None = None

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The version exists."""
        _refuse_unknown_version(self.of_version or 1, entry)

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """That is the newest word."""
        said = entry.reason.text if entry.reason else None
        _hear(plan, entry, "declined", "client", self.of_version or entry.version - 1, said)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "The client chose not to sign the plan."


def _hear(
    plan: PlanState, entry: Entry, answer: str, by: str, of_version: int, words: str | None
) -> None:
    held = plan.signatures.client.edit(entry)
    held.answer, held.by, held.of_version = answer, by, of_version
    held.words, held.at = words, entry.occurred_at
    material = plan.signatures.material.edit(entry)
    covered = of_version >= material.last_material_version
    material.agreement_needed_since = None if covered else material.last_material_at


@recorded("plan.plan-signed")
class PlanSigned(EntryData):
    """A clinician signs a version of the plan; the hash of what was signed is kept."""

    WHEN_CLOSED = True

    of_version: Version
    meaning: Literal["author", "reviewer"]
    content_hash: Annotated[
        Hash, "SHA-256 of what the version holds; filled in by the service."
    ] = ""

    def complete(self, plan: Plan) -> EntryData:
        """With the hash of the version that is signed."""
        if not 1 <= self.of_version <= plan.version:
            return self
        return replace(self, content_hash=plan.content_hash(self.of_version))

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """The version exists; the same person signs it once."""
        _refuse_unknown_version(self.of_version, entry)
        standing = plan.signatures.under(self.of_version, "signed", "cosigned")
        if any(held.by["member_id"] == entry.recorded_by.member_id for held in standing):
            raise TransitionError("You have signed that version already.", "/data/of_version")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The signature stands under that version, and the plan is no longer a draft."""
        supervisor_id = plan.opening.outline.supervisor_id
        held = Signature(
            entry_id=entry.entry_id,
            of_version=self.of_version,
            meaning=self.meaning,
            content_hash=self.content_hash,
            by=_by(entry.recorded_by),
            signed_at=entry.occurred_at,
            cosigner_id=supervisor_id if supervisor_id != entry.recorded_by.member_id else None,
        )
        plan.signatures.signed.add_newest(entry.entry_id, held, entry)
        plan.lifecycle.activate(entry)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Version {self.of_version} of the plan was signed as {self.meaning}."


def _require_supervision(plan: PlanState, entry: Entry, of_version: int, doing: str) -> None:
    supervisor_id = entry.recorded_by.member_id
    under = plan.signatures.under(of_version, "signed")
    # Of record is who supervises now, and who did when it was signed.
    if supervisor_id not in {plan.opening.outline.supervisor_id, *(s.cosigner_id for s in under)}:
        raise NotYoursError(f"Only the plan's supervisor of record can {doing} it.", "/type")
    if not under:
        raise TransitionError(
            f"Version {of_version} has no signature that waits for this; sign it first.",
            "/data/of_version",
        )
    if plan.signatures.waiting(of_version, supervisor_id) is None:
        raise NotYoursError(f"Nobody can {doing} their own signature.", "/type")


@recorded("plan.plan-cosigned")
class PlanCosigned(EntryData):
    """The supervisor of record co-signs a signed version."""

    WHEN_CLOSED = True

    of_version: Version

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """By the supervisor of record, and never under one's own signature."""
        _require_supervision(plan, entry, self.of_version, "co-sign")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The signature is co-signed."""
        signature = plan.signatures.waiting(self.of_version, entry.recorded_by.member_id)
        if signature is not None:
            held = plan.signatures.signed.edit(signature.entry_id, entry)
            held.status, held.cosigned_at = "cosigned", entry.occurred_at
            held.cosigned_by = _by(entry.recorded_by)

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Version {self.of_version} of the plan was co-signed."


@recorded("plan.plan-returned")
class PlanReturned(EntryData):
    """The supervisor of record returns a signed version with what to change."""

    WHEN_CLOSED = True
    PRIVATE = True

    of_version: Version
    what_to_change: Text

    def decide(self, plan: PlanState, entry: Entry) -> None:
        """By the supervisor of record, and never under one's own signature."""
        _require_supervision(plan, entry, self.of_version, "return")

    def apply(self, plan: PlanState, entry: Entry) -> None:
        """The signature is returned."""
        signature = plan.signatures.waiting(self.of_version, entry.recorded_by.member_id)
        if signature is not None:
            held = plan.signatures.signed.edit(signature.entry_id, entry)
            held.status, held.what_to_change = "returned", self.what_to_change

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"Version {self.of_version} came back: {short(self.what_to_change)}."
