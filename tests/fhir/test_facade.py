"""The FHIR façade over HTTP: read, versions, history, search, refusals."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.house import Desk, House, desk_of, entry, goal, new_desk
from tests.api.living import Living
from tests.conftest import Caller
from tests.fhir.checkers import by_rules, by_schema, references

BASE = "/fhir/R4"
FHIR = "application/fhir+json"


@pytest.fixture(scope="module")
def lived(house: House) -> Living:
    """A plan that lived the sample life."""
    living = Living.begin(house).live()
    house.catch_up()
    return living


@pytest.fixture(scope="module")
def desk(house: House) -> Desk:
    """A plan with a goal that was paused."""
    held = new_desk(house)
    made = held.record(goal())["entries"][0]
    held.record(entry("GoalPaused", "The move takes all my strength.", goal_id=made["goal_id"]))
    house.catch_up()
    return held


def get(caller: Caller, path: str, **headers: str) -> Any:
    """An answer of the façade."""
    return caller.get(path if path.startswith("http") else BASE + path, **headers)


def found(caller: Caller, path: str) -> list[dict[str, Any]]:
    """The resources a search finds, page by page."""
    resources: list[dict[str, Any]] = []
    place: str | None = path
    while place:
        bundle = get(caller, place).json
        assert by_schema(bundle) == []
        resources += [held["resource"] for held in bundle.get("entry", ())]
        place = next((held["url"] for held in bundle["link"] if held["relation"] == "next"), None)
    return resources


# Reading


def test_a_plan_is_read_with_its_version(desk: Desk) -> None:
    """As application/fhir+json, with the version as a weak ETag; whoever has it gets 304."""
    answer = get(desk.caller, f"/CarePlan/{desk.plan_id}")
    assert (answer.status_code, answer.content_type) == (200, FHIR)
    assert answer.headers["ETag"] == 'W/"3"'
    assert answer.json["meta"]["versionId"] == "3"
    assert by_rules(answer.json) == []
    again = get(desk.caller, f"/CarePlan/{desk.plan_id}", If_None_Match='W/"3"')
    assert (again.status_code, again.data) == (304, b"")


def test_every_version_of_a_goal_can_be_read(desk: Desk) -> None:
    """Newest first in its history, each under its own number; one in between is no version of it."""
    place = f"/Goal/{desk.plan_id}.2"
    history = get(desk.caller, f"{place}/_history").json
    assert by_schema(history) == []
    versions = [held["resource"] for held in history["entry"]]
    assert [held["meta"]["versionId"] for held in versions] == ["3", "2"]
    assert [held["lifecycleStatus"] for held in versions] == ["on-hold", "active"]
    assert get(desk.caller, f"{place}/_history/2").json == versions[1]
    assert get(desk.caller, f"{place}/_history/1").status_code == 404
    assert get(desk.caller, f"{place}/_history/4").status_code == 404


def test_the_history_of_a_plan_comes_in_pages(lived: Living) -> None:
    """All its versions, newest first, following the links."""
    place: str | None = f"/CarePlan/{lived.desk.plan_id}/_history?_count=20"
    versions: list[int] = []
    while place:
        bundle = get(lived.therapist, place).json
        versions += [int(held["resource"]["meta"]["versionId"]) for held in bundle["entry"]]
        place = next((held["url"] for held in bundle["link"] if held["relation"] == "next"), None)
    assert versions == list(range(lived.lived, 0, -1))


def test_references_are_answered(lived: Living) -> None:
    """Whatever the plan's resources refer to can be read, versions included."""
    kinds = get(lived.therapist, "/metadata").json["rest"][0]["resource"]
    resources = [
        held
        for kind in kinds
        if kind["type"] not in ("Practitioner", "AuditEvent")
        for held in found(lived.therapist, f"/{kind['type']}?_count=200")
    ]
    assert len(resources) > 100
    for reference in {held for one in resources for held in references(one)}:
        answer = get(lived.therapist, f"/{reference}")
        assert answer.status_code == 200, reference


# Searching


def test_a_search_comes_in_pages_without_gaps(lived: Living) -> None:
    """Every resource once, whatever the size of the pages."""
    whole = found(lived.therapist, "/Provenance?_count=200")
    assert found(lived.therapist, "/Provenance?_count=7") == whole
    assert len(whole) == lived.lived


