"""Owns baselines: what would have been metered without the event, exact, with everything that explains it. Pure.

Sources: Elexon baselining methodology BL01 (X of Y, exclusions, same-day adjustment), Connecticut programme rules,
NODES; see page 7. All values are milliwatts, import positive, kept as exact fractions until money is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal

from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import HALF_HOUR, is_working_day, local_of
from chalicelib.settlement.adjustments import Adjustment, adjusted
from chalicelib.settlement.baseline_prints import print_of
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
from chalicelib.settlement.packing import read
from chalicelib.settlement.questions import LookBack, Question, Reason, Statement, minutes_before, windows
from chalicelib.settlement.series import Exact, Series, mean, milliwatts

__all__ = ["Baseline", "Question", "Statement", "baseline", "stated", "timely_statement", "windows"]

Status = Literal["SUFFICIENT", "INSUFFICIENT"]
ONE_KW = 10**6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    days = {*found.days_used, *(day for day, _ in found.days_refused)}
    return replace(found, fingerprint=print_of(method, asked, readings, days, _statements_json(method, asked)))


def _historical(method: Historical, asked: Question, readings: Series) -> Baseline:
    back = asked.look_back(method)
    rows, refused = _eligible_days(method, back, readings)
    if len(rows) < back.at_least:
        why = f"{len(rows)} eligible days in the last {method.look_back_days}, {back.at_least} are needed"
        return _without(method.kind, why, rows, refused)
    kept = _kept(method, back, rows)
    means = _means(method, back.wanted, rows, kept)
    values = {period: means[period] for period in back.periods if period in means}
    gap = [period for period in back.periods if period not in values]
    if gap:
        return _without(method.kind, f"no day has a reading for the period of {iso(gap[0])}", rows, refused)
    before = {period: means[period] for period in back.adjusting if period in means}
    change = None
    if method.adjustment is not None:
        change, values = adjusted(method.adjustment, values, before, readings, back.adjusting, method.completeness)
    there = sum(len(row) - row.count(None) for row in rows.values())
    ranked_out = [(day, "RANKED_OUT") for day in rows if day not in kept]
    listed = (*refused, *ranked_out)
    return Baseline(
        method.kind,
        "SUFFICIENT",
        values,
        days_used=tuple(sorted(kept)),
        days_refused=tuple(sorted(listed)),  # type: ignore[arg-type]
        adjustment=change,
        completeness=Fraction(there, len(back.wanted) * len(rows)),
    )


Rows = Mapping[date, Sequence[int | None]]
"""What was read on each day, by the places of the wanted periods."""


def _eligible_days(
    method: Historical, back: LookBack, readings: Series
) -> tuple[dict[date, Sequence[int | None]], list[tuple[date, Reason]]]:
    """What was read on the most recent eligible days, latest first, and the days refused on the way with the reason."""
    eligible: dict[date, Sequence[int | None]] = {}
    refused: list[tuple[date, Reason]] = []
    for each in back.candidates():
        if len(eligible) == back.count:
            break
        if each.reason is not None:
            refused.append((each.day, each.reason))
            continue
        row = read(readings, each.instants)
        if None in row and Fraction(len(row) - row.count(None), len(row)) < Fraction(method.completeness):
            refused.append((each.day, "INCOMPLETE"))
        else:
            eligible[each.day] = row
    return eligible, refused


def _kept(method: Historical, back: LookBack, rows: Rows) -> list[date]:
    """The days whose mean is taken; ranking by interval decides anew in each period, so all days stay."""
    if method.choose == "all" or method.rank == "interval":
        return list(rows)
    own = {day: row[len(back.adjusting) :] for day, row in rows.items()}
    return _chosen(method, {day: _size(row) for day, row in own.items()})


def _size(row: Sequence[int | None]) -> Fraction | int:
    """A day's mean over the event's periods, times their number: of a day read whole, its sum."""
    there = [value for value in row if value is not None]
    if len(there) == len(row):
        return sum(there)
    return Fraction(sum(there) * len(row), len(there)) if there else 0


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
    ranked = method.rank == "interval" and method.choose != "all"
    found: dict[datetime, Fraction] = {}
    for period, column in zip(periods, zip(*(rows[day] for day in kept), strict=True), strict=True):
        there = {day: value for day, value in zip(kept, column, strict=True) if value is not None}
        if there:
            found[period] = mean([there[day] for day in _chosen(method, there)] if ranked else list(there.values()))
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


def _meter_before(method: MeterBefore, asked: Question, readings: Series) -> Baseline:
    before = minutes_before(method, asked)
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


def _statements_json(method: Method, asked: Question) -> list[object]:
    """The one statement that counts, as far as it was asked for."""
    if not isinstance(method, Nominated | WeeklyTemplate):
        return []
    newest = timely_statement(method, asked)
    if newest is None:
        return []
    return [iso(newest.submitted_at), [stated(method, asked, newest, period) for period in asked.periods]]
