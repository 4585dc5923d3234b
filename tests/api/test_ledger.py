"""The ledger over HTTP: what it serves can be checked by what it serves, and by nobody's word."""

from __future__ import annotations

import base64
import json
import re
import struct
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.errors import PlanNotFoundError
from service.ledger.notes import LOG, Checkpoint, Vkey
from service.ledger.signing import open_note
from service.ledger.tiles import Edge, Tile, edge_of, split, width_at
from service.ledger.tree import is_consistent, leaf_hash, root_by_inclusion
from tests.api.cast import cast
from tests.api.house import Desk, House, assign, entry, goal, new_desk, refused
from tests.conftest import Caller


def sealed(desk: Desk, entries: int = 3) -> Desk:
    """The desk, with so many entries more, all sealed."""
    for _ in range(entries):
        desk.record(goal())
    desk.house.seal()
    return desk


def key_of(desk: Desk, tree: str = "entries") -> Vkey:
    """The key as an operator would have told it, not as the service does."""
    public = desk.house.key.public_key().public_bytes_raw()
    return Vkey(f"plan-history/{desk.clinic.clinic_id}/{tree}", LOG, public)


def checkpoint(desk: Desk, prefix: str = "/v1/ledger", tree: str = "entries") -> Checkpoint:
    """The newest checkpoint, its signature checked."""
    answer = desk.get(f"{prefix}/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    note, _ = open_note(answer.data, [key_of(desk, tree)])
    return Checkpoint.parse(note.text)


def unpadded(held: str) -> bytes:
    """Base64 as the API writes it."""
    return base64.b64decode(held, validate=True)


# Checkpoints, tiles, bundles


def test_the_checkpoint_is_signed_and_counts_the_clinics_entries(desk: Desk) -> None:
    """A C2SP note; not to be cached for long."""
    found = checkpoint(sealed(desk))
    assert (found.origin, found.size) == (f"plan-history/{desk.clinic.clinic_id}/entries", 4)
    answer = desk.get("/v1/ledger/checkpoint")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert desk.get("/v1/ledger/vkey").text == f"{key_of(desk)}\n"


def test_the_root_follows_from_the_tiles(house: House) -> None:
    """Whoever fetches the tiles of a checkpoint's size computes its root; tiles may be kept for ever."""
    desk = sealed(new_desk(house), 300)
    found = checkpoint(desk)
    tiles = {}
    for tile in (Tile(0, 0), *edge_of(found.size)):
        answer = desk.get(f"/v1/ledger/tile/{tile.path()}")
        assert (answer.status_code, answer.content_type) == (200, "application/octet-stream")
        assert "immutable" in answer.headers["Cache-Control"]
        assert len(answer.data) == tile.width * 32
        tiles[tile.level, tile.number] = answer.data
    assert Edge(found.size, tiles).root() == found.root
    for width in (1, 17, width_at(0, 1, found.size)):
        part = desk.get(f"/v1/ledger/tile/0/001.p/{width}").data
        assert part == tiles[0, 1][: width * 32], "an older, smaller tile is served as it was"


@pytest.mark.parametrize(
    "path",
    [
        "0/001", "0/000", "0/000.p/9", "0/000.p/0", "0/000.p/256", "1/000.p/1", "0/x000/000", "64/000", "00/000.p/1",
        "0/0", "0/000.p", "0/000/", "x/000", "0/000.p/1/2", "0/%2e%2e",
    ],
)  # fmt: skip
def test_a_tile_that_is_not_there_is_told(steady: Desk, path: str) -> None:
    """Not yet, or never: no such tile."""
    steady.house.seal()
    answer = steady.get(f"/v1/ledger/tile/{path}")
    refused(answer, 404, "tile-not-found", saying="newest checkpoint")


def test_entry_bundles_hold_what_the_leaves_are_made_of(house: House) -> None:
    """Each leaf's data with its length before it, as tlog-tiles says; no words of anybody."""
    desk = sealed(new_desk(house), 260)
    auditor = house.sign_in(desk.clinic, "auditor")
    for path in ("000", "001.p/5"):
        leaves = split(desk.get(f"/v1/ledger/tile/0/{path}").data)
        answer = auditor.get(f"/v1/ledger/tile/entries/{path}")
        assert (answer.status_code, answer.content_type) == (200, "application/octet-stream")
        rest, data = answer.data, []
        while rest:
            (length,) = struct.unpack(">H", rest[:2])
            data.append(rest[2 : 2 + length])
            rest = rest[2 + length :]
        assert list(map(leaf_hash, data)) == leaves
        assert b"park" not in answer.data
        assert b"plan.goal-set" in answer.data
    refused(auditor.get("/v1/ledger/tile/entries/001"), 404, "tile-not-found")
    refused(auditor.get("/v1/ledger/tile/entries/000.p/0"), 404, "tile-not-found")
    looks = auditor.get("/v1/access-log?action=ledger.entries").json["looks"]
    assert {held["asked"] for held in looks} >= {"leaves 000"}


def test_before_anything_is_sealed_everything_says_so(house: House) -> None:
    """404 not-sealed-yet, with the time to come back after."""
    desk = new_desk(house)
    entry_id = desk.timeline()[0]["entry_id"]
    for path in ("checkpoint", "vkey", "tile/0/000", "consistency?from=0", f"proof/{entry_id}"):
        answer = desk.get(f"/v1/ledger/{path}")
        refused(answer, 404, "not-sealed-yet", saying="ask again")
        assert answer.headers["Retry-After"] == "1"
    shown = desk.get("/v1/ledger").json
    assert (shown["entries"]["size"], shown["entries"]["behind"]) == (0, 1)
    assert shown["entries"]["checkpoint"] is None


# Proofs


def proof(desk: Desk, entry_id: str, caller: Caller | None = None) -> dict[str, Any]:
    """An entry's proof."""
    answer = (caller or desk.caller).get(f"/v1/ledger/proof/{entry_id}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


def test_every_entry_can_be_proved(house: House) -> None:
    """Its leaf is the hash of its data, and its path leads to the root that was signed."""
    desk = sealed(new_desk(house), 20)
    for told in desk.timeline("?limit=200"):
        shown = proof(desk, told["entry_id"])
        note, _ = open_note(shown["checkpoint"].encode(), [key_of(desk)])
        signed, leaf = Checkpoint.parse(note.text), unpadded(shown["leaf"])
        assert leaf_hash(unpadded(shown["leaf_data"])) == leaf
        path = list(map(unpadded, shown["path"]))
        assert root_by_inclusion(leaf, shown["index"], shown["size"], path) == signed.root
        assert (signed.size, shown["index"]) == (shown["size"], told["position"] - 1)
        assert (shown["version"], shown["vkeys"]) == (told["version"], [str(key_of(desk))])


def test_an_entry_is_proved_by_hand_as_the_guide_says(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dozen lines of docs/proofs.md take what the API answers, and nothing else."""
    sealed(desk, 6)
    monkeypatch.chdir(tmp_path)
    guide = Path(__file__).resolve().parents[2] / "docs" / "proofs.md"
    found = re.search(r"```python\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    assert found is not None
    shown: dict[str, Any] = {}
    for told in desk.timeline("?limit=200"):
        shown = proof(desk, told["entry_id"])
        Path("proof.json").write_text(json.dumps(shown))
        exec(found[1], {})  # noqa: S102 - our own guide
    for name in ("leaf_data", "path"):
        odd = base64.b64encode(b"?" * 32).decode()
        Path("proof.json").write_text(json.dumps({**shown, name: odd if name != "path" else [odd]}))
        with pytest.raises(AssertionError):
            exec(found[1], {})  # noqa: S102 - as above


def test_the_data_of_a_leaf_says_which_entry_it_is(desk: Desk) -> None:
    """Its ids stand in it as they are; its words do not."""
    told = sealed(desk).timeline()[1]
    data = unpadded(proof(desk, told["entry_id"])["leaf_data"])
    for name in ("entry_id", "plan_id"):
        assert bytes.fromhex(told[name].replace("-", "")) in data
    assert b"plan.goal-set" in data
    assert b"park" not in data


def test_a_proof_can_be_carried_along_as_text(desk: Desk) -> None:
    """A C2SP tlog-proof, with the checkpoint in it."""
    told = sealed(desk).timeline()[1]
    answer = desk.get(f"/v1/ledger/proof/{told['entry_id']}", Accept="text/plain")
    head, index, *path, empty = answer.text.partition("plan-history/")[0].split("\n")[:-1]
    assert (head, index, empty) == ("c2sp.org/tlog-proof@v1", "index 1", "")
    assert path == proof(desk, told["entry_id"])["path"]
    assert answer.text.endswith(desk.get("/v1/ledger/checkpoint").text)
    refused(
        desk.get(f"/v1/ledger/proof/{told['entry_id']}", Accept="image/png"), 406, "not-acceptable"
    )


def test_an_entry_names_its_proof(desk: Desk) -> None:
    """Where it is shown by itself."""
    told = sealed(desk).timeline()[1]
    place = desk.get(f"/entries/{told['entry_id']}").json["proof"]
    assert desk.get(place).json["entry_id"] == told["entry_id"]


def test_an_entry_younger_than_the_seal_says_so(desk: Desk) -> None:
    """And is proved a moment later."""
    sealed(desk)
    entry_id = desk.record(goal())["entries"][0]["entry_id"]
    answer = desk.get(f"/v1/ledger/proof/{entry_id}")
    refused(answer, 404, "not-sealed-yet")
    assert answer.headers["Retry-After"] == "1"
    shown = desk.get("/v1/ledger").json["entries"]
    assert (shown["behind"], shown["waiting_since"] is not None) == (1, True)
    desk.house.seal()
    assert proof(desk, entry_id)["index"] == 4
    shown = desk.get("/v1/ledger").json["entries"]
    assert (shown["behind"], shown["waiting_since"]) == (0, None)


def test_a_plan_says_up_to_which_version_it_is_sealed(house: House) -> None:
    """For its page: with the checkpoint that holds it; nothing is called sealed before it is."""
    desk = new_desk(house)
    who, plan_id, read = desk.caller.who, UUID(desk.plan_id), house.container.ledger.of_plan
    shown = read(who, plan_id)
    assert (shown["version"], shown["version_sealed"], shown["checkpoint"]) == (1, 0, None)
    sealed(desk)
    desk.record(goal())
    shown = read(who, plan_id)
    assert (shown["version"], shown["version_sealed"], shown["behind"]) == (5, 4, 1)
    assert (shown["size"], shown["checkpoint"]) == (4, desk.get("/v1/ledger/checkpoint").text)
    auditor = house.sign_in(desk.clinic, "auditor")
    assert read(auditor.who, plan_id)["version_sealed"] == 4
    looks = auditor.get(f"/v1/access-log?plan_id={desk.plan_id}").json["looks"]
    assert ("ledger.prove", "seals") in {(held["action"], held["asked"]) for held in looks}
    with pytest.raises(PlanNotFoundError):
        read(house.sign_in(house.clinic(), "auditor").who, plan_id)


def test_one_size_continues_another(house: House) -> None:
    """Any two sizes of the tree; the newest when none is named."""
    desk = sealed(new_desk(house), 9)
    older = checkpoint(desk)
    newer = checkpoint(sealed(desk, 7))
    shown = desk.get(f"/v1/ledger/consistency?from={older.size}").json
    assert (shown["from"], shown["to"]) == (10, 17)
    path = list(map(unpadded, shown["path"]))
    assert is_consistent(older.size, older.root, newer.size, newer.root, path)
    assert desk.get("/v1/ledger/consistency?from=17&to=17").json["path"] == []
    assert desk.get("/v1/ledger/consistency?from=0").json["path"] == []
    refused(desk.get("/v1/ledger/consistency?from=1&to=18"), 404, "beyond-the-tree", saying="17")
    refused(desk.get("/v1/ledger/consistency?from=18"), 404, "beyond-the-tree")
    refused(desk.get("/v1/ledger/consistency?from=2&to=1"), 400, "invalid-query", "from")
    refused(desk.get("/v1/ledger/consistency"), 400, "invalid-query", "from")
    refused(desk.get("/v1/ledger/consistency?from=-1"), 400, "invalid-query", "from")


def test_the_access_log_is_sealed_the_same_way(house: House) -> None:
    """A tree of its own: checkpoint, key, tiles, consistency."""
    desk = new_desk(house)
    for _ in range(5):
        desk.get()
    house.seal()
    prefix = "/v1/ledger/access-log"
    found = checkpoint(desk, prefix, "access-log")
    assert found.size == 5
    assert desk.get(f"{prefix}/vkey").text == f"{key_of(desk, 'access-log')}\n"
    tile = desk.get(f"{prefix}/tile/0/000.p/5").data
    assert Edge(5, {(0, 0): tile}).root() == found.root
    desk.get()
    house.seal()
    newer = checkpoint(desk, prefix, "access-log")
    path = desk.get(f"{prefix}/consistency?from=5").json["path"]
    assert is_consistent(5, found.root, 6, newer.root, list(map(unpadded, path)))
    shown = desk.get("/v1/ledger").json["access_log"]
    assert (shown["size"], shown["behind"], shown["stopped_why"]) == (6, 0, None)
    desk.get()
    assert desk.get("/v1/ledger").json["access_log"]["behind"] == 1


# Who may


def test_an_entry_is_proved_to_those_who_stand_to_its_plan(house: House) -> None:
    """By the relation, as the timeline is told; to all others there is no such entry."""
    made = cast(house)
    entry_id = made.desk.timeline()[0]["entry_id"]
    for what, caller in made.people.items():
        answer = caller.get(f"/v1/ledger/proof/{entry_id}")
        if made.stands[what] is None:
            refused(answer, 404, "entry-not-found", saying="no such entry")
        else:
            assert answer.status_code == 200, what
    elsewhere = house.sign_in(house.clinic(), "auditor")
    refused(elsewhere.get(f"/v1/ledger/proof/{entry_id}"), 404, "entry-not-found")


def test_a_client_cannot_have_a_working_note_proved(desk: Desk) -> None:
    """It would tell that there is one, when, and of which kind."""
    client = desk.house.sign_in(desk.clinic, "client")
    admin = desk.house.sign_in(desk.clinic, "admin")
    joined = entry(
        "MemberJoined",
        member_id=str(client.who.member_id),
        name="Cleo",
        role="client",
        client_ref="c-1",
    )
    assert admin.post("/v1/clinic/entries", {"entries": [joined]}).status_code == 201
    noted = desk.record(entry("ObservationRecorded", kind="pattern", text="Looks at the door"))
    sealed(desk, 1)
    refused(
        client.get(f"/v1/ledger/proof/{noted['entries'][0]['entry_id']}"), 404, "entry-not-found"
    )
    assert proof(desk, noted["entries"][0]["entry_id"])["version"] == 2
    assert proof(desk, desk.timeline()[0]["entry_id"], client)["index"] == 0


def test_the_clinics_own_entries_are_proved_to_those_who_read_its_history(desk: Desk) -> None:
    """To an auditor, not to a clinician."""
    assign(desk, desk.caller)
    sealed(desk, 0)
    auditor = desk.house.sign_in(desk.clinic, "auditor")
    told = auditor.get("/v1/clinic/timeline").json["entries"][0]
    assert proof(desk, told["entry_id"], auditor)["plan_id"] == str(desk.clinic.clinic_id)
    refused(desk.get(f"/v1/ledger/proof/{told['entry_id']}"), 403, "not-allowed")


@pytest.mark.parametrize("role", ["clinician", "supervisor", "admin", "client", "integration"])
def test_entry_bundles_are_for_those_who_see_all(desk: Desk, role: str) -> None:
    """They tell what was recorded in every plan of the clinic, if not in which words."""
    sealed(desk)
    caller = desk.house.sign_in(desk.clinic, role)
    refused(caller.get("/v1/ledger/tile/entries/000.p/1"), 403, "not-allowed")
    assert caller.get("/v1/ledger/tile/0/000.p/1").status_code == 200


def test_a_clinic_sees_its_own_ledger_alone(house: House) -> None:
    """Whatever path is asked: the clinic comes from the token."""
    mine, theirs = sealed(new_desk(house)), sealed(new_desk(house), 5)
    assert (checkpoint(mine).size, checkpoint(theirs).size) == (4, 6)
    refused(mine.get("/v1/ledger/tile/0/000.p/6"), 404, "tile-not-found")
    assert (
        mine.get("/v1/ledger/tile/0/000.p/1").data != theirs.get("/v1/ledger/tile/0/000.p/1").data
    )
    entry_id = theirs.timeline()[0]["entry_id"]
    refused(mine.get(f"/v1/ledger/proof/{entry_id}"), 404, "entry-not-found")


def test_nothing_of_the_ledger_holds_words(desk: Desk) -> None:
    """Neither of plans nor of people."""
    desk.record(goal("A secret goal"), entry("FocusShifted", "A secret reason", to="grief"))
    sealed(desk, 0)
    auditor = desk.house.sign_in(desk.clinic, "auditor", name="Secret Auditor")
    entry_id = desk.timeline()[1]["entry_id"]
    for path in (
        "",
        "/checkpoint",
        "/vkey",
        "/tile/0/000.p/3",
        "/tile/entries/000.p/3",
        f"/proof/{entry_id}",
    ):
        answer = auditor.get(f"/v1/ledger{path}")
        assert answer.status_code == 200, path
        held = answer.data + b"".join(
            map(base64.b64decode, re.findall(rb'"([\w+/]{60,}=*)"', answer.data))
        )
        assert b"secret" not in held.lower(), path


# How far it is, and when something is wrong


def seals(house: House) -> Any:
    """What /readyz says of the ledger."""
    answer: Any = house.client.get("/readyz")
    return answer.json["ledger"]


def test_the_lag_of_the_seals_is_told(house: House) -> None:
    """How many entries and looks wait, over all clinics."""
    house.seal()
    desk = new_desk(house)
    desk.record(goal())
    desk.get()
    lag = seals(house)
    assert lag["entries"] == {"behind": 2, "clinics_behind": 1, "stopped": 0}
    assert lag["access-log"]["clinics_behind"] == 1
    house.seal()
    assert seals(house) == {
        tree: {"behind": 0, "clinics_behind": 0, "stopped": 0} for tree in ("entries", "access-log")
    }


def test_a_stopped_ledger_is_told_everywhere(house: House) -> None:
    """To readers, to those who look after the machine; the service itself is ready, and plans go on."""
    desk = sealed(new_desk(house))
    desk.record(goal())
    house.owner.execute(
        "UPDATE entries SET state = '{}' WHERE clinic_id = %s AND position = 5",
        [desk.clinic.clinic_id],
    )
    house.seal()
    shown = desk.get("/v1/ledger").json["entries"]
    assert shown["stopped_at"] == 5
    assert shown["stopped_why"] == "the entry at position 5 is not as it was recorded"
    ready: Any = house.client.get("/readyz")
    assert (ready.status_code, ready.json["ready"]) == (200, True)
    assert ready.json["ledger"]["entries"]["stopped"] == ready.json["ledger_stopped"] == 1
    text = house.client.get("/metrics").text
    assert 'plan_history_ledger_clinics_stopped{tree="entries"} 1.0' in text
    assert str(desk.clinic.clinic_id) not in text
    assert checkpoint(desk).size == 4, "what was sealed stays proved"
    house.owner.execute("UPDATE checkpoints SET stopped_at = NULL, stopped_why = NULL")
