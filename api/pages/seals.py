"""What the pages show of the ledger: how far the record is sealed, and the checkpoint to keep, also on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import segno
from flask import Response, abort
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import services
from api.pages.blueprint import pages, require, show
from service.ledger.books import ENTRIES, LOOKS

_TREES = {"entries": ENTRIES, "looks": LOOKS}


@dataclass(frozen=True, slots=True)
class Paper:
    """A checkpoint to print: the signed note, its lines, and itself as a QR code."""

    note: str

    @property
    def root(self) -> str:
        """The tree's root, base64 (the third line of a C2SP checkpoint)."""
        return self.note.split("\n")[2]

    @property
    def code(self) -> Markup:
        """All of the note as a QR code (ISO/IEC 18004, level M), an SVG that is black on white in any light."""
        made = segno.make(self.note, error="m", micro=False)
        drawn = made.svg_inline(
            omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None
        )
        label = ' role="img" aria-hidden="true" '
        return Markup(drawn.replace("<svg ", f"<svg{label}", 1))  # noqa: S704 - drawn by segno, no text in it


def paper_of(standing: dict[str, Any]) -> Paper | None:
    """The checkpoint of a tree, if there is one yet."""
    return Paper(standing["checkpoint"]) if standing["checkpoint"] else None


@pages.get("/audit/seals")
def seals() -> AnyResponse:
    """How far the clinic's entries and looks are sealed, what waits, and what is wrong if something is."""
    who = require("ledger.entries")
    held = services().ledger.status(who)
    trees = {name: held[tree] for name, tree in _TREES.items()}
    papers = {name: paper_of(tree) for name, tree in trees.items()}
    return show("seals", trees=trees, papers=papers)


@pages.get("/audit/seals/<tree>/<kind>")
def seal_download(tree: str, kind: str) -> AnyResponse:
    """A checkpoint or the keys it is checked with, as the file that verify_history.py takes."""
    who = require("ledger.entries")
    if tree not in _TREES:
        abort(404)
    if kind == "checkpoint":
        held = services().ledger.checkpoint(who, _TREES[tree])
    elif kind == "vkey":
        held = "".join(f"{key}\n" for key in services().ledger.vkeys(who, _TREES[tree]))
    else:
        abort(404)
    answer = Response(held, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{tree}.{kind}"'
    return answer
