"""What a selection is asked: requirements and candidates from competition and ballots, with what-if options put in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from chalicelib.bidding.bid_rules import ceiling_breaches
from chalicelib.decisions.asking import changes_ceilings, option_problems, stale_sentence
from chalicelib.decisions.models_proposals import ProposalRequest
from chalicelib.decisions.weighing import as_asked
from tests.builders.bidding import a_competition, a_window, an_availability_competition
from tests.builders.proposals import an_opened_ballot, options, weigh

FIRST = "bid_1-001-0001"


def test_a_window_requires_what_was_published_and_each_bid_costs_what_it_is_expected_to() -> None:
    """10 dispatches of an hour at 100 per MWh: 1,000 per MW."""
    request = weigh(an_opened_ballot(1)).request
    [requirement], [candidate] = request.requirements, request.candidates
    assert (requirement.mw, requirement.shortfall_price) == (Decimal(5), None)
    assert (candidate.mw, candidate.minimum_mw, candidate.barred) == (Decimal(2), None, None)
    assert (candidate.cost_per_mw, candidate.effective_price) == (Fraction(1000), Fraction(100))
    assert request.ballot_mw == {"bal_1": Decimal(10)}


def test_a_divisible_bid_may_be_cut_where_the_competition_takes_parts() -> None:
    parts = an_opened_ballot(1, {"divisibility": "divisible", "minimum_acceptance_mw": Decimal("0.5")})
    [divided] = weigh(parts).request.candidates
    assert divided.minimum_mw == Decimal("0.5")
    [whole] = weigh(parts, competition=a_competition(accept_partial_award=False)).request.candidates
    assert whole.minimum_mw is None


def test_groups_of_two_ballots_with_the_same_name_stay_two_groups() -> None:
    grouped = {"linked_group": "L", "exclusive_group": "X"}
    request = weigh(an_opened_ballot(1, grouped), an_opened_ballot(2, grouped)).request
    assert {bid.linked_group for bid in request.candidates} == {"bal_1/L", "bal_2/L"}
    assert {bid.exclusive_group for bid in request.candidates} == {"bal_1/X", "bal_2/X"}


def test_windows_on_at_one_instant_are_named_together() -> None:
    windows = (a_window(), a_window(id="win_2", name="Late", start="18:00", end="20:00"))
    apart = (a_window(), a_window(id="win_2", name="Late", start="19:00", end="20:00"))
    assert weigh(competition=a_competition(windows=windows)).request.together == (("win_1", "win_2"),)
    assert weigh(competition=a_competition(windows=apart)).request.together == ()


@pytest.mark.parametrize(
    ("ceilings", "price"),
    [
        ({}, None),
        ({"utilisation_ceiling": "150"}, 1500),
        ({"effective_price_ceiling": "120", "utilisation_ceiling": "150"}, 1200),
    ],
)
def test_a_shortfall_costs_what_the_ceilings_say(ceilings: dict[str, str], price: int | None) -> None:
    """H_ut is 10 hours: the effective ceiling over them, else the utilisation ceiling over them, else no price."""
    [requirement] = weigh(competition=a_competition(**ceilings)).request.requirements
    assert requirement.shortfall_price == price


def test_with_availability_a_shortfall_costs_both_ceilings_over_their_hours_or_has_no_price() -> None:
    """44 hours x 5 + 10 hours x 150; without the utilisation ceiling the two cannot be added up."""
    both = an_availability_competition(availability_ceiling="5", utilisation_ceiling="150")
    assert weigh(competition=both).request.requirements[0].shortfall_price == 44 * 5 + 10 * 150
    one = an_availability_competition(availability_ceiling="5")
    assert weigh(competition=one).request.requirements[0].shortfall_price is None
    effective = an_availability_competition(effective_price_ceiling="20")
    assert weigh(competition=effective).request.requirements[0].shortfall_price == 44 * 20


def test_a_fixed_price_stands_as_its_own_ceiling() -> None:
    fixed = an_availability_competition(availability_fixed_price="4", utilisation_ceiling="150")
    assert weigh(competition=fixed).request.requirements[0].shortfall_price == 44 * 4 + 10 * 150


def test_a_shortfall_price_that_is_asked_for_counts_in_place_of_ceilings() -> None:
    found = weigh(competition=a_competition(utilisation_ceiling="150"), asked=options(shortfall_price="200"))
    assert found.request.requirements[0].shortfall_price == 2000


@pytest.mark.parametrize(
    ("bid", "terms", "code", "numbers"),
    [
        ({"capacity_mw": "0", "offered_mw": "2"}, {}, "NOT_QUALIFIED", {"offered_mw": "2"}),
        ({}, {"utilisation_ceiling": "90"}, "ABOVE_CEILING_UTILISATION", {"price": "100", "ceiling": "90"}),
        ({}, {"effective_price_ceiling": "99"}, "ABOVE_CEILING_EFFECTIVE", {"price": "100", "ceiling": "99"}),
        (
            {"capacity_mw": "0.4", "offered_mw": "2"},
            {"minimum_bid_size": "0.5"},
            "BELOW_MINIMUM",
            {"left_mw": "0.4", "minimum_mw": "0.5"},
        ),
    ],
)
def test_what_bars_a_bid_is_named_with_its_figures(
    bid: dict[str, Any], terms: dict[str, Any], code: str, numbers: dict[str, str]
) -> None:
    found = weigh(an_opened_ballot(1, bid), competition=a_competition(**terms))
    assert [candidate.barred for candidate in found.request.candidates] == [code]
    [reason] = found.set_aside
    assert (reason.bid_id, reason.code, reason.numbers) == (FIRST, code, numbers)
    assert all(number in reason.text for number in numbers.values())


def test_an_availability_price_above_its_ceiling_bars_a_bid() -> None:
    competition = an_availability_competition(availability_ceiling="5")
    found = weigh(an_opened_ballot(1, {"availability_price": "5.5"}), competition=competition)
    assert [reason.code for reason in found.set_aside] == ["ABOVE_CEILING_AVAILABILITY"]


def test_a_bid_smaller_than_the_minimum_from_the_start_is_not_barred_for_it() -> None:
    """It was taken when it was sent: only what a cut left of a bid can be too little."""
    small = an_opened_ballot(1, {"capacity_mw": "0.4", "offered_mw": "0.4"})
    assert weigh(small, competition=a_competition(minimum_bid_size="0.5")).set_aside == ()


def test_without_options_the_competition_stays_as_published() -> None:
    competition = an_availability_competition(utilisation_ceiling="150", effective_price_ceiling="20")
    asked = as_asked(competition, ProposalRequest())
    bid = an_opened_ballot(1, {"availability_price": "30", "utilisation_price": "160"}).bids[0]
    for published, changed in zip(competition.windows, asked.windows, strict=True):
        assert asked.ceilings(changed) == competition.ceilings(published)
        assert changed.capacity_required == published.capacity_required
        assert ceiling_breaches(asked, changed, bid) == ceiling_breaches(competition, published, bid)


def test_what_if_a_window_needed_less_and_had_another_ceiling() -> None:
    windows = (a_window(), a_window(id="win_2", name="Late", start="19:00", end="20:00"))
    competition = a_competition(windows=windows, utilisation_ceiling="150")
    own = {"window_id": "win_2", "capacity_required_mw": "1", "ceilings": {"utilisation": "80"}}
    asked = as_asked(competition, options(windows=[own], ceilings={"utilisation": "120"}))
    assert [window.capacity_required for window in asked.windows] == [Decimal(5), Decimal(1)]
    assert [asked.ceilings(window).utilisation for window in asked.windows] == [Decimal(120), Decimal(80)]


def test_a_requirement_of_nothing_is_another_requirement() -> None:
    asked = as_asked(a_competition(), options(windows=[{"window_id": "win_1", "capacity_required_mw": "0"}]))
    assert asked.windows[0].capacity_required == 0


def test_budget_and_share_are_handed_on_and_bids_left_out_are_not_looked_at() -> None:
    asked = options(budget="1500", maximum_share="0.4", left_out=[FIRST])
    found = weigh(an_opened_ballot(1), an_opened_ballot(2), asked=asked)
    assert (found.request.budget, found.request.maximum_share) == (Decimal(1500), Fraction(2, 5))
    assert [bid.bid_id for bid in found.request.candidates] == ["bid_2-001-0001"]
    assert [(reason.bid_id, reason.code) for reason in found.set_aside] == [(FIRST, "OTHER")]


def test_where_no_dispatch_is_expected_it_is_said_that_prices_alone_are_compared() -> None:
    windows = (a_window(dispatch_estimate=None, dispatch_duration=None),)
    found = weigh(an_opened_ballot(1), competition=a_competition(windows=windows))
    assert [bid.cost_per_mw for bid in found.request.candidates] == [0]
    assert found.notes == (
        "June, Evening: no dispatch is expected, so that bids cost nothing there and are compared by their prices.",
    )
    assert weigh(competition=an_availability_competition(windows=windows)).notes == ()


def test_options_must_name_windows_and_bids_that_there_are() -> None:
    asked = options(
        windows=[{"window_id": "win_9"}, {"window_id": "win_1"}, {"window_id": "win_1"}],
        left_out=["bid_9"],
    )
    bids = {bid.id: bid for bid in an_opened_ballot(1).bids}
    problems = option_problems(asked, {"win_1"}, bids)
    assert [(problem.code, problem.field) for problem in problems] == [
        ("proposal.window", "windows/0/window_id"),
        ("proposal.window_repeated", "windows/2/window_id"),
        ("proposal.bid", "left_out/0"),
    ]
    assert option_problems(options(left_out=[FIRST]), {"win_1"}, bids) == []


def test_a_note_alone_leaves_a_proposal_plain() -> None:
    assert options(note="for the board").is_plain
    assert not options(budget="0").is_plain
    assert not options(windows=[{"window_id": "win_1"}]).is_plain


def test_only_ceilings_make_a_proposal_one_that_nobody_may_decide_from() -> None:
    assert changes_ceilings(options(ceilings={"effective": "1"}))
    assert changes_ceilings(options(windows=[{"window_id": "win_1", "ceilings": {"effective": "1"}}]))
    assert not changes_ceilings(options(budget="1", windows=[{"window_id": "win_1", "capacity_required_mw": "1"}]))


def test_a_proposal_is_overtaken_by_other_needs_and_by_other_bids_and_says_which() -> None:
    made = weigh(an_opened_ballot(1))
    assert stale_sentence(made, weigh(an_opened_ballot(1))) is None
    needs = stale_sentence(
        made, weigh(an_opened_ballot(1), competition=a_competition(windows=(a_window(capacity_required="4"),)))
    )
    assert "what is required of a window" in str(needs)
    cut = stale_sentence(made, weigh(an_opened_ballot(1, {"capacity_mw": "1"})))
    assert "what is left of bids" in str(cut)
