"""Makes settlement's documents for a side that asks: reports and invoices as files. Carries heavy libraries.

Reports show their lines as they stand on the local day of asking; an operator sees its drafts, a provider what was
published. Invoices are as they were issued, with what was paid since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from chalicelib.files.exports import WORKBOOK, FileMade
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Value
from chalicelib.registry import actions as registry
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import actions_report_views as reports
from chalicelib.settlement.actions_reports import load_detail
from chalicelib.settlement.invoice_pdf import invoice_pdf
from chalicelib.settlement.ledger import ledger_csv
from chalicelib.settlement.models_runs import Invoice, Party, Report
from chalicelib.settlement.report_contents import Contents
from chalicelib.settlement.report_pdf import report_pdf
from chalicelib.settlement.report_workbook import report_workbook
from chalicelib.settlement.requests_invoices import MONTH, InvoiceQuery
from chalicelib.settlement.ubl import ubl

PDF, XML, CSV = "application/pdf", "application/xml", "text/csv; charset=utf-8"
_PAGE = 500


class ReportFilter(Value):
    """Which report a document is of."""

    report_id: str = Field(min_length=1, max_length=80)


class InvoiceFilter(Value):
    """Which invoice a document is of."""

    invoice_id: str = Field(min_length=1, max_length=80)


class LedgerFilter(Value):
    """Which month's invoices a ledger takes, by the local day of issue, which is their tax point."""

    month: str = Field(pattern=MONTH)


def make_report_workbook(call: Call, filters: dict[str, Any]) -> FileMade:
    """A settlement report as workbook, for its operator or, once published, its provider; `NotFound` for others."""
    contents = contents_of(call, ReportFilter.model_validate(filters).report_id)
    return FileMade(report_workbook(contents), f"{_name_of(contents.report)}.xlsx", WORKBOOK, len(contents.lines))


def make_report_pdf(call: Call, filters: dict[str, Any]) -> FileMade:
    """A settlement report as PDF, for its operator or, once published, its provider; `NotFound` for others."""
    contents = contents_of(call, ReportFilter.model_validate(filters).report_id)
    return FileMade(report_pdf(contents), f"{_name_of(contents.report)}.pdf", PDF, len(contents.lines))


def make_invoice_pdf(call: Call, filters: dict[str, Any]) -> FileMade:
    """An invoice of the caller's as PDF; `NotFound` for another's."""
    invoice = _invoice(call, filters)
    return FileMade(invoice_pdf(invoice), f"{invoice.kind.replace('_', '-')}-{invoice.number}.pdf", PDF, _rows(invoice))


def make_invoice_ubl(call: Call, filters: dict[str, Any]) -> FileMade:
    """An invoice of the caller's as UBL; `NotFound` for another's, `Refused` without electronic addresses."""
    invoice = _reachable(_invoice(call, filters))
    return FileMade(ubl(invoice), f"{invoice.kind.replace('_', '-')}-{invoice.number}.xml", XML, _rows(invoice))


def make_ledger(call: Call, filters: dict[str, Any]) -> FileMade:
    """The caller's invoices issued in a month as rows, in the order of their numbers."""
    month = LedgerFilter.model_validate(filters).month
    found = list(_issued_in(call, month))
    return FileMade(ledger_csv(found), f"invoices-{month}.csv", CSV, sum(_rows(invoice) for invoice in found))


def contents_of(call: Call, report_id: str) -> Contents:
    """What a report says to whoever asks, its lines as they stand today."""
    report = reports.own_report(call, report_id)
    sides = registry.get_organisations([report.so, report.fsp])
    lines = reports.lines_now(call, report)
    return Contents(report, lines, load_detail(report), sides[report.so].name, sides[report.fsp].name)


def _invoice(call: Call, filters: dict[str, Any]) -> Invoice:
    return invoices.own_invoice(call, InvoiceFilter.model_validate(filters).invoice_id)


def _reachable(invoice: Invoice) -> Invoice:
    """The invoice with the e-mail addresses of today: where to send it is no part of what it says."""
    changed: Invoice = invoice.but(seller=_addressed(invoice.seller), buyer=_addressed(invoice.buyer))
    return changed


def _addressed(side: Party) -> Party:
    addresses = registry.list_addresses(side.organisation, "settlement")
    addressed: Party = side.but(email=addresses[0] if addresses else side.email)
    return addressed


def _issued_in(call: Call, month: str) -> Iterator[Invoice]:
    """An operator's by its numbering, strongly consistent; a provider's from its list, by operator and number."""
    if call.actor.organisation_kind == "so":
        found = invoices.list_invoices_of_month(call.organisation, month)
    else:
        mine = (invoice for invoice in _listed(call) if f"{invoice.issued_on:%Y-%m}" == month)
        found = sorted(mine, key=lambda invoice: (invoice.so, invoice.serial))
    return (invoices.own_invoice(call, invoice.id) for invoice in found)


def _listed(call: Call) -> Iterator[Invoice]:
    cursor: str | None = None
    while True:
        page = invoices.list_invoices(call, InvoiceQuery(limit=_PAGE, cursor=cursor))
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _rows(invoice: Invoice) -> int:
    return len(invoice.lines)


def _name_of(report: Report) -> str:
    span = report.month or f"{report.first}-to-{report.last}"
    return f"settlement-report-{span}-version-{report.number}"
