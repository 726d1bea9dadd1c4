"""Invoices as PDF with the words the law asks for, and as rows for a ledger."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from chalicelib.kernel.quantities import round_money
from chalicelib.settlement import wording
from chalicelib.settlement.invoice_pdf import invoice_pdf
from chalicelib.settlement.ledger import BYTE_ORDER_MARK, HEADER, ledger_csv, vat_shares
from chalicelib.settlement.models_runs import Invoice
from tests.builders.settlement_documents import (
    INVOICE_LINES,
    OPERATOR_PARTY,
    PROVIDER_PARTY,
    a_credit_note,
    a_purchase_statement,
    an_invoice,
    an_invoice_line,
)

HMRC = "The VAT shown is your output tax due to HMRC."


def words_of(invoice: Invoice) -> str:
    pages = PdfReader(io.BytesIO(invoice_pdf(invoice))).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def ledger(*invoices: Invoice) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ledger_csv(invoices).decode("utf-8-sig"))))


def test_a_self_billing_invoice_bears_the_words_of_hmrc() -> None:
    words = words_of(an_invoice())
    assert "SELF-BILLING INVOICE" in words
    assert HMRC in words


def test_an_invoice_names_both_sides_with_their_numbers() -> None:
    words = words_of(an_invoice())
    for side in (OPERATOR_PARTY, PROVIDER_PARTY):
        assert side.name in words
        assert f"Company number {side.company_number}" in words
        assert f"VAT number {side.vat_number}" in words
        assert all(line in words for line in side.address.splitlines())


def test_an_invoice_names_its_number_its_days_and_its_terms() -> None:
    words = words_of(an_invoice())
    for said in (
        "Number EGN-000042",
        "Issue date and tax point 24 July 2026",
        "Due date 23 August 2026",
        "30 days from the day of issue",
        "Flexibility delivered in May 2026, June 2026",
    ):
        assert said in words


def test_an_invoice_shows_every_line_and_total() -> None:
    invoice = an_invoice()
    words = words_of(invoice)
    for amount in (*(line.amount for line in INVOICE_LINES), invoice.net, invoice.vat, invoice.gross):
        assert wording.money(amount) in words
    assert all(line.description in words for line in INVOICE_LINES)
    assert "VAT at 20 %" in words


def test_an_invoice_kept_with_nothing_carried_into_it_reads_as_one_without() -> None:
    kept = an_invoice().model_dump(mode="json")
    assert Invoice.model_validate({**kept, "carried": "0.00"}) == an_invoice()


def test_a_description_does_not_repeat_its_component() -> None:
    words = words_of(an_invoice(lines=(an_invoice_line(description="Utilisation, EGN-1, Evenings"),)))
    assert "Utilisation EGN-1, Evenings £2,910.16" in words


def test_a_purchase_statement_asks_for_an_invoice_and_is_none_itself() -> None:
    words = words_of(a_purchase_statement(note="No agreement holds"))
    assert "PURCHASE STATEMENT" in words
    assert "This is not a VAT invoice; please invoice us quoting EGN-000042. No agreement holds." in words
    assert HMRC not in words
    assert "tax point" not in words
    assert "Total without VAT £3,329.47" in words


def test_a_credit_note_names_what_it_credits() -> None:
    words = words_of(a_credit_note())
    assert "SELF-BILLING CREDIT NOTE" in words
    assert "This credit note credits invoice EGN-000042. The VAT shown lowers your output tax due to HMRC." in words
    assert "Total credited −£144.54" in words
    assert f"{PROVIDER_PARTY.name} owes £144.54 to {OPERATOR_PARTY.name}" in words


def test_a_credit_note_without_vat_says_nothing_of_it() -> None:
    words = words_of(a_credit_note(vat_rate=Decimal(0), credits=None))
    assert "SELF-BILLING" not in words
    assert "This is a credit note." in words
    assert "HMRC" not in words


def test_no_vat_is_charged_for_a_provider_without_a_number() -> None:
    unregistered = PROVIDER_PARTY.but(vat_number=None)
    words = words_of(an_invoice(seller=unregistered, vat_rate=Decimal(0)))
    assert "has no VAT number of the United Kingdom" in words
    assert HMRC not in words
    assert "No VAT is charged on this supply" in words_of(an_invoice(vat_rate=Decimal(0)))


def test_a_paid_invoice_says_when_and_how_much() -> None:
    paid = an_invoice(state="paid", paid_on="2026-08-20", paid_amount="3995.36", payment_reference="BACS 77")
    assert "Paid on 20 August 2026: £3,995.36, reference BACS 77." in words_of(paid)
    set_off = a_credit_note(state="paid", paid_on="2026-08-20", paid_amount="-144.54")
    assert "Settled on 20 August 2026: −£144.54." in words_of(set_off)


def test_an_invoice_that_was_taken_back_says_so() -> None:
    words = words_of(an_invoice(state="credited", credited_by="EGN-000043"))
    assert "taken back by credit note EGN-000043" in words


@pytest.mark.parametrize("invoice", [an_invoice(), a_purchase_statement(), a_credit_note()], ids=lambda each: each.kind)
def test_the_same_invoice_gives_the_same_bytes(invoice: Invoice) -> None:
    assert invoice_pdf(invoice) == invoice_pdf(invoice)


def test_an_invoice_of_a_thousand_lines_repeats_its_header_and_numbers_its_pages() -> None:
    lines = tuple(an_invoice_line(number, amount=Decimal(number)) for number in range(1000))
    pages = PdfReader(io.BytesIO(invoice_pdf(an_invoice(lines=lines)))).pages
    assert f"Page 2 of {len(pages)}" in pages[1].extract_text()
    assert "Description" in pages[1].extract_text()


def test_the_ledger_has_a_row_for_each_line() -> None:
    rows = ledger(an_invoice(), a_credit_note())
    assert [row["net"] for row in rows] == ["2910.16", "-4.00", "259.38", "163.93", "-120.45"]
    assert [row["line"] for row in rows] == ["1", "2", "3", "4", "1"]
    assert (rows[0]["invoice_number"], rows[4]["credits_invoice"]) == ("EGN-000042", "EGN-000042")


def test_the_ledger_opens_as_utf_8_in_a_spreadsheet() -> None:
    content = ledger_csv([an_invoice()])
    assert content.startswith(BYTE_ORDER_MARK.encode())
    assert content.decode("utf-8-sig").split("\r\n")[0] == ",".join(HEADER)
    assert ledger(an_invoice())[0]["fsp"] == PROVIDER_PARTY.name


def test_the_ledger_neutralises_formulas_and_leaves_negative_amounts_numbers() -> None:
    evil = PROVIDER_PARTY.but(name="=cmd|' /C calc'!A0")
    (row,) = ledger(an_invoice(seller=evil, lines=(an_invoice_line(amount=Decimal("-4"), description="-1+1"),)))
    assert (row["fsp"], row["description"], row["net"]) == ("'=cmd|' /C calc'!A0", "'-1+1", "-4.00")


def test_a_ledger_of_no_invoices_has_its_header() -> None:
    assert ledger_csv([]).decode("utf-8-sig") == ",".join(HEADER) + "\r\n"


PENCE = st.integers(-(10**8), 10**8).map(lambda pence: Decimal(pence).scaleb(-2))


@given(st.lists(PENCE, min_size=1, max_size=30), st.sampled_from([Decimal(20), Decimal("17.5"), Decimal(0)]))
def test_the_rows_of_an_invoice_sum_to_its_vat_and_none_is_off_by_more_than_a_penny(
    nets: list[Decimal], rate: Decimal
) -> None:
    vat = round_money(sum(nets, Decimal(0)) * rate / 100)
    shares = vat_shares(nets, rate, vat)
    assert sum(shares) == vat
    assert all(abs(share - net * rate / 100) <= Decimal("0.01") for net, share in zip(nets, shares, strict=True))


def test_no_rows_have_no_vat() -> None:
    assert vat_shares([], Decimal(20), Decimal(0)) == []
