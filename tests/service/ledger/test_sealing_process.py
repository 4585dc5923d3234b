"""The sealer as it runs: woken or not, through lost connections, several beside each other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from service.container import Container
from service.ledger.books import ENTRIES, LOOKS
from service.ledger.seen import Seen, SeenFileError
from service.ledger.verify import verify
from service.serving import sealer
from service.serving.sealer import prepare, seal
from service.settings import Settings
from service.wake import CHANNEL
from tests.conftest import Clinic
from tests.service.ledger.sealing import Owner, Sealing, grow
from tests.service.recording import set_goal
from tests.service.servers import soon


@contextlib.contextmanager
def running(sealing: Sealing, number: int = 1) -> Iterator[None]:
    """So many sealers at work, each with a memory of its own, until the end of the block."""
    stop = threading.Event()
    threads = [
        threading.Thread(
            target=seal,
            args=(sealing.url, [sealing.key], Seen(sealing.folder / f"seen-{which}"), stop),
        )
        for which in range(number)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def size(owner: Owner, clinic_id: UUID, tree: str = ENTRIES) -> int:
    """How many leaves of a tree are sealed."""
    row = owner.execute(
        "SELECT size FROM checkpoints WHERE clinic_id = %s AND tree = %s", [clinic_id, tree]
    ).fetchone()
    return int(row[0]) if row else -1


def ends(url: str) -> int:
    """End the sealers' connections, as a restart of the database would; how many there were."""
    with psycopg.connect(url, autocommit=True) as superuser:
        found = superuser.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = 'plan-history-sealer' AND datname = current_database()"
        ).fetchone()
    return int(found[0]) if found else 0


def test_what_is_recorded_is_sealed_within_a_second(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Entries and looks, one after the other; then nothing is written while nothing comes."""
    plan = grow(container, clinic, plans=1, each=0)[0]
    with running(sealing):
        assert soon(lambda: size(owner, clinic.clinic_id) == 1)
        took = []
        for number in range(2, 7):
            set_goal(container, clinic.member(), plan)
            begun = time.monotonic()
            assert soon(lambda wanted=number: size(owner, clinic.clinic_id) == wanted)  # type: ignore[misc] # bound
            took.append(time.monotonic() - begun)
        assert sorted(took)[2] < 1, took  # a busy machine may be late once
        container.plans.current(clinic.member(), plan)
        assert soon(lambda: size(owner, clinic.clinic_id, LOOKS) == 1)
        sealed_at = sealing.head(clinic.clinic_id).sealed_at
        assert not soon(lambda: sealing.head(clinic.clinic_id).sealed_at != sealed_at, 0.8)


def test_nobody_needs_to_wake_it(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """With every wake-up lost it is at most a poll late; with one it does not wait for it."""
    container.plans.recording.recorded = lambda _: None
    plan = grow(container, clinic, plans=1, each=0)[0]
    with running(sealing):
        assert soon(lambda: size(owner, clinic.clinic_id) == 1)
        set_goal(container, clinic.member(), plan)
        assert soon(lambda: size(owner, clinic.clinic_id) == 2)


def test_a_wake_up_is_heard(
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though it would not look by itself for an hour."""
    monkeypatch.setattr(sealer, "POLL", 5.0)
    container.plans.recording.recorded = lambda _: None
    plan = grow(container, clinic, plans=1, each=0)[0]
    with running(sealing):
        assert soon(lambda: size(owner, clinic.clinic_id) == 1)
        set_goal(container, clinic.member(), plan)

        def woken() -> bool:
            owner.execute(f"NOTIFY {CHANNEL}".encode())
            return size(owner, clinic.clinic_id) == 2

        assert soon(woken, 4)


def test_it_survives_the_loss_of_its_connections(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner, database_url: str
) -> None:
    """Again and again, in the middle of whatever it does; all is sealed in the end, and in order."""
    plan = grow(container, clinic, plans=1, each=0)[0]
    with running(sealing, 2):
        lost = 0
        for _ in range(8):
            for _ in range(10):
                set_goal(container, clinic.member(), plan)
            lost += ends(database_url)
        assert lost > 0
        assert soon(lambda: size(owner, clinic.clinic_id) == 81)
    assert not verify(owner, clinic.clinic_id, ENTRIES).damaged


def test_it_keeps_what_it_has_seen_when_it_ends(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """The next one knows what was signed last."""
    grow(container, clinic, plans=1, each=3)
    with running(sealing):
        assert soon(lambda: size(owner, clinic.clinic_id) == 4)
    seen = Seen(sealing.folder / "seen-0").get(f"plan-history/{clinic.clinic_id}/entries")
    assert seen == sealing.head(clinic.clinic_id).checkpoint()


def test_serve_finds_out_beforehand_whether_it_could_seal(tmp_path: Path) -> None:
    """A key is made where there is none; a damaged memory is told before anything runs."""
    held = Settings(home=tmp_path)
    prepare(held)
    key = held.sealer_key.read_bytes()
    prepare(held)
    assert held.sealer_key.read_bytes() == key
    held.sealer_seen.write_text("something else")
    with pytest.raises(SeenFileError, match="Restore it"):
        prepare(held)
