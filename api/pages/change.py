"""Changing the clinic: a form for every entry of its own, recorded at once or proposed to others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from api import errors
from api.clinic import ClinicEntriesSchema
from api.conventions import principal, services
from api.pages import amending, clinic_words, words
from api.pages.amending import PROPOSE, RECORD
from api.pages.blueprint import pages, require, see_other, show
from api.pages.clinic_words import AMENDMENTS
from api.pages.forms import Control
from api.pages.given import as_id
from api.pages.language import say
from api.pages.sent import again, holds, load, mended, next_prefix, request_of, sent_form
from api.pages.sheet import Held, entries_of, entry_of, faults, first
from api.pages.typed import flatten, fresh_ids, joined, new_things
from api.schemas import given_fields
from domain.clinic import Clinic, PolicySet
from domain.entry import CLINIC_TYPES, Reason
from domain.errors import PlanHistoryError
from domain.record import EntryCorrected
from service.access import Principal
from service.access.table import CLINIC_RECORDS, FOR_THEIR_TEAM, PROPOSES
from service.errors import PlanChangedError
from service.finding import PlanFilter, find_plans
from service.recording import Draft, Moment, Recorded

MOST_ENTRIES = 20
TAKEN = Clinic.TAKES
"""Every type that may be on a sheet of the clinic."""
GIVEN = ("member_id", "supervisor_id", "client_ref", "plan_id", "entry_id")
"""What an address may say the change is about."""


def ways(who: Principal, policy: Mapping[str, Any]) -> dict[str, str]:
    """The types one may bring about, in the order in which they are offered, and how: recorded or proposed."""
    records = CLINIC_RECORDS.get(who.role, frozenset())
    proposes = PROPOSES.get(who.role, frozenset())
    found = {}
    for name in clinic_words.TYPES:
        approval = CLINIC_TYPES[name].APPROVAL
        alone = approval is None or not (approval.always or policy["two_people"])
        if name in records and alone:
            found[name] = RECORD
        elif name in proposes:
            found[name] = PROPOSE
    return found


@pages.get("/people/change")
def change() -> AnyResponse:
    """The form, with what was typed before."""
    clinic = _clinic()
    typed, wanted = _begun(clinic), request.args.get("add", "")
    given = {name: held for name in GIVEN if (held := request.args.get(name))}
    entry_id = as_id(request.args.get("correct") or given.get("entry_id"))
    if entry_id:
        name = EntryCorrected.__name__ if "correct" in request.args else wanted
        way = amending.way(name, str(entry_id))
        if way and _way(clinic, typed) not in (None, way):
            return _page(clinic, typed, elsewhere=True)
        if way:
            amending.begin(typed, name, str(entry_id), clinic["version"])
    elif wanted in _offered(clinic, typed) and not holds(typed, wanted):
        _add(typed, wanted, given)
    return _page(clinic, typed)


@pages.post("/people/change")
def send_change() -> AnyResponse:
    """Add an entry to the form, take one out, keep it for later, put it away, or send it."""
    clinic, who = _clinic(), principal()
    typed = sent_form(TAKEN)
    action, _, what = (typed.pop("action", [""])[0]).partition(":")
    if action == "discard":
        services().drafts.discard(who, who.clinic_id)
        return see_other("pages.people")
    if action == "send":
        return _sent(clinic, typed)
    full = len(entries_of(typed)) >= MOST_ENTRIES
    if action == "add" and what in _offered(clinic, typed) and not full:
        _add(typed, what, {})
    elif action == "remove":
        typed = {name: held for name, held in typed.items() if not name.startswith(f"{what}.")}
    services().drafts.save(who, who.clinic_id, typed)
    if action == "save":
        return show("stay")
    place = entries_of(typed)[-1] if action == "add" and entries_of(typed) else None
    return see_other("pages.change", _anchor=place)


def _clinic() -> dict[str, Any]:
    """The clinic as it stands, for those who may change something of it."""
    who = principal()
    require("clinic.record" if who.may("clinic.record") else "proposals.make")
    return services().clinic.at(who, Moment())[1]


def _begun(clinic: Mapping[str, Any]) -> Held:
    """The draft there is, or a new one: its key makes sending it twice record it once."""
    kept = services().drafts.find(principal(), principal().clinic_id)
    return mended(kept or {"seen": [str(clinic["version"])]}, TAKEN)


def _way(clinic: Mapping[str, Any], typed: Held) -> str | None:
    """How what is on the sheet comes about; None while it is empty."""
    prefix = next(iter(entries_of(typed)), None)
    if prefix is None:
        return None
    name = typed[f"{prefix}.type"][0]
    if name in AMENDMENTS:
        return amending.way(name, first(typed, f"{prefix}.data.entry_id")) or PROPOSE
    return ways(principal(), clinic["policy"]).get(name, PROPOSE)


def _offered(clinic: Mapping[str, Any], typed: Held) -> list[str]:
    """What can be added: everything that comes about in the same way as what is there."""
    way = _way(clinic, typed)
    known = ways(principal(), clinic["policy"])
    return [name for name, held in known.items() if way in (None, held)]


def _add(typed: Held, name: str, given: Mapping[str, Any]) -> None:
    cls, prefix = TAKEN[name], next_prefix(typed)
    fields = {held.key for held in given_fields(cls)}
    known = {key: held for key, held in given.items() if key in fields}
    typed[f"{prefix}.type"] = [name]
    typed.update(fresh_ids(cls, f"{prefix}.data"))
    typed.update(joined(cls, flatten(known, f"{prefix}.data"), f"{prefix}.data"))


# Sending


def _sent(clinic: dict[str, Any], typed: Held) -> AnyResponse:
    who, way = principal(), _way(clinic, typed)
    try:
        drafts = load(typed, types=TAKEN, schema=ClinicEntriesSchema)
        _bring_about(who, way, drafts, typed)
    except PlanHistoryError as refused:
        clinic = _clinic()
        again(typed, refused, clinic["version"])
        services().drafts.save(who, who.clinic_id, typed)
        return _page(clinic, typed, refused)
    services().drafts.discard(who, who.clinic_id)
    return see_other("pages.history" if amending.about(typed) else "pages.people", done=way)


def _bring_about(who: Principal, way: str | None, drafts: list[Draft], typed: Held) -> Recorded:
    """Record the entries, or propose them; one reason is said for all."""
    why = Reason(text=first(typed, "why")) if first(typed, "why") else None
    if way == PROPOSE:
        return services().proposals.propose(who, drafts, why, request_of(typed))
    reasoned = [Draft(data=held.data, reason=why) for held in drafts]
    return services().clinic.record(who, reasoned, request_of(typed))


# Showing


def _page(
    clinic: dict[str, Any],
    typed: Held,
    refused: PlanHistoryError | None = None,
    *,
    elsewhere: bool = False,
) -> AnyResponse:
    found = _faults(typed, refused)
    options, shown, claimed = _options(clinic), [], {"why"}
    options["entry"] = amending.earlier(typed)
    for prefix in entries_of(typed):
        cls = TAKEN[typed[f"{prefix}.type"][0]]
        entry = entry_of(typed, prefix, options, found, cls)
        if PolicySet.__name__ in (cls.__name__, entry["of"]):
            _say_what_is_in_force(entry["controls"], clinic["policy"])
        shown.append(entry)
        claimed |= entry["names"]
        for kind, made, name in new_things(cls, typed, f"{prefix}.data"):
            options[kind] = [*options.get(kind, ()), (made, name)]
    way = _way(clinic, typed)
    newer = refused.facts.get("newer_entries") if isinstance(refused, PlanChangedError) else None
    return show(
        "change",
        errors.status_of(refused) if refused else 200,
        entries=shown,
        typed=typed,
        refused=refused,
        rest=[detail for name, held in found.items() if name not in claimed for detail in held],
        why=_why(typed, found, way),
        way=way,
        offered=_offered(clinic, typed),
        approvers=_approvers(typed),
        types=clinic_words.TYPES.but(AMENDMENTS),
        amends=amending.about(typed),
        elsewhere=elsewhere,
        newer=[{**held, "recorded_at": held["recorded_at"].isoformat()} for held in newer or ()],
    )


def _faults(typed: Held, refused: PlanHistoryError | None) -> dict[str, list[str]]:
    """What is wrong with each control; a reason is the whole sheet's."""
    found: dict[str, list[str]] = {}
    for name, details in faults(typed, refused).items():
        place = "why" if name.endswith(".reason") else name
        found[place] = [*dict.fromkeys([*found.get(place, ()), *details])]
    asked = refused.problems if refused else ()
    if any(held.pointer.startswith("/reason") for held in asked):
        found["why"] = found.pop("")
    return found


