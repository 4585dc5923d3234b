"""Forms, derived from the declarations in ``domain``: the controls of an entry, and what was typed.

A control's name is its path with dots: ``e0.data.measure.unit`` is the unit of the measure of the
first entry. What was typed is kept as it came, so nothing is lost when it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from api.pages import words
from api.pages.language import say
from api.schemas import given_fields
from domain.entry import VOICES, EntryData
from domain.fields import DurationRule, Field, IdRule, New, Ref, TextRule

Typed = Mapping[str, Sequence[str]]
"""What a form sent: every value of every name."""
Options = Mapping[str, Sequence[tuple[str, str]]]
"""For each kind of thing in the plan, or field of its own, what may be chosen: id and name."""
ROWS = 2
"""How many groups of a list are offered when it needs one, and one when it needs none; one more than is filled."""
LONG = 400
"""Texts that may be longer get more room."""


@dataclass(slots=True)
class Control:
    """One control of a form, or a group of them."""

    name: str
    label: str
    kind: str  # text, line, number, date, moment, choice, truth, many, lines, group, hidden
    required: bool = False
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()
    values: Sequence[str] = ()
    faults: Sequence[str] = ()
    inside: list[Control] = field(default_factory=list)

    @property
    def value(self) -> str:
        """The value, where there is one."""
        return self.values[0] if self.values else ""

    @property
    def id(self) -> str:
        """A name for the page's own use."""
        return self.name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Form:
    """What forms are made with: what was typed, what may be chosen, what was refused."""

    typed: Typed
    options: Options
    faults: Mapping[str, Sequence[str]]

    def controls(self, cls: type, prefix: str) -> list[Control]:
        """The controls for an entry's data, or for a group inside it."""
        return [self._control(held, f"{prefix}.{held.key}") for held in given_fields(cls)]

    def envelope(self, cls: type[EntryData], prefix: str) -> list[Control]:
        """Why, in whose words, and when, where that differs from the others."""
        why = Control(
            f"{prefix}.reason",
            say("Why"),
            "text",
            required=cls.WHY,
            hint=say("One sentence; in the client’s words where it is theirs."),
        )
        voice = Control(
            f"{prefix}.voiced_by",
            say("In whose words"),
            "choice",
            options=[(held, words.label(held)) for held in VOICES],
        )
        when = Control(
            f"{prefix}.occurred_at",
            say("When, if at another time"),
            "moment",
            hint=say("Leave it empty when it belongs to the time above."),
        )
        return [self._filled(held) for held in (why, voice, when)]

    def _filled(self, control: Control) -> Control:
        control.values = self.typed.get(control.name, control.values)
        control.faults = self.faults.get(control.name, ())
        return control

    def _control(self, declared: Field, name: str) -> Control:
        control = Control(
            name,
            words.label(declared.key),
            "line",
            required=declared.required,
            hint=say(declared.doc),
        )
        if isinstance(declared.link, New):
            control.kind = "hidden"
        elif isinstance(declared.link, Ref):
            self._reference(declared, control, declared.link)
        elif declared.nested:
            return self._group(declared, control)
        else:
            _plain(declared, control, self.options)
        return self._filled(control)

    def _reference(self, declared: Field, control: Control, link: Ref) -> None:
        control.kind = "many" if declared.many else "choice"
        control.label = _of_reference(declared.key)
        control.options = self.options.get(declared.key, self.options.get(link.kind, ()))

    def _group(self, declared: Field, control: Control) -> Control:
        control.kind = "group"
        if not declared.many:
            control.inside = self.controls(declared.type, control.name)
            for held in control.inside:
                held.required = held.required and declared.required
            return self._filled(control)
        for number in range(self._rows(control.name, ROWS if declared.required else 1)):
            row = Control(f"{control.name}.{number}", f"{control.label} {number + 1}", "group")
            row.inside = self.controls(declared.type, row.name)
            for held in row.inside:
                held.required = held.required and declared.required and number == 0
            control.inside.append(self._filled(row))
        return self._filled(control)

    def _rows(self, name: str, least: int) -> int:
        used = [
            int(key[len(name) + 1 :].partition(".")[0])
            for key, held in self.typed.items()
            if key.startswith(f"{name}.") and any(held)
        ]
        return max([least, *(number + 2 for number in used)])


def _of_reference(key: str) -> str:
    """``goal_id`` → Goal; ``answers_entry_ids`` → Answers."""
    if key == "entry_id":
        return say("Which entry")
    for ending, instead in (("_entry_ids", ""), ("_entry_id", ""), ("_ids", "s"), ("_id", "")):
        if key.endswith(ending):
            return words.label(key.removesuffix(ending) + instead)
    return words.label(key)


def _plain(declared: Field, control: Control, options: Options) -> None:
    rules = declared.item_rules if declared.many else declared.rules
    if declared.choices:
        control.kind = "choice"
        control.options = [(held, words.label(held)) for held in declared.choices]
        control.values = [declared.default] if declared.default and not declared.many else []
    elif any(isinstance(rule, IdRule) for rule in rules):
        _outsider(declared, control, options)
    else:
        control.kind = _KINDS.get(declared.type, "line")
        if any(isinstance(rule, TextRule) and rule.most > LONG for rule in rules):
            control.kind = "text"
    if any(isinstance(rule, DurationRule) for rule in rules):
        control.hint = say("Such as 2 months or 6 weeks.")
    if declared.many:
        control.kind = "lines"
        control.hint = f"{control.hint} {say('One a line.')}".strip()


_KINDS: dict[Any, str] = {
    bool: "truth",
    int: "number",
    float: "number",
    date: "date",
    datetime: "moment",
}


def _outsider(declared: Field, control: Control, options: Options) -> None:
    """Somebody of the clinic is chosen by name; another plan is told by its id."""
    control.label = words.label(declared.key.removesuffix("_id"))
    if declared.key.endswith(("therapist_id", "supervisor_id", "member_id")):
        control.kind, control.options = "choice", options.get("member", ())
    elif declared.key in options:
        control.kind, control.options = "choice", options[declared.key]
