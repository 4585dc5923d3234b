"""Webhooks as their owners manage them: who is told what, how it goes, and what to do about it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.rows import dict_row

from domain.entry import TOPICS, type_named
from domain.errors import InvalidDataError, Problem
from domain.fields import plain_moment
from service.access import Principal
from service.database import BoundedConnection, Database
from service.errors import NotAllowedError, TargetRefusedError, WebhookNotFoundError
from service.feed.reading import LATEST, FeedService
from service.webhooks.addresses import place_of, resolve
from service.webhooks.alerts import CONTENT, METADATA, NAMES
from service.webhooks.signing import new_secret, shown

OVERLAP = 24
"""Hours for which an old secret still signs, unless told otherwise."""
OUTCOMES = ("delivered", "failed", "parked")
_OFFICER = "privacy_officer"
_SHOWN = """
SELECT w.webhook_id, w.url, w.description, w.topics, w.plan_id, w.member_id, w.recipient,
    w.carries, w.created_at,
    w.disabled_at, w.disabled_why, coalesce(w.replay_after, c.position) AS position,
    l.position - coalesce(w.replay_after, c.position) AS behind,
    nullif(c.quiet_until, '-infinity') AS quiet_until,
    (SELECT count(*) FROM webhook_lanes n WHERE n.webhook_id = w.webhook_id
        AND n.clinic_id = w.clinic_id AND n.parked_at IS NULL) AS waiting,
    (SELECT count(*) FROM webhook_lanes n WHERE n.webhook_id = w.webhook_id
        AND n.clinic_id = w.clinic_id AND n.parked_at IS NOT NULL) AS parked
FROM webhooks w JOIN webhook_cursors c USING (clinic_id, webhook_id) JOIN clinic_logs l USING (clinic_id)
WHERE w.clinic_id = %(clinic)s AND w.deleted_at IS NULL
    AND (%(webhook)s::uuid IS NULL OR w.webhook_id = %(webhook)s)
    AND (%(member)s::uuid IS NULL OR w.member_id = %(member)s)
    AND (%(carries)s::text IS NULL OR w.carries = %(carries)s)
