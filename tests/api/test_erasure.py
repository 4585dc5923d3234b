"""Erasing a client: asked for, approved by two, done at once – and nobody reads them again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.erased import NOBODY
from projections import ALL
from projections.rows import COLUMNS
from projections.sealing import Seals
from service.access import Sight
from service.container import Container, build
from service.database import API_ROLE, dsn_as
from service.errors import KeyMissingError, StoreUnavailableError
from service.keys import Ring
from service.keys.vault import Vault
from service.ledger.notes import Checkpoint, Note
from service.ledger.verify import verify as verify_tree
from service.plans import Moment
from service.shown import Ready
from service.timeline import Filter
from service.worklist import Wanted
from tests.api.cast import joined
from tests.api.disk import MARK, a_house, canary, looked_for
from tests.api.house import OPENING, Desk, House, desk_of, entry, goal, refused
from tests.api.living import Living
from tests.conftest import Caller, Clinic
from tests.keys import settings
from tests.projections.tables import assert_equal_to_rebuilt
from tests.service.servers import soon

REF = "c-maple"
WHY = {"reason": {"text": "They asked for it"}}
EARLY = {**WHY, "before_retention_ends": True}


@dataclass(frozen=True)
class Scene:
    """A client with a plan, who may sign in, and those who decide about their records."""

    house: House
    clinic: Clinic
    desk: Desk
    client: Caller
    first: Caller
    second: Caller
    auditor: Caller
    other: Desk

    @property
    def plan_id(self) -> str:
        """The client's plan."""
        return self.desk.plan_id

    def ask(
        self, body: Any = EARLY, by: Caller | None = None, ref: str = REF, **headers: str
    ) -> Any:
        """Ask for the client to be erased."""
        return (by or self.first).post(f"/v1/clients/{ref}/erasure", body, **headers)

    def approve(self, asked: Any, by: Caller) -> Any:
        """Approve it."""
        assert asked.status_code == 201, asked.text
        return by.post(f"{asked.headers['Location']}/approve", {})

    def erase(self) -> Any:
        """Ask, and approve."""
        done = self.approve(self.ask(), self.second)
        assert done.status_code == 201, done.text
        assert [held["type"] for held in done.json["entries"]] == [
            "ProposalApproved",
            "ClientErased",
        ]
        return done


def scene_in(house: House) -> Scene:
    """The scene, in a clinic of its own."""
    clinic = house.clinic()
    admin, client = (
        house.sign_in(clinic, "admin"),
        house.sign_in(clinic, "client", name="Maple Name"),
    )
    therapist = house.sign_in(clinic, name="Alder Finch")
    first, second = (house.sign_in(clinic, "privacy_officer", name=name) for name in ("Ann", "Bo"))
    people = [joined(client, client_ref=REF), *map(joined, (therapist, first, second))]
    assert admin.post("/v1/clinic/entries", {"entries": people}).status_code == 201
    desk = desk_of(house, clinic, therapist, client_ref=REF, client_label="Maple Label")
    desk.record(goal("Half an hour by the river"), entry("SetbackNoted", what="A bad night"))
    other = desk_of(house, clinic, therapist, client_ref="c-other", client_label="Other Label")
    house.catch_up()
    return Scene(
        house, clinic, desk, client, first, second, house.sign_in(clinic, "auditor"), other
    )


@pytest.fixture
def scene(house: House) -> Scene:
    """The scene on the house that all tests of this file share."""
    return scene_in(house)


def words_left(scene: Scene, container: Container | None = None) -> list[str]:
    """What of the client's plan can still be opened, by the service's keys as they are kept."""
    keys = (container or scene.house.container).keys
    query = f"SELECT {COLUMNS} FROM entries WHERE plan_id = %s ORDER BY version"
    rows = scene.house.owner.execute(query.encode(), [scene.plan_id], binary=True).fetchall()
    seals = Seals(keys, scene.clinic.clinic_id)
    opened = (seals.state(scene.plan_id, row[1], row[3], row[6]) for row in rows)
    return [state.decode() for state in opened if state is not None]


# Asking and approving


