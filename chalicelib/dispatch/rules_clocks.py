"""Owns the clocks of answers: when an instruction must be answered and when it is escalated, in working time too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.dispatch.terms import DispatchTerms
from chalicelib.kernel import periods

_OPENS = periods.WORKING_DAY_STARTS.hour * 60
_CLOSES = periods.WORKING_DAY_ENDS.hour * 60


@dataclass(frozen=True)
class Deadlines:
    """Until when an answer counts, and when the next contact is told; both None where none is needed."""

    respond_by: datetime | None = None
    escalate_at: datetime | None = None


def deadlines(
    terms: DispatchTerms, sent_at: datetime, end: datetime, zone: ZoneInfo, holidays: Collection[date]
) -> Deadlines:
    """An instruction's clocks from its sending: the market's time, but never past its end; half of it escalates."""
    if not terms.answer_needed:
        return Deadlines()
    allowed = terms.acceptance_time
    respond_by = min(_after(sent_at, allowed, terms.in_working_time, zone, holidays), end)
    half = _after(sent_at, allowed / 2, terms.in_working_time, zone, holidays)
    return Deadlines(respond_by, half if half < respond_by else None)


def add_working_time(start: datetime, length: timedelta, zone: ZoneInfo, holidays: Collection[date]) -> datetime:
    """The instant by which a length of working time (working days, 09:00 to 17:00 local) has passed since `start`."""
    day, left, moment = periods.local_day(start, zone), length, start
    while True:
        if periods.is_working_day(day, holidays):
            opens, closes = periods.at_clock(day, _OPENS, zone), periods.at_clock(day, _CLOSES, zone)
            moment = max(moment, opens)
            if moment + left <= closes:
                return moment + left
            left -= max(closes - moment, timedelta(0))
        day += periods.ONE_DAY
        moment = max(moment, periods.at_clock(day, _OPENS, zone))


def _after(
    start: datetime, length: timedelta, in_working_time: bool, zone: ZoneInfo, holidays: Collection[date]
) -> datetime:
    return add_working_time(start, length, zone, holidays) if in_working_time else start + length
