"""Owns what a settlement leaves behind: runs by version, reports with their lines, what explains them, disputes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_validator

from chalicelib.kernel.call import derived_id
from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import ZERO, Megawatts, Money, SignedPrice
from chalicelib.settlement.models import Component, Line, LineState, MarketRules, ReportState, Unsettleable

RunState = Literal["queued", "done", "failed"]
RunReason = Literal["scheduled", "asked"]
DisputeState = Literal["raised", "answered", "escalated", "agreed"]
InvoiceState = Literal["issued", "paid", "credited"]


class Run(Value):
    """One version of the settlement of an operator's local days `first`..`last`, both inclusive.

    `number` counts the versions of one scope (operator, days, obligation) from 1; `previous` is the run before it. Only
    runs of a whole month and all obligations become reports that can be published; others are to look at.
    """

    id: str
    so: str
    first: date
    last: date
    obligation_id: str | None = None
    number: int = 1
    previous: str | None = None
    reason: RunReason = "asked"
    note: str | None = Field(default=None, max_length=500, description="why it was asked for")
    asked_by: str
    asked_at: Instant
    state: RunState = "queued"
    done_at: Instant | None = None
    failure: str | None = None
    fsps: tuple[str, ...] = ()
    lines: int = 0
    unsettled: int = 0
    total: Money = ZERO
    version: int = 1

    @property
    def month(self) -> str | None:
        """`2026-04` when the run is of one whole month, else None."""
        whole = self.first.day == 1 and (self.last.year, self.last.month) == (self.first.year, self.first.month)
        return f"{self.first:%Y-%m}" if whole and _is_last_of_month(self.last) else None

    @property
    def can_be_published(self) -> bool:
        return self.month is not None and self.obligation_id is None and self.state == "done"


class RunPart(Value):
    """What a run came to for one FSP, as it was made; its report, once published, goes on from there.

    Without `lines_key` the FSP asked for the run, and it is not made yet or has nothing to say to it.
    """

    run_id: str
    fsp: str
    report_id: str
    lines: int = 0
    unsettled: int = 0
    total: Money = ZERO
    lines_key: str | None = None


def report_id_of(run_id: str, fsp: str) -> str:
    """The id of what a run says to an FSP: the same however often the run is made."""
    return derived_id("rpt", run_id, fsp)


def line_id_of(report_id: str, ordinal: int) -> str:
    """The id of a report's line: its report and its place follow from it."""
    return f"{report_id}-{ordinal:05d}"


class Report(Value):
    """What one run says to one FSP. `lines_key` and `detail_key` lead to its lines and its `ReportDetail`, by content.

    What becomes of its lines stands in `LineStates`. A later version, published, supersedes it; its lines then go on in
    the later one.
    """

    id: str
    run_id: str
    so: str
    fsp: str
    first: date
    last: date
    month: str | None = None
    number: int = 1
    state: ReportState = "draft"
    made_at: Instant
    published_at: Instant | None = None
    disputable_until: date | None = Field(default=None, description="the last local day a line may be disputed on")
    superseded_by: str | None = None
    superseded_at: Instant | None = None
    lines: int = 0
    unsettled: int = 0
    total: Money = ZERO
    currency: str = "GBP"
    time_zone: str = "Europe/London"
    lines_key: str
    detail_key: str
    version: int = 1


LINES_A_SHEET = 2000
"""Of a report's lines in order, so many have their states in one row: the act that moves them guards that row alone."""


class LineMove(Value):
    """Where a line stands since it moved: under dispute, agreed, on an invoice, paid."""

    state: LineState
    dispute_id: str | None = None
    invoice_id: str | None = None
    at: Instant
    why: str | None = None


class LineStates(Value):
    """What became of lines `number*LINES_A_SHEET` and on of a report, by line id; those not named are open.

    An open line of a published report that nobody disputed in time is agreed by its date: nothing is written for it.
    """

    report_id: str
    number: int
    moved: dict[str, LineMove] = Field(default_factory=dict)
    version: int = 0


class ReportLine(Line):
    """A line in a report, `ordinal` in its order. `competition_reference` and `window_name` are for people.

    Its state, dispute and invoice come from `LineStates`; in the kept body they are as they were when it was drawn.

    `corrects` is the amount of the same line as it was invoiced before: the line's amount is then the difference.
    """

    report_id: str
    run_id: str
    ordinal: int
    so: str
    fsp: str
    competition_reference: str = ""
    window_name: str = ""
    starts: Instant | None = None
    ends: Instant | None = None
    corrects: Money | None = None
    dispute_id: str | None = None
    invoice_id: str | None = None
    why: str | None = None


class PeriodDetail(Value):
    """A period of an instruction, average MW over it; import positive, `delivered` positive in the asked direction."""

    start: Instant
    requested_mw: Decimal
    baseline_mw: Decimal | None = None
    metered_mw: Decimal | None = None
    delivered_mw: Decimal | None = None
    counted_mw: Decimal | None = None


class BaselineDetail(Value):
    """How the baseline of a meter point, or of the group, came about."""

    point: str
    method: str
    version: str
    status: str
    why: str | None = None
    days_used: tuple[date, ...] = ()
    days_refused: tuple[tuple[date, str], ...] = ()
    adjustment: str | None = None
    adjustment_before_clamp: Decimal | None = None
    adjustment_applied: Decimal | None = None
    adjustment_why: str | None = None
    completeness: Decimal | None = None
    fingerprint: str = ""


