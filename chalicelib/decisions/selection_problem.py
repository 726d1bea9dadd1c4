"""Owns a selection in whole numbers: watts, units of requirement and units of money, with every constraint as a row.

Nothing is rounded on the way in: the unit of money is as fine as the request's figures need, the unit of requirement a
watt divided by the impact factors' denominators. Rows stand in merit order, which is also the order of ties.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import floor, lcm
from typing import Literal

from chalicelib.decisions.selection_models import Candidate, Requirement, SelectionRequest
from chalicelib.kernel.quantities import WATTS_PER_MW, watts

Why = Literal["assets", "share", "budget"]


@dataclass(frozen=True, slots=True)
class Row:
    """A bid: nothing of it is taken, or `least` to `most` watts, each worth `counts` units towards its window.

    `cost` is what a watt weighs in the choice, `spend` what it costs in money; they differ only in windows where no
    hours are expected, in which every bid costs nothing and the effective price is weighed instead.
    """

    window: int
    least: int
    most: int
    counts: int
    cost: int
    spend: int


@dataclass(frozen=True, slots=True)
class Need:
    """A window: units required, the price of a unit short (None: shortfall comes before cost).

    `over` is charged for a unit beyond the requirement; it is above 0 only where a bid's price is negative, so that
    money is never made by buying what nobody needs.
    """

    units: int
    price: int | None
    over: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows in groups, of which at most one group has anything taken: an exclusive group, or `assets` sold once."""

    groups: tuple[tuple[int, ...], ...]
    why: Literal["exclusive", "assets"] = "exclusive"


