"""Owns the reckoning of a draft ballot: effective price and expected revenue before anything is submitted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.bidding.bid_rules import bid_problems, ceiling_breaches, filled_prices
from chalicelib.bidding.models import BidFigures, BidRequest, DraftProblem, ModelView
from chalicelib.bidding.pricing import (
    effective_price,
    expected_cost,
    expected_revenue,
    shown_hours,
    shown_money,
    shown_price,
)
from chalicelib.competitions.models import Competition, ServiceWindow


def model(competition: Competition, bids: Sequence[BidRequest]) -> ModelView:
    """The figures of a draft, by the formulas of page 5, with fixed prices filled in."""
    found = list(_reckonable(competition, bids))
    priced = [(bid.exclusive_group, expected_cost(bid.capacity_mw, bid, window)) for bid, window in found]
    return ModelView(
        competition_id=competition.id,
        bids=tuple(_figures(competition, bid, window) for bid, window in found),
        expected_revenue=shown_money(expected_revenue(priced)),
        problems=tuple(
            DraftProblem(code=each.code, detail=each.detail, field=each.field, allowed=each.allowed)
            for each in bid_problems(competition, bids)
        ),
    )


def _reckonable(competition: Competition, bids: Sequence[BidRequest]) -> Iterator[tuple[BidRequest, ServiceWindow]]:
    """Bids in a window there is, with every price that is asked."""
    for bid in bids:
        window = competition.windows_by_id.get(bid.window_id)
        filled = filled_prices(competition, bid)
        if window is not None and all(getattr(filled, name) is not None for name in competition.asked_prices):
            yield filled, window


def _figures(competition: Competition, bid: BidRequest, window: ServiceWindow) -> BidFigures:
    return BidFigures(
        window_id=bid.window_id,
        split=bid.split,
        available_hours=shown_hours(window.hours),
        dispatched_hours=None if window.dispatched_hours is None else shown_hours(window.dispatched_hours),
        expected_cost=shown_money(expected_cost(bid.capacity_mw, bid, window)),
        effective_price=shown_price(effective_price(bid, window)),
        effective_price_unit="MW/h" if "availability_price" in competition.asked_prices else "MWh",
        above_ceiling=tuple(ceiling_breaches(competition, window, bid)),
    )
