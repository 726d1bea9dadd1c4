"""Owns what is left of a ballot after close: bids cut to the assets that stayed, and flags for the operator. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from chalicelib.bidding.bid_rules import ceiling_breaches
from chalicelib.bidding.models import BallotVersion, Bid, BidForDeciding, OpenedBallot, total
from chalicelib.bidding.pricing import by_window, effective_price, expected_cost, shown_money, shown_price
from chalicelib.competitions.models import Competition

CUT = "cut"
NOT_QUALIFIED = "not_qualified"


def opened_ballot(competition: Competition, ballot: BallotVersion, qualified: Mapping[str, Decimal]) -> OpenedBallot:
    """A ballot as it is decided on; `qualified` is what each asset of the FSP still brings, in MW.

    A ballot whose assets dropped out after close stays, is cut to what is left and flagged (page 5).
    """
    still = tuple(asset_id for asset_id in ballot.asset_ids if asset_id in qualified)
    left = total([qualified[asset_id] for asset_id in still])
    kept = {bid_id: mw for bids in by_window(ballot.bids).values() for bid_id, mw in cut_to(bids, left).items()}
    return OpenedBallot(
        ballot_id=ballot.ballot_id,
        version=ballot.version,
        ref=ballot.ref,
        fsp=ballot.fsp,
        competition_id=competition.id,
        contracting_entity=ballot.contracting_entity,
        submitted_at=ballot.submitted_at,
        asset_ids=still,
        bids=tuple(_row(competition, ballot, bid, kept[bid.id]) for bid in ballot.bids),
    )


def cut_to(bids: Sequence[Bid], left: Decimal) -> dict[str, Decimal]:
    """MW that remain of each bid of one window when its set has `left`: earlier splits keep theirs before later ones.

    Bids of an exclusive group share one place, since at most one of them is accepted: each may have all that is left
    at the place of the group's first.
    """
    kept: dict[str, Decimal] = {}
    for place in _places(sorted(bids, key=lambda bid: bid.split)):
        for bid in place:
            kept[bid.id] = min(bid.capacity_mw, left)
        left -= max(kept[bid.id] for bid in place)
    return kept


def _places(bids: Sequence[Bid]) -> list[list[Bid]]:
    places: dict[tuple[str, str], list[Bid]] = {}
    for bid in bids:
        key = ("bid", bid.id) if bid.exclusive_group is None else ("group", bid.exclusive_group)
        places.setdefault(key, []).append(bid)
    return list(places.values())


def _row(competition: Competition, ballot: BallotVersion, bid: Bid, mw: Decimal) -> BidForDeciding:
    window = competition.windows_by_id[bid.window_id]
    smallest = bid.minimum_acceptance_mw
    fields = dict(bid) | {
        "ballot_id": ballot.ballot_id,
        "ballot_version": ballot.version,
        "fsp": ballot.fsp,
        "competition_id": competition.id,
        "submitted_at": ballot.submitted_at,
        "offered_mw": bid.capacity_mw,
        "capacity_mw": mw,
        "minimum_acceptance_mw": None if smallest is None else min(smallest, mw),
        "expected_cost": shown_money(expected_cost(mw, bid, window)),
        "effective_price": shown_price(effective_price(bid, window)),
        "flags": _flags(competition, bid, mw),
    }
    return BidForDeciding.model_validate(fields)


def _flags(competition: Competition, bid: Bid, mw: Decimal) -> tuple[str, ...]:
    """`cut` or `not_qualified`, then `above_ceiling_<price>` for each ceiling the bid lies above."""
    window = competition.windows_by_id[bid.window_id]
    lost = [] if mw == bid.capacity_mw else [NOT_QUALIFIED if mw == 0 else CUT]
    above = [name.removesuffix("_price") for name in ceiling_breaches(competition, window, bid)]
    return (*lost, *(f"above_ceiling_{name}" for name in above))
