"""The FHIR façade's use cases: read, read a version, history, search."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import TupleRow

from domain.errors import PlanHistoryError
from domain.release import Readable, Released
from service.access import Gate, Principal, Sight
from service.access.table import CONSENTED, SELF
from service.database import BoundedConnection, Database
from service.fhir.decisions import MAKERS
from service.fhir.people import find_practitioner, named_by
from service.fhir.resources import Key, resource, resources
from service.fhir.search import Wanted, included
from service.fhir.terms import Resource
from service.kept import Kept
from service.reading import reading_plan
from service.record.plans import Plans

OF_PLANS = ("CarePlan", *MAKERS, "Provenance")
"""The types of resources that are made of plans."""
KINDS = (*OF_PLANS, "Patient", "Practitioner")
KEPT, LARGE = 64, 2_000
"""How many plans' resources a process keeps, and from how many entries on it does not."""
LOOKED_THROUGH = 200
"""Plans a search looks through for one page; it then answers with what it has and where to go on."""
NO_PLAN = UUID(int=0)
_CLIENT = (
    "left(encode(sha256(convert_to(clinic_id::text || ' ' || client_ref, 'UTF8')), 'hex'), 32)"
)
_PLANS = "SELECT * FROM current_plans WHERE clinic_id = %s AND {within}"
_CLIENTS = (
    f"SELECT DISTINCT ON (client_ref) * FROM ({_PLANS}) AS plans ORDER BY client_ref, plan_id"
)
_FROM_THERE = f"""
SELECT plan_id FROM ({{plans}}) AS plans WHERE plan_id > %s AND (%s OR {_CLIENT} = ANY(%s))
ORDER BY plan_id LIMIT %s
"""
_DIGEST = re.compile(r"[0-9a-f]{32}", re.ASCII)
READ = "fhir.read"


class ResourceNotFoundError(PlanHistoryError):
    """There is no such resource, or no such version of it."""

    code = "resource-not-found"
    title = "No such resource"


@dataclass(frozen=True)
class Page:
    """What a search found, what it brought along, and where it goes on (None: nowhere)."""

    found: list[Resource]
    included: list[Resource]
    next: tuple[str, int] | None


