"""A plan as one page for people: no script, no style from elsewhere, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from domain.plan import Plan
from service.fhir.terms import spoken
from service.ledger.books import Head

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% } caption { text-align: left; font-weight: 600; padding: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ddd }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
.error { text-decoration: line-through }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } }
"""


def page(plan: Plan, entries: Iterable[dict[str, Any]], head: Head | None) -> bytes:
    """The plan as it stands, everything that was recorded, oldest first, and the ledger's newest checkpoint."""
    outline = plan.state.opening.outline
    title = f"Therapy plan for {outline.client_label}"
    words = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>",
        f"<p>Version {plan.version}, {escape(str(spoken(plan.state.lifecycle.status)))}.</p>",
        *_goals(plan),
        *_interventions(plan),
        *_timeline(entries),
        *_checkpoint(head),
        "</main></body></html>",
    ]
    return "\n".join(words).encode()


def _goals(plan: Plan) -> list[str]:
    rows = [
        (goal.statement, goal.status, goal.due_on, (goal.progress or {}).get("direction"))
        for goal in plan.state.goals.goals
    ]
    return _table("Goals", ("Goal", "Status", "By", "Progress"), rows)


def _interventions(plan: Plan) -> list[str]:
    rows = [
        (held.technique, held.status, held.frequency, held.why)
        for held in plan.state.interventions.interventions
    ]
    return _table("Interventions", ("Technique", "Status", "How often", "Why"), rows)


def _timeline(entries: Iterable[dict[str, Any]]) -> list[str]:
    rows = [
        (
            held["version"],
            held["occurred_at"],
            held["recorded_at"],
            held["recorded_by"]["name"],
            held["sentence"],
            held.get("reason", {}).get("text"),
            f"entered in error, see {held['in_error_by']}" if held.get("in_error_by") else None,
        )
        for held in entries
    ]
    columns = ("Version", "Occurred", "Recorded", "By", "What", "Why", "Note")
    return _table("Everything that was recorded (UTC)", columns, rows)


def _checkpoint(head: Head | None) -> list[str]:
    """It printed, so that whoever keeps the paper keeps it; the proofs are in the evidence bundle."""
    if head is None:
        return []
    return [
        "<h2>Checkpoint of the clinic’s history</h2>",
        "<p>Kept outside the clinic, it shows later whether anything recorded before it was changed.</p>",
        f"<pre>{escape(str(head.note))}</pre>",
    ]


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    heading = "".join(f'<th scope="col">{column}</th>' for column in columns)
    return [
        f"<table><caption>{caption}</caption><thead><tr>{heading}</tr></thead><tbody>",
        *(
            "<tr>" + "".join(f"<td>{escape(_said(value))}</td>" for value in row) + "</tr>"
            for row in rows
        ),
        "</tbody></table>",
    ]


def _said(value: object) -> str:
    return "" if value is None else str(value)
