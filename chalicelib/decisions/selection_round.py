"""Owns a selection over many competitions whose assets are sold once: windows bargain for assets at their prices.

The linear relaxation prices each asset. Windows then buy in turn at those prices what is still free (a price for what
others want keeps each from taking what it hardly needs). After that every window in turn may outbid: it buys anew, what
others hold at what they would lose by it, and keeps what it found when all concerned, having bought anew, cost less.
Each step is accepted by exact cost, so the selection only gets better; the bound holds whatever the prices are.
"""

from __future__ import annotations

from chalicelib.decisions.selection import Amounts, Found, worth
from chalicelib.decisions.selection_blocks import Block, Market, Solver
from chalicelib.decisions.selection_merit import bound_of
from chalicelib.decisions.selection_milp import FINE, Prices, relaxed_prices
from chalicelib.decisions.selection_polish import polished
from chalicelib.decisions.selection_problem import Problem

SWEEPS = 2
# How much of an asset's price a window pays for what nobody holds: all of it in the first round, when others are still
# to buy; part of it when outbidding; little when making good a loss.
OUTBIDDING, MAKING_GOOD = 4, 8


def solve_round(problem: Problem, start: Amounts, solver: Solver) -> Found:
    """A good selection with its bound, no worse than `start`, which must be allowed.

    `solver` buys for windows that are linked or whose bids can be divided.
    """
    prices = relaxed_prices(problem)
    market = Market(problem, prices, solver)
    for block in market.blocks:
        market.take(block, market.buy(block, market.free(block), 1))
    for _ in range(SWEEPS):
        if not sum(outbid(market, block) for block in market.blocks):
            break
    found = tuple(market.amounts)
    best = polished(problem, min(start, found, key=lambda amounts: worth(problem, amounts)))
    own = worth(problem, best)
    return Found(best, bound_of(problem).missing, lagrangian_bound(problem, prices, own.missing), "assets priced")


def outbid(market: Market, block: Block) -> bool:
    """Let a block buy anew, what others hold at their loss; whether all concerned then cost less."""
    wanted = market.with_losses(block)
    bought = market.buy(block, wanted, OUTBIDDING)
    if bought == market.held(block):
        return False
    losers = market.losers(block, bought)
    before = {each: market.held(each) for each in (block, *losers)}
    owed = sum(market.owed(each) for each in before)
    for each in before:
        market.take(each, {})
    market.take(block, bought)
    for loser in losers:
        market.take(loser, market.buy(loser, market.free(loser), MAKING_GOOD))
    if sum(market.owed(each) for each in before) < owed:
        return True
    for each in before:
        market.take(each, {})
    for each, held in before.items():
        market.take(each, held)
    return False


def lagrangian_bound(problem: Problem, prices: Prices, missing: int) -> int:
    """What no selection with at most so many units short without a price can cost less than, in whole numbers.

    Requirements and choices are moved into the objective at any prices that are not negative (Geoffrion 1974); what is
    left falls apart into bids and linked groups, each taken where it lowers the sum.
    """
    linked = {number: link[0] for link in problem.links for number in link}
    standing = [0] * len(problem.rows)
    for choice, price in zip(problem.choices, prices.choices, strict=True):
        for group in choice.groups:
            standing[max(group, key=lambda number: problem.rows[number].counts * problem.rows[number].most)] += price
    prices_of = [_price(problem, prices, window) for window in range(len(problem.needs))]
    taken: dict[int, int] = {}
    for number, row in enumerate(problem.rows):
        off = row.cost * FINE - prices_of[row.window] * row.counts
        head = linked.get(number, number)
        taken[head] = taken.get(head, 0) + standing[number] * FINE + off * (row.most if off < 0 else row.least)
    bound = sum(min(each, 0) for each in taken.values()) - sum(prices.choices) * FINE
    bound += sum(price * need.units for price, need in zip(prices_of, problem.needs, strict=True))
    unpriced = [price for price, need in zip(prices_of, problem.needs, strict=True) if need.price is None]
    return -(-(bound - max(unpriced, default=0) * missing) // FINE)


def _price(problem: Problem, prices: Prices, window: int) -> int:
    """The price of a unit in a window in FINE-th parts, never above that of a unit short."""
    price = problem.needs[window].price
    return prices.units[window] if price is None else min(prices.units[window], price * FINE)
