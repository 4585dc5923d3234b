"""Signatures: agreement and disagreement, signing, co-signing, returning."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from domain.alliance import SupervisorAssigned
from domain.course import SetbackNoted
from domain.entry import EntryData, as_recorded, from_stored, to_stored
from domain.errors import (
    InvalidDataError,
    NotYoursError,
    ReasonRequiredError,
    TransitionError,
)
from domain.fields import plain_moment
from domain.goals import Goal
from domain.plan import Plan
from domain.record import EntryCorrected, EntryMarkedInError
from domain.signatures import (
    ClientSignatureDeclined,
    PlanAgreed,
    PlanCosigned,
    PlanDisagreed,
    PlanReturned,
    PlanSigned,
)
from tests.domain.specs import (
    COLLEAGUE,
    NOWHERE,
    SUPERVISOR,
    THERAPIST,
    a_goal,
    an_id,
    day,
    entry_id,
    given,
    opened,
    said,
)

SUPERVISED = opened(supervisor_id=SUPERVISOR.member_id)
AGREED = PlanAgreed(by="client", of_version=2)
SIGNED = PlanSigned(of_version=2, meaning="author")
COSIGNED = PlanCosigned(of_version=2)
RETURNED = PlanReturned(of_version=2, what_to_change="Name the measure")


def test_an_agreed_plan_is_active() -> None:
    """The client's word is kept with the version it is about."""
    given(opened(), a_goal()).when(
        PlanAgreed(by="guardian", statement="Yes, like this", of_version=2), voiced_by="guardian"
    ).then(
        {
            "/status": "active",
            "/status_since": "2026-01-07T09:00:00Z",
            "/signatures/client": {
                "answer": "agreed",
                "by": "guardian",
                "of_version": 2,
                "words": "Yes, like this",
                "at": "2026-01-07T09:00:00Z",
                "current": True,
            },
        }
    ).tells("The guardian agreed to version 2 of the plan: “Yes, like this”.")


def test_agreeing_needs_no_statement() -> None:
    """The bare yes is told."""
    given(opened(), a_goal()).when(AGREED).tells("The client agreed to version 2 of the plan.")


def test_a_material_change_leaves_an_agreement_behind() -> None:
    """The agreement still stands under its version, but it does not cover the newest change."""
    spec = given(opened(), a_goal(), AGREED).when(SetbackNoted(what="Rain"))
    spec.then({"/signatures/client/current": True})
    spec.when(a_goal("00000000-0000-4000-8000-000000000001")).then(
        {
            "/signatures/client/current": False,
            "/signatures/client/of_version": 2,
            "/signatures/last_material_version": 5,
            "/signatures/last_material_at": "2026-01-09T09:00:00Z",
        }
    )


def test_before_anything_was_said_nothing_is_current() -> None:
    """An open plan has no word of the client and no signature."""
    given().when(opened()).then(
        {
            "/signatures": {
                "client": {
                    "answer": None,
                    "by": None,
                    "of_version": None,
                    "words": None,
                    "at": None,
                    "current": False,
                },
                "signed": [],
                "last_material_version": 0,
                "last_material_at": None,
            }
        }
    )


def test_a_disagreement_is_documented_and_leaves_the_plan_a_draft() -> None:
    """What they do not agree with stands in the plan."""
    given(opened(), a_goal()).when(
        PlanDisagreed(by="client", of_version=2, what="Twice a week is too much")
    ).then(
        {
            "/status": "draft",
            "/signatures/client/answer": "disagreed",
            "/signatures/client/words": "Twice a week is too much",
        }
    ).tells("The client disagreed with version 2: “Twice a week is too much”.")


def test_a_declined_signature_is_documented_and_no_agreement() -> None:
    """It counts as documentation: the plan stays a draft."""
    given(opened(), a_goal()).when(
        ClientSignatureDeclined(of_version=1), reason="She signs nothing any more"
    ).then(
        {
            "/status": "draft",
            "/signatures/client/answer": "declined",
            "/signatures/client/by": "client",
            "/signatures/client/of_version": 1,
            "/signatures/client/words": "She signs nothing any more",
        }
    ).tells("The client chose not to sign the plan.")


