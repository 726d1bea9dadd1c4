"""Owns bids that a what-if forces in: what is left to select beside them, and the selection with them in it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from chalicelib.bidding.models import BidForDeciding
from chalicelib.bidding.pricing import rounded
from chalicelib.decisions.models_proposals import Forced
from chalicelib.decisions.selection_models import Candidate, Selection, SelectionRequest, WindowSelection
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.quantities import ZERO, plain

Bids = Mapping[str, BidForDeciding]


def forcing_problems(asked: Sequence[str], left_out: Collection[str], bids: Bids) -> Iterator[Problem]:
    """What keeps bids from being forced in: nothing left of one, or another of its exclusive group forced too."""
    taken: dict[tuple[str, str], str] = {}
    for place, bid_id in enumerate(asked):
        for bid in _with_linked(bid_id, bids):
            reason = _obstacle(bid, left_out, taken)
            if reason is not None:
                yield Problem("proposal.forced", reason, f"forced_in/{place}", "another bid")


def _obstacle(bid: BidForDeciding, left_out: Collection[str], taken: dict[tuple[str, str], str]) -> str | None:
    if bid.id in left_out:
        return f"Bid {bid.id} cannot be both left out and forced in."
    if bid.capacity_mw == 0:
        return f"Nothing is left of bid {bid.id}."
    if bid.exclusive_group is None:
        return None
    other = taken.setdefault((bid.ballot_id, bid.exclusive_group), bid.id)
    return None if other == bid.id else f"Bids {other} and {bid.id} exclude each other."


def _with_linked(bid_id: str, bids: Bids) -> list[BidForDeciding]:
    """A bid with those that are accepted with it."""
    bid = bids[bid_id]
    if bid.linked_group is None:
        return [bid]
    group = (bid.ballot_id, bid.linked_group)
    return [other for other in bids.values() if (other.ballot_id, other.linked_group) == group]


def set_in(request: SelectionRequest, asked: Collection[str]) -> tuple[SelectionRequest, Forced | None]:
    """What is left to select once the bids asked for are bought whole, with those linked to them; and what was bought.

    Where windows of a ballot are on together, what is forced in of it counts at all its instants.
    """
    links = {bid.linked_group for bid in request.candidates if bid.bid_id in asked} - {None}
    bids = tuple(bid for bid in request.candidates if bid.bid_id in asked or bid.linked_group in links)
    if not bids:
        return request, None
    taken = {bid.bid_id for bid in bids}
    rest = tuple(bid for bid in request.candidates if bid.bid_id not in taken)
    left = request.model_copy(
        update={
            "requirements": tuple(each.but(mw=_left(each.mw, each.window_id, bids)) for each in request.requirements),
            "candidates": tuple(_beside(bid, bids) for bid in rest),
            "ballot_mw": {
                ballot: max(mw - _held(request, ballot, bids, rest), ZERO) for ballot, mw in request.ballot_mw.items()
            },
            "budget": None if request.budget is None else _left_of_budget(request.budget, bids),
        }
    )
    required = {each.window_id: each.mw for each in request.requirements}
    return left, Forced(bids=bids, required=required)


def _left(mw: Decimal, window_id: str, bids: Sequence[Candidate]) -> Decimal:
    return max(mw - sum((bid.mw for bid in bids if bid.window_id == window_id), ZERO), ZERO)


def _beside(bid: Candidate, bids: Sequence[Candidate]) -> Candidate:
    """A bid that is not forced in, barred where it excludes one that is."""
    groups = {each.exclusive_group for each in bids} - {None}
    return bid.but(barred=bid.barred or "EXCLUSIVE_ALTERNATIVE") if bid.exclusive_group in groups else bid


def _held(request: SelectionRequest, ballot: str, bids: Sequence[Candidate], rest: Sequence[Candidate]) -> Decimal:
    """MW of a ballot that are forced in and that its other bids could be called beside."""
    own = [bid for bid in bids if bid.ballot_id == ballot]
    others = {bid.window_id for bid in rest if bid.ballot_id == ballot}
    held = ZERO
    for windows in request.together:
        if others & set(windows):
            held = max(held, sum((bid.mw for bid in own if bid.window_id in windows), ZERO))
    return held


def _left_of_budget(budget: Decimal, bids: Sequence[Candidate]) -> Decimal:
    """To the penny below, so that the whole stays within the budget."""
    left = (Fraction(budget) - _cost(bids)) * 100 // 1
    return max(rounded(Fraction(left, 100), 2), ZERO)


def _cost(bids: Sequence[Candidate]) -> Fraction:
    return sum((bid.cost_per_mw * Fraction(bid.mw) for bid in bids), Fraction(0))


def put_back(selection: Selection, forced: Forced | None) -> Selection:
    """The selection of what was left, told with the bids that were forced in.

    Cost, total and bound grow by what those cost, so that what was proven of the rest is proven of the whole.
    """
    if forced is None:
        return selection
    cost, own = _cost(forced.bids), {bid.bid_id: bid.mw for bid in forced.bids}
    bound = None if selection.lower_bound is None else selection.lower_bound + cost
    total = selection.total + cost
    merit = selection.merit_order
    changed: Selection = selection.but(
        mw=dict(sorted({**selection.mw, **own}.items())),
        cost=selection.cost + cost,
        total=total,
        lower_bound=bound,
        gap=None if bound is None else (total - bound) / abs(total) if total else Fraction(0),
        windows=tuple(_window(window, forced) for window in selection.windows),
        merit_order=merit.but(mw=dict(sorted({**merit.mw, **own}.items())), cost=merit.cost + cost),
    )
    return changed


def _window(window: WindowSelection, forced: Forced) -> WindowSelection:
    bids = [bid for bid in forced.bids if bid.window_id == window.window_id]
    if not bids:
        return window
    required = forced.required[window.window_id]
    accepted = window.accepted_mw + sum((bid.mw for bid in bids), ZERO)
    over = max(accepted - required, ZERO)
    dearest = max(bids, key=lambda bid: (bid.effective_price or Fraction(0), bid.bid_id))
    changed: WindowSelection = window.but(
        required_mw=required,
        accepted_mw=accepted,
        over_procured_mw=over,
        over_procured_by=(window.over_procured_by or dearest.bid_id) if over else None,
        bids=window.bids + len(bids),
        accepted_bids=window.accepted_bids + len(bids),
        cost=window.cost + _cost(bids),
        message=_message(window, len(bids), accepted, required),
    )
    price = dearest.effective_price
    if price is None or (window.marginal_price is not None and window.marginal_price >= price):
        return changed
    marginal: WindowSelection = changed.but(marginal_price=price, marginal_bid=dearest.bid_id)
    return marginal


def _message(window: WindowSelection, forced: int, accepted: Decimal, required: Decimal) -> str:
    taken, bids = window.accepted_bids + forced, window.bids + forced
    short = f", {plain(window.shortfall_mw)} MW short" if window.shortfall_mw else ""
    whole = f"{taken} of {bids} bids taken, {forced} of them forced in"
    return f"{whole}: {plain(accepted)} MW for {plain(required)} MW required{short}."
