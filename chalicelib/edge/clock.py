"""Owns the wall clock for what another party compares with its own: the time a signed message is sent."""

from __future__ import annotations

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """The instant it is, UTC."""
    return datetime.now(UTC)
