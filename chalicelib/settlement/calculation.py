"""Owns settling many meters at once: the plain rule of `settlement.settling`, on arrays. Carries numpy; for workers.

What is decided (which days count, which are left out, whether a ratio is sound) is decided on whole numbers. The rest
is floating point, and whatever comes near a decision, a floor or half a penny, goes to the plain rule, as does all that
is rare: gaps, unsound ratios. So the two are equal to the penny, and a property test holds them so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from chalicelib.kernel.periods import at_clock, day_span, is_working_day
from chalicelib.settlement.measuring import Evidence
from chalicelib.settlement.methods import Historical
from chalicelib.settlement.models import (
    FloorLinear,
    GraceSlope,
    Instruction,
    LinearCap,
    MarketRules,
    Member,
    Step,
)
from chalicelib.settlement.series import MILLIWATTS_PER_MW, Grid
from chalicelib.settlement.settling import settle_instructions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

AT_ONCE = 2048
_NEAR = 1e-9
_CLEARLY = 1e-3
UNSETTLED = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of many meters by local day and clock: (meters, days, periods), in units of `unit` milliwatts.

    `there` is False where a reading is missing or the clocks skip the period; None when every one is there.
    `events` (meters, days) marks the days of any instruction to a meter by any SO.
    """

    first: date
    zone: ZoneInfo
    minutes: int
    values: NDArray[Any]
    unit: int
    events: Flags
    there: Flags | None = None
    holidays: frozenset[date] = frozenset()

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)


@dataclass(frozen=True, slots=True)
class Called:
    """One span in which many meters, each by itself, were instructed: `mw` of each, to the block's unit.

    Periods `[start, end)` of local day number `day`; `notice` is the period from which it was known.
    """

    day: int
    start: int
    end: int
    notice: int
    meters: Ints
    mw: Ints
    price: Decimal
    direction: str = "deficit"


def can_settle(rules: MarketRules) -> bool:
    """Whether rules are of the kind done here: history ranked by day, a ratio or none, pay for what was instructed."""
    method = rules.baseline
    return (
        isinstance(method, Historical)
        and (method.rank == "day" or method.choose == "all")
        and (method.adjustment is None or method.adjustment.kind == "ratio")
        and isinstance(rules.performance, LinearCap | FloorLinear | GraceSlope | Step)
        and rules.paid_volume == "instructed"
        and rules.over_delivery == 1
    )


def settle_many(rules: MarketRules, block: Block, calls: Sequence[Called]) -> list[Ints]:
    """The utilisation line of each meter of each call, in pence; UNSETTLED where it has a reason instead.

    Meters are settled one by one: no two calls of one meter may overlap. ValueError for rules not of this kind, and for
    a day on which the clocks change, whose hours these arrays do not hold.
    """
    if not can_settle(rules):
        raise ValueError("these rules are settled by the plain rule")
    for call in calls:
        start, end = day_span(block.day(call.day), block.zone)
        if end - start != timedelta(days=1):
            raise ValueError(f"the clocks change on {block.day(call.day)}: it is settled by the plain rule")
    pence = [np.full(len(call.meters), UNSETTLED, np.int64) for call in calls]
    for low in range(0, block.values.shape[0], AT_ONCE):
        for call, found in zip(calls, pence, strict=True):
            here = np.nonzero((call.meters >= low) & (call.meters < low + AT_ONCE))[0]
            if len(here):
                found[here] = _settle_part(rules, block, call, here)
    return pence


def plain_pence(rules: MarketRules, block: Block, call: Called, place: int) -> int:
    """The same line by the plain rule: what is near a decision, and what tests compare with."""
    meter, grid = int(call.meters[place]), Grid(block.minutes, block.zone)
    mw = Decimal(int(call.mw[place]) * block.unit) / MILLIWATTS_PER_MW
    day = block.day(call.day)

    def instant(period: int) -> Any:
        return at_clock(day, period * block.minutes, block.zone)

    instruction = Instruction(
        id="ins",
        obligation_id="obl",
        so="so",
        fsp="fsp",
        direction=call.direction,  # type: ignore[arg-type]
        state="delivered",
        starts=instant(call.start),
        ends=instant(call.end),
        instructed_mw=mw,
        acknowledged_mw=mw,
        utilisation_price=call.price,
        notice_at=instant(call.notice),
        members=(Member(point="m", meters=("m",), capacity_mw=mw),),
    )
    known = Evidence(grid, {"m": _series(block, meter)}, block.holidays, {"m": _event_spans(block, meter)})
    [settled] = settle_instructions([instruction], {"ins": rules}, known)
    return UNSETTLED if settled.reason else int(settled.amounts["utilisation"].scaleb(2))


