"""Owns invoices as a CSV for a ledger: a row for each line, in plain columns. Pure.

VAT is one amount per invoice; a row's share of it is rounded so that the rows of an invoice sum to it exactly.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.files.cells import neutralise
from chalicelib.kernel.quantities import ZERO, round_money
from chalicelib.settlement.models_runs import Invoice

BYTE_ORDER_MARK = "\ufeff"
HEADER = (
    "invoice_number",
    "document",
    "state",
    "issue_date",
    "due_date",
    "operator_id",
    "operator",
    "operator_vat_number",
    "fsp_id",
    "fsp",
    "fsp_company_number",
    "fsp_vat_number",
    "credits_invoice",
    "credited_by",
    "line",
    "month",
    "obligation_id",
    "instruction_id",
    "component",
    "description",
    "currency",
    "net",
    "vat_rate",
    "vat",
    "gross",
    "invoice_net",
    "invoice_vat",
    "invoice_gross",
    "paid_on",
    "paid_amount",
    "payment_reference",
    "invoice_id",
    "line_id",
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the ledger before its VAT: a line of an invoice."""

    net: Decimal
    component: str
    description: str
    month: str = ""
    obligation_id: str = ""
    instruction_id: str = ""
    line_id: str = ""


def ledger_csv(invoices: Iterable[Invoice]) -> bytes:
    """Invoices with their lines as CSV: UTF-8 with a byte order mark, decimals with a point, ISO dates."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(HEADER)
    for invoice in invoices:
        writer.writerows(_rows(invoice))
    return (BYTE_ORDER_MARK + stream.getvalue()).encode()


def vat_shares(nets: Sequence[Decimal], rate: Decimal, vat: Decimal) -> list[Decimal]:
    """Each row's VAT to the penny, by rounding running totals; the last row takes what is left of the whole."""
    shares: list[Decimal] = []
    running = ZERO
    for net in nets[:-1]:
        running += net
        shares.append(round_money(running * rate / 100) - sum(shares, ZERO))
    return [*shares, vat - sum(shares, ZERO)] if nets else []


def _rows(invoice: Invoice) -> Iterator[list[str]]:
    entries = list(_entries(invoice))
    shares = vat_shares([entry.net for entry in entries], invoice.vat_rate, invoice.vat)
    for number, (entry, vat) in enumerate(zip(entries, shares, strict=True), 1):
        yield [*_document(invoice), *_line(invoice, number, entry, vat), *_whole(invoice), entry.line_id]


def _entries(invoice: Invoice) -> Iterator[_Entry]:
    for line in invoice.lines:
        yield _Entry(
            line.amount,
            line.component,
            line.description,
            line.month,
            line.obligation_id,
            line.instruction_id or "",
            line.line_id,
        )


def _document(invoice: Invoice) -> list[str]:
    told = [
        invoice.number,
        invoice.kind,
        invoice.state,
        f"{invoice.issued_on}",
        f"{invoice.due}",
        invoice.so,
        invoice.buyer.name,
        invoice.buyer.vat_number or "",
        invoice.fsp,
        invoice.seller.name,
        invoice.seller.company_number,
        invoice.seller.vat_number or "",
        invoice.credits or "",
        invoice.credited_by or "",
    ]
    return [neutralise(text) for text in told]


def _line(invoice: Invoice, number: int, entry: _Entry, vat: Decimal) -> list[str]:
    texts = [entry.month, entry.obligation_id, entry.instruction_id, entry.component, entry.description]
    amounts = [f"{entry.net:.2f}", f"{invoice.vat_rate:f}", f"{vat:.2f}", f"{entry.net + vat:.2f}"]
    return [str(number), *(neutralise(text) for text in texts), invoice.currency, *amounts]


def _whole(invoice: Invoice) -> list[str]:
    paid = "" if invoice.paid_amount is None else f"{invoice.paid_amount:.2f}"
    return [
        f"{invoice.net:.2f}",
        f"{invoice.vat:.2f}",
        f"{invoice.gross:.2f}",
        "" if invoice.paid_on is None else f"{invoice.paid_on}",
        paid,
        neutralise(invoice.payment_reference or ""),
        invoice.id,
    ]
