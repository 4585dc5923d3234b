"""Record: addenda, corrections, entries made in error. Nothing vanishes; everything stays attributed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from domain.entry import EntryData, recorded
from domain.fields import AnyEntry, RangeRule, Text, build, in_utc, to_plain
from domain.parts import short

if TYPE_CHECKING:
    from domain.plan import Plan
    from domain.state import PlanState


@recorded("plan.addendum-added")
class AddendumAdded(EntryData):
    """Something is added to an earlier entry, which stays as it is."""

    WHEN_CLOSED = True

    entry_id: AnyEntry
    text: Text

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return f"An addendum was written: {short(self.text)}."


@recorded("plan.entry-corrected")
class EntryCorrected(EntryData):
    """An earlier entry should have said something else; it stays, the plan uses the correction.

    Given fields replace those of the original, null removes an optional one; what is stored is the
    whole corrected data, so that it reads without its original. The rules of the original's type
    apply (``domain/amendments.py``).
    """

    WHY = True
    WHEN_CLOSED = True

    entry_id: AnyEntry
    data: dict[str, Any]
    occurred_at: datetime | None = None
    format_version: Annotated[int, RangeRule(1, 999)] = 1

    def complete(self, plan: Plan) -> EntryData:
        """With the whole of the corrected data, checked by the rules of the original's type."""
        original = plan.standing_entry(self.entry_id)
        if original is None:
            return self
        merged = {**to_plain(original.data), **self.data}
        given = {name: held for name, held in merged.items() if held is not None}
        corrected = build(type(original.data), given, "/data/data").complete(plan)
        version = getattr(type(original.data), "class_version", 1)
        # A date that an earlier correction gave stays, unless this one gives another.
        given_before = original.occurred_at if original.sources else None
        return replace(
            self,
            data=to_plain(corrected),
            occurred_at=in_utc(self.occurred_at) or given_before,
            format_version=version,
        )

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "An earlier entry was corrected."


@recorded("plan.entry-marked-in-error")
class EntryMarkedInError(EntryData):
    """An earlier entry should not be there; it stays visible, the plan no longer uses it.

    Marking a mark or a correction in error takes that back.
    """

    WHY = True
    WHEN_CLOSED = True

    entry_id: AnyEntry
    including_dependents: bool = False

    def tell(self, plan: PlanState) -> str:
        """One sentence for people."""
        return "An earlier entry was marked as entered in error."
