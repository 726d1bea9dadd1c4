"""Builds bids opened after close, and decisions on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.bidding.models import BidForDeciding
from chalicelib.decisions.models import Decision, DecisionRequest

CLOSED = datetime(2026, 5, 1, 9, tzinfo=UTC)


def an_opened_bid(id_: str = "bid_1-001-0001", **but: Any) -> BidForDeciding:
    """A bid of 2 MW at 100 per MWh, all-or-nothing."""
    fields: dict[str, Any] = {
        "id": id_,
        "ballot_id": "bal_1",
        "ballot_version": 1,
        "fsp": "org_fsp1",
        "competition_id": "comp_1",
        "window_id": "win_1",
        "capacity_mw": Decimal(2),
        "offered_mw": but.get("capacity_mw", Decimal(2)),
        "maximum_run_time": timedelta(hours=4),
        "utilisation_price": Decimal(100),
        "submitted_at": CLOSED - timedelta(hours=1),
        "expected_cost": Decimal(200),
        "effective_price": Decimal(100),
    }
    return BidForDeciding.model_validate({**fields, **but})


def a_request(bid_id: str = "bid_1-001-0001", decision: str = "accepted", **but: Any) -> DecisionRequest:
    return DecisionRequest.model_validate({"bid_id": bid_id, "decision": decision, **but})


def a_decision(bid_id: str = "bid_1-001-0001", verdict: str = "accepted", mw: str = "2", **but: Any) -> Decision:
    reason = None if verdict == "accepted" else "OUT_OF_MERIT"
    fields: dict[str, Any] = {
        "bid_id": bid_id,
        "competition_id": "comp_1",
        "verdict": verdict,
        "accepted_mw": Decimal(mw) if verdict == "accepted" else Decimal(0),
        "reason": reason,
        "decided_by": "per_1",
        "decided_at": CLOSED,
    }
    return Decision.model_validate({**fields, **but})
