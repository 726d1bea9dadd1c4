"""A month of half-hourly readings: dropped as wide CSV files, taken in, packed and stored; by default of 200 meters.

`--full` is the month of 10,000 meters, 14.9 million readings. Each file goes the functions' own way on the embedded
AWS: the object arrives, `on-file` opens its receipt, `import-readings` reads, checks and keeps it, and closes the
receipt. Worker processes (`--workers`, one by default) take the files one after another, as Lambda's would; the peak is
the largest of theirs. A reading's bytes are those DynamoDB charges for, keys and names included. Beside it the peer
reads one of the files with pandas and keeps nothing; an item per reading is told from the same rule of sizes.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HEADROOM_STAGE", "bench")

from benchmarks.bench_bids import in_account  # noqa: E402
from local.cloud import launch  # noqa: E402

METERS, ALL_METERS, METERS_A_FILE = 200, 10_000, 2_500
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
ACCOUNT = 700_000_000_000
MOST_MEGABYTES, MOST_BYTES, MOST_MINUTES = 2_048, 5.0, 15.0
ITEM_A_READING = {"pk": "1000000000013#2026-10", "sk": "2026-10-01T00:30Z", "wh": 4, "q": "A"}


def main() -> int:
    asked = arguments()
    if asked.work:
        print(json.dumps(work(asked.work)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        running = launch.start(Path(folder) / "state", launch.free_port(), Path(folder) / "cloud.log", durable=False)
        try:
            return in_account(running.address, ACCOUNT, lambda: run(asked))
        finally:
            running.stop()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Imports a month of readings.")
    parser.add_argument("--full", action="store_true", help="10,000 meters, 14.9 million readings")
    parser.add_argument("--meters", type=int, default=METERS)
    parser.add_argument("--a-file", type=int, default=METERS_A_FILE, help="meters in each file")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--work", nargs="*", help="(a worker) keys of the files to take in")
    asked = parser.parse_args()
    asked.meters = ALL_METERS if asked.full else asked.meters
    return asked


def run(asked: argparse.Namespace) -> int:
    meters = given_meters(asked.meters)
    files = [meters[start : start + asked.a_file] for start in range(0, len(meters), asked.a_file)]
    sizes = {f"inbox/{ORGANISATION}/meter-data/part-{n}.csv": put_file(n, part) for n, part in enumerate(files)}
    keys = list(sizes)
    started = perf_counter()
    told = in_workers([keys[number :: asked.workers] for number in range(asked.workers)])
    seconds = perf_counter() - started
    readings = len(meters) * periods_of_month()
    size, wrong = stored(meters)
    peak = max(each["peak_mb"] for each in told)
    cpu = sum(each["cpu"] for each in told)
    print(f"{readings:,} readings of {len(meters):,} meters in {len(keys)} files, {sum(sizes.values()) / 1e6:.0f} MB")
    print(f"taken in         {seconds / 60:6.2f} minutes   {readings / seconds:10,.0f} readings a second")
    print(f"workers          {asked.workers}; {cpu:.0f} s of CPU, {cpu / readings * 1e6:.1f} µs a reading")
    print(f"peak memory      {peak:,.0f} MB of a worker   goal {MOST_MEGABYTES:,} MB")
    print(f"stored           {size:.2f} bytes a reading   goal {MOST_BYTES:g}; an item per reading {item_bytes():.0f}")
    print_peer(files[0])
    one_key(meters)
    sound = not wrong and peak < MOST_MEGABYTES and size <= MOST_BYTES and seconds / 60 <= MOST_MINUTES
    print(f"goals {'reached' if sound else 'missed'}; {wrong} of the meter-days looked at came back other than sent")
    return 0 if sound else 1


ORGANISATION = "org_fsp1"


def given_meters(count: int) -> list[str]:
    """The ids of so many meters, each behind an asset of one FSP, which the registry knows."""
    from chalicelib.kernel.meters import check_digit
    from chalicelib.registry import store
    from chalicelib.storage.commit import commit
    from tests.builders.assets import a_receipt, asset_cells, import_assets
    from tests.builders.calls import a_call
    from tests.builders.registry import an_organisation

    commit(a_call(), [store.create_organisation(an_organisation(id=ORGANISATION))])
    cores = [f"{120_000_000_000 + number}" for number in range(count)]
    meters = [core + str(check_digit(core)) for core in cores]
    for start in range(0, count, 1_000):
        rows = [asset_cells(f"EV-{meter}", import_meter_id=meter) for meter in meters[start : start + 1_000]]
        outcomes = import_assets(rows, a_receipt(f"rcp_{start}"))
        assert {each.outcome for each in outcomes} == {"created"}, outcomes[0]
    return meters


def put_file(number: int, meters: Sequence[str]) -> int:
    """A wide file of these meters' month in the inbox; its bytes."""
    from chalicelib.storage import objects

    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["Unit", "kWh"])
    rows.writerow(["Clock", "local"])
    rows.writerow(["meter_id", "day", *range(1, 51)])
    for meter in meters:
        for day in days_of_month():
            rows.writerow([meter, day, *figures(meter, day)])
    content = text.getvalue().encode()
    objects.put_object(objects.FILES, f"inbox/{ORGANISATION}/meter-data/part-{number}.csv", content, "text/csv")
    return len(content)


def figures(meter: str, day: date) -> list[str]:
    """A home's kWh in each half-hour of a day, to the watt-hour: the same each time they are asked for."""
    from chalicelib.metering.reading import expected_periods

    drawn = random.Random(f"{meter}{day}")
    level = 150 + int(meter[-3:]) % 400
    return [
        f"{level * (1.6 if 32 <= place < 42 else 0.7) * (0.7 + 0.6 * drawn.random()) / 1000:.3f}"
        for place in range(expected_periods(day, 30))
    ]


