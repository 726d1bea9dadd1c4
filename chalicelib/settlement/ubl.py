"""Owns invoices as UBL 2.1 XML by Peppol BIS Billing 3.0; where the operator bills itself, BIS Self-Billing 3.0. Pure.

A credit note's amounts are turned to be positive, as UBL's CreditNote means them. Without VAT the category is O, "not
subject to VAT", which by rules BR-O-02 to BR-O-04 names no VAT number at all. Sources: EN 16931-1;
docs.peppol.eu/poacc/billing/3.0 and /poacc/self-billing/3.0; UNTDID 1001 (389, 261, 380, 381) and 5305 (S, Z, O);
ISO 6523 EAS (9932 and others).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET  # nosec B405  (written with it; nothing is read)

from chalicelib.kernel.errors import Refused
from chalicelib.kernel.quantities import ZERO, plain
from chalicelib.settlement import invoice_words, wording
from chalicelib.settlement.models_runs import Invoice, InvoiceLine, Party
from chalicelib.settlement.payment import total

_CBC_SPACE = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_CAC_SPACE = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC, CAC = "cbc", "cac"
ROOTS = {name: f"urn:oasis:names:specification:ubl:schema:xsd:{name}-2" for name in ("Invoice", "CreditNote")}
BILLING = ("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", "poacc:billing:01:1.0")
SELF_BILLING = (
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0",
    "poacc:selfbilling:01:1.0",
)
_PROFILE = "urn:fdc:peppol.eu:2017:"
TYPE_CODES = {
    ("Invoice", False): "380",
    ("Invoice", True): "389",
    ("CreditNote", False): "381",
    ("CreditNote", True): "261",
}
VAT_SCHEMES = {
    "AT": "9914", "BE": "9925", "CH": "9927", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931", "ES": "9920",
    "FR": "9957", "GB": "9932", "GR": "9933", "HR": "9934", "HU": "9910", "IE": "9935", "IT": "0211", "LT": "9937",
    "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947", "SI": "9949",
    "SK": "9950",
}  # fmt: skip
"""Electronic address schemes of VAT numbers by country."""
BY_MAIL = "EM"
_ONE = "C62"


def ubl(invoice: Invoice) -> bytes:
    """A document of either kind as XML, UTF-8.

    `Refused` where a side has neither a VAT number nor an e-mail address: UBL needs an electronic address of both.
    """
    document = _Document(invoice)
    return document.written()


def electronic_address(party: Party) -> tuple[str, str]:
    """Scheme and address of a side: its VAT number where its country has a scheme, else its e-mail address.

    An e-mail address satisfies EN 16931; the Peppol network itself routes by registered identifiers only.
    """
    if party.vat_number and party.country in VAT_SCHEMES:
        return VAT_SCHEMES[party.country], vat_number(party)
    if party.email:
        return BY_MAIL, party.email
    detail = (
        f"UBL needs an electronic address of both sides, and {party.name} has none: it had no VAT number when the "
        "document was issued, and has no verified contact route for settlement."
    )
    raise Refused("invoice.no_electronic_address", detail)


def vat_number(party: Party) -> str:
    """A VAT number with its country in front, as EN 16931 has it (BR-CO-09)."""
    bare = "".join((party.vat_number or "").split()).upper()
    return bare if bare[:2].isalpha() else f"{party.country}{bare}"


class _Document:
    """One invoice on its way to XML. `sign` turns a credit note's amounts."""

    def __init__(self, invoice: Invoice) -> None:
        self._invoice = invoice
        self._name = "CreditNote" if invoice.kind == "credit_note" else "Invoice"
        self._sign = -1 if self._name == "CreditNote" else 1
        self._is_self_billed = invoice_words.is_self_billed(invoice)
        self._category = _category(invoice)
        self._root = ET.Element(
            self._name, {"xmlns": ROOTS[self._name], "xmlns:cac": _CAC_SPACE, "xmlns:cbc": _CBC_SPACE}
        )

    def written(self) -> bytes:
        self._head()
        self._party("AccountingSupplierParty", self._invoice.seller)
        self._party("AccountingCustomerParty", self._invoice.buyer)
        _add(_add(self._root, CAC, "PaymentTerms"), CBC, "Note", f"{invoice_words.terms(self._invoice)}")
        self._tax()
        self._totals()
        for number, line in enumerate(self._invoice.lines, 1):
            self._line(number, line)
        ET.indent(self._root)
        return bytes(ET.tostring(self._root, encoding="utf-8", xml_declaration=True)) + b"\n"

    def _head(self) -> None:
        invoice, customization = self._invoice, SELF_BILLING if self._is_self_billed else BILLING
        add = self._basic
        add("CustomizationID", customization[0])
        add("ProfileID", _PROFILE + customization[1])
        add("ID", invoice.number)
        add("IssueDate", f"{invoice.issued_on}")
        if self._name == "Invoice":
            add("DueDate", f"{invoice.due}")
        add(f"{self._name}TypeCode", TYPE_CODES[self._name, self._is_self_billed])
        add("Note", " ".join([f"{invoice_words.title(invoice)}.", *invoice_words.statements(invoice)]))
        add("DocumentCurrencyCode", invoice.currency)
        add("BuyerReference", invoice.number)
        self._period(self._root, [line.month for line in invoice.lines] or list(invoice.months))
        if invoice.credits:
            reference = _add(_add(self._root, CAC, "BillingReference"), CAC, "InvoiceDocumentReference")
            _add(reference, CBC, "ID", invoice.credits)

    def _period(self, parent: ET.Element, months: Sequence[str]) -> None:
        if months:
            period = _add(parent, CAC, "InvoicePeriod")
            _add(period, CBC, "StartDate", f"{min(months)}-01")
            _add(period, CBC, "EndDate", f"{_last_day(max(months))}")

    def _party(self, role: str, side: Party) -> None:
        party = _add(_add(self._root, CAC, role), CAC, "Party")
        scheme, address = electronic_address(side)
        _add(party, CBC, "EndpointID", address, schemeID=scheme)
        _add(_add(party, CAC, "PartyIdentification"), CBC, "ID", side.organisation)
        _add(_add(party, CAC, "PartyName"), CBC, "Name", side.name)
        _address(party, side)
        if side.vat_number and self._category != "O":
            scheme_of = _add(party, CAC, "PartyTaxScheme")
            _add(scheme_of, CBC, "CompanyID", vat_number(side))
            _add(_add(scheme_of, CAC, "TaxScheme"), CBC, "ID", "VAT")
        legal = _add(party, CAC, "PartyLegalEntity")
        _add(legal, CBC, "RegistrationName", side.name)
        if side.company_number:
            _add(legal, CBC, "CompanyID", side.company_number)
        if side.email:
            _add(_add(party, CAC, "Contact"), CBC, "ElectronicMail", side.email)

    def _tax(self) -> None:
        whole = _add(self._root, CAC, "TaxTotal")
        self._money(whole, "TaxAmount", self._invoice.vat * self._sign)
        part = _add(whole, CAC, "TaxSubtotal")
        self._money(part, "TaxableAmount", self._invoice.net * self._sign)
        self._money(part, "TaxAmount", self._invoice.vat * self._sign)
        self._tax_category(part, "TaxCategory", with_reason=True)

    def _totals(self) -> None:
        invoice, sign = self._invoice, self._sign
        lines = total(line.amount for line in invoice.lines) * sign
        part = _add(self._root, CAC, "LegalMonetaryTotal")
        self._money(part, "LineExtensionAmount", lines)
        self._money(part, "TaxExclusiveAmount", invoice.net * sign)
        self._money(part, "TaxInclusiveAmount", invoice.gross * sign)
        self._money(part, "PayableAmount", invoice.gross * sign)

    def _line(self, number: int, line: InvoiceLine) -> None:
        """One unit at the line's amount; a negative amount is one unit less, for prices are never negative (BR-27)."""
        amount = line.amount * self._sign
        part = _add(self._root, CAC, f"{self._name}Line")
        _add(part, CBC, "ID", str(number))
        quantity = "CreditedQuantity" if self._name == "CreditNote" else "InvoicedQuantity"
        _add(part, CBC, quantity, "-1" if amount < 0 else "1", unitCode=_ONE)
        self._money(part, "LineExtensionAmount", amount)
        self._period(part, [line.month])
        item = _add(part, CAC, "Item")
        _add(item, CBC, "Description", line.description or wording.component(line.component))
        _add(item, CBC, "Name", f"{wording.component(line.component)}, {wording.month_name(line.month)}")
        self._tax_category(item, "ClassifiedTaxCategory")
        for name, value in (("Obligation", line.obligation_id), ("Dispatch instruction", line.instruction_id)):
            if value:
                named = _add(item, CAC, "AdditionalItemProperty")
                _add(named, CBC, "Name", name)
                _add(named, CBC, "Value", value)
        self._money(_add(part, CAC, "Price"), "PriceAmount", abs(amount))

    def _tax_category(self, parent: ET.Element, name: str, with_reason: bool = False) -> None:
        category = _add(parent, CAC, name)
        _add(category, CBC, "ID", self._category)
        if self._category != "O":
            _add(category, CBC, "Percent", plain(self._invoice.vat_rate))
        elif with_reason:
            _add(category, CBC, "TaxExemptionReason", "Not subject to VAT")
        _add(_add(category, CAC, "TaxScheme"), CBC, "ID", "VAT")

    def _money(self, parent: ET.Element, name: str, amount: Decimal) -> None:
        _add(parent, CBC, name, f"{amount + ZERO:.2f}", currencyID=self._invoice.currency)

    def _basic(self, name: str, text: str) -> None:
        _add(self._root, CBC, name, text)


def _category(invoice: Invoice) -> str:
    """S with a rate; Z at nought per cent, self-billed with a VAT number; O where there is no VAT to speak of."""
    if invoice.vat_rate > 0:
        return "S"
    return "Z" if invoice.kind == "self_billing_invoice" and invoice.seller.vat_number else "O"


def _address(party: ET.Element, side: Party) -> None:
    """The address as free lines: the registry keeps it as people write it, and guesses no street or town in it."""
    lines = [line.strip(" ,") for line in side.address.splitlines() if line.strip(" ,")]
    address = _add(party, CAC, "PostalAddress")
    for name, text in zip(("StreetName", "AdditionalStreetName"), lines, strict=False):
        _add(address, CBC, name, text)
    if lines[2:]:
        _add(_add(address, CAC, "AddressLine"), CBC, "Line", ", ".join(lines[2:]))
    _add(_add(address, CAC, "Country"), CBC, "IdentificationCode", side.country)


def _add(parent: ET.Element, prefix: str, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{prefix}:{name}", attributes)
    element.text = None if text is None else _allowed(text)
    return element


def _allowed(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ").strip()


def _last_day(month: str) -> date:
    first = date.fromisoformat(f"{month}-01")
    return first.replace(day=monthrange(first.year, first.month)[1])