def test_a_declined_signature_is_about_the_newest_version_unless_it_says_so() -> None:
    """Without a version it is the plan as it stood."""
    given(opened(), a_goal()).when(ClientSignatureDeclined(), reason="No paper").then(
        {"/signatures/client/of_version": 2}
    )


def test_declining_needs_its_reason() -> None:
    """The client's reason has to be said."""
    given(opened()).when(ClientSignatureDeclined()).refused(ReasonRequiredError, "/reason")


def test_a_refusal_without_a_reason_in_the_record_can_still_be_applied() -> None:
    """Applying never fails: an entry stored before reasons were asked for leaves the words open."""
    spec = given(opened()).when(ClientSignatureDeclined(), reason="No paper")
    bare, state = spec.last.but(reason=None), given(opened()).plan.state
    bare.data.apply(state, bare)
    assert state.signatures.client.words is None


@pytest.mark.parametrize("of_version", [0, 3, 99])
@pytest.mark.parametrize(
    "data",
    [
        AGREED,
        PlanDisagreed(by="client", of_version=2, what="Everything"),
        ClientSignatureDeclined(of_version=2),
        SIGNED,
    ],
)
def test_only_versions_the_plan_has_are_signed_or_agreed_to(
    data: PlanAgreed | PlanDisagreed | ClientSignatureDeclined | PlanSigned, of_version: int
) -> None:
    """Version 0 and versions to come are refused."""
    given(opened(), a_goal()).when(replace(data, of_version=of_version), reason="So").refused(
        InvalidDataError, "/data/of_version"
    )


def test_a_signature_keeps_who_signed_what_as_what() -> None:
    """The hash is that of the signed version's content; the plan is active."""
    spec = given(opened(), a_goal(), SetbackNoted(what="Rain")).when(SIGNED)
    spec.then(
        {
            "/status": "active",
            "/signatures/signed": [
                {
                    "entry_id": entry_id(4),
                    "of_version": 2,
                    "meaning": "author",
                    "content_hash": spec.plan.content_hash(2),
                    "by": {
                        "member_id": THERAPIST.member_id,
                        "name": "Dr Nadia Okafor",
                        "role": "clinician",
                        "credential": "LMFT",
                    },
                    "signed_at": "2026-01-08T09:00:00Z",
                    "cosigner_id": None,
                    "status": "signed",
                    "cosigned_by": None,
                    "cosigned_at": None,
                    "what_to_change": None,
                    "current": True,
                }
            ],
        }
    ).tells("Version 2 of the plan was signed as author.")


def exported(plan: Plan) -> list[dict[str, Any]]:
    """The lines of an export, as a third party has them."""
    return [
        {
            "version": entry.version,
            "entry_id": entry.entry_id,
            "recorded_at": plain_moment(entry.recorded_at),
            "topic": entry.data.TOPIC,
            "state": json.loads(json.dumps(to_stored(entry))),
        }
        for entry in plan.entries
    ]


