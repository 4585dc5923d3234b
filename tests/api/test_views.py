"""How much is seen: unique words in every text of a plan, looked for in every answer to everybody else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import pytest

from domain.entry import TYPES
from domain.fields import TextRule
from domain.fold import AMENDING
from domain.record import AddendumAdded
from domain.release import released_document
from service.fhir.facade import KINDS
from service.kept import Kept
from service.reading import reading_plan
from service.timeline import TimelineService
from tests.api.house import House, entry
from tests.api.living import Living
from tests.api.test_pages_reach import at_the_browser
from tests.conftest import Caller
from tests.domain.samples import LIFE, SAMPLES, Sample

OPEN, HELD = "canaryopen", "canaryheld"
FORMATS = ("application/json", "application/x-ndjson", "text/csv")
SAYS_MORE = {"plans.disclosures", "emergency.review", "emergency.take"}
"""Actions that are about words an auditor has to see: what was disclosed, why the glass was broken."""


def marked(word: str) -> Any:
    """Words for a sample's texts: all begin with the mark."""

    def words(text: str, rule: TextRule) -> str:
        return f"{word} {text}"[: rule.most].strip()

    return words


def held_back(sample: Sample, private: set[str]) -> bool:
    """Whether a sample is not for the client; ``private`` gathers the entries that are not."""
    about = isinstance(sample.data, (*AMENDING, AddendumAdded)) and sample.data.entry_id in private
    if sample.data.PRIVATE or about:
        private.add(sample.entry_id)
    return sample.entry_id in private


@pytest.fixture(scope="module")
def living(house: House) -> Living:
    """A plan in which every type of entry occurs, each text with a mark: released, or held back."""
    living, private = Living.begin(house, marked(OPEN)), set[str]()
    for number, sample in enumerate(LIFE[1:], start=2):
        living.live(until=number, words=marked(HELD if held_back(sample, private) else OPEN))
    assert private, "The sample life has working notes"
    note = living.known[SAMPLES["ObservationRecorded"].entry_id]
    corrected = {"kind": "other", "text": f"{HELD} corrected"}
    living.desk.record(  # what is about a working note is one, too
        entry("AddendumAdded", entry_id=note, text=f"{HELD} added"),
        entry("EntryCorrected", f"{HELD} because", entry_id=note, data=corrected),
    )
    house.catch_up()
    return living


def people(living: Living) -> dict[str, Caller]:
    """Everybody who must not see it all."""
    house, clinic = living.desk.house, living.desk.clinic
    ref = living.desk.get().json["client"]["ref"]
    admin = house.sign_in(clinic, "admin")
    client = house.sign_in(clinic, "client", name="Own Client")
    joined = entry(
        "MemberJoined",
        member_id=str(client.who.member_id),
        name="Own Client",
        role="client",
        client_ref=ref,
    )
    assert admin.post("/v1/clinic/entries", {"entries": [joined]}).status_code == 201
    found = {role: house.sign_in(clinic, role) for role in ("auditor", "privacy_officer")}
    elsewhere = {
        role: house.sign_in(clinic, role, member_id=UUID(int=number))
        for number, role in enumerate(("clinician", "supervisor", "integration"), start=77)
    }
    return {**found, **elsewhere, "admin": admin, "client": client}


def answers(living: Living, caller: Caller) -> Iterator[tuple[str, str, str]]:
    """(action, address, text) of every GET route in every format, some of them with parameters."""
    app, desk = living.desk.house.app, living.desk
    ref = desk.get().json["client"]["ref"]
    for rule in app.url_map.iter_rules():
        action = getattr(app.view_functions[rule.endpoint], "action", None)
        if action is None or "GET" not in (rule.methods or ()):
            continue
        for part in parts(living, rule.arguments):
            path = re.sub(r"<(?:\w+:)?plan_id>", desk.plan_id, rule.rule)
            path = re.sub(r"<(?:\w+:)?webhook_id>", str(UUID(int=7)), path)
            path = re.sub(r"<(?:\w+:)?entry_id>", part, path).replace("<kind>", part)
            path = path.replace("<resource_id>", desk.plan_id + ".15" * (part == "Goal"))
            path = re.sub(r"<int:\w+>", str(len(LIFE)), path)
            for query in QUERIES.get(rule.endpoint, ("",)):
                for accept in FORMATS if "timeline" in path or "log" in path else FORMATS[:1]:
                    answer = caller.get(path + query, Accept=accept)
                    if (
                        answer.mimetype == "text/event-stream"
                    ):  # without end; the feed says the same
                        answer.close()
                        continue
                    text = answer.get_data(as_text=True)
                    text = text.replace(ref, "")  # opaque, for all who list
                    yield action, f"{path}{query} {accept}", text


def pages(living: Living, caller: Caller) -> Iterator[tuple[str, str, str]]:
    """(action, address, text) of every page, the replay at each of its moments."""
    app, desk = living.desk.house.app, living.desk
    ref = desk.get().json["client"]["ref"]
    browser = at_the_browser(desk.house, caller)
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("pages.") or "GET" not in (rule.methods or ()):
            continue
        path = re.sub(r"<(?:\w+:)?plan_id>", desk.plan_id, rule.rule)
        path = re.sub(r"<(?:\w+:)?entry_id>", living.known[EMERGENCY], path)
        path = path.replace("<link>", "none").replace("<kind>", "csv")
        for query in page_queries(rule.endpoint, desk.plan_id):
            answer = browser.get(path + query)
            text = html.unescape(answer.get_data(as_text=True)).replace(ref, "")
            yield PAGE_ACTIONS.get(rule.endpoint, "page"), f"{path}{query}", text


