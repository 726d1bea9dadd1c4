"""Owns one window by itself: whole bids by the exact search, others cut down to the bids around the margin first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, gcd

import numpy as np

from chalicelib.decisions.selection import Amounts, Found, worth
from chalicelib.decisions.selection_cover import LARGEST, Cover, cheapest_cover
from chalicelib.decisions.selection_polish import polished
from chalicelib.decisions.selection_problem import Need, Problem, Row

STATES = 500
Solver = Callable[[Problem, Amounts, int], Found]


def solve_whole_bids(problem: Problem, start: Amounts, work: int) -> Found | None:
    """The best selection for one window whose bids are all or nothing and all cost something; None where not so.

    Where the bids together cannot cover the window and a shortfall has no price, `start` holds them all.
    """
    need, rows = problem.needs[0], problem.rows
    if not rows or any(row.least < row.most or row.cost <= 0 for row in rows):
        return None
    sizes = [row.counts * row.most for row in rows]
    costs = [row.cost * row.most for row in rows]
    if need.price is None and sum(sizes) <= need.units:
        return Found(start, need.units - sum(sizes), sum(costs), "every bid taken")
    found = _covered(sizes, costs, need, work)
    if found is None:
        return None
    cover, money = found
    amounts = tuple(row.most if taken else 0 for row, taken in zip(rows, cover.taken.tolist(), strict=True))
    own = worth(problem, amounts)
    return Found(amounts, 0, own.cost if cover.is_proven else ceil(cover.bound * money), "search at the margin")


def _covered(sizes: list[int], costs: list[int], need: Need, work: int) -> tuple[Cover, int] | None:
    """The cover and the money its unit is, everything divided by what it has in common."""
    size = gcd(*sizes, *([] if need.price is None else [need.units]))
    money = gcd(*costs, *([] if need.price is None else [need.price * size]))
    if max(*sizes, need.units) // size >= LARGEST or max(costs) // money >= LARGEST:
        return None
    short = None if need.price is None else need.price * size // money
    weights = np.array([each // size for each in sizes], np.int64)
    prices = np.array([each // money for each in costs], np.int64)
    cover = cheapest_cover(weights, prices, -(-need.units // size), short, work * STATES)
    return None if cover is None else (cover, money)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row of the core: its number in the window, what is certain of it, and what is open."""

    number: int
    certain: int
    row: Row


def solve_around_margin(problem: Problem, start: Amounts, work: int, solver: Solver) -> Found | None:
    """The best selection for one window, the solver being given only what could depart from merit order.

    A bid departs from merit order at the cost its price lies off the marginal one. Where that is more than `start` lies
    above the bound, no better selection departs so: the bid is settled, and so is most of a divisible one. None where
    a window falls short without a price or pays for what nobody needs, which merit order does not bound.
    """
    price = _marginal_price(problem)
    if price is None or worth(problem, start).missing:
        return None
    off = [row.cost - price * row.counts for row in problem.rows]
    lost = sum((min(each, Fraction(0)) * row.most for each, row in zip(off, problem.rows, strict=True)), Fraction(0))
    room = worth(problem, start).cost - price * problem.needs[0].units - lost
    kept = [each for number in range(len(off)) if (each := _kept(number, problem.rows[number], off[number], room))]
    certain = [0] * len(problem.rows)
    for each in kept:
        certain[each.number] = each.certain
    return _completed(problem, start, certain, [each for each in kept if each.row.most], work, solver)


def _completed(
    problem: Problem, start: Amounts, certain: list[int], core: list[_Kept], work: int, solver: Solver
) -> Found:
    """The solver's answer for the core, put beside what is certain."""
    units = sum(row.counts * watts for row, watts in zip(problem.rows, certain, strict=True))
    need = replace(problem.needs[0], units=max(problem.needs[0].units - units, 0))
    small = replace(problem, rows=tuple(each.row for each in core), needs=(need,), bids=())
    begun = tuple(max(start[each.number] - each.certain, 0) for each in core)
    found = solver(small, begun, work)
    amounts = list(certain)
    for each, watts in zip(core, found.amounts, strict=True):
        amounts[each.number] += watts
    spent = sum(row.cost * watts for row, watts in zip(problem.rows, certain, strict=True))
    return Found(polished(problem, amounts), found.missing, spent + found.cost, f"{found.method} at the margin")


def _marginal_price(problem: Problem) -> Fraction | None:
    """What the last unit costs in merit order, or a unit short where that is less."""
    need = problem.needs[0]
    if need.over:
        return None
    left = need.units
    for row in sorted(problem.rows, key=lambda each: Fraction(each.cost, each.counts)):
        price = Fraction(row.cost, row.counts)
        if need.price is not None and price >= need.price:
            break
        left -= row.counts * row.most
        if left <= 0:
            return price
    return None if need.price is None else Fraction(need.price)


def _kept(number: int, row: Row, off: Fraction, room: Fraction) -> _Kept | None:
    """What is open of a row whose watts lie `off` the marginal price, when no more than `room` may be lost on it."""
    if off == 0:
        return _Kept(number, 0, row)
    loose = int(room / abs(off))
    if off > 0:
        return _Kept(number, 0, replace(row, most=min(row.most, loose))) if loose >= row.least else None
    if loose >= row.most:
        return _Kept(number, 0, row)
    loose = min(loose, row.most - row.least)
    return _Kept(number, row.most - loose, replace(row, least=1, most=loose))