def test_parameters_narrow_a_search(desk: Desk) -> None:
    """By client, status, day, id and when it changed; several of one mean any, several together all."""
    caller = desk.caller
    client = get(caller, f"/CarePlan/{desk.plan_id}").json["subject"]["reference"]
    today = get(caller, f"/Goal/{desk.plan_id}.2").json["startDate"]
    for query, many in (
        (f"patient={client}", 1),
        (f"patient={client.partition('/')[2]}&status=on-hold", 1),
        ("lifecycle-status=active", 0),
        ("status=active,on-hold", 1),
        (f"date={today}", 1),
        (f"date=gt{today}", 0),
        (f"start-date=ge{today}&_lastUpdated=gt2020-01-01", 1),
        ("category=http://terminology.hl7.org/CodeSystem/goal-category|behavioral", 1),
        ("category=http://elsewhere.example|behavioral", 0),
        ("category=http://terminology.hl7.org/CodeSystem/goal-category|", 1),
        ("status=http://hl7.org/fhir/goal-status|on-hold", 1),
        ("lifecycle-status=http://hl7.org/fhir/goal-status|active,x|on-hold", 0),
        ("lifecycle-status=http://hl7.org/fhir/goal-status|", 1),
        ("lifecycle-status=http://x|on-hold", 0),
        ("lifecycle-status=|on-hold", 0),
        ("start-date=le9999-12-31", 1),
        ("start-date=le9999", 1),
        ("start-date=lt9999-12-31T23:59:59-05:00", 1),
        ("start-date=gt0001-01-01T00:00:00%2B05:00", 1),
        ("start-date=ge9999-12", 0),
        (f"_id={desk.plan_id}.2", 1),
        (f"_id={desk.plan_id}.1,nothing", 0),
        ("patient=somebody-else", 0),
    ):
        bundle = get(caller, f"/Goal?{query}").json
        assert bundle["total"] == many, query


def test_a_page_holds_two_hundred_at_most(desk: Desk) -> None:
    """Whoever asks for more is told by the link how many a page holds."""
    for asked, told in (("7", "7"), ("200", "200"), ("201", "200"), ("999999999", "200")):
        for caller, place in (
            (desk.caller, "Goal"),
            (desk.house.sign_in(desk.clinic, "auditor"), "AuditEvent"),
        ):
            [link, *_] = get(caller, f"/{place}?_count={asked}").json["link"]
            assert link["url"].endswith(f"/{place}?_count={told}")


def posted(caller: Caller, body: bytes, content_type: str | None, kind: str = "Goal") -> Any:
    """The answer to a search that was posted."""
    return caller.client.post(
        f"{BASE}/{kind}/_search", data=body, content_type=content_type, headers=caller.headers
    )


FORM = "application/x-www-form-urlencoded"


def test_a_posted_search_says_what_it_asks_or_is_refused(desk: Desk) -> None:
    """No body is passed over: what is no form is 415, a form that cannot be read 400."""
    for content_type in ("application/json", "text/plain", "multipart/form-data; boundary=x", None):
        answer = posted(desk.caller, b"patient=nobody", content_type)
        assert (answer.status_code, answer.content_type) == (415, FHIR), content_type
        assert FORM in answer.json["issue"][0]["diagnostics"]
        assert by_schema(answer.json) == by_rules(answer.json) == []
    assert posted(desk.caller, b"", "application/json").status_code == 415
    broken = posted(desk.caller, b"patient=\xff", FORM)
    assert (broken.status_code, broken.json["issue"][0]["code"]) == (400, "invalid")
    assert posted(desk.caller, b"_format=xml", FORM).status_code == 406
    assert posted(desk.caller, b"patient=%FF", FORM).json["total"] == 0
    assert posted(desk.caller, b"patient=nobody", f"{FORM}; charset=utf-8").json["total"] == 0
    assert posted(desk.caller, b"", FORM).json["total"] == 1
    assert posted(desk.caller, b"", None).json["total"] == 1


UNREADABLE = ("%00", "a%00b", "x,%00", "")


@pytest.mark.parametrize("value", UNREADABLE)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Goal", "patient"),
        ("CarePlan", "patient"),
        ("Observation", "patient"),
        ("Observation", "code"),
        ("Patient", "_id"),
        ("Patient", "identifier"),
        ("Practitioner", "_id"),
        ("Goal", "_id"),
        ("Goal", "_lastUpdated"),
        ("Goal", "cursor"),
        ("AuditEvent", "agent"),
    ],
)
def test_a_value_that_says_nothing_names_its_parameter(
    desk: Desk, kind: str, name: str, value: str
) -> None:
    """A NUL or nothing at all, in an address or a form: refused, neither passed over nor stumbled upon."""
    caller = desk.caller
    answers = [get(caller, f"/{kind}?{name}={value}")]
    if kind != "AuditEvent":
        answers.append(posted(caller, f"{name}={value}".encode(), FORM, kind))
    for answer in answers:
        assert (answer.status_code, answer.content_type) == (400, FHIR), answer.text
        assert f"{name}: " in answer.json["issue"][0]["diagnostics"]
        assert by_schema(answer.json) == by_rules(answer.json) == []


