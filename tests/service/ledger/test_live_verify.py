"""Verifying the live store: everything is computed anew, and every kind of damage is named where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.container import Container
from service.ledger import verify as verifying
from service.ledger.books import ENTRIES, LOOKS
from service.ledger.notes import Checkpoint
from service.ledger.signing import Signer, sign
from service.ledger.verify import (
    CHANGED,
    CUT_OFF,
    INSERTED,
    MISSING,
    MOVED,
    REWRITTEN,
    SIGNATURE,
    TILE,
    UNSEALED,
    Verdict,
    verify,
)
from tests.conftest import Clinic
from tests.service.ledger.sealing import Owner, Sealing, grow
from tests.service.recording import poison


@dataclass
class Kept:
    """A sealed clinic, and what was held outside of it: checkpoints of both trees, taken in turn."""

    clinic: Clinic
    sealing: Sealing
    owner: Owner
    held: list[Checkpoint]

    def verify(self, tree: str = ENTRIES, **more: object) -> Verdict:
        """Verify one tree against what is held."""
        given = {
            "held": self.held,
            "trusted": [self.sealing.vkey(self.clinic.clinic_id, tree)],
            **more,
        }
        return verify(self.owner, self.clinic.clinic_id, tree, **given)  # type: ignore[arg-type]

    def hold(self) -> None:
        """Take the newest checkpoints outside."""
        for tree in (ENTRIES, LOOKS):
            found = self.sealing.head(self.clinic.clinic_id, tree).checkpoint()
            assert found is not None
            self.held.append(found)

    def do(self, *statements: str) -> None:
        """What somebody with all rights does to the database."""
        for statement in statements:
            self.owner.execute(statement.encode())


@pytest.fixture
def kept(container: Container, clinic: Clinic, sealing: Sealing, owner: Owner) -> Kept:
    """Twelve entries of two plans and two looks, sealed; held outside after six, and at the end."""
    found = Kept(clinic, sealing, owner, [])
    for _ in range(2):
        plan = grow(container, clinic, plans=1, each=5)[0]
        container.plans.current(clinic.member(), plan)
        sealing.seal()
        found.hold()
    return found


def test_what_is_as_it_was_is_verified(kept: Kept) -> None:
    """By the checkpoints that were held outside; every leaf is told of."""
    told: list[int] = []
    verdict = kept.verify(told=told.append)
    assert (verdict.verified, verdict.sealed, verdict.agrees_with) == (True, 12, [6, 12])
    assert sum(told) == 12
    assert kept.verify(LOOKS).agrees_with == [1, 2]


def test_without_anything_held_nothing_is_called_verified(kept: Kept) -> None:
    """It is in order, which whoever owns the database could have made so."""
    verdict = kept.verify(held=[])
    assert (verdict.damaged, verdict.verified) == (False, False)


def test_what_is_younger_than_the_last_seal_is_counted(container: Container, kept: Kept) -> None:
    """And computed, too: a change in it shows by the leaf it was recorded with."""
    grow(container, kept.clinic, plans=1, each=2)
    assert (kept.verify().verified, kept.verify().unsealed) == (True, 3)
    kept.do("UPDATE entries SET state = '{}' WHERE position = 14")
    assert (kept.verify().kind, kept.verify().at) == (CHANGED, 14)


def test_a_clinic_that_was_never_sealed_is_not_in_order(owner: Owner, clinic: Clinic) -> None:
    """Whoever verifies should know."""
    assert verify(owner, clinic.clinic_id, ENTRIES).kind == UNSEALED


def test_an_empty_clinic_is_verified(clinic: Clinic, sealing: Sealing, owner: Owner) -> None:
    """Against its checkpoint of nothing."""
    sealing.seal()
    kept = Kept(clinic, sealing, owner, [])
    kept.hold()
    assert kept.verify().agrees_with == [0]
    assert kept.verify(LOOKS).agrees_with == [0]


SHIFT_DOWN = (
    "UPDATE entries SET position = position + 100 WHERE position > {0}",
    "UPDATE entries SET position = position - 101 WHERE position > 100",
    "UPDATE clinic_logs SET position = 11",
)
DAMAGES: dict[str, tuple[tuple[str, ...], str, int]] = {
    "words": (("UPDATE entries SET state = '{}' WHERE position = 4",), CHANGED, 4),
    "topic": (("UPDATE entries SET topic = 'plan.goal-met' WHERE position = 12",), CHANGED, 12),
    "time": (("UPDATE entries SET recorded_at = now() WHERE position = 1",), CHANGED, 1),
    "stored leaf": (("UPDATE entries SET leaf = sha256('x') WHERE position = 7",), CHANGED, 7),
    "key": (("UPDATE entries SET key_id = gen_random_uuid() WHERE position = 7",), CHANGED, 7),
    "gone": (("DELETE FROM entries WHERE position = 5",), MISSING, 5),
    "gone and closed up": (
        ("DELETE FROM entries WHERE position = 5", *(one.format(5) for one in SHIFT_DOWN)),
        MISSING,
        5,
    ),
    "swapped": (
        (
            "UPDATE entries SET position = 111 - position WHERE position IN (5, 6)",
            "UPDATE entries SET position = position - 100 WHERE position > 100",
        ),
        MOVED,
        5,
    ),
    "cut off": (
        ("DELETE FROM entries WHERE position > 9", "UPDATE clinic_logs SET position = 9"),
        CUT_OFF,
        10,
    ),
    "cut off, counter left": (("DELETE FROM entries WHERE position > 9",), CUT_OFF, 10),
    "tile": (
        ("UPDATE log_tiles SET hashes = sha256('x') || substr(hashes, 33) WHERE tree = 'entries'",),
        CHANGED,
        1,
    ),
    "no tile": (("DELETE FROM log_tiles WHERE tree = 'entries'",), TILE, 1),
    "checkpoint": (
        (r"UPDATE checkpoints SET note = replace(note, E'\n12\n', E'\n11\n'), size = 11",),
        SIGNATURE,
        11,
    ),
    "no checkpoint": (("UPDATE checkpoints SET note = NULL",), UNSEALED, 0),
    "checkpoint set back": (("UPDATE checkpoints SET size = 6",), SIGNATURE, 6),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_every_kind_of_damage_is_named_where_it_is(kept: Kept, what: str) -> None:
    """The first row that is not as it was, and what became of it."""
    statements, kind, at = DAMAGES[what]
    kept.do(*statements)
    verdict = kept.verify()
    assert (verdict.kind, verdict.at) == (kind, at), verdict
    assert not verdict.verified


def slip_in(kept: Kept, position: int) -> None:
    """An entry between others, those behind it moved up; it looks like any other."""
    last = poison(kept.owner, kept.clinic.clinic_id)
    kept.do(
        f"UPDATE entries SET position = position + 1000 WHERE position >= {position}",
        f"UPDATE entries SET position = {position} WHERE position = {1000 + last}",
        "UPDATE entries SET position = position - 999 WHERE position > 1000",
    )


def test_an_entry_that_was_slipped_in_is_named(kept: Kept) -> None:
    """Though those behind it were moved up to make room."""
    slip_in(kept, 5)
    assert (kept.verify().kind, kept.verify().at) == (INSERTED, 5)


def test_entries_that_changed_places_with_their_numbers_are_named(kept: Kept) -> None:
    """The rows of two places, each with the leaf it was sealed with: moved."""
    kept.do(
        "UPDATE entries SET position = 114 - position WHERE position IN (5, 9)",
        "UPDATE entries SET position = position - 100 WHERE position > 100",
    )
    assert (kept.verify().kind, kept.verify().at) == (MOVED, 5)


def resealed(kept: Kept, key: Ed25519PrivateKey) -> None:
    """All seals thrown away and made anew by somebody with a key, over whatever there is."""
    kept.do("DELETE FROM log_tiles", "DELETE FROM checkpoints", "DELETE FROM sealed_looks")
    (kept.sealing.folder / "seen").unlink()
    with kept.sealing.sealer(keys=[key], kept=False) as sealer:
        sealer.catch_up()


LEAF = """
UPDATE entries e SET leaf = entry_leaf(clinic_id, position, entry_id, plan_id, version, topic, recorded_at, key_id,
    state, (SELECT leaf FROM entries p WHERE p.plan_id = e.plan_id AND p.version = e.version - 1)) WHERE position = {}