def _series(block: Block, meter: int) -> dict[Any, int]:
    values = block.values[meter].ravel().tolist()
    there = block.there[meter].ravel().tolist() if block.there is not None else [True] * len(values)
    instants = _instants(block.first, block.zone, block.minutes, *block.values.shape[1:])
    return {at: value * block.unit for at, value, is_there in zip(instants, values, there, strict=True) if is_there}


@lru_cache(maxsize=8)
def _instants(first: date, zone: ZoneInfo, minutes: int, days: int, periods: int) -> list[Any]:
    """The start of each period of each day, in order."""
    return [
        at_clock(first + timedelta(days=day), period * minutes, zone)
        for day in range(days)
        for period in range(periods)
    ]


def _event_spans(block: Block, meter: int) -> list[Any]:
    return [day_span(block.day(int(index)), block.zone) for index in np.nonzero(block.events[meter])[0]]


def _settle_part(rules: MarketRules, block: Block, call: Called, here: Ints) -> Ints:
    """A call's meters of one chunk, so that memory stays small."""
    method = rules.baseline
    assert isinstance(method, Historical)
    meters, asked = call.meters[here], call.mw[here].astype(np.float64)
    window = _window(method, block, call)
    days, there = _history(method, block, call.day, meters)
    low = min(window.start, call.start) if window is not None and len(window) else call.start
    cells = block.values[meters[:, None], days, low : call.end].astype(np.int64)
    own = block.values[meters, call.day, low : call.end].astype(np.int64)
    event = slice(call.start - low, call.end - low)
    keep = _kept(method, cells[:, :, event].sum(axis=2), there)
    count = keep.sum(axis=1)
    usual = np.einsum("mdp,md->mp", cells, keep.astype(np.int64))
    base = usual[:, event] / np.maximum(count, 1)[:, None]
    doubtful = _with_gaps(block, meters, days, there, low, call)
    if window is not None and len(window):
        inside = slice(window.start - low, window.stop - low)
        ratio, unsound = _ratio(method, own[:, inside].sum(axis=1), usual[:, inside].sum(axis=1), count, window, block)
        base, doubtful = base * ratio[:, None], doubtful | unsound
    sign = 1 if call.direction == "deficit" else -1
    delivered = sign * (base - own[:, event])
    capped = np.clip(delivered, 0, asked[:, None]).sum(axis=1)
    periods = call.end - call.start
    share = np.minimum(1.0, np.divide(capped, asked * periods, out=np.ones_like(capped), where=asked > 0))
    worth = asked * periods * (block.unit * block.minutes / 60 / MILLIWATTS_PER_MW) * float(call.price) * 100
    exact = worth * _factor(rules, share)
    pence = (np.sign(exact) * np.floor(np.abs(exact) + 0.5)).astype(np.int64)
    doubtful |= _is_near(exact) | (_near_a_step(rules, share) & ~_all_or_nothing(delivered, asked))
    pence[there.sum(axis=1) < min(method.minimum_days, method_days(method, block, call.day))] = UNSETTLED
    for place in np.nonzero(doubtful)[0]:
        pence[place] = plain_pence(rules, block, call, int(here[place]))
    return pence


def method_days(method: Historical, block: Block, day: int) -> int:
    """Y for a local day."""
    if method.non_working_days is not None and not is_working_day(block.day(day), block.holidays):
        return method.non_working_days
    return method.days