@dataclass(frozen=True, slots=True)
class Cap:
    """Rows whose weighted watts may not exceed a limit."""

    why: Why
    rows: tuple[int, ...]
    weights: tuple[int, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A selection to be made. `money` and `unit` are how many units make one of the currency, and one MW."""

    rows: tuple[Row, ...]
    needs: tuple[Need, ...]
    links: tuple[tuple[int, ...], ...] = ()
    choices: tuple[Choice, ...] = ()
    caps: tuple[Cap, ...] = ()
    money: int = 1
    unit: int = 1
    bids: tuple[Candidate, ...] = field(default=(), compare=False)
    windows: tuple[str, ...] = ()


def problem_of(request: SelectionRequest) -> Problem:
    """The request in whole numbers; bids that cannot be taken at all are left out (`out_of_hand` says which)."""
    barred = out_of_hand(request)
    bids = sorted((bid for bid in request.candidates if bid.bid_id not in barred), key=merit)
    needed = sorted(request.requirements, key=lambda each: each.window_id)
    place = {each.window_id: number for number, each in enumerate(needed)}
    weighed = _weighed(bids)
    scale = lcm(*(bid.impact.denominator for bid in bids))
    fine = lcm(*(price.denominator for price in _figures(request, bids, weighed)))
    rows = tuple(
        Row(
            window=place[bid.window_id],
            least=watts(bid.mw if bid.minimum_mw is None else bid.minimum_mw) or 1,
            most=watts(bid.mw),
            counts=int(bid.impact * scale),
            cost=int(weight * fine * scale),
            spend=int(bid.cost_per_mw * fine * scale),
        )
        for bid, weight in zip(bids, weighed, strict=True)
    )
    charges = _charges(rows, len(needed))
    needs = tuple(_need(each, scale, fine, charge) for each, charge in zip(needed, charges, strict=True))
    money = fine * scale * WATTS_PER_MW
    return Problem(
        rows=rows,
        needs=needs,
        links=_grouped(bids, "linked_group"),
        choices=(*_exclusive(bids), *_sold_once(request, bids)),
        caps=(
            *_ballot_caps(request, bids),
            *_share_caps(request, bids, rows, needs),
            *_budget_caps(request, rows, money),
        ),
        money=money,
        unit=scale * WATTS_PER_MW,
        bids=tuple(bids),
        windows=tuple(place),
    )


def merit(bid: Candidate) -> tuple[Fraction, int, datetime, str]:
    """The order of bids and of ties: lower effective price, smaller MW, earlier submission, bid id (page 5)."""
    price = bid.cost_per_mw / bid.impact if bid.effective_price is None else bid.effective_price
    return price, watts(bid.mw), bid.submitted_at, bid.bid_id


def out_of_hand(request: SelectionRequest) -> set[str]:
    """Ids of bids that no selection can hold: barred, empty, for a window that needs nothing, or linked with one."""
    needed = {each.window_id for each in request.requirements if each.mw > 0}
    lost = {bid.bid_id for bid in request.candidates if bid.barred or bid.window_id not in needed or is_empty(bid)}
    broken = {bid.linked_group for bid in request.candidates if bid.bid_id in lost} - {None}
    return lost | {bid.bid_id for bid in request.candidates if bid.linked_group in broken}


def is_empty(bid: Candidate) -> bool:
    """Whether nothing is left to buy of a bid, or less than the least it may be cut to."""
    return bid.mw <= 0 or (bid.minimum_mw is not None and bid.minimum_mw > bid.mw)


def instants(request: SelectionRequest) -> list[tuple[str, ...]]:
    """Every set of windows that are on together, and each other window by itself."""
    within = {window for windows in request.together for window in windows}
    alone = [(each.window_id,) for each in request.requirements if each.window_id not in within]
    return sorted({*(tuple(sorted(set(windows))) for windows in request.together), *alone})


def _weighed(bids: Sequence[Candidate]) -> list[Fraction]:
    """What a MW of each bid weighs: its cost, or its effective price where every bid of the window costs nothing."""
    costly = {bid.window_id for bid in bids if bid.cost_per_mw}
    return [
        bid.cost_per_mw if bid.window_id in costly else (bid.effective_price or Fraction(0)) * bid.impact
        for bid in bids
    ]


def _figures(request: SelectionRequest, bids: Sequence[Candidate], weighed: Iterable[Fraction]) -> Iterator[Fraction]:
    yield from weighed
    yield from (bid.cost_per_mw for bid in bids)
    yield from (each.shortfall_price for each in request.requirements if each.shortfall_price is not None)


def _need(requirement: Requirement, scale: int, fine: int, charge: int) -> Need:
    price = requirement.shortfall_price
    # A shortfall that costs nothing would make every purchase a waste; it means that no price is known.
    priced = int(price * fine) if price is not None and price > 0 else None
    return Need(watts(requirement.mw) * scale, priced, charge)


def _charges(rows: Sequence[Row], windows: int) -> list[int]:
    charges = [0] * windows
    for row in rows:
        charges[row.window] = max(charges[row.window], -(row.cost // row.counts))
    return charges


def _grouped(bids: Sequence[Candidate], name: str) -> tuple[tuple[int, ...], ...]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, bid in enumerate(bids):
        if getattr(bid, name) is not None:
            groups[getattr(bid, name)].append(number)
    return tuple(tuple(group) for _, group in sorted(groups.items()) if len(group) > 1)


def _exclusive(bids: Sequence[Candidate]) -> Iterator[Choice]:
    for group in _grouped(bids, "exclusive_group"):
        yield Choice(tuple((number,) for number in group))


def _sold_once(request: SelectionRequest, bids: Sequence[Candidate]) -> Iterator[Choice]:
    """An asset is sold once per instant: of the ballots it stands in, one may have bids taken at any one time.

    Bids of one ballot share its assets by design and are held by `_ballot_caps` instead. Within a competition the
    ballots of an FSP have no asset in common, so this binds between competitions.
    """
    at: dict[str, list[int]] = defaultdict(list)
    for number, bid in enumerate(bids):
        at[bid.window_id].append(number)
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for windows in instants(request):
        holders = _holders(bids, [number for window in windows for number in at.get(window, ())])
        for ballots in sorted({frozenset(rows) for rows in holders.values() if len(rows) > 1}, key=sorted):
            groups = tuple(sorted(ballots))
            if groups not in seen:
                seen.add(groups)
                yield Choice(groups, "assets")


def _holders(bids: Sequence[Candidate], numbers: Sequence[int]) -> dict[str, set[tuple[int, ...]]]:
    """By asset, the ballots it stands in, each as its rows among those numbers."""
    ballots: dict[str, list[int]] = defaultdict(list)
    for number in sorted(numbers):
        ballots[bids[number].ballot_id].append(number)
    holders: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    for rows in ballots.values():
        for asset_id in {asset_id for number in rows for asset_id in bids[number].asset_ids}:
            holders[asset_id].add(tuple(rows))
    return holders


def _ballot_caps(request: SelectionRequest, bids: Sequence[Candidate]) -> Iterator[Cap]:
    """What a ballot's assets can deliver is not exceeded at any instant, whatever its splits and windows add up to."""
    of_ballot: dict[str, list[int]] = defaultdict(list)
    for number, bid in enumerate(bids):
        if bid.ballot_id in request.ballot_mw:
            of_ballot[bid.ballot_id].append(number)
    times: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for windows in instants(request):
        for window in windows:
            times[window].append(windows)
    for ballot_id, numbers in sorted(of_ballot.items()):
        limit = watts(request.ballot_mw[ballot_id])
        for rows in sorted(_at_once(bids, numbers, times)):
            if sum(watts(bids[number].mw) for number in rows) > limit:
                yield Cap("assets", rows, (1,) * len(rows), limit)


def _at_once(
    bids: Sequence[Candidate], numbers: Sequence[int], times: Mapping[str, Sequence[tuple[str, ...]]]
) -> set[tuple[int, ...]]:
    """The sets of a ballot's rows that are on at one instant."""
    when = {windows for number in numbers for windows in times[bids[number].window_id]}
    return {tuple(number for number in numbers if bids[number].window_id in windows) for windows in when}


def _share_caps(
    request: SelectionRequest, bids: Sequence[Candidate], rows: Sequence[Row], needs: Sequence[Need]
) -> Iterator[Cap]:
    """No FSP has more than its share of what a window requires."""
    if request.maximum_share is None:
        return
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number, bid in enumerate(bids):
        groups[rows[number].window, bid.fsp].append(number)
    for (window, _), group in sorted(groups.items()):
        limit = floor(request.maximum_share * needs[window].units)
        if sum(rows[number].counts * rows[number].most for number in group) > limit:
            yield Cap("share", tuple(group), tuple(rows[number].counts for number in group), limit)


def _budget_caps(request: SelectionRequest, rows: Sequence[Row], money: int) -> Iterator[Cap]:
    if request.budget is None:
        return
    limit = floor(Fraction(request.budget) * money)
    if sum(max(row.spend, 0) * row.most for row in rows) > limit:
        yield Cap("budget", tuple(range(len(rows))), tuple(row.spend for row in rows), limit)
