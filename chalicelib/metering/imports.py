"""Takes a file of readings: whatever its shape, its own meters only, each meter-day by itself. For functions only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from chalicelib.files.importing import Importer, RowOutcome
from chalicelib.files.models import Receipt
from chalicelib.files.reading import RawTable
from chalicelib.files.workbook import read_tables
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.metering import actions
from chalicelib.metering.actions import Meter
from chalicelib.metering.actions_readings import keep_days
from chalicelib.metering.reading import ReadDay, meters_in, read_days
from chalicelib.metering.sheets import READINGS, README, TEMPLATE

AT_ONCE = 2_000


def apply_object(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
    """Keep a file's readings, meter-day by meter-day; `Invalid` with the question when the file fits two readings."""
    return list(_applied(call, receipt, _table(content)))


def _table(content: bytes) -> RawTable:
    """The tab of readings: the one our workbook calls so, or the only one with rows besides a README."""
    tables = [table for table in read_tables(content) if table.rows and table.name.casefold() != README.casefold()]
    ours = [table for table in tables if table.name.casefold() == READINGS.casefold()]
    if ours:
        return ours[0]
    if len(tables) != 1:
        problem = Problem("file.tabs", f"The file has {len(tables)} tabs with rows.", allowed="one tab of readings")
        raise Invalid.of([problem], "file.tabs")
    return tables[0]


def _applied(call: Call, receipt: Receipt, table: RawTable) -> Iterator[RowOutcome]:
    known = actions.meters_of(receipt.organisation, meters_in(table.rows))
    exporting = {meter.id for meter in known.values() if meter.is_export}
    days = read_days(table.rows, exporting, table.first_row)
    while part := list(islice(days, AT_ONCE)):
        yield from _saved(call, receipt, table.name, part, known)


def _saved(
    call: Call, receipt: Receipt, sheet: str, part: Iterable[ReadDay], known: Mapping[str, Meter]
) -> Iterator[RowOutcome]:
    for each in keep_days(call, receipt.id, part, known):
        read = each.read
        told = tuple(_at(read, problem) for problem in each.problems) + tuple(
            _note(read, note) for note in each.remarks
        )
        yield RowOutcome(read.row, sheet, each.outcome, read.meter_id, told)


def _note(each: ReadDay, remark: Problem) -> Problem:
    """A remark with the meter it is on, for the receipt's notes."""
    return replace(remark, detail=f"{each.meter_id}: {remark.detail}", row=each.row)


def _at(each: ReadDay, problem: Problem) -> Problem:
    return replace(problem, row=problem.row or each.row)


IMPORTER = Importer("meter-data", TEMPLATE, apply_object=apply_object)