def _window(method: Historical, block: Block, call: Called) -> range | None:
    """The periods of the same-day window; empty where it would begin before the day."""
    how = method.adjustment
    if how is None:
        return None
    end = min(call.notice, call.start) if how.guard else call.start
    start = end - -(-int(how.hours * 60) // block.minutes)
    return range(start, end) if start >= 0 else range(0)


def _history(method: Historical, block: Block, day: int, meters: Ints) -> tuple[Ints, Flags]:
    """Per meter its most recent eligible days, latest first, and which of the places hold one."""
    wanted = is_working_day(block.day(day), block.holidays)
    candidates = [
        index
        for index in range(day - 1, max(-1, day - 1 - method.look_back_days), -1)
        if _is_of_class(method, is_working_day(block.day(index), block.holidays), wanted)
        and not (method.exclude_holidays and block.day(index) in block.holidays)
    ]
    most = method_days(method, block, day)
    order = np.array(candidates or [0], np.int64)
    free = np.ones((len(meters), len(order)), bool) if candidates else np.zeros((len(meters), 1), bool)
    if method.exclude_event_days:
        free &= ~block.events[meters][:, order]
    places = np.argsort(~free, axis=1, kind="stable")[:, :most]
    return order[places], np.take_along_axis(free, places, axis=1)


def _is_of_class(method: Historical, working: bool, wanted: bool) -> bool:
    return method.day_class == "any" or working == (wanted if method.day_class == "same" else True)


def _kept(method: Historical, energy: Ints, there: Flags) -> Flags:
    """The days whose mean is taken: the middle or the high ones; of equal days at a cut the more recent stays."""
    if method.choose == "all":
        return there
    width = energy.shape[1]
    place = np.arange(width)
    largest = np.iinfo(np.int64).max
    keep = there.copy()
    rows = np.arange(len(energy))
    if method.choose == "mid":
        out = (method.days - method.keep) // 2
        enough = there.sum(axis=1) > 2 * out
        for _ in range(out):
            keep[rows, np.where(keep, energy * width - place, largest).argmin(axis=1)] &= ~enough
        for _ in range(out):
            keep[rows, np.where(keep, energy * width + place, -largest).argmax(axis=1)] &= ~enough
        return keep
    for _ in range(width - method.keep):
        over = keep.sum(axis=1) > method.keep
        keep[rows, np.where(keep, energy * width - place, largest).argmin(axis=1)] &= ~over
    return keep


def _with_gaps(block: Block, meters: Ints, days: Ints, there: Flags, low: int, call: Called) -> Flags:
    """Meters of which a reading is missing that could matter: any day back to the oldest one used."""
    if block.there is None:
        return np.zeros(len(meters), bool)
    oldest = int(np.where(there, days, call.day).min(initial=call.day))
    whole = block.there[meters, oldest : call.day + 1, low : call.end]
    return np.asarray(~whole.all(axis=(1, 2)))


def _ratio(
    method: Historical, metered: Ints, usual: Ints, count: Ints, window: range, block: Block
) -> tuple[Floats, Flags]:
    """The clamped ratio of each meter, and where one would not be sound."""
    how = method.adjustment
    assert how is not None
    epsilon = int(how.epsilon_mw * MILLIWATTS_PER_MW)
    same = (np.sign(metered) == np.sign(usual)) & (metered != 0)
    size = len(window) * epsilon
    sound = same & (np.abs(metered) * block.unit > size) & (np.abs(usual) * block.unit > size * count)
    raw = np.divide(metered * count, usual, out=np.ones(len(metered)), where=sound)
    return np.clip(raw, float(how.lower), float(how.upper)), ~sound


def _factor(rules: MarketRules, share: Floats) -> Floats:
    match rules.performance:
        case FloorLinear(floor=floor):
            return np.where(share < float(floor), 0.0, share)
        case GraceSlope(grace=grace, slope=slope):
            return np.clip(1 - float(slope) * ((1 - float(grace)) - share), 0.0, 1.0)
        case Step(thresholds=thresholds):
            found = np.zeros_like(share)
            for threshold in sorted(thresholds, key=lambda each: each.ratio):
                found = np.where(share >= float(threshold.ratio), float(threshold.factor), found)
            return found
        case _:
            return share


def _near_a_step(rules: MarketRules, share: Floats) -> Flags:
    """Shares too near to where the factor jumps for floating point to tell on which side they are."""
    match rules.performance:
        case FloorLinear(floor=floor):
            jumps = [floor]
        case Step(thresholds=thresholds):
            jumps = [threshold.ratio for threshold in thresholds]
        case _:
            jumps = []
    near = np.zeros(len(share), bool)
    for jump in jumps:
        near |= np.abs(share - float(jump)) < _NEAR
    return near


def _all_or_nothing(delivered: Floats, asked: Floats) -> Flags:
    """Meters that clearly delivered all or nothing in every period: their share is a ratio of whole numbers, as exact
    as a floor's own figure, however often it falls right on one."""
    clear = (delivered < -_CLEARLY) | (delivered > asked[:, None] + _CLEARLY)
    return np.asarray(clear.all(axis=1))


def _is_near(pence: Floats) -> Flags:
    """Amounts too near to half a penny to be rounded."""
    size = np.abs(pence)
    return np.abs(size - np.floor(size) - 0.5) < _NEAR * np.maximum(size, 1.0)
