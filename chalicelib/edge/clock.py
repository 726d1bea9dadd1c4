"""Owns the wall clock, for what is compared with it: the time a signed message is sent, and how late work is done."""

from __future__ import annotations

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """The instant it is, UTC."""
    return datetime.now(UTC)


def seconds_since(due: datetime) -> float:
    """How long ago an instant was; nothing for one that is still to come."""
    return max(0.0, (wall_clock() - due).total_seconds())
