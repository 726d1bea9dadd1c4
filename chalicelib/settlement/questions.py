"""Owns what a baseline is asked, and what the calendar alone answers: its periods, and the days that may tell. Pure.

Many meters are asked the same: what follows from the question is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from chalicelib.kernel.periods import Span, is_working_day
from chalicelib.settlement.adjustments import adjustment_window
from chalicelib.settlement.methods import Historical, MeterBefore, Method
from chalicelib.settlement.series import Grid

Reason = Literal["HOLIDAY", "EVENT_DAY", "OUTAGE_DAY", "INCOMPLETE", "RANKED_OUT"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A nomination or a weekly template as an FSP uploaded it: `values` by period start, or by (weekday, half-hour),
    milliwatts, import positive."""

    submitted_at: datetime
    values: Mapping[datetime | tuple[int, int], int]

    @property
    def is_weekly(self) -> bool:
        return isinstance(next(iter(self.values), None), tuple)


@dataclass(frozen=True)
class Question:
    """What a baseline is asked for: a span, how it is metered, and which days cannot tell.

    `event_days` are local days of any instruction to any of the meters by any SO. `notice_at` is when the FSP learnt
    of the event. `devices` counts for a fixed reference, `statements` are the FSP's own schedules or templates.
    """

    span: Span
    grid: Grid
    holidays: frozenset[date] = frozenset()
    event_days: frozenset[date] = frozenset()
    outage_days: frozenset[date] = frozenset()
    notice_at: datetime | None = None
    devices: int = 1
    statements: Sequence[Statement] = ()

    @cached_property
    def periods(self) -> list[datetime]:
        return self.grid.periods(self.span)

    @cached_property
    def day(self) -> date:
        return self.grid.day(self.span[0])

    def look_back(self, method: Historical) -> LookBack:
        """What the calendar says of a history for this question, worked out once."""
        if method not in self._looked_back:
            self._looked_back[method] = LookBack(method, self)
        return self._looked_back[method]

    @cached_property
    def _looked_back(self) -> dict[Historical, LookBack]:
        return {}

    @cached_property
    def blanks(self) -> dict[Any, Any]:
        """What was worked out of the fingerprints of its answers."""
        return {}


def windows(method: Method, asked: Question) -> Sequence[datetime]:
    """The periods on the event's own day that a method reads: to be metered, before a baseline can be had."""
    if isinstance(method, Historical):
        return asked.look_back(method).adjusting
    return minutes_before(method, asked) if isinstance(method, MeterBefore) else ()


def minutes_before(method: MeterBefore, asked: Question) -> list[datetime]:
    """The whole periods of the minutes before the start, at least one."""
    end = asked.grid.floor(asked.span[0])
    count = max(1, method.minutes // asked.grid.minutes)
    return [end - asked.grid.step * back for back in range(count, 0, -1)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A day of the class of the event's: why it tells nothing, if so, and when the event's periods were on it."""

    day: date
    reason: Reason | None
    instants: tuple[datetime | None, ...]


class LookBack:
    """The days a history is taken from, as far as the calendar tells.

    `adjusting` and `periods` are what is asked of each day; `count` days are wanted, `at_least` so many needed.
    """

    def __init__(self, method: Historical, asked: Question) -> None:
        self.adjusting = _adjusting(method, asked)
        self.periods = tuple(asked.periods)
        self.count = _day_count(method, asked)
        self.at_least = min(method.minimum_days, self.count)
        self._step = asked.grid.step
        self._found: list[Candidate] = []
        self._rest = _candidates(method, asked, self.wanted)

    @cached_property
    def wanted(self) -> tuple[datetime, ...]:
        return self.adjusting + self.periods

    def candidates(self) -> Iterator[Candidate]:
        """The days of the class, latest first, as far back as the method looks."""
        for place in range(1 << 30):
            if place == len(self._found):
                following = next(self._rest, None)
                if following is None:
                    return
                self._found.append(following)
            yield self._found[place]

    @cached_property
    def enough(self) -> Span | None:
        """The span of readings that, without a gap, are enough for a baseline; None where none would be for sure: too
        few days may tell, or a change of the clocks is among them."""
        usual = [each for each, _ in zip(self._untouched(), range(self.count), strict=False)]
        instants = [at for each in usual for at in each.instants if at is not None]
        if len(usual) < self.at_least or len(instants) < len(usual) * len(self.wanted):
            return None
        return min(instants), max(self.wanted) + self._step

    def _untouched(self) -> Iterator[Candidate]:
        return (each for each in self.candidates() if each.reason is None)


def _adjusting(method: Historical, asked: Question) -> tuple[datetime, ...]:
    if method.adjustment is None:
        return ()
    return tuple(adjustment_window(method.adjustment, asked.span[0], asked.notice_at, asked.grid) or ())


def _day_count(method: Historical, asked: Question) -> int:
    if method.non_working_days is not None and not is_working_day(asked.day, asked.holidays):
        return method.non_working_days
    return method.days


def _candidates(method: Historical, asked: Question, wanted: Sequence[datetime]) -> Iterator[Candidate]:
    for back in range(1, method.look_back_days + 1):
        day = asked.day - timedelta(days=back)
        if _is_of_class(method, asked, day):
            instants = tuple(asked.grid.shifted(period, back) for period in wanted)
            yield Candidate(day, _refusal(method, asked, day), instants)


def _is_of_class(method: Historical, asked: Question, day: date) -> bool:
    working = is_working_day(day, asked.holidays)
    if method.day_class == "same":
        return working == is_working_day(asked.day, asked.holidays)
    return working or method.day_class == "any"


def _refusal(method: Historical, asked: Question, day: date) -> Reason | None:
    if method.exclude_holidays and day in asked.holidays:
        return "HOLIDAY"
    if method.exclude_event_days and day in asked.event_days:
        return "EVENT_DAY"
    if method.exclude_outage_days and day in asked.outage_days:
        return "OUTAGE_DAY"
    return None
