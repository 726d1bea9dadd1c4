"""Workbook in and out: 100,000 rows x 30 columns, beside openpyxl + pydantic per row, and beside XlsxWriter.

Run: python benchmarks/bench_workbook.py [rows] [runs]. Verdicts per row are compared for equality before any time is
shown. Times are medians of CPU seconds of one process and core; the peer, being slow, runs once unless told otherwise.
"""

from __future__ import annotations

import gc
import io
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import openpyxl
import xlsxwriter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

sys.path.insert(0, str(Path(__file__).parents[1]))

from chalicelib.files.columns import (
    Choice,
    Column,
    DecimalNumber,
    LocalDate,
    Sheet,
    Template,
    Text,
    TextList,
    WholeNumber,
    YesNo,
)
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import HEADER_ROW, write_download

GOAL_IN, GOAL_OUT, GOAL_MEMORY_MB = 0.25, 1.0, 1_500
WORK = Path("bench-out")
SERVICES = ("Scheduled Utilisation", "Operational Utilisation", "Peak Reduction", "Variable Availability")
VOLTAGES = ("LV", "11kV", "33kV", "132kV")
DAYS = ("weekday", "weekend", "all")
POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
CODE = r"[A-Z]{2,6}-\d{5}"

_MINUTES = WholeNumber(0, 100_000)
_PRICE = DecimalNumber(4)
COLUMNS = (
    Column("Competition", "competition", "", True, Text(20, CODE)),
    Column("Reference", "reference", "", True, Text(64)),
    Column("Assets", "assets", "", True, TextList()),
    Column("FSP", "fsp", "", True, Text(20)),
    Column("Service", "service", "", True, Choice(SERVICES)),
    Column("Direction", "direction", "", True, Choice(("Deficit", "Excess"))),
    Column("Days", "days", "", True, Choice(DAYS)),
    Column("Start", "start", "", True, Text(5, r"\d\d:\d\d")),
    Column("End", "end", "", True, Text(5, r"\d\d:\d\d")),
    Column("From", "date_from", "", True, LocalDate()),
    Column("To", "date_to", "", True, LocalDate()),
    Column("Capacity (MW)", "capacity_mw", "", True, DecimalNumber(6, above=None, maximum=Decimal(1000))),
    Column("Least (MW)", "least_mw", "", True, DecimalNumber(6, maximum=Decimal(1000))),
    Column("Maximum Run (min)", "maximum_run", "", True, _MINUTES),
    Column("Minimum Run (min)", "minimum_run", "", True, _MINUTES),
    Column("Response (min)", "response", "", True, _MINUTES),
    Column("Recovery (min)", "recovery", "", True, _MINUTES),
    Column("Availability Price", "availability_price", "", True, _PRICE),
    Column("Utilisation Price", "utilisation_price", "", True, _PRICE),
    Column("Service Fee", "service_fee", "", True, _PRICE),
    Column("Hours", "hours", "", True, _MINUTES),
    Column("All Or Nothing", "all_or_nothing", "", True, YesNo()),
    Column("Group", "group", "", False, Text(20)),
    Column("Voltage", "voltage", "", True, Choice(VOLTAGES)),
    Column("Postcode", "postcode", "", True, Text(10, POSTCODE)),
    Column("Meter", "meter", "", True, WholeNumber(10**12, 10**13)),
    Column("Baseline", "baseline", "", True, Choice(("historic", "nominated", "zero"))),
    Column("Submitted", "submitted", "", True, LocalDate()),
    Column("Status", "status", "", True, Choice(("submitted", "draft"))),
    Column("Notes", "notes", "", False, Text(500)),
)
TEMPLATE = Template("bench", "Benchmark", "1", (Sheet("Bids", COLUMNS),))


def day(value: Any) -> Any:
    return value.date() if hasattr(value, "date") else value


Minutes = Annotated[int, Field(ge=0, le=100_000)]
Price = Annotated[Decimal, Field(ge=0, decimal_places=4)]
Mw = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=6)]
Clock = Annotated[str, Field(pattern=r"^\d\d:\d\d$", max_length=5)]
Day = Annotated[date, BeforeValidator(day)]


