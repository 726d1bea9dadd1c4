"""Owns how a proposal is told: its figures, its windows, and each bid's proposed decision in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from chalicelib.bidding.pricing import rounded, shown_money, shown_price
from chalicelib.competitions.models import Competition, ServiceWindow
from chalicelib.decisions.models import DecisionRequest
from chalicelib.decisions.models_proposals import (
    ProposalFigures,
    ProposalRecord,
    ProposedBid,
    ProposedWindow,
)
from chalicelib.decisions.selection_models import Candidate, NotTaken, Selection, WindowSelection
from chalicelib.kernel.quantities import ZERO, plain

MOST_COMMENT = 1000
Looks = Mapping[str, NotTaken]


def figures_of(record: ProposalRecord) -> ProposalFigures:
    """What a proposal comes to, beside the merit order and, for a what-if, the plain proposal."""
    selection, merit = record.result.selection, record.result.selection.merit_order
    return ProposalFigures(
        cost=shown_money(selection.cost),
        total=shown_money(selection.total),
        lower_bound=None if selection.lower_bound is None else shown_money(selection.lower_bound),
        gap_percent=gap_percent(selection),
        finding=finding(selection),
        shortfall_mw=sum((window.shortfall_mw for window in selection.windows), ZERO),
        over_procured_mw=sum((window.over_procured_mw for window in selection.windows), ZERO),
        bids=len(_candidates(record)),
        accepted_bids=len(selection.mw),
        merit_order_cost=shown_money(merit.cost),
        merit_order_shortfall_mw=merit.shortfall_mw,
        merit_order_difference=shown_money(merit.difference),
        message=selection.message,
        **_beside_plain(record),
    )


def _beside_plain(record: ProposalRecord) -> dict[str, Decimal]:
    plainly = record.result.plain
    if plainly is None:
        return {}
    return {
        "plain_cost": shown_money(plainly.cost),
        "plain_shortfall_mw": sum((window.shortfall_mw for window in plainly.windows), ZERO),
        "plain_difference": shown_money(record.result.selection.cost - plainly.cost),
    }


def gap_percent(selection: Selection) -> Decimal | None:
    """How far above the lower bound the total may be, in per cent to 2 places, rounded up; 0 when it is proven."""
    if selection.proven:
        return ZERO
    if selection.gap is None:
        return None
    hundredths = -((-selection.gap * 10_000) // 1)
    return rounded(Fraction(hundredths, 100), 2)


def finding(selection: Selection) -> str:
    """ "proven", or "best found" with what is still open: never "optimal" unless it was shown."""
    if selection.proven:
        return "proven"
    if selection.shortfall_gap_mw > 0:
        return f"best found, up to {plain(selection.shortfall_gap_mw)} MW more might be covered"
    gap = gap_percent(selection)
    return "best found, gap not known" if gap is None else f"best found, gap {plain(gap)} %"


def windows_of(competition: Competition, record: ProposalRecord) -> tuple[ProposedWindow, ...]:
    """The windows of a proposal in the competition's order."""
    found = {window.window_id: window for window in record.result.selection.windows}
    bought = _merit_order_by_window(record)
    return tuple(
        _window(window, found[window.id], bought.get(window.id, ZERO), price_unit(competition))
        for window in competition.windows
        if window.id in found
    )


def _window(window: ServiceWindow, found: WindowSelection, merit_order_mw: Decimal, unit: str) -> ProposedWindow:
    told = {name: getattr(found, name) for name in WindowSelection.model_fields if name in ProposedWindow.model_fields}
    money = {
        "cost": shown_money(found.cost),
        "shortfall_cost": None if found.shortfall_cost is None else shown_money(found.shortfall_cost),
        "marginal_price": shown_price(found.marginal_price),
    }
    names = {"service_period_name": window.period_name, "service_window_name": window.name}
    return ProposedWindow.model_validate(
        {**told, **money, **names, "price_unit": unit, "merit_order_mw": merit_order_mw}
    )


def _merit_order_by_window(record: ProposalRecord) -> dict[str, Decimal]:
    bought: dict[str, Decimal] = {}
    candidates = _candidates(record)
    for bid_id, mw in record.result.selection.merit_order.mw.items():
        window_id = candidates[bid_id].window_id
        bought[window_id] = bought.get(window_id, ZERO) + mw
    return bought


