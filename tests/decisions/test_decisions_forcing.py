"""Bids forced into a what-if: bought whole with their linked ones, the rest chosen at least cost beside them."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.decisions.asking import option_problems, stale_sentence
from chalicelib.decisions.forcing import put_back, set_in
from chalicelib.decisions.models_proposals import Weighed
from chalicelib.decisions.selection_models import Candidate, Selection, SelectionRequest
from chalicelib.decisions.selection_solving import select
from tests.builders.bidding import CLOSES, a_competition, a_window
from tests.builders.proposals import an_opened_ballot, options, weigh

FIRST, SECOND = "bid_1-001-0001", "bid_2-001-0001"
DEAR = {"utilisation_price": "300"}


def selected(weighed: Weighed) -> Selection:
    return put_back(select(weighed.request), weighed.forced)


def test_a_dear_bid_that_is_forced_in_is_bought_and_the_rest_beside_it() -> None:
    """3 of 5 MW are left: the bid of 2 MW at 100 and 3 MW short of nothing; the dear one sets the marginal price."""
    ballots = an_opened_ballot(1, DEAR), an_opened_ballot(2)
    found = selected(weigh(*ballots, asked=options(forced_in=[FIRST])))
    assert found.mw == {FIRST: Decimal(2), SECOND: Decimal(2)}
    assert (found.cost, found.total, found.proven) == (8000, 8000, True)
    [window] = found.windows
    assert (window.required_mw, window.accepted_mw, window.shortfall_mw) == (Decimal(5), Decimal(4), Decimal(1))
    assert (window.marginal_price, window.marginal_bid) == (300, FIRST)
    assert window.message == "2 of 2 bids taken, 1 of them forced in: 4 MW for 5 MW required, 1 MW short."


def test_what_is_forced_in_beyond_the_requirement_is_named() -> None:
    competition = a_competition(windows=(a_window(capacity_required="1"),))
    found = selected(
        weigh(an_opened_ballot(1), an_opened_ballot(2), competition=competition, asked=options(forced_in=[FIRST]))
    )
    [window] = found.windows
    assert (window.over_procured_mw, window.over_procured_by) == (Decimal(1), FIRST)
    assert [reason.code for reason in found.not_taken] == ["NOT_REQUIRED"]


def test_a_linked_bid_comes_with_its_group_and_an_exclusive_one_keeps_the_others_out() -> None:
    linked = an_opened_ballot(1, {**DEAR, "linked_group": "L"}, {**DEAR, "linked_group": "L", "split": 2})
    assert len(selected(weigh(linked, asked=options(forced_in=[FIRST]))).mw) == 2
    exclusive = an_opened_ballot(1, {**DEAR, "exclusive_group": "X"}, {"exclusive_group": "X", "split": 2})
    found = selected(weigh(exclusive, asked=options(forced_in=[FIRST])))
    assert list(found.mw) == [FIRST]
    assert [reason.code for reason in found.not_taken] == ["EXCLUSIVE_ALTERNATIVE"]


def test_what_is_forced_in_is_paid_from_the_budget_first() -> None:
    ballots = an_opened_ballot(1, DEAR), an_opened_ballot(2)
    spent = selected(weigh(*ballots, asked=options(forced_in=[FIRST], budget="7999.99")))
    assert list(spent.mw) == [FIRST]
    assert [reason.code for reason in spent.not_taken] == ["BUDGET_EXHAUSTED"]
    enough = selected(weigh(*ballots, asked=options(forced_in=[FIRST], budget="8000")))
    assert list(enough.mw) == [FIRST, SECOND]


def test_assets_that_are_forced_in_are_sold_once() -> None:
    """Two windows at once, and assets of 2 MW: what one of them has the other cannot."""
    both = a_competition(windows=(a_window(), a_window(id="win_2", name="Late")))
    ballot = an_opened_ballot(1, DEAR, {"window_id": "win_2"})
    weighed = weigh(ballot, competition=both, asked=options(forced_in=[FIRST]))
    assert weighed.request.ballot_mw == {"bal_1": Decimal(8)}
    apart = a_competition(windows=(a_window(), a_window(id="win_2", name="Late", start="20:00", end="21:00")))
    assert weigh(ballot, competition=apart, asked=options(forced_in=[FIRST])).request.ballot_mw == {
        "bal_1": Decimal(10)
    }


@pytest.mark.parametrize(
    ("ballot", "asked", "code"),
    [
        (({},), {"left_out": [FIRST], "forced_in": [FIRST]}, "proposal.forced"),
        (({"capacity_mw": "0", "offered_mw": "2"},), {"forced_in": [FIRST]}, "proposal.forced"),
        (
            ({"exclusive_group": "X"}, {"exclusive_group": "X", "split": 2}),
            {"forced_in": [FIRST, "bid_1-001-0002"]},
            "proposal.forced",
        ),
        (
            ({"linked_group": "L"}, {"linked_group": "L", "split": 2}),
            {"left_out": ["bid_1-001-0002"], "forced_in": [FIRST]},
            "proposal.forced",
        ),
        (({},), {"forced_in": ["bid_9"]}, "proposal.bid"),
        (({},), {"forced_in": [FIRST], "maximum_share": "0.5"}, "proposal.share_forced"),
    ],
)
def test_what_cannot_be_forced_in_is_said(ballot: Any, asked: dict[str, Any], code: str) -> None:
    bids = {bid.id: bid for bid in an_opened_ballot(1, *ballot).bids}
    assert [problem.code for problem in option_problems(options(**asked), {"win_1"}, bids)] == [code]


def test_a_forced_bid_that_was_cut_since_makes_its_proposal_stale() -> None:
    asked = options(forced_in=[FIRST])
    made = weigh(an_opened_ballot(1), asked=asked)
    assert stale_sentence(made, weigh(an_opened_ballot(1), asked=asked)) is None
    assert stale_sentence(made, weigh(an_opened_ballot(1, {"capacity_mw": "1"}), asked=asked)) is not None


def test_where_nothing_is_forced_in_nothing_is_changed() -> None:
    weighed = weigh(an_opened_ballot(1))
    assert weighed.forced is None
    assert selected(weighed) == select(weighed.request)
    assert set_in(weighed.request, set()) == (weighed.request, None)


BIDS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(50, 150), st.sampled_from([None, "a", "b"])), min_size=1, max_size=5
)


@settings(max_examples=60, deadline=None)
@given(bids=BIDS, needed=st.integers(0, 8), place=st.integers(0, 4), price=st.sampled_from([None, 90, 200]))
def test_the_whole_costs_no_more_than_any_selection_that_has_the_forced_bid(
    bids: list[tuple[int, int, str | None]], needed: int, place: int, price: int | None
) -> None:
    """Held to trying all: whole bids of one window, some excluding each other, one of them forced in."""
    request = SelectionRequest.model_validate(
        {
            "requirements": [{"window_id": "win_1", "mw": needed, "shortfall_price": price}],
            "candidates": [a_candidate(number, *bid) for number, bid in enumerate(bids)],
        }
    )
    forced_id = f"bid_{place % len(bids)}"
    left, forced = set_in(request, {forced_id})
    found = put_back(select(left.in_order()), forced)
    assert found.mw[forced_id] == bids[place % len(bids)][0]
    every = [worth(taken, needed, price) for taken in allowed(request.candidates) if forced_id in ids(taken)]
    assert worth([bid for bid in request.candidates if bid.bid_id in found.mw], needed, price) == min(every)


def a_candidate(number: int, mw: int, cost: int, group: str | None) -> dict[str, Any]:
    of = {"bid_id": f"bid_{number}", "ballot_id": f"bal_{number}", "fsp": "org_fsp1", "window_id": "win_1"}
    return {
        **of,
        "mw": mw,
        "cost_per_mw": cost,
        "effective_price": cost,
        "submitted_at": CLOSES,
        "exclusive_group": group,
    }


def ids(taken: list[Candidate]) -> set[str]:
    return {bid.bid_id for bid in taken}


def allowed(candidates: tuple[Candidate, ...]) -> list[list[Candidate]]:
    sets = [
        [bid for bid, is_in in zip(candidates, chosen, strict=True) if is_in]
        for chosen in product((False, True), repeat=len(candidates))
    ]
    groups = [[bid.exclusive_group for bid in taken if bid.exclusive_group] for taken in sets]
    return [taken for taken, own in zip(sets, groups, strict=True) if len(own) == len(set(own))]


def worth(taken: list[Candidate], needed: int, price: int | None) -> tuple[Any, Any]:
    short = max(needed - sum(int(bid.mw) for bid in taken), 0)
    cost = sum(bid.cost_per_mw * int(bid.mw) for bid in taken)
    return (short, cost) if price is None else (0, cost + short * price)
