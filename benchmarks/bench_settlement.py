"""Settlement: many meters, many instructions, mid 8 of 10 with a same-day ratio, against pandas, equal to the penny.

    python benchmarks/bench_settlement.py [meters] [days] [instructions]

Both sides start from the same readings in memory and end with the pence of each meter and instruction; the peer is what
an analyst writes: a long table merged with the instructions, grouped, ranked and averaged. CPU seconds. A sample of
lines is settled by the plain, readable rule as well, and is the same.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import process_time
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from chalicelib.settlement.calculation import UNSETTLED, Block, Called, plain_pence, settle_many  # noqa: E402
from chalicelib.settlement.methods import PRESETS, SameDayAdjustment  # noqa: E402
from chalicelib.settlement.models import FloorLinear, MarketRules  # noqa: E402

GOAL, RUNS, SAMPLE = 0.01, 3, 60
FIRST = date(2026, 4, 1)
FLOOR = Decimal("0.5")
RULES = MarketRules(
    name="bench",
    effective_from=FIRST,
    baseline=PRESETS["mid-8-of-10"].but(
        adjustment=SameDayAdjustment(kind="ratio", hours=Decimal(2)), look_back_days=60, exclude_holidays=False
    ),
    performance=FloorLinear(floor=FLOOR),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A season of readings and its calls; `part` says which meter takes part in which call."""

    block: Block
    calls: list[Called]
    part: np.ndarray


def main() -> int:
    meters, days, count = map(int, sys.argv[1:4]) if len(sys.argv) > 3 else (10_000, 90, 20)
    case = a_case(meters, days, count)
    print(f"{meters:,} meters x {days} days x 48 x {count} instructions: {int(case.part.sum()):,} lines")
    ours, pence = timed(lambda: settle_many(RULES, case.block, case.calls), RUNS)
    print(f"ours      {ours:8.2f} s CPU   {ours / case.part.sum() * 1e6:7.2f} µs a line")
    checked = check_plain(case, pence)
    print(f"plain rule, {checked} of the lines: the same pence")
    peer, peers = timed(lambda: settle_by_pandas(case), 1)
    print(f"pandas    {peer:8.2f} s CPU   ratio {ours / peer:.4f}x, goal {GOAL}x")
    same = compare(case, pence, peers)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most, the peer's long table included")
    return 0 if same and ours / peer <= GOAL else 1


def timed(work, runs):
    """Median CPU seconds of so many runs, and what the last one gave."""
    seconds = []
    for _ in range(runs):
        started = process_time()
        found = work()
        seconds.append(process_time() - started)
    return median(seconds), found


def a_case(meters: int, days: int, count: int) -> Case:
    """Homes and depots with a daily shape and noise, who turn down by about a third when called."""
    chance = np.random.default_rng(4)
    shape = 1 + 0.6 * np.sin(np.linspace(0, 2 * np.pi, 48, endpoint=False) - 2)
    level = chance.lognormal(8, 1, meters)
    values = np.empty((meters, days, 48), np.int32)
    for low in range(0, meters, 1000):
        part = level[low : low + 1000, None, None] * shape
        values[low : low + 1000] = part * chance.normal(1, 0.15, (len(part), days, 48)).clip(0.1)
    part = chance.random((meters, count)) < 0.7
    when = np.sort(chance.choice(np.arange(20, days), count, replace=False))
    starts = chance.integers(30, 42, count)
    ends = np.minimum(48, starts + chance.integers(2, 6, count))
    mw = np.maximum(1, level * 0.3).astype(np.int64)
    events = np.zeros((meters, days), bool)
    calls = []
    for number, (day, start, end) in enumerate(zip(when, starts, ends, strict=True)):
        who = np.nonzero(part[:, number])[0]
        turned_down = values[who, day, start:end] * 0.7
        values[who, day, start:end] = turned_down
        events[who, day] = True
        calls.append(Called(int(day), int(start), int(end), int(start), who, mw[who], Decimal("181.20")))
    return Case(Block(FIRST, ZoneInfo("Europe/London"), 30, values, 1000, events), calls, part)


