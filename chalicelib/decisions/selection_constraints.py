"""Owns what may not be taken together: groups, assets sold once, what a ballot delivers, shares and the budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor

from chalicelib.decisions.selection_models import Candidate, SelectionRequest
from chalicelib.decisions.selection_problem import Cap, Choice, Need, Row
from chalicelib.kernel.quantities import watts


def instants(request: SelectionRequest) -> list[tuple[str, ...]]:
    """Every set of windows that are on together, and each other window by itself."""
    within = {window for windows in request.together for window in windows}
    alone = [(each.window_id,) for each in request.requirements if each.window_id not in within]
    return sorted({*(tuple(sorted(set(windows))) for windows in request.together), *alone})


def grouped(bids: Sequence[Candidate], name: str) -> tuple[tuple[int, ...], ...]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, bid in enumerate(bids):
        if getattr(bid, name) is not None:
            groups[getattr(bid, name)].append(number)
    return tuple(tuple(group) for _, group in sorted(groups.items()) if len(group) > 1)


def exclusive(bids: Sequence[Candidate]) -> Iterator[Choice]:
    for group in grouped(bids, "exclusive_group"):
        yield Choice(tuple((number,) for number in group))


def sold_once(request: SelectionRequest, bids: Sequence[Candidate]) -> Iterator[Choice]:
    """An asset is sold once per instant: of the ballots it stands in, one may have bids taken at any one time.

    Bids of one ballot share its assets by design and are held by `ballot_caps` instead. Within a competition the
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


def ballot_caps(request: SelectionRequest, bids: Sequence[Candidate]) -> Iterator[Cap]:
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


def share_caps(
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


def budget_caps(request: SelectionRequest, rows: Sequence[Row], money: int) -> Iterator[Cap]:
    if request.budget is None:
        return
    limit = floor(Fraction(request.budget) * money)
    if sum(max(row.spend, 0) * row.most for row in rows) > limit:
        yield Cap("budget", tuple(range(len(rows))), tuple(row.spend for row in rows), limit)
