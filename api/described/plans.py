"""Plans: their entries, their timeline and what is made of them."""

from __future__ import annotations

from typing import Any

from api.described.parts import DAY, OBJECT, TEXT, VERSION, WHOLE, group, many, or_null, ref
from api.examples import entry_example, group_example
from api.plan_shown import plan_component
from api.schemas import MOMENT_FORMAT, UUID_FORMAT, component_of, entry_components, envelope_of
from domain.entry import EVERY_TYPE, VOICES, Author
from domain.opening import PlanOpened
from service.finding import STATUSES
from service.worklist import KINDS

_MONTH: dict[str, Any] = {"type": "string", "pattern": "^(1[89]|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])$"}


def _opening() -> dict[str, Any]:
    data, envelope = component_of(PlanOpened), envelope_of(PlanOpened)["properties"]
    extra = {name: held for name, held in envelope.items() if name not in ("type", "data")}
    extra["entries"] = {"type": "array", "items": ref("Entry"), "maxItems": 200}
    extra["alongside"] = {"type": "boolean", "default": False}
    return {**data, "properties": {**data["properties"], **extra}}


def told() -> dict[str, Any]:
    """An entry as the timeline shows it."""
    optional = {
        "sentence": {**TEXT, "description": "Left out, like data, for readers without content."},
        "data": OBJECT,
        "voiced_by": {"type": "string", "enum": list(VOICES)},
        "reason": ref("Reason"),
        "session_id": UUID_FORMAT,
        "causation_id": UUID_FORMAT,
        "corrected_by": many(VERSION),
        "addenda_by": many(VERSION),
        "in_error_by": or_null(VERSION),
    }
    return group(
        optional,
        entry_id=UUID_FORMAT,
        plan_id=UUID_FORMAT,
        version=VERSION,
        position=VERSION,
        type=TEXT,
        occurred_at=MOMENT_FORMAT,
        recorded_at=MOMENT_FORMAT,
        late={"type": "boolean"},
        recorded_by=component_of(Author),
        command_id=UUID_FORMAT,
    )


def _recorded() -> dict[str, Any]:
    entry = group(
        entry_id=UUID_FORMAT,
        version=VERSION,
        position=VERSION,
        type=TEXT,
        occurred_at=MOMENT_FORMAT,
        recorded_at=MOMENT_FORMAT,
    )
    entry["additionalProperties"] = UUID_FORMAT
    return group(
        plan_id=UUID_FORMAT,
        version=VERSION,
        position=VERSION,
        entries=many(entry),
        warnings=many(OBJECT),
    )


def _found() -> dict[str, Any]:
    plan = group(
        plan_id=UUID_FORMAT,
        version=VERSION,
        position=VERSION,
        status={"type": "string", "enum": list(STATUSES)},
        client=group(ref=TEXT, label=or_null(TEXT)),
        therapist_id=UUID_FORMAT,
        supervisor_id=or_null(UUID_FORMAT),
        opened_at=MOMENT_FORMAT,
        changed_at=MOMENT_FORMAT,
    )
    return group(plans=many(plan), next_cursor=or_null(TEXT))


def _diff() -> dict[str, Any]:
    point = group({"moment": MOMENT_FORMAT}, version=VERSION)
    change = group(
        path=TEXT,
        kind={"type": "string", "enum": ["added", "removed", "changed"]},
        before={},
        after={},
        entries=many(VERSION),
    )
    return group(**{"from": point, "to": point, "changes": many(change)})


def _obligation(**more: Any) -> dict[str, Any]:
    return group(
        kind={"type": "string", "enum": list(KINDS)},
        about={**TEXT, "description": "The id of an entry or goal, or `plan`."},
        since=MOMENT_FORMAT,
        due_on=or_null(DAY),
        overdue={"type": "boolean"},
        words=TEXT,
        **more,
    )


