"""The store alone: entries appended without HTTP and without rules, beside the library's stock recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from bench import crowd, material, stock
from bench.crowd import Work
from bench.figures import Figure
from bench.report import Section
from bench.stage import Stage, owner
from domain.entry import Author, Entry, to_stored
from domain.plan import Plan
from projections.sealing import NO_KEYS
from service.clinics import create_clinic
from service.database import Database
from service.record.application import ClinicRecord
from service.record.mapper import EntryTranscoder
from service.record.recorder import Command

WRITERS, CLINICS = (1, 8, 32), (1, 64)
SLICE = 2.0
"""Seconds between one case and the next."""
AUTHOR = Author(member_id=material.THERAPIST, name="Robin Sample", role="clinician")
PRINCIPAL = UUID(material.THERAPIST)


def entry(plan_id: UUID, version: int) -> Entry:
    """A ready-made entry."""
    return Entry(
        originator_id=plan_id,
        originator_version=version,
        timestamp=datetime.now(UTC),
        entry_id=str(uuid4()),
        data=next(material.course()),
        recorded_by=AUTHOR,
        occurred_at=datetime.now(UTC),
        command_id=str(uuid4()),
    )


def ours(number: int, url: str, clinics: Sequence[UUID], keyed: bool) -> Work:  # noqa: FBT001 - handed on by position
    """Appending one entry after another, each in the next clinic, in plans of one's own."""
    database = Database(url, size=1, seconds=10).open()
    records = [ClinicRecord(database, held, NO_KEYS) for held in clinics]
    plans = [entry(uuid4(), 0) for _ in clinics]
    places = cycle(range(len(clinics)))
    versions = [0] * len(clinics)
    for _ in range(number % len(clinics)):
        next(places)

    def work() -> None:
        place = next(places)
        versions[place] += 1
        made = plans[place].but(originator_version=versions[place], entry_id=str(uuid4()))
        plan = Plan.new(made.originator_id)
        plan.expect(made, learn=False)
        records[place].save(plan, command=_command(keyed=keyed))

    return work


def _command(*, keyed: bool) -> Command:
    command_id = uuid4()
    if not keyed:
        return Command(command_id)
    return Command(
        command_id, principal=PRINCIPAL, key=str(command_id), digest=command_id.bytes * 2
    )


def theirs(_number: int, url: str, size: int) -> Work:
    """Appending one event after another in an aggregate of one's own, as the library does it."""
    app = stock.Diaries(stock.environment(url))
    diary, said = stock.Diary(), stock.words(size)

    def work() -> None:
        diary.note(said)
        app.save(diary)

    return work


@dataclass(frozen=True, slots=True)
class Case:
    """So many writers over so many clinics; None: the library."""

    writers: int
    clinics: int | None
    keyed: bool = False

    @property
    def told(self) -> str:
        """In words."""
        if self.clinics is None:
            return "stock recorder"
        key = ", with idempotency key" if self.keyed else ""
        return f"{self.clinics} clinic{'s' if self.clinics > 1 else ''}{key}"


def cases() -> Iterator[Case]:
    """What is measured in a round, in this order."""
    for writers in WRITERS:
        yield Case(writers, None)
        yield from (Case(writers, clinics) for clinics in CLINICS)
    yield from (Case(1, 1, keyed=True), Case(32, 64, keyed=True))


def measure(
    held: Stage, rounds: int, seconds: float, told: Callable[[str], None]
) -> dict[Case, list[float]]:
    """Appends per second, round by round."""
    size = len(EntryTranscoder().encode(to_stored(entry(uuid4(), 1))))
    found: dict[Case, list[float]] = {case: [] for case in cases()}
    with held.database("store") as url, held.database("stock", migrated=False) as plain:
        stock.Diaries(stock.environment(plain, create=True))
        with owner(url) as conn:
            clinics = [create_clinic(conn, f"Clinic {number}") for number in range(max(CLINICS))]
        slices = max(round(seconds / SLICE), 1)  # the disk's mood changes: change over often
        for number in range(1, rounds * slices + 1):
            for case, rates in found.items():
                given: tuple[Any, ...] = (theirs, case.writers, SLICE, plain, size)
                if case.clinics is not None:
                    given = (ours, case.writers, SLICE, url, clinics[: case.clinics], case.keyed)
                rates.append(crowd.rate(*given))
                told(
                    f"round {number}  store: {case.writers:2} writers, {case.told}: {rates[-1]:,.0f}/s"
                )
    return found


def _ratio(found: dict[Case, list[float]], case: Case) -> float:
    beside = found[Case(case.writers, None)]
    return median(mine / stock_rate for mine, stock_rate in zip(found[case], beside, strict=True))


def figures(found: dict[Case, list[float]]) -> Iterator[Figure]:
    """The figures for the targets."""
    for key, case in (("store-many", Case(32, 64)), ("store-one", Case(1, 1))):
        rates, beside = median(found[case]), median(found[Case(case.writers, None)])
        keyed = _ratio(found, Case(case.writers, case.clinics, keyed=True))
        note = f"{rates:,.0f}/s of {beside:,.0f}/s; {keyed:.2f} with idempotency key"
        yield Figure(key, _ratio(found, case), note)


def section(found: dict[Case, list[float]]) -> Section:
    """The table of every case."""
    rows = [
        (str(case.writers), case.told, f"{median(rates):,.0f}", f"{_ratio(found, case):.2f}")
        for case, rates in found.items()
    ]
    note = "One entry an append, each its own commit, durable; event states of the same size on both sides."
    return Section("The store alone", ("writers", "over", "appends/s", "× stock"), rows, note)
