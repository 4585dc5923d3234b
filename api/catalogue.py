"""The catalogue of entry types, and who am I."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from flask import Response

from api.blueprint import Blueprint
from api.conventions import json_answer, principal, services
from api.schemas import component_of
from domain.entry import TYPES, chapter_of
from domain.interventions import TECHNIQUES
from service.access import ACCESS

catalogue = Blueprint("catalogue", "catalogue", description="What can be recorded, and by whom")


@cache
def _types() -> bytes:
    shown = [
        {
            "type": name,
            "chapter": chapter_of(cls),
            "topic": cls.TOPIC,
            "sentence": " ".join((cls.__doc__ or "").split()),
            "reason_required": cls.WHY,
            "taken_when_closed": cls.WHEN_CLOSED,
            "released_to_client": not cls.PRIVATE,
            "recorded_only_by": cls.ONLY_BY or None,
            "recorded_by_roles": sorted(ACCESS["plans.record"]),
            "fields": component_of(cls),
        }
        for name, cls in sorted(TYPES.items(), key=lambda held: (chapter_of(held[1]), held[0]))
    ]
    return orjson.dumps({"entry_types": shown, "techniques": TECHNIQUES})


@catalogue.get(
    "/v1/entry-types", "list_entry_types", action="entry-types.read", answer="EntryTypes"
)
def list_entry_types() -> Response:
    """Every type of entry: its chapter, fields, and who may record it."""
    return json_answer(_types())


@catalogue.get("/v1/me", "who_am_i", action="me.read", answer="Me")
def who_am_i() -> Response:
    """Who am I, what may I do, and how many proposals wait for my word."""
    who = principal()
    shown: dict[str, Any] = {
        "clinic_id": str(who.clinic_id),
        "member_id": str(who.member_id),
        "name": who.name,
        "role": who.role,
        "credential": who.credential,
        "may": sorted(action for action in ACCESS if who.may(action)),
        "proposals_waiting": services().proposals.waiting(who),
    }
    return json_answer(shown)
