"""The clinic itself: its people, supervision, caseload, policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import RAISE, Schema

from api.blueprint import Blueprint
from api.conventions import json_answer, not_modified, principal, services, takes_query, writing
from api.plans import MOST, recorded_answer
from api.queries import ClinicMomentQuery, MembersQuery
from api.schemas import ClinicEntryField, ListField
from domain.fields import ManyRule
from service.recording import Moment

clinic = Blueprint("clinic", "clinic", description="The clinic's own history")


class ClinicEntriesSchema(Schema):
    """The body that records entries of the clinic itself."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE

    entries = ListField(ClinicEntryField(), first=ManyRule(1, MOST), required=True)


@clinic.get("/v1/clinic", "read_clinic", action="clinic.read", answer="Clinic", conditional=True)
@clinic.query(ClinicMomentQuery)
@takes_query
def read_clinic(query: Mapping[str, Any]) -> Response:
    """Read the clinic as it stands, or at another moment: people, supervision, policy."""
    version, document = services().clinic.at(principal(), Moment(**query))
    return not_modified(version) or json_answer(document, version=version)


@clinic.post(
    "/v1/clinic/entries",
    "record_in_clinic",
    action="clinic.record",
    answer="Recorded",
    status=201,
    writes=True,
)
@clinic.body(ClinicEntriesSchema, "ClinicEntriesToRecord")
def record_in_clinic(body: dict[str, Any]) -> Response:
    """Record entries of the clinic itself: members, roles, supervision, caseload, policy, holds."""
    done = services().clinic.record(principal(), body["entries"], writing())
    return recorded_answer(done, "/v1/clinic")


@clinic.get("/v1/members", "list_members", action="members.read", answer="Members")
@clinic.query(MembersQuery)
@takes_query
def list_members(query: Mapping[str, Any]) -> Response:
    """The clinic's people, by name."""
    return json_answer({"members": services().clinic.members(principal(), **query)})