def test_strange_text_finds_nothing(house: House, desk: Desk) -> None:
    """Half a character, a last one, digits of other scripts: as a value, and as an id in an address."""
    auditor = house.sign_in(desk.clinic, "auditor")
    for text in ("%ED%A0%80", "%FF", "%F4%8F%BF%BF", "%EF%BF%BF", "%E2%80%AE", "'%22%5C"):
        for query in (f"Goal?patient={text}", f"Goal?_id={text}", f"Goal?status={text}"):
            assert get(desk.caller, f"/{query}").json["total"] == 0, query
    for text in ("%00", "%ED%A0%80", "%FF", "%F4%8F%BF%BF", "%D9%A1", "9" * 40):
        for kind in ("Patient", "Goal", "Practitioner", "AuditEvent"):
            reader = auditor if kind == "AuditEvent" else desk.caller
            assert get(reader, f"/{kind}/{text}").status_code == 404, f"{kind}/{text}"
    assert get(desk.caller, "/Goal?a%00b=1").status_code == 400
    assert get(desk.caller, "/Goal?date=%D9%A2%D9%A0%D9%A2%D9%A6").status_code == 400


def test_what_a_plan_refers_to_can_be_brought_along(desk: Desk) -> None:
    """_include marks it as such; a search can be posted, too."""
    query = f"_id={desk.plan_id}&_include=CarePlan:goal&_include=CarePlan:subject"
    bundle = get(desk.caller, f"/CarePlan?{query}").json
    modes = {held["resource"]["resourceType"]: held["search"]["mode"] for held in bundle["entry"]}
    assert modes == {"CarePlan": "match", "Goal": "include", "Patient": "include"}
    posted: Any = desk.caller.client.post(
        f"{BASE}/CarePlan/_search", data={"_id": desk.plan_id}, headers=desk.caller.headers
    )
    assert posted.json["total"] == 1


def test_a_client_with_two_plans_is_one_patient(house: House) -> None:
    """Found once, by the clinic's own reference."""
    held = new_desk(house)
    desk_of(house, held.clinic, held.caller, alongside=True)
    house.catch_up()
    assert len(found(held.caller, "/Patient")) == 1
    assert len(found(held.caller, "/Patient?identifier=c-1")) == 1
    assert found(held.caller, "/Patient?identifier=c-2") == []
    assert len(found(held.caller, "/CarePlan")) == 2


# Who may see what


def test_plans_out_of_reach_are_not_there(house: House, desk: Desk) -> None:
    """Not to be read, not to be found; those who may see only who did what see no resource."""
    stranger = house.sign_in(desk.clinic, "clinician", member_id=uuid4())
    assert get(stranger, f"/CarePlan/{desk.plan_id}").status_code == 404
    assert get(stranger, f"/Goal/{desk.plan_id}.2/_history/2").status_code == 404
    assert found(stranger, "/Goal") == []
    assert get(house.sign_in(desk.clinic, "auditor"), "/Goal").status_code == 403
    elsewhere = house.sign_in(house.clinic(), "supervisor")
    assert get(elsewhere, f"/CarePlan/{desk.plan_id}").status_code == 404


def test_looks_are_kept_and_read_as_audit_events(house: House) -> None:
    """By an auditor: who looked at which plan; valid resources, each to be read by its id."""
    held = new_desk(house)
    get(held.caller, f"/CarePlan/{held.plan_id}")
    auditor = house.sign_in(held.clinic, "auditor")
    events = found(auditor, f"/AuditEvent?entity=CarePlan/{held.plan_id}")
    assert [event["agent"][0]["who"]["display"] for event in events] == [held.caller.who.name]
    assert by_schema(events[0]) == by_rules(events[0]) == []
    assert get(auditor, f"/AuditEvent/{events[0]['id']}").json == events[0]
    assert get(auditor, "/AuditEvent/999999999").status_code == 404


