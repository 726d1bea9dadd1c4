"""Owns the plain rule of selection: what may be taken together, which of two selections is better, and the best of all.

Everything faster is held equal to `best_selection`, and every answer of a solver is judged anew by `is_allowed` and
`worth`, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from chalicelib.decisions.selection_problem import Choice, Problem, Row

Amounts = tuple[int, ...]


class Worth(NamedTuple):
    """What a selection is judged by, less being better, the first difference deciding (page 5).

    Units short in windows without a price; then cost, priced shortfalls included; then watts of bids that cost nothing,
    which nobody should buy in vain; then merit order: of two selections equal so far, the one that takes more of the
    first bid on which they differ (lower effective price, smaller MW, earlier submission, bid id).
    """

    missing: int
    cost: int
    idle: int
    order: tuple[int, ...]


class Found(NamedTuple):
    """A selection, and what none can go below: units short without a price, then cost. `method` found it."""

    amounts: Amounts
    missing: int
    cost: int
    method: str


def best_selection(problem: Problem) -> Amounts:
    """The best of all allowed selections, by trying each: the rule, for a handful of bids of a few watts."""
    return min(_allowed(problem), key=lambda amounts: worth(problem, amounts))


def is_allowed(problem: Problem, amounts: Sequence[int]) -> bool:
    """Whether watts taken of each row keep every constraint; falling short is allowed, and judged by `worth`."""
    return (
        all(_fits(row, taken) for row, taken in zip(problem.rows, amounts, strict=True))
        and all(len({amounts[number] > 0 for number in link}) == 1 for link in problem.links)
        and all(_is_kept(choice, amounts) for choice in problem.choices)
        and all(
            sum(weight * amounts[number] for number, weight in zip(cap.rows, cap.weights, strict=True)) <= cap.limit
            for cap in problem.caps
        )
    )


def worth(problem: Problem, amounts: Sequence[int]) -> Worth:
    """How good a selection is; the least is the best."""
    counted = counted_units(problem, amounts)
    missing = cost = 0
    for need, units in zip(problem.needs, counted, strict=True):
        short = max(need.units - units, 0)
        missing += short if need.price is None else 0
        cost += short * (need.price or 0) + max(units - need.units, 0) * need.over
    taken = [(row, watts) for row, watts in zip(problem.rows, amounts, strict=True) if watts]
    cost += sum(row.cost * watts for row, watts in taken)
    idle = sum(watts for row, watts in taken if row.cost <= 0)
    return Worth(missing, cost, idle, tuple(-watts for watts in amounts))


def counted_units(problem: Problem, amounts: Sequence[int]) -> list[int]:
    """Units bought in each window."""
    counted = [0] * len(problem.needs)
    for row, taken in zip(problem.rows, amounts, strict=True):
        if taken:
            counted[row.window] += row.counts * taken
    return counted


def _allowed(problem: Problem) -> Iterator[Amounts]:
    every = product(*((0, *range(row.least, row.most + 1)) for row in problem.rows))
    return (amounts for amounts in every if is_allowed(problem, amounts))


def _fits(row: Row, taken: int) -> bool:
    return taken == 0 or row.least <= taken <= row.most


def _is_kept(choice: Choice, amounts: Sequence[int]) -> bool:
    return sum(any(amounts[number] for number in group) for group in choice.groups) <= 1
