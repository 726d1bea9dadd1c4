"""Settlement runs, explained: a thousand instructions of ten meters, and one large cluster through the store.

    python benchmarks/bench_runs.py [--meters N] [--full]

The first is settled in memory, by group and by meter. The second is one obligation of `--meters` meters (400; with
`--full` 10,000) with 20 instructions and 91 days of readings of each, on the embedded AWS: a run is asked for and the
function's own handler makes it, in a process of its own, whose peak is told. One such run has 900 s and 3,008 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HEADROOM_STAGE", "bench")

from benchmarks.bench_bids import in_account  # noqa: E402
from local.cloud import launch  # noqa: E402

METERS, ALL_METERS, INSTRUCTIONS, METERS_EACH, CLUSTERS = 400, 10_000, 20, 10, 50
FIRST, LAST, READ_FROM = date(2026, 6, 1), date(2026, 6, 30), date(2026, 4, 1)
ACCOUNT = 710_000_000_000
MOST_SECONDS, MOST_MEGABYTES = 900, 3_008
LESS_W = 110


def main() -> int:
    asked = arguments()
    if asked.make:
        print(json.dumps(make(asked.make)))
        return 0
    for level in ("group", "meter"):
        in_memory(level)
    with tempfile.TemporaryDirectory() as folder:
        running = launch.start(Path(folder) / "state", launch.free_port(), Path(folder) / "cloud.log", durable=False)
        try:
            return in_account(running.address, ACCOUNT, lambda: through_the_store(asked))
        finally:
            running.stop()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Settles whole runs.")
    parser.add_argument("--full", action="store_true", help="a cluster of 10,000 meters")
    parser.add_argument("--meters", type=int, default=METERS)
    parser.add_argument("--level", choices=("group", "meter"), default="group")
    parser.add_argument("--make", help="(a process of its own) the run to make")
    asked = parser.parse_args()
    asked.meters = ALL_METERS if asked.full else asked.meters
    return asked


def in_memory(level: str) -> None:
    """CPU seconds to settle and explain the instructions of clusters of a few meters each."""
    from chalicelib.settlement.running import accounts, settle
    from tests.builders.running import a_run

    clusters = [a_cluster(number, level) for number in range(CLUSTERS)]
    started = process_time()
    [account] = accounts(a_run(), map(settle, clusters))
    spent = process_time() - started
    count = len(account.lines)
    each = spent / count * 1e3
    print(f"{count:,} instructions x {METERS_EACH} meters, by {level}: {spent:.2f} s CPU, {each:.1f} ms each")


def a_cluster(number: int, level: str) -> Any:
    """An obligation's instructions on working evenings, judged by mid 8 of 10 with a same-day ratio."""
    from chalicelib.kernel.periods import day_span
    from chalicelib.settlement.packing import Packed
    from tests.builders.running import a_promise, inputs
    from tests.builders.settlement import LONDON, a_member, an_instruction, local

    names = [f"m{number}x{place}" for place in range(METERS_EACH)]
    asked = [
        an_instruction(
            f"ins_{number}_{day}",
            "0.001",
            starts=local(day, "17:00"),
            ends=local(day, "19:00"),
            notice_at=local(day, "15:00"),
            obligation_id=f"obl_{number}",
            members=tuple(a_member(name, "0.0001") for name in names),
        )
        for day in event_days()
    ]
    readings = {
        name: Packed.of([(day_span(day, LONDON)[0], values) for day, values in season(name)], 30) for name in names
    }
    events = {name: [each.span for each in asked] for name in names}
    promise = a_promise(f"obl_{number}", window_name=f"W{number}")
    return inputs([promise], asked, readings, terms(level), events=events)


def terms(level: str) -> Any:
    from tests.builders.settlement import rules

    return rules(**settings(level))


def settings(level: str) -> dict[str, Any]:
    """Rules of the kind that asks most."""
    from chalicelib.settlement.methods import PRESETS, SameDayAdjustment
    from chalicelib.settlement.models import FloorLinear

    ratio = SameDayAdjustment(kind="ratio", hours=Decimal(2))
    baseline = PRESETS["mid-8-of-10"].but(adjustment=ratio, look_back_days=60)
    return {"level": level, "baseline": baseline, "performance": FloorLinear(floor=Decimal("0.5"))}


