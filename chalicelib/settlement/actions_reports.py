"""Settlement's door to reports: what a run leaves, how its lines stand on a day, and the moves of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from chalicelib.kernel.errors import NotFound, Stale
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.settlement import store_reports as store
from chalicelib.settlement.lifecycle import line_state, may_become
from chalicelib.settlement.models_runs import (
    LINES_A_SHEET,
    LineMove,
    LineStates,
    Report,
    ReportDetail,
    ReportLine,
    line_id_of,
    report_id_of,
)
from chalicelib.settlement.store_reports import keep_detail, keep_lines
from chalicelib.storage.writes import Write

__all__ = ["keep_detail", "keep_lines", "line_id_of", "report_id_of"]

_NOT_FOUND = NotFound("report.not_found", "There is no such settlement report.")
_LINE_NOT_FOUND = NotFound("line.not_found", "There is no such line.")


def place_of(line_id: str) -> tuple[str, int]:
    """The report and the ordinal a line's id names; `NotFound` for what is no line's id."""
    report_id, _, ordinal = line_id.rpartition("-")
    is_number = ordinal.isascii() and ordinal.isdigit() and len(ordinal) < 10
    if not is_number or line_id_of(report_id, int(ordinal)) != line_id:
        raise _LINE_NOT_FOUND
    return report_id, int(ordinal)


def draft_write(report: Report) -> Write:
    """The head of a draft whose run is being made; made again, it takes its own place."""
    return store.save_draft(report)


def load_report(report_id: str) -> Report:
    """A report by id, strongly consistent; `NotFound` where there is none."""
    report = store.find_report(report_id)
    if report is None:
        raise _NOT_FOUND
    return report


def load_lines(report: Report) -> list[ReportLine]:
    """A report's lines as they were drawn, in order."""
    return store.load_lines(report.lines_key)


def load_detail(report: Report) -> ReportDetail:
    """What explains a report."""
    return store.load_detail(report.detail_key)


def list_reports(
    side: str, organisation: str, month: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Page[Report]:
    """Reports of one side ("so" or "fsp"), newest month first; an FSP's are those that were published."""
    return store.list_reports(side, organisation, month, limit, cursor)


def published_report(so: str, fsp: str, month: str) -> Report | None:
    """The published report of a month (`2026-04`), strongly consistent; None where there is none."""
    published = store.find_published(so, fsp, month)
    return load_report(published.report_id) if published else None


def published_reports(so: str, fsp: str, up_to: str | None = None) -> list[Report]:
    """Every published report of an FSP, oldest month first, up to a month inclusive; strongly consistent."""
    found = [each for each in store.list_published(so, fsp) if up_to is None or each.month <= up_to]
    heads = store.load_reports(each.report_id for each in found)
    return [heads[each.report_id] for each in found]


def fsps_published(so: str, up_to: str | None = None) -> list[str]:
    """The FSPs an operator published reports for, up to a month inclusive, in order; strongly consistent."""
    return sorted({each.fsp for each in store.list_published(so) if up_to is None or each.month <= up_to})


def fsps_of_month(so: str, month: str) -> list[str]:
    """The FSPs an operator published a report of a month for, in order; strongly consistent."""
    return [each.fsp for each in store.list_published(so) if each.month == month]


def lines_as_they_stand(report: Report, today: date) -> list[ReportLine]:
    """A report's lines in order, each in the state it has on a local day, with its dispute and invoice.

    Strongly consistent. What was not disputed in time is agreed; a line without an amount waits.
    """
    return lines_with(report, store.load_states(report), today)


def lines_with(report: Report, sheets: Iterable[LineStates], today: date) -> list[ReportLine]:
    """A report's lines in order as they stand on a local day, by what was read of what became of them."""
    moved: dict[str, LineMove] = {}
    for sheet in sheets:
        moved |= sheet.moved
    return [_standing(line, moved.get(line.id), report, today) for line in load_lines(report)]


def move_writes(report: Report, moves: Mapping[str, LineMove]) -> list[Write]:
    """Move lines of a report, on condition that the report is as it was read and each line may go there.

    `report` is the head the caller's decision stands on. Raises `Stale` when a line has moved where it may not leave
    from (somebody disputed, invoiced or paid it meanwhile), or when the report changes before these writes are made.
    """
    if report.state != "published":
        raise Stale("report.not_published", "Lines move in the published report of their month. Read it again.")
    sheets = {_sheet_of(line_id, report) for line_id in moves}
    return [store.check_report(report), *(_moved(sheet, moves) for sheet in store.load_states(report, sheets))]


def _moved(sheet: LineStates, moves: Mapping[str, LineMove]) -> Write:
    mine = {line_id: move for line_id, move in moves.items() if place_of(line_id)[1] // LINES_A_SHEET == sheet.number}
    after = {line_id: _upon(sheet.moved.get(line_id), move) for line_id, move in mine.items()}
    return store.save_states(sheet.but(moved={**sheet.moved, **after}))


def _upon(before: LineMove | None, move: LineMove) -> LineMove:
    """A move after the one before; a line keeps the dispute it had."""
    state = before.state if before else "open"
    if not may_become(state, move.state):
        raise Stale("line.moved", f"A line is {state} meanwhile and cannot become {move.state}. Read it again.")
    had = before.dispute_id if before else None
    return move.model_copy(update={"dispute_id": move.dispute_id or had})


def _sheet_of(line_id: str, report: Report) -> int:
    report_id, ordinal = place_of(line_id)
    if report_id != report.id or ordinal >= report.lines:
        raise _LINE_NOT_FOUND
    return ordinal // LINES_A_SHEET


def _standing(line: ReportLine, move: LineMove | None, report: Report, today: date) -> ReportLine:
    """A line as it is on a day; those of a superseded report stay as they were when it was superseded."""
    if report.superseded_at is not None:
        today = min(today, local_day(report.superseded_at, zone_of(report.time_zone)))
    moved = line if move is None else line.model_copy(update=_changes(move))
    return moved.model_copy(update={"state": line_state(moved, report.disputable_until, today)})


def _changes(move: LineMove) -> dict[str, Any]:
    return {"state": move.state, "dispute_id": move.dispute_id, "invoice_id": move.invoice_id, "why": move.why}
