"""Owns what callers send and get about self-billing agreements, invoices and payments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.kernel.models import PageQuery, Value
from chalicelib.kernel.quantities import Money
from chalicelib.settlement.invoicing import DocumentKind
from chalicelib.settlement.models_invoices import Agreement, AgreementState, NotIssued
from chalicelib.settlement.models_runs import Invoice, InvoiceState

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class AgreementRequest(Value):
    """A self-billing agreement with a provider; without `ends` it lasts twelve months."""

    fsp: str = Field(min_length=1, max_length=80)
    contracting_entity: str | None = Field(
        default=None, max_length=80, description="the FSP's, where its obligations are not its own company's"
    )
    starts: date
    ends: date | None = Field(default=None, description="the last day, inclusive; at most 12 months from `starts`")


class AgreementQuery(PageQuery):
    """Agreements of the caller; an operator may name a provider, a provider an operator."""

    fsp: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)
    state: AgreementState | None = None


class RefusalRequest(Value):
    """Why the provider does not agree."""

    reason: str | None = Field(default=None, max_length=500)


class EndingRequest(Value):
    """The end of an agreement before its time, or of a proposal; today is its last day where none is named."""

    reason: str = Field(min_length=1, max_length=500)
    last_day: date | None = None


class AgreementView(Agreement):
    """An agreement with the names of both sides, whether it holds today, and what they agree to by it."""

    so_name: str
    fsp_name: str
    company: str = Field(description="whose invoices are issued: the FSP's company or its contracting entity")
    holds: bool = Field(description="whether today is one of its days and both sides accepted it")
    terms: tuple[str, ...]


class DrawUpRequest(Value):
    """Invoices of agreed lines up to a month, of one provider or of all; `after` is `next` of the answer before."""

    month: str = Field(pattern=MONTH, description="of delivery, inclusive: `2026-04`")
    fsp: str | None = Field(default=None, max_length=80)
    after: str | None = Field(default=None, max_length=80)


class PreviewQuery(BaseModel):
    """What would be issued now: of one provider or of all, up to a month."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    month: str = Field(pattern=MONTH, description="of delivery, inclusive: `2026-04`")
    fsp: str | None = Field(default=None, max_length=80)
    after: str | None = Field(default=None, max_length=80, description="`next` of the answer before")


class DrawnUpView(Value):
    """What was issued, without lines, and why other providers got nothing.

    `next` stands where there are more providers: send it as `after` to go on.
    """

    run_id: str
    month: str
    issued: tuple[Invoice, ...]
    not_issued: tuple[NotIssued, ...]
    next: str | None = None


class PreviewDocument(Value):
    """A document that would be issued; its number is drawn at issue."""

    fsp: str
    fsp_name: str
    contracting_entity: str | None = None
    company: str
    kind: DocumentKind
    net: Money
    vat_rate: Decimal
    vat: Money
    gross: Money
    due: date
    months: tuple[str, ...]
    line_count: int
    credits: str | None = None
    note: str | None = None


class InvoicePreview(Value):
    """What would be issued now; nothing is stored and no number drawn."""

    month: str
    documents: tuple[PreviewDocument, ...]
    not_issued: tuple[NotIssued, ...]
    next: str | None = None


class InvoiceQuery(PageQuery):
    """Invoices of the caller, newest first; an operator may name a provider, a provider an operator."""

    month: str | None = Field(default=None, pattern=MONTH, description="of delivery")
    state: InvoiceState | None = None
    kind: Literal["self_billing_invoice", "purchase_statement", "credit_note"] | None = None
    fsp: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)


class CreditRequest(Value):
    """Why an invoice is taken back whole; the credit note says so."""

    reason: str = Field(min_length=1, max_length=500)


class PaymentRequest(Value):
    """That an invoice was paid, in full; of a credit note, that the provider paid it back (a negative amount)."""

    paid_on: date
    amount: Money
    reference: str | None = Field(default=None, max_length=140, description="what the bank statement says")
