"""kill -9 under load: nothing acknowledged is lost, nothing is there twice, nobody is told wrongly."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.clinics import create_clinic
from service.ledger.books import TREES
from service.ledger.verify import verify
from service.tokens import issue
from tests.conftest import THERAPIST
from tests.faults.load import PATIENCE, Forgetful, Writer, verdict
from tests.projections.tables import assert_equal_to_rebuilt, behind, stopped
from tests.service.servers import family, reachable_folder, soon
from tests.service.serving import Serving, serving

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds its victims through /proc"),
]
ROUNDS = "PLAN_HISTORY_FAULT_ROUNDS"
WRITERS = 4


@dataclass
class Storm:
    """A running service with a durable database, a clinic, and those who write in it."""

    serving: Serving
    clinic_id: UUID
    writers: list[Writer] = field(default_factory=list)

    def begin(self, kind: type[Writer], number: int) -> list[Writer]:
        """Let so many begin to write."""
        with self.owner() as conn:
            tokens = [
                issue(conn, self.clinic_id, name="Robin", role="clinician", member_id=THERAPIST)
                for _ in range(number)
            ]
        begun = [kind(self.serving, made.token) for made in tokens]
        for writer in begun:
            writer.start()
        self.writers += begun
        return begun

    def end(self) -> None:
        """Let all finish what they are at."""
        for writer in self.writers:
            writer.over.set()
        for writer in self.writers:
            writer.join(PATIENCE)
            assert not writer.is_alive()

    def goes_on(self, by: int = 6) -> bool:
        """Whether every writer gets so many further answers."""
        before = [len(writer.acknowledged) for writer in self.writers]

        def further() -> bool:
            return all(
                writer.failed or len(writer.acknowledged) >= held + by
                for writer, held in zip(self.writers, before, strict=True)
            )

        return soon(further, PATIENCE)

    def owner(self) -> psycopg.Connection[Any]:
        """A connection as the owner, once the database takes one again."""
        held: list[psycopg.Connection[Any]] = []

        def connected() -> bool:
            try:
                held.append(self.serving.owner())
            except (psycopg.OperationalError, AssertionError):
                return False
            return True

        assert soon(connected, PATIENCE)
        return held[0]

    # Victims

    def worker(self) -> int:
        """One of the web workers."""
        return self.serving.processes("gunicorn")[-1]

    def web(self) -> int:
        """The master of the web workers."""
        return self.serving.processes("gunicorn")[0]

    def projector(self) -> int:
        """The projector."""
        return self.serving.processes("service.commandline project")[0]

    def sealer(self) -> int:
        """The sealer."""
        return self.serving.processes("service.ledger")[0]

    def postgres(self) -> int:
        """The database server."""
        return self.serving.database.pid

    def session(self) -> int:
        """One of the database's sessions, whose sudden end lets all of it recover."""
        return next(pid for pid in family(self.postgres())[1:] if "plan_history" in title(pid))


def title(pid: int) -> str:
    """What a process of PostgreSQL says it is doing."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@pytest.fixture
def storm() -> Iterator[Storm]:
    """A service with nobody writing yet."""
    with reachable_folder() as folder, serving(folder / "home") as started:
        with started.owner() as conn:
            clinic_id = create_clinic(conn, "Fault test")
        yield Storm(started, clinic_id)


def kill(storm: Storm, victim: Callable[[Storm], int]) -> None:
    """End the victim without a word, as soon as there is one."""
    hit: list[int] = []

    def struck() -> bool:
        try:
            hit.append(victim(storm))
            os.kill(hit[-1], signal.SIGKILL)
        except (LookupError, StopIteration, AssertionError, ProcessLookupError):
            return False
        return True

    assert soon(struck, PATIENCE)


def assert_all_is_well(storm: Storm) -> None:
    """What was acknowledged is there, once; nobody was refused; the read models are right, all is sealed."""
    with storm.owner() as conn, storm.serving.keys() as vault:
        assert verdict(conn, storm.clinic_id, storm.writers, vault) == []
        assert soon(lambda: set(behind(conn).values()) == {0}, 30)
        assert stopped(conn) == {}
        assert_equal_to_rebuilt(conn, vault=vault)
        assert_all_is_sealed(storm, conn)


def assert_all_is_sealed(storm: Storm, conn: psycopg.Connection[Any]) -> None:
    """Every entry and every look is a leaf, and every leaf is that of its row."""
    for tree in TREES:

        def whole(tree: str = tree) -> bool:
            verdict = verify(conn, storm.clinic_id, tree)
            assert not verdict.damaged, verdict
            return verdict.unsealed == 0

        assert soon(whole, 30)


VICTIMS = (Storm.worker, Storm.projector, Storm.sealer, Storm.session, Storm.postgres, Storm.sealer)


def test_every_answer_given_stays_true(storm: Storm) -> None:
    """A web worker, projector, sealer, a session and PostgreSQL die in turn; then a control.

    Control: writers who take their answers for lost and use another key are found out – one is told
    of a conflict that is their own entry, or their entry is there twice.
    """
    storm.begin(Writer, WRITERS)
    for victim in VICTIMS:
        assert storm.goes_on()
        kill(storm, victim)
    assert storm.goes_on()
    storm.end()
    assert_all_is_well(storm)
    storm.begin(Forgetful, 1)
    storm.writers[-1].join(1)
    storm.end()
    with storm.owner() as conn, storm.serving.keys() as vault:
        found = verdict(conn, storm.clinic_id, storm.writers, vault)
    assert {held.partition(":")[0] for held in found} >= {"twice", "refused"}


@pytest.mark.slow
@pytest.mark.skipif(ROUNDS not in os.environ, reason=f"{ROUNDS}: how many processes to kill")
def test_every_answer_stays_true_for_long(storm: Storm) -> None:
    """Any process at any moment, as often as one likes."""
    rng = Random(7)
    storm.begin(Writer, 2 * WRITERS)
    for _ in range(int(os.environ[ROUNDS])):
        assert storm.goes_on(rng.randint(1, 8))
        kill(storm, rng.choice([*VICTIMS, Storm.web]))
    assert storm.goes_on()
    storm.end()
    assert_all_is_well(storm)
