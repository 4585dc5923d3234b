"""What an address gives, read with care: ids, days in the reader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def as_id(text: str | None) -> UUID | None:
    """An id, or None for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def zone_of(name: str | None) -> ZoneInfo:
    """The zone of that name; UTC for none, and for what is no zone."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def as_day(text: str | None, zone: str | None = None, *, days: int = 0) -> datetime | None:
    """When a day begins in a zone, or one so many days later; None for what is no day."""
    try:
        day = date.fromisoformat(text or "") + timedelta(days=days)
        return datetime.combine(day, time(), tzinfo=zone_of(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
