"""Owns the way from a request to whole numbers: which bids can be taken at all, in what order, and in what units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from math import lcm

from chalicelib.decisions.selection_constraints import (
    ballot_caps,
    budget_caps,
    exclusive,
    grouped,
    share_caps,
    sold_once,
)
from chalicelib.decisions.selection_models import Candidate, Requirement, SelectionRequest
from chalicelib.decisions.selection_problem import Need, Problem, Row
from chalicelib.kernel.quantities import WATTS_PER_MW, watts


def problem_of(request: SelectionRequest) -> Problem:
    """The request in whole numbers; bids that cannot be taken at all are left out (`out_of_hand` says which)."""
    barred = out_of_hand(request)
    bids = sorted((bid for bid in request.candidates if bid.bid_id not in barred), key=merit)
    needed = sorted(request.requirements, key=lambda each: each.window_id)
    place = {each.window_id: number for number, each in enumerate(needed)}
    weighed = _weighed(bids)
    scale = lcm(*(bid.impact.denominator for bid in bids))
    fine = lcm(*(price.denominator for price in _figures(request, bids, weighed)))
    rows = tuple(
        Row(
            window=place[bid.window_id],
            least=watts(bid.mw if bid.minimum_mw is None else bid.minimum_mw) or 1,
            most=watts(bid.mw),
            counts=int(bid.impact * scale),
            cost=int(weight * fine * scale),
            spend=int(bid.cost_per_mw * fine * scale),
        )
        for bid, weight in zip(bids, weighed, strict=True)
    )
    charges = _charges(rows, len(needed))
    needs = tuple(_need(each, scale, fine, charge) for each, charge in zip(needed, charges, strict=True))
    money = fine * scale * WATTS_PER_MW
    return Problem(
        rows=rows,
        needs=needs,
        links=grouped(bids, "linked_group"),
        choices=(*exclusive(bids), *sold_once(request, bids)),
        caps=(
            *ballot_caps(request, bids),
            *share_caps(request, bids, rows, needs),
            *budget_caps(request, rows, money),
        ),
        money=money,
        unit=scale * WATTS_PER_MW,
        bids=tuple(bids),
        windows=tuple(place),
    )


def merit(bid: Candidate) -> tuple[Fraction, int, datetime, str]:
    """The order of bids and of ties: lower effective price, smaller MW, earlier submission, bid id (page 5)."""
    price = bid.cost_per_mw / bid.impact if bid.effective_price is None else bid.effective_price
    return price, watts(bid.mw), bid.submitted_at, bid.bid_id


def out_of_hand(request: SelectionRequest) -> set[str]:
    """Ids of bids that no selection can hold: barred, empty, for a window that needs nothing, or linked with one."""
    needed = {each.window_id for each in request.requirements if each.mw > 0}
    lost = {bid.bid_id for bid in request.candidates if bid.barred or bid.window_id not in needed or is_empty(bid)}
    broken = {bid.linked_group for bid in request.candidates if bid.bid_id in lost} - {None}
    return lost | {bid.bid_id for bid in request.candidates if bid.linked_group in broken}


def is_empty(bid: Candidate) -> bool:
    """Whether nothing is left to buy of a bid, or less than the least it may be cut to."""
    return bid.mw <= 0 or (bid.minimum_mw is not None and bid.minimum_mw > bid.mw)


def _weighed(bids: Sequence[Candidate]) -> list[Fraction]:
    """What a MW of each bid weighs: its cost, or its effective price where every bid of the window costs nothing."""
    costly = {bid.window_id for bid in bids if bid.cost_per_mw}
    return [
        bid.cost_per_mw if bid.window_id in costly else (bid.effective_price or Fraction(0)) * bid.impact
        for bid in bids
    ]


def _figures(request: SelectionRequest, bids: Sequence[Candidate], weighed: Iterable[Fraction]) -> Iterator[Fraction]:
    yield from weighed
    yield from (bid.cost_per_mw for bid in bids)
    yield from (each.shortfall_price for each in request.requirements if each.shortfall_price is not None)


def _need(requirement: Requirement, scale: int, fine: int, charge: int) -> Need:
    price = requirement.shortfall_price
    # A shortfall that costs nothing would make every purchase a waste; it means that no price is known.
    priced = int(price * fine) if price is not None and price > 0 else None
    return Need(watts(requirement.mw) * scale, priced, charge)


def _charges(rows: Sequence[Row], windows: int) -> list[int]:
    charges = [0] * windows
    for row in rows:
        charges[row.window] = max(charges[row.window], -(row.cost // row.counts))
    return charges