def _worklist() -> dict[str, Any]:
    owed = _obligation(
        plan_id=UUID_FORMAT,
        client=group(ref=TEXT, label=TEXT),
        therapist_id=UUID_FORMAT,
        supervisor_id=or_null(UUID_FORMAT),
    )
    return group(obligations=many(owed), next_cursor=or_null(TEXT), position=WHOLE, today=DAY)


def _measures() -> dict[str, Any]:
    number = {"type": "number"}
    series = group(
        goal_id=or_null(UUID_FORMAT),
        name=TEXT,
        unit=or_null(TEXT),
        instrument=or_null(TEXT),
        direction=or_null(TEXT),
        baseline=or_null(number),
        target=or_null(number),
        values=many(group(at=MOMENT_FORMAT, value=number, by=TEXT, version=VERSION)),
        annotations=many(group(at=MOMENT_FORMAT, type=TEXT, version=VERSION, sentence=TEXT)),
    )
    return group(plan_id=UUID_FORMAT, series=many(series))


def _figures() -> dict[str, Any]:
    counted: dict[str, Any] = {"month": _MONTH, "count": WHOLE}
    ended = group(**counted, status=TEXT, outcome=or_null(TEXT))
    swaps: dict[str, Any] = {"from": TEXT, "to": TEXT, "count": WHOLE}
    relapses = ("noted", "answered_in_time", "answered_late", "open")
    reviews = ("held_in_time", "held_late", "overdue")
    return group(
        **{"from": _MONTH, "to": _MONTH},
        today=DAY,
        plans=group(opened=many(group(**counted)), closed=many(ended)),
        relapses=group(**dict.fromkeys(relapses, WHOLE)),
        reviews=group(**dict.fromkeys(reviews, WHOLE)),
        swaps=many(group(**swaps)),
    )


def _entry_types() -> dict[str, Any]:
    yes = {"type": "boolean"}
    every: dict[str, Any] = {
        "type": TEXT,
        "chapter": TEXT,
        "topic": TEXT,
        "sentence": TEXT,
        "reason_required": yes,
        "recorded_only_by": or_null(TEXT),
        "recorded_by_roles": many(TEXT),
        "fields": OBJECT,
    }
    return group(
        entry_types=many(group(**every, taken_when_closed=yes, released_to_client=yes)),
        clinic_entry_types=many(group(**every, proposed_by_roles=many(TEXT))),
        techniques=OBJECT,
    )


def components() -> dict[str, dict[str, Any]]:
    """By name."""
    full = group(corrections=many(ref("EntryShown")), addenda=many(ref("EntryShown")),
                  marked_in_error=or_null(ref("EntryShown")), proof=TEXT)  # fmt: skip
    return {
        **entry_components(),
        "PlanOpening": _opening(),
        "EntriesToRecord": group(
            {"alongside": {"type": "boolean", "default": False}},
            entries={"type": "array", "items": ref("Entry"), "minItems": 1, "maxItems": 200},
        )
        | {"additionalProperties": False},
        "Recorded": _recorded(),
        "Plan": plan_component(),
        "PlansFound": _found(),
        "Diff": _diff(),
        "EntryShown": told(),
        "EntryTold": {"allOf": [ref("EntryShown"), full]},
        "TimelinePage": group(entries=many(ref("EntryShown")), next_cursor=or_null(TEXT)),
        "Worklist": _worklist(),
        "PlanObligations": group(
            plan_id=UUID_FORMAT,
            version=VERSION,
            obligations=many(_obligation()),
            today=DAY,
        ),
        "Measures": _measures(),
        "Figures": _figures(),
        "EntryTypes": _entry_types(),
    }


def examples() -> dict[str, dict[str, Any]]:
    """Of what is sent, by component."""
    shown = {name: entry_example(cls) for name, cls in EVERY_TYPE.items()}
    return {
        **shown,
        "PlanOpening": group_example(PlanOpened),
        "EntriesToRecord": {"entries": [shown["GoalSet"]]},
    }