class InstructionDetail(Value):
    """Everything that explains an instruction's lines. Ratios and factors are exact to nine places."""

    instruction_id: str
    obligation_id: str
    competition_reference: str
    window_name: str
    direction: Literal["deficit", "excess"]
    state: str
    starts: Instant
    ends: Instant
    instructed_mw: Megawatts
    acknowledged_mw: Megawatts
    utilisation_price: SignedPrice | None = None
    paid_volume: str
    performance: str
    rules_name: str
    rules_version: int
    requested_mwh: Decimal
    delivered_mwh: Decimal | None = None
    counted_mwh: Decimal | None = None
    ratio: Decimal | None = None
    factor: Decimal | None = None
    reason: Unsettleable | None = None
    left_out: tuple[tuple[str, Unsettleable], ...] = ()
    baselines: tuple[BaselineDetail, ...] = ()
    periods: tuple[PeriodDetail, ...] = ()


class ObligationDetail(Value):
    """Everything that explains an obligation-month's availability, recovery and service-fee lines."""

    obligation_id: str
    competition_reference: str
    window_name: str
    month: str
    promised_mwh: Decimal
    available_mwh: Decimal
    availability_price: SignedPrice | None = None
    performance: Decimal | None = Field(default=None, description="F of the month, nine places")
    performance_from: Literal["instructions", "months before", "nothing"] = "nothing"
    service_fee_price: SignedPrice | None = None
    days_in_month: int | None = None
    days_in_period: int | None = None


class MeterQuality(Value):
    """How complete a meter's readings were over the days settled, and which revisions they are of."""

    meter_id: str
    asset_ref: str
    expected: int
    present: int
    revisions: int
    latest_at: Instant | None = None


class ReportDetail(Value):
    """What explains a report: half-hours, baselines, availability, data quality, and the rules applied."""

    instructions: tuple[InstructionDetail, ...] = ()
    obligations: tuple[ObligationDetail, ...] = ()
    quality: tuple[MeterQuality, ...] = ()
    rules: tuple[MarketRules, ...] = ()


class Dispute(Value):
    """What an FSP holds against a line, what the operator answers, and how it ended.

    `messages` run in the order they were written; `evidence` are receipts or links that either side names. `line_id`,
    `report_id` and `amount` are as they were when it was raised; the line goes on in later reports of its month.
    """

    id: str
    line_id: str
    report_id: str
    so: str
    fsp: str
    month: str
    obligation_id: str
    instruction_id: str | None = None
    component: Component
    competition_reference: str = ""
    window_name: str = ""
    amount: Money | None = None
    state: DisputeState = "raised"
    raised_at: Instant
    messages: tuple[DisputeMessage, ...] = ()
    ended_at: Instant | None = None
    version: int = 1


class DisputeMessage(Value):
    """One move of a dispute in the words of whoever made it."""

    act: str
    by: str
    organisation: str
    at: Instant
    words: str = Field(max_length=2000)
    evidence: tuple[str, ...] = ()


class Party(Value):
    """A side of an invoice as it stood at issue."""

    organisation: str
    name: str
    company_number: str = ""
    address: str = ""
    country: str = "GB"
    vat_number: str | None = None
    email: str | None = None


class InvoiceLine(Value):
    """A line of an invoice: what a report line came to, as it was when it was invoiced."""

    line_id: str
    report_id: str
    month: str
    obligation_id: str
    instruction_id: str | None = None
    component: str
    description: str
    amount: Money


class Invoice(Value):
    """A document the operator issued: a self-billing invoice, a purchase statement or a credit note.

    `net` = the lines' sum; `gross` = net + vat. `number` runs without gaps per operator.
    """

    id: str
    so: str
    fsp: str
    contracting_entity: str | None = Field(default=None, description="the FSP's, where it is not its own company")
    kind: Literal["self_billing_invoice", "purchase_statement", "credit_note"]
    number: str
    serial: int
    seller: Party = Field(description="the FSP, who delivers")
    buyer: Party = Field(description="the operator, who pays")
    issued_on: date
    issued_at: Instant
    issued_by: str
    due: date
    currency: str = "GBP"
    net: Money
    vat_rate: Decimal
    vat: Money
    gross: Money
    months: tuple[str, ...] = ()
    lines: tuple[InvoiceLine, ...] = ()
    line_count: int = 0
    credits: str | None = Field(default=None, description="the number of the invoice a credit note puts right")
    credited_by: str | None = Field(default=None, description="the number of the credit note that took it back whole")
    note: str | None = Field(default=None, description="why it credits, or why it is not a self-billing invoice")
    state: InvoiceState = "issued"
    paid_on: date | None = None
    paid_amount: Money | None = None
    payment_reference: str | None = None
    paid_by: str | None = Field(default=None, description="who recorded the payment: a person, or a row of a file")
    version: int = 1

    @model_validator(mode="before")
    @classmethod
    def _as_kept_before(cls, told: Any) -> Any:
        """Invoices kept in November 2026 still tell what was carried into them, which was nothing."""
        if isinstance(told, dict) and "carried" in told:
            return {name: value for name, value in told.items() if name != "carried"}
        return told


def _is_last_of_month(day: date) -> bool:
    return date.fromordinal(day.toordinal() + 1).day == 1


Dispute.model_rebuild()
