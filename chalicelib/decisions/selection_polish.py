"""Owns the last touch on a selection found by a solver: whole watts, nothing needless, ties as the rule has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction

from chalicelib.decisions.selection import Amounts, worth
from chalicelib.decisions.selection_merit import Basket, try_unit
from chalicelib.decisions.selection_problem import Need, Problem


def polished(problem: Problem, amounts: Sequence[int]) -> Amounts:
    """The selection with what can be bettered row by row bettered; as allowed, and no worse, than what came."""
    basket = Basket(problem, amounts)
    order = _by_unit_cost(problem)
    _fill(basket, order)
    _drop_needless(basket, order)
    _cut_divisible(basket, order)
    _move_to_cheaper(basket, order)
    _swap_twins(basket)
    return min(tuple(amounts), tuple(basket.amounts), key=lambda each: worth(problem, each))


def _fill(basket: Basket, order: Sequence[int]) -> None:
    """End shortfalls: first with more of divisible bids already taken, then with bids that are not."""
    for number in order:
        row, taken = basket.problem.rows[number], basket.amounts[number]
        short = basket.short[row.window]
        if short <= 0 or (taken and not _pays(basket.problem, number)):
            continue
        if taken == 0:
            try_unit(basket, basket.unit(number))
        elif taken < row.most:
            _put_if_kept(basket, number, min(row.most, taken - (-short // row.counts)))


def _drop_needless(basket: Basket, order: Sequence[int]) -> None:
    """Bids whose absence would lengthen no shortfall that costs more than they do are dropped, the dearest first."""
    for number in reversed(order):
        unit = basket.unit(number)
        if not basket.amounts[number] or number != unit[0]:
            continue
        before = [basket.amounts[each] for each in unit]
        had = _standing(basket, unit)
        for each in unit:
            basket.put(each, 0)
        idle = sum(watts for each, watts in zip(unit, before, strict=True) if basket.problem.rows[each].cost <= 0)
        if (*_standing(basket, unit), -idle) >= (*had, 0):
            for each, watts in zip(unit, before, strict=True):
                basket.put(each, watts)


def _cut_divisible(basket: Basket, order: Sequence[int]) -> None:
    """What is bought beyond the requirement is cut from divisible bids, the dearest first."""
    for number in reversed(order):
        row, taken = basket.problem.rows[number], basket.amounts[number]
        spare = -basket.short[row.window] // row.counts
        if taken > row.least and spare > 0:
            basket.put(number, max(row.least, taken - spare))


def _move_to_cheaper(basket: Basket, order: Sequence[int]) -> None:
    """Of two divisible bids of a window that count alike, the earlier in merit order is filled before the later."""
    problem = basket.problem
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number in order:
        row = problem.rows[number]
        if basket.amounts[number] and row.least < row.most:
            alike[row.window, row.counts].append(number)
    for numbers in alike.values():
        for place, cheap in enumerate(numbers):
            for dear in reversed(numbers[place + 1 :]):
                _move(basket, dear, cheap)


def _move(basket: Basket, dear: int, cheap: int) -> None:
    rows, amounts = basket.problem.rows, basket.amounts
    watts = min(rows[cheap].most - amounts[cheap], amounts[dear] - rows[dear].least)
    if watts <= 0:
        return
    basket.put(cheap, amounts[cheap] + watts)
    basket.put(dear, amounts[dear] - watts)
    if not basket.is_kept((cheap, dear)):
        basket.put(cheap, amounts[cheap] - watts)
        basket.put(dear, amounts[dear] + watts)


def _swap_twins(basket: Basket) -> None:
    """Of bids that are alike in all but their place in merit order, the earlier ones are taken."""
    twins: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(basket.problem.rows):
        if number not in basket.links:
            twins[row.window, row.least, row.most, row.counts, row.cost, row.spend].append(number)
    for numbers in twins.values():
        for early, late in _pairs(basket, numbers):
            _swap(basket, early, late)


def _pairs(basket: Basket, numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    for place, early in enumerate(numbers):
        for late in numbers[:place:-1]:
            if basket.amounts[early] < basket.amounts[late]:
                yield early, late


def _swap(basket: Basket, early: int, late: int) -> None:
    before, after = basket.amounts[early], basket.amounts[late]
    basket.put(late, before)
    basket.put(early, after)
    if not basket.is_kept((early, late)):
        basket.put(early, before)
        basket.put(late, after)


def _put_if_kept(basket: Basket, number: int, watts: int) -> None:
    before = basket.amounts[number]
    basket.put(number, watts)
    if not basket.is_kept((number,)):
        basket.put(number, before)


def _pays(problem: Problem, number: int) -> bool:
    """Whether a unit of the row costs no more than falling short of it."""
    row = problem.rows[number]
    price = problem.needs[row.window].price
    return price is None or row.cost <= price * row.counts


def _by_unit_cost(problem: Problem) -> list[int]:
    rows = problem.rows
    if len({row.counts for row in rows}) <= 1:
        return sorted(range(len(rows)), key=lambda number: rows[number].cost)
    return sorted(range(len(rows)), key=lambda number: Fraction(rows[number].cost, rows[number].counts))


def _standing(basket: Basket, unit: Sequence[int]) -> tuple[int, int]:
    """Units short without a price, and cost, as far as a unit has a part in them."""
    rows, needs = basket.problem.rows, basket.problem.needs
    windows = sorted({rows[number].window for number in unit})
    owed = [_owed(needs[window], basket.short[window]) for window in windows]
    cost = sum(rows[number].cost * basket.amounts[number] for number in unit)
    return sum(missing for missing, _ in owed), cost + sum(price for _, price in owed)


def _owed(need: Need, short: int) -> tuple[int, int]:
    if short <= 0:
        return 0, -short * need.over
    return (short, 0) if need.price is None else (0, short * need.price)
