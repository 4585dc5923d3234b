"""Stubs."""

from uuid import UUID

from werkzeug.wrappers import Response as AnyResponse

from api.pages.blueprint import pages, show


@pages.get("/plans/<uuid:plan_id>/evidence")
def evidence(plan_id: UUID) -> AnyResponse:
    return show("stay")


@pages.get("/figures")
def figures() -> AnyResponse:
    return show("stay")


@pages.get("/audit")
def audit() -> AnyResponse:
    return show("stay")


@pages.get("/my-plan")
def own_plans() -> AnyResponse:
    return show("stay")
