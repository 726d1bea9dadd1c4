"""Claims about payments: an invoice is paid whole and once, by hand or from a bank's list, and its lines with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.files import actions as files
from chalicelib.files import actions_receiving as receiving
from chalicelib.files.importing import Chunk, ParsedRow, RowOutcome
from chalicelib.files.imports import import_file
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.settlement import actions_crediting as crediting
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import actions_payments as payments
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.imports_payments import IMPORTER
from chalicelib.settlement.models_runs import Invoice, LineMove
from chalicelib.settlement.requests_invoices import CreditRequest, PaymentRequest
from chalicelib.settlement.sheets_payments import PAYMENTS
from chalicelib.storage.commit import commit
from functions import imports, templates
from tests.builders.assets import a_receipt
from tests.builders.files import a_csv, put_drop
from tests.builders.invoices import FSP, NOW, OTHER, TODAY, Billing
from tests.builders.registry import a_system_operator
from tests.builders.reports import a_report_line


@pytest.fixture
def billing(market: None) -> Billing:
    return Billing()


def an_invoice(billing: Billing, **but: Any) -> Invoice:
    billing.publish(**but)
    [invoice] = billing.draw_up(fsp=but.get("fsp", FSP)).issued
    return invoice


def a_payment(**but: Any) -> PaymentRequest:
    return PaymentRequest.model_validate({"paid_on": TODAY, "amount": "10.00", **but})


def pay(billing: Billing, invoice: Invoice, **but: Any) -> Invoice:
    return payments.record_payment(billing.operator(), invoice.id, a_payment(**but))


def refused_for(billing: Billing, invoice: Invoice, **but: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        pay(billing, invoice, **but)
    return [problem.code for problem in refused.value.problems]


def test_a_paid_invoice_says_when_how_much_and_by_whom_and_its_lines_are_paid(billing: Billing) -> None:
    report = billing.publish(("4.00", "6.00"))
    [invoice] = billing.draw_up().issued
    paid = pay(billing, invoice, reference="BACS 4711")
    assert (paid.state, paid.paid_on, paid.paid_amount, paid.payment_reference, paid.paid_by) == (
        "paid",
        TODAY,
        Decimal(10),
        "BACS 4711",
        "per_1",
    )
    assert billing.states(report) == ["paid", "paid"]


def test_the_same_payment_again_changes_nothing_and_another_one_is_refused(billing: Billing) -> None:
    invoice = an_invoice(billing)
    paid = pay(billing, invoice)
    assert pay(billing, invoice, reference="later") == paid
    with pytest.raises(Refused, match=r"invoice\.paid"):
        pay(billing, invoice, amount="9.00")


def test_a_purchase_statement_is_paid_with_the_vat_of_the_providers_own_invoice(billing: Billing) -> None:
    paid = pay(billing, an_invoice(billing), amount="12.00")
    assert (paid.kind, paid.gross, paid.paid_amount) == ("purchase_statement", Decimal(10), Decimal(12))


def test_what_moves_while_a_payment_is_recorded_is_read_again(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = an_invoice(billing)
    read, raced = invoices.own_invoice, []

    def pay_first(call: Any, invoice_id: str) -> Invoice:
        found = read(call, invoice_id)
        if not raced:
            raced.append("begun")
            pay(billing, invoice)
        return found

    monkeypatch.setattr(invoices, "own_invoice", pay_first)
    assert payments.pay(billing.operator(actor="per_2"), invoice.id, a_payment(), "per_2") == "per_1"


def test_an_invoice_is_paid_whole_from_its_issue_on_and_not_in_future(billing: Billing) -> None:
    invoice = an_invoice(billing)
    assert refused_for(billing, invoice, amount="9.99") == ["payment.amount"]
    assert refused_for(billing, invoice, paid_on="2026-06-09") == ["payment.day"]
    assert refused_for(billing, invoice, paid_on="2026-06-11", amount="0") == ["payment.amount", "payment.day"]
    assert invoices.load_invoice(invoice.id).state == "issued"


def test_an_amount_finer_than_a_penny_is_no_payment() -> None:
    with pytest.raises(ValidationError):
        a_payment(amount="10.001")


def test_a_credited_invoice_is_not_paid(billing: Billing) -> None:
    invoice = an_invoice(billing)
    crediting.credit_invoice(billing.operator(), invoice.id, CreditRequest(reason="wrong month"))
    with pytest.raises(Refused, match=r"invoice\.credited"):
        pay(billing, invoice)


def test_an_invoice_of_another_operator_is_not_found(billing: Billing) -> None:
    invoice = an_invoice(billing)
    billing.so = a_system_operator(2).organisation
    with pytest.raises(NotFound):
        pay(billing, invoice)


def test_lines_are_paid_where_a_later_report_took_them_over(billing: Billing) -> None:
    report = billing.publish(("4.00", "6.00"))
    [invoice] = billing.draw_up().issued
    kept = [*reports.lines_as_they_stand(report, TODAY), a_report_line(2, "1.00")]
    later = billing.publish(lines=kept, month="2026-05", id="rpt_later")
    carried = {reports.line_id_of(later.id, place): LineMove(state="invoiced", invoice_id=invoice.id, at=NOW)
               for place in (0, 1)}  # fmt: skip
    commit(billing.operator(), reports.move_writes(later, carried))
    month_of_it = invoices.load_invoice(invoice.id).but(months=("2026-05",))
    commit(billing.operator(), invoices.line_moves(billing.operator(), month_of_it, TODAY, "paid"))
    assert billing.states(later) == ["paid", "paid", "agreed"]


# From a file


def a_row(row: int, **values: Any) -> ParsedRow:
    fields = {"number": "N1-000001", "paid_on": "2026-06-10", "amount": "10.00"}
    return ParsedRow(row, {name: value for name, value in (fields | values).items() if value is not None})


def apply(billing: Billing, rows: Sequence[ParsedRow], name: str = "rcp_1") -> list[RowOutcome]:
    assert IMPORTER.apply is not None
    return IMPORTER.apply(billing.operator(), a_receipt(name, billing.so, NOW, "payments"), Chunk(0, {PAYMENTS: rows}))


def told(outcomes: Sequence[RowOutcome]) -> list[tuple[str, Mapping[str | None, str]]]:
    return [(each.outcome, {problem.column: problem.code for problem in each.problems}) for each in outcomes]


def test_each_row_of_a_banks_list_pays_its_invoice(billing: Billing) -> None:
    report = billing.publish()
    [invoice] = billing.draw_up().issued
    second = an_invoice(billing, fsp=OTHER)
    rows = [a_row(2, reference="BACS 1"), a_row(3, number=" n1-000002 ")]
    assert told(apply(billing, rows)) == [("updated", {}), ("updated", {})]
    paid = invoices.load_invoice(invoice.id)
    assert (paid.state, paid.payment_reference, invoices.load_invoice(second.id).state) == ("paid", "BACS 1", "paid")
    assert billing.states(report) == ["paid"]


def test_the_same_list_twice_changes_nothing_and_a_repeated_chunk_tells_the_same(billing: Billing) -> None:
    invoice = an_invoice(billing)
    rows = [a_row(2)]
    assert told(apply(billing, rows)) == [("updated", {})]
    after = invoices.load_invoice(invoice.id)
    assert told(apply(billing, rows)) == [("updated", {})]
    assert told(apply(billing, rows, "rcp_2")) == [("unchanged", {})]
    assert invoices.load_invoice(invoice.id) == after


def test_rows_that_fit_no_invoice_are_errors_at_their_column_and_the_others_are_taken(billing: Billing) -> None:
    an_invoice(billing)
    wrong = [
        a_row(2, number="N1-000009"),
        a_row(3, number="12"),
        a_row(4, amount="9.00"),
        a_row(5, paid_on="2026-05-01"),
        a_row(6),
        a_row(7, paid_on="2026-06-09"),
    ]
    assert told(apply(billing, wrong)) == [
        ("error", {"Invoice number": "payment.number"}),
        ("error", {"Invoice number": "payment.number"}),
        ("error", {"Amount": "payment.amount"}),
        ("error", {"Paid on": "payment.day"}),
        ("updated", {}),
        ("error", {"Invoice number": "invoice.paid"}),
    ]


def test_another_operators_number_is_an_unknown_one(billing: Billing) -> None:
    an_invoice(billing)
    for name in ("Eastern Networks", "Northern 1"):
        billing.so = a_system_operator(len(name), name=name).organisation
        assert told(apply(billing, [a_row(2)])) == [("error", {"Invoice number": "payment.number"})]
    an_invoice(billing, id="rpt_elsewhere")
    assert told(apply(billing, [a_row(2), a_row(3, number="N12-000001")])) == [
        ("error", {"Invoice number": "payment.number"}),
        ("updated", {}),
    ]


def test_a_dropped_list_in_the_operators_order_of_days_is_read_and_its_errors_told(billing: Billing) -> None:
    invoice = an_invoice(billing)
    header = ["Invoice number", "Paid on", "Amount", "Reference", "Sort code"]
    rows = [
        header,
        ["N1-000001", "10/06/2026", "10.00", "BACS 1", "00-00-00"],
        ["N1-000002", "10/06/2026", "1", "", ""],
    ]
    call = billing.operator()
    drop = put_drop(f"inbox/{billing.so}/payments/bank.csv", a_csv(rows), datetime.fromisoformat(NOW))
    receipt = receiving.receive(call.as_system(), drop, billing.so, "so")
    import_file(call.as_system(), receipt.id, IMPORTER)
    done = files.get_receipt(receipt.id)
    assert (done.state, done.counts.updated, done.counts.errors) == ("done", 1, 1)
    assert invoices.load_invoice(invoice.id).state == "paid"


def test_the_payments_file_is_known_to_the_market() -> None:
    assert imports.importer_of("payments") is IMPORTER
    assert [column.header for column in templates.templates()["payments"].sheet(PAYMENTS).columns] == [
        "Invoice number",
        "Paid on",
        "Amount",
        "Reference",
    ]
