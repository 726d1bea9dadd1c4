"""Owns baselines: what would have been metered without the event, exact, with everything that explains it. Pure.

Sources: Elexon baselining methodology BL01 (X of Y, exclusions, same-day adjustment), Connecticut programme rules,
NODES; see page 7. All values are milliwatts, import positive, kept as exact fractions until money is rounded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal

from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import HALF_HOUR, Span, is_working_day, local_of
from chalicelib.settlement.adjustments import Adjustment, adjusted, adjustment_window
from chalicelib.settlement.methods import (
    VERSION,
    FixedCapacity,
    FixedReference,
    Historical,
    MeterBefore,
    Method,
    Nominated,
    WeeklyTemplate,
    Zero,
)
from chalicelib.settlement.series import Exact, Grid, Series, completeness, mean, milliwatts

Status = Literal["SUFFICIENT", "INSUFFICIENT"]
Reason = Literal["HOLIDAY", "EVENT_DAY", "OUTAGE_DAY", "INCOMPLETE", "RANKED_OUT"]
ONE_KW = 10**6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """A nomination or a weekly template as an FSP uploaded it: `values` by period start, or by (weekday, half-hour),
    milliwatts, import positive."""

    submitted_at: datetime
    values: Mapping[datetime | tuple[int, int], int]

    @property
    def is_weekly(self) -> bool:
        return isinstance(next(iter(self.values), None), tuple)


@dataclass(frozen=True, slots=True)
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

    @property
    def periods(self) -> list[datetime]:
        return self.grid.periods(self.span)

    @property
    def day(self) -> date:
        return self.grid.day(self.span[0])


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline and its explanation; without a value for every period it is INSUFFICIENT, and `why` says it."""

    method: str
    status: Status
    values: Exact
    version: str = VERSION
    why: str | None = None
    days_used: tuple[date, ...] = ()
    days_refused: tuple[tuple[date, Reason], ...] = ()
    adjustment: Adjustment | None = None
    completeness: Fraction = Fraction(1)
    fingerprint: str = field(default="", compare=False)

    @property
    def is_sufficient(self) -> bool:
        return self.status == "SUFFICIENT"


def baseline(method: Method, asked: Question, readings: Series) -> Baseline:
    """The baseline of a method for the periods of a question, milliwatts, from readings of the same grid.

    Never raises for want of data: too few days, gaps or a missing schedule answer INSUFFICIENT with the reason.
    """
    match method:
        case Historical():
            found = _historical(method, asked, readings)
        case Nominated() | WeeklyTemplate():
            found = _stated(method, asked)
        case Zero():
            found = _whole("zero", dict.fromkeys(asked.periods, Fraction(0)))
        case FixedCapacity():
            found = _whole("capacity", dict.fromkeys(asked.periods, milliwatts(method.mw)))
        case MeterBefore():
            found = _meter_before(method, asked, readings)
        case _:
            found = _fixed_reference(method, asked)
    return replace(found, fingerprint=_fingerprint(method, asked, readings, found))


def windows(method: Method, asked: Question) -> list[datetime]:
    """The periods on the event's own day that a method reads: to be metered, before a baseline can be had."""
    if isinstance(method, Historical) and method.adjustment is not None:
        return adjustment_window(method.adjustment, asked.span[0], asked.notice_at, asked.grid) or []
    return _before(method, asked) if isinstance(method, MeterBefore) else []


def _historical(method: Historical, asked: Question, readings: Series) -> Baseline:
    adjusting = windows(method, asked)
    wanted = [*adjusting, *asked.periods]
    eligible, refused = _eligible_days(method, asked, readings, wanted)
    at_least = min(method.minimum_days, _day_count(method, asked))
    if len(eligible) < at_least:
        why = f"{len(eligible)} eligible days in the last {method.look_back_days}, {at_least} are needed"
        return _without(method.kind, why, eligible, refused)
    rows = {day: _row(asked, readings, wanted, day) for day in eligible}
    kept = _kept(method, asked, rows)
    values = _means(method, asked.periods, rows, kept)
    gap = [period for period in asked.periods if period not in values]
    if gap:
        return _without(method.kind, f"no day has a reading for the period of {iso(gap[0])}", eligible, refused)
    before = _means(method, adjusting, rows, kept)
    change = None
    if method.adjustment is not None:
        change, values = adjusted(method.adjustment, values, before, readings, adjusting, method.completeness)
    share = mean([Fraction(len(rows[day]), len(wanted)) for day in eligible])
    ranked_out = [(day, "RANKED_OUT") for day in eligible if day not in kept]
    listed = (*refused, *ranked_out)
    return Baseline(
        method.kind,
        "SUFFICIENT",
        values,
        days_used=tuple(sorted(kept)),
        days_refused=tuple(sorted(listed)),  # type: ignore[arg-type]
        adjustment=change,
        completeness=share,
    )