def test_an_officer_asks_and_another_approves(scene: Scene) -> None:
    """Nothing happens before; the one who asked cannot approve; then it is done."""
    asked = scene.ask()
    refused(scene.approve(asked, scene.first), 403, "not-yours")
    assert scene.desk.get().status_code == 200
    shown = scene.second.get(asked.headers["Location"]).json
    assert shown["entries"][0]["sentence"] == f"The records of client {REF} were erased (1 plan)."
    assert len(words_left(scene)) == 3
    done = scene.approve(asked, scene.second)
    assert done.status_code == 201
    assert words_left(scene) == []


def test_a_client_asks_for_themselves(scene: Scene) -> None:
    """Two officers approve; their name is not in what remains, nor do they ask for anybody else."""
    refused(
        scene.ask(by=scene.client, ref="c-other"), 403, "not-allowed", "/client_ref", "your own"
    )
    asked = scene.ask(by=scene.client)
    assert asked.status_code == 201, asked.text
    place = asked.headers["Location"]
    assert scene.client.get(place).json["approvals_needed"] == 2
    assert "Maple Name" not in scene.first.get(place).text
    assert scene.approve(asked, scene.first).status_code == 201
    assert scene.desk.get().status_code == 200
    assert scene.approve(asked, scene.second).status_code == 201
    refused(scene.client.get("/v1/me"), 401, "not-signed-in")
    left = scene.first.get("/v1/clinic/timeline?limit=200").text
    assert "Maple Name" not in left
    assert f"The records of client {REF} were erased" in left


def test_a_client_may_think_again(scene: Scene) -> None:
    """They withdraw what they asked for."""
    asked = scene.ask(by=scene.client)
    done = scene.client.post(f"{asked.headers['Location']}/withdraw", {})
    assert done.status_code == 201
    refused(scene.approve(asked, scene.first), 409, "impossible-transition")
    assert len(words_left(scene)) == 3


def test_a_request_sent_twice_asks_once(scene: Scene) -> None:
    """Also when it was carried out in between."""
    asked = scene.ask(Idempotency_Key="ask-1")
    again = scene.ask(Idempotency_Key="ask-1")
    assert again.json == asked.json
    assert again.headers["Idempotent-Replay"] == "true"
    scene.approve(asked, scene.second)
    assert scene.ask(Idempotency_Key="ask-1").json == asked.json


def test_what_speaks_against_it_is_named(scene: Scene) -> None:
    """Retention, a legal hold, a reference nobody has, a missing reason, an unknown field."""
    refused(scene.ask(WHY), 409, "retention", "/before_retention_ends", "still open")
    over = entry("PlanCompleted", outcome="goals_met", summary="Done")
    scene.desk.record(over)
    scene.house.catch_up()
    refused(scene.ask(WHY), 409, "retention", "/before_retention_ends", "kept until")
    refused(scene.ask({"before_retention_ends": True}), 422, "reason-required", "/reason")
    refused(scene.ask({**EARLY, "now": True}), 422, "invalid-data", "/now")
    refused(scene.ask({**WHY, "before_retention_ends": "yes"}), 422, "invalid-data")
    refused(scene.ask(ref="c-nobody"), 409, "impossible-transition", "/client_ref", "check")
    hold = {"entries": [entry("LegalHoldPlaced", "A court asked", client_ref=REF)]}
    assert scene.first.post("/v1/clinic/entries", hold).status_code == 201
    refused(scene.ask(), 409, "impossible-transition", "/client_ref", "legal hold")
    assert len(words_left(scene)) == 4


def test_after_the_retention_nobody_overrides_anything(scene: Scene) -> None:
    """The clinic's own rule lets it happen."""
    scene.desk.record(entry("PlanCompleted", outcome="goals_met", summary="Done"))
    admin = scene.house.sign_in(scene.clinic, "admin")
    policy = {"entries": [entry("PolicySet", "Short", retention_days=1)]}
    assert admin.post("/v1/clinic/entries", policy).status_code == 201
    scene.house.catch_up()
    refused(scene.ask(WHY), 409, "retention")
    recording = scene.house.container.plans.recording
    clock, later = recording.clock, recording.clock().replace(year=recording.clock().year + 1)
    try:
        recording.clock = lambda: later
        assert soon(lambda: scene.ask(WHY).status_code == 201), "once the new policy is known"
    finally:
        recording.clock = clock


