"""The command line: write docs/entries.md, or say whether it is up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from catalogue.page import page

PLACE = Path(__file__).resolve().parents[3] / "docs" / "entries.md"


def main() -> str | None:
    """Do what the command line asks; answer with a sentence when the page is out of date."""
    parser = argparse.ArgumentParser(prog="script/catalogue", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    asked, written = parser.parse_args(), page()
    if not asked.check:
        PLACE.write_text(written, encoding="utf-8")
        return None
    same = PLACE.exists() and PLACE.read_text(encoding="utf-8") == written
    return None if same else "docs/entries.md is out of date: run script/catalogue."


if __name__ == "__main__":
    sys.exit(main())
