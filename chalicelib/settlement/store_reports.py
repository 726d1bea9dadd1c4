"""Owns the rows of reports: heads, which one of a month is published, what became of their lines, and their bodies."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence

from pynamodb.attributes import BinaryAttribute

from chalicelib.kernel.errors import Refused, Stale
from chalicelib.kernel.models import Page, Value
from chalicelib.settlement.models_runs import LINES_A_SHEET, LineStates, Report, ReportDetail, ReportLine
from chalicelib.settlement.store_listing import ListedRow
from chalicelib.storage.objects import get_json, put_json
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    get,
    get_many,
    query_all,
    query_index,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, number, put_if, replace

_LINES, _DETAIL = "report-lines", "report-detail"
_MADE = Refused("report.exists", "This report was made already.")
_MOVED = Stale("report.changed", "This report or its lines changed meanwhile. Read them again and repeat it.")


class Published(Value):
    """Which report of a month and provider is the published one; `number` is its run's."""

    so: str
    fsp: str
    month: str
    report_id: str
    number: int
    version: int = 1


class _ReportRow(ListedRow):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Report)


class _PublishedRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Published)


class _StatesRow(Row):
    """A sheet of states, compressed: what became of its lines is much the same for all of them."""

    class Meta(RowMeta):
        table_name = table_name("settlement")

    packed = BinaryAttribute(legacy_encoding=False)


def keep_lines(lines: Sequence[ReportLine]) -> str:
    """Keep lines by content; the same lines give the same key."""
    return put_json([line.model_dump(mode="json", exclude_none=True) for line in lines], _LINES)


def load_lines(key: str) -> list[ReportLine]:
    """The lines kept under a key, as they were drawn."""
    return [ReportLine.model_validate(line) for line in get_json(key)]


def keep_detail(detail: ReportDetail) -> str:
    """Keep what explains a report by content; the same detail gives the same key."""
    return put_json(detail.model_dump(mode="json", exclude_none=True), _DETAIL)


def load_detail(key: str) -> ReportDetail:
    return ReportDetail.model_validate(get_json(key))


def find_report(report_id: str) -> Report | None:
    row = get(_ReportRow, report_id, "head")
    return row.body if row else None


def load_reports(report_ids: Iterable[str]) -> dict[str, Report]:
    """Reports by id; unknown ids are left out."""
    return {row.pk: row.body for row in get_many(_ReportRow, [(each, "head") for each in report_ids])}


def save_report(report: Report) -> Write:
    """Write a report, new at version 1. The provider's list holds it once it was published."""
    row = _head(report)
    return create(row, _MADE) if report.version == 1 else replace(row, _MOVED)


def save_draft(report: Report) -> Write:
    """Write a draft while its run is being made: in the place of one that the same run, cut short, left before."""
    condition = "attribute_not_exists(pk) OR #version = :one"
    return put_if(_head(report), condition, {":one": number(1)}, _MADE)


def check_report(report: Report) -> Write:
    """Require that a report is as it was read."""
    return check(_ReportRow, report.id, "head", "#version = :seen", {":seen": number(report.version)}, _MOVED)


def list_reports(
    side: str, organisation: str, month: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Page[Report]:
    """Reports of one side ("so" or "fsp"), newest month first; `month` (`2026-04`) is that of their first day.

    A moment behind what was written. An FSP's are those that were published.
    """
    prefix = f"report#{month}#" if month else "report#"
    page = query_index(
        _ReportRow, f"by_{side}", organisation, prefix=prefix, limit=limit, cursor=cursor, newest_first=True
    )
    return Page(items=[row.body for row in page.items], next=page.next)


def list_versions(report: Report) -> list[Report]:
    """Every version of what a report is of, itself among them, by number; a moment behind what was written."""
    page = query_index(_ReportRow, "by_so", report.so, prefix=_versions(report))
    return [row.body for row in page.items]


def find_published(so: str, fsp: str, month: str) -> Published | None:
    """Which report is the published one of a month, strongly consistent."""
    row = get(_PublishedRow, f"published#{so}", f"{fsp}#{month}")
    return row.body if row else None


def list_published(so: str, fsp: str | None = None) -> Iterator[Published]:
    """What an operator published, of one provider or of all, by provider and month, strongly consistent."""
    return (row.body for row in query_all(_PublishedRow, f"published#{so}", f"{fsp}#" if fsp else ""))


def save_published(published: Published) -> Write:
    """Say which report of a month is the published one, new at version 1."""
    row = _PublishedRow(
        pk=f"published#{published.so}",
        sk=f"{published.fsp}#{published.month}",
        version=published.version,
        body=published,
    )
    return create(row, _MOVED) if published.version == 1 else replace(row, _MOVED)


def load_states(report: Report, sheets: Collection[int] | None = None) -> list[LineStates]:
    """What became of a report's lines, strongly consistent, by sheet; sheets never written come at version 0."""
    count = -(-report.lines // LINES_A_SHEET)
    wanted = sorted(set(range(count)) & set(sheets)) if sheets is not None else list(range(count))
    rows = get_many(_StatesRow, [(report.id, _sheet(each)) for each in wanted])
    found = {sheet.number: sheet for sheet in map(_unpacked, rows)}
    return [found.get(each) or LineStates(report_id=report.id, number=each) for each in wanted]


def save_states(states: LineStates) -> Write:
    """Write a sheet's next version; the one before must be stored."""
    after = states.but(version=states.version + 1)
    packed = zlib.compress(after.model_dump_json(exclude_none=True).encode(), 6)
    row = _StatesRow(pk=after.report_id, sk=_sheet(after.number), version=after.version, packed=packed)
    return create(row, _MOVED) if after.version == 1 else replace(row, _MOVED)


def check_states(states: LineStates) -> Write:
    """Require that a sheet is as it was read."""
    where = (_StatesRow, states.report_id, _sheet(states.number))
    if states.version == 0:
        return check(*where, "attribute_not_exists(pk)", {}, _MOVED)
    return check(*where, "#version = :seen", {":seen": number(states.version)}, _MOVED)


def _head(report: Report) -> _ReportRow:
    return _ReportRow(
        pk=report.id,
        sk="head",
        version=report.version,
        so=report.so,
        fsp=report.fsp if report.published_at else None,
        sort=f"{_versions(report)}{report.number:06d}#{report.id}",
        body=report,
    )


def _versions(report: Report) -> str:
    """What lists sort by, as far as versions share it: the month it begins in, its last day, the provider."""
    return f"report#{report.first:%Y-%m}#{report.last}#{report.fsp}#"


def _unpacked(row: _StatesRow) -> LineStates:
    return LineStates.model_validate_json(zlib.decompress(row.packed))


def _sheet(ordinal: int) -> str:
    return f"states#{ordinal:04d}"
