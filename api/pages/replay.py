"""Replay: the plan's life as a picture, and any moment of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import principal, services
from api.pages import changes, charts
from api.pages.blueprint import pages, show
from api.pages.language import Words
from api.pages.plans import plan_facts
from api.pages.wording import Wording, wording_for
from domain.fields import plain_moment
from service.life import Clock, Life
from service.replay import Seen

CLOCKS = Words({"recorded": "As written down", "effective": "As it happened"})
VIEWS = Words({"": "Whole life", "365": "A year", "182": "Half a year", "91": "Three months"})
MOST_STEPS = 400
"""Steps whose place on the axis the scrubber is told; between them it goes straight."""
MOST_DRAWN = 8
"""Measures, and lineages of interventions, that are drawn unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address of the replay asks for."""

    clock: Clock
    step: int
    pinned: int | None
    goal: str | None
    kind: str | None
    days: str
    every: bool
    around: int
    """The step around which the picture was drawn."""

    def address(self, plan_id: UUID, **changed: object) -> str:
        """The address of this, with something changed."""
        held: dict[str, object] = {
            "clock": self.clock if self.clock == "effective" else None,
            "goal": self.goal,
            "kind": self.kind,
            "view": self.days or None,
            "all": 1 if self.every else None,
            **changed,
        }
        told = urlencode({name: value for name, value in held.items() if value})
        return f"{url_for('pages.replay', plan_id=plan_id)}?{told}".rstrip("?")


def _whole(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _asked(life: Life, clock: Clock) -> Asked:
    """``at`` and ``with`` name versions; ``step`` a place on the scrubber."""
    last = len(life.steps)
    at, step, pinned = _whole("at"), _whole("step"), _whole("with")
    place = min(max(life.step_of(min(at, life.version)) if at else step or last, 1), last)
    around = min(max(_whole("around") or place, 1), last)
    goal, kind, days = (request.args.get(name) for name in ("goal", "kind", "view"))
    return Asked(
        clock=clock,
        step=place,
        pinned=life.step_of(min(pinned, life.version)) if pinned else None,
        goal=goal if goal in dict(life.goals) else None,
        kind=kind if kind in _wording().marks else None,
        days=days if days and days in VIEWS else "",
        every=request.args.get("all") == "1",
        around=around,
    )


def _clock() -> Clock:
    return "effective" if request.args.get("clock") == "effective" else "recorded"


def _wording() -> Wording:
    return wording_for(principal().role)


@pages.get("/plans/<uuid:plan_id>/replay")
def replay(plan_id: UUID) -> AnyResponse:
    """The plan's life, and how it stood at one moment."""
    who, clock = principal(), _clock()
    life = services().replay.life(who, plan_id, clock)
    asked = _asked(life, clock)
    shown, window = _narrowed(life, asked), _window(life, asked)
    _, document = services().plans.current(who, plan_id)
    cursor = life.steps[asked.step - 1].at
    pinned = life.steps[asked.pinned - 1].at if asked.pinned else None
    link = _link(plan_id, asked)
    table, rows = charts.rows(shown, window, _wording())
    return show(
        "replay",
        **plan_facts(orjson.loads(document)),
        **_moment(plan_id, life, asked),
        asked=asked,
        life=life,
        clocks=CLOCKS,
        views=VIEWS,
        chart=charts.replay(shown, window, _wording(), cursor, pinned, link),
        drawn=len(shown.lines),
        measures=sum(asked.goal in (None, line.goal_id) for line in life.lines),
        table=table,
        rows=rows,
        axis=_axis(life, window),
        in_view=[number for number, step in enumerate(life.steps, 1) if window.holds(step.at)],
    )


@pages.get("/plans/<uuid:plan_id>/replay/moment")
def moment(plan_id: UUID) -> AnyResponse:
    """One moment alone, for the scrubber."""
    clock = _clock()
    life = services().replay.life(principal(), plan_id, clock)
    asked = _asked(life, clock)
    return show("moment", **_moment(plan_id, life, asked), asked=asked, life=life)