def test_what_was_recorded_meanwhile_is_not_erased_unseen(scene: Scene) -> None:
    """Another plan, opened after it was asked for: the approval is refused, nothing happened."""
    asked = scene.ask()
    opening = {**OPENING, "client_ref": REF, "therapist_id": str(scene.desk.caller.who.member_id)}
    more = scene.desk.caller.post("/v1/plans", {**opening, "alongside": True})
    assert more.status_code == 201
    scene.house.catch_up()
    refused(scene.approve(asked, scene.second), 409, "change-not-possible", saying="since")
    assert scene.desk.get().status_code == 200
    scene.erase()
    for plan_id in (scene.plan_id, more.json["plan_id"]):
        refused(scene.desk.caller.get(f"/v1/plans/{plan_id}"), 404, "plan-not-found")


def test_while_read_models_are_behind_it_waits(scene: Scene) -> None:
    """A plan that nobody knows of yet must not be left out."""
    scene.desk.record(goal("One more"))
    assert scene.ask().status_code == 201, "of that plan all is known"
    opening = {
        **OPENING,
        "client_ref": "c-late",
        "therapist_id": str(scene.desk.caller.who.member_id),
    }
    assert scene.desk.caller.post("/v1/plans", opening).status_code == 201
    refused(scene.ask(ref="c-late"), 503, "not-yet-visible", saying="try again")
    scene.house.catch_up()
    assert scene.ask(ref="c-late").status_code == 201


def test_what_was_kept_without_keys_cannot_be_erased(scene: Scene) -> None:
    """And says so, instead of pretending."""
    scene.house.owner.execute(
        "UPDATE entries SET key_id = NULL WHERE plan_id = %s AND version = 2", [scene.plan_id]
    )
    refused(scene.ask(), 409, "kept-unsealed", saying="PLAN_HISTORY_KEYS")


# Afterwards


def test_nobody_sees_the_plan_any_more(scene: Scene) -> None:
    """By any way there is; what is left is for who audits: that entries of these kinds were there."""
    url = scene.desk.url
    assert scene.desk.get("?version=2").status_code == 200  # kept in memory
    scene.erase()
    who = scene.desk.caller
    for path in (
        "",
        "?version=2",
        "/timeline",
        "/measures",
        "/obligations",
        "/diff?from=1&to=2",
        "/export",
    ):
        refused(who.get(url + path), 404, "plan-not-found")
    refused(who.get(f"/fhir/R4/CarePlan/{scene.plan_id}"), 404, "plan-not-found")
    refused(who.post(f"{url}/entries", {"entries": [goal()]}), 404, "plan-not-found")
    emergency = {"plan_id": scene.plan_id, "why": "At the desk"}
    refused(who.post("/v1/emergency-access", emergency), 404, "plan-not-found")
    refused(scene.client.get(url), 401, "not-signed-in")
    scene.house.catch_up()
    for path in ("/v1/plans", "/v1/worklist?mine=true", "/v1/feed?lastEventId=0"):
        assert scene.plan_id not in who.get(path).text, path
    assert scene.other.plan_id in who.get("/v1/plans").text
    assert scene.other.get().status_code == 200


def test_an_auditor_sees_that_entries_were_there(scene: Scene) -> None:
    """Their kinds, numbers and times; nobody's name, no word. The look is kept with its reason."""
    before = scene.auditor.get(f"{scene.desk.url}/timeline").json["entries"]
    scene.erase()
    scene.house.catch_up()
    for reader in (scene.auditor, scene.first):
        after = reader.get(f"{scene.desk.url}/timeline").json["entries"]
        kept = ("entry_id", "version", "position", "type", "recorded_at")
        assert [[held[name] for name in kept] for held in after] == [
            [held[name] for name in kept] for held in before
        ]
        assert {held["recorded_by"]["member_id"] for held in after} == {NOBODY.member_id}
        assert not any("sentence" in held or "data" in held for held in after)
    look = scene.auditor.get(f"/v1/access-log?plan_id={scene.plan_id}").json["looks"][1]
    assert (look["action"], look["why"], look["view"]) == ("plans.timeline", "erased", "metadata")


def test_the_log_of_looks_names_no_client(scene: Scene) -> None:
    """It outlives them: a client is “the client” there, by their id."""
    assert scene.client.get(scene.desk.url).status_code == 200
    looks = scene.auditor.get(f"/v1/access-log?member_id={scene.client.who.member_id}").json[
        "looks"
    ]
    assert {held["name"] for held in looks} == {"The client"}


