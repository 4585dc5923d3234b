"""Which aggregate an entry belongs to: a plan, or the clinic itself."""

from __future__ import annotations

from domain.clinic import Clinic
from domain.entry import Entry
from domain.history import History
from domain.plan import Plan


def shell(first: Entry) -> History:
    """The empty history that is about to learn ``first``."""
    return (Clinic if first.data.TOPIC.startswith("clinic.") else Plan).shell(first)