def _why(typed: Held, found: Mapping[str, list[str]], way: str | None) -> Control:
    """The reason, asked for once: a proposal always has one, an entry where its type says so."""
    kinds = (TAKEN[typed[f"{prefix}.type"][0]] for prefix in entries_of(typed))
    return Control(
        "why",
        say("Why"),
        "text",
        required=way == PROPOSE or any(cls.WHY for cls in kinds),
        hint=say("One sentence; it stands in the record."),
        values=typed.get("why", ()),
        faults=found.get("why", ()),
    )


def _approvers(typed: Held) -> str:
    """Who approves what is on the sheet, in words."""
    kinds = [typed[f"{prefix}.type"][0] for prefix in entries_of(typed)]
    approvals = [TAKEN[name].APPROVAL for name in kinds] + amending.approvals(typed)
    gravest = max((held for held in approvals if held), key=lambda held: held.people, default=None)
    return gravest.words if gravest else ""


def _say_what_is_in_force(controls: list[Control], policy: Mapping[str, Any]) -> None:
    """Each number of the policy as people call it, with the one it would replace."""
    in_force = dict(clinic_words.policy(policy))
    for control in controls:
        known = clinic_words.POLICY.get(control.name.rpartition(".")[2])
        if known:
            control.label = say(known[0])
            control.hint = say("Now: {}.").format(in_force[control.label])


