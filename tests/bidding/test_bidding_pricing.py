"""Effective price, expected cost and revenue: the formulas of page 5, exact, and their algebra."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.bidding.modelling import model
from chalicelib.bidding.pricing import (
    counted_mw,
    effective_price,
    expected_cost,
    expected_revenue,
    rounded,
    shown_money,
    shown_price,
)
from tests.builders.bidding import a_bid, a_competition, a_window, an_availability_competition

PRICES = st.decimals("-2000", "5000", places=4)
MW = st.decimals("0.000001", "900", places=6)
HOURS = st.integers(1, 9000).map(lambda minutes: Decimal(minutes) / 4)


@dataclass(frozen=True)
class Bid:
    availability_price: Decimal | None = None
    utilisation_price: Decimal | None = None
    service_fee: Decimal | None = None


@dataclass(frozen=True)
class Window:
    hours: Decimal
    dispatched_hours: Decimal | None = None


def test_the_expected_cost_of_a_bid_by_hand():
    """2 MW x (44 h x 10 + 10 h x 100) + 5 x 2 MW = 2,890."""
    bid = Bid(Decimal(10), Decimal(100), Decimal(5))
    assert expected_cost(Decimal(2), bid, Window(Decimal(44), Decimal(10))) == 2890


def test_the_effective_price_of_an_availability_bid_by_hand():
    """10 + 100 x 10/40 + 20/40 = 35.5 per MW/h."""
    bid = Bid(Decimal(10), Decimal(100), Decimal(20))
    assert effective_price(bid, Window(Decimal(40), Decimal(10))) == Fraction(71, 2)


def test_a_service_fee_on_utilisation_is_spread_over_the_expected_hours():
    bid = Bid(None, Decimal(100), Decimal(20))
    assert effective_price(bid, Window(Decimal(40), Decimal(10))) == 102
    assert effective_price(bid, Window(Decimal(40), None)) is None


def test_without_hours_there_is_no_effective_availability_price():
    assert effective_price(Bid(Decimal(10), Decimal(1)), Window(Decimal(0), Decimal(0))) is None


@given(p_av=PRICES, p_ut=PRICES, hours=HOURS, dispatched=HOURS)
def test_the_effective_price_is_availability_plus_r_times_utilisation(p_av, p_ut, hours, dispatched):
    r = Fraction(dispatched) / Fraction(hours)
    window = Window(hours, dispatched)
    assert effective_price(Bid(p_av, p_ut), window) == Fraction(p_av) + r * Fraction(p_ut)


@given(p_ut=PRICES, hours=HOURS, dispatched=st.none() | HOURS)
def test_the_effective_price_of_a_utilisation_bid_is_its_price(p_ut, hours, dispatched):
    assert effective_price(Bid(None, p_ut), Window(hours, dispatched)) == Fraction(p_ut)


@given(mw=MW, p_av=st.none() | PRICES, p_ut=PRICES, fee=st.none() | PRICES, hours=HOURS, dispatched=HOURS)
def test_effective_price_times_megawatts_and_hours_is_the_expected_cost(mw, p_av, p_ut, fee, hours, dispatched):
    bid, window = Bid(p_av, p_ut, fee), Window(hours, dispatched)
    spread = hours if p_av is not None else dispatched
    price = effective_price(bid, window)
    assert price is not None
    assert price * Fraction(mw) * Fraction(spread) == expected_cost(mw, bid, window)


@given(first=MW, second=MW, p_ut=PRICES, dispatched=HOURS)
def test_two_bids_cost_what_one_of_both_would(first, second, p_ut, dispatched):
    bid, window = Bid(None, p_ut), Window(Decimal(1), dispatched)
    apart = expected_cost(first, bid, window) + expected_cost(second, bid, window)
    assert apart == expected_cost(first + second, bid, window)


@given(st.fractions(-10_000, 10_000), st.integers(0, 6))
def test_rounding_stays_within_half_a_step_and_is_symmetric(value, places):
    step = Fraction(1, 10**places)
    assert abs(Fraction(rounded(value, places)) - value) <= step / 2
    assert rounded(-value, places) == -rounded(value, places)


def test_halves_round_away_from_zero():
    assert shown_money(Fraction(1, 200)) == Decimal("0.01")
    assert shown_money(Fraction(-1, 200)) == Decimal("-0.01")
    assert shown_price(Fraction(1, 3)) == Decimal("0.333333")
    assert shown_price(None) is None


@given(st.lists(st.tuples(MW, st.sampled_from([None, "a", "b"])), max_size=8), st.randoms())
def test_counted_megawatts_do_not_depend_on_the_order_of_bids(rows, shuffler):
    bids = [a_bid(capacity_mw=mw, exclusive_group=group, split=1 + row) for row, (mw, group) in enumerate(rows)]
    shuffled = list(bids)
    shuffler.shuffle(shuffled)
    assert counted_mw(bids) == counted_mw(shuffled)


@given(st.lists(MW, min_size=1, max_size=6))
def test_an_exclusive_group_counts_its_largest_and_no_more(sizes):
    together = [a_bid(capacity_mw=mw, exclusive_group="x", split=1 + row) for row, mw in enumerate(sizes)]
    apart = [a_bid(capacity_mw=mw, split=1 + row) for row, mw in enumerate(sizes)]
    assert counted_mw(together) == max(sizes)
    assert counted_mw(apart) == sum(sizes)


def test_of_an_exclusive_group_the_best_revenue_is_expected():
    pairs = [(None, Fraction(5)), ("x", Fraction(-3)), ("x", Fraction(-1)), ("y", Fraction(2)), ("y", Fraction(1))]
    assert expected_revenue(pairs) == 6


def test_a_draft_is_reckoned_window_by_window_with_fixed_prices():
    competition = an_availability_competition(
        availability_fixed_price="10",
        effective_price_ceiling="30",
        windows=(a_window(), a_window(id="win_2", dispatch_estimate=None)),
    )
    drafted = model(
        competition,
        [
            a_bid(capacity_mw="2", utilisation_price="100"),
            a_bid(window_id="win_2", capacity_mw="1"),
            a_bid(window_id="win_9"),
            a_bid(split=2, utilisation_price=None),
        ],
    )
    first, second = drafted.bids
    assert (first.expected_cost, first.effective_price, first.effective_price_unit) == (
        Decimal(2880),
        Decimal("32.727273"),
        "MW/h",
    )
    assert first.above_ceiling == ("effective_price",)
    assert (second.expected_cost, second.effective_price, second.dispatched_hours) == (Decimal(440), Decimal(10), None)
    assert drafted.expected_revenue == Decimal(3320)
    assert [problem.code for problem in drafted.problems] == [
        "bid.above_effective_ceiling",
        "bid.window",
        "bid.price_missing",
    ]


def test_the_revenue_of_exclusive_bids_is_that_of_the_better_one():
    bids = [a_bid(capacity_mw="2", exclusive_group="x"), a_bid(capacity_mw="1", split=2, exclusive_group="x")]
    drafted = model(a_competition(), bids)
    assert (drafted.expected_revenue, drafted.bids[0].effective_price_unit) == (Decimal(2000), "MWh")


@given(p_av=PRICES, p_ut=PRICES, ceiling=PRICES, hours=HOURS, dispatched=HOURS)
def test_the_ceiling_is_decided_on_the_exact_price_never_the_shown_one(p_av, p_ut, ceiling, hours, dispatched):
    price = effective_price(Bid(p_av, p_ut), Window(hours, dispatched))
    assert price is not None
    assume(price != ceiling)
    cheaper = p_av * hours + p_ut * dispatched < ceiling * hours
    assert (price < Fraction(ceiling)) == cheaper


@pytest.mark.parametrize(("value", "places", "text"), [(Fraction(5, 2), 0, "3"), (Fraction(0), 2, "0.00")])
def test_rounding_by_hand(value, places, text):
    assert str(rounded(value, places)) == text
