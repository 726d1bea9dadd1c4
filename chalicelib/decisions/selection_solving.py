"""Owns how a selection is found: in parts, each by the quickest way that proves it. Carries the solver bundle.

The same request gets the same answer on every machine, in whatever order its rows come: rows are put in merit order,
searches are bounded in steps and not in seconds, and there is no chance in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from chalicelib.decisions.selection import Amounts, Found, best_selection, is_allowed, worth
from chalicelib.decisions.selection_core import solve_around_margin, solve_whole_bids
from chalicelib.decisions.selection_counting import problem_of
from chalicelib.decisions.selection_merit import bound_of, merit_order
from chalicelib.decisions.selection_milp import SOLVER, VERSION, solve_by_milp
from chalicelib.decisions.selection_models import Selection, SelectionRequest
from chalicelib.decisions.selection_parts import Part, parts_of, without_budget, without_sold_once
from chalicelib.decisions.selection_problem import Problem
from chalicelib.decisions.selection_round import solve_round
from chalicelib.decisions.selection_telling import told

SMALL = 512
# The nodes allowed are for a part of USUAL bids, and fewer for more, since each takes longer; beyond PROGRAMME, none.
USUAL, PROGRAMME = 50, 2_000


def select(request: SelectionRequest) -> Selection:
    """The cheapest selection there is, or the best found, with its proof and a reason for every bid."""
    request = request.in_order()
    problem = problem_of(request)
    return told(request, problem, solve(problem, request.work), merit_order(problem), SOLVER, VERSION)


def solve(problem: Problem, work: int) -> Found:
    """The best selection of a problem: without the budget first, then within it where that is too dear."""
    freely = without_budget(problem)
    found = _in_parts(freely, work)
    return found if is_allowed(problem, found.amounts) else _in_parts(problem, work)


def _in_parts(problem: Problem, work: int) -> Found:
    parts = parts_of(problem)
    return _joined(problem, parts, [solve_part(part, work) for part in parts])


def solve_part(part: Part, work: int) -> Found:
    """One part: by merit order where its own bound proves it, by trying all where few, else by solver."""
    problem = part.problem
    bought = merit_order(problem)
    own, least = worth(problem, bought), bound_of(problem)
    if part.is_one_window and (own.missing, own.cost) <= least and own.idle == 0:
        return Found(bought, least.missing, own.cost, "merit order")
    if prod(row.most - row.least + 2 for row in problem.rows) <= SMALL:
        best = best_selection(problem)
        return Found(best, worth(problem, best).missing, worth(problem, best).cost, "every selection tried")
    found = _one_window(problem, bought, work) if part.is_one_window else _sold_once(problem, bought)
    if found is not None and (part.is_one_window or len(problem.rows) > PROGRAMME):
        return found
    start = bought if found is None else found.amounts
    return solve_by_milp(problem, start, max(1, work * USUAL**2 // len(problem.rows) ** 2))


def _sold_once(problem: Problem, bought: Amounts) -> Found | None:
    """Bargaining, where assets alone join windows that would else buy apart."""
    if len(parts_of(without_sold_once(problem))) == 1:
        return None
    return solve_round(problem, bought, lambda small, _, work: _in_parts(small, work))


def _one_window(problem: Problem, bought: Amounts, work: int) -> Found | None:
    return solve_whole_bids(problem, bought, work) or solve_around_margin(problem, bought, work, solve_by_milp)


def _joined(problem: Problem, parts: Sequence[Part], found: Sequence[Found]) -> Found:
    amounts = [0] * len(problem.rows)
    for part, own in zip(parts, found, strict=True):
        for place, taken in zip(part.places, own.amounts, strict=True):
            amounts[place] = taken
    methods = dict.fromkeys(sorted(own.method for own in found))
    return Found(tuple(amounts), sum(own.missing for own in found), sum(own.cost for own in found), ", ".join(methods))
