"""Many ballots of one FSP at the closing instant: whatever arrives at once, no asset is ever sold twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from threading import Barrier

import pytest

from chalicelib.bidding import actions
from chalicelib.bidding.models import ReplacementRequest
from chalicelib.kernel.errors import Invalid, Refusal, Refused
from tests.builders.bidding import CLOSED, OPENED, BiddingMarket

pytestmark = pytest.mark.flow

THREADS = 8
LAST_MOMENT = "2026-05-09T15:59:59.999999Z"


@pytest.fixture
def bidding(embedded) -> BiddingMarket:
    return BiddingMarket()


def at_once(acts):
    """What each act came to: its answer, or the refusal it met; all begin at the same moment."""
    barrier = Barrier(len(acts))

    def one(act):
        barrier.wait()
        try:
            return act()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def taken(answers):
    return [answer for answer in answers if not isinstance(answer, Refusal)]


def live(bidding):
    """The live ballots as the operator finds them after close."""
    bidding.opened(OPENED)
    return actions.opened_ballots(bidding.operator(OPENED), bidding.competition_1.id)


def check_disjoint(ballots):
    for one, other in combinations(ballots, 2):
        assert not set(one.asset_ids) & set(other.asset_ids)


def test_of_eight_overlapping_ballots_at_the_closing_instant_only_disjoint_ones_are_taken(bidding):
    sets = [(0, 1), (1, 2), (0, 2), (0,), (1,), (2,), (0, 1, 2), (1, 0)]
    calls = [bidding.fsp(LAST_MOMENT) for _ in sets]
    pairs = zip(sets, calls, strict=True)
    acts = [lambda places=places, call=call: bidding.submit(*places, call=call) for places, call in pairs]
    answers = at_once(acts)
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert all(isinstance(each, Invalid) and each.problems[0].code == "ballot.asset_taken" for each in refused)
    ballots = live(bidding)
    assert {ballot.ballot_id for ballot in ballots} == {receipt.ballot_id for receipt in taken(answers)}
    assert 1 <= len(ballots) <= 3
    check_disjoint(ballots)


def test_eight_disjoint_ballots_at_once_all_get_in(bidding):
    more = [bidding.asset(f"MORE-{number}", demand_turn_down_mw="1", now="2026-04-02T09:00:00Z") for number in range(8)]
    other = bidding.competition("NORTH-2")
    bidding.deliver()
    bidding.close(other)
    request = bidding.ballot().model_dump()
    request["bids"][0]["window_id"] = other.windows[0].id

    def act(asset):
        asked = type(bidding.ballot()).model_validate(request | {"asset_ids": [asset.id]})
        return lambda: actions.submit_ballot(bidding.fsp(LAST_MOMENT), other.id, asked)

    limit_five = at_once([act(asset) for asset in more])
    receipts = taken(limit_five)
    assert [answer for answer in limit_five if isinstance(answer, Refusal)] == []
    assert sorted(receipt.ref for receipt in receipts) == [f"B{number}" for number in range(1, THREADS + 1)]
    actions.bids_for_deciding(bidding.operator(OPENED), other.id)
    ballots = actions.opened_ballots(bidding.operator(OPENED), other.id)
    assert len(ballots) == THREADS
    check_disjoint(ballots)


def test_the_same_ballot_sent_eight_times_at_once_is_one(bidding):
    calls = [bidding.fsp(LAST_MOMENT) for _ in range(THREADS)]
    answers = at_once([lambda call=call: bidding.submit(0, client_token="once", call=call) for call in calls])
    assert all(answer == answers[0] for answer in answers)
    assert taken(answers) == answers
    assert len(live(bidding)) == 1


def test_replacing_and_withdrawing_at_once_leaves_one_clear_end(bidding):
    ballot = bidding.submit(0).ballot_id
    change = ReplacementRequest.model_validate(bidding.ballot(1).model_dump(exclude={"ref"}))
    acts = [
        lambda: actions.withdraw_ballot(bidding.fsp(LAST_MOMENT), ballot),
        lambda: actions.replace_ballot(bidding.fsp(LAST_MOMENT), ballot, change, 1),
        lambda: actions.replace_ballot(bidding.fsp(LAST_MOMENT), ballot, change, 1),
    ]
    answers = at_once(acts)
    ballots = live(bidding)
    withdrawn = not isinstance(answers[0], Refusal)
    assert len(ballots) == (0 if withdrawn else 1)
    assert len(taken(answers[1:])) <= 1


def test_ballots_race_the_opening_and_none_gets_in_after_it(bidding):
    late_files = [bidding.fsp(LAST_MOMENT) for _ in range(3)]
    acts = [lambda place=place, call=call: bidding.submit(place, call=call) for place, call in enumerate(late_files)]
    read: list[int] = []
    answers = at_once([*acts, lambda: read.append(len(bidding.opened(OPENED)))])[:3]
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} <= {"bidding.opened"}
    assert [len(taken(answers))] == read == [len(live(bidding))]


def test_none_of_eight_at_the_closing_instant_itself_gets_in(bidding):
    calls = [bidding.fsp(CLOSED) for _ in range(THREADS)]
    answers = at_once([lambda call=call: bidding.submit(0, call=call) for call in calls])
    assert all(isinstance(answer, Refused) and answer.code == "bidding.closed" for answer in answers)
    assert live(bidding) == []
