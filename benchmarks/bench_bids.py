"""10,000 bids by workbook: dropped, read, judged by every limit and stored, each ballot in its transaction.

One FSP, 100 competitions of 50 windows, two ballots in each. Ours goes through the doors a drop goes through (receipt,
reader, chunks, the closing of the receipt) on the embedded AWS; the goal is a minute from the object's arrival to the
closed receipt. Beside it the peer: plain pynamodb, a row per bid in batches, judging nothing and guarding nothing.
Both must end with the same bids. Wall-clock seconds, one worker; the median of the runs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HEADROOM_STAGE", "bench")

from local.cloud import launch  # noqa: E402

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
COMPETITIONS, WINDOWS, BALLOTS = 100, 50, 2
BIDS = COMPETITIONS * WINDOWS * BALLOTS
GOAL_SECONDS = 60
REGION = "eu-west-2"
Bid = tuple[str, str, str, str]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        running = launch.start(Path(folder) / "state", launch.free_port(), Path(folder) / "cloud.log", durable=False)
        try:
            return compare(running.address)
        finally:
            running.stop()


def compare(address: str) -> int:
    ours: list[float] = []
    peers: list[float] = []
    for run in range(RUNS):
        marks, content, kept = in_account(address, 400_000_000_000 + run, import_workbook)
        ours.append(sum(marks.values()))
        told = "   ".join(f"{stage} {seconds:.1f} s" for stage, seconds in marks.items())
        print(f"run {run + 1}: {told}", flush=True)
        seconds, stored = in_account(address, 500_000_000_000 + run, lambda content=content: store_by_pynamodb(content))
        peers.append(seconds)
        if kept != stored or len(kept) != BIDS:
            print(f"the two sides stored different bids: {len(kept)} and {len(stored)} of {BIDS}")
            return 1
    mine, peer = median(ours), median(peers)
    print(f"{BIDS} bids by workbook     {mine:6.1f} s   {BIDS / mine:6.0f} bids a second")
    print(f"pynamodb, a row per bid    {peer:6.1f} s   judging nothing; ratio {mine / peer:.2f}x")
    print(f"goal {GOAL_SECONDS} s: {'reached' if mine <= GOAL_SECONDS else 'missed'}")
    return 0 if mine <= GOAL_SECONDS else 1


def in_account(address: str, number: int, work: Callable[[], Any]) -> Any:
    """What the work comes to in an empty account."""
    os.environ.update(launch.settings_for(address, str(number)), HEADROOM_BUCKET_SUFFIX=str(number))
    from chalicelib.edge.observe import logger
    from chalicelib.files.sealed import may_open_files
    from chalicelib.storage.clients import forget_clients
    from chalicelib.storage.queues import forget_queues
    from chalicelib.storage.sealing import forget_keys_held
    from tests.builders.keeper import KEEPER
    from tests.tables import create_state

    may_open_files()
    KEEPER.answer_here()
    logger().setLevel("WARNING")
    forget_clients()
    forget_queues()
    forget_keys_held()
    create_state()
    return work()


def import_workbook() -> tuple[dict[str, float], bytes, set[Bid]]:
    """Seconds by stage, the workbook, and the bids the market then holds."""
    from chalicelib.bidding.imports import IMPORTER
    from chalicelib.files import actions as files
    from chalicelib.files.imports import import_chunk, import_file
    from chalicelib.files.models import Drop
    from chalicelib.storage import objects

    market = a_market()
    content = a_workbook(market)
    key = "inbox/org_fsp1/bids/bids.xlsx"
    objects.put_object(objects.FILES, key, content)
    call = market.fsp().as_system()
    clock = Stages()
    receipt = files.receive(call, Drop(key=key, size=len(content), at=call.now), "org_fsp1", "fsp")
    import_file(call, receipt.id, IMPORTER)
    clock.mark("receive and read")
    for number in range(files.get_receipt(receipt.id).chunks or 0):
        import_chunk(call, receipt.id, number, IMPORTER)
    clock.mark("judge and store")
    closed = files.get_receipt(receipt.id)
    assert (closed.state, closed.counts.created, closed.counts.errors) == ("done", BIDS, 0), closed
    return clock.seconds, content, bids_kept(market)


class Stages:
    """Seconds of each stage since the one before."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def mark(self, stage: str) -> None:
        now = perf_counter()
        self.seconds[stage] = now - self._last
        self._last = now


