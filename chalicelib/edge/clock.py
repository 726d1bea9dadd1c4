"""Owns the clocks that no request, event or schedule brings along.

The wall clock is for what another party compares with its own: the time a signed message is sent, and how
late work is done. The market's clock is for a function that trusts no asker's; it is the wall clock, but where a
market's clock can be moved (`local.clock`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def wall_clock() -> datetime:
    """The instant it is, UTC."""
    return datetime.now(UTC)


def seconds_since(due: datetime) -> float:
    """How long ago an instant was; nothing for one that is still to come."""
    return max(0.0, (wall_clock() - due).total_seconds())


@dataclass(slots=True)
class _Market:
    """What the market goes by in this process."""

    now: Callable[[], datetime] = wall_clock


_market = _Market()


def market_clock() -> datetime:
    """The market's instant, UTC."""
    return _market.now()


def use_market_clock(now: Callable[[], datetime]) -> None:
    """Say what the market goes by where its clock is not the machine's."""
    _market.now = now
