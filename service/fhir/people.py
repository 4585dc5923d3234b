"""The clinic's people as Practitioners."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from uuid import UUID

import orjson
from psycopg.rows import TupleRow

from domain.clinic import Clinic
from domain.entry import Author
from domain.errors import PlanNotFoundError
from domain.people import Member
from service.database import BoundedConnection, Database
from service.fhir.terms import MEMBER, Resource, concept, given
from service.record.plans import Plans

NO_STAFF = frozenset({"client", "integration"})
_LAST_WORDS = """
SELECT e.plan_id, e.version, e.entry_id, e.state FROM timeline t JOIN entries e USING (clinic_id, position)
WHERE t.clinic_id = %s AND t.recorded_by = %s ORDER BY t.position DESC LIMIT 1
"""
_NAMED = """
SELECT EXISTS (SELECT FROM current_plans WHERE clinic_id = %(clinic)s
    AND (therapist_id = %(member)s OR supervisor_id = %(member)s))
"""


def find_practitioner(
    database: Database, plans: Plans, clinic_id: UUID, named: str
) -> Resource | None:
    """Somebody of a clinic's staff by their member id, or None: clients are Patients, programs are Devices.

    Who never joined by an entry is known as their own entries, or plans, name them.
    """
    try:
        member_id = UUID(named)
    except ValueError:
        return None
    member = _member(plans, clinic_id, member_id)
    if member is None:
        return recorded_as(database, plans, clinic_id, member_id)
    return practitioner(member_id, member) if member.role not in NO_STAFF else None


def _member(plans: Plans, clinic_id: UUID, member_id: UUID) -> Member | None:
    """A member as they are now, copied: the clinic goes on while their resource is made."""
    known = contextlib.suppress(PlanNotFoundError)  # it has recorded nothing of itself yet
    with known, plans.reading(clinic_id, clinic_id) as clinic:
        if isinstance(clinic, Clinic):
            held = clinic.state.members.get(str(member_id))
            return replace(held) if held else None
    return None


def named_by(member_id: str, author: Author | None) -> Resource:
    """Somebody as they recorded something; only by id where they did not, or not as staff."""
    if author is None or author.role in NO_STAFF:
        return _practitioner(member_id, None, None)
    return _practitioner(member_id, author.name, author.credential)


def practitioner(member_id: UUID, member: Member) -> Resource:
    """A member of the clinic."""
    return _practitioner(
        member_id, member.name, member.credential, active=member.status == "present"
    )


def _practitioner(
    member_id: UUID | str, name: str | None, credential: str | None, *, active: bool | None = None
) -> Resource:
    return given(
        resourceType="Practitioner",
        id=str(member_id),
        identifier=[{"system": MEMBER, "value": str(member_id)}],
        active=active,
        name=[{"text": name}] if name else None,
        qualification=[{"code": concept(credential)}] if credential else None,
    )


def recorded_as(
    database: Database, plans: Plans, clinic_id: UUID, member_id: UUID
) -> Resource | None:
    """Somebody who never joined by an entry: as they last recorded, or only by id; None if unknown."""

    def look(conn: BoundedConnection) -> tuple[TupleRow | None, TupleRow | None]:
        said = conn.execute(_LAST_WORDS, [clinic_id, member_id], binary=True).fetchone()
        named = {"clinic": clinic_id, "member": member_id}
        return said, conn.execute(_NAMED, named).fetchone()

    said, named = database.in_clinic(clinic_id, look)
    state = plans.seals(clinic_id).state(*said) if said is not None else None
    if state is not None:
        author = orjson.loads(state)["recorded_by"]
        staff = author["role"] not in NO_STAFF
        return _practitioner(member_id, author["name"], author.get("credential")) if staff else None
    return _practitioner(member_id, None, None) if named and named[0] else None
