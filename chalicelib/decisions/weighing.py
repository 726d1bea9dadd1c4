"""Owns what a selection is asked: opened bids as candidates, windows as requirements, what-if options put in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from chalicelib.bidding.bid_rules import CEILINGS, ceiling_breaches, ceilings_of
from chalicelib.bidding.models import PRICE_UNITS, BidForDeciding, OpenedBallot
from chalicelib.bidding.pricing import cost_per_mw, effective_price, shown_price
from chalicelib.competitions.models import Ceilings, Competition, ServiceWindow
from chalicelib.decisions.forcing import set_in
from chalicelib.decisions.models import REASONS, Reason
from chalicelib.decisions.models_proposals import CeilingChange, ProposalRequest, Weighed, WindowChange
from chalicelib.decisions.rules import acceptable
from chalicelib.decisions.selection_models import (
    Candidate,
    NotTaken,
    Requirement,
    SelectionRequest,
    windows_together,
)
from chalicelib.kernel.quantities import ZERO, plain

_REASON_OF: dict[str, Reason] = {
    "availability_price": "ABOVE_CEILING_AVAILABILITY",
    "utilisation_price": "ABOVE_CEILING_UTILISATION",
    "effective_price": "ABOVE_CEILING_EFFECTIVE",
}


def weighed(
    competition: Competition,
    ballots: Sequence[OpenedBallot],
    deliverable: Mapping[str, Decimal],
    options: ProposalRequest,
) -> Weighed:
    """What the selection is asked for a competition with these options, and the bids it is told not to choose.

    `deliverable` is by ballot id what its assets can deliver at one instant, in MW.
    """
    asked = as_asked(competition, options)
    bids = [bid for ballot in ballots for bid in ballot.bids]
    looked_at = [bid for bid in bids if bid.id not in set(options.left_out)]
    barred = {bid.id: found for bid in looked_at if (found := _barred(asked, bid)) is not None}
    request = SelectionRequest(
        requirements=tuple(_requirement(asked, window, options) for window in asked.windows),
        candidates=tuple(_candidate(asked, bid, barred.get(bid.id)) for bid in looked_at),
        together=windows_together({window.id: list(asked.occurrences(window)) for window in asked.windows}),
        ballot_mw={ballot.ballot_id: deliverable[ballot.ballot_id] for ballot in ballots},
        budget=competition.maximum_budget if options.budget is None else options.budget,
        maximum_share=None if options.maximum_share is None else Fraction(options.maximum_share),
    )
    left, forced = set_in(request, set(options.forced_in))
    left_out = [_left_out(bid) for bid in bids if bid.id in set(options.left_out)]
    return Weighed(
        request=left.in_order(), forced=forced, set_aside=(*barred.values(), *left_out), notes=tuple(_notes(asked))
    )


def as_asked(competition: Competition, options: ProposalRequest) -> Competition:
    """The competition as it would be with the options' requirements and ceilings."""
    changes = {change.window_id: change for change in options.windows}
    windows = tuple(_changed(competition, window, changes.get(window.id), options) for window in competition.windows)
    changed: Competition = competition.but(windows=windows)
    return changed


def _changed(
    competition: Competition, window: ServiceWindow, change: WindowChange | None, options: ProposalRequest
) -> ServiceWindow:
    """A window with the ceilings that bind in it as its own: those of its change, of all windows, as published."""
    asked = [change.ceilings] if change is not None else []
    sources: list[CeilingChange | Ceilings] = [*asked, options.ceilings, competition.ceilings(window)]
    given = None if change is None else change.capacity_required_mw
    changed: ServiceWindow = window.but(
        capacity_required=window.capacity_required if given is None else given,
        availability_ceiling=_first(source.availability for source in sources),
        utilisation_ceiling=_first(source.utilisation for source in sources),
        effective_price_ceiling=_first(source.effective for source in sources),
    )
    return changed


def _first(values: Iterator[Decimal | None]) -> Decimal | None:
    return next((value for value in values if value is not None), None)


def _requirement(competition: Competition, window: ServiceWindow, options: ProposalRequest) -> Requirement:
    return Requirement(
        window_id=window.id,
        mw=window.capacity_required,
        shortfall_price=shortfall_price(competition, window, options.shortfall_price),
    )


