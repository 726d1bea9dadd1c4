"""Claims about which lines go on which document: each agreed line once, sums that hold, credit by the right invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement import drawing_up
from chalicelib.settlement.drawing_up import MOST_SHEETS, Standing, plan, what_waits, why_nothing
from chalicelib.settlement.invoicing import SelfBillingAgreement, payment_problems, prefix_of, serial_of, sums_due
from chalicelib.settlement.models_runs import LINES_A_SHEET, Invoice, Report, ReportLine
from chalicelib.settlement.publishing import CREDITED_AT_ONCE
from tests.builders.reports import FSP, SO, a_report_line
from tests.builders.settlement import local, rules

TODAY = date(2026, 6, 10)
AGREEMENT = SelfBillingAgreement(
    so=SO, fsp=FSP, starts=date(2026, 1, 1), ends=date(2026, 12, 31), vat_number="GB980780684"
)


def a_report(report_id: str = "rpt_1", month: str = "2026-04", **but: Any) -> Report:
    fields = {"id": report_id, "run_id": "run_1", "so": SO, "fsp": FSP, "month": month, "made_at": "2026-05-08T06:00Z"}
    fields |= {"first": date(2026, 4, 1), "last": date(2026, 4, 30), "lines_key": "k", "detail_key": "k"}
    return Report.model_validate(fields | but)


def agreed(ordinal: int, amount: str | None, **but: Any) -> ReportLine:
    return a_report_line(ordinal, amount, **{"state": "agreed", **but})


def standing(*lines: ReportLine) -> list[Standing]:
    return [Standing(a_report(), lines)]


def an_invoice(**but: Any) -> Invoice:
    fields = {
        "id": "inv_1",
        "so": SO,
        "fsp": FSP,
        "kind": "self_billing_invoice",
        "number": "EN-000001",
        "serial": 1,
        "seller": {"organisation": FSP, "name": "Flex Ltd"},
        "buyer": {"organisation": SO, "name": "Network 1"},
        "issued_on": date(2026, 5, 20),
        "issued_at": "2026-05-20T09:00:00Z",
        "issued_by": "per_1",
        "due": date(2026, 6, 19),
        "net": "10.00",
        "vat_rate": "20",
        "vat": "2.00",
        "gross": "12.00",
    }
    return Invoice.model_validate(fields | but)


CHANGED = (
    a_report_line(0, "10.00", state="invoiced", invoice_id="inv_1"),
    agreed(1, "-4.00", instruction_id="ins_0", corrects=Decimal(10), why=CREDITED_AT_ONCE),
    agreed(2, "7.00"),
)


def planned(lines: tuple[ReportLine, ...] = CHANGED, original: Invoice | None = None, **terms: Any) -> Any:
    originals = {original.id: original} if original else {}
    return plan(standing(*lines), rules(**terms), AGREEMENT, TODAY, originals)


amounts = st.decimals(Decimal("-1000"), Decimal("1000"), places=2)
states = st.sampled_from(["open", "disputed", "agreed", "invoiced", "paid"])


@given(st.lists(st.tuples(amounts, states), max_size=30), st.sampled_from(["carry", "credit"]))
def test_each_agreed_line_is_on_one_document_or_waits_and_sums_hold(found: list[Any], negative: str) -> None:
    lines = [a_report_line(place, str(amount), state=state) for place, (amount, state) in enumerate(found)]
    drawn = plan(standing(*lines), rules(negative_total=negative), AGREEMENT, TODAY, {})
    on_documents = [line.id for document in drawn.documents for line in document.lines]
    wanted = [line.id for line in lines if line.state == "agreed"]
    assert sorted([*on_documents, *(line.id for line in drawn.waits)]) == sorted(wanted)
    for each in drawn.documents:
        assert each.document.net == sum(line.amount or 0 for line in each.lines)
        assert each.document.gross == each.document.net + each.document.vat
        assert (each.document.net < 0) == (each.document.kind == "credit_note")
    waiting = sum(line.amount or 0 for line in drawn.waits)
    assert waiting == 0 or (waiting < 0 and negative == "carry")


def test_lines_without_an_amount_are_on_no_document() -> None:
    drawn = plan(standing(agreed(0, None)), rules(), AGREEMENT, TODAY, {})
    assert (drawn.documents, drawn.waits) == ((), ())


def test_what_is_taken_back_is_credited_on_its_own_at_the_rate_it_was_invoiced_at() -> None:
    note, invoice = planned(original=an_invoice(vat_rate="5")).documents
    assert (note.document.kind, note.document.net, note.document.vat) == (
        "credit_note",
        Decimal(-4),
        Decimal("-0.20"),
    )
    assert (note.credits.number, note.document.due) == ("EN-000001", date(2026, 7, 10))
    assert (invoice.document.kind, invoice.document.net, invoice.credits) == ("self_billing_invoice", Decimal(7), None)


@pytest.mark.parametrize("original", [None, an_invoice(state="credited"), an_invoice(kind="credit_note")])
def test_without_an_invoice_to_put_right_it_is_set_off_with_the_rest(original: Invoice | None) -> None:
    [invoice] = planned(original=original).documents
    assert (invoice.document.net, invoice.credits) == (Decimal(3), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"why": None},
        {"why": "agreed by both"},
        {"amount": Decimal(4)},
        {"instruction_id": "ins_9"},
    ],
)
def test_only_what_is_credited_at_once_is_taken_back_by_a_note(changes: dict[str, Any]) -> None:
    lines = (CHANGED[0], CHANGED[1].but(**changes))
    assert drawing_up.credited_lines(standing(*lines)) == {}


def test_a_line_corrected_twice_is_credited_on_the_invoice_it_was_first_on() -> None:
    second = a_report_line(1, "2.00", instruction_id="ins_0", state="paid", invoice_id="inv_2", corrects=Decimal(10))
    third = agreed(2, "-5.00", instruction_id="ins_0", corrects=Decimal(12), why=CREDITED_AT_ONCE)
    found = drawing_up.credited_lines(standing(second, CHANGED[0], third))
    assert {invoice: [line.id for line in lines] for invoice, lines in found.items()} == {"inv_1": [third.id]}


def test_more_lines_than_one_transaction_moves_become_several_documents() -> None:
    places = range(0, (MOST_SHEETS + 1) * LINES_A_SHEET, LINES_A_SHEET)
    first, second = planned(tuple(agreed(place, "1.00") for place in places)).documents
    assert (len(first.lines), len(second.lines)) == (MOST_SHEETS, 1)


def test_the_answer_says_why_lines_wait() -> None:
    waits = what_waits(FSP, planned((agreed(0, "-4.00"), agreed(1, "1.00"))), rules(), "GBP")
    assert waits is not None
    assert (waits.code, waits.lines, waits.waits) == ("total.negative", 2, Decimal(-3))
    assert what_waits(FSP, planned(), rules(), "GBP") is None
    lines = (a_report_line(0), a_report_line(1, state="disputed"), a_report_line(2, None))
    nothing = why_nothing(FSP, standing(*lines))
    assert nothing.code == "nothing.agreed"
    assert nothing.detail.endswith("1 can still be disputed, 1 disputed, 1 without an amount.")
    assert why_nothing(FSP, standing(a_report_line(0, state="paid"))).code == "nothing.left"


def test_what_comes_to_nothing_is_on_no_document_of_its_own() -> None:
    found = planned((agreed(0, "0.00"),), negative_total="credit")
    assert (found.documents, len(found.waits)) == ((), 1)
    waits = what_waits(FSP, found, rules(negative_total="credit"), "GBP")
    assert waits is not None
    assert (waits.code, waits.detail) == ("total.zero", "What is agreed comes to £0.00: it waits for the next invoice.")
    [later] = planned((agreed(0, "0.00"), agreed(1, "1.00"))).documents
    assert len(later.lines) == 2


def test_lines_part_by_the_company_that_contracted() -> None:
    lines = [agreed(place, "1.00", obligation_id=f"obl_{place}") for place in range(4)]
    entities = {"obl_0": None, "obl_1": "ent_b", "obl_2": "ent_a"}
    found = drawing_up.by_entity(standing(*lines), entities)
    assert {entity: [line.ordinal for each in part for line in each.lines] for entity, part in found.items()} == {
        None: [0, 3],
        "ent_a": [2],
        "ent_b": [1],
    }
    assert drawing_up.by_entity([], entities) == {}


def test_a_report_is_invoiced_whole_once_no_line_with_an_amount_waits() -> None:
    lines = [a_report_line(0, state="paid"), a_report_line(1, None), agreed(2, "1.00"), a_report_line(3)]
    assert drawing_up.is_invoiced_whole(Standing(a_report(), lines[:2]), ())
    assert not drawing_up.is_invoiced_whole(Standing(a_report(), lines[:3]), ())
    assert drawing_up.is_invoiced_whole(Standing(a_report(), lines[:3]), [lines[2].id])
    assert not drawing_up.is_invoiced_whole(Standing(a_report(), lines), [lines[2].id])


def test_a_document_describes_its_lines_in_words() -> None:
    timed = agreed(0, "1.00", starts=local(TODAY, "17:00"), ends=local(TODAY, "19:00"))
    first = drawing_up.invoice_line(timed, a_report())
    assert first.description == "Utilisation, CMZ-1, Evenings, Wed 10 Jun 2026, 17:00 to 19:00 BST"
    assert (first.line_id, first.report_id, first.month) == (timed.id, "rpt_1", "2026-04")
    bare = agreed(1, "-1.00", competition_reference="", window_name="", corrects=Decimal("2.50"))
    assert drawing_up.describe(bare, a_report()) == "Utilisation, 2026-04; correction of £2.50"
    assert drawing_up.invoice_line(bare, a_report(month=None)).month == "2026-04"


def test_a_credit_of_the_whole_turns_every_line_round() -> None:
    lines = tuple(drawing_up.invoice_line(agreed(place, amount), a_report()) for place, amount in enumerate("31"))
    back = drawing_up.taken_back(an_invoice(lines=lines))
    assert [line.amount for line in back] == [Decimal(-3), Decimal(-1)]
    assert [line.line_id for line in back] == [line.line_id for line in lines]
    assert drawing_up.months_of(lines) == ("2026-04",)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Eastern Grid Networks plc", "EGNP"),
        ("Network 1", "N1"),
        ("Northwind", "NORT"),
        ("Ŵŷnni Ørsted", "WR"),
        ("A b c d e f g h", "ABCDEF"),
        ("—", "SO"),
    ],
)
def test_an_operators_prefix_is_its_initials(name: str, prefix: str) -> None:
    assert prefix_of(name) == prefix


@given(st.integers(1, 999_999_999))
def test_a_number_is_read_back_as_its_serial(serial: int) -> None:
    assert serial_of("EN", f"EN-{serial:06d}") == serial
    assert serial_of("EN", f" en-{serial:06d} ") == serial
    assert serial_of("EN", f"EN2-{serial:06d}") is None


@pytest.mark.parametrize("text", ["", "EN-", "EN-1x", "EN-²", "EN-0000000001234", "1"])
def test_what_is_no_number_of_an_operator_has_no_serial(text: str) -> None:
    assert serial_of("EN", text) is None


def test_a_payment_is_the_gross_on_a_day_from_the_issue_to_today() -> None:
    def codes(day: date, amount: str) -> list[str]:
        return [each.code for each in payment_problems(an_invoice(), day, Decimal(amount), TODAY, Decimal(20))]

    assert codes(date(2026, 5, 20), "12.00") == codes(TODAY, "12") == []
    assert codes(date(2026, 5, 19), "12.00") == ["payment.day"]
    assert codes(date(2026, 6, 11), "-12.00") == ["payment.amount", "payment.day"]


def test_where_the_provider_invoices_itself_it_may_add_its_vat() -> None:
    statement = an_invoice(kind="purchase_statement", vat_rate="0", vat="0", gross="10.00")
    assert sums_due(statement, Decimal(20)) == [Decimal(10), Decimal(12)]
    assert sums_due(statement.but(kind="credit_note"), Decimal(0)) == [Decimal(10)]
    assert sums_due(an_invoice(), Decimal(20)) == [Decimal(12)]
    assert sums_due(an_invoice(kind="credit_note"), Decimal(20)) == [Decimal(12)]
    without_vat = an_invoice(vat_rate="0", vat="0", gross="10.00")
    assert sums_due(without_vat, Decimal(20)) == [Decimal(10)]
    [problem] = payment_problems(statement, TODAY, Decimal(11), TODAY, Decimal(20))
    assert problem.allowed == "10.00 or, with VAT, 12.00"
