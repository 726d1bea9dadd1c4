"""Owns what statements mean to settlement: as baselines take them, and for which events they come in time. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from chalicelib.metering.models_statements import Stated
from chalicelib.settlement.baselines import Statement
from chalicelib.settlement.methods import Method, Nominated, WeeklyTemplate


def statement_of(stated: Stated) -> Statement:
    """What had been stated at one instant, as a baseline takes it."""
    return Statement(stated.submitted_at, stated.by_start if stated.kind == "nominated" else stated.by_week)  # type: ignore[arg-type]


def gate_of(method: Method) -> timedelta | None:
    """How long before an event's start a statement must have come; None for methods that take none."""
    if not isinstance(method, Nominated | WeeklyTemplate):
        return None
    return timedelta(seconds=int(Fraction(method.gate_hours) * 3600))


def counts_from(submitted_at: datetime, gate: timedelta) -> datetime:
    """A statement counts for events that start after this instant, and for none that starts by then."""
    return submitted_at + gate
