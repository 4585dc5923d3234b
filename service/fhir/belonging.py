"""Which plan a resource belongs to: nothing of one client ever gets into the plan of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from service.fhir.source import Source

WITHOUT = frozenset({"entered-in-error"})
_WHOSE = ("subject", "patient", "for")
Belonging = tuple[Source, dict[str, Source]]
"""What a plan begins with, and everything that belongs to it, by name."""


def plans_in(sources: Sequence[Source]) -> list[Belonging]:
    """Each CarePlan with what belongs to it; each client's goals where there is no CarePlan.

    What belongs to no plan says so itself.
    """
    heads = [held for held in sources if held.kind == "CarePlan" and _stands(held)]
    heads = heads or _heads_without_plan(sources)
    found = {head.name: (head, {head.name: head}) for head in heads}
    whole = _Whole(sources, heads)
    for held in sources:
        owner = None if held.name in found or held.left_out else whole.owner(held)
        if owner is not None:
            found[owner.name][1][held.name] = held
    return list(found.values())


def _stands(held: Source) -> bool:
    """Whether a resource is one to begin a plan with; one that was entered in error says so."""
    status = held.code("lifecycleStatus") or held.code("status")
    if status in WITHOUT:
        held.leave_out("left out: entered in error")
    return not held.closed and status not in WITHOUT


def _heads_without_plan(sources: Sequence[Source]) -> list[Source]:
    """The first goal of each client."""
    goals = [held for held in sources if held.kind == "Goal" and _stands(held)]
    return list({whose(held): held for held in reversed(goals)}.values())[::-1]


def whose(held: Source) -> str | None:
    """Whose a resource is: the name of the client's Patient, or what the file knows them by."""
    if held.kind == "Patient":
        return held.name
    for name in _WHOSE:
        client = held.look(name)
        if not isinstance(client, dict):
            continue
        if isinstance(client.get("reference"), str):
            return held.named(client)
        known = client.get("identifier")
        if isinstance(known, dict) and known.get("value"):
            return f"{known.get('system', '')}|{known['value']}"
        if isinstance(client.get("display"), str):
            return str(client["display"])
    return None


class _Whole:
    """Everything in a file, by whose it is and by what refers to it."""

    def __init__(self, sources: Sequence[Source], heads: Sequence[Source]) -> None:
        self.heads = heads
        self.by_name = {held.name: held for held in sources}
        self.inside: dict[str, list[str]] = defaultdict(list)
        for held in sources:
            self.inside[held.name.partition("#")[0]].append(held.name)
        self.of_client: dict[str | None, list[Source]] = defaultdict(list)
        self.naming: dict[str, list[Source]] = defaultdict(list)
        names = {head.name for head in heads}
        for head in heads:
            self.of_client[whose(head)].append(head)
            for name in self._reached(head, names):
                self.naming[name].append(head)

    def _reached(self, head: Source, heads: set[str]) -> set[str]:
        """The names of what a plan refers to, and what that refers to, but for other plans."""
        seen, ahead = {head.name}, [head]
        while ahead:
            held = ahead.pop()
            inside = self.inside[held.name] if "#" not in held.name else ()
            for name in (*map(held.named, references(held.resource)), *inside):
                if name in self.by_name and name not in seen and name not in heads:
                    seen.add(name)
                    ahead.append(self.by_name[name])
        return seen

    def owner(self, held: Source) -> Source | None:
        """The plan a resource goes with; None, and it says why, where that would be a stranger's."""
        client = whose(held)
        mine = [head for head in self.naming[held.name] if self._fits(head, client)]
        if not mine and client is not None:
            mine = self.of_client.get(client) or [
                head for head in self.heads if len(self.heads) == 1 and whose(head) is None
            ]
        if not mine and client is None and len(self.of_client) == 1:
            mine = list(self.heads)
        if mine:
            return mine[0]
        said = (
            f"of {client}, for whom no plan begins here"
            if client
            else "it does not say whose it is"
        )
        held.leave_out(f"left out: {said}")
        return None

    def _fits(self, head: Source, client: str | None) -> bool:
        return client is None or whose(head) in (client, None)


def references(held: Any) -> Iterator[dict[str, Any]]:
    """Every reference in a resource."""
    if isinstance(held, dict):
        if isinstance(held.get("reference"), str):
            yield held
        for value in held.values():
            yield from references(value)
    elif isinstance(held, list):
        for value in held:
            yield from references(value)