def hashed(*content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of these entries."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def of_line(line: dict[str, Any], **corrected: Any) -> dict[str, Any]:
    """What of an export's line a signature covers."""
    moment = {"occurred_at": line["recorded_at"]}
    ids = {"entry_id": line["entry_id"], "topic": line["topic"]}
    return {**ids, **moment, **line["state"], **corrected}


def test_the_hash_is_sha_256_over_what_was_recorded_until_the_version() -> None:
    """It can be computed by anyone from an export: ids, topics and states in the order they count."""
    spec = given(opened(), a_goal(), SetbackNoted(what="Ärger im Bus")).when(SIGNED)
    lines = exported(spec.plan)
    expected = hashed(of_line(lines[0]), of_line(lines[1]))
    spec.then({"/signatures/signed/0/content_hash": expected})
    assert spec.plan.content_hash(1) == hashed(of_line(lines[0])) != expected


def test_the_hash_covers_late_entries_where_they_count_and_corrections_as_they_stand() -> None:
    """What was marked in error is not in it; reasons and whose words it was are."""
    late = said(SetbackNoted(what="Rain"), occurred_at=day(0.5), voiced_by="client")
    reworded = EntryCorrected(entry_id=entry_id(2), data={"statement": "An hour in the park"})
    mark = EntryMarkedInError(entry_id=entry_id(4))
    plan = given(opened(), a_goal(), late, SetbackNoted(what="Mud"), reworded, mark).plan
    lines = exported(plan)
    goal = of_line(lines[1], data=lines[4]["state"]["data"]["data"])
    assert plan.content_hash(6) == hashed(of_line(lines[0]), of_line(lines[2]), goal)
    assert lines[2]["state"]["voiced_by"] == "client"
    assert lines[2]["state"]["reason"]["text"]


def test_other_words_for_the_same_entries_leave_the_hash_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part that is shown otherwise one day changes nothing that was signed before."""
    plan = given(opened(), a_goal()).plan
    before = plan.content_hash(2)
    shown = plan.state.document()
    monkeypatch.setattr(Goal, "document", lambda _: {"shown": "in other words"})
    assert plan.state.document() != shown
    assert plan.content_hash(2) == before


def test_a_field_declared_later_leaves_the_hash_of_older_entries_as_it_was() -> None:
    """An entry that was stored without it is hashed without it, though it reads as its default."""
    spec = given(opened(), a_goal())
    stored = to_stored(spec.last)
    del stored["data"]["owner"]
    columns = ("originator_id", "originator_version", "timestamp", "entry_id", "position")
    held = {name: getattr(spec.last, name) for name in columns}
    older = from_stored("plan.goal-set", deepcopy(stored), **held)
    assert older.data == spec.last.data
    assert as_recorded(older)["data"] == stored["data"]


def test_an_upcast_leaves_the_hash_of_older_entries_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was stored in an older format is hashed as it was stored, corrections as well."""

    def upcast(data: dict[str, Any]) -> None:
        data["what"] = data.pop("happened")

    stored = {
        "recorded_by": {"member_id": THERAPIST.member_id, "name": "N", "role": "clinician"},
        "data": {"happened": "Rain"},
    }
    monkeypatch.setattr(SetbackNoted, "class_version", 2, raising=False)
    monkeypatch.setattr(SetbackNoted, "upcast_v1_v2", staticmethod(upcast), raising=False)
    plan = given(opened()).plan
    columns = {"originator_id": plan.id, "originator_version": 2, "timestamp": day(1)}
    entry = from_stored("plan.setback-noted", deepcopy(stored), entry_id=NOWHERE, **columns)
    plan.learn(entry)
    assert entry.data == SetbackNoted(what="Rain")
    assert as_recorded(entry) == {
        "entry_id": NOWHERE,
        "topic": "plan.setback-noted",
        "occurred_at": "2026-01-06T09:00:00Z",
        **stored,
    }
    fixed = EntryCorrected(entry_id=NOWHERE, data={"happened": "Snow"}, format_version=1)
    columns = {**columns, "originator_version": 3, "position": 3, "entry_id": an_id("fix")}
    plan.learn(entry.but(data=fixed, older=None, **columns))
    corrected = plan.standing_entry(NOWHERE)
    assert corrected is not None
    assert corrected.data == SetbackNoted(what="Snow")
    assert as_recorded(corrected)["data"] == {"happened": "Snow"}
    assert "class_version" not in as_recorded(corrected)


def test_nobody_else_says_what_was_signed() -> None:
    """A hash given by the caller is replaced, when signing as when correcting."""
    spec = given(opened(), a_goal()).when(replace(SIGNED, content_hash="made up"))
    spec.then({"/signatures/signed/0/content_hash": spec.plan.content_hash(2)})
    spec.when(
        EntryCorrected(entry_id=entry_id(3), data={"of_version": 1, "content_hash": "made up"}),
        reason="It was version 1",
    ).then(
        {
            "/signatures/signed/0/of_version": 1,
            "/signatures/signed/0/content_hash": spec.plan.content_hash(1),
        }
    )


def test_somebody_signs_a_version_once() -> None:
    """Also when somebody else signed it in between."""
    given(opened(), a_goal(), SIGNED).when(SIGNED).refused(TransitionError, "/data/of_version")
    given(opened(), a_goal(), SIGNED, said(SIGNED, by=COLLEAGUE)).when(SIGNED).refused(
        TransitionError, "/data/of_version"
    )


def test_a_co_signed_version_is_not_signed_again_by_its_signer() -> None:
    """The signature stands, with its co-signature."""
    given(SUPERVISED, a_goal(), SIGNED, said(COSIGNED, by=SUPERVISOR)).when(SIGNED).refused(
        TransitionError, "/data/of_version"
    )


def test_a_returned_version_can_be_signed_again() -> None:
    """Returning undoes the signature; the same person signs anew."""
    given(SUPERVISED, a_goal(), SIGNED, said(RETURNED, by=SUPERVISOR)).when(SIGNED).then(
        {"/signatures/signed/0/status": "returned", "/signatures/signed/1/status": "signed"}
    )


def test_several_clinicians_sign_the_same_version() -> None:
    """Each signature stands by itself."""
    given(opened(), a_goal(), SIGNED).when(
        PlanSigned(of_version=2, meaning="reviewer"), by=COLLEAGUE
    ).then(
        {
            "/signatures/signed/0/meaning": "author",
            "/signatures/signed/1/meaning": "reviewer",
            "/signatures/signed/1/by/name": "Jo Marsh",
        }
    )


def test_a_material_change_leaves_a_signature_behind() -> None:
    """It still stands under its version, but does not cover the newest change."""
    given(opened(), SetbackNoted(what="Rain"), SIGNED).when(a_goal()).then(
        {"/signatures/signed/0/status": "signed", "/signatures/signed/0/current": False}
    )


def test_the_supervisor_of_record_co_signs() -> None:
    """The signature says who co-signed it and when."""
    given(SUPERVISED, a_goal(), SIGNED).when(COSIGNED, by=SUPERVISOR).then(
        {
            "/signatures/signed/0/status": "cosigned",
            "/signatures/signed/0/cosigned_by/name": "Prof. Ida Lund",
            "/signatures/signed/0/cosigned_by/credential": None,
            "/signatures/signed/0/cosigned_at": "2026-01-08T09:00:00Z",
        }
    ).tells("Version 2 of the plan was co-signed.")


def test_the_supervisor_of_record_returns_what_has_to_change() -> None:
    """The words stand beside the signature."""
    given(SUPERVISED, a_goal(), SIGNED).when(RETURNED, by=SUPERVISOR).then(
        {
            "/signatures/signed/0/status": "returned",
            "/signatures/signed/0/what_to_change": "Name the measure",
            "/signatures/signed/0/cosigned_by": None,
        }
    ).tells("Version 2 came back: “Name the measure”.")


@pytest.mark.parametrize("data", [COSIGNED, RETURNED])
class TestSupervision:
    """What holds for co-signing holds for returning."""

    def test_it_is_for_the_supervisor_of_record(self, data: EntryData) -> None:
        """Another colleague, and anyone in a plan without supervisor, is refused."""
        given(SUPERVISED, a_goal(), SIGNED).when(data, by=COLLEAGUE).refused(
            NotYoursError, "/type", "supervisor of record"
        )
        given(opened(), a_goal(), SIGNED).when(data, by=SUPERVISOR).refused(
            NotYoursError, "/type", "supervisor of record"
        )

    def test_nobody_does_it_to_their_own_signature(self, data: EntryData) -> None:
        """A supervisor who signed cannot be their own second pair of eyes."""
        given(SUPERVISED, a_goal(), said(SIGNED, by=SUPERVISOR)).when(data, by=SUPERVISOR).refused(
            NotYoursError, "/type", "their own signature"
        )

    def test_it_goes_to_the_signature_of_somebody_else(self, data: EntryData) -> None:
        """A supervisor who signed as reviewer still answers the clinician's signature."""
        reviewed = said(PlanSigned(of_version=2, meaning="reviewer"), by=SUPERVISOR)
        status = "cosigned" if data is COSIGNED else "returned"
        given(SUPERVISED, a_goal(), SIGNED, reviewed).when(data, by=SUPERVISOR).then(
            {"/signatures/signed/0/status": status, "/signatures/signed/1/status": "signed"}
        )

    def test_it_goes_to_the_newest_signature_first(self, data: EntryData) -> None:
        """Of two that wait, the newer one is answered; then the older."""
        status = "cosigned" if data is COSIGNED else "returned"
        spec = given(SUPERVISED, a_goal(), SIGNED, said(SIGNED, by=COLLEAGUE))
        spec.when(data, by=SUPERVISOR).then(
            {"/signatures/signed/0/status": "signed", "/signatures/signed/1/status": status}
        )
        spec.when(data, by=SUPERVISOR).then({"/signatures/signed/0/status": status})

    def test_it_needs_a_signature_that_waits(self, data: EntryData) -> None:
        """An unsigned version and one answered already are refused."""
        given(SUPERVISED, a_goal()).when(data, by=SUPERVISOR).refused(
            TransitionError, "/data/of_version", "no signature that waits"
        )
        given(SUPERVISED, a_goal(), SIGNED, said(data, by=SUPERVISOR)).when(
            data, by=SUPERVISOR
        ).refused(TransitionError, "/data/of_version")

    def test_it_is_applied_even_where_no_signature_waits_any_more(self, data: EntryData) -> None:
        """Applying never fails: what no longer fits changes nothing."""
        spec = given(SUPERVISED, a_goal(), SIGNED).when(data, by=SUPERVISOR)
        state = given(SUPERVISED, a_goal()).plan.state
        data.apply(state, spec.last)
        assert len(state.signatures.signed) == 0


def test_a_signature_keeps_who_had_to_co_sign_it_then() -> None:
    """The supervisor of that time may still do so, and so may the one who took over; nobody else."""
    handed_on = SupervisorAssigned(supervisor_id=COLLEAGUE.member_id)
    spec = given(SUPERVISED, a_goal(), SIGNED, handed_on)
    spec.then({"/signatures/signed/0/cosigner_id": SUPERVISOR.member_id})
    spec.when(COSIGNED, by=THERAPIST).refused(NotYoursError, "/type", "supervisor of record")
    spec.when(COSIGNED, by=SUPERVISOR).then({"/signatures/signed/0/status": "cosigned"})
    given(SUPERVISED, a_goal(), SIGNED, handed_on).when(COSIGNED, by=COLLEAGUE).then(
        {"/signatures/signed/0/cosigned_by/name": "Jo Marsh"}
    )


def test_a_refused_co_signature_changes_nothing() -> None:
    """The signature still waits."""
    given(SUPERVISED, a_goal(), SIGNED).when(COSIGNED, by=COLLEAGUE).refused(
        NotYoursError, "/type"
    ).then({"/version": 3, "/signatures/signed/0/status": "signed"})


def test_the_newest_word_of_the_client_is_the_one_true_last() -> None:
    """A late note of an earlier yes does not override the later no."""
    no = said(PlanDisagreed(by="client", of_version=2, what="Too much"), now=day(10))
    given(opened(), a_goal(), no).when(AGREED, now=day(11), occurred_at=day(5)).then(
        {"/signatures/client/answer": "disagreed", "/status": "active"}
    )
