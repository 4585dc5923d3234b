"""The page: a table for each chapter, and the groups of fields inside entries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from api.schemas import given_fields
from catalogue.sentences import told_of_plans, told_of_the_clinic
from domain.clinic import Clinic
from domain.entry import CLINIC_TYPES, EVERY_TYPE, TYPES, EntryData, chapter_of
from domain.fields import (
    DurationRule,
    Field,
    IdRule,
    ManyRule,
    New,
    RangeRule,
    Ref,
    Rule,
    TextRule,
)
from domain.state import PlanState

INTRODUCTION = """\
# The entries

Every type of entry, by chapter of the chart. This page is written by `script/catalogue` from the declarations in
`domain/`, so it says what the service does; change a declaration and run it again. The same catalogue for programs:
`GET /v1/entry-types`; what surrounds an entry's fields: the [API guide](api.md).

A field with `?` may be left out. **why**: the entry needs its reason (`reason.text`). **also when closed**: a plan that
is completed, discontinued or superseded still takes it. **not released**: a working note of the staff, which is not
released to the client. Texts hold up to 10,000 characters unless stated, ids are UUIDs, days look like `2026-03-31`.
**by two**: it comes about by a proposal alone, which these approve; **by two?**: it may be proposed, and has to be
where the clinic's policy says `two_people`. The sentence is how the timeline tells one such entry of the demo clinic.
"""
WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "day",
    datetime: "moment",
    dict: "fields",
}
LONG_TEXT, BOUNDLESS = TextRule().most, 1e9


def page() -> str:
    """The whole page."""
    sentences = told_of_plans() | told_of_the_clinic()
    parts = [INTRODUCTION]
    parts += [chapter(types, sentences) for types in chapters()]
    parts.append("## Groups\n\nFields that hold fields of their own.")
    parts += [group(cls) for cls in groups()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def chapters() -> Iterator[list[type[EntryData]]]:
    """The types of each chapter, in the order in which a plan shows them; then the clinic's own."""
    lifecycle, *others = (type(section).__module__ for section in PlanState().sections())
    order = [*others, *(cls.__module__ for cls in TYPES.values() if cls.__module__ != lifecycle)]
    order += [lifecycle, Clinic.FIRST.__module__]
    order += sorted(cls.__module__ for cls in CLINIC_TYPES.values())
    for module in dict.fromkeys(order):
        types = [cls for cls in EVERY_TYPE.values() if cls.__module__ == module]
        if types:
            yield types


def chapter(types: Sequence[type[EntryData]], sentences: dict[str, str]) -> str:
    """A chapter's heading and its table."""
    heading = chapter_of(types[0]).capitalize()
    said = (sys.modules[types[0].__module__].__doc__ or "").partition("\n")[0].partition(": ")[2]
    lines = [
        f"## {heading}",
        "",
        said[:1].upper() + said[1:],
        "",
        "| entry | fields | told as |",
        "|---|---|---|",
    ]
    for cls in types:
        shown = "<br>".join(map(described, given_fields(cls))) or "none"
        example = cell(sentences.get(cls.__name__, "–"))
        lines.append(f"| {entry(cls)} | {shown} | {example} |")
    return "\n".join(lines)


def entry(cls: type[EntryData]) -> str:
    """The type's name, what it says, and what is special about it."""
    said = cell(" ".join((cls.__doc__ or "").split()).replace("``", "`"))
    sometimes = cls.needs_reason is not EntryData.needs_reason
    marks = ["**why**" + ", at times" * sometimes] * (cls.WHY or sometimes)
    marks += ["**also when closed**"] * (cls.WHEN_CLOSED and cls.__name__ in TYPES)
    marks += ["**not released**"] * cls.PRIVATE
    marks += [f"only by `{cls.ONLY_BY}`"] * bool(cls.ONLY_BY)
    if cls.APPROVAL is not None:
        marks += [f"**by two{'' if cls.APPROVAL.always else '?'}**: {cls.APPROVAL.words}"]
    return "<br>".join([f"**`{cls.__name__}`**", said, *([", ".join(marks)] if marks else [])])


def groups() -> Iterator[type]:
    """Every group of fields inside an entry, by name."""
    found: dict[str, type] = {}
    waiting = [held for cls in EVERY_TYPE.values() for held in given_fields(cls)]
    while waiting:
        held = waiting.pop()
        if held.nested and held.type.__name__ not in found:
            found[held.type.__name__] = held.type
            waiting += given_fields(held.type)
    return (found[name] for name in sorted(found))


def group(cls: type) -> str:
    """A group's heading and its fields."""
    fields = "\n".join(f"- {described(held)}" for held in given_fields(cls))
    return f"### {cls.__name__}\n\n{' '.join((cls.__doc__ or '').split())}\n\n{fields}"


def described(declared: Field) -> str:
    """A field: its name, what it holds, and what is to be said about it."""
    made = any(isinstance(rule, New) for rule in declared.rules)
    mark = "" if declared.required else "?"
    doc = declared.doc[:1].lower() + declared.doc[1:].rstrip(".") if declared.doc else ""
    notes = [doc] * bool(doc)
    if not made and declared.default not in (None, (), ""):
        held = str(declared.default).lower()
        notes.append(f"{held} when left out")
    return cell(f"`{declared.key}`{mark} {kind(declared)}" + "".join(f"; {n}" for n in notes))


def kind(declared: Field) -> str:
    """What a field holds."""
    rules = declared.item_rules if declared.many else declared.rules
    if declared.nested:
        held = f"[{declared.type.__name__}](#{declared.type.__name__.lower()})"
    elif declared.choices:
        held = " / ".join(f"`{choice}`" for choice in declared.choices)
    else:
        said = [words for rule in rules if (words := ruled(rule))]
        held = ", ".join([WORDS[declared.type]] * (declared.type is not str or not said) + said)
    if not declared.many:
        return held
    many = next(rule for rule in declared.rules if isinstance(rule, ManyRule))
    return f"list of {many.least} to {many.most}: {held}"


def ruled(rule: Rule) -> str:
    """What a rule says about a field, in words."""
    words: dict[type, Callable[[Any], str]] = {
        TextRule: lambda r: "text" if r.most == LONG_TEXT else f"text, up to {r.most}",
        RangeRule: lambda r: "" if (r.most or 0) > BOUNDLESS else r.spoken,
        New: lambda r: f"id of the new {r.kind.replace('_', ' ')}, made when left out",
        Ref: lambda r: f"id of {named(r.kind)}",
        IdRule: lambda _: "id",
        DurationRule: lambda _: "ISO 8601 duration",
        ManyRule: lambda _: "",
    }
    return words[type(rule)](rule)


def named(kind_of_thing: str) -> str:
    """What a reference leads to: a thing of the plan, or an entry of a type."""
    if kind_of_thing in EVERY_TYPE:
        return f"its `{kind_of_thing}`"
    words = kind_of_thing.replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", "\\|")