class PlainRow(BaseModel):
    """The peer's rule: the same columns as a pydantic model, one row at a time."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")
    competition: Annotated[str, Field(pattern=f"^{CODE}$", max_length=20)]
    reference: Annotated[str, Field(min_length=1, max_length=64)]
    assets: Annotated[str, Field(min_length=1)]
    fsp: Annotated[str, Field(min_length=1, max_length=20)]
    service: Literal["Scheduled Utilisation", "Operational Utilisation", "Peak Reduction", "Variable Availability"]
    direction: Literal["Deficit", "Excess"]
    days: Literal["weekday", "weekend", "all"]
    start: Clock
    end: Clock
    date_from: Day
    date_to: Day
    capacity_mw: Mw
    least_mw: Mw
    maximum_run: Minutes
    minimum_run: Minutes
    response: Minutes
    recovery: Minutes
    availability_price: Price
    utilisation_price: Price
    service_fee: Price
    hours: Minutes
    all_or_nothing: bool
    group: Annotated[str, Field(max_length=20)] | None
    voltage: Literal["LV", "11kV", "33kV", "132kV"]
    postcode: Annotated[str, Field(pattern=f"^{POSTCODE}$", max_length=10)]
    meter: Annotated[int, Field(ge=10**12, le=10**13)]
    baseline: Literal["historic", "nominated", "zero"]
    submitted: Day
    status: Literal["submitted", "draft"]
    notes: Annotated[str, Field(max_length=500)] | None


def rows(number: int) -> Iterator[list[Any]]:
    """Rows of bids, one in a hundred with something wrong; the same each time."""
    drawn = random.Random(7)
    for place in range(number):
        capacity = round(drawn.uniform(0.01, 12), 3)
        row = [
            f"UKPN-{drawn.randrange(20000):05d}",
            f"bid-{place:08d}",
            ";".join(f"A{drawn.randrange(300000):06d}" for _ in range(drawn.randint(1, 3))),
            f"fsp{drawn.randrange(200)}",
            drawn.choice(SERVICES),
            drawn.choice(("Deficit", "Excess")),
            drawn.choice(DAYS),
            f"{drawn.randrange(24):02d}:{drawn.choice(('00', '30'))}",
            f"{drawn.randrange(24):02d}:{drawn.choice(('00', '30'))}",
            date(2026, drawn.randint(1, 12), drawn.randint(1, 28)),
            date(2027, drawn.randint(1, 12), drawn.randint(1, 28)),
            capacity,
            round(capacity * drawn.choice((0, 0.5, 1)), 4),
            drawn.randrange(30, 480, 30),
            30,
            drawn.choice((1, 2, 15, 30)),
            drawn.choice((0, 30, 60)),
            round(drawn.uniform(0, 300), 2),
            round(drawn.uniform(0, 1500), 2),
            round(drawn.uniform(0, 5000), 2),
            drawn.randrange(1, 2000),
            drawn.choice((True, False)),
            drawn.choice(("", f"g{drawn.randrange(500)}")),
            drawn.choice(VOLTAGES),
            f"SW{drawn.randrange(1, 20)} {drawn.randrange(1, 9)}AB",
            1_000_000_000_000 + place * 13,
            drawn.choice(("historic", "nominated", "zero")),
            date(2026, 1, drawn.randint(1, 31)),
            drawn.choice(("submitted", "draft")),
            f"note {place}",
        ]
        if place % 100 == 0:
            bad, value = drawn.choice(
                ((4, "Barter"), (9, "2026-02-30"), (11, -1), (11, "much"), (24, "nowhere"), (1, ""))
            )
            row[bad] = value
        yield row


def make_file(number: int) -> Path:
    WORK.mkdir(exist_ok=True)
    path = WORK / f"bids-{number}.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as workbook:
        sheet = workbook.add_worksheet("Bids")
        sheet.write_row(0, 0, [column.header for column in COLUMNS])
        for place, row in enumerate(rows(number), 1):
            sheet.write_row(place, 0, row)
    return path


def read_ours(path: Path) -> dict[int, bool]:
    found = read_file(path.read_bytes(), TEMPLATE)
    return {row.row: not row.problems for row in found.sheets["Bids"].rows}


def read_peers(path: Path) -> dict[int, bool]:
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=True)["Bids"]
    names = [column.field for column in COLUMNS]
    verdicts = {}
    for number, row in enumerate(sheet.iter_rows(min_row=2, values_only=True), 2):
        try:
            PlainRow.model_validate(dict(zip(names, row, strict=True)))
            verdicts[number] = True
        except ValidationError:
            verdicts[number] = False
    return verdicts


def write_ours(data: list[dict[str, Any]]) -> bytes:
    return write_download(TEMPLATE, {"Bids": data})


def write_peers(data: list[list[Any]]) -> bytes:
    """The same cells with the same number formats, each by the library's own `write`."""
    stream = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as workbook:
        sheet = workbook.add_worksheet("Bids")
        sheet.write_row(0, 0, [column.header for column in COLUMNS])
        looks = [workbook.add_format({"num_format": number_format(column)}) for column in COLUMNS]
        for place, row in enumerate(data, 1):
            for number, (value, look) in enumerate(zip(row, looks, strict=True)):
                sheet.write(place, number, value, look)
    return stream.getvalue()


