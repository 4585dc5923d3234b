"""Clinics: creating and listing them (as the owner)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from domain.errors import InvalidDataError, Problem
from domain.fields import TextRule


def create_clinic(
    conn: Any, name: str, *, rehearsal: bool = False, clinic_id: UUID | None = None
) -> UUID:
    """Create a clinic with its empty log; raises InvalidDataError for an unusable name."""
    name = name.strip()
    problem = TextRule(most=200).problem(name)
    if problem:
        raise InvalidDataError([Problem("/name", problem)])
    clinic_id = clinic_id or uuid4()
    with conn.transaction():
        conn.execute(
            "INSERT INTO clinics (clinic_id, name, rehearsal) VALUES (%s, %s, %s)",
            [clinic_id, name, rehearsal],
        )
        conn.execute("INSERT INTO clinic_logs (clinic_id) VALUES (%s)", [clinic_id])
    return clinic_id


def clinics(conn: Any) -> list[dict[str, Any]]:
    """Every clinic with the length of its log."""
    rows = conn.execute(
        "SELECT c.clinic_id, c.name, c.rehearsal, c.created_at, l.position FROM clinics c "
        "JOIN clinic_logs l USING (clinic_id) ORDER BY c.created_at"
    ).fetchall()
    names = ("clinic_id", "name", "rehearsal", "created_at", "position")
    return [dict(zip(names, row, strict=True)) for row in rows]
