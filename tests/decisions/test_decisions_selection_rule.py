"""Whatever way a selection is found, it is the one that the plain rule finds by trying each."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.decisions.selection import best_selection, is_allowed, worth
from chalicelib.decisions.selection_counting import merit, problem_of
from chalicelib.decisions.selection_merit import bound_of, merit_order
from chalicelib.decisions.selection_milp import solve_by_milp
from chalicelib.decisions.selection_models import SelectionRequest
from chalicelib.decisions.selection_round import solve_round
from chalicelib.decisions.selection_solving import select, solve
from tests.builders.selection import small_requests

FEW_WATTS = 20  # what floats of megawatts cannot tell apart


@given(small_requests())
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


@given(small_requests())
@settings(max_examples=300, deadline=None)
def test_the_whole_programme_keeps_every_constraint_and_misses_the_best_by_a_few_watts_at_most(
    request: SelectionRequest,
) -> None:
    """HiGHS counts in floats: on single watts its answer may be beaten, which is why it is never taken at its word."""
    problem = problem_of(request.in_order())
    best = worth(problem, best_selection(problem))
    found = solve_by_milp(problem, merit_order(problem), request.work)
    own = worth(problem, found.amounts)
    assert is_allowed(problem, found.amounts)
    assert (own.missing, own.cost) >= (best.missing, best.cost)
    assert own.missing <= best.missing + FEW_WATTS
    assert found.missing <= best.missing + FEW_WATTS
    if found.missing == own.missing == best.missing:
        assert found.cost <= best.cost


@given(small_requests())
@settings(max_examples=300, deadline=None)
def test_merit_order_keeps_every_constraint_and_no_bound_is_above_the_best(request: SelectionRequest) -> None:
    problem = problem_of(request.in_order())
    assert is_allowed(problem, merit_order(problem))
    best = worth(problem, best_selection(problem))
    assert bound_of(problem) <= (best.missing, best.cost)


@given(small_requests(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_in_which_rows_come_changes_nothing(request: SelectionRequest, chance: Any) -> None:
    shuffled = {
        "requirements": chance.sample(request.requirements, len(request.requirements)),
        "candidates": chance.sample(request.candidates, len(request.candidates)),
    }
    assert select(request.but(**shuffled)) == select(request)


@given(small_requests())
@settings(max_examples=150, deadline=None)
def test_bargaining_for_assets_is_allowed_and_its_bound_below_the_best(request: SelectionRequest) -> None:
    problem = problem_of(request.in_order())
    best = worth(problem, best_selection(problem))
    found = solve_round(problem, merit_order(problem), solve_by_milp)
    assert is_allowed(problem, found.amounts)
    own = worth(problem, found.amounts)
    assert (own.missing, own.cost) <= worth(problem, merit_order(problem))[:2]
    assert found.missing <= best.missing
    if own.missing == best.missing:
        assert found.cost <= best.cost


@given(small_requests())
@settings(max_examples=200, deadline=None)
def test_every_bid_is_taken_or_told_why_not_and_no_cheap_one_is_merely_dear(request: SelectionRequest) -> None:
    selection = select(request)
    told = {each.bid_id: each for each in selection.not_taken}
    marginal = {window.window_id: window.marginal_bid for window in selection.windows}
    places = {bid.bid_id: place for place, bid in enumerate(sorted(request.candidates, key=merit))}
    assert len(told) == len(selection.not_taken)
    for bid in request.candidates:
        if selection.mw.get(bid.bid_id) == bid.mw:
            assert bid.bid_id not in told
            continue
        reason, last = told[bid.bid_id], marginal[bid.window_id]
        plainly_dear = reason.code == "OUT_OF_MERIT" and "least_mw" not in reason.numbers
        if plainly_dear:
            assert last is not None
            assert places[bid.bid_id] > places[last]
            assert reason.numbers["marginal_bid"] == last
