"""Two clinics never meet: through no route of the API, and in the database by row-level security alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from service.database import API_ROLE, PROJECTOR_ROLE, dsn_as
from tests.api.house import OPENING, Desk, House, entry, goal, new_desk, refused
from tests.conftest import Caller


@pytest.fixture(scope="module")
def theirs(house: House) -> Desk:
    """A plan of another clinic, full of words that must not be seen here."""
    desk = new_desk(house, client_ref="c-secret", client_label="Secret Client")
    desk.record(goal("A secret goal"), entry("FocusShifted", "A secret reason", to="grief"))
    house.catch_up()
    return desk


def strangers(house: House, theirs: Desk) -> list[Caller]:
    """Everybody of another clinic, among them the same person as the plan's therapist."""
    clinic = house.clinic()
    same = house.sign_in(clinic, member_id=theirs.caller.who.member_id)
    return [same, *(house.sign_in(clinic, role) for role in ("supervisor", "auditor", "admin"))]


def plan_routes(desk: Desk) -> Iterator[tuple[str, str]]:
    """(method, address) of every route that names a plan, with the plan and entry of ``desk``."""
    entry_id = desk.timeline()[1]["entry_id"]
    for rule in desk.house.app.url_map.iter_rules():
        if "plan_id" not in rule.arguments or rule.endpoint.startswith("pages."):
            continue  # of the pages: tests/api/test_pages_reach.py
        path = re.sub(r"<(?:\w+:)?plan_id>", desk.plan_id, rule.rule)
        path = re.sub(r"<(?:\w+:)?entry_id>", entry_id, path)
        query = "?from=1&to=2" if path.endswith("/diff") else ""
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, path + query


def test_no_route_shows_a_plan_of_another_clinic(house: House, theirs: Desk) -> None:
    """Every route that names a plan says 404 or 403 to strangers, and nothing is written."""
    routes = list(plan_routes(theirs))
    assert len(routes) >= 6
    for stranger in strangers(house, theirs):
        for method, path in routes:
            with house.nothing_written():
                answer = stranger.client.open(
                    path, method=method, json={"entries": [goal()]}, headers=stranger.headers
                )
            assert answer.status_code in (404, 403), (method, path)
            if stranger.who.role in ("clinician", "supervisor"):
                refused(answer, 404, "plan-not-found")
            assert "secret" not in answer.text.lower()


@pytest.mark.parametrize(
    "query",
    [
        "?version=1",
        "?as_of=2999-01-01T00:00:00Z",
        "?effective_at=2999-01-01T00:00:00Z",
        "?trace=true",
        "/timeline?type=GoalSet",
        "/timeline?order=-occurred",
        "/timeline?limit=1",
        "/diff?from=2026-01-01T00:00:00Z&to=2999-01-01T00:00:00Z",
    ],
)
def test_no_parameter_shows_it_either(house: House, theirs: Desk, query: str) -> None:
    """Nor any moment, filter or format of those routes."""
    stranger = strangers(house, theirs)[0]
    for accept in ("application/json", "application/x-ndjson", "text/csv"):
        refused(stranger.get(theirs.url + query, Accept=accept), 404, "plan-not-found")


def test_a_cursor_does_not_open_another_clinics_plan(house: House, theirs: Desk) -> None:
    """A cursor is no ticket: it is refused in another clinic, also for a clinic-wide list."""
    stranger = strangers(house, theirs)[0]
    for path in (f"{theirs.url}/timeline", "/v1/timeline"):
        cursor = theirs.get(f"{path}?limit=1").json["next_cursor"]
        answer = stranger.get(f"{path}?limit=1&cursor={cursor}")
        assert answer.status_code in (400, 404)
        assert "secret" not in answer.text.lower()


