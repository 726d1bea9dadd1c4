"""Owns the demo's dates: a calendar counted from the market's present, as an operator would plan it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Plan:
    """Local instants of one round, one after the other, and a service period that starts a month well after."""

    qualification_open: datetime
    qualification_closed: datetime
    bidding_open: datetime
    bidding_closed: datetime
    period_start: date
    period_end: date


def plan_from(now: str) -> Plan:
    """A plan whose first date is the next local noon after an ISO instant."""
    local = datetime.fromisoformat(now).astimezone(ZONE)
    noon = local.replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(days=1)
    start = _first_of_month_from(noon.date() + timedelta(days=21))
    return Plan(
        qualification_open=noon,
        qualification_closed=noon + timedelta(days=5),
        bidding_open=noon + timedelta(days=6),
        bidding_closed=noon + timedelta(days=9),
        period_start=start,
        period_end=start + timedelta(days=120),
    )


def _first_of_month_from(day: date) -> date:
    """The day, or the first of the next month: a season begins with a month, so that its first month is whole."""
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def instant(local: datetime, after: timedelta = timedelta(0)) -> str:
    """A local instant, and something after it, as ISO in UTC."""
    return (local.replace(tzinfo=ZONE) + after).astimezone(UTC).isoformat().replace("+00:00", "Z")
