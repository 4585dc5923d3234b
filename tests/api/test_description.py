"""The OpenAPI description says what there is: it validates, is complete, and answers keep to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from api.auth import OPEN
from api.described import components, examples
from api.examples import entry_example
from api.schemas import PROPOSABLE
from domain.clinic import Clinic
from domain.entry import CLINIC_TYPES, EVERY_TYPE, TYPES
from service.access.table import CLINIC_RECORDS
from tests.api.house import House, an_id, desk_of, entry, goal, new_desk, refused
from tests.api.living import Living
from tests.conftest import Caller
from tests.domain.samples import LIFE, SAMPLES, Sample, a_life

UNDESCRIBED = {"static", "docs.page", "root.index", "api-docs.openapi_json"}
"""What is for people: the pages and the description itself."""
RECORDED = {name: held for name, held in SAMPLES.items() if not held.data.ONLY_BY}
"""What is sent as an entry; the rest comes about by a route of its own."""
ALONE = {name for name, cls in CLINIC_TYPES.items() if cls.APPROVAL and cls.APPROVAL.always}
"""What comes about by an approved proposal only."""
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def described(house: House) -> dict[str, Any]:
    """The description as it is served, without a token."""
    answer = house.client.get("/openapi.json")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    return told


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of everything described."""
    for path, held in described["paths"].items():
        for method in METHODS:
            if method in held:
                yield path, method, held[method]


