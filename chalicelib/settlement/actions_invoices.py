"""Settlement's door to invoices: whose they are, lists for both sides, their lines, and where these stand now."""

from __future__ import annotations

from datetime import date

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.invoicing import serial_of
from chalicelib.settlement.models import LineState
from chalicelib.settlement.models_runs import Invoice, InvoiceLine, LineMove
from chalicelib.settlement.requests_invoices import InvoiceQuery
from chalicelib.storage.tables import decode_cursor, encode_cursor
from chalicelib.storage.writes import Write

LINES_SHOWN = 500
_NOT_FOUND = NotFound("invoice.not_found", "There is no such invoice.")


def load_invoice(invoice_id: str) -> Invoice:
    """An invoice with all its lines, strongly consistent; `NotFound` where there is none."""
    found = store.find_invoice(invoice_id)
    if found is None:
        raise _NOT_FOUND
    invoice, lines_key = found
    return invoice.but(lines=store.load_lines(lines_key))


def own_invoice(call: Call, invoice_id: str) -> Invoice:
    """An invoice the caller is a side of, with all its lines; `NotFound` for others."""
    found = store.find_invoice(invoice_id)
    if found is None or call.organisation not in (found[0].so, found[0].fsp):
        raise _NOT_FOUND
    return found[0].but(lines=store.load_lines(found[1]))


def get_invoice(call: Call, invoice_id: str) -> Invoice:
    """An invoice of the caller's with its first lines; `line_count` says how many there are."""
    invoice = own_invoice(call, invoice_id)
    return invoice.but(lines=invoice.lines[:LINES_SHOWN])


def list_lines(call: Call, invoice_id: str, query: PageQuery) -> Page[InvoiceLine]:
    """The lines of an invoice of the caller's, in order."""
    lines = own_invoice(call, invoice_id).lines
    start = _place(invoice_id, query.cursor)
    last = start + query.limit
    following = {"invoice": {"S": invoice_id}, "line": {"S": str(last)}}
    return Page(items=list(lines[start:last]), next=encode_cursor(following) if last < len(lines) else None)


def list_invoices(call: Call, query: InvoiceQuery) -> Page[Invoice]:
    """The caller's invoices without their lines, newest first."""
    side = "so" if call.actor.organisation_kind == "so" else "fsp"
    return store.list_invoices(side, call.organisation, query.limit, query.cursor, lambda each: _fits(each, query))


def list_invoices_of_month(so: str, month: str) -> list[Invoice]:
    """Every document an operator issued in a local month (`2026-05`), without lines, by number; strongly consistent.

    By the day of issue, which is the tax point of a ledger, and not by the month of delivery.
    """
    ids = [each.invoice_id for each in store.list_numbered(so) if f"{each.issued_on:%Y-%m}" == month]
    found = store.load_invoices(ids)
    return [found[invoice_id] for invoice_id in ids]


def find_by_number(so: str, number: str) -> Invoice | None:
    """An operator's invoice by its number, without lines; None for a number it never drew."""
    numbering = store.find_numbering(so)
    serial = serial_of(numbering.prefix, number) if numbering else None
    numbered = store.find_numbered(so, serial) if serial is not None else None
    return store.load_invoices([numbered.invoice_id])[numbered.invoice_id] if numbered else None


def line_moves(call: Call, invoice: Invoice, today: date, state: LineState, why: str | None = None) -> list[Write]:
    """Move the lines that are on an invoice, wherever they stand now: a later report took some of them over.

    Lines that go back to `agreed` are on no invoice any more. Raises `Stale` when a report changes meanwhile.
    """
    writes: list[Write] = []
    for report in reports_of(invoice):
        lines = [line for line in reports.lines_as_they_stand(report, today) if line.invoice_id == invoice.id]
        kept = None if state == "agreed" else invoice.id
        moves = {
            line.id: LineMove(
                state=state, dispute_id=line.dispute_id, invoice_id=kept, at=call.now, why=why or line.why
            )
            for line in lines
        }
        writes += reports.move_writes(report, moves) if moves else []
    return writes


def reports_of(invoice: Invoice) -> list[reports.Report]:
    """The published reports of an invoice's months, as they are now."""
    found = (reports.published_report(invoice.so, invoice.fsp, month) for month in invoice.months)
    return [report for report in found if report is not None]


def _fits(invoice: Invoice, query: InvoiceQuery) -> bool:
    wanted = {"fsp": query.fsp, "so": query.so, "state": query.state, "kind": query.kind}
    same = all(value is None or getattr(invoice, name) == value for name, value in wanted.items())
    return same and (query.month is None or query.month in invoice.months)


def _place(invoice_id: str, cursor: str | None) -> int:
    """Which line a page starts at; `Invalid` unless the list of this very invoice gave the cursor."""
    if cursor is None:
        return 0
    key = decode_cursor(cursor)
    place = key["line"]["S"] if set(key) == {"invoice", "line"} and key["invoice"]["S"] == invoice_id else ""
    if not (place.isascii() and place.isdigit() and len(place) < 9):
        problem = Problem("cursor.unknown", "The cursor is not one this list gave.", "cursor", "`next` of a page")
        raise Invalid.of([problem])
    return int(place)
