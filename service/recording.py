"""Recording: the way every entry goes, from a request to the clinic's log and back as an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from psycopg.rows import TupleRow

from domain.clinic import Clinic
from domain.entry import Entry, EntryData, Reason, chapter_of, created_ids
from domain.erasure import clients_in
from domain.errors import MomentNotFoundError, PlanAlreadyOpenError, PlanHistoryError
from domain.fields import plain_moment
from domain.fold import AMENDING
from domain.history import History
from domain.opening import PlanOpened
from domain.plan import Plan
from domain.policy import Policy
from domain.signatures import PlanSigned
from service.access import Principal
from service.database import BoundedConnection, Database
from service.errors import (
    KeyReusedError,
    PlanChangedError,
    PreconditionRequiredError,
    StoreUnavailableError,
)
from service.record.application import ClinicRecord, learn_all
from service.record.plans import Key, Plans, Slot
from service.record.recorder import Command, already_open

RETRIES = 5
_COMMAND = """
SELECT request_digest, plan_id, first_version, last_version FROM commands
WHERE clinic_id = %s AND principal = %s AND key = %s
"""
_OPEN = "SELECT plan_id FROM open_plans WHERE clinic_id = %s AND client_ref = %s LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry as its recorder gives it; who recorded it and when is added by the service."""

    data: EntryData
    occurred_at: datetime | None = None
    voiced_by: str | None = None
    reason: Reason | None = None
    session_id: str | None = None
    causation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came with a request that writes: the version its writer saw, and its idempotency key.

    ``seen``: whether an If-Match was sent at all (a clinic can demand it).
    ``digest``: SHA-256 of the request. ``recorded_at``: only for a rehearsal clinic.
    """

    expected: int | None = None
    seen: bool = True
    key: str | None = None
    digest: bytes | None = None
    alongside: bool = False
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded: the entries with their versions, positions and times."""

    plan_id: UUID
    entries: Sequence[Entry]
    warnings: Sequence[dict[str, Any]] = ()
    replayed: bool = False

    @property
    def version(self) -> int:
        """The plan's version after it."""
        return self.entries[-1].version

    @property
    def position(self) -> int:
        """The clinic's position after it."""
        return self.entries[-1].position


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment of a plan: known until a version or a recorded time, true until an occurred time."""

    version: int | None = None
    as_of: datetime | None = None
    effective_at: datetime | None = None

    def words(self) -> str:
        """The moment in few words, for the access log."""
        given = (
            ("version", self.version),
            ("as_of", plain_moment(self.as_of) if self.as_of else None),
            ("effective_at", plain_moment(self.effective_at) if self.effective_at else None),
        )
        return " ".join(f"{name}={held}" for name, held in given if held is not None) or "now"

    def is_past_in(self, plan: History) -> bool:
        """Whether nothing recorded later than what ``plan`` holds can belong to this moment."""
        if self.version is not None and self.version <= plan.version:
            return True
        return self.as_of is not None and self.as_of < plan.modified_on

    def known(self, plan: History) -> int:
        """The version until which entries are known at this moment."""
        if self.version is not None and self.version > plan.version:
            raise MomentNotFoundError(f"The {plan.CALLED} has versions 1 to {plan.version} so far.")
        known = self.version if self.version is not None else plan.version
        return min(known, plan.version_at(self.as_of)) if self.as_of else known


@dataclass(slots=True)
class Recording:
    """Writes entries. ``recorded`` is called with the clinic after every commit (to wake projectors).

    ``policy``: what the clinic has set for itself. ``newer``: what a writer is told of the entries after the
    version they saw, if anything. ``stands``: is shown a plan that an entry was recorded in, and told since when
    (by the monotonic clock) it is known to stand so.
    """

    database: Database
    plans: Plans
    policy: Callable[[UUID], Policy]
    recorded: Callable[[UUID], None] = lambda _: None
    newer: Callable[[Principal, History, int], list[dict[str, Any]]] = lambda *_: []
    stands: Callable[[UUID, Plan, float], None] = lambda *_: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    new_id: Callable[[], str] = lambda: str(uuid4())
    _records: dict[UUID, ClinicRecord] = field(default_factory=dict)

    def record_of(self, clinic_id: UUID) -> ClinicRecord:
        """The clinic's application."""
        held = self._records.get(clinic_id)
        if held is None:
            held = ClinicRecord(self.database, clinic_id, self.plans.keys)
            self._records[clinic_id] = held
        return held

    def record_in(
        self, principal: Principal, history_id: UUID, drafts: Sequence[Draft], request: Request
    ) -> Recorded:
        """Record entries in order, all or none.

        Decided against the newest version; what others recorded in between is no conflict unless the
        writer said which version they saw (PlanChangedError). Raises PlanHistoryError naming the
        entry and field at fault; a command that was recorded before is answered as it was then.
        """
        self._require_if_match(principal, request)
        key = (principal.clinic_id, history_id)
        with self.database.time_limit():
            try:
                with self.plans.holding(key) as slot:
                    return self._decided(principal, key, slot, drafts, request)
            except StoreUnavailableError:
                raise
            except PlanHistoryError as refused:
                before = self.recorded_before(principal, request)
                if before is not None:
                    return before
                self._tell_what_is_newer(principal, key, request, refused)
                raise

    def _tell_what_is_newer(
        self, principal: Principal, key: Key, request: Request, refused: PlanHistoryError
    ) -> None:
        if refused.facts.get("seen") and request.expected is not None:
            with self.plans.reading(*key) as history:
                refused.facts["newer_entries"] = self.newer(principal, history, request.expected)

    def _decided(
        self,
        principal: Principal,
        key: Key,
        slot: Slot,
        drafts: Sequence[Draft],
        request: Request,
    ) -> Recorded:
        """Decide on what is kept; when that is refused or overtaken, on what is recorded now."""
        fresh = slot.history is None or request.expected not in (None, slot.version)
        history = self.plans.refresh(key, slot) if fresh or not slot.history else slot.history
        for _ in range(RETRIES):
            try:
                self._refuse_stale(history, request)
                return self.write(principal, history, drafts, request)
            except StoreUnavailableError:
                raise
            except PlanHistoryError as refused:
                overtaken = isinstance(refused, PlanChangedError) and not refused.facts.get("seen")
                if fresh and not overtaken:
                    raise
            fresh = True
            history = self.plans.refresh(key, slot)
        raise PlanChangedError("Many are recording in this plan at once; try again in a moment.")

    def _require_if_match(self, principal: Principal, request: Request) -> None:
        if request.seen or not self.policy(principal.clinic_id).require_if_match:
            return
        raise PreconditionRequiredError(
            'This clinic wants to know which version you saw: send If-Match: "<version>".'
        )

    def _refuse_stale(self, plan: History, request: Request) -> None:
        if request.expected in (None, plan.version):
            return
        raise PlanChangedError(
            f"You saw version {request.expected}; the {plan.CALLED} is at {plan.version} now. Look at the newer "
            "entries, then record again.",
            seen=True,
            newest=plan.version,
        )

    def write(
        self,
        principal: Principal,
        plan: History,
        drafts: Sequence[Draft],
        request: Request,
        *,
        opening: bool = False,
    ) -> Recorded:
        """Decide and append ``drafts`` to the history as it is; with ``opening`` the first begins it."""
        command = Command(
            command_id=_command_id(principal, request),
            principal=principal.member_id,
            key=request.key,
            digest=self._blinded(request),
            alongside=request.alongside,
            told_recorded_at=request.recorded_at,
        )
        begun = time.monotonic()
        try:
            entries = self._decide(principal, plan, drafts, request, command, opening=opening)
            self.record_of(principal.clinic_id).save(plan, command=command)
        except PlanAlreadyOpenError as refused:
            plan.forget_pending()
            if not opening:  # it is not a field that is at fault but what would open the plan again
                refused.pointer = f"/entries/{_claiming(drafts)}/type"
            raise
        except BaseException:
            plan.forget_pending()
            raise
        if command.replayed:
            plan.forget_pending()
            return self._as_recorded(principal, command)
        assert command.recorded_at is not None
        entries = plan.confirm(entries, command.recorded_at, command.last_position)
        warnings = [warning for held in entries for warning in plan.warnings(held)]
        self.plans.keep((principal.clinic_id, plan.id), plan)
        self.recorded(principal.clinic_id)
        if len(entries) == 1 and isinstance(
            plan, Plan
        ):  # after several its state would have to be made
            self.stands(principal.clinic_id, plan, begun)
        return Recorded(plan_id=plan.id, entries=entries, warnings=warnings)

    def try_opening(self, principal: Principal, drafts: Sequence[Draft], request: Request) -> None:
        """Decide a new plan and record nothing; raises whatever ``write`` would refuse it with."""
        command = Command(command_id=_command_id(principal, request))
        plan = Plan.new(uuid4())
        self._decide(principal, plan, drafts, request, command, opening=True)
        if not command.open or request.alongside:
            return

        def find(conn: BoundedConnection) -> TupleRow | None:
            return conn.execute(_OPEN, [principal.clinic_id, command.client_ref]).fetchone()

        row = self.database.in_clinic(principal.clinic_id, find)
        if row is not None:
            raise already_open(row[0])

    def _blinded(self, request: Request) -> bytes | None:
        """The request's digest as it is kept: short words could be guessed from a plain one."""
        return None if request.digest is None else self.plans.keys.blinded(request.digest)

    def _key_of(self, plan: History) -> UUID | None:
        """What the plan's entries are sealed with: its own key, a fresh one when it begins."""
        if plan.entries:
            return plan.key_id
        return self.plans.keys.fresh() if isinstance(plan, Plan) else None

    def _seal_what_is_about_clients(self, clinic: Clinic, entries: Sequence[Entry]) -> None:
        """Give each new entry about a client a key of its own, so that it can be forgotten with them."""
        for entry in entries:
            if clients_in(clinic, entry.data) and (key_id := self.plans.keys.fresh()):
                entry.seal_with(key_id)

    def _decide(
        self,
        principal: Principal,
        plan: History,
        drafts: Sequence[Draft],
        request: Request,
        command: Command,
        *,
        opening: bool,
    ) -> list[Entry]:
        # What nobody dates counts from when it is recorded: never before what is recorded already.
        now = max(request.recorded_at or self.clock(), plan.modified_on)
        shared: dict[str, Any] = {
            "now": now,
            "recorded_by": principal.author,
            "new_id": self.new_id,
            "command_id": str(command.command_id),
            "key_id": self._key_of(plan),
        }
        before = _claim(plan) if plan.entries else None
        # A signature's hash covers moments: in a request that signs, they are given, not the database's.
        signs = len(drafts) > 1 and any(isinstance(draft.data, PlanSigned) for draft in drafts)
        entries = []
        for index, draft in enumerate(drafts):
            try:
                entry = plan.decide(
                    draft.data,
                    **shared,
                    occurred_at=draft.occurred_at or (now if signs else None),
                    voiced_by=draft.voiced_by,
                    reason=draft.reason,
                    session_id=draft.session_id,
                    causation_id=draft.causation_id,
                )
            except PlanHistoryError as refused:
                if opening and index == 0:  # its data is the request's body itself
                    refused.inside("", out_of="/data")
                else:
                    refused.inside(f"/entries/{index - opening}")
                raise
            entries.append(entry)
            plan.expect(entry, learn=len(drafts) > 1 or _is_learnt_at_once(plan, entry))
            entries += plan.follow(entry, **shared)
        if isinstance(plan, Clinic):
            self._seal_what_is_about_clients(plan, entries)
        if any(map(_may_open_or_close, entries)):
            after = _claim(plan)
            if after != before:
                command.client_ref, command.open = after
        return entries

    def replayed_or_raise(self, principal: Principal, request: Request) -> Recorded:
        """In the handling of a refusal: the first answer if this very request was recorded before."""
        before = self.recorded_before(principal, request)
        if before is None:
            raise  # noqa: PLE0704 - called while a refusal is handled, which it lets through
        return before

    def recorded_before(self, principal: Principal, request: Request) -> Recorded | None:
        """The first answer to this very request, or None; raises KeyReusedError for another under its key."""
        if request.key is None:
            return None

        def find(conn: BoundedConnection) -> TupleRow | None:
            parameters = [principal.clinic_id, principal.member_id, request.key]
            return conn.execute(_COMMAND, parameters).fetchone()

        row = self.database.in_clinic(principal.clinic_id, find)
        if row is None:
            return None
        if bytes(row[0]) != self._blinded(request):
            raise KeyReusedError(
                "This Idempotency-Key came with another request before; use a fresh one."
            )
        command = Command(command_id=uuid4(), plan_id=row[1])
        command.first_version, command.last_version = row[2], row[3]
        return self._as_recorded(principal, command)

    def _as_recorded(self, principal: Principal, command: Command) -> Recorded:
        assert command.plan_id is not None
        with self.plans.reading(principal.clinic_id, command.plan_id) as plan:
            entries = plan.entries[command.first_version - 1 : command.last_version]
            then = learn_all(None, plan.entries[: command.last_version])
        assert then is not None
        warnings = [warning for held in entries for warning in then.warnings(held)]
        return Recorded(plan_id=command.plan_id, entries=entries, warnings=warnings, replayed=True)


