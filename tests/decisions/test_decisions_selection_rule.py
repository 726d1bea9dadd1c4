"""Whatever way a selection is found, it is the one that the plain rule finds by trying each."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.decisions.selection import best_selection, is_allowed, worth
from chalicelib.decisions.selection_merit import bound_of, merit_order
from chalicelib.decisions.selection_milp import solve_by_milp
from chalicelib.decisions.selection_models import Candidate, SelectionRequest
from chalicelib.decisions.selection_problem import problem_of
from chalicelib.decisions.selection_solving import select, solve
from tests.builders.selection import a_bid, a_request

WATT = Decimal("0.000001")
MEGA = 1_000_000


@st.composite
def some_bids(draw: st.DrawFn) -> tuple[Candidate, ...]:
    """Up to six bids of a few watts in two windows, with everything a bid may have."""
    return tuple(_a_small_bid(draw, number) for number in range(draw(st.integers(0, 6))))


def _a_small_bid(draw: st.DrawFn, number: int) -> Candidate:
    mw = draw(st.integers(1, 4))
    least = draw(st.none() | st.integers(1, mw))
    group = draw(st.sampled_from([None, None, "linked", "exclusive"]))
    fields: dict[str, Any] = {
        "window_id": draw(st.sampled_from(["w1", "w1", "w2"])),
        "ballot_id": draw(st.sampled_from(["bal_1", "bal_2", "bal_3"])),
        "fsp": draw(st.sampled_from(["org_1", "org_2"])),
        "minimum_mw": None if least is None else least * WATT,
        "linked_group": "together" if group == "linked" else None,
        "exclusive_group": "either" if group == "exclusive" else None,
        "asset_ids": tuple(draw(st.sets(st.sampled_from(["a", "b", "c"]), max_size=2))),
        "impact": Fraction(draw(st.sampled_from(["1", "1", "1/2", "2/3"]))),
        "minute": draw(st.integers(0, 2)),
        "barred": draw(st.sampled_from([None, None, None, "NOT_QUALIFIED"])),
    }
    price = draw(st.sampled_from([-2, 0, 1, 2, 3, 5])) * MEGA
    return a_bid(f"bid_{number}", f"{mw * WATT:f}", price, **fields)


@st.composite
def requests(draw: st.DrawFn) -> SelectionRequest:
    price = st.none() | st.sampled_from([Fraction(2 * MEGA), Fraction(4 * MEGA)])
    needed = {"w1": draw(st.integers(0, 7)) * WATT, "w2": draw(st.integers(0, 3)) * WATT}
    return a_request(
        *draw(some_bids()),
        mw={window: f"{mw:f}" for window, mw in needed.items()},
        shortfall_price={"w1": draw(price), "w2": draw(price)},
        together=draw(st.sampled_from([(), (("w1", "w2"),)])),
        ballot_mw=draw(st.sampled_from([{}, {"bal_1": 3 * WATT, "bal_2": 2 * WATT}])),
        budget=draw(st.none() | st.sampled_from([Decimal(4), Decimal(12)])),
        maximum_share=draw(st.none() | st.just(Fraction(1, 2))),
    )


@given(requests())
@settings(max_examples=300, deadline=None)
def test_a_selection_is_as_good_as_the_best_of_all(request: SelectionRequest) -> None:
    problem = problem_of(request.in_order())
    best = worth(problem, best_selection(problem))
    found = solve(problem, request.work)
    assert is_allowed(problem, found.amounts)
    own = worth(problem, found.amounts)
    assert (own.missing, own.cost) == (best.missing, best.cost)
    assert found.missing <= best.missing
    assert found.cost <= best.cost


@given(requests())
@settings(max_examples=300, deadline=None)
def test_the_whole_programme_is_as_good_as_the_best_of_all(request: SelectionRequest) -> None:
    problem = problem_of(request.in_order())
    best = worth(problem, best_selection(problem))
    found = solve_by_milp(problem, merit_order(problem), request.work)
    own = worth(problem, found.amounts)
    assert is_allowed(problem, found.amounts)
    assert (own.missing, own.cost) == (best.missing, best.cost)
    assert (found.missing, found.cost) <= (best.missing, best.cost)


@given(requests())
@settings(max_examples=300, deadline=None)
def test_merit_order_keeps_every_constraint_and_no_bound_is_above_the_best(request: SelectionRequest) -> None:
    problem = problem_of(request.in_order())
    assert is_allowed(problem, merit_order(problem))
    best = worth(problem, best_selection(problem))
    assert bound_of(problem) <= (best.missing, best.cost)


@given(requests(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_in_which_rows_come_changes_nothing(request: SelectionRequest, chance: Any) -> None:
    shuffled = {
        "requirements": chance.sample(request.requirements, len(request.requirements)),
        "candidates": chance.sample(request.candidates, len(request.candidates)),
    }
    assert select(request.but(**shuffled)) == select(request)
