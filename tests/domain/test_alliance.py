"""Alliance: rapport, mismatch, and who works with the client."""

from __future__ import annotations

import pytest

from domain.alliance import (
    MismatchDiscussed,
    MismatchRaised,
    RapportNoted,
    SupervisorAssigned,
    TherapistTransferred,
)
from domain.errors import (
    InvalidDataError,
    ReasonRequiredError,
    TransitionError,
    UnknownReferenceError,
)
from tests.domain.specs import (
    COLLEAGUE,
    NOWHERE,
    SUPERVISOR,
    THERAPIST,
    entry_id,
    given,
    opened,
)

MISMATCH = MismatchRaised(raised_by="client", dimension="pace", words="You go too fast for me")
TRANSFER = TherapistTransferred(
    to_member_id=COLLEAGUE.member_id, handover="Two sessions together", client_consented=True
)


def test_rapport_is_noted_with_what_it_rests_on() -> None:
    """A rating from 0 to 10 and its basis."""
    given(opened()).when(RapportNoted(rating=7, basis="She laughed for the first time")).then(
        {
            "/rapport": [
                {
                    "entry_id": entry_id(2),
                    "at": "2026-01-06T09:00:00Z",
                    "rating": 7,
                    "basis": "She laughed for the first time",
                }
            ]
        }
    ).tells("Rapport: 7 of 10 – “She laughed for the first time”.")


@pytest.mark.parametrize("rating", [-1, 11])
def test_rapport_goes_from_0_to_10(rating: int) -> None:
    """Numbers outside are refused."""
    given(opened()).when(RapportNoted(rating=rating, basis="A guess")).refused(
        InvalidDataError, "/data/rating"
    )


def test_a_mismatch_is_to_be_talked_about() -> None:
    """Who raised it, in which respect, and the words."""
    given(opened()).when(MISMATCH).then(
        {
            "/mismatches/0/raised_by": "client",
            "/mismatches/0/dimension": "pace",
            "/mismatches/0/words": "You go too fast for me",
            "/mismatches/0/status": "open",
        }
    ).owes("answer_mismatch", about=entry_id(2), due_on="2026-01-20").tells(
        "A mismatch was raised by the client (pace): “You go too fast for me”."
    )


def test_a_mismatch_that_was_talked_about_owes_nothing() -> None:
    """The outcome stands beside it."""
    given(opened(), MISMATCH).when(
        MismatchDiscussed(mismatch_entry_id=entry_id(2), outcome="adjust", note="Shorter steps")
    ).then(
        {
            "/mismatches/0/status": "answered",
            "/mismatches/0/answered_at": "2026-01-07T09:00:00Z",
            "/mismatches/0/outcome": "adjust",
            "/mismatches/0/note": "Shorter steps",
        }
    ).owes_no("answer_mismatch").tells("The mismatch was talked about; outcome: adjust.")


def test_a_mismatch_is_closed_once() -> None:
    """A second outcome is refused."""
    discussed = MismatchDiscussed(mismatch_entry_id=entry_id(2), outcome="continue")
    given(opened(), MISMATCH, discussed).when(discussed).refused(
        TransitionError, "/data/mismatch_entry_id"
    )


@pytest.mark.parametrize("about", [NOWHERE, entry_id(1)])
def test_only_a_mismatch_is_closed_as_one(about: str) -> None:
    """Unknown ids and other entries are refused."""
    given(opened(), MISMATCH).when(
        MismatchDiscussed(mismatch_entry_id=about, outcome="continue")
    ).refused(UnknownReferenceError, "/data/mismatch_entry_id")


def test_a_transferred_plan_has_its_new_therapist() -> None:
    """The change is one that matters to what was agreed."""
    given(opened()).when(TRANSFER, reason="She moves to the coast").then(
        {"/therapist_id": COLLEAGUE.member_id, "/signatures/last_material_version": 2}
    ).tells("Another therapist took over with the client's consent: “Two sessions together”.")


def test_a_transfer_says_when_the_client_did_not_consent() -> None:
    """That is told in the sentence."""
    given(opened()).when(
        TherapistTransferred(
            to_member_id=COLLEAGUE.member_id, handover="By letter", client_consented=False
        ),
        reason="Illness",
    ).tells("Another therapist took over without the client's consent: “By letter”.")


def test_a_transfer_needs_its_reason() -> None:
    """Why the therapist changes has to be said."""
    given(opened()).when(TRANSFER).refused(ReasonRequiredError, "/reason")


def test_a_transfer_is_to_somebody_else() -> None:
    """The therapist of the plan cannot take it over from themselves."""
    given(opened()).when(
        TherapistTransferred(
            to_member_id=THERAPIST.member_id, handover="None", client_consented=True
        ),
        reason="Because",
    ).refused(TransitionError, "/data/to_member_id")


def test_a_supervisor_is_assigned() -> None:
    """The newest is the supervisor of record."""
    given(opened(supervisor_id=COLLEAGUE.member_id)).when(
        SupervisorAssigned(supervisor_id=SUPERVISOR.member_id)
    ).then({"/supervisor_id": SUPERVISOR.member_id}).tells("A supervisor was assigned.")


def test_members_are_named_by_uuid() -> None:
    """A name is not enough."""
    given(opened()).when(SupervisorAssigned(supervisor_id="Ida")).refused(
        InvalidDataError, "/data/supervisor_id"
    )
