"""What is sent over HTTP, and the clinics it is sent to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from bench import material
from bench.clinic import Clinic, clinic
from bench.jobs import Job, Place
from bench.serving import Serving
from bench.stage import Stage, owner
from domain.entry import EntryData
from domain.fields import plain_moment, to_plain
from domain.practice import PracticeAssigned

MANY = "-many"
"""Writing workloads of that name go to sixteen clinics, each to a connection of its own."""
LIMIT = "limit-"
"""Workloads of that name go to the limit (limit.py) instead of the service."""
NAMES = (
    "open-plan", "open-plan-many", "add-one", "add-one-many", "add-twenty", "current", "timeline", "as-of",
    "as-of-amended", "as-of-10000", "diff", "worklist", "measures", "feed", "fhir-plan", "fhir-version", "fhir-search",
    "proof",
)  # fmt: skip
LIMITS = tuple(LIMIT + name for name in ("open-plan", "add-one", "current", "timeline"))
CLINICS = 16
POOL, POOL_OF_TWENTY = 64, 320
"""Plans that entries are added to; more where they come by twenties, so that none grows too long."""
RANDOM = Random(7)  # noqa: S311 - the same moments every time


@dataclass(frozen=True, slots=True)
class Pool:
    """Plans to add to: whose token, and which plan."""

    clinic_id: UUID
    plans: tuple[tuple[str, UUID], ...]

    @property
    def tokens(self) -> list[str]:
        """The writers' tokens, each once."""
        return list(dict.fromkeys(token for token, _ in self.plans))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: plans to read, and plans to add to in one clinic and in many."""

    reader: str
    plan: UUID
    amended: UUID
    long: UUID
    one: Pool
    many: Pool
    twenties: Pool


def load(held: Stage, url: str, plans: int, told: Callable[[str], None]) -> Loaded:
    """Fill one clinic to read in, with so many small plans, and others to write in."""
    with (
        held.hasty("serving"),
        clinic(url, "Reading", days_ago=700, step=timedelta(hours=36)) as reading,
    ):
        told("loading: two plans of 200 entries, one of 10,000 …")
        plan, amended = reading.live("one", 200, 5), reading.live_amended("amended", 200)
        reading.step = timedelta(hours=12)
        long = reading.live("long", 10_000, 20)
        told(f"loading: {plans:,} plans of 12 entries …")
        _small(reading, plans)
        pools = _pool(url, 1, POOL), _pool(url, CLINICS, POOL), _pool(url, 1, POOL_OF_TWENTY)
        return Loaded(reading.token, plan, amended, long, *pools)


def _pool(url: str, clinics: int, plans: int) -> Pool:
    """As many plans in so many clinics: the first of each, then the second, and so on."""
    held: list[list[tuple[str, UUID]]] = []
    clinic_id = UUID(int=0)
    for number in range(clinics):
        with clinic(url, f"Writing {number} of {clinics}") as into:
            held.append([(into.token, plan) for plan in _small(into, plans // clinics)])
            clinic_id = into.who.clinic_id
    return Pool(clinic_id, tuple(one for turn in zip(*held, strict=True) for one in turn))


def _small(into: Clinic, plans: int) -> list[UUID]:
    into.step, into.now = timedelta(), datetime.now(UTC)
    return [into.open(number, material.life(11)) for number in range(plans)]


def job(name: str, running: Serving, loaded: Loaded) -> Job:
    """The requests of a workload, as things stand now."""
    if name.startswith(LIMIT):
        return _limit(name.removeprefix(LIMIT), running.limit_url, loaded.one)
    pool = loaded.many if name.endswith(MANY) else loaded.one
    pool = loaded.twenties if name == "add-twenty" else pool
    if name.startswith("open-plan"):
        return Job(tuple(Place("/v1/plans", token) for token in pool.tokens), _opening())
    if name.startswith("add-"):
        query = "SELECT plan_id, max(version) FROM entries WHERE plan_id = ANY(%s) GROUP BY plan_id"
        with owner(running.url) as conn:
            known = dict(_rows(conn, query, [[plan for _, plan in pool.plans]]))
        places = (
            Place(f"/v1/plans/{plan}/entries", token, known[plan]) for token, plan in pool.plans
        )
        return Job(tuple(places), _body(_session(20 if name == "add-twenty" else 1)))
    return Job(tuple(Place(path, loaded.reader) for path in _paths(name, running.url, loaded)))


def _paths(name: str, url: str, loaded: Loaded) -> Iterator[str]:
    """What is read."""
    plan = f"/v1/plans/{loaded.plan}"
    fixed = {
        "current": plan,
        "timeline": f"{plan}/timeline?limit=100",
        "diff": f"{plan}/diff?from=100&to=200",
        "worklist": "/v1/worklist",
        "measures": f"{plan}/measures",
        "feed": "/v1/feed?lastEventId=1000&limit=100",
        "fhir-plan": f"/fhir/R4/CarePlan/{loaded.plan}",
        "fhir-version": f"/fhir/R4/CarePlan/{loaded.plan}/_history/100",
        "fhir-search": f"/fhir/R4/Goal?_id={loaded.plan}.2",
    }
    moments = {
        "as-of": (loaded.plan, range(5, 200, 5)),
        "as-of-amended": (loaded.amended, range(5, 200, 5)),
        "as-of-10000": (loaded.long, RANDOM.sample(range(100, 10_001), 200)),
        "proof": (loaded.long, RANDOM.sample(range(1, 10_001), 200)),
    }
    if name in fixed:
        yield fixed[name]
        return
    held, versions = moments[name]
    if name == "proof":
        query = "SELECT entry_id FROM entries WHERE plan_id = %s AND version = ANY(%s)"
        with owner(url) as conn:
            for (entry_id,) in _rows(conn, query, [held, list(versions)]):
                yield f"/v1/ledger/proof/{entry_id}"
        return
    query = "SELECT recorded_at FROM entries WHERE plan_id = %s AND version = ANY(%s)"
    with owner(url) as conn:
        for (moment,) in _rows(conn, query, [held, list(versions)]):
            yield f"/v1/plans/{held}?as_of={plain_moment(moment)}"


def _limit(name: str, url: str, pool: Pool) -> Job:
    if name == "open-plan":
        return Job((Place("/plan"),), _opening())
    if name == "add-one":
        with psycopg.connect(url) as conn:
            known = dict(_rows(conn, "SELECT plan_id, version FROM plans", []))
        places = (
            Place(f"/plan/{plan}/entries", token, known[str(plan)]) for token, plan in pool.plans
        )
        return Job(tuple(places), _body(_session(1)))
    path = "/plan/one" if name == "current" else "/plan/one/timeline"
    return Job((Place(path, pool.tokens[0]),))


def _rows(conn: psycopg.Connection[Any], query: str, parameters: list[Any]) -> list[Any]:
    return conn.execute(query.encode(), parameters).fetchall()


def _opening() -> str:
    return json.dumps({**to_plain(material.opening("x")), "client_ref": "new-@unique@"})


def _body(entries: Sequence[EntryData]) -> str:
    shown = [{"type": type(data).__name__, "data": to_plain(data)} for data in entries]
    return json.dumps({"entries": shown}, ensure_ascii=False)


def one_entry() -> str:
    """The body that adds one entry, to any plan."""
    return _body(_session(1))


def _session(count: int) -> list[EntryData]:
    """Entries that can be recorded again and again."""
    said = (data for data in material.course() if not isinstance(data, PracticeAssigned))
    lasting = (
        data for data in said if getattr(data, "practice_id", None) in (None, material.PRACTICE)
    )
    return list(islice(lasting, count))
