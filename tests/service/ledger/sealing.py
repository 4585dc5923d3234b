"""A sealer to test with: keys of its own, a memory in a folder, and what it keeps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.container import Container
from service.ledger.books import ENTRIES, Head, head_of
from service.ledger.notes import LOG, Vkey
from service.ledger.sealer import Sealer
from service.ledger.seen import Seen
from service.serving.sealer import connect
from tests.conftest import Clinic
from tests.service.recording import _RESTORE, asked, goal, open_plan

Owner = psycopg.Connection[Any]


@dataclass
class Sealing:
    """A sealer as a process would run it, to be asked round by round; begun anew as often as one likes."""

    url: str
    folder: Path
    owner: Owner
    key: Ed25519PrivateKey

    @contextlib.contextmanager
    def sealer(
        self, *, kept: bool = True, keys: Sequence[Ed25519PrivateKey] = (), **more: Any
    ) -> Iterator[Sealer]:
        """One that begins, works and ends; unless told otherwise it keeps what it has seen."""
        seen = Seen(self.folder / "seen")
        with connect(self.url) as conn:
            yield Sealer(conn, keys or [self.key], seen, **more)
        if kept:
            seen.keep()

    def seal(self, **more: Any) -> int:
        """Seal all there is; how many leaves."""
        with self.sealer(**more) as sealer:
            return sealer.catch_up()

    def restore(self, clinic: Clinic, count: int) -> None:
        """So many entries in ten plans, straight into the log."""
        at, plans = datetime.now(UTC), [uuid4() for _ in range(10)]
        for first in range(0, count, 1_000):
            numbers = range(first, first + 1_000)
            given = [
                [plans[number % 10] for number in numbers],
                [number // 10 + 1 for number in numbers],
                [uuid4() for _ in numbers],
                [uuid4() for _ in numbers],
                [at] * 1_000,
                ["plan.setback-noted"] * 1_000,
                [b"{}"] * 1_000,
            ]
            self.owner.execute(_RESTORE, [clinic.clinic_id, first + 1, *given])

    def head(self, clinic_id: UUID, tree: str = ENTRIES) -> Head:
        """How far a tree is sealed."""
        found = head_of(self.owner, clinic_id, tree)
        assert found is not None
        return found

    def vkey(self, clinic_id: UUID, tree: str = ENTRIES) -> Vkey:
        """What the signatures of a tree are to be checked with, not asked of the database."""
        public = self.key.public_key().public_bytes_raw()
        return Vkey(f"plan-history/{clinic_id}/{tree}", LOG, public)


def grow(container: Container, clinic: Clinic, *, plans: int, each: int) -> list[UUID]:
    """New plans of a clinic, each with so many entries after its opening, recorded in turn; their ids."""
    who = clinic.member()
    opened = [open_plan(container, who, str(uuid4())).plan_id for _ in range(plans)]
    for _ in range(each):
        for plan in opened:
            container.plans.record(who, plan, [goal()], asked())
    return opened