def test_signing_in_is_an_audit_event(house: House) -> None:
    """As DICOM calls it, whether somebody came in or was turned away."""
    held = new_desk(house)
    token = held.caller.headers["Authorization"].removeprefix("Bearer ")
    assert house.client.post("/sign-in", data={"token": token}).status_code == 303
    [event] = found(house.sign_in(held.clinic, "auditor"), "/AuditEvent?_count=1&agent=Practitioner/"
        + str(held.caller.who.member_id))  # fmt: skip
    assert event["subtype"][0]["display"] == "Login"
    assert by_schema(event) == by_rules(event) == []


# Refusals


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/Goal?made_up=1", 400, "invalid"),
        ("/Goal?date=soon", 400, "invalid"),
        ("/Goal?_count=none", 400, "invalid"),
        ("/Goal?cursor=nothing", 400, "invalid"),
        ("/CarePlan?_include=CarePlan:made-up", 400, "invalid"),
        ("/CarePlan?_format=xml", 406, "not-supported"),
        ("/Practitioner", 400, "invalid"),
        ("/AuditEvent?date=soon", 400, "invalid"),
        ("/AuditEvent?before=" + "9" * 30, 400, "invalid"),
        ("/AuditEvent?date=2026-03-31&date=2026-04-01", 400, "invalid"),
        ("/AuditEvent/abc", 404, "not-found"),
        ("/Goal?_count=5&_count=6", 400, "invalid"),
        ("/Goal?status=|", 400, "invalid"),
        ("/CarePlan/nothing/_history?_count=5&_count=6", 400, "invalid"),
        ("/Medication", 404, "not-found"),
        ("/Goal/nothing", 404, "not-found"),
        ("/Patient/" + "0" * 32, 404, "not-found"),
        (f"/Practitioner/{UUID(int=7)}", 404, "not-found"),
        (f"/CarePlan/{UUID(int=7)}", 404, "not-found"),
        ("/no/such/place/anywhere/here", 404, "not-found"),
    ],
)
def test_a_refusal_is_an_operation_outcome(house: House, path: str, status: int, code: str) -> None:
    """Valid itself, with FHIR's code and this API's."""
    caller = house.sign_in(house.clinic(), "supervisor")
    if path.startswith("/AuditEvent"):
        caller = house.sign_in(house.clinic(), "auditor")
    answer = get(caller, path)
    assert (answer.status_code, answer.content_type) == (status, FHIR), answer.text
    assert by_schema(answer.json) == by_rules(answer.json) == []
    assert answer.json["issue"][0]["code"] == code


def test_an_address_without_resources_says_where_they_are(desk: Desk) -> None:
    """Every type there is, those of the access log among them; and how these are found."""
    kinds = get(desk.caller, "/metadata").json["rest"][0]["resource"]
    told = get(desk.caller, "/Foo").json["issue"][0]["diagnostics"]
    assert f"{', '.join(held['type'] for held in kinds)}." in told
    log = get(desk.caller, "/AuditEvent/1/_history")
    assert (log.status_code, "by GET" in log.text) == (404, True)


def test_only_json_is_offered_and_a_token_is_needed(house: House, desk: Desk) -> None:
    """XML is refused; without a token only the statement of what there is can be read."""
    xml = get(desk.caller, f"/CarePlan/{desk.plan_id}", Accept="application/fhir+xml")
    assert xml.status_code == 406
    nobody: Any = house.client
    assert nobody.get(f"{BASE}/CarePlan").json["issue"][0]["code"] == "login"
    assert nobody.get(f"{BASE}/metadata").json["fhirVersion"] == "4.0.1"


def test_no_route_writes(desk: Desk) -> None:
    """Resources are read here; recording goes through /v1."""
    answer: Any = desk.caller.client.put(
        f"{BASE}/CarePlan/{desk.plan_id}", json={}, headers=desk.caller.headers
    )
    assert (answer.status_code, answer.content_type) == (405, FHIR)


def test_an_integration_finds_the_plans_that_consent_to_it(house: House) -> None:
    """A consent that names it opens the plan for reading and searching; revoked, it is gone."""
    held = new_desk(house)
    reader = house.sign_in(held.clinic, "integration", name="Registry")
    house.catch_up()
    assert found(reader, "/CarePlan") == []
    given = held.record(entry("ConsentRecorded", scope="All of the plan", recipient="Registry"))
    consent_id = given["entries"][0]["consent_id"]
    assert [plan["id"] for plan in found(reader, "/CarePlan")] == [held.plan_id]
    [shown] = found(reader, "/Consent")
    assert (shown["status"], by_rules(shown)) == ("active", [])
    held.record(entry("ConsentRevoked", consent_id=consent_id))
    assert found(reader, "/CarePlan") == []
    assert get(reader, f"/CarePlan/{held.plan_id}").status_code == 404
