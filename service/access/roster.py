"""The people of a clinic as its log knows them: who is here, who treats whom, who answers for whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from domain.approving import objection_to
from domain.clinic import Clinic
from domain.entry import Author
from domain.erased import NOBODY
from domain.errors import PlanNotFoundError
from domain.people import Member
from domain.proposals import Proposal, ProposalApproved
from service.access.principal import Principal
from service.errors import NoMemberError
from service.record.plans import Plans

REMEMBERED = 0.5
"""For how many seconds a roster is used before the log is asked again: revocations work within one."""


@dataclass(frozen=True)
class Roster:
    """Members by id, and the proposals that wait for some of them.

    One whom the log does not know has no caseload and no team.
    """

    members: dict[UUID, Member]
    proposals: tuple[Proposal, ...] = ()
    erased: frozenset[UUID] = frozenset()
    """The plans, and the members, whose client was erased."""

    @classmethod
    def of(cls, clinic: Clinic) -> Roster:
        """The people of the clinic as it stands, copied: what is only tried out never shows here."""
        waiting = (replace(held) for held in clinic.state.proposals if held.status == "open")
        members = {UUID(held.member_id): replace(held) for held in clinic.state.members}
        gone = [(*held.plan_ids, *held.member_ids) for held in clinic.state.erasures]
        erased = frozenset(UUID(one) for held in gone for one in held)
        return cls(members, tuple(waiting), erased)

    def waiting_for(self, author: Author, now: datetime) -> int:
        """How many proposals wait for a word of this person."""
        return sum(
            objection_to(held, ProposalApproved, author, now) is None for held in self.proposals
        )

    def caseload(self, member_id: UUID) -> frozenset[UUID]:
        """The plans that were assigned to a member."""
        held = self.members.get(member_id)
        return frozenset(map(UUID, held.caseload)) if held else frozenset()

    def client_ref(self, member_id: UUID) -> str | None:
        """Which client a member is, if they are one."""
        held = self.members.get(member_id)
        return held.client_ref if held else None

    @cached_property
    def _teams(self) -> dict[UUID, frozenset[UUID]]:
        below: dict[UUID, set[UUID]] = {}
        for member_id, held in self.members.items():
            above = held.supervisor_id
            while above is not None and member_id not in below.setdefault(UUID(above), set()):
                below[UUID(above)].add(member_id)
                chief = self.members.get(UUID(above))
                above = chief.supervisor_id if chief else None
        return {chief: frozenset(team) for chief, team in below.items()}

    def team(self, member_id: UUID) -> frozenset[UUID]:
        """Everybody whose work a member answers for, directly or through others."""
        return self._teams.get(member_id, frozenset())

    def caseloads(self, members: Iterable[UUID]) -> frozenset[UUID]:
        """The plans assigned to any of them."""
        return frozenset[UUID]().union(*map(self.caseload, members))

    def present(self, principal: Principal) -> Principal:
        """The principal with the name and role the log gives them now.

        Raises NoMemberError when they have left. Somebody the log does not know is who their
        token says.
        """
        held = self.members.get(principal.member_id)
        if principal.member_id in self.erased:
            who = replace(principal, name=NOBODY.name, credential=None)
            raise NoMemberError("What this clinic kept of you was erased; so was your access.", who)
        if held is None:
            return principal
        if held.status != "present":
            who = replace(principal, name=held.name, role=held.role, credential=held.credential)
            raise NoMemberError("You no longer belong to this clinic; ask its administrator.", who)
        same = (held.name, held.role) == (principal.name, principal.role)
        if same and held.credential == principal.credential:
            return principal
        return replace(principal, name=held.name, role=held.role, credential=held.credential)

    def member(self, principal: Principal, unknown: str) -> Principal:
        """As ``present``, for somebody the log must know; ``unknown``: what to say when it does not."""
        if principal.member_id not in self.members:
            raise NoMemberError(unknown, principal)
        return self.present(principal)


@dataclass(slots=True)
class Rosters:
    """The roster of each clinic, remembered for less than a second.

    ``gone`` is told of each plan that was erased since, perhaps by another process.
    """

    plans: Plans
    gone: Callable[[UUID, UUID], None] = lambda *_: None
    _known: dict[UUID, tuple[float, int, Roster]] = field(default_factory=dict)

    def __call__(self, clinic_id: UUID) -> Roster:
        """The people of a clinic; a clinic that has recorded none has none."""
        now = time.monotonic()
        known = self._known.get(clinic_id)
        if known and now - known[0] < REMEMBERED:
            return known[2]
        version, roster = self._look_up(clinic_id, known)
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[clinic_id] = (now, version, roster)
        for plan_id in roster.erased - known[2].erased if known else ():
            self.gone(clinic_id, plan_id)
        return roster

    def forget(self, clinic_id: UUID) -> None:
        """Ask the log again: something was recorded in this process."""
        self._known.pop(clinic_id, None)

    def _look_up(
        self, clinic_id: UUID, known: tuple[float, int, Roster] | None
    ) -> tuple[int, Roster]:
        try:
            with self.plans.reading(clinic_id, clinic_id) as clinic:
                if known and known[1] == clinic.version:
                    return known[1], known[2]
                if isinstance(clinic, Clinic):
                    return clinic.version, Roster.of(clinic)
        except PlanNotFoundError:
            pass
        return 0, Roster({})
