"""The access table, tried whole: every route, as everybody who may stand to a plan in some way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from api import auth
from api.app import create_app
from domain.clinic import Clinic
from domain.entry import TYPES
from service.access import ACCESS, RELATIONS, ROLES, VIEWS, principal, table
from tests.api.cast import Cast, cast, stranger
from tests.api.house import House, entry, goal, refused
from tests.conftest import Caller

LOOKS = "SELECT allowed, why, view, action, plan_id FROM access_log WHERE member_id = %s ORDER BY look_id"


@pytest.fixture(scope="module")
def made(house: House) -> Cast:
    """One cast for all tests of this file; they leave its plan as it is."""
    return cast(house)


SAID = {
    "caseload": entry("SetbackNoted", what="A bad night"),
    "team": entry("ObservationRecorded", kind="other", text="Looks at the door"),
    "self": entry("SelfReportRecorded", text="Slept badly"),
}
"""What people record by how they stand to the plan."""


def routes(made: Cast) -> Iterator[tuple[str, str, str]]:
    """(method, address, action) of every route that the table covers."""
    told = made.people["auditor"].get(f"{made.desk.url}/timeline").json["entries"]
    entry_id = told[1]["entry_id"]
    for rule in made.house.app.url_map.iter_rules():
        if rule.endpoint in auth.OPEN or rule.endpoint.startswith("pages."):
            continue
        action = vars(made.house.app.view_functions[rule.endpoint])["action"]
        path = re.sub(r"<(?:\w+:)?plan_id>", made.desk.plan_id, rule.rule)
        path = path.replace("<client_ref>", "c-cast")
        path = path.replace("<kind>", "CarePlan").replace("<resource_id>", made.desk.plan_id)
        path = re.sub(r"<int:\w+>|<look_id>", "1", path)
        path = re.sub(r"<(?:\w+:)?(?:entry|webhook|proposal)_id>", entry_id, path)
        path = path.replace("<level>", "0").replace("<path:number>", "000.p/1")
        query = "?from=1&to=1" if path.endswith(("/diff", "/consistency")) else ""
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path + query, action


def expected(made: Cast, what: str, action: str, path: str) -> int | None:
    """The refusal the table has for somebody: 403, 404, or None."""
    caller = made.people[what]
    grant = ACCESS[action].get(caller.who.role)
    if grant is None:
        return 403
    if (action, made.stands[what]) == ("plans.record", "consented"):
        return 403  # its token was granted no type
    if (action, what) == ("erasure.ask", "another client"):
        return 403  # for themselves alone
    if about_the_plan(made, action, path) and made.stands[what] not in grant:
        return 404
    return None


def about_the_plan(made: Cast, action: str, path: str) -> bool:
    """Whether it is decided by how one stands to the plan: that is named, or an entry of it is."""
    named = made.desk.plan_id in path or action == "ledger.prove"
    return named and action in table.OF_A_PLAN


def looks(made: Cast, caller: Caller) -> list[tuple[Any, ...]]:
    """What the access log has of somebody."""
    return made.house.owner.execute(LOOKS, [caller.who.member_id]).fetchall()


def test_everybody_meets_the_table_at_every_route(made: Cast) -> None:
    """Route × role × relation: refused as the table says, and otherwise not refused by it.

    Whatever is refused, and every look at a plan, is on the access log with the relation as its reason.
    """
    tried = 0
    for method, path, action in routes(made):
        for what, caller in made.people.items():
            before = len(looks(made, caller))
            wanted = expected(made, what, action, path)
            body = {"entries": [SAID.get(made.stands[what] or "", SAID["caseload"])]}
            given = body if action == "plans.record" else {}
            answer = caller.client.open(
                path, method=method, json=None if method == "GET" else given, headers=caller.headers
            )
            tried += 1
            goes_on = answer.mimetype == "text/event-stream"
            said = "(goes on)" if goes_on else answer.data[:200]
            answer.close()
            told = f"{method} {path} as {what}: {answer.status_code} {said!r}"
            if wanted is not None:
                assert answer.status_code == wanted, told
            else:
                assert answer.status_code not in (401, 403) or "/entries/" in path, told
                may_be_missing = ("/entries/", "review", "AuditEvent/", "/webhooks/", "/proposals/")
                missing = any(held in path for held in may_be_missing)
                assert answer.status_code != 404 or missing, told
            noted = looks(made, caller)[before:]
            check_noted(made, what, action, method, path, wanted, noted)
    assert tried >= 20 * len(made.people)


def test_an_erased_plan_is_left_to_those_who_audit(house: House) -> None:
    """Whatever somebody was to it: the same tour, with the one relation that is left."""
    made = cast(house)
    officer = made.people["privacy officer"]
    other = house.sign_in(made.clinic, "privacy_officer", name="Otto Officer")
    why = {"reason": {"text": "They asked for it"}, "before_retention_ends": True}
    asked = officer.post("/v1/clients/c-cast/erasure", why)
    assert asked.status_code == 201, asked.text
    assert other.post(f"{asked.headers['Location']}/approve", {}).status_code == 201
    refused(made.people.pop("client").get("/v1/me"), 401, "not-signed-in")
    made.stands = dict.fromkeys(made.people, table.ERASED)
    test_everybody_meets_the_table_at_every_route(made)


def check_noted(
    made: Cast,
    what: str,
    action: str,
    method: str,
    path: str,
    wanted: int | None,
    noted: list[tuple[Any, ...]],
) -> None:
    """A refusal is noted as one; a look at the plan with the relation and the view."""
    told = f"{method} {path} as {what}"
    named = made.desk.plan_id in path or action == "ledger.prove"
    plan_id = UUID(made.desk.plan_id) if named else None
    if wanted is not None:
        assert [held[0] for held in noted] == [False], told
        assert noted[0][3:] == (action, plan_id), told
    elif plan_id and method == "GET" and "/entries/" not in path:
        relation = made.stands[what]
        assert relation is not None
        view = ACCESS[action][made.people[what].who.role][relation]
        assert noted == [(True, relation, view, action, plan_id)], told


def test_a_route_that_is_not_in_the_table_fails_the_build(house: House) -> None:
    """Whoever adds a route without an action cannot start the service; nor with a made-up one."""
    app = create_app(house.container)
    app.add_url_rule("/v1/forgotten", "forgotten", lambda: "here")
    with pytest.raises(RuntimeError, match="/v1/forgotten"):
        auth.refuse_undeclared(app)


def test_the_table_speaks_of_what_there_is() -> None:
    """Its roles, relations, views and entry types exist; what is listed by type is really a type."""
    for action, grants in ACCESS.items():
        assert grants, action
        for grant in grants.values():
            assert grant, action
            assert set(grant) <= set(RELATIONS)
            assert set(grant.values()) <= set(VIEWS)
    for action, roles in table.OWN_ACTIONS.items():
        assert roles <= set(ACCESS[action])
    for types in (*table.RECORDS.values(), table.AMENDING):
        assert types <= set(TYPES)
    tables = (table.CLINIC_RECORDS, table.PROPOSES, table.APPROVES)
    for role, types in (held for one in tables for held in one.items()):
        assert role in ROLES
        assert types <= set(Clinic.TAKES)
    assert {*ACCESS["clinic.record"]} == {*table.CLINIC_RECORDS}
    assert {*ACCESS["proposals.make"]} == {*table.PROPOSES}
    assert {*ACCESS["proposals.decide"]} == {*table.APPROVES}
    assert {*table.PROPOSES, *table.APPROVES} <= {*ACCESS["proposals.read"]}


# Lists are confined to what is within reach

REACH = {
    "therapist": True,
    "colleague on the case": True,
    "supervisor": True,
    "supervisor's supervisor": True,
    "client": True,
    "another client": False,
    "clinician elsewhere": False,
    "supervisor elsewhere": False,
    "clinician in an emergency": False,
    "reader nobody consented to": False,
    "auditor": True,
    "privacy officer": True,
}


@pytest.mark.parametrize("what", REACH)
def test_lists_show_only_what_is_within_reach(made: Cast, what: str) -> None:
    """Found by its reference, or not at all; an auditor sees it without its label."""
    found = made.people[what].get("/v1/plans?client_ref=c-cast").json["plans"]
    assert [held["plan_id"] for held in found] == ([made.desk.plan_id] if REACH[what] else [])
    if what in ("auditor", "privacy officer"):
        assert found[0]["client"]["label"] is None
        assert made.people[what].get("/v1/plans?q=Client").json["plans"] == []


def test_the_same_person_in_another_clinic_sees_nothing(made: Cast) -> None:
    """A plan is of one clinic, whoever asks."""
    for what, caller in made.people.items():
        elsewhere = stranger(made.house, caller.who)
        answer = elsewhere.get(f"/v1/plans/{made.desk.plan_id}")
        assert answer.status_code in (403, 404), what


# What is recorded


def test_a_supervisor_co_signs_and_observes_but_does_not_treat(made: Cast) -> None:
    """For a team's plan: co-signing, returning, observing, and amending what they recorded themselves."""
    chief = made.people["supervisor"]
    url = f"/v1/plans/{made.desk.plan_id}/entries"
    refused(
        chief.post(url, {"entries": [goal()]}),
        403,
        "not-allowed",
        "/entries/0/type",
        "ObservationRecorded",
    )
    noted = entry("ObservationRecorded", kind="pattern", text="Walks on Sundays")
    mine = chief.post(url, {"entries": [noted]}).json["entries"][0]["entry_id"]
    theirs = made.desk.timeline()[0]["entry_id"]
    addendum = {"entries": [entry("AddendumAdded", entry_id=theirs, text="More")]}
    refused(chief.post(url, addendum), 403, "not-allowed", "/entries/0/type")
    own = entry("EntryMarkedInError", "Meant for another plan", entry_id=mine)
    assert chief.post(url, {"entries": [own]}).status_code == 201