def _options(clinic: Mapping[str, Any]) -> dict[str, Any]:
    """Whom and what one can choose: a supervisor their team and whoever has no supervisor."""
    who, here = principal(), _here(clinic)
    team = within(who, clinic)
    mine = [held for held in here if held["member_id"] in team or _is_free(held)]
    found = {
        "member": [_choice(held) for held in _by_name(mine)],
        "supervisor_id": [_choice(held) for held in _by_name(here) if held["role"] == "supervisor"],
    }
    if who.may("plans.record"):
        found["plan_id"] = _plans(who)
    return found


def within(who: Principal, clinic: Mapping[str, Any]) -> frozenset[str]:
    """Whom of those who are here somebody's changes may be about, by their id."""
    everybody = frozenset(held["member_id"] for held in _here(clinic))
    if who.role not in FOR_THEIR_TEAM:
        return everybody
    return everybody & {
        str(held) for held in services().gate.rosters(who.clinic_id).team(who.member_id)
    }


def _here(clinic: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [held for held in clinic["members"] if held["status"] == "present"]


def _is_free(member: Mapping[str, Any]) -> bool:
    return member["role"] == "clinician" and member["supervisor_id"] is None


def _by_name(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(members, key=lambda held: held["name"].casefold())


def _choice(member: Mapping[str, Any]) -> tuple[str, str]:
    return member["member_id"], f"{member['name']}, {words.label(member['role']).lower()}"


def _plans(who: Principal) -> list[tuple[str, str]]:
    found, _ = find_plans(services().gate, who, PlanFilter(limit=200))
    return [
        (str(held["plan_id"]), f"{held['client']['label']} ({words.label(held['status']).lower()})")
        for held in found
    ]
