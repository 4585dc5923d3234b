"""The command line: write docs/entries.md and the table in docs/fhir.md, or say whether they are up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from catalogue.fhir import with_decisions
from catalogue.page import page

DOCS = Path(__file__).resolve().parents[3] / "docs"
PLACE, FHIR = DOCS / "entries.md", DOCS / "fhir.md"


def main() -> str | None:
    """Do what the command line asks; answer with a sentence when a page is out of date."""
    parser = argparse.ArgumentParser(prog="script/catalogue", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    asked = parser.parse_args()
    written = {PLACE: page(), FHIR: with_decisions(FHIR.read_text(encoding="utf-8"))}
    if not asked.check:
        for place, text in written.items():
            place.write_text(text, encoding="utf-8")
        return None
    old = [
        place.name
        for place, text in written.items()
        if not place.exists() or place.read_text(encoding="utf-8") != text
    ]
    return f"docs/{' and docs/'.join(old)}: out of date, run script/catalogue." if old else None


if __name__ == "__main__":
    sys.exit(main())
