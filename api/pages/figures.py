"""The clinic in numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from api.conventions import services
from api.pages.blueprint import pages, require, show
from api.pages.charts import bars
from api.pages.language import say


@pages.get("/figures")
def figures() -> AnyResponse:
    """A year of plans opened and closed, relapses answered, reviews held, swaps made."""
    held = services().figures.of_clinic(require("figures.read"))
    months = by_month(held)
    return show("figures", figures=held, months=months, chart=_chart(months))


def _chart(months: list[dict[str, Any]]) -> Markup:
    return bars([(held["name"], held["opened"], held["closed"]) for held in months])


def by_month(held: dict[str, Any]) -> list[dict[str, Any]]:
    """Plans opened and closed for every month there is, also those without any."""
    first, last = (date.fromisoformat(f"{held[name]}-01") for name in ("from", "to"))
    found = []
    for month0 in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        month = f"{month0 // 12:04}-{month0 % 12 + 1:02}"
        counts = {
            name: sum(one["count"] for one in held["plans"][name] if one["month"] == month)
            for name in ("opened", "closed")
        }
        first_day = date(month0 // 12, month0 % 12 + 1, 1)
        name = f"{say(f'{first_day:%b}')} {first_day:%Y}"
        found.append({"month": month, "name": name, **counts})
    return found