ORDER BY w.created_at, w.webhook_id
"""
_LANES = """
SELECT plan_id, position AS delivered_up_to, attempts, due_at, parked_at, why FROM webhook_lanes
WHERE clinic_id = %s AND webhook_id = %s ORDER BY parked_at NULLS LAST, due_at LIMIT 200
"""
_SECRETS = """
SELECT created_at, expires_at FROM webhook_secrets
WHERE clinic_id = %s AND webhook_id = %s ORDER BY created_at DESC
"""
_NEW = """
INSERT INTO webhooks (clinic_id, webhook_id, url, description, topics, plan_id, member_id, recipient, carries,
    created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_KEEP_SECRET = "INSERT INTO webhook_secrets (clinic_id, webhook_id, secret) VALUES (%s, %s, %s)"  # noqa: S105 - SQL
_NEW_CURSOR = "INSERT INTO webhook_cursors (clinic_id, webhook_id, position) VALUES (%s, %s, %s)"
_AGE = """
UPDATE webhook_secrets SET expires_at = least(expires_at, clock_timestamp() + %s::interval)
WHERE clinic_id = %s AND webhook_id = %s
"""
_DELIVERIES = """
SELECT attempted_at, position, entry_id, plan_id, outcome, status, why, milliseconds FROM webhook_attempts
WHERE clinic_id = %(clinic)s AND webhook_id = %(webhook)s
    AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
    AND (%(moment)s::timestamptz IS NULL OR (attempted_at, position) < (%(moment)s, %(position)s))
ORDER BY attempted_at DESC, position DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """What a webhook is to be told, and where. ``after``: the place in the feed it begins behind.

    ``types``: names of entry types; none: all. ``member_id``, ``recipient``: the integration it is for,
    and by what name consents know it. ``carries``: what is told, one of ``alerts.CARRIES``.
    """

    url: str
    description: str = ""
    types: Sequence[str] = ()
    plan_id: UUID | None = None
    after: str = LATEST
    member_id: UUID | None = None
    recipient: str = ""
    carries: str = CONTENT


@dataclass(frozen=True, slots=True)
class WebhookService:
    """Makes and minds webhooks. An integration minds its own, a privacy officer alerts, an admin all."""

    database: Database
    feed: FeedService
    private: bool
    """Whether targets in private networks are allowed."""

    def create(self, principal: Principal, wanted: NewWebhook) -> dict[str, Any]:
        """A new webhook, with its ``secret``: shown this once.

        Raises TargetRefusedError, UnknownPlaceError, NotAllowedError, InvalidDataError.
        """
        principal.require("webhooks.manage")
        wanted = _as_may_be(principal, wanted)
        self._judge(wanted.url)
        webhook_id = uuid4()
        subscriber = _subscriber(principal, wanted)
        position = self.feed.place(principal.clinic_id, wanted.after)
        topics = [type_named(name).TOPIC for name in wanted.types]
        key, secret = [principal.clinic_id, webhook_id], new_secret()
        with self.database.clinic(principal.clinic_id) as conn:
            rest = [topics, wanted.plan_id, *subscriber, wanted.carries, principal.member_id]
            conn.execute(_NEW, [*key, wanted.url, wanted.description, *rest])
            conn.execute(_KEEP_SECRET, [*key, secret])
            conn.execute(_NEW_CURSOR, [*key, position])
        return {**self.show(principal, webhook_id), "secret": shown(secret)}

    def _judge(self, url: str) -> None:
        place = place_of(url, private=self.private)
        try:
            resolve(place, private=self.private)
        except OSError as unknown:
            raise TargetRefusedError("That host has no address; check its name.") from unknown

    def all(self, principal: Principal) -> list[dict[str, Any]]:
        """The webhooks one may mind, oldest first."""
        principal.require("webhooks.manage")
        rows = self._rows(principal, _SHOWN, _which(principal))
        return [_document(row) for row in rows]

    def show(self, principal: Principal, webhook_id: UUID) -> dict[str, Any]:
        """One webhook, with the plans that are behind or parked and the ages of its secrets."""
        found = _document(self._found(principal, webhook_id))
        key = [principal.clinic_id, webhook_id]
        found["lanes"] = [_plain(row) for row in self._rows(principal, _LANES, key)]
        found["secrets"] = [_plain(row) for row in self._rows(principal, _SECRETS, key)]
        return found

    def delete(self, principal: Principal, webhook_id: UUID) -> None:
        """Nothing is sent any more, its secrets and books are removed."""
        with self._minding(principal, webhook_id) as conn:
            key = [principal.clinic_id, webhook_id]
            _update(conn, "deleted_at = clock_timestamp()", key)
            conn.execute(
                "DELETE FROM webhook_secrets WHERE clinic_id = %s AND webhook_id = %s", key
            )

    def disable(self, principal: Principal, webhook_id: UUID) -> None:
        """Nothing is sent until it is enabled; it keeps its place."""
        with self._minding(principal, webhook_id) as conn:
            said = "disabled_at = clock_timestamp(), disabled_why = 'Disabled by hand.'"
            _update(conn, said, [principal.clinic_id, webhook_id])

    def enable(self, principal: Principal, webhook_id: UUID) -> None:
        """Deliveries go on where they were, at once."""
        with self._minding(principal, webhook_id) as conn:
            key = [principal.clinic_id, webhook_id]
            _update(conn, "disabled_at = NULL, disabled_why = NULL", key)
            conn.execute(
                "UPDATE webhook_cursors SET failures = 0, quiet_until = '-infinity' "
                "WHERE clinic_id = %s AND webhook_id = %s",
                key,
            )

    def replay(self, principal: Principal, webhook_id: UUID, after: str) -> int:
        """Deliver everything after a place in the feed (again); the position that is."""
        position = self.feed.place(principal.clinic_id, after)
        with self._minding(principal, webhook_id) as conn:
            _update(conn, "replay_after = %s", [position, principal.clinic_id, webhook_id])
        return position

    def rotate(
        self, principal: Principal, webhook_id: UUID, overlap_hours: int = OVERLAP
    ) -> dict[str, Any]:
        """A new secret, shown this once; the old ones sign as well for so many hours."""
        secret, key = new_secret(), [principal.clinic_id, webhook_id]
        with self._minding(principal, webhook_id) as conn:
            conn.execute(_AGE, [timedelta(hours=overlap_hours), *key])
            conn.execute(
                "DELETE FROM webhook_secrets WHERE clinic_id = %s AND webhook_id = %s "
                "AND expires_at <= clock_timestamp()",
                key,
            )
            conn.execute(_KEEP_SECRET, [*key, secret])
        return {**self.show(principal, webhook_id), "secret": shown(secret)}

    def unpark(self, principal: Principal, webhook_id: UUID, plan_id: UUID | None = None) -> int:
        """Try again what was parked, of one plan or of all; how many plans that are."""
        with self._minding(principal, webhook_id) as conn:
            done = conn.execute(
                "UPDATE webhook_lanes SET parked_at = NULL, attempts = 0, due_at = clock_timestamp() "
                "WHERE clinic_id = %s AND webhook_id = %s AND parked_at IS NOT NULL "
                "AND (%s::uuid IS NULL OR plan_id = %s)",
                [principal.clinic_id, webhook_id, plan_id, plan_id],
            )
            return done.rowcount

    def deliveries(
        self,
        principal: Principal,
        webhook_id: UUID,
        *,
        outcome: str | None = None,
        limit: int = 50,
        after: tuple[str, int] | None = None,
    ) -> tuple[list[dict[str, Any]], tuple[str, int] | None]:
        """The delivery log, newest first, and the place where its next page begins."""
        self._found(principal, webhook_id)
        moment, position = after or (None, None)
        given = {
            "clinic": principal.clinic_id, "webhook": webhook_id, "outcome": outcome,
            "limit": limit + 1, "moment": moment, "position": position,
        }  # fmt: skip
        rows = [_plain(row) for row in self._rows(principal, _DELIVERIES, given)]
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        return rows[:limit], (last["attempted_at"], last["position"]) if last else None

    def _found(self, principal: Principal, webhook_id: UUID) -> dict[str, Any]:
        """The webhook, if the principal may mind it; raises WebhookNotFoundError."""
        principal.require("webhooks.manage")
        rows = self._rows(principal, _SHOWN, {**_which(principal), "webhook": webhook_id})
        if not rows:
            raise WebhookNotFoundError("There is no such webhook here; check its id.")
        return rows[0]

    def _rows(self, principal: Principal, query: str, given: Any) -> list[dict[str, Any]]:
        def read(conn: BoundedConnection) -> list[dict[str, Any]]:
            with conn.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(query.encode(), given).fetchall()

        return self.database.in_clinic(principal.clinic_id, read)

    @contextlib.contextmanager
    def _minding(self, principal: Principal, webhook_id: UUID) -> Iterator[BoundedConnection]:
        """A transaction in which to change a webhook that the principal may mind."""
        self._found(principal, webhook_id)
        with self.database.clinic(principal.clinic_id) as conn:
            yield conn


def _subscriber(principal: Principal, wanted: NewWebhook) -> tuple[UUID, str]:
    """Whom a new webhook is for, and their name: an integration makes them for itself alone."""
    if principal.role != "integration":
        return wanted.member_id or uuid4(), wanted.recipient
    if wanted.member_id not in (None, principal.member_id) or wanted.recipient:
        raise NotAllowedError(
            "An integration makes webhooks for itself; leave member_id and recipient out."
        )
    return principal.member_id, principal.name


def _as_may_be(principal: Principal, wanted: NewWebhook) -> NewWebhook:
    """What is wanted, if that may be: alerts tell of a few types only, and are all a privacy officer makes."""
    if wanted.carries == CONTENT:
        if principal.role == _OFFICER:
            raise NotAllowedError(
                'A privacy officer makes webhooks for alerts: give "carries": "metadata".',
                "/carries",
            )
        return wanted
    if principal.role == "integration":
        raise NotAllowedError(
            "An integration is told what consents allow; leave carries out.", "/carries"
        )
    others = [name for name in wanted.types if name not in NAMES]
    if others:
        told = f"Alerts tell of {' and '.join(NAMES)}; of {others[0]} only consents allow to tell."
        raise InvalidDataError([Problem("/types", told)])
    if wanted.member_id or wanted.recipient:
        raise InvalidDataError(
            [Problem("/member_id", "Alerts are the clinic's own; leave it out.")]
        )
    return replace(wanted, types=tuple(wanted.types) or NAMES)


def _which(principal: Principal) -> dict[str, Any]:
    """Which webhooks the principal may mind, as parameters."""
    member = principal.member_id if principal.role == "integration" else None
    carries = METADATA if principal.role == _OFFICER else None
    return {"clinic": principal.clinic_id, "webhook": None, "member": member, "carries": carries}


def _update(conn: BoundedConnection, change: LiteralString, given: list[Any]) -> None:
    conn.execute(f"UPDATE webhooks SET {change} WHERE clinic_id = %s AND webhook_id = %s", given)


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """A webhook in JSON types."""
    held = _plain(row)
    topics = held.pop("topics")
    held["types"] = [TOPICS[topic].__name__ for topic in topics if topic in TOPICS]
    held["status"] = "disabled" if held["disabled_at"] else "active"
    return held


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: plain_moment(held)
        if isinstance(held, datetime)
        else str(held)
        if isinstance(held, UUID)
        else held
        for name, held in row.items()
    }
