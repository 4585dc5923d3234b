"""Recording: a form for every type of entry, several at once, all or none.

What is typed is kept as a draft from the first entry on. A refusal, a conflict, a reload or an
auto-logoff loses nothing; sending twice records once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import orjson
from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.conventions import principal, services
from api.pages import choices
from api.pages.amending import correct
from api.pages.blueprint import names, pages, see_other, show
from api.pages.defaults import defaults, prefilled
from api.pages.plans import plan_facts
from api.pages.sent import again, holds, load, mended, next_prefix, request_of, sent_form
from api.pages.sheet import Held, entries_of, entry_of, faults
from api.pages.timeline import by_chapter
from api.pages.typed import flatten, fresh_ids, joined, new_things
from domain.entry import TYPES
from domain.errors import PlanHistoryError
from domain.plan import Plan
from domain.record import EntryCorrected
from service.access.table import RECORDS
from service.errors import PlanChangedError
from service.timeline import Filter

MOST_ENTRIES = 40
LOOK_BACK = 150
"""How many entries one can choose from when one is about another."""
_LATER = frozenset(
    {Plan.FIRST.__name__, EntryCorrected.__name__}
    | {name for name, cls in TYPES.items() if cls.ONLY_BY}
)
"""What is not added here: it begins elsewhere."""


@pages.get("/plans/<uuid:plan_id>/record")
def record(plan_id: UUID) -> AnyResponse:
    """The form, with what was typed before."""
    services().gate.see(
        principal(), "plans.record", plan_id
    )  # who only looks in is not led to a form
    plan = _plan(plan_id)
    typed = _begun(plan_id, plan)
    wanted, corrected = request.args.get("add"), request.args.get("correct")
    if wanted in allowed(plan_id) and not holds(typed, wanted):
        _add(typed, plan, wanted, prefilled(plan, request.args))
    elif corrected:
        _add_correction(typed, plan_id, corrected)
    return _page(plan, typed)


@pages.post("/plans/<uuid:plan_id>/record")
def send(plan_id: UUID) -> AnyResponse:
    """Add an entry to the form, take one out, keep it for later, put it away, or record it all."""
    services().gate.require(principal(), "plans.record", plan_id)
    typed = sent_form()
    action, _, what = (typed.pop("action", [""])[0]).partition(":")
    if action == "discard":
        services().drafts.discard(principal(), plan_id)
        return see_other("pages.record", plan_id=plan_id)
    services().gate.see(principal(), "plans.record", plan_id)  # out of reach, nothing is kept
    if action == "record":
        return _recorded(plan_id, typed)
    if action == "add" and what in allowed(plan_id) and len(entries_of(typed)) < MOST_ENTRIES:
        _add(typed, _plan(plan_id), what, {})
    elif action == "remove":
        typed = {name: held for name, held in typed.items() if not name.startswith(f"{what}.")}
    services().drafts.save(principal(), plan_id, typed)
    if action == "save":
        return show("stay")
    place = f"{entries_of(typed)[-1]}" if action == "add" and entries_of(typed) else None
    return see_other("pages.record", plan_id=plan_id, _anchor=place)


def allowed(plan_id: UUID) -> frozenset[str]:
    """The types one records in this plan, as one stands to it; corrections begin at their entry."""
    who = principal()
    relation = services().gate.relation(who, "plans.record", plan_id) or ""
    found = RECORDS.get((who.role, relation))
    return (frozenset(TYPES) - _LATER) if found is None else found


def _plan(plan_id: UUID) -> dict[str, Any]:
    _, document = services().plans.current(principal(), plan_id)
    held: dict[str, Any] = orjson.loads(document)
    return held


def _begun(plan_id: UUID, plan: Mapping[str, Any]) -> Held:
    """The draft there is, or a new one: its key makes sending it twice record it once."""
    kept = services().drafts.find(principal(), plan_id)
    return mended(kept) if kept else {"key": [str(uuid4())], "seen": [str(plan["version"])]}


def _add(typed: Held, plan: Mapping[str, Any], name: str, given: Mapping[str, Any]) -> None:
    cls, prefix = TYPES[name], next_prefix(typed)
    known = {**defaults(cls, plan, principal()), **given}
    typed[f"{prefix}.type"] = [name]
    typed.update(fresh_ids(cls, f"{prefix}.data"))
    typed.update(joined(cls, flatten(known, f"{prefix}.data"), f"{prefix}.data"))


def _add_correction(typed: Held, plan_id: UUID, given: str) -> None:
    """A correction of an entry, with what stands to begin from."""
    try:
        entry_id = UUID(given)
    except ValueError:
        return
    correct(typed, services().timeline.entry(principal(), plan_id, entry_id))


# Recording


def _recorded(plan_id: UUID, typed: Held) -> AnyResponse:
    who = principal()
    try:
        drafts = load(typed, "client" if who.role == "client" else None)
        services().plans.record(who, plan_id, drafts, request_of(typed))
    except PlanHistoryError as refused:
        services().drafts.save(who, plan_id, typed)
        return _again(plan_id, typed, refused)
    services().drafts.discard(who, plan_id)
    return see_other("pages.plan", plan_id=plan_id, recorded=len(drafts))


def _again(plan_id: UUID, typed: Held, refused: PlanHistoryError) -> AnyResponse:
    """The form once more, with what to mend and all that was typed."""
    plan = _plan(plan_id)
    again(typed, refused, plan["version"])
    services().drafts.save(principal(), plan_id, typed)
    return _page(plan, typed, refused)


def _page(
    plan: dict[str, Any], typed: Held, refused: PlanHistoryError | None = None
) -> AnyResponse:
    found = faults(typed, refused)
    options = {**choices.of_plan(plan, names()), "entry": _entries(UUID(plan["plan_id"]))}
    shown, claimed = [], set()
    for prefix in entries_of(typed):
        entry = entry_of(typed, prefix, options, found)
        shown.append(entry)
        claimed |= entry["names"]
        for kind, made, name in new_things(TYPES[entry["type"]], typed, f"{prefix}.data"):
            options[kind] = [*options.get(kind, ()), (made, name)]
    rest = [detail for name, held in found.items() if name not in claimed for detail in held]
    newer = refused.facts.get("newer_entries") if isinstance(refused, PlanChangedError) else None
    return show(
        "record",
        errors.status_of(refused) if refused else 200,
        **plan_facts(plan),
        entries=shown,
        typed=typed,
        refused=refused,
        rest=rest,
        newer=[{**held, "recorded_at": held["recorded_at"].isoformat()} for held in newer or ()],
        types=_offered(allowed(UUID(plan["plan_id"]))),
    )


def _entries(plan_id: UUID) -> list[tuple[str, str]]:
    page = services().timeline.of_plan(
        principal(), plan_id, Filter(order="-recorded", limit=LOOK_BACK)
    )
    return choices.of_entries([orjson.loads(held) for held in page.entries])


def _offered(those: frozenset[str]) -> dict[str, list[str]]:
    """The types one can add, by chapter."""
    found = {
        chapter: [name for name in held if name in those] for chapter, held in by_chapter().items()
    }
    return {chapter: held for chapter, held in found.items() if held}
