"""What is sent over HTTP, and the clinics it is sent to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from uuid import UUID

import psycopg

from bench import material
from bench.clinic import Clinic, clinic
from bench.jobs import Job, Place, json_headers
from bench.serving import Serving
from bench.stage import Stage, owner
from domain.entry import EntryData
from domain.fields import plain_moment, to_plain
from domain.practice import PracticeAssigned

NAMES = (
    "open-plan", "add-one", "add-twenty", "current", "timeline", "as-of", "as-of-amended", "as-of-10000",
    "diff", "worklist",
)  # fmt: skip
LIMIT = "limit-"
"""Workloads of that name go to the limit (limit.py) instead of the service."""
LIMITS = tuple(LIMIT + name for name in ("open-plan", "add-one", "current", "timeline"))
POOL = 320
"""Plans that entries are added to: twenty for each of sixteen connections."""
SMALL = 2_000
NAMES = (
    "open-plan", "add-one", "add-twenty", "current", "timeline", "as-of", "as-of-amended", "as-of-10000",
    "diff", "worklist",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: who reads and writes, and which plans."""

    reader: str
    writer: str
    writing: UUID
    plan: UUID
    amended: UUID
    long: UUID
    pool: tuple[UUID, ...]


def load(held: Stage, url: str, told: Callable[[str], None]) -> Loaded:
    """Fill two clinics: one to read in, one to write in."""
    with (
        held.hasty("serving"),
        clinic(url, "Reading", days_ago=700, step=timedelta(hours=36)) as reading,
    ):
        told("loading: two plans of 200 entries, one of 10,000 …")
        plan, amended = reading.live("one", 200, 5), reading.live_amended("amended", 200)
        reading.step = timedelta(hours=12)
        long = reading.live("long", 10_000, 20)
        told(f"loading: {SMALL:,} plans of 12 entries …")
        _small(reading, SMALL)
        with clinic(url, "Writing") as writing:
            pool = _small(writing, POOL)
            return Loaded(
                reading.token,
                writing.token,
                writing.who.clinic_id,
                plan,
                amended,
                long,
                tuple(pool),
            )


def _small(into: Clinic, plans: int) -> list[UUID]:
    into.step, into.now = timedelta(), datetime.now(UTC)
    return [into.open(number, material.life(11)) for number in range(plans)]


def _body(entries: Sequence[EntryData]) -> str:
    shown = [{"type": type(data).__name__, "data": to_plain(data)} for data in entries]
    return json.dumps({"entries": shown}, ensure_ascii=False)


def _session() -> list[EntryData]:
    """Twenty entries that can be recorded again and again."""
    said = (data for data in material.course() if not isinstance(data, PracticeAssigned))
    lasting = (
        data for data in said if getattr(data, "practice_id", None) in (None, material.PRACTICE)
    )
    return list(islice(lasting, 20))


def _versions(url: str, clinic_id: UUID) -> dict[UUID, int]:
    query = "SELECT plan_id, max(version) FROM entries WHERE clinic_id = %s GROUP BY plan_id"
    with owner(url) as conn:
        return dict(conn.execute(query, [clinic_id]).fetchall())


def _moments(url: str, plan: UUID, versions: Sequence[int]) -> list[str]:
    query = (
        "SELECT recorded_at FROM entries WHERE plan_id = %s AND version = ANY(%s) ORDER BY version"
    )
    with owner(url) as conn:
        return [plain_moment(row[0]) for row in conn.execute(query, [plan, list(versions)])]


def job(name: str, running: Serving, loaded: Loaded) -> Job:
    """The requests of a workload, as things stand now."""
    if name.startswith(LIMIT):
        return _limit(name.removeprefix(LIMIT), running.limit_url, loaded)
    if name == "open-plan":
        return Job((Place("/v1/plans"),), json_headers(loaded.writer), _opening())
    if name in ("add-one", "add-twenty"):
        known = _versions(running.url, loaded.writing)
        places = tuple(Place(f"/v1/plans/{held}/entries", known[held]) for held in loaded.pool)
        said = _session()[: 1 if name == "add-one" else 20]
        return Job(places, json_headers(loaded.writer), _body(said))
    return Job(tuple(map(Place, _paths(running.url, loaded)[name]())), json_headers(loaded.reader))


def _paths(url: str, loaded: Loaded) -> dict[str, Callable[[], list[str]]]:
    """What is read."""
    plan = f"/v1/plans/{loaded.plan}"
    many = Random(7).sample(range(100, 10_001), 200)  # noqa: S311 - the same moments every time

    def as_of(held: UUID, versions: Sequence[int]) -> list[str]:
        return [f"/v1/plans/{held}?as_of={moment}" for moment in _moments(url, held, versions)]

    return {
        "current": lambda: [plan],
        "timeline": lambda: [f"{plan}/timeline?limit=100"],
        "as-of": lambda: as_of(loaded.plan, [100]),
        "as-of-amended": lambda: as_of(loaded.amended, [100]),
        "as-of-10000": lambda: as_of(loaded.long, many),
        "diff": lambda: [f"{plan}/diff?from=100&to=200"],
        "worklist": lambda: ["/v1/worklist"],
    }


def _opening() -> str:
    return json.dumps({**to_plain(material.opening("x")), "client_ref": "new-@unique@"})


def _limit(name: str, url: str, loaded: Loaded) -> Job:
    headers = json_headers("as long as a token of the service, but nobody looks at it")
    if name == "open-plan":
        return Job((Place("/plan"),), headers, _opening())
    if name == "add-one":
        with psycopg.connect(url) as conn:
            rows = conn.execute("SELECT plan_id, version FROM plans").fetchall()
        known: dict[str, int] = dict(rows)
        places = (Place(f"/plan/{held}/entries", known[str(held)]) for held in loaded.pool)
        return Job(tuple(places), headers, _body(_session()[:1]))
    return Job((Place("/plan/one" if name == "current" else "/plan/one/timeline"),), headers)
