"""The access table: action × role → the relations by which it is allowed, and how much is seen.

Everything that decides or tests access is derived from here. What is not in the table is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.clinic import Clinic

CASELOAD, TEAM, SELF, CONSENTED, EMERGENCY, CLINIC, ERASED = (
    "caseload",
    "team",
    "self",
    "consented",
    "emergency",
    "clinic",
    "erased",
)
RELATIONS = (CASELOAD, TEAM, SELF, CONSENTED, CLINIC, EMERGENCY, ERASED)
"""How somebody can stand to a plan, in the order in which they are looked for.

``caseload``: they treat the client (the plan's therapist, or the plan is in their caseload).
``team``: they are the plan's supervisor, or supervise who treats the client. ``self``: it is their own
plan, or they made the proposal. ``consented``: the client's consent names them and is good today.
``clinic``: it is a plan of their clinic, whoever's. ``emergency``: they broke the glass within the last
hour. ``erased``: its client was erased; then nobody has another relation, and all that is left to see is that
entries were there.
"""
FULL, RELEASED, METADATA = "full", "released", "metadata"
VIEWS = (FULL, RELEASED, METADATA)
"""How much is seen: all; all but the working notes of those who treat; who did what when, no words."""

Grant = Mapping[str, str]
"""Relation → view."""


def _by(view: str, *relations: str) -> Grant:
    return MappingProxyType(dict.fromkeys(relations, view))


_HERE = _by(FULL, CLINIC)
_TREATING = {"clinician": _by(FULL, CASELOAD), "supervisor": _by(FULL, CASELOAD, TEAM)}
_LOOKING = {
    "clinician": _by(FULL, CASELOAD, EMERGENCY),
    "supervisor": _by(FULL, CASELOAD, TEAM, EMERGENCY),
    "client": _by(RELEASED, SELF),
    "integration": _by(FULL, CONSENTED),
}
_EXCHANGING = {**_TREATING, "integration": _by(FULL, CONSENTED)}
_AUDITING = {"auditor": _by(METADATA, CLINIC), "privacy_officer": _by(METADATA, CLINIC)}
_STAFF = ("clinician", "supervisor", "auditor", "admin", "privacy_officer")
_EVERYONE = (*_STAFF, "client", "integration")
STRANGER = "nobody"
"""In the access log: the role of somebody the clinic's log does not know. It has no actions."""

APPROVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        role: frozenset(
            name
            for name, cls in Clinic.TAKES.items()
            if cls.APPROVAL is not None and role in cls.APPROVAL.by
        )
        for cls in Clinic.TAKES.values()
        if cls.APPROVAL is not None
        for role in cls.APPROVAL.by
    }
)
"""Role → the proposed entries of the clinic it approves or declines, as their types declare it."""

