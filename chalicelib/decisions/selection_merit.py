"""Owns buying in merit order: the selection anybody can check by hand, and the least that any selection can cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from chalicelib.decisions.selection import Amounts
from chalicelib.decisions.selection_problem import Need, Problem, Row


class Bound(NamedTuple):
    """No allowed selection has fewer units short without a price, nor, with that many, a cost below this."""

    missing: int
    cost: int


class Basket:
    """A selection being built: what each row has, what windows still need, and what constraints leave."""

    def __init__(self, problem: Problem, amounts: Iterable[int] = ()) -> None:
        self.problem = problem
        self.amounts = [0] * len(problem.rows)
        self.short = [need.units for need in problem.needs]
        self.links = {number: link for link in problem.links for number in link}
        self._left = [cap.limit for cap in problem.caps]
        self._caps: list[list[tuple[int, int]]] = [[] for _ in problem.rows]
        for place, cap in enumerate(problem.caps):
            for number, weight in zip(cap.rows, cap.weights, strict=True):
                self._caps[number].append((place, weight))
        self._groups: list[list[tuple[int, int]]] = [[] for _ in problem.rows]
        for place, choice in enumerate(problem.choices):
            for mark, group in enumerate(choice.groups):
                for number in group:
                    self._groups[number].append((place, mark))
        self._holder: list[dict[int, int]] = [{} for _ in problem.choices]
        for number, taken in enumerate(amounts):
            if taken:
                self.put(number, taken)

    def unit(self, number: int) -> tuple[int, ...]:
        """The rows that are taken together with a row."""
        return self.links.get(number, (number,))

    def put(self, number: int, taken: int) -> None:
        """Set the watts of a row, whatever it had."""
        before = self.amounts[number]
        row = self.problem.rows[number]
        self.amounts[number] = taken
        self.short[row.window] -= (taken - before) * row.counts
        for place, weight in self._caps[number]:
            self._left[place] -= (taken - before) * weight
        for place, mark in self._groups[number]:
            holders = self._holder[place]
            holders[mark] = holders.get(mark, 0) + (taken > 0) - (before > 0)

    def is_kept(self, numbers: Iterable[int]) -> bool:
        """Whether the constraints of these rows hold."""
        return all(
            all(self._left[place] >= 0 for place, _ in self._caps[number])
            and all(sum(count > 0 for count in self._holder[place].values()) <= 1 for place, _ in self._groups[number])
            for number in numbers
        )

    def wanted(self, number: int) -> int:
        """Watts of a row that its window could use: all of it or, where it is divisible, enough."""
        row = self.problem.rows[number]
        return min(row.most, max(row.least, -(-max(self.short[row.window], 0) // row.counts)))


def merit_order(problem: Problem) -> Amounts:
    """Bids taken from the cheapest on while their window needs more, each whole where it must be.

    What a constraint does not allow is passed over, and so is what costs more than the shortfall it would end.
    """
    basket = Basket(problem)
    for number in range(len(problem.rows)):
        if not basket.amounts[number] and basket.short[problem.rows[number].window] > 0:
            try_unit(basket, basket.unit(number))
    return tuple(basket.amounts)


def try_unit(basket: Basket, unit: Sequence[int]) -> bool:
    """Take rows that belong together if the constraints allow it and it is worth its cost; whether they were taken."""
    before = [basket.amounts[number] for number in unit]
    taken = [basket.wanted(number) for number in unit]
    if _gain(basket, unit, taken) < 0:
        return False
    for number, watts in zip(unit, taken, strict=True):
        basket.put(number, watts)
    if basket.is_kept(unit):
        return True
    for number, watts in zip(unit, before, strict=True):
        basket.put(number, watts)
    return False


def _gain(basket: Basket, unit: Sequence[int], taken: Sequence[int]) -> int:
    """What taking a unit is worth: priced shortfall ended, less its cost; never against it where none is priced."""
    gain, left = 0, {row.window: basket.short[row.window] for row in map(basket.problem.rows.__getitem__, unit)}
    for number, watts in zip(unit, taken, strict=True):
        row = basket.problem.rows[number]
        price, short = basket.problem.needs[row.window].price, max(left[row.window], 0)
        if price is None and short:
            return 0
        gain += min(short, watts * row.counts) * (price or 0) - watts * row.cost
        left[row.window] -= watts * row.counts
    return gain


def bound_of(problem: Problem) -> Bound:
    """What no selection can go below: each window by itself, every bid divisible, no other constraint."""
    rows: list[list[Row]] = [[] for _ in problem.needs]
    for row in problem.rows:
        rows[row.window].append(row)
    bounds = [window_bound(need, own) for need, own in zip(problem.needs, rows, strict=True)]
    return Bound(sum(each.missing for each in bounds), sum(each.cost for each in bounds))


def window_bound(need: Need, rows: Sequence[Row]) -> Bound:
    """The bound of one window: its rows from the cheapest unit on, in parts as small as it takes.

    With the unit of requirement bought at `cost / counts`, this is the linear relaxation's optimum (Dantzig 1957).
    """
    left, cost = need.units, Fraction(0)
    for row in _by_unit_cost(rows):
        price = Fraction(row.cost, row.counts)
        if left <= 0 or (need.price is not None and price > need.price):
            break
        taken = min(left, row.most * row.counts)
        left -= taken
        cost += taken * price
    if need.price is None:
        return Bound(left, ceil(cost))
    return Bound(0, ceil(cost + left * need.price))


def _by_unit_cost(rows: Sequence[Row]) -> list[Row]:
    if len({row.counts for row in rows}) <= 1:
        return sorted(rows, key=lambda row: row.cost)
    return sorted(rows, key=lambda row: Fraction(row.cost, row.counts))
