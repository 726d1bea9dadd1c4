"""Selections to be made: a valid request, of which a test gives only what it is about, and any small one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from chalicelib.decisions.selection_models import Candidate, Requirement, SelectionRequest

SUBMITTED = datetime(2026, 5, 4, 9, tzinfo=UTC)
WATT = Decimal("0.000001")
MEGA = 1_000_000


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


@st.composite
def some_bids(draw: st.DrawFn) -> tuple[Candidate, ...]:
    """Up to six bids of a few watts in two windows, with everything a bid may have."""
    return tuple(_a_small_bid(draw, number) for number in range(draw(st.integers(0, 6))))


def _a_small_bid(draw: st.DrawFn, number: int) -> Candidate:
    mw = draw(st.integers(1, 4))
    least = draw(st.none() | st.integers(1, mw))
    group = draw(st.sampled_from([None, None, "linked", "exclusive"]))
    fields: dict[str, Any] = {
        "window_id": draw(st.sampled_from(["w1", "w1", "w2"])),
        "ballot_id": draw(st.sampled_from(["bal_1", "bal_2", "bal_3"])),
        "fsp": draw(st.sampled_from(["org_1", "org_2"])),
        "minimum_mw": None if least is None else least * WATT,
        "linked_group": "together" if group == "linked" else None,
        "exclusive_group": "either" if group == "exclusive" else None,
        "asset_ids": tuple(draw(st.sets(st.sampled_from(["a", "b", "c"]), max_size=2))),
        "impact": Fraction(draw(st.sampled_from(["1", "1", "1/2", "2/3"]))),
        "minute": draw(st.integers(0, 2)),
        "barred": draw(st.sampled_from([None, None, None, "NOT_QUALIFIED"])),
    }
    price = draw(st.sampled_from([-2, 0, 1, 2, 3, 5])) * MEGA
    return a_bid(f"bid_{number}", f"{mw * WATT:f}", price, **fields)


@st.composite
def small_requests(draw: st.DrawFn) -> SelectionRequest:
    """Any selection small enough to try every one: a few watts in two windows, with every constraint there is."""
    price = st.none() | st.sampled_from([Fraction(2 * MEGA), Fraction(4 * MEGA)])
    needed = {"w1": draw(st.integers(0, 7)) * WATT, "w2": draw(st.integers(0, 3)) * WATT}
    return a_request(
        *draw(some_bids()),
        mw={window: f"{mw:f}" for window, mw in needed.items()},
        shortfall_price={"w1": draw(price), "w2": draw(price)},
        together=draw(st.sampled_from([(), (("w1", "w2"),)])),
        ballot_mw=draw(st.sampled_from([{}, {"bal_1": 3 * WATT, "bal_2": 2 * WATT}])),
        budget=draw(st.none() | st.sampled_from([Decimal(4), Decimal(12)])),
        maximum_share=draw(st.none() | st.just(Fraction(1, 2))),
    )
