"""Claims about invoices: agreed lines once on one document, numbers without gaps, credit, and who sees what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale
from chalicelib.kernel.models import PageQuery
from chalicelib.registry import actions_operators
from chalicelib.registry.models import OperatorSettings
from chalicelib.settlement import actions_crediting as crediting
from chalicelib.settlement import actions_drawing_up as drawing
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import actions_payments as payments
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import actions_rules, store_agreements
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.models_runs import Invoice, LineMove
from chalicelib.settlement.publishing import CREDITED_AT_ONCE
from chalicelib.settlement.requests import RulesRequest
from chalicelib.settlement.requests_invoices import (
    CreditRequest,
    DrawUpRequest,
    InvoiceQuery,
    PaymentRequest,
    PreviewQuery,
)
from chalicelib.storage.commit import commit
from chalicelib.storage.tables import encode_cursor
from tests.builders.invoices import FSP, NOW, OTHER, TODAY, VAT_NUMBER, Billing
from tests.builders.registry import a_system_operator
from tests.builders.reports import a_report_line

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def billing(market: None) -> Billing:
    return Billing()


def with_rules(billing: Billing, **but: Any) -> None:
    """The operator's own rules, which hold for its invoices from now on."""
    early = billing.operator("2025-12-01T09:00:00Z")
    fields = {"name": "ours", "effective_from": "2026-01-01", **but}
    actions_rules.set_rules(early, RulesRequest.model_validate(fields))
    settings = OperatorSettings(default_market_rules="ours")
    actions_operators.change_own_settings(early, settings, actions_operators.get_own_operator(early).version)


def codes(found: Any) -> list[str]:
    return [each.code for each in found.not_issued]


def credit(billing: Billing, invoice: Invoice, reason: str = "wrong month") -> Invoice:
    return crediting.credit_invoice(billing.operator(), invoice.id, CreditRequest(reason=reason))


def test_agreed_lines_become_a_self_billing_invoice_with_vat(billing: Billing) -> None:
    report = billing.publish(("100.01", "0.02"))
    billing.agreement()
    found = billing.draw_up()
    [head] = found.issued
    assert (head.kind, head.number, head.serial, head.note) == ("self_billing_invoice", "N1-000001", 1, None)
    assert (head.net, head.vat_rate, head.vat, head.gross) == (
        Decimal("100.03"),
        Decimal(20),
        Decimal("20.01"),
        Decimal("120.04"),
    )
    assert (head.issued_on, head.due, head.months, head.line_count) == (TODAY, date(2026, 7, 10), ("2026-04",), 2)
    assert (head.seller.name, head.seller.vat_number, head.buyer.name) == ("Flex Ltd", VAT_NUMBER, "Network 1 plc")
    assert found.not_issued == ()
    assert head.lines == ()
    assert billing.states(report) == ["invoiced", "invoiced"]
    invoice = invoices.load_invoice(head.id)
    assert [line.amount for line in invoice.lines] == [Decimal("100.01"), Decimal("0.02")]
    assert invoice.lines[0].description == "Utilisation, CMZ-1, Evenings, 2026-04"


def test_without_an_agreement_it_is_a_purchase_statement_that_says_why(billing: Billing) -> None:
    billing.publish()
    [head] = billing.draw_up().issued
    assert (head.kind, head.vat, head.gross) == ("purchase_statement", Decimal(0), Decimal(10))
    assert head.note == "No self-billing agreement that both sides accepted holds on 2026-06-10."


def test_a_provider_without_a_valid_vat_number_bears_no_vat(market: None) -> None:
    billing = Billing(vat_number=None)
    billing.publish()
    billing.agreement()
    [head] = billing.draw_up().issued
    assert (head.kind, head.vat_rate, head.vat, head.seller.vat_number) == ("self_billing_invoice", 0, 0, None)


def test_a_number_of_another_country_is_shown_and_bears_no_vat_of_ours(market: None) -> None:
    billing = Billing(country="DE", vat_number="DE136695976", company_number="HRB 1")
    billing.publish()
    billing.agreement()
    [head] = billing.draw_up().issued
    assert (head.vat, head.seller.vat_number) == (Decimal(0), "DE136695976")


def test_rules_without_self_billing_make_purchase_statements(billing: Billing) -> None:
    with_rules(billing, self_billing=False, payment_days=14)
    billing.publish()
    billing.agreement()
    [head] = billing.draw_up().issued
    assert (head.kind, head.due) == ("purchase_statement", date(2026, 6, 24))
    assert head.note == "The operator's market rules are without self-billing."


