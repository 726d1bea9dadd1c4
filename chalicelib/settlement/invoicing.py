"""Owns what an invoice says: which document it is, its VAT, its number, a negative total, credit for changed history.

Sources: HMRC VAT Notice 700/62 (self-billing: an agreement with dates, the supplier's VAT number); GB standard
flexibility services agreement (pay terms).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import Value
from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement.models import Line, MarketRules
from chalicelib.settlement.models_runs import Invoice
from chalicelib.settlement.payment import total, vat

DocumentKind = Literal["self_billing_invoice", "purchase_statement", "credit_note"]


class SelfBillingAgreement(Value):
    """Both sides agreed that the operator writes the provider's invoices, from a day to a day, both inclusive.

    `vat_number` is the provider's, as the registry checked it when it was recorded; None where it has none.
    """

    so: str
    fsp: str
    starts: date
    ends: date
    vat_number: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What is issued: its kind, net, VAT at its one rate, gross, and when it is due."""

    kind: DocumentKind
    net: Decimal
    vat_rate: Decimal
    vat: Decimal
    due: date

    @property
    def gross(self) -> Decimal:
        return self.net + self.vat


def draw_up(
    lines: Sequence[Line], rules: MarketRules, agreement: SelfBillingAgreement | None, issued: date
) -> Document | None:
    """The document of agreed lines; None where there is nothing to issue yet.

    A negative total is carried forward, by its lines waiting for the next invoice, or credited at once, as the
    operator's rules say. Without a self-billing agreement that holds on the day it is a purchase statement, which the
    provider invoices against, without VAT.
    """
    net = total(line.amount for line in lines if line.amount is not None)
    if not lines or (net < 0 and rules.negative_total == "carry"):
        return None
    self_billed = rules.self_billing and agreement is not None and agreement.starts <= issued <= agreement.ends
    rate = rules.vat_rate if self_billed and agreement and agreement.vat_number else ZERO
    kind: DocumentKind = "self_billing_invoice" if self_billed else "purchase_statement"
    if net < 0:
        kind = "credit_note"
    due = issued + timedelta(days=rules.payment_days)
    return Document(kind, net, rate, vat(net, rate), due)


def to_carry(lines: Sequence[Line], rules: MarketRules) -> Decimal:
    """What goes to the next invoice: a negative total where the rules carry it, else nothing."""
    net = total(line.amount for line in lines if line.amount is not None)
    return net if net < 0 and rules.negative_total == "carry" else ZERO


def number_of(so_prefix: str, serial: int) -> str:
    """An invoice number: the operator's prefix and its serial, which has no gaps."""
    return f"{so_prefix}-{serial:06d}"


def prefix_of(name: str) -> str:
    """The prefix of an operator's numbers from its name: initials, or the first letters of a single word; else `SO`."""
    words = re.findall(r"[A-Za-z0-9]+", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    short = words[0][:4] if len(words) == 1 else "".join(word[0] for word in words[:6])
    return short.upper() or "SO"


def serial_of(so_prefix: str, number: str) -> int | None:
    """The serial of a number with this prefix, as people type it; None for what is no such number."""
    found = re.fullmatch(rf"{re.escape(so_prefix)}-([0-9]{{1,9}})", number.strip().upper())
    return int(found[1]) if found else None


def sums_due(invoice: Invoice, vat_rate: Decimal) -> list[Decimal]:
    """What may be paid for a document: its gross; where the provider invoices itself, that and the VAT it adds."""
    if invoice.kind == "self_billing_invoice" or invoice.vat_rate:
        return [invoice.gross]
    return list(dict.fromkeys([invoice.gross, invoice.gross + vat(invoice.net, vat_rate)]))


def payment_problems(invoice: Invoice, paid_on: date, amount: Decimal, today: date, vat_rate: Decimal) -> list[Problem]:
    """Every reason why a payment cannot be this invoice's; `vat_rate` is what providers add, per cent.

    It is paid whole or not at all: a line is paid or is not, and what a part would be for nobody has said.
    """
    problems = []
    sums = sums_due(invoice, vat_rate)
    if amount not in sums:
        due = " or, with VAT, ".join(f"{each:.2f}" for each in sums)
        detail = f"{invoice.number} comes to {due} {invoice.currency}; it is paid in one sum."
        problems.append(Problem("payment.amount", detail, "amount", due))
    if not invoice.issued_on <= paid_on <= today:
        detail = f"{invoice.number} was issued on {invoice.issued_on}; it is paid from then on, and not in future."
        problems.append(Problem("payment.day", detail, "paid_on", f"{invoice.issued_on} to {today}"))
    return problems
