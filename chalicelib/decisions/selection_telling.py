"""Owns how a selection is told: window by window, beside merit order, with its bound and a reason for every bid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from chalicelib.bidding.pricing import rounded
from chalicelib.decisions.selection import Amounts, Found, counted_units, worth
from chalicelib.decisions.selection_models import MeritOrder, NotTaken, Selection, SelectionRequest, WindowSelection
from chalicelib.decisions.selection_problem import Problem
from chalicelib.decisions.selection_reasons import Reasoning, reasons_out_of_hand
from chalicelib.kernel.quantities import megawatts, plain

PENNY = Fraction(1, 100)


def told(
    request: SelectionRequest, problem: Problem, found: Found, in_merit_order: Amounts, solver: str, version: str
) -> Selection:
    """A selection found, as it is shown and kept; `request` is in order, `problem` its whole numbers."""
    marginal = _marginal(problem, found.amounts)
    not_taken = (*reasons_out_of_hand(request), *Reasoning(problem, found.amounts, marginal).reasons())
    why = {each.bid_id: each for each in not_taken}
    own = worth(problem, found.amounts)
    missing_gap = own.missing - found.missing
    total, bound = Fraction(own.cost, problem.money), Fraction(found.cost, problem.money)
    proven = missing_gap <= 0 and total - bound < PENNY
    windows = _windows(request, problem, found.amounts, marginal, why)
    return Selection(
        mw=_mw_by_bid(problem, found.amounts),
        cost=_spent(problem, found.amounts),
        total=_total(problem, found.amounts),
        lower_bound=None if missing_gap > 0 else _total(problem, found.amounts) - (total - bound),
        gap=None if missing_gap > 0 else _gap(total, bound),
        shortfall_gap_mw=rounded(Fraction(max(missing_gap, 0), problem.unit), 6),
        proven=proven,
        message=_message(proven, missing_gap, total, bound),
        windows=windows,
        not_taken=tuple(sorted(not_taken, key=lambda each: each.bid_id)),
        merit_order=_merit_order(problem, in_merit_order, found.amounts),
        method=found.method,
        solver=solver,
        solver_version=version,
        digest=request.digest,
    )


def _marginal(problem: Problem, amounts: Amounts) -> dict[int, int]:
    """By window, the row accepted last in merit order."""
    marginal: dict[int, int] = {}
    for number, row in enumerate(problem.rows):
        if amounts[number]:
            marginal[row.window] = number
    return marginal


def _windows(
    request: SelectionRequest,
    problem: Problem,
    amounts: Amounts,
    marginal: Mapping[int, int],
    why: Mapping[str, NotTaken],
) -> tuple[WindowSelection, ...]:
    counted = counted_units(problem, amounts)
    rows: list[list[int]] = [[] for _ in problem.needs]
    for number, row in enumerate(problem.rows):
        rows[row.window].append(number)
    bids: dict[str, list[str]] = {window: [] for window in problem.windows}
    for bid in request.candidates:
        bids.setdefault(bid.window_id, []).append(bid.bid_id)
    return tuple(
        _window(problem, place, rows[place], amounts, counted[place], marginal.get(place), bids[window_id], why)
        for place, window_id in enumerate(problem.windows)
    )


def _window(
    problem: Problem,
    place: int,
    rows: Sequence[int],
    amounts: Amounts,
    units: int,
    last: int | None,
    bids: Sequence[str],
    why: Mapping[str, NotTaken],
) -> WindowSelection:
    need, taken = problem.needs[place], [number for number in rows if amounts[number]]
    short, over = max(need.units - units, 0), max(units - need.units, 0)
    lump = _lump(problem, taken, amounts) if over else None
    figures = WindowSelection(
        window_id=problem.windows[place],
        required_mw=rounded(Fraction(need.units, problem.unit), 6),
        accepted_mw=rounded(Fraction(units, problem.unit), 6),
        shortfall_mw=rounded(Fraction(short, problem.unit), 6),
        over_procured_mw=rounded(Fraction(over, problem.unit), 6),
        over_procured_by=lump,
        bids=len(bids),
        accepted_bids=len(taken),
        cost=Fraction(sum(problem.rows[n].spend * amounts[n] for n in taken), problem.money),
        shortfall_cost=None if need.price is None else Fraction(short * need.price, problem.money),
        marginal_price=None if last is None else problem.bids[last].effective_price,
        marginal_bid=None if last is None else problem.bids[last].bid_id,
        message="",
    )
    return figures.model_copy(update={"message": _window_message(figures, [why[bid] for bid in bids if bid in why])})


def _lump(problem: Problem, taken: Sequence[int], amounts: Amounts) -> str | None:
    """The bid that buys more than is required: the dearest of those that could not be cut."""
    uncut = [number for number in taken if amounts[number] == problem.rows[number].least]
    return problem.bids[max(uncut)].bid_id if uncut else None


def _window_message(window: WindowSelection, refused: Sequence[NotTaken]) -> str:
    required = f"{plain(window.required_mw)} MW required"
    if not window.bids:
        return f"No bids: {required}, nothing bought."
    bids = "1 bid" if window.bids == 1 else f"{window.bids} bids"
    if not window.accepted_bids:
        return f"{bids}, none taken: {required}, nothing bought. {_mostly(refused)}"
    bought = f"{window.accepted_bids} of {bids} taken: {plain(window.accepted_mw)} MW for {required}"
    if window.over_procured_mw:
        whole = f", since bid {window.over_procured_by} cannot be cut" if window.over_procured_by else ""
        return f"{bought}, {plain(window.over_procured_mw)} MW more than needed{whole}."
    if window.shortfall_mw:
        return f"{bought}, {plain(window.shortfall_mw)} MW short. {_mostly(refused)}".strip()
    return f"{bought}."


def _mostly(refused: Sequence[NotTaken]) -> str:
    """The reason most bids were not taken for, in its own words where there is one bid."""
    if not refused:
        return "Every bid was taken."
    if len(refused) == 1:
        return refused[0].text
    codes = [each.code for each in refused]
    most = max(sorted(set(codes)), key=codes.count)
    return f"{codes.count(most)} of {len(codes)} not taken: {most}."


def _mw_by_bid(problem: Problem, amounts: Amounts) -> dict[str, str]:
    taken = {bid.bid_id: watts for bid, watts in zip(problem.bids, amounts, strict=True) if watts}
    return {bid_id: plain(megawatts(watts)) for bid_id, watts in sorted(taken.items())}


def _spent(problem: Problem, amounts: Amounts) -> Fraction:
    return Fraction(sum(row.spend * watts for row, watts in zip(problem.rows, amounts, strict=True)), problem.money)


def _total(problem: Problem, amounts: Amounts) -> Fraction:
    """What the bids cost, and what falls short at its price."""
    counted = counted_units(problem, amounts)
    short = (max(need.units - units, 0) * (need.price or 0) for need, units in zip(problem.needs, counted, strict=True))
    return _spent(problem, amounts) + Fraction(sum(short), problem.money)


def _short(problem: Problem, amounts: Amounts) -> Fraction:
    counted = counted_units(problem, amounts)
    units = sum(max(need.units - units, 0) for need, units in zip(problem.needs, counted, strict=True))
    return Fraction(units, problem.unit)


def _merit_order(problem: Problem, in_merit_order: Amounts, chosen: Amounts) -> MeritOrder:
    return MeritOrder(
        mw=_mw_by_bid(problem, in_merit_order),
        cost=_spent(problem, in_merit_order),
        shortfall_mw=rounded(_short(problem, in_merit_order), 6),
        difference=_total(problem, in_merit_order) - _total(problem, chosen),
    )


def _gap(total: Fraction, bound: Fraction) -> Fraction:
    return (total - bound) / abs(total) if total else Fraction(0 if bound >= 0 else 1)


def _message(proven: bool, missing_gap: int, total: Fraction, bound: Fraction) -> str:
    if proven:
        exact = "costs less" if total <= bound else "costs less by a penny or more"
        return f"Proven: no allowed selection that leaves as little short {exact}."
    if missing_gap > 0:
        return "Best found; whether less need fall short is not proven."
    percent = plain(rounded(_gap(total, bound) * 100, 4))
    return f"Best found; the cheapest costs at most {percent} % less."
