"""Owns importing a file of rows: read, split, apply, close. Carries the spreadsheet libraries; for functions only."""

from __future__ import annotations

from chalicelib.files import actions_importing as work
from chalicelib.files.actions import all_problems
from chalicelib.files.actions_receiving import load_object, refuse
from chalicelib.files.cells import DateOrder
from chalicelib.files.importing import Chunk, Importer
from chalicelib.files.marking import mark_workbook
from chalicelib.files.models import Receipt
from chalicelib.files.workbook import match_tabs, read_file, read_tables
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, raise_problems

DIRECT_ROWS = 500


def import_file(call: Call, receipt_id: str, importer: Importer, order: DateOrder = "dmy") -> None:
    """Read a file and see its rows applied: a short one at once, a long one chunk by chunk through the queue.

    Asked again after a crash it goes on where it stopped; once the receipt is closed it does nothing.
    """
    receipt = work.find_work(receipt_id)
    if receipt is None:
        return
    if receipt.state == "received":
        receipt = _read_and_start(call, receipt, importer, order)
    if receipt is None:
        return
    if receipt.chunks == 1 and receipt.rows <= DIRECT_ROWS:
        import_chunk(call, receipt_id, 0, importer)
    elif not work.queue_missing(call, receipt):
        _finish(call, receipt, importer)


def import_chunk(call: Call, receipt_id: str, number: int, importer: Importer) -> None:
    """Apply one chunk of a file and close its receipt if it was the last."""
    receipt = work.find_work(receipt_id)
    if receipt is None:
        return
    if not work.has_result(receipt, number):
        _apply(call, receipt, work.load_chunk(call, receipt, number), importer)
    _finish(call, receipt, importer)


def _read_and_start(call: Call, receipt: Receipt, importer: Importer, order: DateOrder) -> Receipt | None:
    content = load_object(receipt)
    begun = work.begin(call, receipt, content)
    if begun is None:
        return None
    try:
        found = read_file(content, importer.template, order)
        if importer.check is not None:
            raise_problems(importer.check(work.acting(call, begun), begun, found.sheets), "file.refused")
    except Invalid as refusal:
        refuse(call, begun, refusal)
        return None
    return work.start(call, begun, importer.split(found.sheets), found.rows, found.notes)


def _apply(call: Call, receipt: Receipt, chunk: Chunk, importer: Importer) -> None:
    assert importer.apply is not None, f"{importer.kind} is applied whole"
    outcomes = importer.apply(work.acting(call, receipt), receipt, chunk)
    work.record(call, receipt, chunk.number, work.merge(importer.template, chunk, outcomes))


def _finish(call: Call, receipt: Receipt, importer: Importer) -> None:
    work.finish_if_last(call, receipt, lambda closing, content: _marked(call, closing, content, importer))


def _marked(call: Call, receipt: Receipt, content: bytes, importer: Importer) -> bytes:
    tables = read_tables(content)
    return mark_workbook(tables, match_tabs(content, tables, importer.template), all_problems(call, receipt))
