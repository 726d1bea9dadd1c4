"""Owns buying for some windows while others hold assets: what is free, what another would lose, and what is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import gcd

import numpy as np

from chalicelib.decisions.selection import Amounts, Found
from chalicelib.decisions.selection_cover import cheapest_cover
from chalicelib.decisions.selection_merit import merit_order
from chalicelib.decisions.selection_milp import FINE, Prices
from chalicelib.decisions.selection_parts import parts_of, restricted, without_sold_once
from chalicelib.decisions.selection_problem import Problem

Solver = Callable[[Problem, Amounts, int], Found]
Held = dict[int, int]

WORK = 50
STATES = 20_000
# Figures are coarsened to these before a window buys, so that they fit 64 bits; costs are always counted exactly.
LARGEST_SIZE, LARGEST_COST = 1 << 14, 1 << 36


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Windows that buy together, with their rows; `is_plain` when it is one window of whole bids and nothing else."""

    windows: tuple[int, ...]
    rows: tuple[int, ...]
    is_plain: bool


class Market:
    """Who holds what at the moment, and what it would take to have it."""

    def __init__(self, problem: Problem, prices: Prices, solver: Solver) -> None:
        self.problem, self._solver = problem, solver
        self.amounts = [0] * len(problem.rows)
        self._units = [0] * len(problem.needs)
        self._short = _short_prices(problem)
        self._unit_prices = prices.units
        self._asset_price, self._rivals = _asset_prices(problem, prices)
        self.blocks = _blocks(problem)
        self._by_cost = {block: self._sorted(block) for block in self.blocks}
        self._block_of = {number: block for block in self.blocks for number in block.rows}

    def held(self, block: Block) -> Held:
        """Watts of the rows a block holds."""
        return {number: self.amounts[number] for number in block.rows if self.amounts[number]}

    def take(self, block: Block, held: Mapping[int, int]) -> None:
        """Let a block hold these and nothing else."""
        for number in block.rows:
            watts = held.get(number, 0)
            if watts != self.amounts[number]:
                row = self.problem.rows[number]
                self._units[row.window] += (watts - self.amounts[number]) * row.counts
                self.amounts[number] = watts

    def owed(self, block: Block) -> int:
        """What a block costs as it stands, shortfalls included."""
        cost = sum(self.problem.rows[number].cost * self.amounts[number] for number in block.rows)
        for window in block.windows:
            short = self.problem.needs[window].units - self._units[window]
            cost += short * self._short[window] if short > 0 else -short * self.problem.needs[window].over
        return cost

    def free(self, block: Block) -> dict[int, int | None]:
        """The rows whose assets nobody outside the block holds."""
        return {number: None for number in block.rows if not self._holders(number, block)}

    def with_losses(self, block: Block) -> dict[int, int | None]:
        """The rows a block might have: free ones, and those it would pay for more than others lose, with that loss."""
        wanted: dict[int, int | None] = {}
        for number in block.rows:
            holders = self._holders(number, block)
            if not holders:
                wanted[number] = None
            elif self._is_cheap(number):
                wanted[number] = sum(self._loss(holder) for holder in holders)
        return wanted

    def losers(self, block: Block, bought: Iterable[int]) -> list[Block]:
        """The other blocks that hold what was bought."""
        lost = sorted({holder for number in bought for holder in self._holders(number, block)})
        return list(dict.fromkeys(self._block_of[number] for number in lost))

    def buy(self, block: Block, wanted: Mapping[int, int | None], part: int) -> Held:
        """What a block would buy, paying others' losses, or a `part`-th of the price of free assets."""
        if not wanted:
            return {}
        asked = {n: self._asset_price[n] // part if loss is None else max(loss, 0) for n, loss in wanted.items()}
        return self._bought_at_margin(block, asked) if block.is_plain else self._bought_by_solver(block, asked)

    def _bought_at_margin(self, block: Block, asked: Mapping[int, int]) -> Held:
        rows, window = self.problem.rows, block.windows[0]
        sizes = {number: rows[number].counts * rows[number].most for number in asked}
        costs = {number: max(rows[number].cost * rows[number].most + asked[number], 1) for number in asked}
        chosen = self._without_rivals(sorted(asked, key=lambda number: (costs[number] / sizes[number], number)))
        size = max(gcd(*(sizes[number] for number in chosen)), max(sizes.values()) // LARGEST_SIZE, 1)
        money = max(*(costs[number] for number in chosen), self._short[window] * size, 1) // LARGEST_COST or 1
        cover = cheapest_cover(
            np.array([max(sizes[number] // size, 1) for number in chosen], np.int64),
            np.array([max(costs[number] // money, 1) for number in chosen], np.int64),
            -(-self.problem.needs[window].units // size),
            self._short[window] * size // money,
            STATES,
            ties=False,
        )
        assert cover is not None
        return {number: rows[number].most for number, taken in zip(chosen, cover.taken.tolist(), strict=True) if taken}

    def _without_rivals(self, numbers: Iterable[int]) -> list[int]:
        """Of rows of one block that share an asset, the cheapest."""
        kept: set[int] = set()
        for number in numbers:
            if kept.isdisjoint(self._rivals[number]):
                kept.add(number)
        return sorted(kept)

    def _bought_by_solver(self, block: Block, asked: Mapping[int, int]) -> Held:
        rows = self.problem.rows
        costs = {number: rows[number].cost - (-price // rows[number].most) for number, price in asked.items()}
        part = restricted(self.problem, block.windows, costs)
        found = self._solver(part.problem, merit_order(part.problem), WORK)
        return {place: watts for place, watts in zip(part.places, found.amounts, strict=True) if watts}

    def _holders(self, number: int, block: Block) -> list[int]:
        """The rows outside the block that hold an asset of a row."""
        return [other for other in self._rivals[number] if self.amounts[other] and self._block_of[other] is not block]

    def _is_cheap(self, number: int) -> bool:
        row = self.problem.rows[number]
        return row.cost * FINE < self._unit_prices[row.window] * row.counts

    def _loss(self, number: int) -> int:
        """About what its block would pay more without a row it holds: for another bid, or at the unit price."""
        block, row = self._block_of[number], self.problem.rows[number]
        units = self._units[row.window] - row.counts * self.amounts[number]
        lost = self.problem.needs[row.window].units - units
        saved = row.cost * self.amounts[number]
        if lost <= 0:
            return -saved
        dear = self._unit_prices[row.window] * lost * 13 // (10 * FINE)
        return min(dear, self._replacement(block, lost, dear)) - saved

    def _replacement(self, block: Block, lost: int, dear: int) -> int:
        """The cost of the cheapest other bid as large as what is lost, with the price of its assets; else `dear`."""
        for cost, size, other in self._by_cost[block] if block.is_plain else ():
            if cost >= dear:
                break
            if size >= lost and not self.amounts[other] and not any(map(self._holds, self._rivals[other])):
                return cost
        return dear

    def _sorted(self, block: Block) -> list[tuple[int, int, int]]:
        """Cost with the price of its assets, units and number of each row of a block, the cheapest first."""
        rows = ((number, self.problem.rows[number]) for number in block.rows)
        return sorted((row.cost * row.most + self._asset_price[n], row.counts * row.most, n) for n, row in rows)

    def _holds(self, number: int) -> int:
        return self.amounts[number]


def _short_prices(problem: Problem) -> list[int]:
    """What a unit short counts; where it has no price, more than any bid's unit, so that little falls short."""
    dearest = max((-(-row.cost // row.counts) for row in problem.rows), default=0)
    return [max(4 * dearest, 1) if need.price is None else need.price for need in problem.needs]


def _asset_prices(problem: Problem, prices: Prices) -> tuple[list[int], list[list[int]]]:
    """By row, the prices of the assets it stands for, and the rows it cannot be taken beside for their sake."""
    price = [0] * len(problem.rows)
    rivals: list[set[int]] = [set() for _ in problem.rows]
    for choice, own in zip(problem.choices, prices.choices, strict=True):
        if choice.why != "assets":
            continue
        every = {number for group in choice.groups for number in group}
        for group in choice.groups:
            for number in group:
                price[number] += own
                rivals[number] |= every.difference(group)
    return price, [sorted(each) for each in rivals]


def _blocks(problem: Problem) -> list[Block]:
    windows = {window: number for number, window in enumerate(problem.windows)}
    blocks = []
    for part in parts_of(without_sold_once(problem)):
        rows = part.problem.rows
        whole = part.is_one_window and not part.problem.needs[0].over and all(row.least == row.most for row in rows)
        blocks.append(Block(tuple(windows[each] for each in part.problem.windows), part.places, whole))
    return blocks
