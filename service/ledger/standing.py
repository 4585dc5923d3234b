"""How a clinic's trees stand: how far each is sealed, what waits, and whether something is wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.fields import plain_moment
from service.ledger.books import ENTRIES, LOOKS, Connection, head_of

_WAITING = {
    ENTRIES: """
SELECT count(*), min(recorded_at) FROM entries WHERE clinic_id = %(clinic)s AND position > %(size)s
""",
    LOOKS: """
SELECT count(*), min(looked_at) FROM (
    SELECT looked_at FROM access_log WHERE clinic_id = %(clinic)s AND look_id > (
        SELECT coalesce(max(look_id), 0) FROM sealed_looks WHERE clinic_id = %(clinic)s)
    LIMIT 10000) AS held
""",
}
"""How many wait to be sealed, and since when; of looks not more are counted than tell that it is many."""
_PLAN = """
SELECT max(version), coalesce(max(version) FILTER (WHERE position <= %s), 0) FROM entries
WHERE clinic_id = %s AND plan_id = %s
"""


def standing(conn: Connection, clinic_id: UUID, tree: str) -> dict[str, Any]:
    """How one tree stands."""
    head = head_of(conn, clinic_id, tree)
    size = head.size if head else 0
    row = conn.execute(_WAITING[tree], {"clinic": clinic_id, "size": size}).fetchone()
    behind, since = row or (0, None)
    return {
        "origin": head.origin if head else None,
        "size": size,
        "checkpoint": head.note if head else None,
        "sealed_at": plain_moment(head.sealed_at) if head and head.sealed_at else None,
        "behind": behind,
        "waiting_since": plain_moment(since) if since else None,
        "stopped_at": head.stopped_at if head else None,
        "stopped_why": head.stopped_why if head else None,
        "vkeys": [str(key) for key in head.vkeys] if head else [],
    }


def standing_of_plan(conn: Connection, clinic_id: UUID, plan_id: UUID) -> dict[str, Any]:
    """How the entries' tree stands, the plan's version, and up to which version the plan is sealed."""
    shown = standing(conn, clinic_id, ENTRIES)
    row = conn.execute(_PLAN, [shown["size"], clinic_id, plan_id]).fetchone()
    version, sealed = row or (None, 0)
    return {**shown, "version": version, "version_sealed": sealed}
