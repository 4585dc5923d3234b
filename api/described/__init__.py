"""What the routes take and give, for the OpenAPI description: a module for each room of the API."""

from __future__ import annotations

from typing import Any

from api.described import feed, ledger, people, plans, running

_ROOMS = (plans, feed, people, ledger, running)


def components() -> dict[str, dict[str, Any]]:
    """Every component by name."""
    return {name: held for room in _ROOMS for name, held in room.components().items()}


def examples() -> dict[str, dict[str, Any]]:
    """What is sent, by component: an entry of every type, and the requests that hold them."""
    return {name: held for room in _ROOMS for name, held in room.examples().items()}