def test_it_is_openapi_3_1(described: dict[str, Any]) -> None:
    """The description validates as OpenAPI 3.1."""
    assert described["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(described).validate()


def test_every_route_is_in_it(house: House, described: dict[str, Any]) -> None:
    """Each route with each of its methods, and nothing that is no route.

    FHIR's are described in FHIR's own way, by the CapabilityStatement (tests/fhir).
    """
    there = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in house.app.url_map.iter_rules()
        if rule.endpoint not in UNDESCRIBED
        and not rule.endpoint.startswith("pages.")
        and not rule.rule.startswith("/fhir/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(described)} == there


def test_every_operation_says_what_it_does(described: dict[str, Any]) -> None:
    """An id of its own, a summary that is a sentence, a tag, and the problem it may answer with."""
    told = list(operations(described))
    ids = [operation["operationId"] for _, _, operation in told]
    assert len(set(ids)) == len(ids)
    tags = {held["name"] for held in described["tags"]}
    for path, method, operation in told:
        assert operation["summary"].endswith("."), (method, path)
        assert set(operation["tags"]) <= tags
        problem = operation["responses"]["default"]["content"]["application/problem+json"]
        assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert any(status.startswith("2") for status in operation["responses"])


def test_every_parameter_of_a_route_is_described(house: House, described: dict[str, Any]) -> None:
    """What a route takes in its query is in its description, and the other way round."""
    clinic = house.clinic()
    for path, method, operation in operations(described):
        role = operation.get("x-allowed-to", ["supervisor"])[0]
        caller = house.sign_in(clinic, role)
        named = {held["name"] for held in operation.get("parameters", ()) if held["in"] == "query"}
        filled = re.sub(r"\{\w+\}", lambda _: an_id(), path)
        answer: Any = caller.client.open(
            f"{filled}?made_up=1", method=method, headers=caller.headers
        )
        known = answer.json["detail"].partition("known are: ")[2].rstrip(".")
        assert named == set(filter(None, known.split(", "))), path


def test_what_needs_a_token_says_so(house: House, described: dict[str, Any]) -> None:
    """Signing in is the rule; what is open to all is marked, and answers without a token."""
    assert described["security"] == [{"token": []}]
    scheme = described["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    rules = {rule.endpoint: rule.rule for rule in house.app.url_map.iter_rules()}
    is_open = {rules[endpoint] for endpoint in OPEN - UNDESCRIBED}
    for path, _, operation in operations(described):
        assert (operation.get("security") == []) == (path in is_open)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    """No dangling $ref, and no component that nobody refers to."""
    refs = set(references(described))
    for ref in refs:
        found: Any = described
        for step in ref.removeprefix("#/").split("/"):
            found = found[step]
    named = {ref.rpartition("/")[2] for ref in refs if ref.startswith("#/components/schemas/")}
    unused = set(described["components"]["schemas"]) - named
    elsewhere = {name for name, cls in EVERY_TYPE.items() if cls.ONLY_BY} | ALONE
    assert unused <= {"PlanOpened", "ClinicFounded"} | elsewhere, "Neither sent nor answered"


def test_links_lead_to_what_takes_what_they_bring(described: dict[str, Any]) -> None:
    """Each to an operation that is there, with just the parameters of its address; and there are some."""
    known = {told["operationId"]: (path, told) for path, _, told in operations(described)}
    links = [
        (name, link)
        for _, _, told in operations(described)
        for answer in told["responses"].values()
        for name, link in answer.get("links", {}).items()
    ]
    assert len(links) >= 20
    for name, link in links:
        path, target = known[link["operationId"]]
        assert name == link["operationId"]
        given = {held for held in link["parameters"] if not held.startswith("header.")}
        assert given == set(re.findall(r"\{(\w+)\}", path))
        headers = {held["name"] for held in target["parameters"] if held["in"] == "header"}
        assert {held.removeprefix("header.") for held in link["parameters"]} - given <= headers


def references(held: Any) -> Iterator[str]:
    """Every $ref below ``held``."""
    if isinstance(held, dict):
        if isinstance(held.get("$ref"), str):
            yield held["$ref"]
        for value in held.values():
            yield from references(value)
    elif isinstance(held, list):
        for value in held:
            yield from references(value)


# Answers keep to it


@cache
def _registry() -> Registry[Any]:
    """The components, to be referred to, taken apart once."""
    held = {"components": {"schemas": components()}}
    resource = DRAFT202012.create_resource(held)
    registry: Registry[Any] = Registry().with_resource("urn:api", resource)
    return registry


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Checks a body against a schema that may be one of the components, formats included."""
    ref = {"$ref": f"urn:api{schema['$ref']}"} if "$ref" in schema else {}
    return Draft202012Validator(
        {**schema, **ref}, registry=_registry(), format_checker=FormatChecker()
    )


def check(described: dict[str, Any], path: str, method: str, answer: Any) -> None:
    """The answer is documented for its operation: status, content type, schema."""
    responses = described["paths"][path][method]["responses"]
    documented = responses.get(str(answer.status_code), responses["default"])
    assert answer.status_code < 400 or answer.mimetype == "application/problem+json"
    assert str(answer.status_code) in responses or answer.status_code >= 400
    promised = set(documented.get("headers", ())) & {"ETag", "Location", "Retry-After"}
    assert promised <= {*answer.headers.keys()}, (path, method, promised)
    if answer.status_code in (204, 304):
        return
    content = documented["content"][answer.mimetype]
    if "json" in answer.mimetype and "ndjson" not in answer.mimetype:
        validator(content["schema"]).validate(answer.json)


def test_formats_are_really_checked() -> None:
    """The validator of this file takes no made-up id or moment for one."""
    for wrong in ({"format": "uuid"}, {"format": "date-time"}, {"format": "date"}):
        assert not validator({"type": "string", **wrong}).is_valid("made up")
    assert validator({"format": "date-time"}).is_valid("2026-01-01T00:00:00.123456Z")


def test_every_answer_of_a_tour_is_as_described(house: House, described: dict[str, Any]) -> None:
    """Everything a caller may ask for, in a plan that has lived, and each kind of refusal."""
    living = Living.begin(house).live()
    desk, other = living.desk, new_desk(house)
    supervisor = house.sign_in(desk.clinic, "supervisor")
    admin, auditor = (house.sign_in(desk.clinic, role) for role in ("admin", "auditor"))
    stranger = house.sign_in(other.clinic, member_id=uuid4())
    house.catch_up()
    house.seal()
    entry_id = living.known[SAMPLES["RelapseNoted"].entry_id]
    plan, timeline, one = (
        "/v1/plans/{plan_id}",
        "/v1/plans/{plan_id}/timeline",
        "/v1/plans/{plan_id}/entries/{entry_id}",
    )
    diff, entries = "/v1/plans/{plan_id}/diff", "/v1/plans/{plan_id}/entries"
    last = len(LIFE)
    asked = [
        *[
            (plan, desk.get(query))
            for query in ("", "?trace=true", "?version=1", "?version=999", "?x=1")
        ],
        (plan, desk.get(If_None_Match="*")),
        (plan, desk.get("?effective_at=2025-06-01T00:00:00Z")),
        (plan, other.get(f"/v1/plans/{desk.plan_id}")),
        (plan, house.client.get(desk.url)),
        *[
            (timeline, desk.get(f"/timeline{query}"))
            for query in ("", "?limit=200", "?type=x", "?limit=1")
        ],
        (timeline, desk.get("/timeline", Accept="text/csv")),
        (timeline, desk.get("/timeline", Accept="application/x-ndjson")),
        (timeline, desk.get("/timeline", Accept="image/png")),
        ("/v1/timeline", desk.get("/v1/timeline?limit=200")),
        (one, desk.get(f"/entries/{entry_id}")),
        (one, desk.get(f"/entries/{an_id()}")),
        *[
            (diff, desk.get(f"/diff?from={a}&to={b}"))
            for a, b in ((1, last), (last, 1), (5, 5), (0, 1))
        ],
        (diff, desk.get("/diff?from=2025-01-01T00:00:00Z&to=2999-01-01T00:00:00Z&clock=effective")),
        ("/v1/plans", desk.get("/v1/plans?limit=1")),
        ("/v1/plans", desk.get("/v1/plans?status=superseded")),
        ("/v1/me", desk.get("/v1/me")),
        ("/v1/entry-types", desk.get("/v1/entry-types")),
        ("/v1/clinic", supervisor.get("/v1/clinic")),
        ("/v1/members", supervisor.get("/v1/members")),
        ("/v1/members", house.sign_in(desk.clinic, "client").get("/v1/members")),
        ("/v1/worklist", supervisor.get("/v1/worklist?team=true")),
        ("/v1/figures", supervisor.get("/v1/figures")),
        ("/v1/plans/{plan_id}/measures", desk.get("/measures")),
        ("/v1/plans/{plan_id}/disclosures", desk.get("/disclosures")),
        *[
            ("/v1/plans/{plan_id}/export", desk.get(f"/export?format={kind}"))
            for kind in ("bundle", "fhir", "csv", "html", "pdf")
        ],
        ("/v1/access-log", desk.get("/v1/access-log")),
        ("/v1/access-log", auditor.get("/v1/access-log?limit=200")),
        ("/v1/timeline", auditor.get("/v1/timeline?limit=200")),
        (timeline, auditor.get(f"{desk.url}/timeline")),
        ("/v1/emergency-access", auditor.get("/v1/emergency-access")),
        ("/v1/plans/{plan_id}/obligations", desk.get("/obligations")),
        ("/v1/feed", desk.get("/v1/feed")),
        *[
            (f"/v1/ledger{path}", desk.get(f"/v1/ledger{path}{query}"))
            for path in ("", "/checkpoint", "/vkey", "/consistency")
            for query in ("", "?from=1&to=2", "?from=9&to=1")
        ],
        *[
            (f"/v1/ledger/access-log{path}", desk.get(f"/v1/ledger/access-log{path}{query}"))
            for path, query in (("/checkpoint", ""), ("/vkey", ""), ("/consistency", "?from=0"))
        ],
        (
            "/v1/ledger/access-log/tile/{level}/{number}",
            desk.get("/v1/ledger/access-log/tile/0/000.p/1"),
        ),
        ("/v1/ledger/tile/{level}/{number}", desk.get("/v1/ledger/tile/0/000.p/2")),
        ("/v1/ledger/tile/{level}/{number}", desk.get("/v1/ledger/tile/0/2")),
        ("/v1/ledger/tile/entries/{number}", auditor.get("/v1/ledger/tile/entries/000.p/2")),
        ("/v1/ledger/proof/{entry_id}", desk.get(f"/v1/ledger/proof/{entry_id}")),
        ("/v1/ledger/proof/{entry_id}", desk.get(f"/v1/ledger/proof/{an_id()}")),
        *[(path, house.client.get(path)) for path in ("/livez", "/readyz", "/metrics")],
    ]
    for path, answer in asked:
        check(described, path, "get", answer)
    stale = {"If-Match": '"1"'}
    other.record(goal())
    sent = [
        (entries, other.send({"entries": [goal()]})),
        (entries, other.send({"entries": [goal()]}, Idempotency_Key="k")),
        (entries, other.send({"entries": [goal()]}, Idempotency_Key="k")),
        (entries, other.send({"entries": [goal("x")]}, Idempotency_Key="k")),
        (entries, other.send({"entries": [goal()]}, **stale)),
        (entries, other.send({"entries": [goal("")]})),
        (entries, other.send(b"{")),
        (entries, other.send(b"x" * 2_000_000)),
        (entries, other.send(b"{}", content_type="text/plain")),
        (entries, desk.send({"entries": [goal()]})),
        ("/v1/plans", other.send({}, to="/v1/plans")),
        (
            "/v1/clinic/entries",
            admin.post("/v1/clinic/entries", {"entries": [entry("ClinicRenamed", name="New")]}),
        ),
        ("/v1/clinic/entries", other.send({"entries": []}, to="/v1/clinic/entries")),
        (
            "/v1/emergency-access",
            stranger.post("/v1/emergency-access", {"plan_id": other.plan_id, "why": "At the desk"}),
        ),
    ]
    for path, answer in sent:
        check(described, path, "post", answer)
    visited = {(path, "get") for path, _ in asked} | {(path, "post") for path, _ in sent}
    visited |= set(webhooks_visited(described, admin))
    visited |= set(proposals_visited(described, admin, house.sign_in(desk.clinic, "admin")))
    missed = {(path, method) for path, method, _ in operations(described)} - visited
    elsewhere = {
        "/v1/feed/stream",
        "/v1/clinic/timeline",
        "/v1/emergency-access/{entry_id}/review",
        "/v1/clients/{client_ref}/erasure",
    }
    assert {path for path, _ in missed} <= elsewhere, missed


def webhooks_visited(described: dict[str, Any], admin: Caller) -> Iterator[tuple[str, str]]:
    """Everything that can be done with a webhook; its routes and methods."""
    one = "/v1/webhooks/{webhook_id}"
    made = admin.post("/v1/webhooks", {"url": "https://93.184.216.34/hook"})
    check(described, "/v1/webhooks", "post", made)
    webhook_id = made.json["webhook_id"]
    bodies = {"replay": {"after": 0}, "rotate": {}, "unpark": {}, "disable": {}, "enable": {}}
    for action, body in bodies.items():
        path = f"{one}/{action}"
        check(described, path, "post", admin.post(path.format(webhook_id=webhook_id), body))
        yield path, "post"
    for path in ("/v1/webhooks", one, f"{one}/deliveries"):
        check(described, path, "get", admin.get(path.format(webhook_id=webhook_id)))
        yield path, "get"
    for _ in ("there", "gone"):
        place = one.format(webhook_id=webhook_id)
        check(described, one, "delete", admin.client.delete(place, headers=admin.headers))
    yield from ((one, "delete"), ("/v1/webhooks", "post"))


def proposals_visited(
    described: dict[str, Any], admin: Caller, other: Caller
) -> Iterator[tuple[str, str]]:
    """Everything that can be done with a proposal; its routes and methods."""
    every, one = "/v1/clinic/proposals", "/v1/clinic/proposals/{proposal_id}"
    why = {"reason": {"text": "Decided in the team meeting"}}
    for doing, by in (("approve", other), ("decline", other), ("withdraw", admin)):
        body = {**why, "entries": [entry("ClinicRenamed", name="Mill")]}
        made = admin.post(every, body)
        check(described, every, "post", made)
        proposal_id = made.json["entries"][0]["proposal_id"]
        for _ in ("done", "done already"):
            place = f"{one}/{doing}".format(proposal_id=proposal_id)
            check(described, f"{one}/{doing}", "post", by.post(place, why))
        for reader in (admin, other):
            check(described, one, "get", reader.get(one.format(proposal_id=proposal_id)))
        yield f"{one}/{doing}", "post"
    check(described, every, "post", admin.post(every, {**why, "entries": []}))
    check(described, every, "get", admin.get(f"{every}?limit=1"))
    check(described, "/v1/me", "get", admin.get("/v1/me"))
    yield from ((every, "get"), (every, "post"), (one, "get"))


def test_a_plan_of_every_type_keeps_to_its_description(
    house: House, described: dict[str, Any]
) -> None:
    """The plan is as described after each entry of the sample life, not only at its end."""
    desk = Living.begin(house).live().desk
    for version in range(1, len(LIFE) + 1, 6):
        check(described, "/v1/plans/{plan_id}", "get", desk.get(f"?version={version}&trace=true"))


def test_a_plan_is_described_with_all_it_holds_and_nothing_else() -> None:
    """Both ways, groups inside it as well: a field that is added to the document is described."""
    shown = a_life().document()
    described = components()["Plan"]
    assert described["properties"].keys() - {"entries"} == shown.keys() == {*described["required"]}
    described["properties"].pop("entries")
    compared = [
        name for name, held in described["properties"].items() if same_fields(held, shown.get(name))
    ]
    assert {"client", "orientation", "reviews", "signatures"} <= {*compared}


def same_fields(described: dict[str, Any], shown: Any) -> bool:
    """Whether a group is described by its fields; those are the ones it has, further in as well."""
    if "properties" not in described:
        return False
    assert described["properties"].keys() == shown.keys()
    for name, held in described["properties"].items():
        same_fields(held, shown[name])
    return True


# Examples


def test_every_type_has_an_example_that_fits_its_description(described: dict[str, Any]) -> None:
    """Each type of entry and each request body has one, valid by its own component."""
    schemas = described["components"]["schemas"]
    requests = ("PlanOpening", "EntriesToRecord", "ClinicEntriesToRecord", "ProposalToMake")
    elsewhere = {name for name, cls in CLINIC_TYPES.items() if cls.ONLY_BY} | ALONE
    for name in (*EVERY_TYPE, *requests):
        [example] = schemas[name]["examples"]
        validator({"$ref": f"#/components/schemas/{name}"}).validate(example)
        held = "Entry" if name in TYPES else "ClinicEntry"
        if name in {*RECORDED, *Clinic.TAKES} - {"PlanOpened", "ClinicFounded"} - elsewhere:
            validator({"$ref": f"#/components/schemas/{held}"}).validate(example)
        if name in PROPOSABLE:
            validator({"$ref": "#/components/schemas/ProposedEntry"}).validate(example)


@pytest.mark.parametrize("sample", RECORDED.values(), ids=RECORDED)
def test_every_example_can_be_recorded(house: House, sample: Sample) -> None:
    """Sent as it stands, in a plan that is where such an entry belongs, an example is taken.

    Only what names something of the plan is put in: ids, and the version that is signed.
    """
    example = entry_example(type(sample.data))
    if sample.type == "PlanOpened":
        opening = examples()["PlanOpening"]
        caller = house.sign_in(house.clinic(), member_id=UUID(opening["therapist_id"]))
        assert caller.post("/v1/plans", opening).status_code == 201
        return
    living = Living.begin(house).live(until=LIFE.index(sample))
    put_in(example["data"], living.entry(sample)["data"])
    if sample.type == "EntryCorrected":  # the example is about an entry with a text
        example["data"]["entry_id"] = living.known[SAMPLES["StrengthIdentified"].entry_id]
    example["occurred_at"] = sample.occurred_at.isoformat()
    caller = living.supervisor if sample.recorded_by.role == "supervisor" else living.therapist
    answer = caller.post(f"{living.desk.url}/entries", {"entries": [example]})
    assert answer.status_code == 201, answer.text
    assert answer.json["entries"][0]["type"] == sample.type


@pytest.mark.parametrize("name", sorted({*SAMPLES} - {*RECORDED}))
def test_what_has_a_route_of_its_own_is_not_sent_as_an_entry(house: House, name: str) -> None:
    """It is refused among first entries and among others, naming the route that records it."""
    desk, example = new_desk(house), entry_example(TYPES[name])
    route = TYPES[name].ONLY_BY
    with house.nothing_written():
        answer = desk.send({"entries": [goal(), example]})
        refused(answer, 422, "recorded-elsewhere", "/entries/1/type", route)
        mine = {"client_ref": "c-else", "therapist_id": str(desk.caller.who.member_id)}
        opening = {**examples()["PlanOpening"], **mine, "entries": [example]}
        answer = desk.send(opening, to="/v1/plans")
        refused(answer, 422, "recorded-elsewhere", "/entries/0/type", route)


def put_in(example: dict[str, Any], sample: dict[str, Any]) -> None:
    """Put the sample's ids and version where the example has placeholders."""
    for key, held in example.items():
        if isinstance(held, dict) and isinstance(sample.get(key), dict):
            put_in(held, sample[key])
        elif key.endswith(("_id", "_ids", "of_version")) and key in sample:
            example[key] = sample[key]


def test_every_example_of_the_clinic_can_be_recorded(house: House) -> None:
    """The clinic's own examples, in an order in which they are possible, with the ids of its people."""
    clinic = house.clinic()
    admin, member = house.sign_in(clinic, "admin"), an_id()
    officer, supervisor = house.sign_in(clinic, "privacy_officer"), an_id()
    told = examples()
    order = [
        "ClinicRenamed",
        "MemberJoined",
        "SupervisionAssigned",
        "SupervisionEnded",
        "CaseloadAssigned",
        "CaseloadEnded",
        "MemberRoleChanged",
        "LegalHoldPlaced",
        "PolicySet",
        "MemberLeft",
    ]
    elsewhere = {name for name, cls in CLINIC_TYPES.items() if cls.ONLY_BY}
    assert set(order) == set(CLINIC_TYPES) - {"ClinicFounded"} - elsewhere - ALONE
    first = entry("MemberJoined", member_id=supervisor, name="Ida", role="supervisor")
    assert admin.post("/v1/clinic/entries", {"entries": [first]}).status_code == 201
    for number, name in enumerate(order):
        data = told[name]["data"]
        for key, held in (("member_id", member), ("supervisor_id", supervisor)):
            if key in data or (name, key) == ("MemberJoined", "member_id"):
                data[key] = held
        seen = {"If_Match": f'"{number + 2}"'}  # from its policy on the clinic wants to know it
        by = officer if name in CLINIC_RECORDS["privacy_officer"] else admin
        answer = by.post("/v1/clinic/entries", {"entries": [told[name]]}, **seen)
        assert answer.status_code == 201, (name, answer.text)
    seen = {"If_Match": f'"{len(order) + 2}"'}
    lifting = {"reason": {"text": "It is over"}, "entries": [told["LegalHoldLifted"]]}
    assert officer.post("/v1/clinic/proposals", lifting, **seen).status_code == 201


def test_the_examples_of_the_requests_can_be_sent(house: House) -> None:
    """A newcomer copies them from the description as they are."""
    clinic = house.clinic()
    told = examples()
    therapist = UUID(told["PlanOpening"]["therapist_id"])
    desk = desk_of(house, clinic, house.sign_in(clinic, member_id=therapist))
    assert desk.send(told["EntriesToRecord"]).status_code == 201
    opening = {**told["PlanOpening"], "client_ref": "c-example"}
    assert desk.send(opening, to="/v1/plans").status_code == 201
    admin = house.sign_in(clinic, "admin")
    assert admin.post("/v1/clinic/entries", told["ClinicEntriesToRecord"]).status_code == 201
    other = house.sign_in(clinic, "admin")
    for doing, body in (("approve", "WordOnProposal"), ("decline", "ReasonedWordOnProposal")):
        made = admin.post("/v1/clinic/proposals", told["ProposalToMake"])
        assert made.status_code == 201
        assert other.post(f"{made.headers['Location']}/{doing}", told[body]).status_code == 201
