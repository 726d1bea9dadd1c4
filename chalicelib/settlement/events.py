"""Owns what settlement tells: runs, reports published, disputes, invoices, meter data that is due. Ids only."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from chalicelib.kernel.events import Event


class RunAsked(Event):
    """A settlement run waits to be made."""

    run_id: str
    so: str


class _OfReport(BaseModel):
    so: str
    fsp: str
    report_id: str
    month: str


class ReportPublished(_OfReport, Event):
    """The operator published what a month came to for a provider."""


class _OfDispute(BaseModel):
    so: str
    fsp: str
    dispute_id: str
    report_id: str


class DisputeRaised(_OfDispute, Event):
    """The provider disputes a line."""


class DisputeMoved(_OfDispute, Event):
    """A dispute was answered, escalated or ended, by the side named; `step` counts its messages."""

    act: Literal["answer", "escalate", "agree", "withdraw"]
    by: Literal["so", "fsp"]
    step: int


class _OfAgreement(BaseModel):
    so: str
    fsp: str
    agreement_id: str


class AgreementRecorded(_OfAgreement, Event):
    """The operator recorded a self-billing agreement, which waits for the provider's answer."""


class AgreementMoved(_OfAgreement, Event):
    """A self-billing agreement was accepted, refused, withdrawn or ended early, by the side named."""

    act: Literal["accept", "refuse", "withdraw", "end"]
    by: Literal["so", "fsp"]


class _OfInvoice(BaseModel):
    so: str
    fsp: str
    invoice_id: str


class InvoiceIssued(_OfInvoice, Event):
    """The operator issued a self-billing invoice, a purchase statement or a credit note."""


class InvoicePaid(_OfInvoice, Event):
    """The operator recorded the payment of an invoice."""


class MeterDataDue(Event):
    """A month's meter data is due on a day soon, or was due: so many meters are still without readings of it."""

    so: str
    fsp: str
    month: str
    kind: Literal["due", "missing"]
    due: str
    missing: int
