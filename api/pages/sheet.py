"""A sheet of entries as it is typed: its entries, their controls, and what was refused where it belongs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from api.conventions import principal
from api.pages.forms import Control, Form
from api.pages.language import later, say
from domain.entry import EVERY_TYPE, TYPES, EntryData
from domain.errors import PlanHistoryError, ReasonRequiredError
from domain.record import EntryCorrected

Held = dict[str, list[str]]
_CODE = re.compile(r"`+([^`]+)`+")
_REASON = later("This needs its reason: say it in a sentence.")
_PREFIX = re.compile(r"e[0-9]{1,4}", re.ASCII)


def entries_of(typed: Mapping[str, Any]) -> list[str]:
    """The prefixes of the entries in a form (``e0``, ``e1`` …), in order."""
    found = {name.partition(".")[0] for name in typed if name.endswith(".type")}
    return sorted(filter(_PREFIX.fullmatch, found), key=lambda held: int(held[1:]))


def first(typed: Held, name: str) -> str:
    """What was typed under a name, or nothing."""
    return (typed.get(name) or [""])[0].strip()


def faults(typed: Held, refused: PlanHistoryError | None) -> dict[str, list[str]]:
    """What is wrong with each control, by its name; what belongs to none is under its entry's."""
    found: dict[str, list[str]] = {}
    prefixes = entries_of(typed)
    for problem in refused.problems if refused else ():
        parts = problem.pointer.split("/")[1:]
        if len(parts) < 2 or parts[0] != "entries" or int(parts[1]) >= len(prefixes):
            found.setdefault("", []).append(problem.detail)
            continue
        name = ".".join([prefixes[int(parts[1])], *parts[2:]])
        name = name.removesuffix(".text") if name.endswith(".reason.text") else name
        without = isinstance(refused, ReasonRequiredError)
        found.setdefault(name, []).append(say(_REASON) if without else problem.detail)
    return found


def entry_of(
    typed: Held,
    prefix: str,
    options: Mapping[str, Any],
    found: Mapping[str, list[str]],
    cls: type[EntryData] | None = None,
) -> dict[str, Any]:
    """An entry of the form: its controls, with faults at the control they are about.

    ``cls``: its type, where it is none of a plan's; its envelope is then that of the whole sheet.
    """
    name = typed[f"{prefix}.type"][0]
    of_a_plan = cls is None
    cls = cls or TYPES[name]
    form = Form(typed, options, found)
    of = first(typed, f"{prefix}.of")
    if cls is EntryCorrected and of in EVERY_TYPE:
        controls = form.controls(EVERY_TYPE[of], f"{prefix}.data.data")
    else:
        controls = form.controls(cls, f"{prefix}.data")
    envelope = _envelope(form, cls, prefix) if of_a_plan else []
    known = {held.name for held in _every([*controls, *envelope])}
    _adopt(controls, envelope, found, prefix)
    return {
        "prefix": prefix,
        "type": name,
        "of": of,
        "about": say(_CODE.sub(r"“\1”", _first_paragraph(cls))),
        "controls": controls,
        "envelope": envelope,
        "entry_id": first(typed, f"{prefix}.data.entry_id") if of else "",
        "names": known | {key for key in found if key.startswith(f"{prefix}.")},
        "faults": [
            detail
            for key, held in found.items()
            if key.startswith(f"{prefix}.") and not _nearest(key, known)
            for detail in held
        ],
    }


def _first_paragraph(cls: type) -> str:
    """What a type is, in a sentence for people; how it is built comes after that."""
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())


def _envelope(form: Form, cls: type[EntryData], prefix: str) -> list[Control]:
    """Why, in whose words, when; a client is asked for no more than the reason that is needed."""
    envelope = form.envelope(cls, prefix)
    if principal().role != "client":
        return envelope
    return envelope[:1] if cls.WHY else []


def _every(controls: list[Control]) -> list[Control]:
    return [held for control in controls for held in (control, *_every(control.inside))]


def _nearest(name: str, known: set[str]) -> str | None:
    """The control a fault belongs to: its own, or the one that holds it (a line of a list)."""
    while name:
        if name in known:
            return name
        name = name.rpartition(".")[0]
    return None


def _adopt(
    controls: list[Control], envelope: list[Control], found: Mapping[str, list[str]], prefix: str
) -> None:
    """Put faults inside a control (such as its third line) at the control itself."""
    every = {held.name: held for held in _every([*controls, *envelope])}
    for name, details in found.items():
        nearest = _nearest(name, set(every)) if name.startswith(f"{prefix}.") else None
        if nearest and nearest != name:
            every[nearest].faults = [*every[nearest].faults, *details]
