"""Owns a selection as a mixed-integer programme: columns, rows and what they mean, in floating point for a solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import ceil, gcd, inf, isfinite

from chalicelib.decisions.selection import Amounts, counted_units
from chalicelib.decisions.selection_problem import Choice, Need, Problem

LARGEST_COST = 1e4
LARGEST_VALUE = 1e3
# Steps up to which an amount is searched whole; beyond, a fraction of a step is rounded away afterwards.
FEW = 16
RELATIVE_SLACK, ABSOLUTE_SLACK = 1e-9, 1e-6


class Programme:
    """The problem as columns and rows: a switch for each bid or linked group, watts where a bid is divisible."""

    def __init__(self, problem: Problem, missing: int | None) -> None:
        """`missing` None: fewest units short without a price; else least cost with no more short than that."""
        self.problem, self.missing = problem, missing
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.rows: list[tuple[list[int], list[float], float, float]] = []
        self._watt = gcd(*(watts for row in problem.rows for watts in (row.least, row.most))) or 1
        self.scale = self._largest() / LARGEST_COST or 1.0
        self._rows_of = _by_window(problem)
        self._switch = self._switches()
        self._watts = [self._amount(number) for number in range(len(problem.rows))]
        self._owed = [self._owing(window) for window in range(len(problem.needs))]
        self.covers: list[tuple[int, float]] = []
        self.chosen: list[int] = []
        self._constrain()

    def _largest(self) -> float:
        if self.missing is None:
            return float(max((need.units for need in self.problem.needs), default=1))
        return float(max((abs(row.cost) * row.most for row in self.problem.rows), default=1))

    def _column(self, cost: float, upper: float, whole: bool) -> int:
        self.cost.append(cost / self.scale)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def _row(self, terms: Iterable[tuple[int, float]], low: float, high: float) -> float:
        summed: dict[int, float] = {}
        for column, value in terms:
            summed[column] = summed.get(column, 0.0) + value
        # Figures of watts would drown the solver's tolerances: no row has one above LARGEST_VALUE.
        scale = max(1.0, max(map(abs, summed.values()), default=0.0) / LARGEST_VALUE)
        self.rows.append((list(summed), [value / scale for value in summed.values()], low / scale, high / scale))
        return scale

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
                self.cost[columns[head]] += self._price(number) * row.most / self.scale
        return switches

    def _price(self, number: int) -> float:
        return 0.0 if self.missing is None else float(self.problem.rows[number].cost)

    def _amount(self, number: int) -> tuple[int, float]:
        """The column that says how much of a row is taken, and watts per unit of it."""
        row, switch = self.problem.rows[number], self._switch[number]
        if switch is not None and row.least == row.most:
            return switch, float(row.most)
        few = row.most <= FEW * self._watt
        column = self._column(self._price(number) * self._watt, row.most / self._watt, few)
        if switch is not None:
            self._row([(column, 1.0), (switch, -row.most / self._watt)], -inf, 0.0)
            self._row([(column, 1.0), (switch, -row.least / self._watt)], 0.0, inf)
        return column, float(self._watt)

    def _owing(self, window: int) -> tuple[int, int | None, float]:
        """The columns of a window's shortfall and, where it is charged, of what is bought beyond; and their unit."""
        need = self.problem.needs[window]
        rows = [self.problem.rows[number] for number in self._rows_of[window]]
        unit = float(gcd(need.units, *(row.counts * watts for row in rows for watts in (row.least, row.most))) or 1)
        fewest = self.missing is None
        price = (1.0 if need.price is None else 0.0) if fewest else float(need.price or 0)
        short = self._column(price * unit, need.units / unit, False)
        if fewest or not need.over:
            return short, None, unit
        return short, self._column(need.over * unit, inf, False), unit

    def _constrain(self) -> None:
        for window, need in enumerate(self.problem.needs):
            self._cover(window, need)
        for choice in self.problem.choices:
            self._choose(choice)
        for cap in self.problem.caps:
            unit = float(gcd(*(weight * self._watt for weight in cap.weights)) or 1)
            terms = [self._term(number, weight / unit) for number, weight in zip(cap.rows, cap.weights, strict=True)]
            self._row(terms, -inf, cap.limit / unit)
        if self.missing is not None:
            self._bound_missing(self.missing)

    def _term(self, number: int, weight: float) -> tuple[int, float]:
        column, watts = self._watts[number]
        return column, watts * weight

    def _cover(self, window: int, need: Need) -> None:
        short, beyond, unit = self._owed[window]
        rows = self._rows_of[window]
        terms = [(short, 1.0), *(self._term(number, self.problem.rows[number].counts / unit) for number in rows)]
        place = len(self.rows)
        self.covers.append((place, unit * self._row(terms, need.units / unit, inf)))
        if beyond is not None:
            self._row(
                [(beyond, 1.0), *((column, -value) for column, value in terms[1:])],
                -need.units / unit,
                inf,
            )

    def _choose(self, choice: Choice) -> None:
        marks = []
        for group in choice.groups:
            switches = sorted({switch for number in group if (switch := self._switch[number]) is not None})
            marks.append(switches[0] if len(switches) == 1 else self._any_of(switches))
        self.chosen.append(len(self.rows))
        self._row([(mark, 1.0) for mark in marks], -inf, 1.0)

    def _any_of(self, switches: Sequence[int]) -> int:
        mark = self._column(0.0, 1.0, False)
        for switch in switches:
            self._row([(mark, 1.0), (switch, -1.0)], 0.0, inf)
        return mark

    def _bound_missing(self, missing: int) -> None:
        unpriced = [owed for owed, need in zip(self._owed, self.problem.needs, strict=True) if need.price is None]
        if unpriced:
            unit = float(gcd(missing, *(int(unit) for _, _, unit in unpriced)))
            self._row([(short, own / unit) for short, _, own in unpriced], -inf, missing / unit)

    def columns_of(self, amounts: Amounts) -> list[float]:
        """A selection as column values; columns that follow from others are left to the solver."""
        values = [0.0] * len(self.cost)
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

    def amounts(self, values: Sequence[float], whole: Callable[[float], int]) -> Amounts:
        """A solution in watts, `whole` (round or floor) making them so."""
        return tuple(self._whole_watts(number, values, whole) for number in range(len(self.problem.rows)))

    def _whole_watts(self, number: int, values: Sequence[float], whole: Callable[[float], int]) -> int:
        row, switch = self.problem.rows[number], self._switch[number]
        if switch is not None and values[switch] < 0.5:
            return 0
        if row.least == row.most:
            return row.most
        column, watts = self._watts[number]
        taken = whole(values[column] * watts)
        return 0 if switch is None and taken <= 0 else min(max(taken, row.least), row.most)

    def safe(self, bound: float) -> int | None:
        """The solver's bound, lowered by more than its tolerances and then raised to the next sum there is."""
        if not isfinite(bound):
            return None
        exact = Fraction(bound)
        low = exact - Fraction(RELATIVE_SLACK) * abs(exact) - Fraction(ABSOLUTE_SLACK)
        step = 1 if self.missing is None else self._step()
        return ceil(low * Fraction(self.scale) / step) * step

    def _step(self) -> int:
        """Every cost there can be is a whole multiple of this."""
        rows, needs = self.problem.rows, self.problem.needs
        costs = [row.cost * (row.most if row.least == row.most else 1) for row in rows]
        return gcd(*costs, *(need.price or 0 for need in needs), *(need.over for need in needs)) or 1


def _by_window(problem: Problem) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in problem.needs]
    for number, row in enumerate(problem.rows):
        rows[row.window].append(number)
    return rows