def test_lines_that_can_be_disputed_are_disputed_or_lack_an_amount_wait_and_the_answer_says_so(
    billing: Billing,
) -> None:
    report = billing.publish(("10.00", "20.00", None), disputable_until=date(2026, 6, 30))
    move = {reports.line_id_of(report.id, 1): LineMove(state="disputed", dispute_id="dis_1", at=NOW)}
    commit(billing.operator(), reports.move_writes(report, move))
    found = billing.draw_up()
    assert (found.issued, codes(found)) == ((), ["nothing.agreed"])
    assert found.not_issued[0].detail == (
        "No line is agreed and not invoiced; there are 1 can still be disputed, 1 disputed, 1 without an amount."
    )


def test_the_rest_of_a_report_follows_once_it_is_agreed(billing: Billing) -> None:
    report = billing.publish(("10.00", "20.00"))
    disputed = reports.line_id_of(report.id, 1)
    commit(billing.operator(), reports.move_writes(report, {disputed: LineMove(state="disputed", at=NOW)}))
    assert [each.net for each in billing.draw_up().issued] == [Decimal(10)]
    commit(billing.operator(), reports.move_writes(report, {disputed: LineMove(state="agreed", at=NOW)}))
    assert [(each.net, each.number) for each in billing.draw_up().issued] == [(Decimal(20), "N1-000002")]
    assert codes(billing.draw_up()) == ["nothing.left"]


def test_without_a_published_report_there_is_nothing_to_invoice(billing: Billing) -> None:
    billing.publish(month="2026-05")
    found = billing.draw_up("2026-04")
    assert (found.issued, codes(found)) == ((), ["nothing.published"])


def test_an_organisation_that_is_no_provider_is_not_found(billing: Billing) -> None:
    for unknown in ("org_nobody", billing.so):
        with pytest.raises(NotFound):
            billing.draw_up(fsp=unknown)


def test_all_providers_of_an_operator_are_invoiced_at_once_up_to_the_month(billing: Billing) -> None:
    billing.publish(("1.00",), "2026-03")
    billing.publish(("2.00",), "2026-04")
    billing.publish(("4.00",), "2026-05")
    billing.publish(("-8.00",), "2026-04", OTHER)
    found = billing.draw_up("2026-04", fsp=None)
    assert [(each.fsp, each.net, each.months) for each in found.issued] == [
        (FSP, Decimal(3), ("2026-03", "2026-04")),
    ]
    assert [(each.fsp, each.code, each.waits) for each in found.not_issued] == [(OTHER, "total.negative", Decimal(-8))]


def test_more_providers_than_an_answer_looks_at_follow_on_asking_on(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "FSPS_AT_ONCE", 1)
    billing.publish()
    billing.publish(fsp=OTHER)
    first = billing.draw_up(fsp=None)
    second = billing.draw_up(fsp=None, after=first.next)
    assert [[each.fsp for each in found.issued] for found in (first, second)] == [[FSP], [OTHER]]
    assert (first.next, second.next) == (FSP, None)


def test_a_negative_total_waits_and_is_set_off_line_by_line_on_the_next_invoice(billing: Billing) -> None:
    billing.publish(("-4.00",), "2026-04")
    found = billing.draw_up()
    assert (found.issued, codes(found)) == ((), ["total.negative"])
    assert found.not_issued[0].detail == "What is agreed comes to −£4.00: it waits and is set off on the next invoice."
    billing.publish(("10.00",), "2026-05")
    [head] = billing.draw_up().issued
    assert (head.net, head.line_count, head.number) == (Decimal(6), 2, "N1-000001")
    assert codes(billing.draw_up()) == ["nothing.left"]


def test_a_negative_total_is_credited_at_once_where_the_rules_say_so(billing: Billing) -> None:
    with_rules(billing, negative_total="credit")
    billing.publish(("-4.00", "1.00"))
    billing.agreement()
    [head] = billing.draw_up().issued
    assert (head.kind, head.net, head.vat, head.gross) == (
        "credit_note",
        Decimal(-3),
        Decimal("-0.60"),
        Decimal("-3.60"),
    )


def corrected(billing: Billing, *amounts: str) -> list[Invoice]:
    """Two invoiced lines of April, then what a later report says of them, credited or paid at once."""
    report = billing.publish(("10.00", "20.00"))
    [head] = billing.draw_up().issued
    kept = reports.lines_as_they_stand(report, TODAY)
    changes = [a_report_line(place, amount, corrects=kept[place].amount) for place, amount in enumerate(amounts)]
    later = billing.publish(lines=[*kept, *changes], month="2026-06", id="rpt_later")
    moves = {
        reports.line_id_of(later.id, place): LineMove(state="invoiced", invoice_id=head.id, at=NOW) for place in (0, 1)
    }
    agreed = LineMove(state="agreed", at=NOW, why=CREDITED_AT_ONCE)
    moves |= {reports.line_id_of(later.id, 2 + place): agreed for place in range(len(amounts))}
    commit(billing.operator(), reports.move_writes(later, moves))
    return [head, *billing.draw_up("2026-06").issued]


