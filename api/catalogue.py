"""The catalogue of entry types, and who am I."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson
from flask import Response, current_app

from api.blueprint import Blueprint
from api.conventions import json_answer, principal, services
from api.schemas import component_of
from domain.clinic import Clinic
from domain.entry import TYPES, EntryData, chapter_of
from domain.interventions import TECHNIQUES
from domain.plan import Plan
from service.access import ACCESS
from service.access.recording import recorders
from service.access.table import CLINIC_RECORDS, PROPOSES

catalogue = Blueprint("catalogue", "catalogue", description="What can be recorded, and by whom")


_OPENING = "POST /v1/plans"
_PART = re.compile(r"<(?:\w+:)?(\w+)>")


@cache
def _types() -> bytes:
    shown = {
        "entry_types": [_of_plan(cls) for cls in _by_chapter(TYPES.values())],
        "clinic_entry_types": [_of_clinic(cls) for cls in _by_chapter(Clinic.TAKES.values())],
        "techniques": TECHNIQUES,
    }
    return orjson.dumps(shown)


def _by_chapter(types: Iterable[type[EntryData]]) -> list[type[EntryData]]:
    return sorted(types, key=lambda cls: (chapter_of(cls), cls.__name__))


def _of_plan(cls: type[EntryData]) -> dict[str, Any]:
    """A type of entry of a plan."""
    alone = _OPENING if cls is Plan.FIRST else cls.ONLY_BY
    return {
        **_told(cls),
        "taken_when_closed": cls.WHEN_CLOSED,
        "released_to_client": not cls.PRIVATE,
        "recorded_only_by": alone or None,
        "recorded_by_roles": _allowed(alone) if alone else sorted(recorders(cls.__name__)),
        "fields": component_of(cls),
    }


def _of_clinic(cls: type[EntryData]) -> dict[str, Any]:
    """A type of entry of the clinic itself."""
    name, alone = cls.__name__, cls.ONLY_BY
    at_once = sorted(role for role, held in CLINIC_RECORDS.items() if name in held)
    return {
        **_told(cls),
        "recorded_only_by": alone or None,
        "recorded_by_roles": _allowed(alone) if alone else at_once,
        "proposed_by_roles": sorted(role for role, held in PROPOSES.items() if name in held),
        "fields": component_of(cls),
    }


def _told(cls: type[EntryData]) -> dict[str, Any]:
    return {
        "type": cls.__name__,
        "chapter": chapter_of(cls),
        "topic": cls.TOPIC,
        "sentence": " ".join((cls.__doc__ or "").split()),
        "reason_required": cls.WHY,
    }


def _allowed(route: str) -> list[str]:
    """The roles that a route is for, by what it declares."""
    method, _, place = route.partition(" ")
    [endpoint] = [
        rule.endpoint
        for rule in current_app.url_map.iter_rules()
        if _PART.sub(r"{\1}", rule.rule) == place and method in (rule.methods or ())
    ]
    view: Any = current_app.view_functions[endpoint]
    return sorted(ACCESS[view.action])


@catalogue.get(
    "/v1/entry-types", "list_entry_types", action="entry-types.read", answer="EntryTypes"
)
def list_entry_types() -> Response:
    """Every type of entry, of plans and of the clinic itself: its chapter, fields, and who may record it."""
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
