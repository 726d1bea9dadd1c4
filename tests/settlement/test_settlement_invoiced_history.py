"""Claims about history that changes after an invoice: what each late-data policy owes, and who is paid for what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.settlement import actions_agreements as agreements
from chalicelib.settlement import actions_crediting as crediting
from chalicelib.settlement import actions_drawing_up as drawing
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import actions_payments as payments
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.actions_publishing import publish_report
from chalicelib.settlement.models_runs import Invoice, Report
from chalicelib.settlement.requests_invoices import AgreementRequest, CreditRequest, DrawUpRequest, PaymentRequest
from tests.builders.reports import FSP, SO, a_detail, a_report_line, fsp_call, given_sides, made, so_call
from tests.builders.settlement import rules

FIRST, AGREED = "2026-05-08T09:00:00Z", "2026-05-26T09:00:00Z"
SECOND, LATER = "2026-05-27T09:00:00Z", "2026-07-01T09:00:00Z"


@pytest.fixture
def sides(market: None) -> None:
    given_sides()
    proposed = AgreementRequest(fsp=FSP, starts=date(2026, 1, 1))
    found = agreements.propose_agreement(so_call(FIRST), proposed)
    agreements.accept_agreement(fsp_call(FIRST), found.id)


def published(amounts: dict[str, str | None], number: int, policy: str, at: str) -> Report:
    """Version `number` of April, with the amount of each instruction, published."""
    lines = [
        a_report_line(place, amount, instruction_id=instruction, fingerprint=f"{number}")
        for place, (instruction, amount) in enumerate(amounts.items())
    ]
    draft = made(lines, number, detail=a_detail(rules(late_data=policy, dispute_working_days=10)))
    return publish_report(so_call(at), draft.id)


def draw_up(at: str) -> tuple[list[Invoice], list[str]]:
    found = drawing.draw_up(so_call(at), DrawUpRequest(month="2026-04", fsp=FSP))
    return list(found.issued), [each.code for each in found.not_issued]


def told(found: list[Invoice]) -> list[tuple[Any, ...]]:
    return [(each.kind, each.number, each.net, each.credits) for each in found]


def invoiced_and_settled_anew(policy: str) -> Invoice:
    """Ten and five invoiced; a later version says seven and eight, and two of another instruction."""
    published({"ins_1": "10.00", "ins_2": "5.00"}, 1, policy, FIRST)
    [invoice], _ = draw_up(AGREED)
    published({"ins_1": "7.00", "ins_2": "8.00", "ins_3": "2.00"}, 2, policy, SECOND)
    return invoice


def states() -> list[tuple[str | None, str]]:
    report = reports.published_report(SO, FSP, "2026-04")
    assert report is not None
    return [(line.instruction_id, line.state) for line in reports.lines_as_they_stand(report, date(2026, 5, 27))]


def test_under_re_run_corrections_are_open_to_dispute_and_on_the_next_invoice(sides: None) -> None:
    first = invoiced_and_settled_anew("re-run")
    assert draw_up(SECOND) == ([], ["nothing.agreed"])
    later, _ = draw_up(LATER)
    assert told(later) == [("self_billing_invoice", "NN-000002", Decimal(2), None)]
    assert [line.amount for line in invoices.load_invoice(later[0].id).lines] == [Decimal(-3), Decimal(3), Decimal(2)]
    assert invoices.load_invoice(first.id) == first.but(lines=invoices.load_invoice(first.id).lines)


def test_under_credit_note_what_is_taken_back_is_credited_at_once_and_what_is_added_invoiced(sides: None) -> None:
    first = invoiced_and_settled_anew("credit-note")
    found, _ = draw_up(SECOND)
    assert told(found) == [
        ("credit_note", "NN-000002", Decimal(-3), first.number),
        ("self_billing_invoice", "NN-000003", Decimal(3), None),
    ]
    assert (found[0].vat_rate, found[0].vat, found[0].gross) == (Decimal(20), Decimal("-0.60"), Decimal("-3.60"))
    later, _ = draw_up(LATER)
    assert told(later) == [("self_billing_invoice", "NN-000004", Decimal(2), None)]
    assert draw_up(LATER) == ([], ["nothing.left"])


def test_under_frozen_nothing_of_an_invoiced_obligation_month_changes(sides: None) -> None:
    invoiced_and_settled_anew("frozen")
    assert draw_up(LATER) == ([], ["nothing.left"])


@pytest.mark.parametrize("policy", ["re-run", "credit-note", "frozen"])
def test_all_documents_together_come_to_what_the_policy_owes(sides: None, policy: str) -> None:
    first = invoiced_and_settled_anew(policy)
    issued = [first, *draw_up(SECOND)[0], *draw_up(LATER)[0]]
    assert sum(each.net for each in issued) == (Decimal(15) if policy == "frozen" else Decimal(17))
    assert [each.serial for each in issued] == list(range(1, len(issued) + 1))


def test_an_invoice_of_a_superseded_report_is_paid_where_its_lines_stand_now(sides: None) -> None:
    first = invoiced_and_settled_anew("re-run")
    payments.record_payment(so_call(SECOND), first.id, PaymentRequest(paid_on="2026-05-27", amount=first.gross))
    assert states() == [
        ("ins_1", "paid"),
        ("ins_1", "open"),
        ("ins_2", "paid"),
        ("ins_2", "open"),
        ("ins_3", "open"),
    ]


def test_an_invoice_of_a_superseded_report_is_credited_where_its_lines_stand_now(sides: None) -> None:
    first = invoiced_and_settled_anew("re-run")
    note = crediting.credit_invoice(so_call(SECOND), first.id, CreditRequest(reason="wrong rules"))
    again, _ = draw_up(SECOND)
    assert told([note, *again]) == [
        ("credit_note", "NN-000002", Decimal(-15), first.number),
        ("self_billing_invoice", "NN-000003", Decimal(15), None),
    ]


def test_after_a_credit_a_later_version_takes_the_lines_place_and_is_invoiced_as_it_is(sides: None) -> None:
    published({"ins_1": "10.00", "ins_2": "5.00"}, 1, "credit-note", FIRST)
    [first], _ = draw_up(AGREED)
    crediting.credit_invoice(so_call(AGREED), first.id, CreditRequest(reason="wrong rules"))
    published({"ins_1": "7.00", "ins_2": "5.00"}, 2, "credit-note", SECOND)
    at_once, _ = draw_up(SECOND)
    later, _ = draw_up(LATER)
    assert [each.net for each in (*at_once, *later)] == [Decimal(5), Decimal(7)]


def test_what_has_no_amount_any_more_waits_and_the_invoice_stands(sides: None) -> None:
    published({"ins_1": "10.00"}, 1, "credit-note", FIRST)
    [first], _ = draw_up(AGREED)
    published({"ins_1": None}, 2, "credit-note", SECOND)
    assert draw_up(LATER) == ([], ["nothing.agreed"])
    published({"ins_1": "4.00"}, 3, "credit-note", LATER)
    [note], _ = draw_up(LATER)
    assert told([note]) == [("credit_note", "NN-000002", Decimal(-6), first.number)]