"""


def test_a_history_rewritten_with_the_sealers_own_key_is_found_by_what_was_held(kept: Kept) -> None:
    """Leaves, tiles and signatures all fit each other; what was held outside does not.

    Control: without it, nothing is wrong.
    """
    kept.do("UPDATE entries SET state = '{}' WHERE position = 9", *map(LEAF.format, range(9, 13)))
    resealed(kept, kept.sealing.key)
    assert not kept.verify(held=[]).damaged
    verdict = kept.verify()
    assert (verdict.kind, verdict.at) == (REWRITTEN, 7), "the first six are as they were held"
    early = kept.verify(held=kept.held[:2])
    assert early.agrees_with == [6]


def test_a_history_rewritten_with_another_key_is_found_by_the_key(kept: Kept) -> None:
    """Whoever knows the verifier key needs nothing more for that."""
    resealed(kept, Ed25519PrivateKey.generate())
    assert kept.verify(held=[]).kind == SIGNATURE


def test_a_shorter_history_is_found_by_what_was_held(kept: Kept) -> None:
    """Set back to what an older backup holds, and sealed again."""
    kept.do("DELETE FROM entries WHERE position > 6", "UPDATE clinic_logs SET position = 6")
    resealed(kept, kept.sealing.key)
    verdict = kept.verify()
    assert (verdict.kind, verdict.at) == (CUT_OFF, 7)


def test_a_checkpoint_of_another_clinic_verifies_nothing(
    kept: Kept, new_clinic: Callable[..., Clinic]
) -> None:
    """What is held of one clinic says nothing of another."""
    other = new_clinic("Other")
    kept.sealing.seal()
    found = verify(kept.owner, other.clinic_id, ENTRIES, kept.held)
    assert not found.verified
    assert not found.damaged


# Looks


FIRST, LAST = (f"(SELECT {which}(look_id) FROM access_log)" for which in ("min", "max"))
AGAIN = """
INSERT INTO access_log (clinic_id, looked_at, member_id, token_id, name, role, action, allowed)
SELECT clinic_id, {}, member_id, token_id, name, role, action, allowed FROM access_log LIMIT 1
"""
LOOK_DAMAGES: dict[str, tuple[tuple[str, ...], str, int]] = {
    "who": ((f"UPDATE access_log SET name = 'Somebody Else' WHERE look_id = {LAST}",), CHANGED, 2),
    "refused": (("UPDATE access_log SET allowed = false",), CHANGED, 1),
    "gone": ((f"DELETE FROM access_log WHERE look_id = {FIRST}",), MISSING, 1),
    "gone with its place": (
        (
            "DELETE FROM sealed_looks WHERE index = 1",
            f"DELETE FROM access_log WHERE look_id = {LAST}",
        ),
        CUT_OFF,
        2,
    ),
    "slipped in": (
        (
            AGAIN.format("looked_at"),
            "INSERT INTO sealed_looks SELECT clinic_id, max(look_id), 2 FROM access_log GROUP BY clinic_id",
        ),
        INSERTED,
        3,
    ),
    "never sealed": ((AGAIN.format("now() - interval '1 hour'"),), UNSEALED, 0),
    "places swapped": (
        (
            "UPDATE sealed_looks SET index = 1 - index + 100",
            "UPDATE sealed_looks SET index = index - 100",
        ),
        CHANGED,
        1,
    ),
}


@pytest.mark.parametrize("what", LOOK_DAMAGES)
def test_every_damage_to_the_access_log_is_named(kept: Kept, what: str) -> None:
    """By the leaf, counted from 1; a look that nobody sealed by its number."""
    statements, kind, at = LOOK_DAMAGES[what]
    kept.do(*statements)
    verdict = kept.verify(LOOKS)
    if kind == UNSEALED:
        row = kept.owner.execute("SELECT max(look_id) FROM access_log").fetchone()
        at = row[0] if row else 0
    assert (verdict.kind, verdict.at) == (kind, at), verdict
    assert not kept.verify().damaged


# Larger than a tile, and controls


def test_a_change_beyond_the_first_tile_is_named(
    clinic: Clinic, sealing: Sealing, owner: Owner
) -> None:
    """Among 1,000 entries; and so is a tile of a higher level."""
    sealing.restore(clinic, 1_000)
    sealing.seal()
    kept = Kept(clinic, sealing, owner, [])
    kept.hold()
    assert kept.verify().verified
    kept.do(
        "UPDATE log_tiles SET hashes = substr(hashes, 1, 32) || sha256('x') || substr(hashes, 65) WHERE level = 1"
    )
    assert kept.verify().kind == TILE
    kept.do("UPDATE entries SET state = '[]' WHERE position = 700")
    assert (kept.verify().kind, kept.verify().at) == (CHANGED, 700)


def test_a_verifier_that_believes_the_rows_is_noticed(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: one that does not compute the leaves anew finds a changed row in order."""
    kept.do("UPDATE entries SET state = '{}' WHERE position = 4")
    rows = kept.owner.execute("SELECT leaf FROM entries ORDER BY position").fetchall()
    known = iter([bytes(row[0]) for row in rows] * 2)
    monkeypatch.setattr(verifying, "leaf_hash", lambda _: next(known))
    assert kept.verify().verified
    monkeypatch.undo()
    assert kept.verify().damaged


def test_a_verifier_that_compares_no_root_is_noticed(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: one content with fitting leaves lets a rewritten history pass."""
    kept.do("UPDATE entries SET state = '{}' WHERE position = 9", *map(LEAF.format, range(9, 13)))
    resealed(kept, kept.sealing.key)
    monkeypatch.setattr(verifying.Rebuilt, "compare", lambda *_: None)
    assert not kept.verify().damaged


def test_a_signature_alone_is_no_proof(kept: Kept, tmp_path: Path) -> None:
    """A checkpoint of other leaves, signed with the right key, does not fit the rows."""
    head = kept.sealing.head(kept.clinic.clinic_id)
    forged = Checkpoint(head.origin, head.size, b"\x07" * 32)
    note = sign(forged.text(), [Signer(head.origin, 1, kept.sealing.key)])
    kept.owner.execute("UPDATE checkpoints SET note = %s WHERE tree = 'entries'", [str(note)])
    assert kept.verify(held=[]).kind == REWRITTEN
