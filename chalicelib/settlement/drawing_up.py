"""Owns which agreed lines go on which document: invoices, credit notes for changed history, what has to wait. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from chalicelib.kernel.periods import zone_of
from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement.differences import key_of
from chalicelib.settlement.invoicing import Document, SelfBillingAgreement, draw_up, to_carry
from chalicelib.settlement.models import MarketRules
from chalicelib.settlement.models_invoices import NothingWhy, NotIssued
from chalicelib.settlement.models_runs import LINES_A_SHEET, Invoice, InvoiceLine, Report, ReportLine
from chalicelib.settlement.payment import total, vat
from chalicelib.settlement.publishing import CREDITED_AT_ONCE
from chalicelib.settlement.wording import component, money, span

MOST_SHEETS = 20
"""Of so many sheets of lines a document takes lines: one transaction moves them all, 10,000 lines at most."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A published report with its lines as they stand on a day."""

    report: Report
    lines: Sequence[ReportLine]

    @property
    def waiting(self) -> list[ReportLine]:
        return [line for line in self.lines if line.state == "agreed" and line.amount is not None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A document to issue with the lines on it; `credits` is the invoice that a credit note puts right."""

    document: Document
    lines: tuple[ReportLine, ...]
    credits: Invoice | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be issued of a provider's agreed lines, in order, and the lines that have to wait."""

    documents: tuple[Planned, ...]
    waits: tuple[ReportLine, ...] = ()


def credited_lines(standing: Sequence[Standing]) -> dict[str, list[ReportLine]]:
    """What changed history takes back at once, by the policy `credit-note`, by the id of the invoice it was on."""
    found: dict[str, list[ReportLine]] = {}
    for each in standing:
        invoiced = _invoices_by_key(each.lines)
        for line in each.waiting:
            if line.why == CREDITED_AT_ONCE and (line.amount or ZERO) < 0 and key_of(line) in invoiced:
                found.setdefault(invoiced[key_of(line)], []).append(line)
    return found


def plan(
    standing: Sequence[Standing],
    rules: MarketRules,
    agreement: SelfBillingAgreement | None,
    issued: date,
    originals: Mapping[str, Invoice],
) -> Plan:
    """Credit notes first, one for each invoice put right, then what the other agreed lines come to.

    `originals` holds the invoices of `credited_lines` by id; what was on one that was credited whole meanwhile, or on a
    credit note, is invoiced with the rest. Lines whose total is negative wait for the next invoice where the rules
    carry it, and so do those that come to nothing: they stay agreed, so that each line is on one document only.
    """
    notes: list[Planned] = []
    for invoice_id, lines in credited_lines(standing).items():
        original = originals.get(invoice_id)
        if original is not None and original.state != "credited" and original.kind != "credit_note":
            notes += [Planned(_credit(part, original, rules, issued), part, original) for part in _parts(lines)]
    noted = {line.id for note in notes for line in note.lines}
    rest = [line for each in standing for line in each.waiting if line.id not in noted]
    invoices: list[Planned] = []
    waits: list[ReportLine] = []
    for part in _parts(rest):
        document = draw_up(part, rules, agreement, issued)
        if document is None or document.net == 0:
            waits += part
        else:
            invoices.append(Planned(document, part))
    return Plan((*notes, *invoices), tuple(waits))


def by_entity(standing: Sequence[Standing], entities: Mapping[str, str | None]) -> dict[str | None, list[Standing]]:
    """Reports with the lines of each company that contracted, by contracting entity, the organisation's own first.

    `entities` says which entity is behind an obligation; an invoice is one company's.
    """
    found: dict[str | None, list[Standing]] = {}
    for entity in sorted({entities.get(line.obligation_id) or "" for each in standing for line in each.lines}):
        own = entity or None
        found[own] = [
            Standing(each.report, [line for line in each.lines if entities.get(line.obligation_id) == own])
            for each in standing
        ]
    return found


def what_waits(fsp: str, found: Plan, rules: MarketRules, currency: str) -> NotIssued | None:
    """What a total that is not invoiced comes to, and why it waits for the next invoice; None where no line waits."""
    if not found.waits:
        return None
    waits = to_carry(found.waits, rules)
    code: NothingWhy = "total.negative" if waits else "total.zero"
    then = "it waits and is set off on the next invoice" if waits else "it waits for the next invoice"
    detail = f"What is agreed comes to {money(waits, currency)}: {then}."
    return NotIssued(fsp=fsp, code=code, detail=detail, lines=len(found.waits), waits=waits)


def why_nothing(fsp: str, standing: Sequence[Standing]) -> NotIssued:
    """Why a provider with published reports has nothing to be invoiced."""
    states = Counter("unsettled" if line.amount is None else line.state for each in standing for line in each.lines)
    words = (("open", "can still be disputed"), ("disputed", "disputed"), ("unsettled", "without an amount"))
    waiting = [f"{states[state]} {text}" for state, text in words if states[state]]
    if not waiting:
        return nothing(fsp, "nothing.left", "Every agreed line is on an invoice already.")
    return nothing(fsp, "nothing.agreed", f"No line is agreed and not invoiced; there are {', '.join(waiting)}.")


def nothing(fsp: str, code: NothingWhy, detail: str) -> NotIssued:
    return NotIssued(fsp=fsp, code=code, detail=detail)


def is_invoiced_whole(each: Standing, drawn: Iterable[str]) -> bool:
    """Whether no line of a report waits for an invoice any more, once the lines `drawn` are on one.

    A line without an amount gets none in this report: a later one would take the report's place.
    """
    gone = set(drawn)
    return all(line.amount is None or line.state in ("invoiced", "paid") or line.id in gone for line in each.lines)


def months_of(lines: Iterable[InvoiceLine]) -> tuple[str, ...]:
    return tuple(sorted({line.month for line in lines}))


def invoice_line(line: ReportLine, report: Report) -> InvoiceLine:
    """A line as a document bears it."""
    assert line.amount is not None, "only lines with an amount are agreed"
    return InvoiceLine(
        line_id=line.id,
        report_id=report.id,
        month=report.month or line.month,
        obligation_id=line.obligation_id,
        instruction_id=line.instruction_id,
        component=line.component,
        description=describe(line, report),
        amount=line.amount,
    )


def describe(line: ReportLine, report: Report) -> str:
    """What a line is for, in words: component, competition, window, and the span of its instruction or its month."""
    when = line.month
    if line.starts is not None and line.ends is not None:
        when = span(line.starts, line.ends, zone_of(report.time_zone))
    parts = [component(line.component), line.competition_reference, line.window_name, when]
    text = ", ".join(part for part in parts if part)
    return text if line.corrects is None else f"{text}; correction of {money(line.corrects, report.currency)}"


def taken_back(invoice: Invoice) -> tuple[InvoiceLine, ...]:
    """An invoice's lines with their amounts turned round: those of the credit note that takes it back whole."""
    return tuple(line.but(amount=-line.amount) for line in invoice.lines)


def _credit(lines: Sequence[ReportLine], original: Invoice, rules: MarketRules, issued: date) -> Document:
    """A credit note bears the VAT rate of the invoice it puts right (VAT Regulations 1995, regulation 15C)."""
    net: Decimal = total(line.amount for line in lines if line.amount is not None)
    due = issued + timedelta(days=rules.payment_days)
    return Document("credit_note", net, original.vat_rate, vat(net, original.vat_rate), due)


def _invoices_by_key(lines: Sequence[ReportLine]) -> dict[tuple[str, str, str, str], str]:
    """Which invoice a line was first on, by what it is about."""
    first_drawn = sorted(lines, key=lambda line: line.corrects is not None)
    found: dict[tuple[str, str, str, str], str] = {}
    for line in first_drawn:
        if line.invoice_id is not None and line.state in ("invoiced", "paid"):
            found.setdefault(key_of(line), line.invoice_id)
    return found


def _parts(lines: Sequence[ReportLine]) -> Iterator[tuple[ReportLine, ...]]:
    """Lines in order, parted where one transaction could not move more."""
    part: list[ReportLine] = []
    sheets: set[tuple[str, int]] = set()
    for line in lines:
        sheet = (line.report_id, line.ordinal // LINES_A_SHEET)
        if sheet not in sheets and len(sheets) == MOST_SHEETS:
            yield tuple(part)
            part, sheets = [], set()
        part.append(line)
        sheets.add(sheet)
    if part:
        yield tuple(part)