def page_queries(endpoint: str, plan_id: str) -> Iterable[str]:
    """With which parameters a page is looked at."""
    moments = range(1, len(LIFE) + 4)
    if endpoint == "pages.moment":
        return [f"?at={n}&clock={c}" for n in moments for c in ("recorded", "effective")]
    if endpoint == "pages.replay":
        return ["", "?all=1", "?clock=effective", f"?at=1&with={len(LIFE) + 3}", "?view=91"]
    if endpoint == "pages.timeline":
        return ["", "?order=occurred", "?type=ObservationRecorded"]
    return ("", f"?plan={plan_id}", "?q=canary")


PAGE_ACTIONS = {
    "pages.accounting": "plans.disclosures",
    "pages.accounting_download": "plans.disclosures",
    "pages.emergencies": "emergency.review",
    "pages.emergency_access": "emergency.review",
}
"""Pages whose action says more than the rest; see ``SAYS_MORE``."""
EMERGENCY = SAMPLES["EmergencyAccessTaken"].entry_id


def parts(living: Living, arguments: set[str]) -> Iterable[str]:
    """What to put where an address names an entry, or a type of FHIR resource."""
    if "entry_id" in arguments:
        return living.known.values()
    return KINDS if "kind" in arguments else [""]


QUERIES = {
    "export.export_plan": ("?format=fhir", "?format=csv", "?format=html"),
    "plans.read_plan": ("", "?trace=true", f"?version={len(LIFE)}", "?version=9", "?effective_at=2999-01-01T00:00:00Z"),
    "plans.compare_moments": (f"?from=1&to={len(LIFE)}", f"?from={len(LIFE)}&to=1"),
    "timeline.plan_timeline": ("?limit=200", "?order=-occurred&limit=200", "?type=ObservationRecorded"),
    "timeline.clinic_timeline": ("?limit=200", "?order=occurred&limit=200"),
    "plans.list_plans": ("", "?q=canary"),
}  # fmt: skip


def leaks(living: Living, caller: Caller, but: set[str], *marks: str) -> list[str]:
    """Where a mark is seen that must not be."""
    return [
        f"{path}: …{text[max(text.find(mark) - 60, 0) : text.find(mark) + 60]}…"
        for action, path, text in (*answers(living, caller), *pages(living, caller))
        for mark in marks
        if mark in text and action not in but
    ]


def test_the_therapist_sees_both_marks(living: Living) -> None:
    """The search finds what there is to find."""
    found = " ".join(leaks(living, living.therapist, set(), OPEN, HELD))
    assert OPEN in found
    assert HELD in found


def test_nobody_sees_words_they_are_not_to_see(living: Living) -> None:
    """No mark for strangers and auditors on any route in any format; for the client none held back."""
    for what, caller in people(living).items():
        if what == "client":
            found = leaks(living, caller, set(), OPEN, HELD)
            assert [held for held in found if HELD in held] == []
            assert found, "The client does see their plan"
            continue
        allowed = SAYS_MORE if what in ("auditor", "privacy_officer") else set[str]()
        assert leaks(living, caller, allowed, OPEN, HELD) == [], what


def test_a_filter_that_is_skipped_is_noticed(
    living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: when entries are shown as they are, the search above finds them."""
    monkeypatch.setattr(TimelineService, "_as_seen", lambda *given: given[-1])
    callers = people(living)
    assert leaks(living, callers["auditor"], SAYS_MORE, OPEN)
    assert leaks(living, callers["client"], set(), HELD)


def test_a_replay_of_everything_is_noticed(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: when a client's replay walks through the whole plan, the search above finds it."""
    told = living.desk.house.container.replay
    monkeypatch.setattr("domain.release.held_back", lambda _: frozenset())
    for kept in ("_lives", "_seen"):
        monkeypatch.setattr(told, kept, Kept(1))
    found = leaks(living, people(living)["client"], set(), HELD)
    for place in ("/replay?", "/replay/moment?at=", "clock=effective"):
        assert any(place in held for held in found), place


def test_the_client_reads_the_same_plan_but_for_working_notes(living: Living) -> None:
    """At every version: the released plan is the plan where nothing is held back."""
    plans = living.desk.house.container.plans.recording.plans
    with reading_plan(plans, living.desk.clinic.clinic_id, UUID(living.desk.plan_id)) as plan:
        for version in range(1, plan.version + 1):
            whole, shown = plan.document(version), released_document(plan, version)
            assert shown["goals"] == whole["goals"]
            assert shown["version"] == version
            assert shown["observations"] == []


def test_what_is_held_back_is_told_in_the_catalogue(living: Living) -> None:
    """`/v1/entry-types` says of each type whether it is released."""
    told = living.therapist.get("/v1/entry-types").json["entry_types"]
    held = {kind["type"] for kind in told if not kind["released_to_client"]}
    assert held == {name for name, cls in TYPES.items() if cls.PRIVATE} != set()
