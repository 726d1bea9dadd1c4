"""Owns what a bid is expected to cost and its effective price: page 5, "Assessment: help to decide". Pure and exact.

Everything is a fraction until it is shown, so that ceilings and ties never hang on a rounding.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Protocol, TypeVar

SHOWN_PLACES = 6


class Priced(Protocol):
    """Anything with the three prices of a bid, each None where it is not asked."""

    @property
    def availability_price(self) -> Decimal | None: ...
    @property
    def utilisation_price(self) -> Decimal | None: ...
    @property
    def service_fee(self) -> Decimal | None: ...


class Hours(Protocol):
    """A window's hours over its period: available (H_av) and expected dispatched (H_ut), None where none are."""

    @property
    def hours(self) -> Decimal: ...
    @property
    def dispatched_hours(self) -> Decimal | None: ...


class Offered(Priced, Protocol):
    """A bid, as far as sums over exclusive groups need it."""

    @property
    def window_id(self) -> str: ...
    @property
    def capacity_mw(self) -> Decimal: ...
    @property
    def exclusive_group(self) -> str | None: ...


O = TypeVar("O", bound=Offered)  # noqa: E741


def cost_per_mw(bid: Priced, window: Hours) -> Fraction:
    """H_av x availability + H_ut x utilisation + service fee: money per MW over the period (page 5)."""
    availability = _exact(bid.availability_price) * _exact(window.hours)
    utilisation = _exact(bid.utilisation_price) * _exact(window.dispatched_hours)
    return availability + utilisation + _exact(bid.service_fee)


def expected_cost(mw: Decimal, bid: Priced, window: Hours) -> Fraction:
    """MW x (H_av x availability + H_ut x utilisation) + service fee x MW, in money (page 5)."""
    return _exact(mw) * cost_per_mw(bid, window)


def effective_price(bid: Priced, window: Hours) -> Fraction | None:
    """Expected cost / (MW x H_av) per MW/h where availability is bid, else / (MW x H_ut) per MWh (page 5).

    With r = H_ut / H_av that is p_av + r x p_ut, or p_ut. A utilisation price alone needs no hours. None where the
    hours it would be spread over are none.
    """
    if bid.availability_price is None and not bid.service_fee:
        return _exact(bid.utilisation_price)
    spread = window.hours if bid.availability_price is not None else window.dispatched_hours
    return cost_per_mw(bid, window) / _exact(spread) if spread else None


def rounded(value: Fraction, places: int) -> Decimal:
    """A fraction to so many decimal places, half away from zero."""
    doubled = abs(value) * 2 * 10**places
    whole = (doubled.numerator + doubled.denominator) // (2 * doubled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def shown_price(value: Fraction | None) -> Decimal | None:
    """An effective price as it is written: to 6 places; comparisons use the exact one."""
    return None if value is None else rounded(value, SHOWN_PLACES)


def shown_money(value: Fraction) -> Decimal:
    """Money to the penny."""
    return rounded(value, 2)


def shown_hours(hours: Decimal) -> Decimal:
    """Hours to 4 places; costs use the exact ones."""
    return rounded(Fraction(hours), 4)


def counted_mw(bids: Iterable[Offered]) -> Decimal:
    """MW of bids of one window together, those of an exclusive group counted once, the largest (page 5)."""
    alone = Decimal(0)
    largest: dict[str, Decimal] = {}
    for bid in bids:
        if bid.exclusive_group is None:
            alone += bid.capacity_mw
        else:
            largest[bid.exclusive_group] = max(bid.capacity_mw, largest.get(bid.exclusive_group, bid.capacity_mw))
    return alone + sum(largest.values(), Decimal(0))


def by_window(bids: Iterable[O]) -> dict[str, list[O]]:
    """Bids by their window, in order."""
    windows: dict[str, list[O]] = {}
    for bid in bids:
        windows.setdefault(bid.window_id, []).append(bid)
    return windows


def expected_revenue(priced: Iterable[tuple[str | None, Fraction]]) -> Fraction:
    """The sum of (exclusive group, expected revenue) pairs; of an exclusive group at most one comes about: the best."""
    alone = Fraction(0)
    best: dict[str, Fraction] = {}
    for group, revenue in priced:
        if group is None:
            alone += revenue
        else:
            best[group] = max(revenue, best.get(group, revenue))
    return alone + sum(best.values(), Fraction(0))


def _exact(value: Decimal | None) -> Fraction:
    return Fraction(0) if value is None else Fraction(value)