def test_lists_find_nothing_of_another_clinic(house: House, theirs: Desk) -> None:
    """Neither all there is nor what is looked for by its very id, reference or words."""
    shown = theirs.get().json
    goal_id, member = shown["goals"][0]["goal_id"], theirs.caller.who.member_id
    for stranger in strangers(house, theirs):
        for path in (
            "/v1/plans",
            "/v1/plans?client_ref=c-secret",
            "/v1/plans?q=secret",
            f"/v1/plans?therapist_id={member}",
            "/v1/timeline",
            f"/v1/timeline?plan_id={theirs.plan_id}",
            "/v1/timeline?client_ref=c-secret",
            f"/v1/timeline?goal_id={goal_id}",
            f"/v1/timeline?recorded_by={member}",
            "/v1/worklist",
            "/v1/worklist?team=true",
            "/v1/figures",
            "/v1/members",
            "/v1/clinic",
        ):
            answer = stranger.get(path)
            assert answer.status_code in (200, 400, 403), path
            assert "secret" not in answer.text.lower()
            assert theirs.plan_id not in answer.text
            if answer.status_code == 200 and path != "/v1/figures":
                assert not answer.json.get("plans")
                assert not answer.json.get("entries")


def test_the_same_references_live_side_by_side(house: House, theirs: Desk) -> None:
    """Client references and ids of two clinics may be equal; each clinic has its own."""
    mine = new_desk(house, client_ref="c-secret", client_label="My Client")
    goal_id = theirs.get().json["goals"][0]["goal_id"]
    mine.record(goal("Mine", goal_id=goal_id))
    house.catch_up()
    assert theirs.get().json["goals"][0]["statement"] == "A secret goal"
    assert theirs.get().json["version"] == 3
    found = mine.get("/v1/plans?client_ref=c-secret").json["plans"]
    assert [held["plan_id"] for held in found] == [mine.plan_id]


def test_a_reference_into_another_clinic_is_unknown(house: House, theirs: Desk) -> None:
    """What another clinic's plan has cannot be referred to from here."""
    mine = new_desk(house)
    goal_id = theirs.get().json["goals"][0]["goal_id"]
    entry_id = theirs.timeline()[1]["entry_id"]
    for sent in (
        entry("GoalAchieved", goal_id=goal_id, evidence="x"),
        entry("AddendumAdded", entry_id=entry_id, text="x"),
        entry("EntryMarkedInError", "x", entry_id=entry_id),
        entry("EntryCorrected", "x", entry_id=entry_id, data={"statement": "x"}),
    ):
        with house.nothing_written():
            refused(mine.send({"entries": [sent]}), 422, "unknown-reference")
    refused(mine.get(f"/entries/{entry_id}"), 404, "entry-not-found")


def test_the_clinic_itself_is_no_plan(house: House) -> None:
    """A clinic's own history goes by the clinic's id; it is not read or written as a plan."""
    clinic = house.clinic("A named clinic")
    admin, clinician = house.sign_in(clinic, "admin"), house.sign_in(clinic)
    renamed = {"entries": [entry("ClinicRenamed", name="Renamed")]}
    assert admin.post("/v1/clinic/entries", renamed).status_code == 201
    for suffix in (
        "",
        "?version=1",
        "/timeline?type=GoalSet",
        "/diff?from=1&to=2",
        "/timeline",
    ):
        answer = clinician.get(f"/v1/plans/{clinic.clinic_id}{suffix}")
        assert answer.status_code == 404, (suffix, answer.text)
    with house.nothing_written():
        answer = clinician.post(f"/v1/plans/{clinic.clinic_id}/entries", {"entries": [goal()]})
        refused(answer, 404, "plan-not-found")


# In the database


@pytest.fixture
def as_api(house: House) -> Iterator[psycopg.Connection[Any]]:
    """A connection in the role of the API, as whoever got hold of its password would have."""
    with psycopg.connect(dsn_as(house.database_url, API_ROLE), autocommit=True) as conn:
        yield conn


def tables(house: House) -> list[str]:
    """Every table of the schema."""
    rows = house.owner.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'plan_history' ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def rows_of(conn: psycopg.Connection[Any], table: str) -> list[Any]:
    """What the role sees in a table; nothing when it may not look."""
    try:
        return conn.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return []


BELONGING_TO_NOBODY = {"migrations", "projection_positions"}
"""Tables whose rows tell nothing of a client: what was migrated, how far projections are."""


def test_without_a_clinic_there_is_nothing(
    house: House, theirs: Desk, as_api: psycopg.Connection[Any]
) -> None:
    """Row-level security alone: no setting, no rows, in any table of the schema."""
    for table in tables(house):
        if table not in BELONGING_TO_NOBODY:
            assert rows_of(as_api, table) == [], table
    assert as_api.execute("SELECT count(*) FROM entries").fetchone() == (0,)


