"""A plan that takes another's place: the successor names the one before it, in its opening."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from domain.entry import Entry
from domain.errors import MomentNotFoundError, TransitionError, UnknownReferenceError
from domain.lifecycle import PlanSuperseded
from domain.opening import PlanOpened
from domain.record import EntryCorrected
from service.access import Gate, Principal
from service.reading import reading_plan
from service.recording import Draft

FIELD = "replaces_plan_id"
SUCCESSOR = "by_plan_id"


def refuse_strange_opening(gate: Gate, principal: Principal, opening: PlanOpened) -> None:
    """Refuse a plan that would replace one which is not there, or is another client's."""
    if opening.replaces_plan_id is not None:
        _refuse(gate, principal, opening.replaces_plan_id, opening.client_ref, f"/{FIELD}")


def _refuse(
    gate: Gate, principal: Principal, named: str, client_ref: str | None, pointer: str
) -> None:
    try:
        plan_id = UUID(named)
    except ValueError:
        return  # the declaration says what is wrong with it
    facts = gate.facts(principal.clinic_id, plan_id)
    if facts is None or gate.relation(principal, "plans.read", plan_id) is None:
        raise UnknownReferenceError("No plan of that id is within your reach; check it.", pointer)
    if facts.client_ref != client_ref:
        raise UnknownReferenceError("That plan is another client's; check its id.", pointer)


def refuse_strange_corrections(
    gate: Gate, principal: Principal, plan_id: UUID, drafts: Sequence[Draft]
) -> None:
    """The same, where a correction of the opening names the plan."""
    for index, draft in enumerate(drafts):
        given = draft.data.data if isinstance(draft.data, EntryCorrected) else {}
        named, pointer = given.get(FIELD), f"/entries/{index}/data/data/{FIELD}"
        if not isinstance(named, str):
            continue  # nothing of the kind, or what its declaration refuses
        if named == str(plan_id):
            raise TransitionError("A plan cannot take its own place.", pointer)
        facts = gate.facts(principal.clinic_id, plan_id)
        if facts is not None:
            _refuse(gate, principal, named, facts.client_ref, pointer)


def refuse_strange_successors(
    gate: Gate, principal: Principal, plan_id: UUID, drafts: Sequence[Draft]
) -> None:
    """Refuse that another client's plan takes this one's place; one that is not here is warned of."""
    for index, draft in enumerate(drafts):
        named, pointer = _successor(draft), f"/entries/{index}/data/{SUCCESSOR}"
        mine = gate.facts(principal.clinic_id, plan_id) if named else None
        if named is None or mine is None:
            continue
        theirs = gate.facts(principal.clinic_id, named)
        if theirs is not None and theirs.client_ref != mine.client_ref:
            raise UnknownReferenceError("This client has no plan of that id; check it.", pointer)


def _successor(draft: Draft) -> UUID | None:
    if not isinstance(draft.data, PlanSuperseded):
        return None
    try:
        return UUID(draft.data.by_plan_id)
    except ValueError:
        return None  # the declaration says what is wrong with it


def warnings(
    gate: Gate, principal: Principal, entries: Sequence[Entry]
) -> Iterator[dict[str, Any]]:
    """What is to be mended where an entry names a successor that does not name its plan."""
    for entry in entries:
        if isinstance(entry.data, PlanSuperseded):
            detail = _missing(gate, principal, entry, UUID(entry.data.by_plan_id))
            if detail is not None:
                yield {
                    "entry_id": entry.entry_id,
                    "version": entry.version,
                    "type": entry.type,
                    "detail": detail,
                }


def _missing(gate: Gate, principal: Principal, entry: Entry, successor: UUID) -> str | None:
    if gate.relation(principal, "plans.read", successor) is None:
        return "No plan of the id in by_plan_id is within your reach; check it."
    with reading_plan(gate.plans, principal.clinic_id, successor) as plan:
        try:  # as it was then: a request that is sent again is answered as the first time
            outline = plan.at(plan.version_at(entry.recorded_at)).opening.outline
        except MomentNotFoundError:
            return "That plan was not there yet."
    if outline.replaces_plan_id == str(entry.plan_id):
        return None
    return (
        "The plan that takes this one's place does not say so: correct its opening with "
        f"{FIELD}, then it names this plan as the one before it."
    )
