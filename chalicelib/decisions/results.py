"""Owns what results say: prices paid for accepted bids, and the aggregates the public may know. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from chalicelib.bidding.models import BidForDeciding, OpenedBallot
from chalicelib.bidding.pricing import counted_mw
from chalicelib.competitions.models import Competition, ServiceWindow
from chalicelib.decisions.models import AcceptedBid, ConfirmedResults, Decision, OwnOutcome, WindowResult
from chalicelib.kernel.quantities import ZERO

Decisions = Mapping[str, Decision]


def accepted(bids: Sequence[BidForDeciding], decisions: Decisions) -> list[BidForDeciding]:
    """The bids that were accepted, in the order given."""
    return [bid for bid in bids if bid.id in decisions and decisions[bid.id].verdict == "accepted"]


def paid_prices(competition: Competition, bid: BidForDeciding, taken: Sequence[BidForDeciding]) -> dict[str, Any]:
    """The three prices paid for an accepted bid, by the competition's settlement price rule (spec page 3).

    `pay-as-bid`: its own. `pay-as-clear`: the highest accepted utilisation price of its window. `pay-at-ceiling`: the
    window's ceilings where there are any, else its own. `taken` are all accepted bids of the competition.
    """
    own = {
        "availability_price": bid.availability_price,
        "utilisation_price": bid.utilisation_price,
        "service_fee": bid.service_fee,
    }
    if competition.settlement_price_rule == "pay-as-clear":
        prices = [other.utilisation_price for other in taken if other.window_id == bid.window_id]
        return own | {"utilisation_price": max(price for price in prices if price is not None)}
    if competition.settlement_price_rule == "pay-at-ceiling":
        return own | _at_ceiling(competition, bid)
    return own


def _at_ceiling(competition: Competition, bid: BidForDeciding) -> dict[str, Any]:
    ceilings = competition.ceilings(competition.windows_by_id[bid.window_id])
    limits = {"availability_price": ceilings.availability, "utilisation_price": ceilings.utilisation}
    asked = set(competition.asked_prices)
    return {name: limit for name, limit in limits.items() if limit is not None and name in asked}


def accepted_bid(
    competition: Competition,
    bid: BidForDeciding,
    decisions: Decisions,
    taken: Sequence[BidForDeciding],
    asset_ids: tuple[str, ...],
    contracting_entity: str | None,
) -> AcceptedBid:
    """What an obligation is drawn up from."""
    return AcceptedBid(
        bid_id=bid.id,
        ballot_id=bid.ballot_id,
        competition_id=bid.competition_id,
        fsp=bid.fsp,
        window_id=bid.window_id,
        accepted_mw=decisions[bid.id].accepted_mw,
        maximum_run_time=bid.maximum_run_time,
        asset_ids=asset_ids,
        contracting_entity=contracting_entity,
        **paid_prices(competition, bid, taken),
    )


def confirmed(competition: Competition, ballots: Sequence[OpenedBallot], decisions: Decisions) -> ConfirmedResults:
    """What leaves the seal when all bids are decided: of a bid that was not accepted, its reason alone."""
    pairs = [(ballot, bid) for ballot in ballots for bid in ballot.bids]
    taken = accepted([bid for _, bid in pairs], decisions)
    paid = {bid.id for bid in taken}
    own: dict[str, list[Decision]] = {}
    for _, bid in pairs:
        own.setdefault(bid.fsp, []).append(decisions[bid.id])
    return ConfirmedResults(
        accepted=tuple(
            accepted_bid(competition, bid, decisions, taken, ballot.asset_ids, ballot.contracting_entity)
            for ballot, bid in pairs
            if bid.id in paid
        ),
        outcomes={fsp: _own_outcome(decided) for fsp, decided in sorted(own.items())},
    )


def _own_outcome(decided: Sequence[Decision]) -> OwnOutcome:
    taken = [decision for decision in decided if decision.verdict == "accepted"]
    return OwnOutcome(
        bids=len(decided),
        accepted=len(taken),
        accepted_mw=sum((decision.accepted_mw for decision in taken), ZERO),
        reasons=tuple(decision.reason for decision in decided if decision.reason is not None),
    )


def window_results(
    competition: Competition, bids: Sequence[BidForDeciding], decisions: Decisions
) -> list[WindowResult]:
    """Aggregates of every window in the competition's order, those without a bid too."""
    return [
        _window_result(competition, window, [bid for bid in bids if bid.window_id == window.id], decisions)
        for window in competition.windows
    ]


def _window_result(
    competition: Competition, window: ServiceWindow, bids: Sequence[BidForDeciding], decisions: Decisions
) -> WindowResult:
    taken = accepted(bids, decisions)
    prices = [bid.effective_price for bid in taken if bid.effective_price is not None]
    return WindowResult(
        window_id=window.id,
        service_period_name=window.period_name,
        service_window_name=window.name,
        capacity_required_mw=window.capacity_required,
        offered_mw=offered_mw(bids),
        accepted_mw=sum((decisions[bid.id].accepted_mw for bid in taken), Decimal(0)),
        bids=len(bids),
        bidders=len({bid.fsp for bid in bids}),
        lowest_accepted_price=min(prices, default=None),
        highest_accepted_price=max(prices, default=None),
        price_unit="MW/h" if "availability_price" in competition.asked_prices else "MWh",
    )


def offered_mw(bids: Sequence[BidForDeciding]) -> Decimal:
    """MW that can be bought in a window: exclusive groups, which are a ballot's own, counted once, the largest."""
    ballots: dict[str, list[BidForDeciding]] = {}
    for bid in bids:
        ballots.setdefault(bid.ballot_id, []).append(bid)
    return sum((counted_mw(own) for own in ballots.values()), Decimal(0))


def results_message(results: Sequence[WindowResult]) -> str:
    """What was bought in one sentence; when nothing was, why not."""
    bids, windows = sum(result.bids for result in results), len(results)
    bought = sum(1 for result in results if result.accepted_mw > 0)
    if bids == 0:
        return "Nothing was bought: there were no bids."
    if bought == 0:
        return f"Nothing was bought: none of the {bids} bids was accepted." if bids > 1 else _one_bid_rejected()
    covered = sum(1 for result in results if result.accepted_mw >= result.capacity_required_mw)
    return f"Bought in {bought} of {windows} windows; the requirement is covered in {covered}."


def _one_bid_rejected() -> str:
    return "Nothing was bought: the only bid was not accepted."
