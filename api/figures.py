"""A clinic's figures by month."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields, validates_schema

from api.blueprint import Blueprint
from api.conventions import json_answer, principal, services, takes_query
from api.queries import Query

_MONTH = re.compile(r"(?:19|2\d)\d\d-(?:0[1-9]|1[0-2])", re.ASCII)
SHAPE = {"type": "string", "pattern": f"^{_MONTH.pattern}$"}
"""How a month is described."""
figures = Blueprint("figures", "figures", description="The clinic in numbers")


class MonthField(fields.Field[date]):
    """A month, YYYY-MM, of this century or one near it, kept as its first day."""

    def _deserialize(
        self, value: str, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> date:
        try:
            return date.fromisoformat(f"{value}-01" if _MONTH.fullmatch(value) else "")
        except ValueError:
            raise ValidationError("Must be a month such as 2026-03.") from None


class FiguresQuery(Query):
    """Which months to sum up."""

    from_ = MonthField(
        data_key="from",
        metadata={
            **SHAPE,
            "description": "First month, YYYY-MM; left out, eleven before the last.",
        },
    )
    to = MonthField(
        metadata={**SHAPE, "description": "Last month, YYYY-MM; left out, this one (UTC)."}
    )

    @validates_schema
    def _in_order(self, held: dict[str, Any], **_: Any) -> None:
        if "from_" in held and "to" in held and held["from_"] > held["to"]:
            raise ValidationError("Lies after `to`; give an earlier month.", "from")


@figures.get("/v1/figures", "read_figures", action="figures.read", answer="Figures")
@figures.query(FiguresQuery)
@takes_query
def read_figures(query: Mapping[str, Any]) -> Response:
    """The clinic's figures: plans opened and closed, relapses and reviews in time, swaps.

    Each is counted in the month in which it was true; overdue reviews in that in which they were due.
    """
    first, last = query.get("from_"), query.get("to")
    return json_answer(services().figures.of_clinic(principal(), first, last))