def bids_of(competition: Competition, record: ProposalRecord) -> tuple[ProposedBid, ...]:
    """What is proposed for every bid, by window in the competition's order and cheapest first."""
    order = {window.id: place for place, window in enumerate(competition.windows)}
    ranked = sorted(_candidates(record).values(), key=lambda bid: (order[bid.window_id], *_merit(bid)))
    why = {bid_id: _beside_marginal(competition, each) for bid_id, each in _why_not(record).items()}
    forced = _forced(record)
    return tuple(_bid(bid, record.result.selection, why, bid.bid_id in forced) for bid in ranked)


def price_unit(competition: Competition) -> Literal["MW/h", "MWh"]:
    """What effective prices of a competition are per."""
    return "MW/h" if "availability_price" in competition.asked_prices else "MWh"


def _beside_marginal(competition: Competition, reason: NotTaken) -> NotTaken:
    """The reason, its sentence ending with the bid's price and the marginal accepted one where there are both."""
    own, marginal = reason.numbers.get("effective_price"), reason.numbers.get("marginal_price")
    if own is None or marginal is None:
        return reason
    unit = f"{competition.currency}/{price_unit(competition)}"
    text = f"{reason.text} Effective price {own}, marginal accepted price {marginal} {unit}."
    return reason.model_copy(update={"text": text})


def _candidates(record: ProposalRecord) -> dict[str, Candidate]:
    """Every bid by id: those a what-if left out as the plain proposal has them."""
    weighings = [each for each in (record.input.plain, record.input.weighed) if each is not None]
    looked_at = {bid.bid_id: bid for weighing in weighings for bid in weighing.request.candidates}
    return looked_at | _forced(record)


def _forced(record: ProposalRecord) -> dict[str, Candidate]:
    forced = record.input.weighed.forced
    return {} if forced is None else {bid.bid_id: bid for bid in forced.bids}


def _merit(bid: Candidate) -> tuple[bool, Fraction, Decimal, str, str]:
    price = bid.effective_price
    return (price is None, price or Fraction(0), bid.mw, bid.submitted_at.isoformat(), bid.bid_id)


def _why_not(record: ProposalRecord) -> Looks:
    """By bid, why it was not taken: what barred it in our own words, which know the ceilings, else the selection's."""
    said = [*record.result.selection.not_taken, *record.input.weighed.set_aside]
    return {each.bid_id: each for each in said}


def _bid(bid: Candidate, selection: Selection, why: Looks, forced: bool) -> ProposedBid:
    taken, reason = selection.mw.get(bid.bid_id, ZERO), why.get(bid.bid_id)
    return ProposedBid(
        bid_id=bid.bid_id,
        window_id=bid.window_id,
        fsp=bid.fsp,
        proposal="accepted" if taken else "rejected",
        accepted_mw=taken,
        merit_order_mw=selection.merit_order.mw.get(bid.bid_id, ZERO),
        expected_cost=shown_money(bid.cost_per_mw * Fraction(taken or bid.mw)),
        effective_price=shown_price(bid.effective_price),
        reason=None if taken or reason is None else reason.code,
        numbers={} if reason is None else reason.numbers,
        text=_accepting(bid, taken, reason, forced) if taken else _rejecting(reason),
    )


def _accepting(bid: Candidate, taken: Decimal, rest: NotTaken | None, forced: bool) -> str:
    if forced:
        return f"Accept {plain(taken)} MW, forced in." + (f" {rest.text}" if rest else "")
    if taken == bid.mw:
        return f"Accept {plain(taken)} MW."
    return f"Accept {plain(taken)} of {plain(bid.mw)} MW." + (f" {rest.text}" if rest else "")


def _rejecting(reason: NotTaken | None) -> str:
    assert reason is not None, "a bid that is not taken has a reason"
    return reason.text


def in_a_cell(bid: ProposedBid) -> str:
    """A proposed decision as the bids file shows it, and takes it in the column `Decision`."""
    return f"accept {plain(bid.accepted_mw)} MW" if bid.proposal == "accepted" else f"reject: {bid.reason}"


def decision_on(bid: ProposedBid) -> DecisionRequest:
    """A proposed decision as it is asked for."""
    if bid.proposal == "accepted":
        return DecisionRequest(bid_id=bid.bid_id, decision="accepted", accepted_mw=bid.accepted_mw)
    return DecisionRequest(bid_id=bid.bid_id, decision="rejected", reason=bid.reason, comment=bid.text[:MOST_COMMENT])
