"""Owns how forecasts compare with meters: which half-hours tell, and what they come to in per cent and kW. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from chalicelib.kernel.periods import Span
from chalicelib.settlement.baselines import Question, Statement, stated, timely_statement
from chalicelib.settlement.methods import Nominated, WeeklyTemplate
from chalicelib.settlement.performance import schedule_accuracy
from chalicelib.settlement.series import Exact, Grid, Series

ONE_WATT_MW = Decimal("0.000001")
_MILLIWATTS_PER_KW = 10**6
_PLACES = 6
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fit:
    """How near forecasts came: per cent, None where nothing metered tells, and the mean error, kW."""

    compared: int
    accuracy: Decimal | None
    mean_absolute_error_kw: Decimal | None


def stated_by_gate(
    method: Nominated | WeeklyTemplate, statements: Sequence[Statement], periods: Iterable[datetime], grid: Grid
) -> dict[datetime, int]:
    """What stood at each period's own gate, milliwatts; periods of which nothing did are left out."""
    found = {period: _at_gate(method, statements, period, grid) for period in periods}
    return {period: value for period, value in found.items() if value is not None}


def pairs_of(
    periods: Iterable[datetime],
    metered: Series,
    forecast: Mapping[datetime, int] | Exact,
    events: Sequence[Span],
    grid: Grid,
) -> Iterator[Pair]:
    """(metered, forecast) milliwatts of the periods that have both and lie in no event."""
    for period in periods:
        if period in metered and period in forecast and not _is_in(period, events, grid):
            yield metered[period], round(forecast[period])


def together(rows: Sequence[Series]) -> dict[datetime, int]:
    """The sum of series in each period that all of them have."""
    shared = set(rows[0]).intersection(*rows[1:]) if rows else set()
    return {period: sum(row[period] for row in rows) for period in sorted(shared)}


def fit_of(pairs: Sequence[Pair], epsilon_mw: Decimal = ONE_WATT_MW) -> Fit:
    """100·(1 − mean |M − N| / |M|) over periods with |M| ≥ ε, and mean |M − N| over all of them."""
    share = schedule_accuracy(pairs, epsilon_mw)
    error = Fraction(sum(abs(metered - told) for metered, told in pairs), len(pairs)) if pairs else None
    return Fit(
        len(pairs),
        None if share is None else _decimal(share * 100),
        None if error is None else _decimal(error / _MILLIWATTS_PER_KW),
    )


def _at_gate(
    method: Nominated | WeeklyTemplate, statements: Sequence[Statement], period: datetime, grid: Grid
) -> int | None:
    asked = Question((period, period + grid.step), grid, statements=statements)
    newest = timely_statement(method, asked)
    return stated(method, asked, newest, period) if newest is not None else None


def _is_in(period: datetime, events: Sequence[Span], grid: Grid) -> bool:
    return any(start < period + grid.step and period < end for start, end in events)


def _decimal(exact: Fraction) -> Decimal:
    return round(Decimal(exact.numerator) / exact.denominator, _PLACES)
