"""What a form begins with: what is nearly always so, and what the worklist already knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.schemas import given_fields
from domain.entry import EntryData
from service.access import Principal

_REVIEWS = {"reevaluation": "relapse", "safety_review": "safety", "formal_review": "formal"}
_ANSWERS = {
    "answer_discomfort": "discomfort_entry_id",
    "answer_resistance": "resistance_entry_id",
    "answer_mismatch": "mismatch_entry_id",
    "answer_plateau": "plateau_entry_id",
    "resume_check": "goal_id",
    "plateau_suspected": "goal_id",
    "discomfort": "intervention_id",
    "practice": "practice_id",
}


def defaults(cls: type[EntryData], plan: Mapping[str, Any], who: Principal) -> dict[str, Any]:
    """Values to begin with; each can be changed."""
    known: dict[str, Any] = {
        "of_version": _version(cls, plan),
        "participants": [plan["client"]["label"], who.name],
        "meaning": "author" if who.role == "clinician" else "reviewer",
        "format": "individual",
        "decided_with": "client",
    }
    fields = {held.key: held for held in given_fields(cls)}
    found = {
        name: held
        for name, held in known.items()
        if name in fields and (not isinstance(held, str) or held in fields[name].choices)
    }
    if "by" in fields and "client" in fields["by"].choices:
        found["by"] = "client"
    if "consent" in fields or "to" in fields:
        consent = {"consent": {"explained_by": who.name}}
        found.update({"to": {**consent, "format": "individual"}} if "to" in fields else consent)
    if cls.__name__ == "FocusShifted":
        found = {"from": plan["focus"]} if plan.get("focus") else {}
    open_goals = [held for held in plan["goals"] if held["status"] == "active"]
    if len(open_goals) == 1 and "goal_id" in fields and fields["goal_id"].required:
        found["goal_id"] = open_goals[0]["goal_id"]
    return found


def _version(cls: type[EntryData], plan: Mapping[str, Any]) -> int:
    """The plan as it stands; for a co-signature, what waits to be co-signed."""
    waiting = [held for held in plan["signatures"]["signed"] if held["status"] == "signed"]
    if cls.__name__ in ("PlanCosigned", "PlanReturned") and waiting:
        return int(waiting[-1]["of_version"])
    return int(plan["version"])


def prefilled(plan: Mapping[str, Any], args: Mapping[str, str]) -> dict[str, Any]:
    """What an obligation's button brings along: what it is about."""
    kind, about = args.get("kind", ""), args.get("about", "")
    if kind in _REVIEWS:
        answers = {"answers_entry_ids": [about]} if about not in ("", "plan") else {}
        return {"kind": _REVIEWS[kind], **answers}
    if kind in _ANSWERS and about:
        return {_ANSWERS[kind]: about}
    if kind == "cosignature":
        signed = plan["signatures"]["signed"]
        versions = [held["of_version"] for held in signed if held["entry_id"] == about]
        return {"of_version": versions[-1]} if versions else {}
    return {}