def _day_count(method: Historical, asked: Question) -> int:
    if method.non_working_days is not None and not is_working_day(asked.day, asked.holidays):
        return method.non_working_days
    return method.days


def _eligible_days(
    method: Historical, asked: Question, readings: Series, wanted: Sequence[datetime]
) -> tuple[list[date], list[tuple[date, Reason]]]:
    """The most recent eligible days, latest first, and the days of the class refused on the way, with the reason."""
    eligible: list[date] = []
    refused: list[tuple[date, Reason]] = []
    count = _day_count(method, asked)
    for back in range(1, method.look_back_days + 1):
        day = asked.day - timedelta(days=back)
        if len(eligible) == count:
            break
        if not _is_of_class(method, asked, day):
            continue
        reason = _refusal(method, asked, readings, wanted, day)
        if reason is None:
            eligible.append(day)
        else:
            refused.append((day, reason))
    return eligible, refused


def _is_of_class(method: Historical, asked: Question, day: date) -> bool:
    working = is_working_day(day, asked.holidays)
    if method.day_class == "same":
        return working == is_working_day(asked.day, asked.holidays)
    return working or method.day_class == "any"


def _refusal(
    method: Historical, asked: Question, readings: Series, wanted: Sequence[datetime], day: date
) -> Reason | None:
    if method.exclude_holidays and day in asked.holidays:
        return "HOLIDAY"
    if method.exclude_event_days and day in asked.event_days:
        return "EVENT_DAY"
    if method.exclude_outage_days and day in asked.outage_days:
        return "OUTAGE_DAY"
    back = (asked.day - day).days
    there = completeness(readings, [asked.grid.shifted(period, back) for period in wanted])
    return "INCOMPLETE" if there < Fraction(method.completeness) else None


def _row(asked: Question, readings: Series, wanted: Sequence[datetime], day: date) -> dict[datetime, int]:
    """A day's readings by the event's periods."""
    back = (asked.day - day).days
    found = {period: asked.grid.shifted(period, back) for period in wanted}
    return {period: readings[at] for period, at in found.items() if at is not None and at in readings}


Rows = Mapping[date, Mapping[datetime, int]]


def _kept(method: Historical, asked: Question, rows: Rows) -> list[date]:
    """The days whose mean is taken; ranking by interval decides anew in each period, so all days stay."""
    if method.choose == "all" or method.rank == "interval":
        return list(rows)
    energy = {day: _mean_of(row, asked.periods) for day, row in rows.items()}
    return _chosen(method, energy)


def _mean_of(row: Mapping[datetime, int], periods: Iterable[datetime]) -> Fraction:
    read = [row[period] for period in periods if period in row]
    return mean(read) if read else Fraction(0)


def _chosen(method: Historical, size: Mapping[date, Fraction | int]) -> list[date]:
    """The middle or the high days by size; of days of equal size at a cut, the more recent one stays."""
    order = sorted(size, key=lambda day: (size[day], day))
    if method.choose == "high":
        return order[-method.keep :]
    out = (method.days - method.keep) // 2
    if len(order) <= 2 * out:
        return order
    without_low = sorted(order[out:], key=lambda day: (size[day], -day.toordinal()))
    return without_low[: len(without_low) - out]


def _means(
    method: Historical, periods: Sequence[datetime], rows: Rows, kept: Sequence[date]
) -> dict[datetime, Fraction]:
    """The mean of the kept days in each period that any of them was read in."""
    found: dict[datetime, Fraction] = {}
    for period in periods:
        there = {day: rows[day][period] for day in kept if period in rows[day]}
        if not there:
            continue
        ranked = method.rank == "interval" and method.choose != "all"
        found[period] = mean([there[day] for day in (_chosen(method, there) if ranked else there)])
    return found


def timely_statement(method: Nominated | WeeklyTemplate, asked: Question) -> Statement | None:
    """The newest schedule or template that the FSP sent before the gate of the event; None when there is none."""
    gate = _gate(method, asked)
    timely = [each for each in asked.statements if each.submitted_at < gate and _is_of(method, each)]
    return max(timely, key=lambda statement: statement.submitted_at, default=None)


