"""What is left of a ballot after close: cut to the assets that stayed, flagged, and reckoned on what is left."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.bidding.assessment import cut_to, opened_ballot
from chalicelib.bidding.pricing import counted_mw
from tests.builders.bidding import a_ballot, a_bid, a_competition

MW = st.decimals("0.001", "9", places=3)


def opened(*bids, left="2", competition=None):
    terms = competition or a_competition()
    return opened_ballot(terms, a_ballot(*bids, competition=terms), {"ast_1": Decimal(left)})


def test_a_ballot_whose_assets_all_stayed_is_whole():
    [bid] = opened(a_bid(capacity_mw="2")).bids
    assert (bid.capacity_mw, bid.offered_mw, bid.flags, bid.expected_cost) == (2, 2, (), 2000)


def test_a_ballot_is_cut_to_what_is_left_and_reckoned_on_that():
    [bid] = opened(a_bid(capacity_mw="2"), left="0.5").bids
    assert (bid.capacity_mw, bid.offered_mw, bid.flags, bid.expected_cost) == (Decimal("0.5"), 2, ("cut",), 500)


def test_a_ballot_with_nothing_left_is_flagged_as_not_qualified():
    ballot = opened_ballot(a_competition(), a_ballot(), {})
    assert (ballot.asset_ids, ballot.bids[0].flags, ballot.bids[0].capacity_mw) == ((), ("not_qualified",), 0)


def test_the_smallest_part_is_no_more_than_what_is_left():
    divisible = a_bid(capacity_mw="2", divisibility="divisible", minimum_acceptance_mw="1")
    [bid] = opened(divisible, left="0.5").bids
    assert bid.minimum_acceptance_mw == Decimal("0.5")


def test_earlier_splits_keep_theirs_before_later_ones():
    bids = opened(a_bid(capacity_mw="1", split=2), a_bid(capacity_mw="1", split=1), left="1.5").bids
    assert [(bid.split, bid.capacity_mw) for bid in bids] == [(2, Decimal("0.5")), (1, 1)]


def test_exclusive_alternatives_each_have_what_is_left():
    either = [
        a_bid(capacity_mw="2", split=1, exclusive_group="x"),
        a_bid(capacity_mw="1", split=2, exclusive_group="x"),
    ]
    bids = opened(*either, a_bid(capacity_mw="1", split=3), left="1.5").bids
    assert [bid.capacity_mw for bid in bids] == [Decimal("1.5"), 1, 0]


def test_bids_above_a_ceiling_that_is_assessed_are_flagged():
    competition = a_competition(utilisation_ceiling="50", effective_price_ceiling="99", ceiling_rule="assess")
    [bid] = opened(a_bid(), competition=competition).bids
    assert bid.flags == ("above_ceiling_utilisation", "above_ceiling_effective")


@given(st.lists(st.tuples(MW, st.sampled_from([None, "x", "y"])), min_size=1, max_size=6), MW)
def test_what_remains_never_exceeds_what_is_left_nor_what_was_bid(rows, left):
    asked = [a_bid(capacity_mw=mw, exclusive_group=group, split=row) for row, (mw, group) in enumerate(rows, start=1)]
    bids = a_ballot(*asked).bids
    kept = cut_to(bids, left)
    cut = [bid.model_copy(update={"capacity_mw": kept[bid.id]}) for bid in bids]
    assert all(0 <= kept[bid.id] <= bid.capacity_mw for bid in bids)
    assert counted_mw(cut) <= left
    assert counted_mw(cut) == min(counted_mw(bids), left) or any(group for _, group in rows)
    if counted_mw(bids) <= left:
        assert cut == list(bids)
