"""Owns what an invoice has to say in words: its title, the sentences the law asks for, its terms. Pure.

Sources: HMRC VAT Notice 700/62 (self-billing: the reference and the statement on each invoice), VAT Regulations 1995
reg. 13–15 (what an invoice and a credit note name).
"""

from __future__ import annotations

from chalicelib.settlement import wording
from chalicelib.settlement.models_runs import Invoice

_TITLES = {
    "self_billing_invoice": "SELF-BILLING INVOICE",
    "purchase_statement": "PURCHASE STATEMENT",
    "credit_note": "CREDIT NOTE",
}


def is_self_billed(invoice: Invoice) -> bool:
    """Whether the operator issues it in the provider's name; a credit note with VAT puts a self-billed one right."""
    return invoice.kind == "self_billing_invoice" or (invoice.kind == "credit_note" and invoice.vat_rate > 0)


def title(invoice: Invoice) -> str:
    own = _TITLES[invoice.kind]
    return f"SELF-BILLING {own}" if invoice.kind == "credit_note" and is_self_billed(invoice) else own


def statements(invoice: Invoice) -> list[str]:
    """The sentences a document of its kind bears, in order."""
    found = [_of_kind(invoice)]
    if is_self_billed(invoice) and not invoice.vat_rate:
        found.append(_why_no_vat(invoice))
    if invoice.note:
        found.append(f"{invoice.note.rstrip('.')}.")
    if invoice.credited_by:
        found.append(f"This document was taken back by credit note {invoice.credited_by}.")
    return found


def due_words(invoice: Invoice) -> str:
    """Who pays whom, how much and by when."""
    gross = wording.money(abs(invoice.gross), invoice.currency)
    if invoice.paid_on is not None:
        paid = wording.money(invoice.paid_amount, invoice.currency)
        reference = f", reference {invoice.payment_reference}" if invoice.payment_reference else ""
        return f"{'Settled' if invoice.gross < 0 else 'Paid'} on {wording.day(invoice.paid_on)}: {paid}{reference}."
    if invoice.gross < 0:
        return f"{invoice.seller.name} owes {gross} to {invoice.buyer.name}, due by {wording.day(invoice.due)}."
    if invoice.kind == "purchase_statement":
        vat = "and VAT where you are registered for it"
        return f"Please invoice {invoice.buyer.name} for {gross} {vat}; payment is due by {wording.day(invoice.due)}."
    return f"{invoice.buyer.name} pays {gross} to {invoice.seller.name} by {wording.day(invoice.due)}."


def terms(invoice: Invoice) -> str:
    days = (invoice.due - invoice.issued_on).days
    return f"{days} days from the day of issue, {wording.day(invoice.due)}"


def vat_words(invoice: Invoice) -> str:
    """`VAT at 20 %`; `No VAT` where none is charged."""
    return f"VAT at {wording.trimmed(invoice.vat_rate)} %" if invoice.vat_rate else "No VAT"


def _of_kind(invoice: Invoice) -> str:
    if invoice.kind == "purchase_statement":
        return f"This is not a VAT invoice; please invoice us quoting {invoice.number}."
    if invoice.kind == "credit_note":
        credited = (
            f"This credit note credits invoice {invoice.credits}." if invoice.credits else "This is a credit note."
        )
        return f"{credited} The VAT shown lowers your output tax due to HMRC." if invoice.vat else credited
    return (
        "The VAT shown is your output tax due to HMRC."
        if invoice.vat_rate
        else "Issued under a self-billing agreement."
    )


def _why_no_vat(invoice: Invoice) -> str:
    if invoice.seller.vat_number:
        return "No VAT is charged on this supply."
    return f"No VAT is charged: {invoice.seller.name} has no VAT number of the United Kingdom."
