"""The pages: what people read and write in the browser, rendered here and readable without JavaScript.

Law of this folder: a page asks services, like the API's routes do, and shows what they answer. What
it says to people is in ``templates/`` and in ``words.py``; what is drawn comes from ``charts/``.
"""

from __future__ import annotations

from api.pages import (
    audit,
    change,
    disclosures,
    emergency,
    entrance,
    erasure,
    evidence,
    figures,
    history,
    issuer,
    opening,
    own,
    people,
    plans,
    record,
    replay,
    seals,
    telling,
    timeline,
    worklist,
)
from api.pages.blueprint import pages

__all__ = [
    "audit",
    "change",
    "disclosures",
    "emergency",
    "entrance",
    "erasure",
    "evidence",
    "figures",
    "history",
    "issuer",
    "opening",
    "own",
    "pages",
    "people",
    "plans",
    "record",
    "replay",
    "seals",
    "telling",
    "timeline",
    "worklist",
]