def event_days() -> list[date]:
    working = (day for day in days(FIRST, LAST) if day.weekday() < 5)
    return list(islice(working, INSTRUCTIONS))


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def season(name: str) -> Iterator[tuple[date, list[int]]]:
    """A home's local days, milliwatts by half-hour, less on the evenings it was instructed."""
    drawn = random.Random(name)
    level, called = drawn.randint(200, 900), set(event_days())
    for day in days(READ_FROM, LAST + timedelta(days=1)):
        less = LESS_W if day in called else 0
        yield day, [(level + drawn.randint(-80, 80) - (less if 34 <= place < 38 else 0)) * 1000 for place in range(48)]


def through_the_store(asked: argparse.Namespace) -> int:
    """Fill a market, ask for a run, and let a process of its own make it."""
    from chalicelib.settlement import actions_runs
    from chalicelib.settlement.requests_runs import RunRequest

    started = perf_counter()
    market = a_market(asked)
    print(f"filled {asked.meters:,} meters x 91 days in {perf_counter() - started:.0f} s")
    caller = market.operator()
    run = actions_runs.ask_run(caller, RunRequest(month="2026-06"))
    told = in_a_process(run.id)
    made = actions_runs.get_run(caller, run.id)
    lines = INSTRUCTIONS
    print(f"{asked.meters:,} meters x {INSTRUCTIONS} instructions by {asked.level}: {made.lines} lines, £{made.total}")
    print(f"made in          {told['seconds']:8.1f} s, {told['cpu']:.1f} s of CPU   goal {MOST_SECONDS} s")
    print(f"peak memory      {told['peak_mb']:8,.0f} MB   goal {MOST_MEGABYTES:,} MB")
    sound = (made.state, made.lines, made.unsettled) == ("done", lines, 0)
    return 0 if sound and told["seconds"] <= MOST_SECONDS and told["peak_mb"] <= MOST_MEGABYTES else 1


def a_market(asked: argparse.Namespace) -> Any:
    """An obligation with all the meters behind it, its instructions, and what was read."""
    from tests.builders.settling import SettlingMarket

    market = SettlingMarket()
    market.rules(name="bench", effective_from="2026-05-01", **{k: dumped(v) for k, v in settings(asked.level).items()})
    mw = str(Decimal(asked.meters) / 10_000)
    made = market.obligation(meters=(), capacity_mw=mw, market_rules="bench")
    names = [f"m{number:05d}" for number in range(asked.meters)]
    for start in range(0, len(names), 25):
        put_behind(made, names[start : start + 25])
    for day in event_days():
        market.instruction(day, mw=mw)
    for start in range(0, len(names), 25):
        put_readings(names[start : start + 25])
    return market


def dumped(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def put_behind(made: Any, names: Sequence[str]) -> None:
    from chalicelib.assets import actions_reads as assets
    from chalicelib.contracts import store as contracts
    from chalicelib.contracts.models import ObligatedAsset
    from chalicelib.kernel.periods import days_span
    from chalicelib.storage.commit import commit
    from tests.builders.calls import a_call
    from tests.builders.settlement import LONDON

    share = Decimal("0.0001")
    behind = [
        ObligatedAsset(
            obligation_id=made.id,
            asset_id=f"ast_{name}",
            asset_ref=name,
            name=name,
            import_meter_id=name,
            capacity_mw=share,
        )
        for name in names
    ]
    span = days_span(made.period_start, made.period_end, LONDON)
    shares = dict.fromkeys((each.asset_id for each in behind), share)
    held = assets.commitment_writes(made.id, made.so, made.competition_id, *span, shares, (made.window_id,))
    commit(a_call(), [*contracts.obligated(behind), *held])


def put_readings(names: Sequence[str]) -> None:
    from chalicelib.metering import store
    from chalicelib.metering.models import MeterDay
    from tests.builders.settlement import utc

    found = [
        MeterDay(meter_id=name, day=day, minutes=30, values=tuple(values))
        for name in names
        for day, values in season(name)
    ]
    store.save_days(found, utc("2026-07-03T09:00:00"), "rcp_1")


def in_a_process(run_id: str) -> dict[str, float]:
    made = subprocess.run([sys.executable, __file__, "--make", run_id], stdout=subprocess.PIPE, cwd=ROOT, check=True)
    found: dict[str, float] = json.loads(made.stdout.splitlines()[-1])
    return found


def make(run_id: str) -> dict[str, float]:
    """Make a run as its function does; seconds, and the process's peak memory in MB."""
    from chalicelib.settlement.actions_making import make_run
    from tests.builders.calls import a_call

    started = perf_counter()
    make_run(a_call("org_so1", "so", now="2026-07-08T09:00:00Z").as_system(), run_id)
    seconds = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"seconds": seconds, "cpu": process_time(), "peak_mb": peak}


if __name__ == "__main__":
    sys.exit(main())
