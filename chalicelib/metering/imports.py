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
from chalicelib.metering.reading import ReadDay, meters_in, read_days
from chalicelib.metering.rules import remarks
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
    sound = []
    for each in part:
        problems = each.problems if each.day is None else _stranger(each, known)
        if problems:
            yield RowOutcome(each.row, sheet, "error", each.meter_id, tuple(_at(each, found) for found in problems))
        else:
            sound.append(each)
    outcomes = actions.save_days(call, receipt.id, [each.day for each in sound if each.day is not None])
    for each in sound:
        assert each.day is not None
        meter = known[each.meter_id]
        notes = remarks(each.day, meter.most_import_mw, meter.most_export_mw)
        outcome = outcomes[each.meter_id, each.day.day]
        yield RowOutcome(each.row, sheet, outcome, each.meter_id, tuple(_note(each, note) for note in notes))  # type: ignore[arg-type]


def _stranger(each: ReadDay, known: Mapping[str, Meter]) -> tuple[Problem, ...]:
    if each.meter_id in known:
        return ()
    detail = "None of your assets has this meter."
    return (Problem("meter.unknown", detail, "meter_id", "a meter id of one of your assets"),)


def _note(each: ReadDay, remark: Problem) -> Problem:
    """A remark with the meter it is on, for the receipt's notes."""
    return replace(remark, detail=f"{each.meter_id}: {remark.detail}", row=each.row)


def _at(each: ReadDay, problem: Problem) -> Problem:
    return replace(problem, row=problem.row or each.row)


IMPORTER = Importer("meter-data", TEMPLATE, apply_object=apply_object)