def _claim(plan: History) -> tuple[str | None, bool | None]:
    """The client the plan is for and whether it is open for them (a clinic's history claims nothing)."""
    if not isinstance(plan, Plan):
        return None, None
    return plan.state.opening.outline.client_ref, not plan.state.lifecycle.closed


def _claiming(drafts: Sequence[Draft]) -> int:
    """Which of the drafts brings the plan into its client's way again: the last that may."""
    return max(index for index, held in enumerate(drafts) if _may_open_or_close(held))


def _is_learnt_at_once(plan: History, entry: Entry) -> bool:
    """Whether what the entry does is looked at before it is saved."""
    return not isinstance(plan, Plan) or _may_open_or_close(entry)


def _may_open_or_close(entry: Entry | Draft) -> bool:
    data = entry.data
    return isinstance(data, (PlanOpened, *AMENDING)) or chapter_of(type(data)) == "lifecycle"


def _command_id(principal: Principal, request: Request) -> UUID:
    """The key itself when it is a UUID, else one made from it, so that a command is known by its key."""
    if request.key is None:
        return uuid4()
    try:
        return UUID(request.key)
    except ValueError:
        return uuid5(principal.member_id, request.key)


def created(entry: Entry) -> dict[str, str]:
    """The ids an entry created, by the name of their field."""
    return {pointer.rpartition("/")[2]: held for _, held, pointer in created_ids(entry)}
