"""The clinic: its people, what they changed together, and who looked."""

from __future__ import annotations

from typing import Any

from api.described.parts import OBJECT, TEXT, VERSION, WHOLE, WHY, group, many, or_null, ref
from api.examples import entry_example, group_example
from api.schemas import MOMENT_FORMAT, UUID_FORMAT, component_of
from domain.emergency import EmergencyAccessReviewed, EmergencyAccessTaken
from domain.entry import Author
from domain.people import MemberJoined
from domain.policy import Policy
from domain.proposals import MOST
from service.access import ACCESS, RELATIONS, ROLES, STRANGER, VIEWS
from service.proposals import DOING, STATUSES


def _member() -> dict[str, Any]:
    return group(
        member_id=UUID_FORMAT,
        name=TEXT,
        role={"type": "string", "enum": list(ROLES)},
        credential=or_null(TEXT),
        status={"type": "string", "enum": ["present", "left"]},
        since=MOMENT_FORMAT,
        left_at=or_null(MOMENT_FORMAT),
        supervisor_id=or_null(UUID_FORMAT),
        caseload=many(UUID_FORMAT),
        client_ref=or_null(TEXT),
    )


def _look() -> dict[str, Any]:
    return group(
        look_id=VERSION,
        looked_at=MOMENT_FORMAT,
        member_id=UUID_FORMAT,
        name=TEXT,
        role={"type": "string", "enum": [*ROLES, STRANGER]},
        action={"type": "string", "enum": sorted(ACCESS)},
        plan_id=or_null(UUID_FORMAT),
        version=or_null(VERSION),
        asked=or_null(TEXT),
        why=or_null({"type": "string", "enum": list(RELATIONS)}),
        view=or_null({"type": "string", "enum": list(VIEWS)}),
        allowed={"type": "boolean"},
        address=or_null(TEXT),
        request_id=or_null(TEXT),
        token_id=UUID_FORMAT,
    )


def _disclosure() -> dict[str, Any]:
    return group(
        entry_id=UUID_FORMAT,
        version=VERSION,
        disclosed_at=MOMENT_FORMAT,
        recorded_at=MOMENT_FORMAT,
        recorded_by=TEXT,
        recipient=TEXT,
        address=or_null(TEXT),
        what=TEXT,
        purpose=TEXT,
        legal_basis=or_null(TEXT),
    )


def _emergency() -> dict[str, dict[str, Any]]:
    taking = component_of(EmergencyAccessTaken)
    reviewing = component_of(EmergencyAccessReviewed)
    plan: dict[str, Any] = {"plan_id": UUID_FORMAT, "client_ref": TEXT}
    said = {
        name: held for name, held in reviewing["properties"].items() if name != "access_entry_id"
    }
    shown = group(
        plan_id=UUID_FORMAT,
        client_ref=TEXT,
        entry_id=UUID_FORMAT,
        at=MOMENT_FORMAT,
        by=OBJECT,
        why=TEXT,
        expires_at=MOMENT_FORMAT,
        status={"type": "string", "enum": ["open", "reviewed"]},
        finding=or_null(TEXT),
        reviewed_at=or_null(MOMENT_FORMAT),
        reviewed_by=or_null(TEXT),
        note=or_null(TEXT),
    )
    return {
        "EmergencyAccess": {
            **taking,
            "properties": {**plan, **taking["properties"]},
            "oneOf": [{"required": ["plan_id"]}, {"required": ["client_ref"]}],
        },
        "EmergencyReview": {**reviewing, "properties": said, "required": ["finding"]},
        "EmergencyList": group(emergency_access=many(shown)),
    }


def _proposals() -> dict[str, dict[str, Any]]:
    """The components of the routes of proposals."""
    role = {"type": "string", "enum": list(ROLES)}
    word = group({"reason": ref("Reason")}, by=component_of(Author), at=MOMENT_FORMAT)
    entry = group({"reason": ref("Reason")}, type=TEXT, sentence=TEXT, data=OBJECT)
    closed = {"additionalProperties": False}
    entries = {"type": "array", "items": ref("ProposedEntry"), "minItems": 1, "maxItems": MOST}
    return {
        "ProposalToMake": group(entries=entries, reason=ref("Reason")) | closed,
        "ErasureToAskFor": group(
            {"before_retention_ends": {"type": "boolean", "default": False}}, reason=ref("Reason")
        )
        | closed,
        "WordOnProposal": group({"reason": or_null(ref("Reason"))}) | closed,
        "ReasonedWordOnProposal": group(reason=ref("Reason")) | closed,
        "Proposal": group(
            proposal_id=UUID_FORMAT,
            entry_id=UUID_FORMAT,
            version=VERSION,
            status={"type": "string", "enum": list(STATUSES)},
            expires_at=or_null(MOMENT_FORMAT),
            proposed=word,
            entries=many(entry),
            approved_by=many(role),
            approvals_needed=VERSION,
            approvals=many(word),
            closed=or_null(word),
            may=many({"type": "string", "enum": list(DOING)}),
        ),
        "Proposals": group(proposals=many(ref("Proposal")), next_cursor=or_null(TEXT)),
    }


def components() -> dict[str, dict[str, Any]]:
    """By name."""
    return {
        "Me": group(
            clinic_id=UUID_FORMAT,
            member_id=UUID_FORMAT,
            name=TEXT,
            role={"type": "string", "enum": list(ROLES)},
            credential=or_null(TEXT),
            may=many(TEXT),
            proposals_waiting=WHOLE,
        ),
        **_proposals(),
        "ClinicEntriesToRecord": group(
            entries={"type": "array", "items": ref("ClinicEntry"), "minItems": 1, "maxItems": 200},
        )
        | {"additionalProperties": False},
        "Clinic": group(
            clinic_id=UUID_FORMAT,
            version=WHOLE,
            position=WHOLE,
            name=TEXT,
            policy=component_of(Policy),
            members=many(_member()),
            legal_holds=many(OBJECT),
            erasures=many(OBJECT),
        ),
        "Members": group(members=many(_member())),
        "AccessLog": group(looks=many(_look()), next_cursor=or_null(TEXT)),
        "Disclosures": group(disclosures=many(_disclosure())),
        **_emergency(),
    }


def examples() -> dict[str, dict[str, Any]]:
    """Of what is sent, by component."""
    joined = entry_example(MemberJoined)
    return {
        "ClinicEntriesToRecord": {"entries": [joined]},
        "ProposalToMake": {"reason": WHY, "entries": [joined]},
        "ErasureToAskFor": {"reason": WHY, "before_retention_ends": True},
        "WordOnProposal": {},
        "ReasonedWordOnProposal": {"reason": WHY},
        "EmergencyAccess": {"client_ref": "c-1", **group_example(EmergencyAccessTaken)},
        "EmergencyReview": {"finding": "justified"},
    }