def test_every_process_notices_within_a_second(scene: Scene) -> None:
    """One that has plan, key and documents in its memory refuses, and lets go of them."""
    other = build(settings(scene.house.database_url, quota_per_minute=0))
    try:
        who, plan_id = scene.desk.caller.who, UUID(scene.plan_id)
        assert b"river" in other.plans.current(who, plan_id)[1]
        page = other.timeline.of_plan(who, plan_id, Filter())
        assert any("river" in told for told in page.entries)
        other.worklist.find(who, Wanted(mine=True))
        other.plans.at(who, plan_id, Moment(version=1))
        assert "river" in str(other.fhir.of_plan(who, plan_id))
        assert {key[-1][0] for key in other.plans.shown._kept._held} == {
            "now",
            "timeline",
            "worklist",
            "at",
        }
        with other.plans.recording.plans.reading(who.clinic_id, plan_id) as plan:
            assert plan.key_id is not None
        scene.erase()

        def refuses() -> bool:
            other.gate.rosters(
                who.clinic_id
            )  # whoever asks for whatever: nobody need ask for this plan
            return not [*other.plans.shown._kept._held, *other.fhir._kept._held]

        assert soon(refuses, 3)  # two more for a busy machine
        slot = other.plans.recording.plans._slots.get((who.clinic_id, plan_id))
        assert slot is None or slot.history is None or slot.history.erased
        assert other.gate.relation(who, "plans.read", plan_id) is None
        late, sight = Ready(b"river", 5), Sight("plans.read", "caseload", "full")
        other.plans.shown.put(
            who.clinic_id, plan_id, sight, ("at",), late
        )  # made before, kept after
        assert refuses()
        assert words_left(scene, other) == []
    finally:
        other.close()


def test_the_client_may_come_again(scene: Scene) -> None:
    """A new plan under the same reference begins from nothing."""
    scene.erase()
    opening = {**OPENING, "client_ref": REF, "therapist_id": str(scene.desk.caller.who.member_id)}
    again = scene.desk.caller.post("/v1/plans", opening)
    assert again.status_code == 201, again.text
    assert scene.desk.caller.get(f"/v1/plans/{again.json['plan_id']}").status_code == 200


def test_the_leaves_stay_as_they_were(scene: Scene) -> None:
    """Every proof holds: nothing of the record's rows is changed."""
    query = "SELECT * FROM entries WHERE plan_id = %s ORDER BY version"
    before = scene.house.owner.execute(query, [scene.plan_id]).fetchall()
    scene.erase()
    scene.house.catch_up()
    assert scene.house.owner.execute(query, [scene.plan_id]).fetchall() == before


def test_what_is_proven_stays_proven(scene: Scene) -> None:
    """An auditor proves the same leaves as before; a checkpoint kept from before fits the clinic's export."""
    scene.house.seal()
    ids = [held["entry_id"] for held in scene.desk.timeline()]
    held = scene.auditor.get("/v1/ledger/checkpoint").data
    before = [scene.auditor.get(f"/v1/ledger/proof/{one}").json for one in ids]
    scene.erase()
    scene.house.seal()
    after = [scene.auditor.get(f"/v1/ledger/proof/{one}").json for one in ids]
    for name in ("leaf", "leaf_data", "index"):
        assert [one[name] for one in after] == [one[name] for one in before]
    refused(scene.desk.get(f"/v1/ledger/proof/{ids[0]}"), 404, "entry-not-found")
    found = verify_tree(
        scene.house.owner,
        scene.clinic.clinic_id,
        "entries",
        [Checkpoint.parse(Note.parse(held).text)],
    )
    assert (found.verified, found.damaged) == (True, False)


def test_read_models_are_those_of_a_rebuild(scene: Scene) -> None:
    """Which never sees the words; the clinic's own timeline and its people included."""
    scene.erase()
    scene.house.catch_up()
    assert_equal_to_rebuilt(scene.house.owner)
    for held in ALL:
        if held.name != "people":
            rows = scene.house.owner.execute(
                f"SELECT count(*) FROM {held.table()} WHERE plan_id = %s".encode(), [scene.plan_id]
            ).fetchone()
            assert rows == (0,), held.name