def check_plain(case: Case, pence: list[np.ndarray]) -> int:
    """A sample of lines by the plain rule; AssertionError where one differs."""
    chance = np.random.default_rng(5)
    for _ in range(SAMPLE):
        number = int(chance.integers(len(case.calls)))
        place = int(chance.integers(len(case.calls[number].meters)))
        assert plain_pence(RULES, case.block, case.calls[number], place) == pence[number][place]
    return SAMPLE


def settle_by_pandas(case: Case) -> list[pd.Series]:
    """Pence by meter of each call: merge, group, rank, mean."""
    _, days, periods = case.block.values.shape
    index = np.arange(case.block.values.size)
    readings = pd.DataFrame(
        {
            "meter": (index // (days * periods)).astype("int32"),
            "day": (index // periods % days).astype("int16"),
            "period": (index % periods).astype("int8"),
            "watts": case.block.values.reshape(-1),
        }
    )
    weekend = np.array([(FIRST + timedelta(days=day)).weekday() >= 5 for day in range(days)])
    called = np.nonzero(case.block.events)
    excluded = pd.DataFrame({"meter": called[0].astype("int32"), "day": called[1].astype("int16"), "event": True})
    return [settle_call(readings, excluded, weekend, call) for call in case.calls]


def settle_call(readings: pd.DataFrame, excluded: pd.DataFrame, weekend: np.ndarray, call: Called) -> pd.Series:
    mine = readings[readings.meter.isin(call.meters) & (readings.day <= call.day) & (readings.day >= call.day - 60)]
    history = mine[(mine.day < call.day) & (weekend[mine.day] == weekend[call.day])]
    history = history.merge(excluded, on=["meter", "day"], how="left")
    history = history[history.event.isna()]
    within = history[(history.period >= call.start) & (history.period < call.end)]
    energy = within.groupby(["meter", "day"]).watts.sum().reset_index()
    energy = energy.sort_values("day", ascending=False).groupby("meter").head(10)
    counted = energy.groupby("meter").watts.transform("size")
    energy = energy[counted >= 5].assign(count=counted)
    low_first = energy.sort_values(["meter", "watts", "day"]).groupby("meter").cumcount()
    energy = energy.assign(low=low_first)
    energy = energy[energy.low > 0]
    high_first = (
        energy.sort_values(["meter", "watts", "day"], ascending=[True, False, True]).groupby("meter").cumcount()
    )
    kept = energy.assign(high=high_first)
    kept = kept[kept.high > 0]
    needed = history[(history.period >= call.start - 4) & (history.period < call.end)]
    usual = needed.merge(kept[["meter", "day"]], on=["meter", "day"]).groupby(["meter", "period"]).watts.mean()
    own = mine[(mine.day == call.day) & (mine.period >= call.start - 4) & (mine.period < call.end)]
    both = own.merge(usual.reset_index(name="usual"), on=["meter", "period"])
    before = both[both.period < call.start].groupby("meter")[["watts", "usual"]].sum()
    ratio = (before.watts / before.usual).clip(0.8, 1.2)
    event = both[both.period >= call.start].copy()
    asked = event.meter.map(pd.Series(call.mw, index=call.meters))
    event["counted"] = (event.usual * event.meter.map(ratio) - event.watts).clip(lower=0).clip(upper=asked)
    event["asked"] = asked
    sums = event.groupby("meter")[["counted", "asked"]].sum()
    share = (sums.counted / sums.asked).clip(upper=1)
    paid = sums.asked * share.where(share >= float(FLOOR), 0)
    return np.floor(paid / 1e6 * 0.5 * float(call.price) * 100 + 0.5).astype("int64")


def compare(case: Case, pence: list[np.ndarray], peers: list[pd.Series]) -> bool:
    differing = total = 0
    for call, ours, peer in zip(case.calls, pence, peers, strict=True):
        theirs = peer.reindex(call.meters, fill_value=UNSETTLED).to_numpy()
        differing += int((ours != theirs).sum())
        total += int(ours[ours != UNSETTLED].sum())
    print(f"£{total / 100:,.2f} in all; {differing} lines differ from the peer's")
    return differing == 0


if __name__ == "__main__":
    raise SystemExit(main())
