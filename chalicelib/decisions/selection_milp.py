"""Owns the whole selection as a mixed-integer programme for HiGHS. Carries highspy; for the `solver` bundle alone.

HiGHS reckons in floating point, so its answer is only a suggestion: watts are made whole, judged by the plain rule, and
its bound is lowered by more than its tolerances before anything is called proven.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

import highspy
import numpy as np

from chalicelib.decisions.selection import Amounts, Found, is_allowed, worth
from chalicelib.decisions.selection_merit import bound_of
from chalicelib.decisions.selection_polish import polished
from chalicelib.decisions.selection_problem import Problem
from chalicelib.decisions.selection_programme import ABSOLUTE_SLACK, Programme

SOLVER = "HiGHS"
VERSION = f"{highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}.{highspy.HIGHS_VERSION_PATCH}"
FINE = 1 << 20
# Feasibility tolerances stay as HiGHS has them: with 1e-9 it was seen to call selections optimal that were not.
SETTINGS = (
    ("output_flag", False),
    ("threads", 1),
    ("random_seed", 0),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", ABSOLUTE_SLACK),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    amounts: tuple[Amounts, ...]
    bound: int | None


def solve_by_milp(problem: Problem, start: Amounts, work: int) -> Found:
    """The best selection within so many nodes of branch and bound, no worse than `start`, which must be allowed."""
    least = bound_of(problem)
    missing = least.missing
    if worth(problem, start).missing > missing:
        fewest = _run(Programme(problem, None), start, work)
        start = _better(problem, start, fewest.amounts)
        missing = max(missing, fewest.bound or 0)
    answer = _run(Programme(problem, worth(problem, start).missing), start, work)
    best = _better(problem, start, answer.amounts)
    own = worth(problem, best)
    bounds = [answer.bound, least.cost if own.missing == least.missing else None, _lowest(problem)]
    # A bound above what was found is no bound: the solver erred, and what can be proven without it stands alone.
    sound = [bound for bound in bounds if bound is not None and bound <= own.cost]
    return Found(best, min(missing, own.missing), max(sound), "branch and bound")


def _better(problem: Problem, start: Amounts, found: Iterable[Amounts]) -> Amounts:
    """The best after polishing; what a solver found counts only if the plain rule allows it."""
    allowed = [start, *(amounts for amounts in found if is_allowed(problem, amounts))]
    return min((polished(problem, amounts) for amounts in allowed), key=lambda amounts: worth(problem, amounts))


def _lowest(problem: Problem) -> int:
    return sum(min(row.cost, 0) * row.most for row in problem.rows)


def _run(programme: Programme, start: Amounts, work: int) -> _Answer:
    """Branch and bound, one thread, a fixed seed and a limit in nodes: the same on every machine."""
    solver = highspy.Highs()
    for name, value in (*SETTINGS, ("mip_max_nodes", work)):
        solver.setOptionValue(name, value)
    solver.passModel(_model(programme, whole=True))
    hint = highspy.HighsSolution()
    hint.col_value = programme.columns_of(start)
    solver.setSolution(hint)
    solver.run()
    info = solver.getInfo()
    values = solver.getSolution().col_value if info.primal_solution_status else None
    found = (programme.amounts(values, round), programme.amounts(values, floor)) if values else ()
    return _Answer(found, programme.safe(info.mip_dual_bound))


def _model(programme: Programme, whole: bool) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(programme.cost), len(programme.rows)
    lp.col_cost_, lp.col_lower_ = np.array(programme.cost), np.zeros(len(programme.cost))
    lp.col_upper_ = np.array(programme.upper)
    lp.row_lower_ = np.array([low for _, _, low, _ in programme.rows])
    lp.row_upper_ = np.array([high for _, _, _, high in programme.rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(columns) for columns, _, _, _ in programme.rows)], dtype=np.int32)
    lp.a_matrix_.index_ = np.array([column for columns, _, _, _ in programme.rows for column in columns], np.int32)
    lp.a_matrix_.value_ = np.array([value for _, values, _, _ in programme.rows for value in values])
    if whole:
        kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
        lp.integrality_ = [kinds[each] for each in programme.whole]
    return lp


@dataclass(frozen=True, slots=True)
class Prices:
    """What the linear relaxation pays in money: FINE-th parts of it for a unit of a window, for a place in a choice."""

    units: tuple[int, ...]
    choices: tuple[int, ...]


def relaxed_prices(problem: Problem) -> Prices:
    """The dual prices of the linear relaxation, rounded; a bound made with them holds whatever they are."""
    programme = Programme(problem, sum(need.units for need in problem.needs))
    solver = highspy.Highs()
    for name, value in SETTINGS:
        solver.setOptionValue(name, value)
    solver.passModel(_model(programme, whole=False))
    solver.run()
    duals = solver.getSolution().row_dual
    scale = programme.scale
    units = [round(max(duals[row], 0.0) * scale / unit * FINE) for row, unit in programme.covers]
    return Prices(tuple(units), tuple(round(max(-duals[row], 0.0) * scale) for row in programme.chosen))