def test_the_clinic_goes_on(scene: Scene) -> None:
    """Read anew by a process that never saw the words, it records and knows its people."""
    scene.erase()
    fresh = build(settings(scene.house.database_url, quota_per_minute=0))
    try:
        people = fresh.clinic.members(scene.first.who)
        assert "Maple Name" not in {held["name"] for held in people}
        assert {"Ann", "Bo", "Alder Finch"} <= {held["name"] for held in people}
    finally:
        fresh.close()
    admin = scene.house.sign_in(scene.clinic, "admin")
    policy = {"entries": [entry("PolicySet", "Decided", answer_days=20)]}
    assert admin.post("/v1/clinic/entries", policy).status_code == 201


def test_the_database_forgets_nothing_that_was_not_erased(scene: Scene) -> None:
    """Whoever holds the API's role and asks it to: another plan's claims and tokens stay."""
    scene.erase()
    with psycopg.connect(dsn_as(scene.house.database_url, API_ROLE), autocommit=True) as as_api:
        given = [scene.clinic.clinic_id, [UUID(scene.other.plan_id)], [scene.first.who.member_id]]
        as_api.execute("SELECT forget_client(%s, %s, %s)", given)
    query = "SELECT count(*) FROM open_plans WHERE clinic_id = %s"
    assert scene.house.owner.execute(query, given[:1]).fetchone() == (1,)
    assert scene.first.get("/v1/me").status_code == 200
    gone = "SELECT name, revoked_at IS NOT NULL FROM tokens WHERE member_id = %s"
    held = scene.house.owner.execute(gone, [scene.client.who.member_id]).fetchall()
    assert held == [("(erased)", True)]


# What can go wrong


def test_keys_out_of_reach_are_destroyed_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is approved and known; nobody is shown the plan; the projector destroys the key when it can."""
    keys = scene.house.container.keys
    asked = scene.ask()

    def away(_: object) -> int:
        raise StoreUnavailableError("The keys cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(keys, "destroy", away)
        assert scene.approve(asked, scene.second).status_code == 201
    assert len(words_left(scene)) == 3
    refused(scene.desk.get(), 404, "plan-not-found")
    scene.house.catch_up()
    assert words_left(scene) == []


def test_an_eraser_that_destroys_nothing_is_noticed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: hiding the plan is no erasure, and the search for words finds them."""
    monkeypatch.setattr(scene.house.container.keys, "destroy", lambda _: 0)
    scene.erase()
    refused(scene.desk.get(), 404, "plan-not-found")
    assert any("river" in words for words in words_left(scene))


def test_no_backup_brings_the_words_back(tmp_path: Path) -> None:
    """The database as it was before, with the keys as they were before, tells nothing once the master
    key is rotated; what remains of others does.
    """
    folder = tmp_path / "keys"
    with a_house(keys=str(folder)) as (house, home):
        living = Living.begin(house, canary).live(words=canary)
        house.catch_up()
        keys = house.container.keys
        assert isinstance(keys, Ring)
        query = f"SELECT {COLUMNS} FROM entries WHERE plan_id = %s"
        rows = house.owner.execute(query.encode(), [living.desk.plan_id], binary=True).fetchall()
        shutil.copytree(folder, tmp_path / "backup", ignore=shutil.ignore_patterns("master*"))
        ref = living.desk.get().json["client"]["ref"]
        first, second = (
            house.sign_in(living.desk.clinic, "privacy_officer", name=name) for name in "AB"
        )
        asked = first.post(f"/v1/clients/{ref}/erasure", EARLY)
        done = second.post(f"{asked.headers['Location']}/approve", {})
        assert done.status_code == 201, done.text
        house.catch_up()
        before = Ring(Vault(tmp_path / "backup" / "vault.sqlite"), keys.master)
        seals = Seals(before, living.desk.clinic.clinic_id)
        args = [(living.desk.plan_id, row[1], row[3], row[6]) for row in rows]
        assert any(MARK in (seals.state(*held) or b"").decode() for held in args), "until then"
        before.close()
        keys.rotate()
        before = Ring(Vault(tmp_path / "backup" / "vault.sqlite"), keys.master)
        seals = Seals(before, living.desk.clinic.clinic_id)
        for held in args:
            with pytest.raises(KeyMissingError):
                seals.state(*held)
        before.close()
        assert looked_for(house, home) == ([], [])