def _moment(plan_id: UUID, life: Life, asked: Asked) -> dict[str, Any]:
    """What is told about a moment: the plan then, what had just changed; beside another one if asked."""
    who, read, wording = principal(), services().replay, _wording()
    seen = read.moment(who, plan_id, asked.clock, asked.step)
    window, cursor = _window(life, asked), life.steps[asked.step - 1].at
    held: dict[str, Any] = {
        "plan_id": plan_id,
        "seen": told(seen, asked, wording),
        "said": charts.said_at(_narrowed(life, asked), window, wording, cursor),
        "address": lambda **changed: asked.address(plan_id, **changed),
        "at": life.steps[asked.step - 1].version,
        "pinned": None,
        "previous": life.steps[asked.step - 2].version if asked.step > 1 else None,
        "following": life.steps[asked.step].version if asked.step < len(life.steps) else None,
    }
    if asked.pinned:
        other = read.moment(who, plan_id, asked.clock, asked.pinned)
        first, last = sorted((asked.pinned, asked.step))
        between = read.between(who, plan_id, asked.clock, first, last)
        documents = (seen.document, other.document)
        held["pinned"] = {
            "at": life.steps[asked.pinned - 1].version,
            "seen": told(other, asked, wording),
            "changes": changes.told(between, *documents, wording=wording),
        }
    return held


def told(seen: Seen, asked: Asked, wording: Wording) -> dict[str, Any]:
    """A moment in JSON types, for the templates."""
    entry = seen.entry
    return {
        "step": seen.step,
        "steps": seen.steps,
        "version": entry.version,
        "type": entry.type,
        "sentence": seen.sentence,
        "occurred_at": plain_moment(entry.occurred_at),
        "recorded_at": plain_moment(entry.recorded_at),
        "at": plain_moment(entry.occurred_at if asked.clock == "effective" else entry.recorded_at),
        "by": entry.recorded_by,
        "voiced_by": entry.voiced_by,
        "reason": entry.reason.text if entry.reason else None,
        "late": seen.late,
        "corrected_by": seen.corrected_by,
        "in_error_by": seen.in_error_by,
        "plan": seen.document,
        "changes": changes.told(seen.changes, seen.document, wording=wording),
        "touched": changes.touched(seen.changes),
    }


def _narrowed(life: Life, asked: Asked) -> Life:
    """Only what is about one goal, or turning points of one kind; not more than can be looked at."""
    lines, lanes, marks = life.lines, life.lanes, life.marks
    if asked.goal:
        lines = [line for line in lines if line.goal_id == asked.goal]
        lanes = [lane for lane in lanes if asked.goal in lane.goal_ids]
        marks = [mark for mark in marks if asked.goal in mark.about]
    if asked.kind:
        marks = [mark for mark in marks if mark.kind == asked.kind]
    if not asked.every:
        lines, lanes = lines[:MOST_DRAWN], lanes[:MOST_DRAWN]
    return replace(life, lines=lines, lanes=lanes, marks=marks)


def _window(life: Life, asked: Asked) -> charts.Window:
    """The stretch in view: around the moment, within the plan's life."""
    every = charts.whole(life, services().clock())
    if not asked.days:
        return every
    half = timedelta(days=int(asked.days) / 2)
    cursor: datetime = life.steps[asked.around - 1].at
    start = max(min(cursor - half, every.end - 2 * half), every.start)
    return replace(every, start=start, end=min(start + 2 * half, every.end))


def _link(plan_id: UUID, asked: Asked) -> str:
    """The address of a version, with braces where its number goes."""
    return asked.address(plan_id, at="VERSION").replace("VERSION", "{}")


def _axis(life: Life, window: charts.Window) -> str:
    """Steps and their places on the axis, as JSON for the scrubber."""
    count = len(life.steps)
    every = -(-count // MOST_STEPS)
    numbers = [*range(1, count, every), count]
    places = [[number, window.x(life.steps[number - 1].at)] for number in numbers]
    return orjson.dumps(places).decode()