def shortfall_price(competition: Competition, window: ServiceWindow, given: Decimal | None) -> Fraction | None:
    """Money for each MW that stays uncovered over the period (page 5): the given price over its hours, else the
    effective ceiling over them, else availability ceiling x H_av + utilisation ceiling x H_ut; None with neither.

    A price that the operator fixed stands as its own ceiling.
    """
    ceilings: dict[str, Decimal] = ceilings_of(competition, window) | {**competition.fixed_prices}
    price = ceilings.get("effective_price") if given is None else given
    if price is not None:
        return Fraction(price) * _spread(competition, window)
    hours = {"availability_price": Fraction(window.hours), "utilisation_price": _dispatched(window)}
    asked = [name for name in hours if name in competition.asked_prices]
    if any(name not in ceilings for name in asked):
        return None
    return sum((Fraction(ceilings[name]) * hours[name] for name in asked), Fraction(0))


def _spread(competition: Competition, window: ServiceWindow) -> Fraction:
    """The hours over which an effective price is spread: H_av where availability is bid, else H_ut."""
    return Fraction(window.hours) if "availability_price" in competition.asked_prices else _dispatched(window)


def _dispatched(window: ServiceWindow) -> Fraction:
    """H_ut; none where the operator expects no dispatch."""
    return Fraction(window.dispatched_hours or 0)


def _candidate(competition: Competition, bid: BidForDeciding, barred: NotTaken | None) -> Candidate:
    window = competition.windows_by_id[bid.window_id]
    least, most = acceptable(bid, competition.accept_partial_award)
    return Candidate(
        bid_id=bid.id,
        ballot_id=bid.ballot_id,
        fsp=bid.fsp,
        window_id=bid.window_id,
        mw=bid.capacity_mw,
        minimum_mw=least if least < most else None,
        linked_group=_of_ballot(bid, bid.linked_group),
        exclusive_group=_of_ballot(bid, bid.exclusive_group),
        cost_per_mw=cost_per_mw(bid, window),
        effective_price=effective_price(bid, window),
        submitted_at=bid.submitted_at,
        barred=None if barred is None else barred.code,
    )


def _of_ballot(bid: BidForDeciding, group: str | None) -> str | None:
    return None if group is None else f"{bid.ballot_id}/{group}"


def _barred(competition: Competition, bid: BidForDeciding) -> NotTaken | None:
    """Why a bid may not be chosen at all, or None: nothing left of it, a price above a ceiling, too little left."""
    if bid.capacity_mw == 0:
        text = f"{REASONS['NOT_QUALIFIED']} Nothing is left of the {plain(bid.offered_mw)} MW."
        return NotTaken(bid_id=bid.id, code="NOT_QUALIFIED", numbers={"offered_mw": plain(bid.offered_mw)}, text=text)
    breaches = ceiling_breaches(competition, competition.windows_by_id[bid.window_id], bid)
    if breaches:
        return _above_ceiling(competition, bid, breaches[0])
    smallest = competition.minimum_bid_size
    if bid.capacity_mw < min(smallest, bid.offered_mw):
        text = f"{plain(bid.capacity_mw)} MW is left of the bid, below the minimum bid size of {plain(smallest)} MW."
        numbers = {"left_mw": plain(bid.capacity_mw), "minimum_mw": plain(smallest)}
        return NotTaken(bid_id=bid.id, code="BELOW_MINIMUM", numbers=numbers, text=text)
    return None


def _above_ceiling(competition: Competition, bid: BidForDeciding, name: str) -> NotTaken:
    window = competition.windows_by_id[bid.window_id]
    price = (shown_price(effective_price(bid, window)) if name == "effective_price" else getattr(bid, name)) or ZERO
    ceiling = ceilings_of(competition, window)[name]
    unit = PRICE_UNITS.get(name) or ("MW/h" if "availability_price" in competition.asked_prices else "MWh")
    per = f"{competition.currency}/{unit}"
    text = f"The {CEILINGS[name]} price of {plain(price)} {per} is above the ceiling of {plain(ceiling)}."
    numbers = {"price": plain(price), "ceiling": plain(ceiling)}
    return NotTaken(bid_id=bid.id, code=_REASON_OF[name], numbers=numbers, text=text)


def _left_out(bid: BidForDeciding) -> NotTaken:
    return NotTaken(bid_id=bid.id, code="OTHER", text="The operator left this bid out of what was compared.")


def _notes(competition: Competition) -> Iterator[str]:
    if "availability_price" in competition.asked_prices:
        return
    for window in competition.windows:
        if not window.dispatched_hours:
            name = f"{window.period_name}, {window.name}"
            yield f"{name}: no dispatch is expected, so that bids cost nothing there and are compared by their prices."
