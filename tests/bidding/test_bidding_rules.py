"""What a ballot must hold to as a whole: the moment, the bidder, its assets, and every capacity limit of page 5."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.bidding.rules import ballot_problems, check_bidder, check_closed, check_may_open, check_open
from chalicelib.kernel.errors import Refused
from tests.builders.bidding import (
    AFTER,
    CLOSES,
    DURING,
    OPENS,
    a_backing,
    a_bid,
    a_competition,
    a_sheet,
    a_sheet_with,
    a_standing,
    a_window,
)

SECOND = timedelta(seconds=1)


def codes(*bids, competition=None, sheet=None, standing=None, asset_ids=("ast_1",), replaced=None):
    found = ballot_problems(
        competition or a_competition(), sheet or a_sheet(), standing or a_standing(), asset_ids, bids, replaced
    )
    return [(problem.code, problem.field) for problem in found]


def test_a_valid_ballot_is_taken():
    assert codes(a_bid()) == []


@pytest.mark.parametrize("at", [OPENS, DURING, CLOSES - SECOND, CLOSES - timedelta(microseconds=1)])
def test_bidding_is_open_from_its_opening_to_the_instant_before_its_close(at):
    check_open(a_competition(), at)


@pytest.mark.parametrize(
    ("at", "code"),
    [(OPENS - SECOND, "bidding.not_open"), (CLOSES, "bidding.closed"), (CLOSES + SECOND, "bidding.closed")],
)
def test_a_ballot_before_opening_or_at_the_closing_instant_or_later_is_refused(at, code):
    with pytest.raises(Refused) as refusal:
        check_open(a_competition(), at)
    assert refusal.value.code == code


@pytest.mark.parametrize("missing", [{"open": None, "closed": None}, {"closed": None}])
def test_nobody_bids_in_a_competition_that_only_shows_what_is_needed(missing):
    with pytest.raises(Refused, match="nobody bids"):
        check_open(a_competition(calendar=missing), DURING)


def test_a_withdrawn_competition_takes_no_ballot():
    with pytest.raises(Refused) as refusal:
        check_open(a_competition(outcome="withdrawn"), DURING)
    assert refusal.value.code == "competition.withdrawn"


def test_only_a_verified_fsp_that_entered_may_bid():
    check_bidder(verified=True, entered=True)
    with pytest.raises(Refused, match="verified"):
        check_bidder(verified=False, entered=True)
    with pytest.raises(Refused, match="enter"):
        check_bidder(verified=True, entered=False)


def test_ballots_may_be_opened_a_minute_after_close():
    check_may_open(a_competition(), AFTER)
    with pytest.raises(Refused) as refusal:
        check_may_open(a_competition(), CLOSES + timedelta(seconds=59, microseconds=999_999))
    assert (refusal.value.code, refusal.value.retry_after) == ("bidding.sealed", 1)


def test_ballots_may_be_counted_from_close_on():
    check_closed(a_competition(), CLOSES)
    with pytest.raises(Refused) as refusal:
        check_closed(a_competition(), CLOSES - SECOND)
    assert refusal.value.code == "bidding.sealed"


def test_ballots_of_a_withdrawn_or_visibility_only_competition_are_never_opened():
    with pytest.raises(Refused, match="stay sealed"):
        check_may_open(a_competition(outcome="withdrawn"), AFTER)
    with pytest.raises(Refused, match="nobody bids"):
        check_may_open(a_competition(calendar={"open": None, "closed": None}), AFTER)


def test_a_ballot_needs_assets():
    standing = a_standing(backing={}, qualified_mw="2")
    assert ("ballot.no_assets", "asset_ids") in codes(a_bid(), standing=standing, asset_ids=())


def test_an_asset_stands_in_a_ballot_once():
    assert codes(a_bid(), asset_ids=("ast_1", "ast_1")) == [("ballot.asset_repeated", "asset_ids/1")]


def test_only_qualified_assets_stand_behind_a_ballot():
    assert codes(a_bid(), asset_ids=("ast_1", "ast_9")) == [("ballot.asset_not_qualified", "asset_ids/1")]


def test_an_asset_of_another_live_ballot_is_refused_but_not_of_the_ballot_that_is_replaced():
    sheet = a_sheet_with("bal_1", [0], ref="B1")
    assert codes(a_bid(), sheet=sheet) == [("ballot.asset_taken", "asset_ids/0")]
    assert codes(a_bid(), sheet=sheet, replaced="bal_1") == []


def test_an_asset_that_no_ballot_holds_is_free_beside_those_that_are_held():
    sheet = a_sheet_with("bal_1", [0, 2], ref="B1")
    standing = a_standing({"ast_2": a_backing(ordinal=1), "ast_3": a_backing(ordinal=2)})
    assert codes(a_bid(), sheet=sheet, standing=standing, asset_ids=("ast_2", "ast_3")) == [
        ("ballot.asset_taken", "asset_ids/1")
    ]


def test_a_ballot_above_the_qualified_capacity_is_refused():
    assert codes(a_bid(capacity_mw="2")) == []
    assert codes(a_bid(capacity_mw="2.000001"), standing=a_standing(qualified_mw="9")) == [
        ("ballot.over_capacity", "bids/0/capacity_mw"),
        ("ballot.obligated", "bids/0/capacity_mw"),
        ("ballot.run_time", "bids/0/maximum_run_time"),
    ]


def test_the_splits_of_a_window_count_together():
    bids = [a_bid(capacity_mw="1"), a_bid(capacity_mw="1.5", split=2)]
    assert ("ballot.over_capacity", "bids/1/capacity_mw") in codes(*bids)


def test_bids_of_one_exclusive_group_count_once_the_largest():
    bids = [
        a_bid(capacity_mw="1", exclusive_group="either"),
        a_bid(capacity_mw="1.5", split=2, exclusive_group="either"),
        a_bid(capacity_mw="0.5", split=3),
    ]
    assert codes(*bids) == []
    assert ("ballot.over_capacity", "bids/3/capacity_mw") in codes(*bids, a_bid(capacity_mw="0.1", split=4))


def test_windows_are_limited_each_by_itself():
    competition = a_competition(windows=(a_window(), a_window(id="win_2", name="Night")))
    assert codes(a_bid(capacity_mw="2"), a_bid(capacity_mw="2", window_id="win_2"), competition=competition) == []


def test_a_ballot_above_the_capacity_required_is_refused():
    standing = a_standing({"ast_1": a_backing("9")})
    assert codes(a_bid(capacity_mw="5"), standing=standing) == []
    assert codes(a_bid(capacity_mw="5.1"), standing=standing) == [("ballot.over_requirement", "bids/0/capacity_mw")]


def test_all_ballots_together_stay_within_the_qualified_capacity():
    sheet = a_sheet_with("bal_9", [5], a_bid(capacity_mw="1.5"), ref="B9")
    standing = a_standing(qualified_mw="3")
    assert codes(a_bid(capacity_mw="1.5"), sheet=sheet, standing=standing) == []
    assert codes(a_bid(capacity_mw="1.6"), sheet=sheet, standing=standing) == [
        ("ballots.over_capacity", "bids/0/capacity_mw")
    ]
    assert codes(a_bid(capacity_mw="1.6"), sheet=sheet, standing=standing, replaced="bal_9") == []


def test_what_obligations_at_the_same_time_leave_is_the_limit():
    assert codes(a_bid(), standing=a_standing(free={"win_1": "1"})) == []
    assert codes(a_bid(), standing=a_standing(free={"win_1": "0.9"})) == [("ballot.obligated", "bids/0/capacity_mw")]


def test_the_run_time_is_limited_by_what_assets_of_that_capacity_can_do():
    standing = a_standing({"ast_1": a_backing("1", 0, 60), "ast_2": a_backing("1", 1, 120), "ast_3": a_backing("1", 2)})
    every = ("ast_1", "ast_2", "ast_3")

    def of(mw, minutes, **more):
        return a_bid(capacity_mw=mw, maximum_run_time=timedelta(minutes=minutes), **more)

    assert codes(of("3", 60), standing=standing, asset_ids=every) == []
    assert codes(of("2", 120), standing=standing, asset_ids=every) == []
    assert codes(of("1", 121), standing=standing, asset_ids=every) == []
    assert codes(of("2.1", 61), standing=standing, asset_ids=every) == [("ballot.run_time", "bids/0/maximum_run_time")]
    mixed = [of("1", 240), of("1", 90, split=2), of("1", 30, split=3)]
    assert codes(*mixed, standing=standing, asset_ids=every) == []
    assert codes(of("1", 240), of("1.1", 90, split=2), standing=standing, asset_ids=every) == [
        ("ballot.run_time", "bids/1/maximum_run_time")
    ]


def test_a_bid_for_no_window_of_the_competition_is_told_once():
    assert codes(a_bid(window_id="win_9", capacity_mw="99")) == [("bid.window", "bids/0/window_id")]


def test_no_sentence_tells_what_was_bid():
    sheet = a_sheet_with("bal_9", [0], a_bid(capacity_mw="1.234"), ref="B9")
    bid = a_bid(capacity_mw="7.654321", utilisation_price="-43.21", availability_price="98.76")
    for problem in ballot_problems(a_competition(), sheet, a_standing(), ["ast_1"], [bid]):
        told = f"{problem.detail} {problem.allowed}"
        assert not any(figure in told for figure in ("7.65", "43.21", "98.76", "1.234"))
