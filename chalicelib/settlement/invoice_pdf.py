"""Owns invoices as PDF: self-billing invoice, purchase statement, credit note. Carries reportlab; for functions only.

The same invoice gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from chalicelib.settlement import invoice_words, pages, wording
from chalicelib.settlement.models_runs import Invoice, InvoiceLine, Party
from chalicelib.settlement.payment import total

_GAP = 6 * mm
_TOTALS = 78 * mm


def invoice_pdf(invoice: Invoice) -> bytes:
    """A document of either kind as A4 PDF, amounts in its currency."""
    story = [
        *_head(invoice),
        *_sides(invoice),
        *_statements(invoice),
        *_lines(invoice),
        KeepTogether([*_totals(invoice), *_terms(invoice)]),
    ]
    title = f"{invoice_words.title(invoice).capitalize()} {invoice.number}"
    foot = f"{title} · {invoice.buyer.name} · {invoice.seller.name}"
    return pages.render(story, title, invoice.buyer.name, foot)


def _head(invoice: Invoice) -> Iterator[Flowable]:
    named = [
        pages.text(invoice_words.title(invoice), pages.TITLE),
        pages.text(f"Number {invoice.number}", pages.SUBHEADING),
        pages.text(_months(invoice), pages.BODY),
    ]
    facts = [
        (_issued_words(invoice), wording.day(invoice.issued_on)),
        ("Due date", wording.day(invoice.due)),
        *([("Credits invoice", invoice.credits)] if invoice.credits else []),
        ("Currency", invoice.currency),
        ("State", wording.INVOICE_STATES[invoice.state]),
    ]
    right = 68 * mm
    yield pages.beside([named, pages.facts(facts, right, 0.52)], [pages.WIDTH - right, right])
    yield Spacer(1, 4 * mm)


def _issued_words(invoice: Invoice) -> str:
    """A purchase statement is no tax point: the provider's own invoice is."""
    return "Issue date" if invoice.kind == "purchase_statement" else "Issue date and tax point"


def _months(invoice: Invoice) -> str:
    return "Flexibility delivered in " + ", ".join(wording.month_name(month) for month in invoice.months)


def _sides(invoice: Invoice) -> Iterator[Flowable]:
    paying = "Invoiced to, and issued by" if invoice_words.is_self_billed(invoice) else "Issued by"
    half = (pages.WIDTH - _GAP) / 2
    sides = [[_party("Flexibility delivered by", invoice.seller), "", _party(paying, invoice.buyer)]]
    table = Table(sides, colWidths=[half, _GAP, half])
    table.setStyle(_CARDS)
    yield table
    yield Spacer(1, 4 * mm)


_CARDS = TableStyle(
    [
        *(("BACKGROUND", (column, 0), (column, 0), pages.PAPER) for column in (0, 2)),
        *(("LINEABOVE", (column, 0), (column, 0), 1.2, pages.INK) for column in (0, 2)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 7),
        ("TOPPADDING", (0, 0), (-1, -1), 5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
    ]
)


def _party(role: str, party: Party) -> list[Flowable]:
    identities = [
        f"Company number {party.company_number}" if party.company_number else "",
        f"VAT number {party.vat_number}" if party.vat_number else "No VAT number",
        party.email or "",
    ]
    address = [line.strip() for line in party.address.splitlines() if line.strip()]
    return [
        pages.text(role, pages.LABEL),
        pages.text(party.name, pages.SUBHEADING),
        *(pages.text(line, pages.BODY) for line in [*address, *([party.country] if party.country != "GB" else [])]),
        Spacer(1, 1 * mm),
        *(pages.text(words, pages.CELL) for words in identities if words),
    ]


def _statements(invoice: Invoice) -> Iterator[Flowable]:
    yield pages.notice("\n".join(invoice_words.statements(invoice)))
    yield Spacer(1, 3 * mm)


def _lines(invoice: Invoice) -> Iterator[Flowable]:
    """Lines by month and obligation, in the order of the invoice, each group with what it comes to."""
    rows: list[Sequence[object]] = []
    spans = []
    for (month, obligation), found in groupby(invoice.lines, key=lambda line: (line.month, line.obligation_id)):
        lines = list(found)
        spans.append(len(rows) + 1)
        head = f"{wording.month_name(month)} · {obligation}"
        rows.append([pages.text(head, pages.CELL_STRONG), "", _sum(lines, invoice.currency)])
        rows += [_line(line, invoice.currency) for line in lines]
    table = pages.grid(["Component", "Description", "Net"], rows, (24, 58, 18), (2,))
    for row in spans:
        table.setStyle(TableStyle([("SPAN", (0, row), (1, row)), ("BACKGROUND", (0, row), (-1, row), pages.PAPER)]))
    yield table
    yield Spacer(1, 4 * mm)


def _line(line: InvoiceLine, currency: str) -> list[str]:
    component = wording.component(line.component)
    return [component, line.description.removeprefix(f"{component}, "), wording.money(line.amount, currency)]


def _sum(lines: Sequence[InvoiceLine], currency: str) -> Flowable:
    return pages.number(wording.money(total(line.amount for line in lines), currency), True)


def _totals(invoice: Invoice) -> Iterator[Flowable]:
    currency = invoice.currency
    rows = [["Lines", wording.money(total(line.amount for line in invoice.lines), currency)]]
    rows += [
        ["Net", wording.money(invoice.net, currency)],
        *([[invoice_words.vat_words(invoice), wording.money(invoice.vat, currency)]] if _has_vat_row(invoice) else []),
        [_gross_words(invoice), wording.money(invoice.gross, currency)],
    ]
    table = pages.grid(["Totals", currency], rows, (60, 40), (1,), True, _TOTALS)
    table.hAlign = "RIGHT"
    yield table
    yield Spacer(1, 4 * mm)


def _has_vat_row(invoice: Invoice) -> bool:
    return invoice.kind != "purchase_statement" or bool(invoice.vat)


def _gross_words(invoice: Invoice) -> str:
    if invoice.gross < 0:
        return "Total credited"
    return "Total without VAT" if invoice.kind == "purchase_statement" else "Total"


def _terms(invoice: Invoice) -> Iterator[Flowable]:
    yield pages.text("Payment", pages.SUBHEADING)
    yield pages.text(invoice_words.due_words(invoice), pages.BODY)
    yield pages.text(
        f"Terms: {invoice_words.terms(invoice)}. Please quote {invoice.number} in all correspondence.", pages.BODY
    )
    yield Spacer(1, 2 * mm)
    yield pages.text(
        "Each line is explained half-hour by half-hour in the settlement report of its month. "
        f"VAT is rounded once for the whole document. Document {invoice.id}.",
        pages.SMALL,
    )
