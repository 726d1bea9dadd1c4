"""Selections to be made: a valid request, of which a test gives only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from chalicelib.decisions.selection_models import Candidate, Requirement, SelectionRequest

SUBMITTED = datetime(2026, 5, 4, 9, tzinfo=UTC)


def a_bid(name: str, mw: str, price: object, **fields: Any) -> Candidate:
    """A bid of a window of one hour, so that its cost per MW is its effective price."""
    exact = Fraction(str(price))
    given = {
        "bid_id": name,
        "ballot_id": f"bal_{name}",
        "fsp": f"org_{name}",
        "window_id": "w1",
        "mw": Decimal(mw),
        "cost_per_mw": exact,
        "effective_price": exact / Fraction(fields.get("impact", 1)),
        "submitted_at": SUBMITTED + timedelta(minutes=fields.pop("minute", 0)),
    }
    return Candidate.model_validate(given | fields)


def a_request(*bids: Candidate, mw: object = "5", **fields: Any) -> SelectionRequest:
    """A request for one window `w1` of so many MW, or for several: `mw={"w1": "5", "w2": "3"}`."""
    needed = mw if isinstance(mw, dict) else {"w1": mw}
    prices = fields.pop("shortfall_price", None)
    requirements = tuple(
        Requirement(
            window_id=window,
            mw=Decimal(str(required)),
            shortfall_price=prices.get(window) if isinstance(prices, dict) else prices,
        )
        for window, required in needed.items()
    )
    return SelectionRequest.model_validate({"requirements": requirements, "candidates": bids} | fields)