@dataclass(slots=True)
class FhirService:
    """Reads plans as FHIR resources."""

    database: Database
    plans: Plans
    gate: Gate
    _kept: Kept[tuple[UUID, UUID, int, bool], dict[Key, Resource]] = field(
        default_factory=lambda: Kept(KEPT)
    )

    def __post_init__(self) -> None:
        """Whoever is erased is let go of here, too."""
        self.gate.forgetting.append(self._forget)

    def _forget(self, clinic_id: UUID, plan_id: UUID) -> None:
        """Keep nothing of a plan that was erased."""
        self._kept.drop_where(lambda key: key[:2] == (clinic_id, plan_id))

    def read(self, principal: Principal, kind: str, resource_id: str) -> Resource:
        """The resource as it is now; raises ResourceNotFoundError."""
        if kind == "Practitioner":
            self.gate.require(principal, READ)
            return self._person(principal, resource_id)
        plan_id = self._plan_of(principal, kind, resource_id)
        sight = self.gate.see(principal, READ, plan_id)
        version, found = self._one(principal, plan_id, (kind, resource_id), whole=sight.full)
        self.gate.looked(principal, sight, plan_id, version=version, asked=f"fhir {kind}")
        return found

    def version(self, principal: Principal, kind: str, resource_id: str, version: int) -> Resource:
        """A version of the resource; raises ResourceNotFoundError."""
        with self._seen(principal, kind, resource_id) as (sight, plan):
            if not 1 <= version <= plan.version:
                raise _nothing()
            found = _there(resource(principal.clinic_id, plan, version, (kind, resource_id)))
        if found["meta"]["versionId"] != str(version):
            raise _nothing()
        self.gate.looked(principal, sight, plan.id, version=version, asked=f"fhir {kind}")
        return found

    def history(
        self, principal: Principal, kind: str, resource_id: str, count: int, before: int | None
    ) -> tuple[list[Resource], int | None]:
        """The newest versions (older than ``before``), newest first, and where older ones begin."""
        with self._seen(principal, kind, resource_id) as (sight, plan):
            newest = min((before or plan.version + 1) - 1, plan.version)
            versions = _versions(principal.clinic_id, plan, newest, (kind, resource_id))
            found = list(islice(versions, count + 1))
        if not found:
            raise _nothing()
        self.gate.looked(principal, sight, plan.id, version=newest, asked=f"fhir {kind} history")
        more = len(found) > count
        return found[:count], int(found[count - 1]["meta"]["versionId"]) if more else None

    def search(self, principal: Principal, wanted: Wanted) -> Page:
        """A page of what is asked for, plan by plan, of the plans within reach."""
        self.gate.require(principal, READ)
        if wanted.kind == "Practitioner":
            found = [self._find_person(principal, held) for held in sorted(wanted.ids)]
            return Page([held for held in found if held is not None], [], None)
        after, skipped = wanted.after or (NO_PLAN, 0)
        page = Page([], [], None)
        plan_ids = self._plan_ids(principal, wanted, UUID(str(after)), again=skipped > 0)
        for plan_id in plan_ids[:LOOKED_THROUGH]:
            left = self._search_in(principal, plan_id, wanted, skipped, page)
            if left is not None:
                return replace(page, next=(str(plan_id), left))
            skipped = 0
        more = len(plan_ids) > LOOKED_THROUGH
        return replace(page, next=(str(plan_ids[LOOKED_THROUGH - 1]), 0) if more else None)

    def _search_in(
        self, principal: Principal, plan_id: UUID, wanted: Wanted, skipped: int, page: Page
    ) -> int | None:
        """Add what a plan holds to the page; says how many it now has of it when more are left."""
        relation = self.gate.relation(principal, READ, plan_id)
        if relation is None:
            return None
        sight = Sight(READ, relation, (principal.grant(READ) or {})[relation])
        version, there = self._resources(principal, plan_id, whole=sight.full)
        matches = [held for held in there.values() if wanted.finds(held)][skipped:]
        taken = matches[: wanted.count - len(page.found)]
        if taken:
            asked = f"fhir {wanted.kind} search"
            self.gate.looked(principal, sight, plan_id, version=version, asked=asked)
        page.found.extend(taken)
        page.included.extend(included(wanted, taken, there))
        return skipped + len(taken) if len(taken) < len(matches) else None

    @contextlib.contextmanager
    def _reading(self, principal: Principal, plan_id: UUID, *, whole: bool) -> Iterator[Readable]:
        """The plan, or as much of it as its client sees: the only way to it in here."""
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            yield plan if whole else Released(plan)

    def _one(
        self, principal: Principal, plan_id: UUID, key: Key, *, whole: bool
    ) -> tuple[int, Resource]:
        """A plan's version, and one resource of it; made alone where all would be very many."""
        with self._reading(principal, plan_id, whole=whole) as plan:
            if plan.version > LARGE:
                return plan.version, _there(resource(principal.clinic_id, plan, plan.version, key))
            there = self._made(principal.clinic_id, plan, whole=whole)
            return plan.version, _there(there.get(key))

    def _resources(
        self, principal: Principal, plan_id: UUID, *, whole: bool
    ) -> tuple[int, dict[Key, Resource]]:
        """A plan's version and everything in it."""
        with self._reading(principal, plan_id, whole=whole) as plan:
            return plan.version, self._made(principal.clinic_id, plan, whole=whole)

    def _made(self, clinic_id: UUID, plan: Readable, *, whole: bool) -> dict[Key, Resource]:
        """Everything in a plan; kept, since a version never changes."""
        key = clinic_id, plan.id, plan.version, whole
        found = self._kept.get(key)
        if found is None:
            found = resources(clinic_id, plan)
            if plan.version <= LARGE:
                self._kept.put(key, found)
        return found

    def of_plan(self, principal: Principal, plan_id: UUID) -> Sequence[Resource]:
        """Every resource of a plan as it is now, and the practitioners they name, for who sees all of it."""
        _, there = self._resources(principal, plan_id, whole=True)
        found = list(there.values())
        return [*found, *self._people(principal, plan_id, found)]

    def _people(
        self, principal: Principal, plan_id: UUID, found: Sequence[Resource]
    ) -> Iterator[Resource]:
        for reference in sorted(set(_references(found))):
            kind, _, member_id = reference.partition("/")
            if kind == "Practitioner":
                known = self._find_person(principal, member_id)
                yield (
                    known
                    if known and "name" in known
                    else self._as_named(principal, plan_id, member_id)
                )

    def _as_named(self, principal: Principal, plan_id: UUID, member_id: str) -> Resource:
        """Somebody whom only this plan names: the read models may not have it yet."""
        with reading_plan(self.plans, principal.clinic_id, plan_id) as plan:
            said = (held.recorded_by for held in reversed(plan.entries))
            return named_by(member_id, next((by for by in said if by.member_id == member_id), None))

    @contextlib.contextmanager
    def _seen(
        self, principal: Principal, kind: str, resource_id: str
    ) -> Iterator[tuple[Sight, Readable]]:
        """The plan a resource is of, as far as the principal sees it."""
        if kind not in OF_PLANS:
            raise _nothing()
        plan_id = self._plan_of(principal, kind, resource_id)
        sight = self.gate.see(principal, READ, plan_id)
        with self._reading(principal, plan_id, whole=sight.full) as plan:
            yield sight, plan

    def _plan_of(self, principal: Principal, kind: str, resource_id: str) -> UUID:
        """The plan a resource belongs to; the first of a client's."""
        if kind == "Patient":
            if not _DIGEST.fullmatch(resource_id):
                raise _nothing()
            asked = Wanted("Patient", ids=frozenset({resource_id}))
            found = self._plan_ids(principal, asked, NO_PLAN)
            if not found:
                raise _nothing()
            return found[0]
        try:
            return UUID(resource_id.partition(".")[0])
        except ValueError as wrong:
            raise _nothing() from wrong

    def _person(self, principal: Principal, member_id: str) -> Resource:
        return _there(self._find_person(principal, member_id))

    def _find_person(self, principal: Principal, member_id: str) -> Resource | None:
        """Somebody who treats people here; a client knows those whom their own plans name."""
        if SELF in (principal.grant(READ) or {}) and not self._names(principal, member_id):
            return None
        return find_practitioner(self.database, self.plans, principal.clinic_id, member_id)

    def _names(self, principal: Principal, member_id: str) -> bool:
        own = self._plan_ids(principal, Wanted("CarePlan"), NO_PLAN)
        shown = (self._resources(principal, held, whole=False)[1] for held in own)
        wanted = f"Practitioner/{member_id}"
        return any(wanted in _references(list(there.values())) for there in shown)

    def _plan_ids(
        self, principal: Principal, wanted: Wanted, after: UUID, *, again: bool = False
    ) -> list[UUID]:
        """The plans to look through, in order; ``again``: that one, too, for it was not finished."""
        after = UUID(int=after.int - 1) if again else after
        clients = wanted.ids if wanted.kind == "Patient" else wanted.patients
        if wanted.kind != "Patient" and wanted.ids and not clients:
            named = filter(None, map(_plan_in, wanted.ids))
            return sorted({held for held in named if held > after})
        within, values = self._within(principal)
        plans = sql.SQL(_CLIENTS if wanted.kind == "Patient" else _PLANS).format(within=within)
        query = sql.SQL(_FROM_THERE).format(plans=plans)
        asked = [after, not clients, list(clients), LOOKED_THROUGH + 1]

        def look(conn: BoundedConnection) -> list[TupleRow]:
            return conn.execute(query, [principal.clinic_id, *values, *asked]).fetchall()

        return [row[0] for row in self.database.in_clinic(principal.clinic_id, look)]

    def _within(self, principal: Principal) -> tuple[sql.Composable, list[Any]]:
        """A condition on plans that may be within reach; consents are looked up plan by plan."""
        if CONSENTED in (principal.grant(READ) or {}):
            return sql.SQL("TRUE"), []
        return self.gate.reach(principal, READ, "plan_id")


def _plan_in(resource_id: str) -> UUID | None:
    try:
        return UUID(resource_id.partition(".")[0])
    except ValueError:
        return None


def _versions(clinic_id: UUID, plan: Readable, newest: int, key: Key) -> Iterator[Resource]:
    while newest > 0 and (found := resource(clinic_id, plan, newest, key)) is not None:
        yield found
        newest = int(found["meta"]["versionId"]) - 1


def _references(held: Any) -> Iterator[str]:
    if isinstance(held, dict):
        if isinstance(held.get("reference"), str):
            yield held["reference"]
        for value in held.values():
            yield from _references(value)
    elif isinstance(held, list):
        for value in held:
            yield from _references(value)


def _there(found: Resource | None) -> Resource:
    if found is None:
        raise _nothing()
    return found


def _nothing() -> ResourceNotFoundError:
    return ResourceNotFoundError("There is no such resource here; check its type, id and version.")
