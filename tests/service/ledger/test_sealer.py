"""The sealer: what comes is sealed, and nothing is signed that is not as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.access import Principal
from service.container import Container
from service.ledger import logs, sealer
from service.ledger.books import ENTRIES, LOOKS, TREES, Books, tiles_of
from service.ledger.leaves import Entry
from service.ledger.logs import Lateness
from service.ledger.notes import Checkpoint, Vkey
from service.ledger.seen import Seen
from service.ledger.signing import open_note
from service.ledger.tiles import split, width_at
from service.ledger.tree import EMPTY, leaf_hash, root_of
from tests.conftest import Clinic
from tests.service.ledger.sealing import Owner, Sealing, grow
from tests.service.recording import open_plan, set_goal, stored


def opened(sealing: Sealing, clinic: Clinic, tree: str = ENTRIES) -> Checkpoint:
    """The newest checkpoint of a tree, its signature checked by the key the test knows."""
    head = sealing.head(clinic.clinic_id, tree)
    note, _ = open_note(str(head.note).encode(), [sealing.vkey(clinic.clinic_id, tree)])
    return Checkpoint.parse(note.text)


def leaves(owner: Owner, clinic: Clinic) -> list[bytes]:
    """The leaves of all entries of a clinic, computed from its rows alone."""
    chain: dict[UUID, bytes] = {}
    found = []
    for row in stored(owner, clinic.clinic_id):
        entry = Entry(*(row[name] for name in Entry._fields))
        leaf = leaf_hash(entry.data(clinic.clinic_id, chain.get(entry.plan_id)))
        chain[entry.plan_id] = leaf
        found.append(leaf)
    return found


def well(sealing: Sealing, clinic: Clinic) -> bool:
    """Whether sealing goes on."""
    return sealing.head(clinic.clinic_id).stopped_why is None


# What comes is sealed


def test_a_clinic_without_entries_has_a_checkpoint(sealing: Sealing, clinic: Clinic) -> None:
    """Of no leaves, for both trees: whoever watches can begin from nothing."""
    assert sealing.seal() == 0
    for tree in TREES:
        assert opened(sealing, clinic, tree) == Checkpoint(
            f"plan-history/{clinic.clinic_id}/{tree}", 0, EMPTY
        )


def test_the_root_is_that_of_the_rows(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Computed from them alone; each tile holds what its leaves make."""
    grow(container, clinic, plans=3, each=4)
    assert sealing.seal(batch=5) == 15
    found, expected = opened(sealing, clinic), leaves(owner, clinic)
    assert (found.size, found.root) == (15, root_of(expected))
    held = tiles_of(owner, sealing.head(clinic.clinic_id), [(0, 0)])
    assert split(held[0, 0]) == expected
    assert sealing.seal() == 0


def test_clinics_are_sealed_apart(
    container: Container, new_clinic: Callable[..., Clinic], sealing: Sealing
) -> None:
    """Each under its own name, and none waits for another."""
    one, other = new_clinic("One"), new_clinic("Other")
    grow(container, one, plans=1, each=2)
    grow(container, other, plans=2, each=2)
    sealing.seal()
    assert (opened(sealing, one).size, opened(sealing, other).size) == (3, 6)
    assert opened(sealing, one).origin != opened(sealing, other).origin


