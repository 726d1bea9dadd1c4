"""Owns performance: the delivered share and the factor it comes to. Pure, exact.

Sources: USEF settle phase (penalty per period); UK Power Networks day-ahead product as analysed in public models
(5 % grace, 3 % per 1 %; schedule accuracy); GB standard flexibility services agreement (floors).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from chalicelib.settlement.models import (
    FloorLinear,
    GraceSlope,
    LinearCap,
    Penalty,
    Performance,
    Step,
)
from chalicelib.settlement.series import milliwatts

ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One period of an instruction, milliwatts: asked, delivered (may be negative) and what of it counts."""

    period: datetime
    hours: Fraction
    required: Fraction
    delivered: Fraction
    counted: Fraction


def counted(delivered: Fraction, most: Fraction) -> Fraction:
    """cap = clamp(del, 0, most), where `most` = over_delivery · req."""
    return min(delivered, most) if delivered > 0 else Fraction(0)


def ratio(deliveries: Iterable[Delivery]) -> Fraction:
    """min(1, Σ cap·Δ / Σ req·Δ); 1 where nothing was asked."""
    rows = list(deliveries)
    asked = sum((row.required * row.hours for row in rows), Fraction(0))
    if not asked:
        return ONE
    return min(ONE, sum((row.counted * row.hours for row in rows), Fraction(0)) / asked)


def factor(how: Performance, delivered: Fraction, accuracy: Fraction | None = None) -> Fraction:
    """f for a delivered share in 0..1. `accuracy` is DP/100, needed by `schedule_accuracy` alone."""
    match how:
        case LinearCap() | Penalty():
            return delivered
        case FloorLinear():
            return Fraction(0) if delivered < Fraction(how.floor) else delivered
        case GraceSlope():
            return grace_slope(delivered, how.grace, how.slope)
        case Step():
            reached = [threshold for threshold in how.thresholds if delivered >= Fraction(threshold.ratio)]
            return Fraction(max(reached, key=lambda threshold: threshold.ratio).factor) if reached else Fraction(0)
        case _:
            assert accuracy is not None, "schedule accuracy is settled only where it could be judged"
            return grace_slope(accuracy, how.grace, how.slope)


def delivered_factor(how: Performance, delivered: Fraction) -> Fraction:
    """g of the paid volume `delivered`: 1, or 0 below the floor."""
    if isinstance(how, FloorLinear):
        return Fraction(0) if delivered < Fraction(how.floor) else ONE
    return ONE


def grace_slope(delivered: Fraction, grace: Decimal, slope: Decimal) -> Fraction:
    """clamp(1 − slope·((1 − grace) − ratio), 0, 1)."""
    return min(max(1 - Fraction(slope) * ((1 - Fraction(grace)) - delivered), Fraction(0)), ONE)


def schedule_accuracy(pairs: Iterable[tuple[int, int]], epsilon_mw: Decimal) -> Fraction | None:
    """DP/100 = 1 − mean |M − N| / |M| over (metered, nominated) milliwatts with |M| ≥ ε; None where no period tells.

    Below zero where the schedule missed by more than all that was metered.
    """
    least = max(milliwatts(epsilon_mw), Fraction(1))
    errors = [Fraction(abs(metered - stated), abs(metered)) for metered, stated in pairs if abs(metered) >= least]
    return ONE - sum(errors, Fraction(0)) / len(errors) if errors else None
