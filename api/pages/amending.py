"""What is said about an earlier entry: a correction, a mark in error, an addendum; in a plan, or in the clinic."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.conventions import principal, services
from api.pages import choices
from api.pages.clinic_words import AMENDMENTS
from api.pages.given import as_id
from api.pages.sent import next_prefix
from api.pages.sheet import Held, entries_of, first
from api.pages.typed import flatten, joined
from domain.approval import Approval
from domain.entry import EVERY_TYPE
from domain.errors import EntryNotFoundError
from domain.record import EntryCorrected

RECORD, PROPOSE = "record", "propose"
"""How a change of the clinic comes about."""


def correct(typed: Held, entry: Mapping[str, Any]) -> None:
    """Put a correction of an entry – told with what was said about it – on the sheet, once."""
    entry_id, cls = entry["entry_id"], EVERY_TYPE[entry["type"]]
    if _is_there(typed, EntryCorrected.__name__, entry_id):
        return
    prefix = next_prefix(typed)
    typed[f"{prefix}.type"] = [EntryCorrected.__name__]
    typed[f"{prefix}.of"] = [entry["type"]]
    typed[f"{prefix}.data.entry_id"] = [entry_id]
    inner = f"{prefix}.data.data"
    typed.update(joined(cls, flatten(_as_it_stands(entry), inner), inner))


def _is_there(typed: Held, name: str, entry_id: str) -> bool:
    """Whether an entry of that type about that entry is on the sheet."""
    return any(
        typed[f"{prefix}.type"] == [name] and typed.get(f"{prefix}.data.entry_id") == [entry_id]
        for prefix in entries_of(typed)
    )


def _as_it_stands(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the newest correction made of it; what was written, where there is none."""
    newest: Mapping[str, Any] = [entry, *(held["data"] for held in entry["corrections"])][-1]
    found: Mapping[str, Any] = newest["data"]
    return found


# The clinic's own


def way(name: str, entry_id: str) -> str | None:
    """How one amends that entry of the clinic in that way: at once, or by a proposal; None: not at all."""
    found = _ways(entry_id)
    if name not in found:
        return None
    return PROPOSE if found[name] else RECORD


def _ways(entry_id: str) -> Mapping[str, Approval | None]:
    return services().clinic.amending(principal(), [entry_id]).get(entry_id, {})


def begin(typed: Held, name: str, entry_id: str, version: int) -> None:
    """Put it on the sheet, once, as the clinic stands at a version: what comes meanwhile is shown first."""
    if not about(typed):
        typed["seen"] = [str(version)]
    if name == EntryCorrected.__name__:
        correct(typed, services().timeline.entry_of_clinics_own(principal(), UUID(entry_id)))
    elif not _is_there(typed, name, entry_id):
        prefix = next_prefix(typed)
        typed[f"{prefix}.type"] = [name]
        typed[f"{prefix}.data.entry_id"] = [entry_id]


def about(typed: Held) -> list[str]:
    """The earlier entries of the clinic that the sheet says something about."""
    return [
        first(typed, f"{prefix}.data.entry_id")
        for prefix in entries_of(typed)
        if typed[f"{prefix}.type"][0] in AMENDMENTS
    ]


def earlier(typed: Held) -> list[tuple[str, str]]:
    """Those entries, as one finds them again."""
    found, who = [], principal()
    for held in filter(None, map(as_id, about(typed))):
        with contextlib.suppress(EntryNotFoundError):
            found.append(services().timeline.entry_of_clinics_own(who, held))
    return choices.of_entries(found)


def approvals(typed: Held) -> list[Approval | None]:
    """Who approves what the sheet says about earlier entries."""
    return [
        _ways(first(typed, f"{prefix}.data.entry_id")).get(typed[f"{prefix}.type"][0])
        for prefix in entries_of(typed)
        if typed[f"{prefix}.type"][0] in AMENDMENTS
    ]