def test_what_changed_history_takes_back_is_a_credit_note_that_names_the_invoice(billing: Billing) -> None:
    billing.agreement()
    first, note = corrected(billing, "-2.50")
    assert (note.kind, note.credits, note.number) == ("credit_note", first.number, "N1-000002")
    assert (note.net, note.vat_rate, note.vat, note.gross) == (
        Decimal("-2.50"),
        Decimal(20),
        Decimal("-0.50"),
        Decimal(-3),
    )
    assert note.note == "What was delivered was settled anew since N1-000001 of 2026-06-10."
    [line] = invoices.load_invoice(note.id).lines
    assert line.description.endswith("; correction of £10.00")


def test_what_changed_history_adds_is_on_the_next_invoice(billing: Billing) -> None:
    _, note, invoice = corrected(billing, "-2.50", "5.00")
    assert (note.kind, invoice.kind, invoice.net) == ("credit_note", "purchase_statement", Decimal(5))


def test_a_preview_shows_what_would_be_issued_and_stores_nothing(billing: Billing) -> None:
    report = billing.publish(("10.00", "2.00"))
    billing.publish(("-8.00",), fsp=OTHER)
    found = drawing.preview(billing.operator(), PreviewQuery(month="2026-05"))
    [document] = found.documents
    assert (document.fsp_name, document.kind, document.net, document.line_count, document.months) == (
        "Flex 1",
        "purchase_statement",
        Decimal(12),
        2,
        ("2026-04",),
    )
    assert codes(found) == ["total.negative"]
    assert billing.states(report) == ["agreed", "agreed"]
    assert store.find_numbering(billing.so) is None
    [head] = billing.draw_up().issued
    assert (head.net, head.due) == (document.net, document.due)
    one = drawing.preview(billing.operator(), PreviewQuery(month="2026-05", fsp=FSP))
    assert (one.documents, codes(one)) == ((), ["nothing.left"])


def test_the_same_request_sent_twice_issues_once_and_tells_the_same(billing: Billing) -> None:
    billing.publish()
    call = billing.operator(idempotency=Idempotency("key-1", "a"))
    first = drawing.draw_up(call, DrawUpRequest(month="2026-05", fsp=FSP))
    billing.publish(month="2026-05")
    assert drawing.get_drawn_up(call, first.run_id) == first
    assert len(first.issued) == 1
    with pytest.raises(NotFound):
        drawing.get_drawn_up(billing.provider(), first.run_id)
    with pytest.raises(NotFound):
        drawing.get_drawn_up(call, "inr_nothing")