def test_ten_thousand_entries_are_sealed_in_batches(
    clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Full tiles and partial ones, two levels; the root is that of the rows."""
    sealing.restore(clinic, 10_000)
    assert sealing.seal() == 10_000
    assert opened(sealing, clinic).root == root_of(leaves(owner, clinic))
    head = sealing.head(clinic.clinic_id)
    places = [(0, number) for number in range(40)] + [(1, 0)]
    held = tiles_of(owner, head, places)
    assert {place: len(tile) // 32 for place, tile in held.items()} == {
        place: width_at(*place, 10_000) for place in places
    }


def test_two_sealers_share_the_work(
    container: Container, new_clinic: Callable[..., Clinic], sealing: Sealing, owner: Owner
) -> None:
    """Beside each other, round by round: every leaf once, in order, and nobody stops."""
    clinics = [new_clinic(f"Clinic {number}") for number in range(4)]
    for clinic in clinics:
        grow(container, clinic, plans=2, each=20)

    def work(_: int) -> int:
        with sealing.sealer(batch=3, kept=False) as one:
            return sum(one.round() for _ in range(30))

    with ThreadPoolExecutor(3) as pool:
        done = sum(pool.map(work, range(3)))
    done += sealing.seal()
    assert done == 4 * 42
    for clinic in clinics:
        assert well(sealing, clinic)
        assert opened(sealing, clinic).root == root_of(leaves(owner, clinic))


def test_a_leased_tree_is_left_to_its_sealer(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Whoever holds the row seals; the other does not wait and takes nothing."""
    grow(container, clinic, plans=1, each=1)
    sealing.seal()
    grow(container, clinic, plans=1, each=1)
    with owner.transaction():
        owner.execute("SELECT FROM checkpoints WHERE tree = 'entries' FOR UPDATE")
        assert sealing.seal() == 0
    assert sealing.seal() == 2


def test_a_seal_that_breaks_off_leaves_nothing(
    container: Container, clinic: Clinic, sealing: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No tile, no checkpoint; the next sealer does it as if nothing had been."""
    grow(container, clinic, plans=1, each=3)

    def lost(*_: object) -> None:
        raise psycopg.OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(Books, "keep", lost)
        with pytest.raises(psycopg.OperationalError), sealing.sealer() as one:
            one.round()
    assert sealing.seal() == 4
    assert opened(sealing, clinic).size == 4


# Keys


def test_two_keys_sign_while_one_follows_the_other(
    container: Container, clinic: Clinic, sealing: Sealing
) -> None:
    """Old, then both, then new: each step continues the one before, whichever key one knows."""
    old, new = sealing.key, Ed25519PrivateKey.generate()
    for keys in ([old], [new, old], [new]):
        grow(container, clinic, plans=1, each=1)
        sealing.seal(keys=keys)
        head = sealing.head(clinic.clinic_id)
        assert [key.public for key in head.vkeys] == [
            key.public_key().public_bytes_raw() for key in keys
        ]
        _, by = open_note(str(head.note).encode(), head.vkeys)
        assert len(by) == len(keys)
    assert well(sealing, clinic)
    grow(container, clinic, plans=1, each=1)
    sealing.seal(keys=[Ed25519PrivateKey.generate()])
    why = sealing.head(clinic.clinic_id).stopped_why
    assert why is not None
    assert "cannot be trusted" in why


# Looks


def look(container: Container, who: Principal, plan_id: UUID) -> None:
    """A look at a plan, as the access log keeps it."""
    container.plans.current(who, plan_id)


def test_looks_are_sealed_each_once(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """In a tree of their own, without gaps, however many numbers are missing between them."""
    who, plan = clinic.member(), open_plan(container, clinic.member()).plan_id
    for _ in range(5):
        look(container, who, plan)
        with owner.transaction(force_rollback=True):  # numbers that nobody will ever see
            owner.execute("SELECT note_looks('[]'), nextval('access_log_look_id_seq')")
    sealing.seal()
    assert opened(sealing, clinic, LOOKS).size == 5
    rows = owner.execute("SELECT look_id, index FROM sealed_looks ORDER BY index").fetchall()
    assert [index for _, index in rows] == list(range(5))
    assert [number for number, _ in rows] == sorted(number for number, _ in rows)


NOTE = """
INSERT INTO access_log (clinic_id, member_id, token_id, name, role, action, allowed)
VALUES (%s, gen_random_uuid(), gen_random_uuid(), 'Robin', 'clinician', 'plans.read', true) RETURNING look_id
"""


def late(url: str, clinic: Clinic) -> tuple[psycopg.Connection[Any], int]:
    """A look that has its number and is not committed yet."""
    conn = psycopg.connect(url)
    conn.execute("SET search_path = plan_history")
    row = conn.execute(NOTE, [clinic.clinic_id]).fetchone()
    assert row is not None
    return conn, row[0]


def test_a_look_that_comes_late_is_sealed(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner, database_url: str
) -> None:
    """Committed after looks with higher numbers were sealed: its place is behind them, and it has one.

    Control: without looking back, it is never sealed.
    """
    now = [0.0]
    plan = open_plan(container, clinic.member()).plan_id
    with sealing.sealer(lateness=Lateness(lambda: now[0])) as one:
        one.catch_up()
        slow, number = late(database_url, clinic)
        with slow:
            look(container, clinic.member(), plan)
            assert one.catch_up() == 1
            slow.commit()
        assert one.catch_up() == 0, "it is not looked for at every round"
        now[0] += Lateness.EVERY
        assert one.catch_up() == 1
    row = owner.execute("SELECT index FROM sealed_looks WHERE look_id = %s", [number]).fetchone()
    assert row == (1,)
    assert well(sealing, clinic)


def test_a_look_that_comes_very_late_is_sealed_by_the_next_sealer(
    container: Container, clinic: Clinic, sealing: Sealing, database_url: str
) -> None:
    """Later than anybody looks back: whoever begins anew looks through everything once."""
    now = [0.0]
    plan = open_plan(container, clinic.member()).plan_id
    with sealing.sealer(lateness=Lateness(lambda: now[0])) as one:
        one.catch_up()
        slow, _ = late(database_url, clinic)
        with slow:
            look(container, clinic.member(), plan)
            assert one.catch_up() == 1
            now[0] += 10 * Lateness.SETTLED
            assert one.catch_up() == 0
            slow.commit()
        assert one.catch_up() == 0
    look(container, clinic.member(), plan)
    assert sealing.seal() == 2


# Whatever was tampered with

LEAF_OF = "entry_leaf(clinic_id, position, entry_id, plan_id, version, topic, recorded_at, key_id, state, {})"
ANOTHER = LEAF_OF.format("sha256('x')")
BEFORE = "(SELECT leaf FROM entries p WHERE p.plan_id = e.plan_id AND p.version = e.version - 1)"
TAMPERINGS: dict[str, tuple[list[str], str]] = {
    "an entry's words": (
        ["UPDATE entries SET state = '{}' WHERE position = 4"],
        "position 4 is not as",
    ),
    "an entry's time": (
        ["UPDATE entries SET recorded_at = recorded_at - interval '1 day' WHERE position = 4"],
        "position 4 is not as",
    ),
    "an entry's leaf": (
        ["UPDATE entries SET leaf = sha256('x') WHERE position = 5"],
        "position 5 is not as",
    ),
    "an entry and its leaf": (
        [
            "UPDATE entries SET state = '{}' WHERE position = 4",
            f"UPDATE entries e SET leaf = {LEAF_OF.format(BEFORE)} WHERE position = 4",
        ],
        "position 5 is not as",
    ),
    "an entry removed": (["DELETE FROM entries WHERE position = 4"], "position 4 is missing"),
    "the last entry removed": (["DELETE FROM entries WHERE position = 6"], "position 6 is missing"),
    "entries swapped": (
        [
            "UPDATE entries SET position = 109 - position WHERE position IN (4, 5)",
            "UPDATE entries SET position = position - 100 WHERE position > 100",
        ],
        "position 4: its plan's version 4 is not before it",
    ),
    "a plan's entry before, sealed already": (
        [
            "UPDATE entries SET leaf = sha256('x') WHERE position = 3",
            f"UPDATE entries SET leaf = {ANOTHER} WHERE position = 4",
        ],
        "position 4 is not as",
    ),
    "a plan's entry before, removed": (
        ["DELETE FROM entries WHERE position = 3"],
        "its plan's version 3 is not before it",
    ),
    "the log cut off": (
        ["DELETE FROM entries WHERE position > 2", "UPDATE clinic_logs SET position = 2"],
        "3 entries were sealed, and the log ends at 2",
    ),
    "a tile": (
        ["UPDATE log_tiles SET hashes = sha256('x') || substr(hashes, 33)"],
        "not the one that was signed",
    ),
    "a tile removed": (["DELETE FROM log_tiles"], "tile (0, 0) is missing"),
    "the size set back": (
        ["UPDATE checkpoints SET size = 2 WHERE tree = 'entries'"],
        "not the one that was signed",
    ),
    "the checkpoint's text": (
        [
            r"UPDATE checkpoints SET note = replace(note, E'\n3\n', E'\n2\n'), size = 2 WHERE tree = 'entries'"
        ],
        "cannot be trusted",
    ),
    "no checkpoint": (
        ["UPDATE checkpoints SET note = NULL WHERE tree = 'entries'"],
        "not the one that was signed",
    ),
    "the tree set back to nothing": (
        ["DELETE FROM log_tiles", "DELETE FROM checkpoints"],
        "3 leaves were signed, and 0 are left",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_the_owner_tampers_with_is_not_signed(
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    caplog: pytest.LogCaptureFixture,
    *,
    what: str,
) -> None:
    """Three entries sealed, three to come: the tree stops and says why; nothing further is signed."""
    plan = grow(container, clinic, plans=1, each=2)[0]
    sealing.seal()
    before = sealing.head(clinic.clinic_id)
    for _ in range(3):
        set_goal(container, clinic.member(), plan)
    statements, why = TAMPERINGS[what]
    for statement in statements:
        owner.execute(statement.encode())
    with caplog.at_level(logging.ERROR, "plan_history.ledger"):
        sealing.seal()
        assert sealing.seal() == 0
    head = sealing.head(clinic.clinic_id)
    assert head.stopped_why is not None, what
    assert why in head.stopped_why
    assert head.size <= before.size
    told = [record for record in caplog.messages if "sealing stopped" in record]
    assert len(told) == 1
    assert str(clinic.clinic_id) in told[0]


def test_the_other_clinics_go_on(
    container: Container, new_clinic: Callable[..., Clinic], sealing: Sealing, owner: Owner
) -> None:
    """And the clinic's own access log; mended and resumed, the tree goes on as if nothing had been."""
    bad, good = new_clinic("Bad"), new_clinic("Good")
    plan = grow(container, bad, plans=1, each=2)[0]
    grow(container, good, plans=1, each=2)
    rows = owner.execute("SELECT state FROM entries WHERE plan_id = %s AND version = 2", [plan])
    row = rows.fetchone()
    assert row is not None
    owner.execute("UPDATE entries SET state = '{}' WHERE plan_id = %s AND version = 2", [plan])
    look(container, bad.member(), plan)
    sealing.seal()
    assert (well(sealing, bad), well(sealing, good)) == (False, True)
    assert sealing.head(bad.clinic_id).stopped_at == 2
    assert opened(sealing, good).size == 3
    assert opened(sealing, bad, LOOKS).size == 1
    owner.execute(
        "UPDATE entries SET state = %s WHERE plan_id = %s AND version = 2", [row[0], plan]
    )
    assert sealing.seal() == 0, "it waits to be resumed"
    owner.execute("UPDATE checkpoints SET stopped_at = NULL, stopped_why = NULL")
    assert sealing.seal() == 3
    assert opened(sealing, bad).root == root_of(leaves(owner, bad))


def test_a_failure_nobody_foresaw_stops_that_clinic_alone(
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is named by its kind, never by what it was about."""
    grow(container, clinic, plans=1, each=1)

    def odd(*_: object) -> bytes:
        raise RuntimeError("words of a client")

    monkeypatch.setattr(Entry, "data", odd)
    sealing.seal()
    assert sealing.head(clinic.clinic_id).stopped_why == "sealing failed: RuntimeError"


# What a sealer remembers


def rewritten(owner: Owner) -> None:
    """The seals in the database set back, as from an older backup."""
    owner.execute("DELETE FROM log_tiles")
    owner.execute("DELETE FROM checkpoints")
    owner.execute("DELETE FROM sealed_looks")


def test_a_sealer_that_remembers_cannot_be_shown_another_past(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """The database set back and grown again by other entries, beyond what was signed: nothing is signed."""
    grow(container, clinic, plans=1, each=2)
    sealing.seal()
    rewritten(owner)
    owner.execute("DELETE FROM entries WHERE position = 3")
    owner.execute("UPDATE clinic_logs SET position = 2")
    plan = grow(container, clinic, plans=1, each=2)[0]
    with sealing.sealer(kept=False) as forgetful:
        forgetful.seen = Seen(sealing.folder / "nothing")
        assert forgetful.catch_up() == 5, "control: one that remembers nothing signs it all"
    set_goal(container, clinic.member(), plan)
    sealing.seal()
    why = sealing.head(clinic.clinic_id).stopped_why
    assert why == "the tree was rewritten since it was signed"


def test_a_smaller_tree_than_was_signed_is_refused(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """A backup restored without what came last: it is said, and nothing is signed over it."""
    grow(container, clinic, plans=1, each=5)
    sealing.seal()
    rewritten(owner)
    sealing.seal()
    why = sealing.head(clinic.clinic_id).stopped_why
    assert why == "6 leaves were signed, and 0 are left: it was set back"


def test_another_sealers_progress_is_no_tampering(
    container: Container, clinic: Clinic, sealing: Sealing
) -> None:
    """Two that take turns, each with a memory of its own: whatever continues is fine."""
    plan = open_plan(container, clinic.member()).plan_id
    with sealing.sealer(kept=False) as one, sealing.sealer(kept=False) as two:
        two.seen = Seen(sealing.folder / "another")
        for number in range(6):
            for _ in range(300 if number == 3 else 1):
                set_goal(container, clinic.member(), plan)
            (one if number % 2 else two).catch_up()
    assert well(sealing, clinic)
    assert opened(sealing, clinic).size == 306


def test_the_clock_of_the_machine_may_go_back(
    container: Container, clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Nothing is decided by it: times in the log never go back, and order is by position."""
    plan = grow(container, clinic, plans=1, each=1)[0]
    sealing.seal()
    owner.execute("UPDATE checkpoints SET sealed_at = now() + interval '1 day'")
    owner.execute("UPDATE clinic_logs SET recorded_at = recorded_at + interval '1 day'")
    set_goal(container, clinic.member(), plan)
    assert sealing.seal() == 1
    assert well(sealing, clinic)


# Negative controls


def test_a_sealer_that_believes_the_rows_is_noticed(
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: one that takes the stored leaf for granted signs what was tampered with."""
    plan = grow(container, clinic, plans=1, each=2)[0]
    sealing.seal()
    set_goal(container, clinic.member(), plan)
    owner.execute("UPDATE entries SET state = '{}' WHERE position = 4")
    monkeypatch.setattr(logs, "_entry_leaf", lambda _head, _leaves, found: bytes(found[-3]))
    sealing.seal()
    assert well(sealing, clinic)
    assert opened(sealing, clinic).root != root_of(leaves(owner, clinic))


def test_a_sealer_that_trusts_its_tiles_is_noticed(
    container: Container,
    clinic: Clinic,
    sealing: Sealing,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: one that does not compare its tree with what it signed continues another tree."""
    plan = grow(container, clinic, plans=1, each=2)[0]
    sealing.seal()
    set_goal(container, clinic.member(), plan)
    owner.execute("UPDATE log_tiles SET hashes = sha256('x') || substr(hashes, 33)")
    monkeypatch.setattr(sealer.Sealer, "_refuse_another_past", lambda *_: None)
    monkeypatch.setattr(
        sealer, "_signed", lambda head, _: Checkpoint(head.origin, head.size, root(owner))
    )
    sealing.seal()
    assert well(sealing, clinic)
    assert opened(sealing, clinic).root != root_of(leaves(owner, clinic))


def root(owner: Owner) -> bytes:
    """The root that the tampered tile makes."""
    row = owner.execute("SELECT hashes FROM log_tiles").fetchone()
    assert row is not None
    return root_of(split(bytes(row[0])))


# Rights


def may(url: str, role: str, statement: str, given: list[Any]) -> bool:
    """Whether a role may do something, as far as rights go."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"SET ROLE {role}".encode())
        conn.execute("SET search_path = plan_history")
        conn.execute("SELECT set_config('plan_history.clinic_id', %s, false)", [str(given[0])])
        try:
            conn.execute(statement.encode(), {"clinic": given[0]})
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


FORBIDDEN = {
    "plan_history_sealer": (
        "UPDATE entries SET state = '' WHERE clinic_id = %(clinic)s",
        "DELETE FROM entries WHERE clinic_id = %(clinic)s",
        "INSERT INTO entries SELECT * FROM entries",
        "TRUNCATE entries",
        "UPDATE access_log SET name = ''",
        "DELETE FROM access_log",
        "UPDATE clinic_logs SET position = 0",
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET generation = 7",
        "DELETE FROM log_tiles",
        "DELETE FROM sealed_looks",
        "UPDATE sealed_looks SET index = 0",
        "SELECT FROM tokens",
        "SELECT FROM commands",
        "SELECT FROM clinics",
        "SELECT FROM current_plans",
        "SELECT append_entries(%(clinic)s, %(clinic)s, 0, %(clinic)s, '{}', '{}', '{}')",
        "SELECT note_looks('[]')",
        "CREATE TABLE mine (held integer)",
    ),
    "plan_history_api": (
        "UPDATE checkpoints SET note = ''",
        "INSERT INTO checkpoints (clinic_id, tree) VALUES (%(clinic)s, 'entries')",
        "DELETE FROM checkpoints",
        "UPDATE log_tiles SET hashes = ''",
        "INSERT INTO log_tiles VALUES (%(clinic)s, 'entries', 0, 0, '')",
        "INSERT INTO sealed_looks VALUES (%(clinic)s, 1, 1)",
    ),
    "plan_history_projector": ("SELECT FROM checkpoints", "UPDATE log_tiles SET hashes = ''"),
    "plan_history_deliverer": ("SELECT FROM checkpoints", "UPDATE log_tiles SET hashes = ''"),
}


@pytest.mark.parametrize("role", FORBIDDEN)
def test_each_role_seals_or_writes_never_both(clinic: Clinic, database_url: str, role: str) -> None:
    """Who seals changes no entry and no past; who answers requests changes no seal."""
    for statement in FORBIDDEN[role]:
        assert not may(database_url, role, statement, [clinic.clinic_id]), statement
    reads = "SELECT FROM checkpoints" if role != "plan_history_projector" else "SELECT FROM entries"
    if role != "plan_history_deliverer":
        assert may(database_url, role, reads, [clinic.clinic_id])


def test_the_api_reads_the_seals_of_its_clinic_alone(
    container: Container, new_clinic: Callable[..., Clinic], sealing: Sealing
) -> None:
    """By row-level security, whatever is asked."""
    mine, other = new_clinic("Mine"), new_clinic("Other")
    for clinic in (mine, other):
        grow(container, clinic, plans=1, each=1)
    sealing.seal()
    with container.database.clinic(mine.clinic_id) as conn:
        for name in ("checkpoints", "log_tiles"):
            rows = conn.execute(f"SELECT DISTINCT clinic_id FROM {name}".encode()).fetchall()
            assert rows == [(mine.clinic_id,)]


def test_a_vkey_says_whose_log_it_is(sealing: Sealing, clinic: Clinic) -> None:
    """The same key has another verifier key for every log: nothing signed for one is good for another."""
    sealing.seal()
    head = sealing.head(clinic.clinic_id)
    assert [str(key) for key in head.vkeys] == [str(sealing.vkey(clinic.clinic_id))]
    assert Vkey.parse(str(head.vkeys[0])).name == head.origin
    with pytest.raises(ValueError, match="not signed by"):
        open_note(str(head.note).encode(), [sealing.vkey(uuid4())])
