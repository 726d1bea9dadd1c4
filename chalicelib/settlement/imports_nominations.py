"""Takes the file of baselines that a provider states ahead: each day for itself, each asset's week whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Asset
from chalicelib.files.importing import Chunk, Importer, ParsedRow, RowOutcome, by_key, call_for_row
from chalicelib.files.models import Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem
from chalicelib.metering.models_statements import Schedule, TypicalWeek
from chalicelib.metering.reading import expected_periods
from chalicelib.metering.rules_statements import milliwatts, schedule_problems, week_problems
from chalicelib.metering.sheets_statements import HALF_HOURS, MOST_HALF_HOURS, NOMINATIONS, TEMPLATE, WEEKDAYS, WEEKLY
from chalicelib.settlement.actions_nominations import take
from chalicelib.settlement.requests_nominations import StatedView

Figures = tuple[Decimal | None, ...]


def apply_statements(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Keep the statements of a chunk's rows; the earlier ones stay."""
    refs = {str(row.values["asset_ref"]) for _, row in chunk if "asset_ref" in row.values}
    known = assets.find_by_refs(receipt.organisation, refs)
    return [*_nominations(call, receipt, chunk, known), *_weeks(call, receipt, chunk, known)]


def _nominations(call: Call, receipt: Receipt, chunk: Chunk, known: Mapping[str, Asset]) -> Iterator[RowOutcome]:
    sound: list[ParsedRow] = []
    schedules: list[Schedule] = []
    for row in chunk.clean(NOMINATIONS):
        figures, day = _day_figures(row), date.fromisoformat(row.values["day"])
        problems = _unknown(row, known) or schedule_problems(day, figures, "day")
        if problems:
            yield _error(NOMINATIONS, row, problems)
        else:
            sound.append(row)
            asset_id = known[row.values["asset_ref"]].id
            at, values = receipt.at, milliwatts(figures)
            schedules.append(Schedule(asset_id=asset_id, day=day, values=values, submitted_at=at, source=receipt.id))
    if sound:
        told = take(call_for_row(call, receipt, NOMINATIONS, sound[0].row), receipt.organisation, schedules, [])
        yield from (_taken(NOMINATIONS, row, view) for row, view in zip(sound, told, strict=True))


def _weeks(call: Call, receipt: Receipt, chunk: Chunk, known: Mapping[str, Asset]) -> Iterator[RowOutcome]:
    """An asset's week is taken with all of its rows, or none."""
    sound: list[list[ParsedRow]] = []
    weeks: list[TypicalWeek] = []
    for rows in _by_asset(chunk.rows(WEEKLY)):
        problems = _week_refused(rows, known)
        if problems:
            yield from (_error(WEEKLY, row, problems) for row in rows if not row.problems)
        else:
            sound.append(rows)
            asset_id = known[rows[0].values["asset_ref"]].id
            values = milliwatts(_week_figures(rows))
            weeks.append(TypicalWeek(asset_id=asset_id, values=values, submitted_at=receipt.at, source=receipt.id))
    if sound:
        told = take(call_for_row(call, receipt, WEEKLY, sound[0][0].row), receipt.organisation, [], weeks)
        for rows, view in zip(sound, told, strict=True):
            yield from (_taken(WEEKLY, row, view) for row in rows)


def _by_asset(rows: Sequence[ParsedRow]) -> list[list[ParsedRow]]:
    found: dict[str, list[ParsedRow]] = {}
    for row in rows:
        found.setdefault(str(row.values.get("asset_ref", "")).casefold(), []).append(row)
    return list(found.values())


def _week_refused(rows: Sequence[ParsedRow], known: Mapping[str, Asset]) -> list[Problem]:
    if any(row.problems for row in rows):
        detail = "Another row of this asset's week is wrong, and a week is taken whole."
        return [Problem("nomination.week", detail, "asset_ref", "all rows of the week without a problem")]
    return _unknown(rows[0], known) or week_problems(_week_figures(rows), "weekday")


def _unknown(row: ParsedRow, known: Mapping[str, Asset]) -> list[Problem]:
    if row.values["asset_ref"] in known:
        return []
    return [Problem("asset.unknown", "You have no asset of this reference.", "asset_ref", "a reference of your own")]


def _day_figures(row: ParsedRow) -> Figures:
    """As many figures as the day has half-hours; more where any stand beyond."""
    figures = _figures(row, MOST_HALF_HOURS)
    there = expected_periods(date.fromisoformat(row.values["day"]), 30)
    last = max((place for place, each in enumerate(figures, start=1) if each is not None), default=0)
    return figures[: max(there, last)]


def _week_figures(rows: Sequence[ParsedRow]) -> Figures:
    by_day = {row.values["weekday"]: _figures(row, HALF_HOURS) for row in rows}
    return tuple(each for day in WEEKDAYS for each in by_day.get(day, (None,) * HALF_HOURS))


def _figures(row: ParsedRow, count: int) -> Figures:
    cells = (row.values.get(f"hh{number}") for number in range(1, count + 1))
    return tuple(None if cell is None else Decimal(cell) for cell in cells)


def _taken(sheet: str, row: ParsedRow, view: StatedView) -> RowOutcome:
    """What became of a row, and what it came too late for: it is kept all the same."""
    late = (Problem("nomination.late", view.remark, "asset_ref", "before the gate"),) if view.remark else ()
    return RowOutcome(row.row, sheet, view.outcome, row.values["asset_ref"], late)


def _error(sheet: str, row: ParsedRow, problems: Sequence[Problem]) -> RowOutcome:
    return RowOutcome(row.row, sheet, "error", row.values.get("asset_ref"), tuple(problems))


IMPORTER = Importer("baselines", TEMPLATE, apply_statements, by_key("asset_ref"))