def number_format(column: Column) -> str:
    kinds = {LocalDate: "yyyy-mm-dd", DecimalNumber: "General", WholeNumber: "General"}
    return kinds.get(type(column.kind), "@")


def cells(content: bytes, header: int) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return list(book["Bids"].iter_rows(min_row=header + 1, values_only=True, max_col=len(COLUMNS)))


def measure(name: str, runs: int, act: Callable[[], Any]) -> tuple[float, Any]:
    times, answer = [], None
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        answer = act()
        times.append(time.process_time() - start)
    median = statistics.median(times)
    print(f"  {name:<46} {median:8.2f} s CPU, median of {runs}")
    return median, answer


def peak_memory(path: Path) -> float:
    """Peak memory in MB of a process that reads the file and nothing else."""
    code = (
        "import resource, runpy, sys; from pathlib import Path; "
        f"module = runpy.run_path({__file__!r}); module['read_ours'](Path({str(path)!r})); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(found.stdout.strip().splitlines()[-1])


def verdict(what: str, value: float, goal: float, unit: str = "x") -> bool:
    print(f"  {what}: {value:.3f}{unit} (goal {goal:g}{unit}) {'met' if value <= goal else 'MISSED'}")
    return value <= goal


def bench_in(path: Path, runs: int) -> bool:
    print("workbook in: read, validate, name every bad cell")
    ours, mine = measure("ours: calamine + columns", runs, lambda: read_ours(path))
    peers, theirs = measure("peer: openpyxl read_only + pydantic per row", 1, lambda: read_peers(path))
    assert mine == theirs, f"verdicts differ on rows {[row for row in mine if mine[row] != theirs.get(row)][:5]}"
    print(f"  the same verdict on {len(mine):,} rows, {sum(not good for good in mine.values()):,} of them bad")
    met = verdict("ratio", ours / peers, GOAL_IN)
    return verdict("peak memory", peak_memory(path), GOAL_MEMORY_MB, " MB") and met


def bench_out(number: int, runs: int) -> bool:
    print("workbook out: a filled download with its template")
    good = [row for place, row in enumerate(rows(number)) if place % 100]
    named = [{column.field: value for column, value in zip(COLUMNS, row, strict=True)} for row in good]
    for row, one in zip(good, named, strict=True):
        one["assets"] = one["assets"].split(";")
        row[2], row[21] = "; ".join(one["assets"]), "Yes" if row[21] else "No"
    ours, mine = measure("ours: from a template's columns", runs, lambda: write_ours(named))
    peers, theirs = measure("peer: XlsxWriter constant_memory, write per cell", runs, lambda: write_peers(good))
    assert cells(mine, HEADER_ROW + 1) == cells(theirs, 1), "the cells differ"
    print(f"  the same {len(good):,} rows in both")
    return verdict("ratio", ours / peers, GOAL_OUT)


def main() -> int:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(f"{number:,} rows x {len(COLUMNS)} columns")
    path = make_file(number)
    results = [bench_in(path, runs), bench_out(number, runs)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