def test_a_client_makes_their_own_statements(made: Cast) -> None:
    """Feedback, discomfort, reports, agreement; nothing that is the clinicians' to say."""
    client = made.people["client"]
    url = f"/v1/plans/{made.desk.plan_id}/entries"
    said = client.post(url, {"entries": [entry("SelfReportRecorded", text="Slept well")]})
    assert said.status_code == 201, said.text
    refused(client.post(url, {"entries": [goal()]}), 403, "not-allowed", "/entries/0/type")


def test_an_integration_records_what_its_token_was_granted(made: Cast) -> None:
    """And without a grant, nothing."""
    reader = made.people["reader with consent"]
    url = f"/v1/plans/{made.desk.plan_id}/entries"
    refused(
        reader.post(url, {"entries": [goal()]}), 403, "not-allowed", "/entries/0/type", "nothing"
    )


def test_nobody_opens_a_plan_they_would_not_see(made: Cast) -> None:
    """A clinician opens plans for their own clients, a supervisor for their team's."""
    opening = {**made_opening(made), "therapist_id": str(made.people["therapist"].who.member_id)}
    elsewhere = made.people["clinician elsewhere"]
    refused(elsewhere.post("/v1/plans", opening), 403, "not-allowed", "/therapist_id", "yourself")
    chief = made.people["supervisor's supervisor"]
    assert chief.post("/v1/plans", opening).status_code == 201


