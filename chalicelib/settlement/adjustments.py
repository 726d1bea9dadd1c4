"""Owns the same-day adjustment of a baseline: additive or ratio, before and after its clamp. Pure.

Sources: Elexon baselining methodology BL01; Connecticut programme rules (2 hours); NESO Demand Flexibility (3 hours).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from chalicelib.kernel.periods import day_span
from chalicelib.settlement.methods import SameDayAdjustment
from chalicelib.settlement.packing import read
from chalicelib.settlement.series import Exact, Grid, Series, mean, milliwatts

Kind = Literal["additive", "ratio", "none"]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was applied: `raw` before the clamp and `applied` after it, a ratio or milliwatts."""

    kind: Kind
    raw: Fraction
    applied: Fraction
    window: tuple[datetime, ...] = ()
    why: str | None = None


def adjustment_window(
    how: SameDayAdjustment, start: datetime, notice_at: datetime | None, grid: Grid
) -> list[datetime] | None:
    """The whole periods over which the day itself is judged; None where they would begin before the event's local day.

    With the guard the window ends at notice, if that came before the start.
    """
    ends = min(notice_at, start) if how.guard and notice_at is not None else start
    end = grid.floor(ends)
    begin = end - timedelta(minutes=int(how.hours * 60))
    if begin < day_span(grid.day(start), grid.zone)[0]:
        return None
    return grid.periods((begin, end))


def adjusted(
    how: SameDayAdjustment,
    values: Exact,
    before: Exact,
    readings: Series,
    window: Sequence[datetime],
    enough: Decimal,
) -> tuple[Adjustment, dict[datetime, Fraction]]:
    """The adjustment and the values after it; without sound readings in the window the values stand as they are.

    `values` are the baseline over the event, `before` over the window; both and `readings` in milliwatts.
    """
    found = {at: value for at, value in zip(window, read(readings, window), strict=True) if value is not None}
    shared = [period for period in found if period in before]
    if not shared or Fraction(min(len(found), len(before)), len(window)) < Fraction(enough):
        absent = "readings are missing in the window" if window else "the window would begin before the day"
        return Adjustment("none", Fraction(0), Fraction(0), tuple(window), absent), dict(values)
    metered, usual = mean([found[period] for period in shared]), mean([before[period] for period in shared])
    if how.kind == "ratio" and _is_sound(how, metered, usual):
        raw = metered / usual
        applied = min(max(raw, Fraction(how.lower)), Fraction(how.upper))
        return Adjustment("ratio", raw, applied, tuple(window)), {at: value * applied for at, value in values.items()}
    raw = metered - usual
    low, high = _limits(how, abs(mean(list(values.values()))))
    applied = min(max(raw, low), high) if low is not None and high is not None else raw
    why = "a ratio would not be sound: the means differ in sign or are near zero" if how.kind == "ratio" else None
    return (
        Adjustment("additive", raw, applied, tuple(window), why),
        {at: value + applied for at, value in values.items()},
    )


def _is_sound(how: SameDayAdjustment, metered: Fraction, usual: Fraction) -> bool:
    epsilon = milliwatts(how.epsilon_mw)
    return metered * usual > 0 and abs(metered) > epsilon and abs(usual) > epsilon


def _limits(how: SameDayAdjustment, size: Fraction) -> tuple[Fraction | None, Fraction | None]:
    """How far an addition may go down and up, milliwatts; None where nothing bounds it."""
    bounds = [milliwatts(how.limit_mw)] if how.limit_mw is not None else []
    bounds += [Fraction(how.limit_share) * size] if how.limit_share is not None else []
    if bounds:
        return -min(bounds), min(bounds)
    if how.kind == "ratio":
        return -(1 - Fraction(how.lower)) * size, (Fraction(how.upper) - 1) * size
    return None, None
