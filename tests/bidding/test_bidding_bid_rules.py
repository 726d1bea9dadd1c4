"""What each bid must hold to by itself: size, run time, exactly the prices asked, ceilings, groups."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.bidding.bid_rules import bid_problems, ceiling_breaches, ceilings_of, clock, completed, filled_prices
from chalicelib.bidding.models import bid_id, place_of_bid
from tests.builders.bidding import a_bid, a_competition, a_window, an_availability_competition


def codes(*bids, competition=None):
    return [(problem.code, problem.field) for problem in bid_problems(competition or a_competition(), bids)]


def test_a_bid_needs_capacity():
    assert codes(a_bid(capacity_mw="0")) == [("bid.no_capacity", "bids/0/capacity_mw")]


def test_a_bid_below_the_minimum_bid_size_is_refused():
    competition = a_competition(minimum_bid_size="0.5")
    assert codes(a_bid(capacity_mw="0.5"), competition=competition) == []
    assert codes(a_bid(capacity_mw="0.499"), competition=competition) == [("bid.below_minimum", "bids/0/capacity_mw")]


def test_a_smallest_part_is_for_divisible_bids_and_at_most_the_bid():
    assert codes(a_bid(divisibility="divisible", minimum_acceptance_mw="1")) == []
    assert codes(a_bid(minimum_acceptance_mw="1")) == [("bid.not_divisible", "bids/0/minimum_acceptance_mw")]
    assert codes(a_bid(divisibility="divisible", minimum_acceptance_mw="1.1")) == [
        ("bid.minimum_acceptance", "bids/0/minimum_acceptance_mw")
    ]


def test_the_run_time_is_at_least_the_windows_minimum():
    competition = a_competition(windows=(a_window(minimum_run_time="PT1H"),))
    assert codes(a_bid(), competition=competition) == []
    assert codes(a_bid(maximum_run_time="PT59M"), competition=competition) == [
        ("bid.run_time", "bids/0/maximum_run_time")
    ]


def test_a_window_and_split_stand_in_a_ballot_once():
    assert codes(a_bid(), a_bid(split=2)) == []
    assert codes(a_bid(), a_bid()) == [("bid.repeated", "bids/1/split")]
    assert codes(a_bid(window_id="x"), a_bid(window_id="x")) == [
        ("bid.window", "bids/0/window_id"),
        ("bid.window", "bids/1/window_id"),
        ("bid.repeated", "bids/1/split"),
    ]


def test_exactly_the_prices_asked_for_are_given():
    assert codes(a_bid(utilisation_price=None)) == [("bid.price_missing", "bids/0/utilisation_price")]
    assert codes(a_bid(availability_price="1", service_fee="2")) == [
        ("bid.price_not_asked", "bids/0/availability_price"),
        ("bid.price_not_asked", "bids/0/service_fee"),
    ]
    assert codes(a_bid(availability_price="5"), competition=an_availability_competition()) == []
    with_fee = a_competition(type="Utilisation + Service Fee")
    assert codes(a_bid(service_fee="0"), competition=with_fee) == []
    assert codes(a_bid(), competition=with_fee) == [("bid.price_missing", "bids/0/service_fee")]


def test_a_fixed_price_may_be_left_out_or_repeated_but_not_changed():
    competition = a_competition(utilisation_fixed_price="80")
    assert codes(a_bid(utilisation_price=None), competition=competition) == []
    assert codes(a_bid(utilisation_price="80.00"), competition=competition) == []
    assert codes(a_bid(utilisation_price="80.01"), competition=competition) == [
        ("bid.price_fixed", "bids/0/utilisation_price")
    ]


def test_prices_below_zero_are_taken_only_where_the_operator_allows_them():
    assert codes(a_bid(utilisation_price="0")) == []
    assert codes(a_bid(utilisation_price="-0.01")) == [("bid.price_negative", "bids/0/utilisation_price")]
    assert codes(a_bid(utilisation_price="-5"), competition=a_competition(allow_negative_prices=True)) == []


def test_a_price_above_its_ceiling_is_refused_and_one_at_it_is_not():
    competition = an_availability_competition(availability_ceiling="10", utilisation_ceiling="100")
    assert codes(a_bid(availability_price="10"), competition=competition) == []
    assert codes(a_bid(availability_price="10.01", utilisation_price="100.01"), competition=competition) == [
        ("bid.above_availability_ceiling", "bids/0/availability_price"),
        ("bid.above_utilisation_ceiling", "bids/0/utilisation_price"),
    ]


def test_a_windows_own_ceiling_goes_before_the_competitions():
    competition = a_competition(utilisation_ceiling="50", windows=(a_window(utilisation_ceiling="100"),))
    assert codes(a_bid(), competition=competition) == []


def test_the_effective_ceiling_is_met_to_the_last_digit():
    """44 hours available, 10 expected: 10 + 22 x 10/44 is 15 exactly."""
    competition = an_availability_competition(effective_price_ceiling="15")
    assert codes(a_bid(availability_price="10", utilisation_price="22"), competition=competition) == []
    assert codes(a_bid(availability_price="10", utilisation_price="22.0001"), competition=competition) == [
        ("bid.above_effective_ceiling", "bids/0/availability_price")
    ]


def test_the_effective_ceiling_points_at_a_price_that_the_fsp_can_change():
    fixed = an_availability_competition(availability_fixed_price="10", effective_price_ceiling="15")
    assert codes(a_bid(utilisation_price="23"), competition=fixed) == [
        ("bid.above_effective_ceiling", "bids/0/utilisation_price")
    ]
    both = an_availability_competition(
        availability_fixed_price="10", utilisation_fixed_price="23", effective_price_ceiling="15"
    )
    assert codes(a_bid(utilisation_price=None), competition=both) == [
        ("bid.above_effective_ceiling", "bids/0/capacity_mw")
    ]


def test_a_competition_that_assesses_takes_bids_above_its_ceilings_and_names_them():
    competition = a_competition(utilisation_ceiling="50", effective_price_ceiling="60", ceiling_rule="assess")
    assert codes(a_bid(), competition=competition) == []
    breaches = ceiling_breaches(competition, competition.windows[0], a_bid())
    assert breaches == ["utilisation_price", "effective_price"]


def test_a_fixed_price_is_not_held_against_its_own_ceiling():
    competition = a_competition(utilisation_fixed_price="80", utilisation_ceiling="50")
    assert codes(a_bid(utilisation_price=None), competition=competition) == []


def test_an_effective_price_that_no_hours_allow_breaks_no_ceiling():
    competition = an_availability_competition(effective_price_ceiling="1", windows=(a_window(available_minutes=0),))
    assert codes(a_bid(availability_price="10"), competition=competition) == []


def test_linked_bids_cannot_exclude_each_other():
    linked = {"linked_group": "all", "exclusive_group": "one"}
    assert codes(a_bid(**linked), a_bid(split=2, linked_group="all")) == []
    assert codes(a_bid(**linked), a_bid(split=2, **linked)) == [
        ("bid.linked_and_exclusive", "bids/0/exclusive_group"),
        ("bid.linked_and_exclusive", "bids/1/exclusive_group"),
    ]


def test_fixed_prices_are_filled_in_where_the_competition_asks_for_them():
    competition = an_availability_competition(availability_fixed_price="7", service_fee_fixed="9")
    filled = filled_prices(competition, a_bid())
    assert (filled.availability_price, filled.utilisation_price, filled.service_fee) == (Decimal(7), Decimal(100), None)


@pytest.mark.parametrize(
    ("asked", "competition", "kept"),
    [
        ({}, {}, ("all-or-nothing", None)),
        ({"divisibility": "divisible"}, {}, ("divisible", Decimal(0))),
        ({"divisibility": "divisible"}, {"minimum_bid_size": "0.2"}, ("divisible", Decimal("0.2"))),
        ({"divisibility": "divisible", "minimum_acceptance_mw": "0.5"}, {}, ("divisible", Decimal("0.5"))),
        (
            {"divisibility": "divisible", "minimum_acceptance_mw": "0.5"},
            {"accept_partial_award": False},
            ("all-or-nothing", None),
        ),
    ],
)
def test_a_bid_is_kept_with_how_much_of_it_may_be_accepted(asked, competition, kept):
    bid = completed(a_competition(**competition), a_bid(**asked), "bal_7", 2, 3)
    assert (bid.divisibility, bid.minimum_acceptance_mw) == kept
    assert bid.id == "bid_7-002-0003"


def test_a_bid_id_says_ballot_version_and_row():
    assert place_of_bid(bid_id("bal_01-ab", 2, 3)) == ("bal_01-ab", 2, 3)


@pytest.mark.parametrize("text", ["bid_", "bal_1-001-0001", "bid_1", "bid_-1-2", "bid_1-x-2"])
def test_what_is_no_bid_id_is_told_apart(text):
    with pytest.raises(ValueError, match=r"bid id|unpack|invalid literal"):
        place_of_bid(text)


def test_run_times_are_told_as_clocks():
    assert clock(timedelta(hours=2, minutes=30)) == "2:30:00"
    assert clock(timedelta(days=1, seconds=5)) == "1 0:00:05"


def test_the_ceilings_that_bind_in_a_window_are_told_by_price():
    competition = an_availability_competition(availability_ceiling="10", windows=(a_window(utilisation_ceiling="99"),))
    found = ceilings_of(competition, competition.windows[0])
    assert found == {"availability_price": Decimal(10), "utilisation_price": Decimal(99)}
