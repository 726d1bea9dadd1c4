"""Owns what holds of statements: a day's later schedule takes the earlier one's place, an earlier instant sees neither.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from chalicelib.kernel.errors import Problem
from chalicelib.kernel.periods import day_span
from chalicelib.metering.models_statements import HALF_HOURS_OF_WEEK, ByStart, Schedule, Stated, TypicalWeek
from chalicelib.metering.reading import LOCAL, expected_periods

MILLIWATTS_PER_KW = 10**6
_HALF_HOUR = timedelta(minutes=30)
_MOST_KW = 10**9


def as_stated(schedules: Iterable[Schedule]) -> list[Stated]:
    """An asset's schedules as they stood after each statement, earliest first: whole days take each other's place."""
    by_instant: dict[datetime, list[Schedule]] = {}
    for schedule in sorted(schedules, key=_age):
        by_instant.setdefault(schedule.submitted_at, []).append(schedule)
    return list(_growing(by_instant.items()))


def weeks_as_stated(weeks: Iterable[TypicalWeek]) -> list[Stated]:
    """An asset's weekly templates, earliest first: each takes the whole place of the one before."""
    return [
        Stated("weekly_template", week.submitted_at, by_week=by_week(week.values)) for week in sorted(weeks, key=_age)
    ]


def by_start(schedule: Schedule) -> dict[datetime, int]:
    """A day's schedule by the UTC start of its half-hours; silence is left out."""
    start, _ = day_span(schedule.day, LOCAL)
    return {start + _HALF_HOUR * place: value for place, value in enumerate(schedule.values) if value is not None}


def by_week(values: Sequence[int | None]) -> dict[tuple[int, int], int]:
    """A typical week by (weekday, half-hour); silence is left out."""
    return {divmod(place, 48): value for place, value in enumerate(values) if value is not None}


def latest_by_day(schedules: Iterable[Schedule]) -> dict[date, Schedule]:
    """Of each day the schedule that was stated last."""
    return {schedule.day: schedule for schedule in sorted(schedules, key=_age)}


def schedule_problems(day: date, figures: Sequence[Decimal | None], field: str) -> list[Problem]:
    """What keeps figures, kW, from being a day's schedule: their count, their size, or that there are none."""
    there = expected_periods(day, 30)
    if len(figures) != there:
        detail = f"{day} has {there} half-hours, and there are {len(figures)} figures."
        return [Problem("nomination.count", detail, field, f"{there} figures; silence is a blank")]
    return figure_problems(figures, field)


def week_problems(figures: Sequence[Decimal | None], field: str) -> list[Problem]:
    """The same of a typical week's figures, kW."""
    if len(figures) != HALF_HOURS_OF_WEEK:
        detail = f"A week has 336 half-hours, and there are {len(figures)} figures."
        return [Problem("nomination.count", detail, field, "48 figures for each of 7 days")]
    return figure_problems(figures, field)


def figure_problems(figures: Sequence[Decimal | None], field: str) -> list[Problem]:
    """Whether any figure, kW, stands there, and each is whole milliwatts."""
    there = [figure for figure in figures if figure is not None]
    if not there:
        return [Problem("nomination.empty", "No half-hour has a figure.", field, "kW, import positive")]
    wrong = next((each for each in there if abs(each) > _MOST_KW or each * MILLIWATTS_PER_KW % 1), None)
    if wrong is None:
        return []
    return [Problem("nomination.figure", f"{wrong} kW cannot be kept.", field, "kW, to a milliwatt at the finest")]


def milliwatts(figures: Iterable[Decimal | None]) -> tuple[int | None, ...]:
    """kW as whole milliwatts."""
    return tuple(None if each is None else int(each * MILLIWATTS_PER_KW) for each in figures)


def kilowatts(values: Iterable[int | None]) -> tuple[Decimal | None, ...]:
    """Milliwatts as kW, exact."""
    return tuple(None if each is None else Decimal(each) / MILLIWATTS_PER_KW for each in values)


def _growing(instants: Iterable[tuple[datetime, list[Schedule]]]) -> Iterator[Stated]:
    days: dict[date, dict[datetime, int]] = {}
    for submitted_at, stated in instants:
        days = days | {schedule.day: by_start(schedule) for schedule in stated}
        yield Stated("nominated", submitted_at, by_start=ByStart(days))


def _age(statement: Schedule | TypicalWeek) -> tuple[datetime, str]:
    return statement.submitted_at, statement.source
