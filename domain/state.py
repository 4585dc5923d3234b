"""The state of a plan: what its entries add up to, one section for each chapter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.alliance import Alliance
from domain.consents import Consents
from domain.course import Course
from domain.emergency import Emergency
from domain.goals import Goals
from domain.interventions import Interventions
from domain.lifecycle import Lifecycle
from domain.opening import Opening
from domain.parts import Part, Parts, Section
from domain.practice import Practice
from domain.reviews import Reviews
from domain.signatures import Signatures


class PlanState:
    """A plan at one moment. Chapters own their sections; entries change it, nothing else does."""

    __slots__ = (
        "alliance",
        "consents",
        "course",
        "emergency",
        "goals",
        "interventions",
        "lifecycle",
        "opening",
        "practice",
        "reviews",
        "signatures",
    )

    def __init__(self) -> None:
        self.lifecycle = Lifecycle()
        self.opening = Opening()
        self.goals = Goals()
        self.interventions = Interventions()
        self.course = Course()
        self.alliance = Alliance()
        self.practice = Practice()
        self.reviews = Reviews()
        self.signatures = Signatures()
        self.consents = Consents()
        self.emergency = Emergency()

    def sections(self) -> Iterator[Section]:
        """The sections in the order in which a reader wants them."""
        yield from (
            self.lifecycle,
            self.opening,
            self.goals,
            self.interventions,
            self.course,
            self.alliance,
            self.practice,
            self.reviews,
            self.signatures,
            self.consents,
            self.emergency,
        )

    def pieces(self) -> Iterator[tuple[tuple[str, ...], Part | Parts[Any]]]:
        """Every single part and group of parts with its path in the document."""
        for section in self.sections():
            yield from section.pieces()

    def document(self) -> dict[str, Any]:
        """The plan in JSON types: facts and due dates, nothing that changes by the clock alone."""
        shown: dict[str, Any] = {}
        for section in self.sections():
            shown.update(section.document())
        return shown

    def mark_in_error(self) -> None:
        """The opening itself was entered in error, and with it everything."""
        self.lifecycle.mark_in_error()
