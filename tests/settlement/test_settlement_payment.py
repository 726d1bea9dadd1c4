"""Claims about money: one rounding, half away from zero; availability, recovery, fees and VAT."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement.models import LinearCap, ScheduleAccuracy
from chalicelib.settlement.payment import (
    Performed,
    availability,
    days_by_month,
    earned,
    month_performance,
    penny,
    recovery,
    service_fee,
    total,
    vat,
)
from chalicelib.settlement.performance import Delivery, counted, ratio

FRACTIONS = st.fractions(-(10**6), 10**6)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("-1.115", "-1.12"), ("3", "3.00")],
)
def test_pennies_round_half_away_from_zero(exact: str, rounded: str) -> None:
    assert str(penny(Fraction(exact))) == rounded


@given(FRACTIONS)
def test_a_line_is_within_half_a_penny_and_odd(exact: Fraction) -> None:
    assert abs(Fraction(penny(exact)) - exact) <= Fraction(1, 200)
    assert penny(-exact) == -penny(exact)


@given(st.lists(FRACTIONS.map(penny)))
def test_lines_sum_to_totals_exactly(amounts: list[Decimal]) -> None:
    assert Fraction(total(amounts)) == sum(map(Fraction, amounts))


def test_availability_is_paid_undiminished_and_recovered_apart() -> None:
    available = [(Decimal("1.5"), Fraction(3)), (Decimal(1), Fraction(1, 2))]
    assert availability(available, Decimal("4.20")) == Decimal("21.00")
    assert recovery(available, Decimal("4.20"), Fraction(3, 4)) == Decimal("-5.25")
    assert recovery(available, Decimal("4.20"), Fraction(1)) == 0


def test_a_months_performance_is_weighted_by_energy_and_leaves_out_what_could_not_be_settled() -> None:
    performed = [
        Performed(Fraction(3), Fraction(1)),
        Performed(Fraction(1), Fraction(0)),
        Performed(Fraction(9), None),
        Performed(Fraction(0), Fraction(0)),
    ]
    assert month_performance(performed, [], 3) == Fraction(3, 4)


def test_a_month_without_instructions_takes_the_months_before_else_one() -> None:
    before = [Fraction(0), Fraction(1), Fraction(1, 2), Fraction(3, 4)]
    assert month_performance([], before, 3) == Fraction(3, 4)
    assert month_performance([Performed(Fraction(1), None)], before[:1], 3) == 0
    assert month_performance([], [], 3) == 1
    assert month_performance([], before, 0) == 1


def test_a_service_fee_goes_by_days_and_the_last_month_takes_the_remainder() -> None:
    days = days_by_month(date(2026, 4, 16), date(2026, 6, 30))
    assert days == {"2026-04": 15, "2026-05": 31, "2026-06": 30}
    shares = service_fee(Decimal(1000), Decimal("0.1"), days)
    assert shares == {"2026-04": Decimal("19.74"), "2026-05": Decimal("40.79"), "2026-06": Decimal("39.47")}


@given(st.decimals(0, 10**5, places=4), st.decimals(0, 100, places=6), st.integers(1, 800))
def test_a_fees_months_sum_to_the_whole_fee(price: Decimal, mw: Decimal, days: int) -> None:
    first = date(2026, 1, 20)
    months = days_by_month(first, date.fromordinal(first.toordinal() + days - 1))
    assert sum(months.values()) == days
    assert total(service_fee(price, mw, months).values()) == penny(Fraction(price) * Fraction(mw))


def test_vat_is_rounded_once() -> None:
    assert vat(Decimal("10.01"), Decimal(20)) == Decimal("2.00")
    assert vat(Decimal("-0.03"), Decimal("17.5")) == Decimal("-0.01")


def test_what_full_delivery_earns_is_known_before() -> None:
    assert earned(LinearCap(), Decimal("181.20"), Decimal("0.1245"), Fraction(129)) == Decimal("2910.16")
    assert earned(ScheduleAccuracy(), Decimal(100), Decimal(1), Fraction(1, 2)) == Decimal(50)


def test_what_counts_is_clamped_and_nothing_asked_is_all_delivered() -> None:
    assert counted(Fraction(-5), Fraction(10)) == 0
    assert counted(Fraction(50), Fraction(12)) == 12
    nothing = Delivery(None, Fraction(1), Fraction(0), Fraction(5), Fraction(0))  # type: ignore[arg-type]
    assert ratio([nothing]) == 1