def made_opening(made: Cast) -> dict[str, Any]:
    """An opening for a client nobody has yet."""
    shown = made.desk.get().json
    return {
        "client_ref": "c-opened",
        "client_label": "Client",
        "initiated_by": "client",
        "presenting_concern": (shown["concerns"] and "x") or "Leaving the house has become hard.",
        "hopes": "To sit in the park again.",
        "signs_of_improvement": "I go out without planning for days.",
    }


def test_who_leaves_is_out_at_once(house: House) -> None:
    """Their token still has days to go; nothing answers it any more, without anybody revoking it."""
    made = cast(house)
    colleague, admin = made.people["colleague on the case"], made.people["admin"]
    assert colleague.get(made.desk.url).status_code == 200
    left = entry("MemberLeft", "Moves away", member_id=str(colleague.who.member_id))
    assert admin.post("/v1/clinic/entries", {"entries": [left]}).status_code == 201
    refused(colleague.get(made.desk.url), 401, "not-signed-in", saying="no longer belong")


def test_a_transfer_moves_the_plan_out_of_reach(house: House) -> None:
    """Of who handed it over, at once; another role is in force at once, too."""
    made = cast(house)
    therapist, admin = made.people["therapist"], made.people["admin"]
    other = made.people["clinician elsewhere"]
    handed = entry(
        "TherapistTransferred",
        "Moves away",
        to_member_id=str(other.who.member_id),
        handover="All told",
        client_consented=True,
    )
    made.desk.record(handed)
    refused(therapist.get(made.desk.url), 404, "plan-not-found")
    assert other.get(made.desk.url).status_code == 200
    role = entry(
        "MemberRoleChanged", "Audits now", member_id=str(therapist.who.member_id), role="auditor"
    )
    assert admin.post("/v1/clinic/entries", {"entries": [role]}).status_code == 201
    assert therapist.get("/v1/me").json["role"] == "auditor"


# Negative controls: a hole in the table is noticed


def test_a_hole_in_the_table_is_noticed(made: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with one rule too generous, the tour of all routes above does not pass."""
    loose = {**ACCESS, "plans.read": {**ACCESS["plans.read"], "auditor": {"clinic": "full"}}}
    monkeypatch.setattr(principal, "ACCESS", MappingProxyType(loose))
    with pytest.raises(AssertionError, match="as auditor"):
        test_everybody_meets_the_table_at_every_route(made)


def test_a_look_that_is_not_kept_is_noticed(made: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the access log silent, the tour does not pass either."""
    monkeypatch.setattr(made.house.container.gate.log, "note", lambda *_: None, raising=False)
    with pytest.raises(AssertionError):
        test_everybody_meets_the_table_at_every_route(made)
