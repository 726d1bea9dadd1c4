"""Owns time as the market counts it: local clocks and days, half-hours, service window occurrences, working days."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Span = tuple[datetime, datetime]
Repeated = Literal["first", "second"]

HALF_HOUR = timedelta(minutes=30)
ONE_DAY = timedelta(days=1)
MIDNIGHT = 24 * 60
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORKING_DAY_STARTS = time(9)
WORKING_DAY_ENDS = time(17)

_CLOCK = re.compile(r"^(\d{2}):(\d{2})$")


class Window(Protocol):
    """A daily clock span over local days: `period_end` is inclusive, `days` are of DAYS, 24:00 is midnight."""

    @property
    def period_start(self) -> date: ...
    @property
    def period_end(self) -> date: ...
    @property
    def start(self) -> str: ...
    @property
    def end(self) -> str: ...
    @property
    def days(self) -> tuple[str, ...]: ...
    @property
    def holidays(self) -> str: ...


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of that name; ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/London") from error


def clock_minutes(text: str) -> int:
    """Minutes after local midnight of `HH:MM`, 00:00 to 24:00; ValueError on anything else."""
    found = _CLOCK.match(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else MIDNIGHT + 1
    if minutes > MIDNIGHT:
        raise ValueError(f"{text!r} is not a clock time HH:MM between 00:00 and 24:00")
    return minutes


def instant_of(local: datetime, zone: ZoneInfo, repeated: Repeated = "first") -> datetime:
    """The UTC instant of a naive local clock time.

    A time that the clocks skip moves to the next valid instant, which is the change itself; of a time that
    happens twice, `repeated` chooses. So a start takes the first and an end the second.
    """
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    late = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if late < early:
        return _clock_change(late, early, zone)
    return early if repeated == "first" else late


def local_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """The naive local clock time of an instant."""
    return instant.astimezone(zone).replace(tzinfo=None)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The local calendar day that an instant falls on."""
    return instant.astimezone(zone).date()


def at_clock(day: date, minutes: int, zone: ZoneInfo, repeated: Repeated = "first") -> datetime:
    """The instant of a clock time, in minutes after midnight, on a local day; 1440 is the midnight after it."""
    return instant_of(datetime.combine(day, time()) + timedelta(minutes=minutes), zone, repeated)


def day_span(day: date, zone: ZoneInfo) -> Span:
    """The instants `[start, end)` of a local day: 23, 24 or 25 hours in Great Britain."""
    return at_clock(day, 0, zone), at_clock(day, MIDNIGHT, zone)


def days_span(first: date, last: date, zone: ZoneInfo) -> Span:
    """The instants `[start, end)` of the local days first to last, both inclusive."""
    return at_clock(first, 0, zone), at_clock(last, MIDNIGHT, zone)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both inclusive; none when last is before first."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def half_hours(day: date, zone: ZoneInfo) -> list[datetime]:
    """The starts of a local day's half-hours: 48, or 46 and 50 on the days the clocks change."""
    return list(half_hours_in(day_span(day, zone)))


def half_hours_in(span: Span) -> Iterator[datetime]:
    """The starts, on the clock's half-hours, of every half-hour that touches a span."""
    start, end = span
    moment = start - (start - datetime.min.replace(tzinfo=UTC)) % HALF_HOUR
    while moment < end:
        yield moment
        moment += HALF_HOUR


def occurrences(window: Window, zone: ZoneInfo, holidays: Collection[date]) -> Iterator[Span]:
    """Every time a service window is on, as UTC `[start, end)`, in order and disjoint.

    Days and holidays go by the local day a window starts on, so the last one may run past the period's end. An
    end at or before the start runs into the next day. On the day the clocks change an occurrence is longer or
    shorter by the change, is left out if nothing remains of it, and never counts an instant of the one before
    again.
    """
    start, end = clock_minutes(window.start), clock_minutes(window.end)
    end = end if end > start else end + MIDNIGHT
    previous_end: datetime | None = None
    for day in window_days(window, holidays):
        begins, ends = at_clock(day, start, zone, "first"), at_clock(day, end, zone, "second")
        begins = max(begins, previous_end or begins)
        if begins < ends:
            yield begins, ends
            previous_end = ends


def window_days(window: Window, holidays: Collection[date]) -> Iterator[date]:
    """The local days a service window starts on."""
    excluded = holidays if window.holidays == "exclude" else ()
    wanted = {DAYS.index(name) for name in window.days}
    every = days_between(window.period_start, window.period_end)
    return (day for day in every if day.weekday() in wanted and day not in excluded)


def minutes_in(spans: Iterable[Span]) -> int:
    """Whole minutes of spans together; exact, because clock times and clock changes are whole minutes."""
    return sum((end - start) // timedelta(minutes=1) for start, end in spans)


def hours_of(minutes: int) -> Decimal:
    """Hours of whole minutes, exact to 28 digits (a third of an hour has no end)."""
    return Decimal(minutes) / 60


def hours_in(window: Window, zone: ZoneInfo, holidays: Collection[date]) -> Decimal:
    """The hours a service window is on over its whole period: H_av of page 5."""
    return hours_of(minutes_in(occurrences(window, zone, holidays)))


def is_working_day(day: date, holidays: Collection[date]) -> bool:
    return day.weekday() < 5 and day not in holidays


def is_working_time(instant: datetime, zone: ZoneInfo, holidays: Collection[date]) -> bool:
    """Whether people are at work: a working day, 09:00 to 17:00 local, both ends included."""
    local = local_of(instant, zone)
    return is_working_day(local.date(), holidays) and WORKING_DAY_STARTS <= local.time() <= WORKING_DAY_ENDS


def add_working_days(day: date, count: int, holidays: Collection[date]) -> date:
    """The working day `count` (0 or more) working days after a day; 0 is the day itself or the next working one."""
    moved = _next_working_day(day, holidays)
    for _ in range(count if moved == day else max(count - 1, 0)):
        moved = _next_working_day(moved + ONE_DAY, holidays)
    return moved


def working_days_between(first: date, last: date, holidays: Collection[date]) -> int:
    """How many working days there are from first to last, both inclusive."""
    return sum(is_working_day(day, holidays) for day in days_between(first, last))


def _next_working_day(day: date, holidays: Collection[date]) -> date:
    while not is_working_day(day, holidays):
        day += ONE_DAY
    return day


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant, within (before, after], at which the zone's offset from UTC changes, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=1) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
