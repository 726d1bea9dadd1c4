"""Owns what is told of settlement: reports, disputes, invoices and meter data, without a meter or an amount."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from chalicelib.kernel.call import Call
from chalicelib.notifications.models import Told
from chalicelib.registry import actions as registry
from chalicelib.settlement.actions_agreements import load_agreement
from chalicelib.settlement.actions_disputes import load_dispute
from chalicelib.settlement.actions_invoices import load_invoice
from chalicelib.settlement.actions_reports import load_report
from chalicelib.settlement.models_runs import Dispute

Facts = Iterator[Told]
Body = dict[str, Any]

COMPONENTS = {
    "utilisation": "utilisation",
    "penalty": "charge for what was not delivered",
    "availability": "availability",
    "recovery": "availability recovery",
    "service_fee": "service fee",
}
DOCUMENTS = {
    "self_billing_invoice": "self-billing invoice",
    "purchase_statement": "purchase statement",
    "credit_note": "credit note",
}
_MOVED = {"answer": "dispute_answered", "escalate": "dispute_escalated"}


def _report_published(call: Call, body: Body) -> Facts:
    """Of a report that was superseded before it was told, nothing: the later one is told itself."""
    report = load_report(body["report_id"])
    if report.state != "published":
        return
    words = _sides(body) | {
        "report_id": report.id,
        "month": _month(body["month"]),
        "number": report.number,
        "lines": report.lines,
        "unsettled": report.unsettled,
        "until": _day(report.disputable_until),
    }
    yield Told(letter="settlement_report_published", organisation=body["fsp"], fact=report.id, words=words)


def _dispute_raised(call: Call, body: Body) -> Facts:
    dispute = load_dispute(body["dispute_id"])
    words = _dispute_words(body, dispute)
    yield Told(letter="dispute_raised", organisation=body["so"], fact=dispute.id, words=words)


def _dispute_moved(call: Call, body: Body) -> Facts:
    """To the side that did not move it."""
    dispute = load_dispute(body["dispute_id"])
    words = _dispute_words(body, dispute) | {"withdrawn": body["act"] == "withdraw"}
    letter = _MOVED.get(body["act"], "dispute_ended")
    to = body["fsp"] if body["by"] == "so" else body["so"]
    yield Told(letter=letter, organisation=to, fact=f"{dispute.id}/{body['step']}", words=words)


def _agreement_recorded(call: Call, body: Body) -> Facts:
    words = _agreement_words(body)
    yield Told(letter="self_billing_proposed", organisation=body["fsp"], fact=body["agreement_id"], words=words)


def _agreement_moved(call: Call, body: Body) -> Facts:
    """To the side that did not move it."""
    act = body["act"]
    words = _agreement_words(body) | {"act": act, "by_name": registry.get_organisation(body[body["by"]]).name}
    letter = "self_billing_answered" if act in ("accept", "refuse") else "self_billing_ended"
    to = body["fsp"] if body["by"] == "so" else body["so"]
    yield Told(letter=letter, organisation=to, fact=f"{body['agreement_id']}/{act}", words=words)


def _invoice_issued(call: Call, body: Body) -> Facts:
    yield _of_invoice("invoice_issued", body)


def _invoice_paid(call: Call, body: Body) -> Facts:
    yield _of_invoice("invoice_paid", body)


def _meter_data_due(call: Call, body: Body) -> Facts:
    words = _sides(body) | {
        "month": _month(body["month"]),
        "month_code": body["month"],
        "due": _day(date.fromisoformat(body["due"])),
        "missing": body["missing"],
    }
    fact = f"{body['so']}/{body['month']}/{body['kind']}"
    yield Told(letter=f"meter_data_{body['kind']}", organisation=body["fsp"], fact=fact, words=words)


def _of_invoice(letter: str, body: Body) -> Told:
    invoice = load_invoice(body["invoice_id"])
    words = _sides(body) | {
        "invoice_id": invoice.id,
        "number": invoice.number,
        "document": DOCUMENTS[invoice.kind],
        "kind": invoice.kind,
        "months": _together([_month(month) for month in invoice.months]),
        "due": _day(invoice.due),
        "paid_on": _day(invoice.paid_on),
        "reference": invoice.payment_reference or "",
    }
    return Told(letter=letter, organisation=body["fsp"], fact=invoice.id, words=words)


def _agreement_words(body: Body) -> Body:
    agreement = load_agreement(body["agreement_id"])
    return _sides(body) | {
        "agreement_id": agreement.id,
        "starts": _day(agreement.starts),
        "last_day": _day(agreement.last_day),
        "reason": agreement.reason or "",
    }


def _dispute_words(body: Body, dispute: Dispute) -> Body:
    return _sides(body) | {
        "dispute_id": dispute.id,
        "month": _month(dispute.month),
        "reference": dispute.competition_reference,
        "window_name": dispute.window_name,
        "component": COMPONENTS[dispute.component],
    }


def _sides(body: Body) -> Body:
    return {
        "so_name": registry.get_organisation(body["so"]).name,
        "fsp_name": registry.get_organisation(body["fsp"]).name,
        "brand_colour": registry.get_profile(body["so"]).brand_colour,
    }


def _month(month: str) -> str:
    """`2026-04` as a person writes it."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def _day(day: date | None) -> str:
    return f"{day:%a} {day.day} {day:%B %Y}" if day else ""


def _together(names: Sequence[str]) -> str:
    """Names as a person lists them: “March 2026, April 2026 and May 2026”; nothing for none."""
    return " and ".join(each for each in (", ".join(names[:-1]), *names[-1:]) if each)


SETTLEMENT_TELLERS: dict[str, Callable[[Call, Body], Facts]] = {
    "settlement.agreement_moved.v1": _agreement_moved,
    "settlement.agreement_recorded.v1": _agreement_recorded,
    "settlement.dispute_moved.v1": _dispute_moved,
    "settlement.dispute_raised.v1": _dispute_raised,
    "settlement.invoice_issued.v1": _invoice_issued,
    "settlement.invoice_paid.v1": _invoice_paid,
    "settlement.meter_data_due.v1": _meter_data_due,
    "settlement.report_published.v1": _report_published,
}