@pytest.mark.parametrize("setting", ["", "00000000-0000-0000-0000-000000000000"])
def test_a_setting_that_is_no_clinic_shows_nothing(
    theirs: Desk, as_api: psycopg.Connection[Any], setting: str
) -> None:
    """An empty setting, as a finished transaction leaves it, is nobody's clinic."""
    as_api.execute("SELECT set_config('plan_history.clinic_id', %s, false)", [setting])
    for table in ("entries", "commands", "open_plans", "clinics", "current_plans", "timeline"):
        assert rows_of(as_api, table) == []


def test_with_another_clinic_there_is_none_of_theirs(
    house: House, theirs: Desk, as_api: psycopg.Connection[Any]
) -> None:
    """With one clinic's setting exactly its rows are there, in every table that has a clinic."""
    mine = new_desk(house)
    mine.record(goal(), Idempotency_Key="k")
    house.catch_up()
    as_api.execute(
        "SELECT set_config('plan_history.clinic_id', %s, false)", [str(mine.clinic.clinic_id)]
    )
    seen = 0
    for table in tables(house):
        if table in BELONGING_TO_NOBODY:
            continue
        for row in rows_of(as_api, table):
            seen += 1
            assert theirs.clinic.clinic_id not in row, table
            assert UUID(theirs.plan_id) not in row, table
    assert seen >= 7