ACCESS: Mapping[str, Mapping[str, Grant]] = MappingProxyType(
    {
        "plans.open": _TREATING,
        "plans.record": {
            **_TREATING,
            "client": _by(RELEASED, SELF),
            "integration": _by(FULL, CONSENTED),
        },
        "plans.read": _LOOKING,
        "plans.find": {**_LOOKING, **_AUDITING},
        "plans.timeline": {**_LOOKING, **dict.fromkeys(_AUDITING, _by(METADATA, CLINIC, ERASED))},
        "plans.export": _EXCHANGING,
        "fhir.read": {**_EXCHANGING, "client": _by(RELEASED, SELF)},
        "plans.disclosures": {
            **_TREATING,
            "client": _by(FULL, SELF),
            "auditor": _HERE,
            "privacy_officer": _HERE,
        },
        "clinic.timeline": {**_TREATING, "client": _by(RELEASED, SELF), **_AUDITING},
        "access-log.read": {
            **_TREATING,
            "client": _by(FULL, SELF),
            "auditor": _HERE,
            "privacy_officer": _HERE,
        },
        "emergency.take": dict.fromkeys(("clinician", "supervisor"), _HERE),
        "emergency.review": dict.fromkeys(("auditor", "privacy_officer"), _HERE),
        "clinic.read": dict.fromkeys(_STAFF, _HERE),
        "clinic.record": dict.fromkeys(("admin", "privacy_officer"), _HERE),
        "clinic.history": dict.fromkeys(("auditor", "admin", "privacy_officer"), _HERE),
        "proposals.make": dict.fromkeys(("supervisor", "admin", "privacy_officer"), _HERE),
        "proposals.decide": dict.fromkeys(sorted(APPROVES), _HERE),
        "proposals.withdraw": dict.fromkeys(
            ("supervisor", "admin", "privacy_officer", "client"), _HERE
        ),
        "proposals.read": {
            "client": _by(FULL, SELF),
            "supervisor": _by(FULL, SELF),
            **dict.fromkeys(("auditor", "admin", "privacy_officer"), _HERE),
        },
        "erasure.ask": {
            "client": _by(FULL, SELF),
            **dict.fromkeys(("privacy_officer", "admin"), _HERE),
        },
        "members.read": dict.fromkeys(_STAFF, _HERE),
        "worklist.read": _TREATING,
        "figures.read": dict.fromkeys(("supervisor", "auditor", "admin"), _HERE),
        "feed.read": {**_TREATING, "integration": _by(FULL, CONSENTED)},
        "webhooks.manage": dict.fromkeys(("admin", "integration", "privacy_officer"), _HERE),
        "alerts.receive": {"privacy_officer": _by(METADATA, CLINIC)},
        "ledger.read": dict.fromkeys(_EVERYONE, _HERE),
        "ledger.prove": {
            **_LOOKING,
            **dict.fromkeys(("auditor", "admin", "privacy_officer"), _by(METADATA, CLINIC, ERASED)),
        },
        "ledger.entries": _AUDITING,
        "entry-types.read": dict.fromkeys(_EVERYONE, _HERE),
        "me.read": dict.fromkeys(_EVERYONE, _HERE),
        "sign-in": dict.fromkeys(_EVERYONE, _HERE),
    }
)
"""Action → role → grant."""

OWN_ACTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"clinic.timeline": frozenset({"clinician"})}
)
"""Action → roles that see, of what is within their reach, what they did themselves and no more."""

OF_A_PLAN = frozenset(
    {
        "plans.open",
        "plans.record",
        "plans.read",
        "plans.timeline",
        "plans.export",
        "fhir.read",
        "plans.disclosures",
        "ledger.prove",
        "emergency.take",
        "emergency.review",
    }
)
"""Actions that are decided plan by plan; lists are confined to the plans within reach instead."""

CO_SIGNING = frozenset({"PlanCosigned", "PlanReturned", "ObservationRecorded"})
OWN_STATEMENTS = frozenset(
    {
        "FeedbackGiven",
        "DiscomfortVoiced",
        "SelfReportRecorded",
        "PracticeReported",
        "PlanAgreed",
        "PlanDisagreed",
        "ClientSignatureDeclined",
    }
)
AMENDING = frozenset({"EntryCorrected", "EntryMarkedInError", "AddendumAdded"})
"""Whoever may not record everything may still amend what they recorded themselves."""

RECORDS: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {("supervisor", TEAM): CO_SIGNING, ("client", SELF): OWN_STATEMENTS}
)
"""(Role, relation) → the only entry types it records. Not listed: all of them.

An integration records the types its token was granted.
"""

OF_PEOPLE = frozenset(
    {
        "MemberJoined",
        "MemberRoleChanged",
        "MemberLeft",
        "SupervisionAssigned",
        "SupervisionEnded",
        "CaseloadAssigned",
        "CaseloadEnded",
    }
)
CLINIC_RECORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "admin": OF_PEOPLE | AMENDING | {"ClinicRenamed", "PolicySet"},
        "privacy_officer": frozenset({"LegalHoldPlaced"}),
    }
)
"""Role → the entries of the clinic it records by itself. Not listed: none.

Some come about by an approved proposal only, or do so where the clinic wants two people for its changes:
that is the clinic's to say (``domain/approving.py``).
"""

PROPOSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "supervisor": OF_PEOPLE,
        "admin": CLINIC_RECORDS["admin"] - {"AddendumAdded"},
        "privacy_officer": frozenset({"LegalHoldLifted"}),
    }
)
"""Role → the entries of the clinic it proposes. Not listed: none."""

FOR_THEIR_TEAM = frozenset({"supervisor"})
"""Roles that propose for their team alone: changes of those they supervise, whoever joins it, its plans."""
CLINICAL = frozenset({"clinician", "supervisor", "client"})
"""The roles they propose somebody for; who answers for the clinic's order is not theirs to name."""
