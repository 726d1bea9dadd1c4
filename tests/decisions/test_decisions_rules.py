"""Claims about deciding bids and confirming results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.bidding.rules import OPENING_DELAY
from chalicelib.decisions import rules
from chalicelib.decisions.lifecycle import MOVES
from chalicelib.decisions.models import DecisionSheet
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.lifecycle import can_move, move
from tests.builders.bidding import a_competition
from tests.builders.decisions import CLOSED, a_decision, a_request, an_opened_bid

BID = an_opened_bid()
DIVISIBLE = an_opened_bid(divisibility="divisible", minimum_acceptance_mw=Decimal("0.5"))


def codes(request: Any, bid: Any = BID, partial: bool = True) -> list[str]:
    return [problem.code for problem in rules.request_problems(request, {bid.id: bid}, partial)]


def test_a_whole_bid_is_accepted_without_saying_how_much() -> None:
    assert codes(a_request()) == []
    assert codes(a_request(accepted_mw="2")) == []


def test_a_part_of_an_all_or_nothing_bid_is_refused() -> None:
    assert codes(a_request(accepted_mw="1")) == ["decision.capacity"]


def test_a_divisible_bid_is_accepted_from_its_minimum_to_its_whole() -> None:
    assert codes(a_request(accepted_mw="0.5"), DIVISIBLE) == []
    assert codes(a_request(accepted_mw="0.4"), DIVISIBLE) == ["decision.capacity"]
    assert codes(a_request(accepted_mw="2.1"), DIVISIBLE) == ["decision.capacity"]


def test_a_competition_without_parts_makes_every_bid_all_or_nothing() -> None:
    assert codes(a_request(accepted_mw="1"), DIVISIBLE, partial=False) == ["decision.capacity"]


def test_a_divisible_bid_without_minimum_is_accepted_down_to_the_watt() -> None:
    bid = an_opened_bid(divisibility="divisible")
    assert codes(a_request(accepted_mw="0.000001"), bid) == []
    assert codes(a_request(accepted_mw="0"), bid) == ["decision.capacity"]


def test_a_bid_of_which_nothing_is_left_cannot_be_accepted() -> None:
    assert codes(a_request(), an_opened_bid(capacity_mw=Decimal(0))) == ["decision.nothing_left"]


def test_a_rejection_needs_a_reason_and_other_needs_words() -> None:
    assert codes(a_request(decision="rejected")) == ["decision.reason"]
    assert codes(a_request(decision="rejected", reason="OTHER")) == ["decision.comment"]
    assert codes(a_request(decision="rejected", reason="OTHER", comment="flood plain")) == []
    assert codes(a_request(decision="rejected", reason="OUT_OF_MERIT")) == []
    assert codes(a_request(decision="rejected", reason="OUT_OF_MERIT", accepted_mw="1")) == ["decision.rejected_mw"]


def test_a_bid_that_is_not_ours_is_refused() -> None:
    assert codes(a_request("bid_other")) == ["decision.unknown_bid"]


def test_a_bid_may_go_back_to_undecided() -> None:
    assert codes(a_request(decision="undecided")) == []
    assert rules.decide(a_request(decision="undecided"), BID, a_decision(), "per_1", CLOSED) is None


def test_the_same_bid_decided_twice_in_one_file_is_named_the_second_time() -> None:
    repeated = rules.repeated_problems([a_request("a"), a_request("b"), a_request("a")])
    assert {place: problem.code for place, problem in repeated.items()} == {2: "decision.repeated"}


def test_a_decision_keeps_what_was_said_and_counts_its_versions() -> None:
    first = rules.decide(a_request(), BID, None, "per_1", CLOSED)
    assert first is not None
    assert (first.verdict, first.accepted_mw, first.reason, first.version) == ("accepted", Decimal(2), None, 1)
    second = rules.decide(a_request(decision="rejected", reason="TECHNICAL"), BID, first, "per_2", CLOSED)
    assert second is not None
    assert (second.verdict, second.accepted_mw, second.reason, second.version) == (
        "rejected",
        Decimal(0),
        "TECHNICAL",
        2,
    )
    part = rules.decide(a_request(accepted_mw="1.5"), DIVISIBLE, None, "per_1", CLOSED)
    assert part is not None
    assert part.accepted_mw == Decimal("1.5")


def test_saying_the_same_again_is_nothing_new() -> None:
    assert rules.is_same(None, None)
    assert not rules.is_same(None, a_decision())
    assert rules.is_same(a_decision(), a_decision(decided_by="per_2", version=7))
    assert not rules.is_same(a_decision(), a_decision(comment="because"))


def confirmation_codes(bids: list[Any], *decisions: Any) -> list[str]:
    decided = {decision.bid_id: decision for decision in decisions}
    return [problem.code for problem in rules.confirmation_problems(bids, decided)]


def test_results_with_an_undecided_bid_are_not_final() -> None:
    bids = [an_opened_bid("a"), an_opened_bid("b")]
    assert confirmation_codes(bids, a_decision("a")) == ["confirmation.undecided"]
    assert confirmation_codes(bids, a_decision("a"), a_decision("b", "rejected")) == []


def test_linked_bids_are_accepted_together_or_not_at_all() -> None:
    bids = [an_opened_bid("a", linked_group="L"), an_opened_bid("b", linked_group="L"), an_opened_bid("c")]
    apart = [a_decision("a"), a_decision("b", "rejected"), a_decision("c")]
    assert confirmation_codes(bids, *apart) == ["confirmation.linked"]
    assert confirmation_codes(bids, a_decision("a"), a_decision("b"), a_decision("c", "rejected")) == []
    assert confirmation_codes(bids, a_decision("a"), a_decision("c")) == ["confirmation.undecided"]


def test_groups_of_different_ballots_are_different_groups() -> None:
    bids = [an_opened_bid("a", linked_group="L"), an_opened_bid("b", linked_group="L", ballot_id="bal_2")]
    assert confirmation_codes(bids, a_decision("a"), a_decision("b", "rejected")) == []


def test_of_an_exclusive_group_at_most_one_is_accepted() -> None:
    bids = [an_opened_bid("a", exclusive_group="X"), an_opened_bid("b", exclusive_group="X")]
    assert confirmation_codes(bids, a_decision("a"), a_decision("b")) == ["confirmation.exclusive"]
    assert confirmation_codes(bids, a_decision("a"), a_decision("b", "rejected")) == []


def test_a_bid_cut_below_what_was_accepted_is_decided_anew() -> None:
    bids = [an_opened_bid("a", capacity_mw=Decimal(1), offered_mw=Decimal(2))]
    assert confirmation_codes(bids, a_decision("a", mw="2")) == ["confirmation.shrunk"]


def test_two_persons_are_needed_where_the_operator_says_so() -> None:
    sheet = DecisionSheet(competition_id="comp_1", so="org_so", bids=1, deciders=("per_1",))
    with pytest.raises(Refused, match="Somebody who did not decide"):
        rules.check_two_persons(sheet, "per_1", two_person_rule=True)
    rules.check_two_persons(sheet, "per_2", two_person_rule=True)
    rules.check_two_persons(sheet, "per_1", two_person_rule=False)


@given(st.permutations([a_decision("a"), a_decision("b", "rejected"), a_decision("c", comment="é")]))
def test_the_digest_is_of_what_was_decided_in_whatever_order(decisions: list[Any]) -> None:
    assert rules.digest(decisions) == rules.digest(
        [a_decision("a"), a_decision("b", "rejected"), a_decision("c", comment="é")]
    )


def test_any_other_decision_has_another_digest() -> None:
    said = [a_decision("a"), a_decision("a", "rejected"), a_decision("a", mw="1"), a_decision("a", comment="x")]
    assert len({rules.digest([decision]) for decision in said}) == len(said)


@pytest.mark.parametrize(
    ("bids", "decided", "state", "accepted", "message"),
    [
        (0, 0, "open", 0, "No bids. Confirm to close it with nothing bought."),
        (0, 0, "confirmed", 0, "No bids."),
        (1, 0, "open", 0, "1 of 1 bid to decide."),
        (20, 3, "open", 1, "17 of 20 bids to decide."),
        (20, 20, "open", 5, "All 20 bids decided; to be confirmed."),
        (20, 20, "confirmed", 5, "5 of 20 bids accepted, final."),
    ],
)
def test_thin_and_full_competitions_read_equally_clearly(
    bids: int, decided: int, state: Any, accepted: int, message: str
) -> None:
    sheet = DecisionSheet(competition_id="c", so="s", bids=bids, decided=decided, state=state)
    assert rules.overview_message(sheet, accepted) == message


def test_ties_go_by_price_then_size_then_time_then_id() -> None:
    cheap = an_opened_bid("z", effective_price=Decimal(90))
    small = an_opened_bid("y", capacity_mw=Decimal(1))
    later = an_opened_bid("a", submitted_at=CLOSED)
    priceless = an_opened_bid("0", effective_price=None)
    ranked = sorted([priceless, later, BID, small, cheap], key=rules.merit)
    assert [bid.id for bid in ranked] == ["z", "y", BID.id, "a", "0"]


def test_decisions_move_from_open_to_confirmed_and_no_further() -> None:
    assert move(MOVES, "result", "open", "decide") == "open"
    assert move(MOVES, "result", "open", "confirm") == "confirmed"
    for action in ("decide", "confirm"):
        assert not can_move(MOVES, "confirmed", action)
        with pytest.raises(Refused) as refused:
            move(MOVES, "result", "confirmed", action)
        assert refused.value.code == "result.confirmed"


def test_bids_may_be_opened_a_minute_after_a_published_competition_closed_unless_it_was_withdrawn() -> None:
    shut = datetime(2026, 5, 15, 16, tzinfo=UTC)
    opens, competition = shut + OPENING_DELAY, a_competition(calendar={"closed": shut})
    assert rules.is_to_decide(competition, opens)
    assert not rules.is_to_decide(competition, opens - timedelta(microseconds=1))
    never_closed = competition.but(calendar=competition.calendar.but(closed=None))
    for other in (competition.but(outcome="withdrawn"), competition.but(state="draft"), never_closed):
        assert not rules.is_to_decide(other, opens)