def days_of_month() -> list[date]:
    from chalicelib.kernel.periods import days_between

    return list(days_between(FIRST, LAST))


def periods_of_month() -> int:
    from chalicelib.metering.reading import expected_periods

    return sum(expected_periods(day, 30) for day in days_of_month())


def in_workers(parts: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """What each worker process came to with its files, all at the same time."""
    command = [sys.executable, __file__, "--work"]
    running = [subprocess.Popen([*command, *keys], stdout=subprocess.PIPE, cwd=ROOT) for keys in parts if keys]
    outputs = [process.communicate()[0] for process in running]
    assert not any(process.returncode for process in running), "a worker failed"
    return [json.loads(output) for output in outputs]


def work(keys: Sequence[str]) -> dict[str, float]:
    """Take files in by the functions' handlers; seconds of CPU, and the process's peak memory in MB."""
    import resource

    for key in keys:
        take(key)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"cpu": process_time(), "peak_mb": peak}


def take(key: str) -> None:
    """One object's way: into a receipt, onto the outbox, and read."""
    from chalicelib.files import actions as files
    from chalicelib.storage import objects, outbox
    from functions import import_readings, on_file

    head = objects.head_object(objects.FILES, key)
    item = {"key": key, "size": head["size"], "versionId": head["version"]}
    arrived = {"eventTime": head["modified"].isoformat(), "s3": {"object": item}}
    wake(on_file, {"Records": [arrived]})
    far = datetime.fromisoformat("2100-01-01T00:00:00Z")
    [envelope] = [
        each
        for each in outbox.unpublished(far)
        if each.name == "files.file_received.v1" and files.get_receipt(each.body["receipt_id"]).object_key == key
    ]
    wake(import_readings, {"detail": envelope.model_dump(mode="json")})
    receipt = files.get_receipt(envelope.body["receipt_id"])
    assert (receipt.state, receipt.counts.errors) == ("done", 0), receipt


def wake(function: Any, body: dict[str, Any]) -> None:
    record = {"messageId": "bench", "eventSource": "aws:sqs", "body": json.dumps(body)}
    assert function.handler({"Records": [record]}, None) == {"batchItemFailures": []}


def stored(meters: Sequence[str]) -> tuple[float, int]:
    """Bytes a reading of some meters' month as DynamoDB counts them, and how many of their days are not as sent."""
    from chalicelib.storage.clients import client
    from chalicelib.storage.settings import table_name

    size = readings = wrong = 0
    for meter in meters[:: max(1, len(meters) // 50)]:
        found = client("dynamodb").query(
            TableName=table_name("metering"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{meter}#{FIRST:%Y-%m}"}},
        )
        size += sum(bytes_of(item) for item in found["Items"])
        readings += periods_of_month()
        wrong += sum(not as_sent(meter, day) for day in days_of_month())
    return size / readings, wrong


def bytes_of(item: dict[str, dict[str, Any]]) -> int:
    """The size of an item by DynamoDB's rule: names, texts and bytes as they are, numbers by their digits."""
    total = 0
    for name, typed in item.items():
        [(kind, value)] = typed.items()
        total += len(name) + ((len(value) + 1) // 2 + 1 if kind == "N" else len(value))
    return total


def item_bytes() -> float:
    return bytes_of({name: {"N" if isinstance(v, int) else "S": str(v)} for name, v in ITEM_A_READING.items()})


def as_sent(meter: str, day: date) -> bool:
    from chalicelib.metering.actions import readings_between

    found = readings_between([meter], day, day)[meter]
    return list(found.values()) == [round(float(figure) * 2_000_000) for figure in figures(meter, day)]


def one_key(meters: Sequence[str]) -> None:
    """Any meter-day is one page of one query."""
    from chalicelib.metering import store

    drawn = random.Random(7)
    started = perf_counter()
    for _ in range(200):
        found = store.list_day(drawn.choice(meters), drawn.choice(days_of_month()))
        assert len(found) == 1, found
    print(f"any meter-day    {(perf_counter() - started) / 200 * 1000:.1f} ms by one query of one key")


def print_peer(meters: Sequence[str]) -> None:
    """CPU seconds to read one file: ours to checked and packed meter-days, pandas' to a frame of floats."""
    import pandas

    from chalicelib.files.workbook import read_tables
    from chalicelib.metering.codec import pack
    from chalicelib.metering.reading import read_days
    from chalicelib.storage import objects

    content = objects.read_object(objects.FILES, f"inbox/{ORGANISATION}/meter-data/part-0.csv")
    readings = len(meters) * periods_of_month()
    started = process_time()
    days = [each.day for each in read_days(read_tables(content)[0].rows)]
    packed = sum(len(pack(day.minutes, day.values)) for day in days if day is not None)
    ours = process_time() - started
    started = process_time()
    frame = pandas.read_csv(io.BytesIO(content), skiprows=2, parse_dates=["day"])
    long = frame.melt(["meter_id", "day"], value_name="kwh").dropna().sort_values(["meter_id", "day"])
    peer = process_time() - started
    assert len(long) == readings, len(long)
    told = f"{ours / readings * 1e6:.2f} µs of CPU a reading, {packed / readings:.2f} bytes packed"
    print(f"read and packed  {told}; pandas, unchecked rows {peer / readings * 1e6:.2f} µs")


if __name__ == "__main__":
    sys.exit(main())
