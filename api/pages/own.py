"""The client's own pages: their plan and its story, and what they want to say about it."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from api.conventions import principal, services
from api.pages.blueprint import pages, see_other, show
from service.errors import NotAllowedError
from service.finding import PlanFilter, find_plans


@pages.get("/my-plan")
def own_plans() -> AnyResponse:
    """One's plan; where there are several, the choice."""
    who = principal()
    if who.role != "client":
        raise NotAllowedError("This page is for clients; your own start is the worklist.")
    found, _ = find_plans(services().gate, who, PlanFilter())
    if len(found) == 1:
        return see_other("pages.plan", plan_id=found[0]["plan_id"])
    return show("own_plans", found=found)
