"""Owns the demo's workbooks: competitions with their dates, ballots, decisions, each written into a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from local.demo import workbooks
from local.demo.calendars import Plan
from local.demo.scenes import Need

SCHEME = "FRAMEWORK"
BIDS_TAB = "Bids"
_PRICES = ("availability_price", "utilisation_price", "service_fee")


def reference_of(prefix: str, number: int) -> str:
    return f"{prefix}-{number + 1:03d}"


def competitions_workbook(template: bytes, needs: Sequence[Need], plan: Plan, prefix: str, round_ref: str) -> bytes:
    """All needs as one four-tab workbook, published at import."""
    tabs: dict[str, list[dict[str, Any]]] = {"Competitions": [], "Competition Boundaries": [], "Service Windows": []}
    for number, need in enumerate(needs):
        reference = reference_of(prefix, number)
        tabs["Competitions"].append(_competition_row(need, plan, reference, round_ref))
        areas = [{"Competition Ref": reference, "Area Refs": area} for area in need.areas]
        tabs["Competition Boundaries"] += areas
        tabs["Service Windows"] += [_window_row(window, plan, reference) for window in need.windows]
    return workbooks.fill(template, tabs)


def _competition_row(need: Need, plan: Plan, reference: str, round_ref: str) -> dict[str, Any]:
    return {
        "Competition Ref": reference,
        "Round Ref": round_ref,
        "Qualification Open": plan.qualification_open,
        "Qualification Closed": plan.qualification_closed,
        "Bidding Open": plan.bidding_open,
        "Bidding Closed": plan.bidding_closed,
        "Power Type": "Active Power",
        "Publish": "yes",
        **({"DPS Record Reference": SCHEME} if need.needs_scheme else {}),
        **need.row,
    }


def _window_row(window: Mapping[str, Any], plan: Plan, reference: str) -> dict[str, Any]:
    return {
        "Competition Ref": reference,
        "Service Period Name": "Season",
        "Service Period Start": plan.period_start,
        "Service Period End": plan.period_end,
        **window,
    }


def ballot_of(opportunities: Sequence[Mapping[str, Any]], random: Random) -> dict[str, Any]:
    """A ballot for the open windows of one competition: about half of what may be offered, at a price of one's own."""
    return {
        "client_token": f"demo-{opportunities[0]['competition_id']}",
        "bids": [_bid(each, random) for each in opportunities],
    }


def _bid(opportunity: Mapping[str, Any], random: Random) -> dict[str, Any]:
    limit = Decimal(opportunity["capacity_limit"])
    prices = {name: str(_price(name, opportunity, random)) for name in opportunity["prices_asked"]}
    fixed = opportunity["fixed_prices"]
    return {
        "window_id": opportunity["window_id"],
        "capacity_mw": str(_share(limit)),
        "maximum_run_time": "PT2H",
        **{name: price for name, price in prices.items() if name not in fixed},
    }


def _share(limit: Decimal) -> Decimal:
    """Half, to the kilowatt, but at least a kilowatt."""
    return max((limit / 2).quantize(Decimal("0.001")), min(limit, Decimal("0.001")))


def _price(name: str, opportunity: Mapping[str, Any], random: Random) -> Decimal:
    ceiling = opportunity["ceilings"].get(name)
    usual = {"availability_price": 8, "utilisation_price": 240, "service_fee": 500}[name]
    wanted = Decimal(random.randint(usual * 70, usual * 130)) / 100
    return min(wanted, Decimal(ceiling)) if ceiling is not None else wanted


def filled_bids(blank: bytes, offered: Sequence[Mapping[str, Any]], random: Random) -> list[dict[str, Any]]:
    """The rows of a bid workbook filled in for these open windows, in the order the workbook lists them."""
    wanted = {(each["competition_reference"], each["service_window_name"]): each for each in offered}
    rows = []
    for row in sorted(workbooks.read(blank, BIDS_TAB), key=_place):
        opportunity = wanted.get((str(row["Competition Ref"]), str(row["Service Window"])))
        if opportunity is not None:
            rows.append({**row, "Action": "submit", "Ballot Ref": "B1", **_cells(_bid(opportunity, random))})
    return rows


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["Competition Ref"]), str(row["Service Window"])


def _cells(bid: Mapping[str, Any]) -> dict[str, Any]:
    """A bid as the cells of its row."""
    prices = {name.replace("_", " ").title(): float(bid[name]) for name in bid if name in _PRICES}
    return {"Capacity MW": float(bid["capacity_mw"]), "Maximum Run Time": "02:00:00", **prices}


def copied_decisions(bids: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By bid id, what an operator writes into a bids file to follow its proposal: `Proposal` copied into `Decision`."""
    return {str(bid["Bid ID"]): {"Decision": bid["Proposal"]} for bid in bids}
