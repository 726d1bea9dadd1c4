"""Owns money: what each component of a line pays, exact until its one rounding, to the penny, half away from zero.

Sources: GB standard flexibility services agreement (availability, recovery, service fee); USEF settle phase (penalty).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chalicelib.kernel.quantities import ZERO, round_money
from chalicelib.settlement.models import Penalty, Performance
from chalicelib.settlement.performance import ONE, Delivery, delivered_factor, factor
from chalicelib.settlement.series import MILLIWATTS_PER_MW


def penny(exact: Fraction) -> Decimal:
    """To the penny, half away from zero: the one rounding of a line."""
    pence = abs(exact) * 100
    whole, rest = divmod(pence.numerator, pence.denominator)
    rounded = whole + (2 * rest >= pence.denominator)
    return Decimal(-rounded if exact < 0 else rounded).scaleb(-2)


def utilisation(
    how: Performance, volume: str, price: Decimal, deliveries: Sequence[Delivery], delivered: Fraction, f: Fraction
) -> Decimal:
    """The utilisation line: Σ req·Δ·price·f when `volume` is instructed, Σ cap·Δ·price·g when it is delivered."""
    if volume == "instructed":
        energy = sum((row.required * row.hours for row in deliveries), Fraction(0)) * f
    else:
        energy = sum((row.counted * row.hours for row in deliveries), Fraction(0)) * delivered_factor(how, delivered)
    return penny(_megawatt_hours(energy) * Fraction(price))


def penalty(how: Penalty, deliveries: Sequence[Delivery]) -> Decimal:
    """The penalty line: −price · Σ max(0, req − del)·Δ."""
    missed = sum((max(Fraction(0), row.required - row.delivered) * row.hours for row in deliveries), Fraction(0))
    return penny(-_megawatt_hours(missed) * Fraction(how.price))


def availability_exact(available: Iterable[tuple[Decimal, Fraction]], price: Decimal) -> Fraction:
    """Σ available MW·Δ·price of (MW, hours), before rounding; declared unavailability is not among them."""
    return sum((Fraction(mw) * hours for mw, hours in available), Fraction(0)) * Fraction(price)


def availability(available: Iterable[tuple[Decimal, Fraction]], price: Decimal) -> Decimal:
    """The availability line, undiminished."""
    return penny(availability_exact(available, price))


def recovery(available: Iterable[tuple[Decimal, Fraction]], price: Decimal, performed: Fraction) -> Decimal:
    """The recovery line: −availability·(1 − F), from the availability before rounding."""
    return penny(-availability_exact(available, price) * (ONE - performed))


@dataclass(frozen=True, slots=True)
class Performed:
    """An instruction's part of a month's performance: MWh it was asked for and its f; f is None if unsettleable."""

    megawatt_hours: Fraction
    f: Fraction | None


def month_performance(performed: Iterable[Performed], before: Sequence[Fraction], months: int) -> Fraction:
    """F of an obligation and local month: mean of f weighted by instructed MWh, unsettleable ones left out.

    With none, the mean of the last `months` months' F (`before`, latest last), else 1.
    """
    rows = [(row.megawatt_hours, row.f) for row in performed if row.f is not None and row.megawatt_hours > 0]
    if rows:
        return sum((weight * f for weight, f in rows), Fraction(0)) / sum(weight for weight, _ in rows)
    last = list(before)[-months:] if months else []
    return sum(last, Fraction(0)) / len(last) if last else ONE


def service_fee(price: Decimal, mw: Decimal, days_by_month: Mapping[str, int]) -> dict[str, Decimal]:
    """The fee's share of each month (`2026-04`), by its days in the service period; the last takes the remainder.

    `price` is per MW for the whole service period.
    """
    whole = Fraction(price) * Fraction(mw)
    total = sum(days_by_month.values())
    shares = {month: penny(whole * days / total) for month, days in sorted(days_by_month.items())}
    last = max(shares)
    shares[last] = penny(whole) - sum((amount for month, amount in shares.items() if month != last), ZERO)
    return shares


def days_by_month(first: date, last: date) -> dict[str, int]:
    """How many calendar days of a period, both ends inclusive, each month has."""
    found: dict[str, int] = {}
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        month = date.fromordinal(ordinal).strftime("%Y-%m")
        found[month] = found.get(month, 0) + 1
    return found


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of rounded lines: nothing is rounded again."""
    return sum(amounts, ZERO)


def vat(net: Decimal, rate_percent: Decimal) -> Decimal:
    """VAT of an invoice and rate, rounded once."""
    return round_money(net * rate_percent / 100)


def earned(how: Performance, price: Decimal, mw: Decimal, hours: Fraction) -> Decimal:
    """What full delivery earns: shown before an FSP answers."""
    return penny(Fraction(mw) * hours * Fraction(price) * factor(how, ONE, ONE))


def _megawatt_hours(milliwatt_hours: Fraction) -> Fraction:
    return milliwatt_hours / MILLIWATTS_PER_MW