def _is_of(method: Nominated | WeeklyTemplate, statement: Statement) -> bool:
    """Whether a statement is a schedule, or a template, as the method takes it."""
    return statement.is_weekly == isinstance(method, WeeklyTemplate)


def stated(method: Nominated | WeeklyTemplate, asked: Question, statement: Statement, period: datetime) -> int | None:
    """What a statement says of a period, milliwatts; None where it is silent. A half-hour speaks for its parts."""
    if isinstance(method, Nominated):
        return statement.values.get(period, statement.values.get(period - (period - _EPOCH) % HALF_HOUR))
    local = local_of(period, asked.grid.zone)
    return statement.values.get((local.weekday(), _half_hour(local)))


def _gate(method: Nominated | WeeklyTemplate, asked: Question) -> datetime:
    return asked.span[0] - timedelta(seconds=int(Fraction(method.gate_hours) * 3600))


def _stated(method: Nominated | WeeklyTemplate, asked: Question) -> Baseline:
    """The FSP's own schedule, period by period."""
    newest = timely_statement(method, asked)
    if newest is None:
        return _without(method.kind, f"nothing was stated before {iso(_gate(method, asked))}")
    values = {period: stated(method, asked, newest, period) for period in asked.periods}
    gaps = [period for period, value in values.items() if value is None]
    if gaps:
        return _without(method.kind, f"nothing was stated for the period of {iso(gaps[0])}")
    return _whole(method.kind, {period: Fraction(value) for period, value in values.items() if value is not None})


def _half_hour(local: datetime) -> int:
    return (local.hour * 60 + local.minute) // 30


def _before(method: MeterBefore, asked: Question) -> list[datetime]:
    """The whole periods of the minutes before the start, at least one."""
    end = asked.grid.floor(asked.span[0])
    count = max(1, method.minutes // asked.grid.minutes)
    return [end - asked.grid.step * back for back in range(count, 0, -1)]


def _meter_before(method: MeterBefore, asked: Question, readings: Series) -> Baseline:
    before = _before(method, asked)
    missing = [period for period in before if period not in readings]
    if missing:
        return _without(method.kind, f"there is no reading for the period of {iso(missing[0])}, before the start")
    return _whole(method.kind, dict.fromkeys(asked.periods, mean([readings[period] for period in before])))


def _fixed_reference(method: FixedReference, asked: Question) -> Baseline:
    values = {}
    for period in asked.periods:
        local = local_of(period, asked.grid.zone)
        profile = method.working_kw if is_working_day(local.date(), asked.holidays) else method.non_working_kw
        values[period] = Fraction(profile[_half_hour(local)]) * ONE_KW * asked.devices
    return _whole(f"{method.kind}: {method.profile}", values)


def _whole(method: str, values: Exact) -> Baseline:
    return Baseline(method, "SUFFICIENT", values)


def _without(method: str, why: str, days: Iterable[date] = (), refused: Iterable[tuple[date, Reason]] = ()) -> Baseline:
    return Baseline(
        method, "INSUFFICIENT", {}, why=why, days_used=tuple(sorted(days)), days_refused=tuple(sorted(refused))
    )


def _fingerprint(method: Method, asked: Question, readings: Series, found: Baseline) -> str:
    """A hash of all that the baseline stands on: the same inputs give the same, any other reading used another."""
    days = [*found.days_used, *(day for day, _ in found.days_refused)]
    wanted = [*windows(method, asked), *asked.periods]
    backs = [0, *sorted({(asked.day - day).days for day in days})]
    instants = {asked.grid.shifted(period, back) for back in backs for period in wanted} | set(wanted)
    used = sorted((iso(at), readings[at]) for at in instants if at is not None and at in readings)
    text = json.dumps(
        {
            "version": VERSION,
            "method": method.model_dump(mode="json"),
            "span": [iso(moment) for moment in asked.span],
            "minutes": asked.grid.minutes,
            "zone": str(asked.grid.zone),
            "notice": asked.notice_at and iso(asked.notice_at),
            "days": sorted(map(str, days)),
            "devices": asked.devices,
            "statements": _statements_json(method, asked),
            "readings": used,
        },
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _statements_json(method: Method, asked: Question) -> list[object]:
    """The one statement that counts, as far as it was asked for."""
    if not isinstance(method, Nominated | WeeklyTemplate):
        return []
    newest = timely_statement(method, asked)
    if newest is None:
        return []
    return [iso(newest.submitted_at), [stated(method, asked, newest, period) for period in asked.periods]]