FORBIDDEN = [
    "UPDATE entries SET state = state",
    "UPDATE entries SET recorded_at = now()",
    "DELETE FROM entries",
    "TRUNCATE entries",
    "INSERT INTO entries SELECT * FROM entries",
    "UPDATE commands SET key = 'x'",
    "DELETE FROM commands",
    "TRUNCATE commands",
    "UPDATE clinic_logs SET position = 0",
    "UPDATE clinics SET rehearsal = true",
    "DELETE FROM open_plans",
    "UPDATE current_plans SET document = ''",
    "DELETE FROM current_plans",
    "TRUNCATE timeline",
    "UPDATE timeline SET sentence = ''",
    "UPDATE projection_positions SET position = 0",
    "SELECT * FROM tokens",
    "UPDATE tokens SET revoked_at = NULL",
    "INSERT INTO tokens (token_id) VALUES (gen_random_uuid())",
    "UPDATE migrations SET checksum = ''",
    "DROP TABLE entries",
    "ALTER TABLE entries DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE entries NO FORCE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON entries USING (true)",
    "DROP POLICY own_clinic ON entries",
    "CREATE TABLE plan_history.mine (id int)",
    "CREATE FUNCTION plan_history.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION plan_history.current_clinic() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    "CREATE SCHEMA mine",
    "GRANT SELECT ON tokens TO PUBLIC",
    "COPY entries TO PROGRAM 'cat'",
    "SET row_security = off; SELECT * FROM entries",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_api_may_not(as_api: psycopg.Connection[Any], theirs: Desk, statement: str) -> None:
    """Its role reads and appends; it never changes, deletes, defines or grants anything."""
    clinic_id = str(theirs.clinic.clinic_id)
    as_api.execute("SELECT set_config('plan_history.clinic_id', %s, false)", [clinic_id])
    with theirs.house.nothing_written(), pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_api.execute(statement.encode())


def test_the_api_may_not_restore(as_api: psycopg.Connection[Any], theirs: Desk) -> None:
    """Restoring a log, with times and ids as one likes, is the owner's alone."""
    call = (
        "SELECT restore_entries(%s, 1, ARRAY[]::uuid[], ARRAY[]::int[], ARRAY[]::uuid[], "
        "ARRAY[]::uuid[], ARRAY[]::timestamptz[], ARRAY[]::text[], NULL, ARRAY[]::bytea[])"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_api.execute(call, [theirs.clinic.clinic_id])


def test_the_api_steps_out_of_its_role_in_few_places_only(house: House) -> None:
    """Functions that run with the owner's rights are few, pin their search path, and are named here."""
    rows = house.owner.execute(
        "SELECT p.proname, coalesce(array_to_string(p.proconfig, ';'), '') FROM pg_proc p "
        "WHERE p.pronamespace = 'plan_history'::regnamespace AND p.prosecdef "
        "AND has_function_privilege(%s, p.oid, 'EXECUTE')",
        [API_ROLE],
    ).fetchall()
    assert {name for name, _ in rows} == {
        "anything_sealed",
        "append_entries",
        "begin_session",
        "end_session",
        "find_sign_in_link",
        "forget_client",
        "find_token",
        "note_looks",
        "projection_lag",
        "seal_lag",
        "take_quota",
        "touch_token",
        "use_session",
        "use_sign_in_link",
        "vouch",
    }
    assert all("search_path=plan_history, pg_temp" in settings for _, settings in rows)


def test_the_projector_may_not_write_the_record(house: House, theirs: Desk) -> None:
    """Whoever builds read models reads entries and writes none."""
    with psycopg.connect(dsn_as(house.database_url, PROJECTOR_ROLE), autocommit=True) as conn:
        assert conn.execute("SELECT count(*) > 0 FROM entries").fetchone() == (True,)
        for statement in FORBIDDEN[:9]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT * FROM tokens")


def test_a_connection_of_the_pool_forgets_its_clinic(house: House, theirs: Desk) -> None:
    """After a request nothing of its clinic is left on the connection that the next one gets."""
    for _ in range(3):
        assert theirs.get().status_code == 200
        assert theirs.get("/v1/timeline").status_code == 200
        theirs.record(goal())
    for _ in range(20):
        with house.container.database.connection() as conn:
            assert conn.execute("SELECT count(*) FROM entries").fetchone() == (0,)
            setting = conn.execute("SELECT current_setting('plan_history.clinic_id', true)")
            assert setting.fetchone() in ((None,), ("",))


def test_pooled_connections_bleed_nothing(house: House, theirs: Desk) -> None:
    """A pool shared by two clinics, in turns of many threads: nobody ever sees a row of the other."""
    alternate(house, theirs, times=4_000)


@pytest.mark.slow
def test_a_million_turns_bleed_nothing(house: House, theirs: Desk) -> None:
    """As above, for long."""
    alternate(house, theirs, times=1_000_000)


DESKS = 8
"""How many ask at a time, each now for one clinic and now for the other."""


def alternate(house: House, theirs: Desk, *, times: int) -> None:
    """Ask for every visible clinic's rows, as one clinic and the other in turn, from several threads."""
    database, ours = house.container.database, new_desk(house)
    clinics = ours.clinic.clinic_id, theirs.clinic.clinic_id

    def turn(number: int) -> None:
        asked = clinics[(number + number // DESKS) % 2]
        rows = database.in_clinic(
            asked, lambda conn: conn.execute("SELECT DISTINCT clinic_id FROM entries").fetchall()
        )
        assert rows == [(asked,)]
        if number % 7 == 0:  # in between somebody fails, or asks for nothing of a clinic
            with pytest.raises(ZeroDivisionError):
                database.in_clinic(asked, lambda _: 1 // 0)
            unconfined = database.run(
                lambda conn: conn.execute("SELECT count(*) FROM entries").fetchone()
            )
            assert unconfined == (0,)

    def turns(first: int) -> None:
        for number in range(first, times, DESKS):
            turn(number)

    with ThreadPoolExecutor(DESKS) as threads:
        assert len([*threads.map(turns, range(DESKS))]) == DESKS


def test_without_the_policies_it_would_show(house: House, theirs: Desk) -> None:
    """Control: the question of the pooled test, asked past the policies, does find the other clinic."""
    rows = house.owner.execute("SELECT DISTINCT clinic_id FROM entries").fetchall()
    assert (theirs.clinic.clinic_id,) in rows
    assert len(rows) > 1


def test_the_clinic_comes_from_the_token_alone(house: House) -> None:
    """No header and no field of a request chooses another clinic."""
    caller = house.sign_in(house.clinic())
    other = str(uuid4())
    for name in ("X-Clinic-ID", "Clinic", "Host"):
        me = caller.get("/v1/me", **{name: other if name != "Host" else "localhost"}).json
        assert me["clinic_id"] == str(caller.who.clinic_id)
    opened = caller.post("/v1/plans", {**OPENING, "clinic_id": other})
    refused(opened, 422, "invalid-data", "/clinic_id", "Unknown field")
