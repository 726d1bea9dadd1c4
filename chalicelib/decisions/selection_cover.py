"""Owns one window of whole bids, solved to the last unit on arrays. Carries numpy; for the `solver` bundle.

Pisinger's core algorithm (An expanding-core algorithm for the exact 0-1 knapsack problem, 1995), for covering: merit
order and its marginal price p give a bound; each selection costs that bound, plus p for each unit too many, plus, for
each bid on which it departs from merit order, what the bid's cost lies off the marginal price. Departures dearer than
the best selection known are ruled out, and what is left, a few dozen bids around the margin, is searched wholly. All in
whole numbers: what is called cheapest here is proven without a tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Marks = NDArray[np.bool_]

LARGEST = 2**61
NEAR, FAR = 60, 400
# So few states are searched sooner than compared.
FEW = 64


@dataclass(frozen=True, slots=True)
class Cover:
    """Which bids are taken, and what no set of bids can cost less than: their own cost where that is proven."""

    taken: Marks
    bound: Fraction
    is_proven: bool


@dataclass(frozen=True, slots=True)
class _Margin:
    """A window seen from its marginal price, `price` for `unit` units: what a bid adds by departing from merit order.

    `stands` marks the bids below that price, `departure` is never negative and in unit-th parts of the money,
    `left` the units they leave to cover, `short` what a unit short adds (None: all must be covered).
    """

    stands: Marks
    departure: Integers
    change: Integers
    left: int
    price: int
    short: int | None
    bound: int
    unit: int

    def over_bound(self, changed: Integers, departed: Integers) -> Integers:
        """How far selections lie above the bound, by the units and departures in which they differ; -1: not allowed."""
        left = self.left - changed
        if self.short is None:
            return np.where(left > 0, -1, departed - self.price * left)
        return departed + np.where(left > 0, self.short * left, -self.price * left)


def cheapest_cover(
    weights: Integers, costs: Integers, need: int, short: int | None, work: int, ties: bool = True
) -> Cover | None:
    """The cheapest set of whole bids of these units and (positive) costs that covers `need`, in merit order if equal.

    `short` is paid for a unit short; None: all is covered, which the bids together must be able to. Rows stand in
    merit order; without `ties` any of the cheapest sets will do. None where the figures outgrow 64 bits; not proven
    when the search took more than `work` states.
    """
    order = np.argsort(costs / weights, kind="stable")
    last = int(np.searchsorted(np.cumsum(weights[order]), need))
    margin = _margin(weights, costs, need, short, int(order[last]) if last < len(order) else None)
    if margin is None:
        return None
    best, departing = _guess(margin, order[: last + 1])
    found, is_complete = _search(margin, best, work)
    if found is not None:
        best, departing = found
    if is_complete and ties:
        departing = _first_of_equals(margin, best, work) or departing
    taken = margin.stands.copy()
    taken[list(departing)] ^= True
    return Cover(taken, Fraction(margin.bound + (best if is_complete else 0), margin.unit), is_complete)


def _margin(weights: Integers, costs: Integers, need: int, short: int | None, last: int | None) -> _Margin | None:
    """The window from the price of the `last` bid in merit order, or of a shortfall where that is less."""
    price, unit = (short or 0, 1) if last is None else (int(costs[last]), int(weights[last]))
    if short is not None and price > short * unit:
        price, unit = short, 1
    price, unit = price // gcd(price, unit), unit // gcd(price, unit)
    largest = max(int(weights.sum()), need)
    if unit * int(costs.sum()) + (price + unit * (short or 0)) * largest >= LARGEST:
        return None
    off = unit * costs - price * weights
    stands = off < 0
    return _Margin(
        stands=stands,
        departure=np.abs(off),
        change=np.where(stands, -weights, weights),
        left=need - int(weights[stands].sum()),
        price=price,
        short=None if short is None else unit * short - price,
        bound=price * need + int(off[stands].sum()),
        unit=unit,
    )


Best = tuple[int, Sequence[int]]


def _guess(margin: _Margin, in_merit_order: Integers) -> Best:
    """A selection to begin with: merit order, or the best of one bid more, or of one bid for another, at the margin."""
    stood = in_merit_order[~margin.stands[in_merit_order]]
    guesses = [_judged(margin, stood)] + [_judged(margin, np.zeros(0, np.int64))]
    added = np.nonzero(~margin.stands)[0]
    added = added[np.argsort(margin.departure[added], kind="stable")[:FAR]]
    dropped = np.nonzero(margin.stands)[0]
    dropped = dropped[np.argsort(margin.departure[dropped], kind="stable")[:NEAR]]
    for drop in (np.zeros(0, np.int64), dropped):
        guesses += _best_pair(margin, added, drop)
    return min((guess for guess in guesses if guess[0] >= 0), key=lambda guess: guess[0])


def _judged(margin: _Margin, departing: Integers) -> Best:
    over = margin.over_bound(margin.change[departing].sum(), margin.departure[departing].sum())
    return int(over), departing.tolist()


def _best_pair(margin: _Margin, added: Integers, dropped: Integers) -> list[Best]:
    """The best of adding one bid, having dropped one of those `dropped` where there are any."""
    if not len(added):
        return []
    changed, departed = margin.change[added], margin.departure[added]
    if len(dropped):
        changed = changed + margin.change[dropped][:, None]
        departed = departed + margin.departure[dropped][:, None]
    over = margin.over_bound(changed, departed)
    over = np.where(over < 0, LARGEST, over)
    place = np.unravel_index(int(np.argmin(over)), over.shape)
    chosen = [added[place[-1]], *([dropped[place[0]]] if len(dropped) else [])]
    return [_judged(margin, np.array(chosen))]


def _search(margin: _Margin, best: int, work: int) -> tuple[Best | None, bool]:
    """The best selection under `best`, if there is one, and whether the search was complete.

    Bids are let depart one after the other, the cheapest departure first; a state is kept while one departure more
    could still better the best, and unless another state has as many units at no more cost.
    """
    core = np.nonzero(margin.departure < best)[0]
    core = core[np.argsort(margin.departure[core], kind="stable")]
    costs, changes = margin.departure[core].tolist(), margin.change[core].tolist()
    changed = departed = np.zeros(1, np.int64)
    kept: list[Integers] = [np.zeros(1, np.int64)]
    counts, found, seen = [0], None, 0
    for step, (cost, change) in enumerate(zip(costs, changes, strict=True)):
        if cost >= best:
            break
        count = len(changed)
        seen += count
        if seen > work:
            return _traced(found, core, kept, counts, best), False
        over = margin.over_bound(changed + change, departed + cost)
        over[over < 0] = best
        if count and int(over.min()) < best:
            best, found = int(over.min()), (step, count + int(np.argmin(over)))
        changed = np.concatenate((changed, changed + change))
        departed = np.concatenate((departed, departed + cost))
        ahead = costs[step + 1] if step + 1 < len(costs) else best
        places = _undominated(margin, changed, departed, best - ahead)
        changed, departed = changed[places], departed[places]
        kept.append(places)
        counts.append(count)
    return _traced(found, core, kept, counts, best), True


def _undominated(margin: _Margin, changed: Integers, departed: Integers, room: int) -> Integers:
    places = np.nonzero(departed < room)[0]
    if len(places) < FEW:
        return places
    places = places[np.lexsort((departed[places], -changed[places]))]
    cost = margin.price * changed[places] + departed[places]
    least = np.minimum.accumulate(cost)
    return places[np.append(True, cost[1:] < least[:-1])]


def _traced(
    found: tuple[int, int] | None, core: Integers, kept: Sequence[Integers], counts: Sequence[int], best: int
) -> Best | None:
    """The bids that depart in the state found at a step, read back through the states before it."""
    if found is None:
        return None
    step, place = found
    departing = []
    while step >= 0:
        count = counts[step + 1] if step + 1 < len(counts) else len(kept[step])
        if place >= count:
            departing.append(int(core[step]))
            place -= count
        place = int(kept[step][place])
        step -= 1
    return best, departing


def _first_of_equals(margin: _Margin, best: int, work: int) -> list[int] | None:
    """Of all selections that lie `best` over the bound, the one that takes the first bid on which they differ.

    A state is the units and departures it has, with its bids as the bits of a number, the first bid the highest; None
    where there are too many states.
    """
    core = np.nonzero(margin.departure <= best)[0].tolist()
    bits = {number: 1 << (len(core) - place) for place, number in enumerate(core)}
    start = sum(bits[number] for number in core if margin.stands[number])
    states, seen = {(0, 0): start}, 0
    for number in sorted(core, key=lambda each: -int(margin.departure[each])):
        departure, change = int(margin.departure[number]), int(margin.change[number])
        bit = -bits[number] if margin.stands[number] else bits[number]
        seen += len(states)
        if seen > work:
            return None
        for (changed, departed), marks in list(states.items()):
            if departed + departure <= best:
                key = (changed + change, departed + departure)
                states[key] = max(states.get(key, -1), marks + bit)
    return _departing(margin, core, bits, states, best)


def _departing(
    margin: _Margin, core: Sequence[int], bits: dict[int, int], states: dict[tuple[int, int], int], best: int
) -> list[int]:
    keys = np.array(list(states), np.int64)
    equal = np.nonzero(margin.over_bound(keys[:, 0], keys[:, 1]) == best)[0]
    values = list(states.values())
    marks = max(values[place] for place in equal.tolist())
    return [number for number in core if bool(marks & bits[number]) != bool(margin.stands[number])]
