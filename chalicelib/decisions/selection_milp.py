"""Owns the whole selection as a mixed-integer programme for HiGHS. Carries highspy; for the `solver` bundle alone.

HiGHS reckons in floating point, so its answer is only a suggestion: watts are made whole, judged by the plain rule, and
its bound is lowered by more than its tolerances before anything is called proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd, isfinite

import highspy
import numpy as np

from chalicelib.decisions.selection import Amounts, Found, counted_units, is_allowed, worth
from chalicelib.decisions.selection_merit import bound_of
from chalicelib.decisions.selection_polish import polished
from chalicelib.decisions.selection_problem import Choice, Need, Problem

SOLVER = "HiGHS"
VERSION = f"{highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}.{highspy.HIGHS_VERSION_PATCH}"
LARGEST_COST = 1e4
RELATIVE_SLACK, ABSOLUTE_SLACK = 1e-9, 1e-6
SETTINGS = (
    ("output_flag", False),
    ("threads", 1),
    ("random_seed", 0),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", ABSOLUTE_SLACK),
    ("mip_feasibility_tolerance", 1e-9),
    ("primal_feasibility_tolerance", 1e-9),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    amounts: Amounts | None
    bound: int | None


def solve_by_milp(problem: Problem, start: Amounts, work: int) -> Found:
    """The best selection within so many nodes of branch and bound, no worse than `start`, which must be allowed."""
    least = bound_of(problem)
    missing = least.missing
    if worth(problem, start).missing > missing:
        fewest = _Programme(problem, None).solve(start, work)
        start = _better(problem, start, fewest.amounts)
        missing = max(missing, fewest.bound or 0)
    answer = _Programme(problem, worth(problem, start).missing).solve(start, work)
    best = _better(problem, start, answer.amounts)
    bounds = [answer.bound, least.cost if worth(problem, best).missing == least.missing else None, _lowest(problem)]
    return Found(best, missing, max(bound for bound in bounds if bound is not None), "branch and bound")


def _better(problem: Problem, start: Amounts, found: Amounts | None) -> Amounts:
    """The better of the two after polishing; what a solver found counts only if the plain rule allows it."""
    tried = [polished(problem, start)]
    if found is not None and is_allowed(problem, found):
        tried.append(polished(problem, found))
    return min(tried, key=lambda amounts: worth(problem, amounts))


def _lowest(problem: Problem) -> int:
    return sum(min(row.cost, 0) * row.most for row in problem.rows)


class _Programme:
    """The problem as columns and rows: a switch for each bid or linked group, watts where a bid is divisible."""

    def __init__(self, problem: Problem, missing: int | None) -> None:
        """`missing` None: fewest units short without a price; else least cost with no more short than that."""
        self.problem, self.missing = problem, missing
        self._cost: list[float] = []
        self._upper: list[float] = []
        self._whole: list[bool] = []
        self._rows: list[tuple[list[int], list[float], float, float]] = []
        self._watt = gcd(*(watts for row in problem.rows for watts in (row.least, row.most))) or 1
        self._scale = self._largest() / LARGEST_COST or 1.0
        self._switch = self._switches()
        self._watts = [self._amount(number) for number in range(len(problem.rows))]
        self._owed = [self._owing(window) for window in range(len(problem.needs))]
        self._constrain()

    def solve(self, start: Amounts, work: int) -> _Answer:
        """Branch and bound, one thread, a fixed seed and a limit in nodes: the same on every machine."""
        solver = self._loaded(work)
        hint = highspy.HighsSolution()
        hint.col_value = self._columns_of(start)
        solver.setSolution(hint)
        solver.run()
        info = solver.getInfo()
        values = solver.getSolution().col_value if info.primal_solution_status else None
        return _Answer(self._amounts(values) if values else None, self._safe(info.mip_dual_bound))

    def _largest(self) -> float:
        if self.missing is None:
            return float(max((need.units for need in self.problem.needs), default=1))
        return float(max((abs(row.cost) * row.most for row in self.problem.rows), default=1))

    def _column(self, cost: float, upper: float, whole: bool) -> int:
        self._cost.append(cost / self._scale)
        self._upper.append(upper)
        self._whole.append(whole)
        return len(self._cost) - 1

    def _row(self, terms: Iterable[tuple[int, float]], low: float, high: float) -> None:
        summed: dict[int, float] = {}
        for column, value in terms:
            summed[column] = summed.get(column, 0.0) + value
        self._rows.append((list(summed), list(summed.values()), low, high))

    def _switches(self) -> list[int | None]:
        """A column per bid that is taken or not; linked bids share theirs; freely divisible ones need none."""
        problem = self.problem
        chosen = {number for choice in problem.choices for group in choice.groups for number in group}
        linked = {number: link[0] for link in problem.links for number in link}
        columns: dict[int, int] = {}
        switches: list[int | None] = []
        for number, row in enumerate(problem.rows):
            head = linked.get(number, number)
            if row.least == 1 < row.most and number not in chosen and number not in linked:
                switches.append(None)
                continue
            if head not in columns:
                columns[head] = self._column(0.0, 1.0, True)
            switches.append(columns[head])
            if row.least == row.most:
                self._cost[columns[head]] += self._price(number) * row.most / self._scale
        return switches

    def _price(self, number: int) -> float:
        return 0.0 if self.missing is None else float(self.problem.rows[number].cost)

    def _amount(self, number: int) -> tuple[int, float]:
        """The column that says how much of a row is taken, and watts per unit of it."""
        row, switch = self.problem.rows[number], self._switch[number]
        if switch is not None and row.least == row.most:
            return switch, float(row.most)
        column = self._column(self._price(number) * self._watt, row.most / self._watt, False)
        if switch is not None:
            self._row([(column, 1.0), (switch, -row.most / self._watt)], -highspy.kHighsInf, 0.0)
            self._row([(column, 1.0), (switch, -row.least / self._watt)], 0.0, highspy.kHighsInf)
        return column, float(self._watt)

    def _owing(self, window: int) -> tuple[int, int | None, float]:
        """The columns of a window's shortfall and, where it is charged, of what is bought beyond; and their unit."""
        need = self.problem.needs[window]
        rows = [row for row in self.problem.rows if row.window == window]
        unit = float(gcd(need.units, *(row.counts * watts for row in rows for watts in (row.least, row.most))) or 1)
        fewest = self.missing is None
        price = (1.0 if need.price is None else 0.0) if fewest else float(need.price or 0)
        short = self._column(price * unit, need.units / unit, False)
        if fewest or not need.over:
            return short, None, unit
        return short, self._column(need.over * unit, highspy.kHighsInf, False), unit

    def _constrain(self) -> None:
        for window, need in enumerate(self.problem.needs):
            self._cover(window, need)
        for choice in self.problem.choices:
            self._choose(choice)
        for cap in self.problem.caps:
            unit = float(gcd(*(weight * self._watt for weight in cap.weights)) or 1)
            terms = [self._term(number, weight / unit) for number, weight in zip(cap.rows, cap.weights, strict=True)]
            self._row(terms, -highspy.kHighsInf, cap.limit / unit)
        if self.missing is not None:
            self._bound_missing(self.missing)

    def _term(self, number: int, weight: float) -> tuple[int, float]:
        column, watts = self._watts[number]
        return column, watts * weight

    def _cover(self, window: int, need: Need) -> None:
        short, beyond, unit = self._owed[window]
        rows = [number for number, row in enumerate(self.problem.rows) if row.window == window]
        terms = [(short, 1.0), *(self._term(number, self.problem.rows[number].counts / unit) for number in rows)]
        self._row(terms, need.units / unit, highspy.kHighsInf)
        if beyond is not None:
            self._row(
                [(beyond, 1.0), *((column, -value) for column, value in terms[1:])],
                -need.units / unit,
                highspy.kHighsInf,
            )

    def _choose(self, choice: Choice) -> None:
        marks = []
        for group in choice.groups:
            switches = sorted({switch for number in group if (switch := self._switch[number]) is not None})
            marks.append(switches[0] if len(switches) == 1 else self._any_of(switches))
        self._row([(mark, 1.0) for mark in marks], -highspy.kHighsInf, 1.0)

    def _any_of(self, switches: Sequence[int]) -> int:
        mark = self._column(0.0, 1.0, False)
        for switch in switches:
            self._row([(mark, 1.0), (switch, -1.0)], 0.0, highspy.kHighsInf)
        return mark

    def _bound_missing(self, missing: int) -> None:
        unpriced = [owed for owed, need in zip(self._owed, self.problem.needs, strict=True) if need.price is None]
        if unpriced:
            unit = float(gcd(missing, *(int(unit) for _, _, unit in unpriced)))
            self._row([(short, own / unit) for short, _, own in unpriced], -highspy.kHighsInf, missing / unit)

    def _loaded(self, work: int) -> highspy.Highs:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self._cost), len(self._rows)
        lp.col_cost_, lp.col_lower_ = np.array(self._cost), np.zeros(len(self._cost))
        lp.col_upper_ = np.array(self._upper)
        lp.row_lower_ = np.array([low for _, _, low, _ in self._rows])
        lp.row_upper_ = np.array([high for _, _, _, high in self._rows])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *(len(columns) for columns, _, _, _ in self._rows)], dtype=np.int32)
        lp.a_matrix_.index_ = np.array([column for columns, _, _, _ in self._rows for column in columns], np.int32)
        lp.a_matrix_.value_ = np.array([value for _, values, _, _ in self._rows for value in values])
        kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
        lp.integrality_ = [kinds[whole] for whole in self._whole]
        solver = highspy.Highs()
        for name, value in (*SETTINGS, ("mip_max_nodes", work)):
            solver.setOptionValue(name, value)
        solver.passModel(lp)
        return solver

    def _columns_of(self, amounts: Amounts) -> list[float]:
        """A selection as column values; columns that follow from others are left to the solver."""
        values = [0.0] * len(self._cost)
        for number, taken in enumerate(amounts):
            if taken:
                column, watts = self._watts[number]
                values[column] = taken / watts
                switch = self._switch[number]
                if switch is not None:
                    values[switch] = 1.0
        counted = counted_units(self.problem, amounts)
        for (short, beyond, unit), need, units in zip(self._owed, self.problem.needs, counted, strict=True):
            values[short] = max(need.units - units, 0) / unit
            if beyond is not None:
                values[beyond] = max(units - need.units, 0) / unit
        return values

    def _amounts(self, values: Sequence[float]) -> Amounts:
        return tuple(self._whole_watts(number, values) for number in range(len(self.problem.rows)))

    def _whole_watts(self, number: int, values: Sequence[float]) -> int:
        row, switch = self.problem.rows[number], self._switch[number]
        if switch is not None and values[switch] < 0.5:
            return 0
        if row.least == row.most:
            return row.most
        column, watts = self._watts[number]
        taken = round(values[column] * watts)
        return 0 if switch is None and taken <= 0 else min(max(taken, row.least), row.most)

    def _safe(self, bound: float) -> int | None:
        """The solver's bound, lowered by more than its tolerances and then raised to the next sum there is."""
        if not isfinite(bound):
            return None
        exact = Fraction(bound)
        low = exact - Fraction(RELATIVE_SLACK) * abs(exact) - Fraction(ABSOLUTE_SLACK)
        step = 1 if self.missing is None else self._step()
        return ceil(low * Fraction(self._scale) / step) * step

    def _step(self) -> int:
        """Every cost there can be is a whole multiple of this."""
        rows, needs = self.problem.rows, self.problem.needs
        costs = [row.cost * (row.most if row.least == row.most else 1) for row in rows]
        return gcd(*costs, *(need.price or 0 for need in needs), *(need.over for need in needs)) or 1
