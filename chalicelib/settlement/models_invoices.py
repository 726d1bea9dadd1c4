"""Owns what stands behind invoices: self-billing agreements, a provider's account, numbering, and drawing up."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import ZERO, Money
from chalicelib.settlement.invoicing import SelfBillingAgreement

AgreementState = Literal["proposed", "agreed", "refused", "withdrawn", "ended"]
NothingWhy = Literal["nothing.published", "nothing.agreed", "nothing.left", "total.negative", "total.zero"]


class Agreement(Value):
    """A self-billing agreement: recorded by the operator, it counts once the provider agreed to it.

    `starts` and `ends` are local days of the operator, both inclusive; `last_day` is `ends` or an earlier day it was
    ended on. `vat_number` is the provider's valid GB number on the day it agreed; `renews` the agreement before it.
    """

    id: str
    so: str
    fsp: str
    contracting_entity: str | None = Field(default=None, description="the FSP's, where it is not its own company")
    starts: date
    ends: date
    last_day: date
    state: AgreementState = "proposed"
    vat_number: str | None = None
    renews: str | None = None
    recorded_by: str
    recorded_at: Instant
    answered_by: str | None = None
    answered_at: Instant | None = None
    ended_by: str | None = Field(default=None, description="the organisation that ended or withdrew it")
    ended_at: Instant | None = None
    reason: str | None = None
    version: int = 1


class AgreedSpan(SelfBillingAgreement):
    """An agreement both sides accepted, for the company and the days on which it holds."""

    agreement_id: str
    contracting_entity: str | None = None


class BillingAccount(Value):
    """What guards the invoices of one operator and provider: the agreements that count, and reports invoiced whole.

    Every document drawn up and every agreement that begins or ends writes its next version; 0 was never written.
    """

    so: str
    fsp: str
    agreements: tuple[AgreedSpan, ...] = ()
    invoiced: tuple[str, ...] = Field(default=(), description="reports none of whose lines waits for an invoice")
    version: int = 0


class Numbering(Value):
    """An operator's invoice numbers: their prefix, for good, and the last serial drawn; 0 was never written."""

    so: str
    prefix: str
    last: int = 0
    version: int = 0


class Numbered(Value):
    """Which invoice bears a number: the claim that makes it unique."""

    invoice_id: str
    issued_on: date
    months: tuple[str, ...]


class NotIssued(Value):
    """Why a provider got no invoice: the sum and the count of the lines that wait, if any."""

    fsp: str
    code: NothingWhy
    detail: str
    lines: int = 0
    waits: Money = ZERO


class InvoiceRun(Value):
    """One asking for invoices: of whom, up to which month, what came of it. Cut short, it is carried on."""

    id: str
    so: str
    fsp: str | None = None
    month: str
    after: str | None = None
    asked_by: str
    asked_at: Instant
    done: bool = False
    not_issued: tuple[NotIssued, ...] = ()
    next: str | None = None
    version: int = 1