def a_market() -> Any:
    """A market with one FSP that is qualified in every competition, all in bidding."""
    from tests.builders.bidding import BiddingMarket

    market = BiddingMarket(service_windows=windows())
    others = [market.competition(f"NORTH-{number}", service_windows=windows()) for number in range(2, COMPETITIONS + 1)]
    market.deliver()
    for competition in others:
        market.close(competition)
    return market


def windows() -> list[dict[str, Any]]:
    """Windows of half an hour, twenty-five a day, on weekdays and on weekends of June."""
    days = (["Mon", "Tue", "Wed", "Thu", "Fri"], ["Sat", "Sun"])
    return [
        {
            "service_period_name": "June",
            "service_period_start": "2026-06-01",
            "service_period_end": "2026-06-30",
            "service_window_name": f"{'week' if kind == 0 else 'weekend'} {half // 2:02}:{half % 2 * 30:02}",
            "start": f"{half // 2:02}:{half % 2 * 30:02}",
            "end": f"{(half + 1) // 2:02}:{(half + 1) % 2 * 30:02}",
            "service_days": days[kind],
            "capacity_required": "5",
            "dispatch_estimate": "4",
            "dispatch_duration": "PT30M",
        }
        for kind in (0, 1)
        for half in range(WINDOWS // 2)
    ]


def a_workbook(market: Any) -> bytes:
    """The workbook as downloaded, filled in: two ballots in each competition, each with an asset of its own."""
    from chalicelib.bidding.downloads import export_bids
    from tests.builders.bidding import bid_workbook

    _, tabs = export_bids(market.fsp(), {})
    return bid_workbook(filled for row in tabs["Bids"] for filled in both_ballots(row))


def both_ballots(row: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for ballot in range(1, BALLOTS + 1):
        yield row | {
            "ballot_ref": f"A{ballot}",
            "asset_refs": [f"BAT-{ballot}"],
            "capacity_mw": f"0.{ballot}25",
            "maximum_run_time": "PT30M",
            "utilisation_price": f"{100 + ballot}.5",
        }


def bids_kept(market: Any) -> set[Bid]:
    """Every bid the market holds, as the FSP reads its history: competition, ballot, window and figures."""
    from chalicelib.bidding.downloads import export_history

    _, tabs = export_history(market.fsp(), {})
    return {
        (
            row["competition_reference"],
            row["ballot_ref"],
            row["window_name"],
            f"{row['capacity_mw']} {row['utilisation_price']}",
        )
        for row in tabs["Bidding history"]
    }


def store_by_pynamodb(content: bytes) -> tuple[float, set[Bid]]:
    """Seconds to read the workbook with openpyxl and put a row per bid, and the bids then stored."""
    from pynamodb.attributes import UnicodeAttribute
    from pynamodb.models import Model

    from chalicelib.storage.settings import table_name

    meta = {"table_name": table_name("bidding"), "host": os.environ["AWS_ENDPOINT_URL"], "region": REGION}
    text = {name: UnicodeAttribute(null=True) for name in ("figures", "run_time", "submitted_at")}
    keys = {"pk": UnicodeAttribute(hash_key=True), "sk": UnicodeAttribute(range_key=True)}
    row_class: Any = type("Bid", (Model,), {"Meta": type("Meta", (), meta), **keys, **text})
    started = perf_counter()
    now = datetime(2026, 5, 4, 9, tzinfo=UTC).isoformat()
    with row_class.batch_write() as batch:
        for reference, ballot, window, figures in rows_of(content):
            place = f"{ballot}#{window}"
            batch.save(row_class(reference, place, figures=figures, run_time="PT30M", submitted_at=now))
    seconds = perf_counter() - started
    return seconds, {(row.pk, *row.sk.split("#"), row.figures) for row in row_class.scan()}


def rows_of(content: bytes) -> Iterable[Bid]:
    """The bids of the workbook, read with openpyxl."""
    from io import BytesIO

    from openpyxl import load_workbook

    rows = load_workbook(BytesIO(content), read_only=True, data_only=True)["Bids"].iter_rows(values_only=True)
    names: list[Any] = []
    for cells in rows:
        if not names:
            names = list(cells) if "Competition Ref" in cells else []
            continue
        row = dict(zip(names, cells, strict=True))
        figures = f"{row['Capacity MW']} {row['Utilisation Price']}"
        yield str(row["Competition Ref"]), str(row["Ballot Ref"]), str(row["Service Window"]), figures


if __name__ == "__main__":
    sys.exit(main())