def test_a_request_that_was_cut_short_is_carried_on(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    billing.publish()
    billing.publish(fsp=OTHER)
    issued = drawing._draw_up_one

    def cut(call: Any, run: Any, fsp: str) -> Any:
        if fsp == OTHER:
            raise ConnectionError("the function was stopped")
        return issued(call, run, fsp)

    with monkeypatch.context() as patched:
        patched.setattr(drawing, "_draw_up_one", cut)
        run_ids: list[str] = []
        keep = store.save_run
        patched.setattr(store, "save_run", lambda run: (run_ids.append(run.id), keep(run))[1])
        with pytest.raises(ConnectionError):
            billing.draw_up(fsp=None)
    found = drawing.get_drawn_up(billing.operator(), run_ids[0])
    assert [(each.fsp, each.number) for each in found.issued] == [(FSP, "N1-000001"), (OTHER, "N1-000002")]
    assert found.not_issued == ()
    assert drawing.get_drawn_up(billing.operator(), run_ids[0]) == found


def test_a_line_that_is_disputed_while_it_is_drawn_up_stays_out(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = billing.publish(("10.00", "20.00"))
    disputed = {reports.line_id_of(report.id, 1): LineMove(state="disputed", at=NOW)}
    build, raced = drawing._moved, []

    def dispute_first(*about: Any) -> Any:
        writes = build(*about)
        if not raced:
            raced.append(commit(billing.provider(), reports.move_writes(report, disputed)))
        return writes

    monkeypatch.setattr(drawing, "_moved", dispute_first)
    [head] = billing.draw_up().issued
    assert (head.net, head.serial) == (Decimal(10), 1)
    assert billing.states(report) == ["invoiced", "disputed"]


def test_three_thousand_lines_are_one_invoice_in_one_transaction(billing: Billing) -> None:
    report = billing.publish(["0.01"] * 3000)
    [head] = billing.draw_up().issued
    assert (head.line_count, head.net) == (3000, Decimal(30))
    assert set(billing.states(report)) == {"invoiced"}
    shown = invoices.get_invoice(billing.provider(), head.id)
    assert (len(shown.lines), shown.line_count) == (500, 3000)
    page = invoices.list_lines(billing.operator(), head.id, PageQuery(limit=400))
    pages = [page]
    while pages[-1].next:
        pages.append(invoices.list_lines(billing.operator(), head.id, PageQuery(limit=400, cursor=pages[-1].next)))
    assert [line for each in pages for line in each.items] == list(invoices.load_invoice(head.id).lines)
    payments.record_payment(billing.operator(), head.id, PaymentRequest(paid_on=TODAY, amount=head.gross))
    assert set(billing.states(report)) == {"paid"}


def test_a_credited_invoice_stands_as_it_was_and_its_lines_are_agreed_again(billing: Billing) -> None:
    report = billing.publish(("10.00", "2.00"))
    billing.agreement()
    [head] = billing.draw_up().issued
    before = invoices.load_invoice(head.id)
    note = credit(billing, head)
    after = invoices.load_invoice(head.id)
    assert after == before.but(state="credited", credited_by="N1-000002", version=2)
    assert (note.kind, note.credits, note.note) == ("credit_note", "N1-000001", "wrong month")
    assert (note.net, note.vat, note.gross) == (-head.net, -head.vat, -head.gross)
    assert [line.amount for line in note.lines] == [Decimal(-10), Decimal(-2)]
    assert (note.state, note.payment_reference) == ("paid", "set off against N1-000001")
    assert billing.states(report) == ["agreed", "agreed"]
    [again] = billing.draw_up().issued
    assert (again.net, again.serial) == (head.net, 3)
    assert crediting.get_credited(billing.operator(), note.id) == note


def test_a_paid_invoice_is_credited_by_a_note_that_waits_to_be_paid_back(billing: Billing) -> None:
    report = billing.publish()
    [head] = billing.draw_up().issued
    payments.record_payment(billing.operator(), head.id, PaymentRequest(paid_on=TODAY, amount=head.gross))
    note = credit(billing, head)
    assert (note.state, note.paid_on, note.payment_reference) == ("issued", None, None)
    assert billing.states(report) == ["agreed"]
    back = payments.record_payment(billing.operator(), note.id, PaymentRequest(paid_on=TODAY, amount=note.gross))
    assert (back.state, back.paid_amount) == ("paid", Decimal(-10))
    assert billing.states(report) == ["agreed"]


def test_an_invoice_is_credited_once_and_a_credit_note_never(billing: Billing) -> None:
    billing.publish()
    [head] = billing.draw_up().issued
    note = credit(billing, head)
    with pytest.raises(Refused, match=r"invoice\.credited"):
        credit(billing, head)
    with pytest.raises(Refused, match=r"invoice\.credit_note"):
        credit(billing, note)
    with pytest.raises(NotFound):
        crediting.credit_invoice(billing.operator(), "inv_nothing", CreditRequest(reason="none"))


def test_an_invoice_credited_by_two_at_once_is_credited_once(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    billing.publish()
    [head] = billing.draw_up().issued
    read, raced = invoices.own_invoice, []

    def credit_first(call: Any, invoice_id: str) -> Invoice:
        found = read(call, invoice_id)
        if not raced:
            raced.append("begun")
            credit(billing, head)
        return found

    monkeypatch.setattr(invoices, "own_invoice", credit_first)
    with pytest.raises(Refused, match=r"invoice\.credited"):
        credit(billing, head)
    assert [each.months for each in store.list_numbered(billing.so)] == [("2026-04",)] * 2


def test_a_request_carried_on_by_two_at_once_tells_both_the_same(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    billing.publish()
    issued, raced = drawing._draw_up_one, []

    def carry_on_first(call: Any, run: Any, fsp: str) -> Any:
        if not raced:
            raced.append("begun")
            raced.append(drawing.get_drawn_up(billing.operator(), run.id))
        return issued(call, run, fsp)

    monkeypatch.setattr(drawing, "_draw_up_one", carry_on_first)
    found = billing.draw_up()
    assert found == raced[1]
    assert len(found.issued) == 1


def test_where_reports_change_again_and_again_the_caller_is_told_to_try_later(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    billing.publish()

    def moved(*_: Any) -> Any:
        raise store.RACED

    monkeypatch.setattr(drawing, "_moved", moved)
    with pytest.raises(Stale, match=r"invoice\.raced"):
        billing.draw_up()
    assert store.find_numbering(billing.so) is None


def test_both_sides_list_their_invoices_newest_first_by_month_state_kind_and_side(billing: Billing) -> None:
    billing.publish(month="2026-04")
    billing.publish(month="2026-04", fsp=OTHER)
    [first] = billing.draw_up().issued
    [other] = billing.draw_up(fsp=OTHER, now="2026-06-11T09:00:00Z").issued
    billing.publish(month="2026-05")
    [second] = billing.draw_up(now="2026-06-12T09:00:00Z").issued

    def listed(call: Any, **how: Any) -> list[str]:
        return [each.id for each in invoices.list_invoices(call, InvoiceQuery(**how)).items]

    so, fsp = billing.operator(), billing.provider()
    assert listed(so) == [second.id, other.id, first.id]
    assert listed(fsp) == [second.id, first.id]
    assert listed(so, month="2026-04", fsp=FSP) == [first.id]
    assert listed(so, limit=1, fsp=FSP) == [second.id]
    assert listed(fsp, so="org_another") == []
    assert listed(so, state="paid") == listed(so, kind="credit_note") == []
    page = invoices.list_invoices(so, InvoiceQuery(limit=2))
    assert [each.id for each in invoices.list_invoices(so, InvoiceQuery(cursor=page.next)).items] == [first.id]
    assert [each.id for each in invoices.list_invoices_of_month(billing.so, "2026-06")] == [
        first.id,
        other.id,
        second.id,
    ]
    assert invoices.list_invoices_of_month(billing.so, "2026-05") == []


def test_a_list_that_few_fit_is_read_many_at_a_time_and_goes_on_where_it_stopped(
    billing: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in range(1, 6):
        for fsp in (FSP, OTHER):
            billing.publish(month=f"2026-0{month}", fsp=fsp)
            billing.draw_up(f"2026-0{month}", fsp, now=f"2026-06-{9 + month}T09:00:00Z")
    for at_once in (1, 3, 4, 100):
        monkeypatch.setattr(store, "_READ_AT_ONCE", at_once)
        found, cursor = [], None
        for _ in range(3):
            page = invoices.list_invoices(billing.operator(), InvoiceQuery(limit=2, fsp=FSP, cursor=cursor))
            found += [each.months[0] for each in page.items]
            cursor = page.next
        assert found == ["2026-05", "2026-04", "2026-03", "2026-02", "2026-01"]
        last = InvoiceQuery(limit=2, fsp=FSP, cursor=cursor)
        assert cursor is None or invoices.list_invoices(billing.operator(), last).items == []


def test_an_invoice_is_shown_to_its_two_sides_alone(billing: Billing) -> None:
    billing.publish()
    [head] = billing.draw_up().issued
    shown = [invoices.get_invoice(call, head.id) for call in (billing.operator(), billing.provider())]
    assert shown[0] == shown[1]
    with pytest.raises(NotFound):
        invoices.get_invoice(billing.provider(OTHER), head.id)
    with pytest.raises(NotFound):
        invoices.load_invoice("inv_nothing")


def test_a_cursor_that_no_list_of_lines_gave_is_refused(billing: Billing) -> None:
    billing.publish()
    [head] = billing.draw_up().issued
    another = {"invoice": {"S": "inv_another"}, "line": {"S": "1"}}
    odd = {"invoice": {"S": head.id}, "line": {"S": "-1"}}
    for cursor in ("nonsense!", encode_cursor({}), encode_cursor(another), encode_cursor(odd)):
        with pytest.raises(Invalid, match="cursor"):
            invoices.list_lines(billing.operator(), head.id, PageQuery(cursor=cursor))


def test_an_operator_whose_initials_are_taken_numbers_under_others(billing: Billing) -> None:
    billing.publish()
    assert billing.draw_up().issued[0].number == "N1-000001"
    billing.so = a_system_operator(2, name="Northern 1").organisation
    billing.publish(id="rpt_other")
    assert billing.draw_up().issued[0].number == "N12-000001"


def test_a_report_invoiced_whole_is_not_read_again_until_its_invoice_is_credited(billing: Billing) -> None:
    report = billing.publish(("10.00", None))
    [head] = billing.draw_up().issued
    assert store_agreements.load_account(billing.so, FSP).invoiced == (report.id,)
    credit(billing, head)
    assert store_agreements.load_account(billing.so, FSP).invoiced == ()
