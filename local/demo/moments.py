"""Owns reading and writing the instants of the API, and local clock times as plans carry them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from local.demo.calendars import ZONE


def utc(text: str) -> datetime:
    """An instant of the API."""
    return datetime.fromisoformat(text).astimezone(UTC)


def iso(at: datetime) -> str:
    """An instant as the API takes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def clock(day: date, hour: int = 0) -> datetime:
    """A local clock time without its zone, as plans and files carry it."""
    return datetime.combine(day, time(hour))


def local_clock(text: str) -> datetime:
    """An instant of the API as a local clock time."""
    return utc(text).astimezone(ZONE).replace(tzinfo=None)
