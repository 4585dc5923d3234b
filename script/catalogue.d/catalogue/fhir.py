"""The table in docs/fhir.md: what becomes of every type of entry."""

from __future__ import annotations

from collections.abc import Iterator

from service.fhir.decisions import CHAPTERS

BEGIN, END = "<!-- decisions: written by script/catalogue -->", "<!-- end of decisions -->"


def with_decisions(guide: str) -> str:
    """The guide with the table as the code has it."""
    before, rest = guide.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{''.join(_table())}\n{END}{after}"


def _table() -> Iterator[str]:
    yield "| entry | makes | what becomes of it |\n|---|---|---|\n"
    for chapter, decisions in CHAPTERS.items():
        yield f"| **{chapter}** | | |\n"
        for name, held in decisions.items():
            made = ", ".join(dict.fromkeys(kind for kind, _ in held.makes)) or "–"
            yield f"| `{name}` | {made} | {held.words} |\n"
