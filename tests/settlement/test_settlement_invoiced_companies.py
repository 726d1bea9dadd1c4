"""Claims about providers with several companies: an invoice is one company's, with its own agreement and VAT number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from chalicelib.contracts import store as contracts
from chalicelib.kernel.errors import Invalid, Refused
from chalicelib.registry import actions_organisations as organisations
from chalicelib.registry.requests import ContractingEntityRequest
from chalicelib.settlement import actions_agreements as agreements
from chalicelib.settlement import actions_crediting as crediting
from chalicelib.settlement import actions_drawing_up as drawing
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement.requests_invoices import AgreementRequest, AgreementView, CreditRequest, PreviewQuery
from chalicelib.storage.commit import commit
from tests.builders.dispatch import an_obligation
from tests.builders.invoices import FSP, VAT_NUMBER, Billing
from tests.builders.reports import a_report_line

ENTITY_VAT_NUMBER = "GB434031494"


@pytest.fixture
def billing(market: None) -> Billing:
    return Billing()


@pytest.fixture
def entity(billing: Billing) -> str:
    """A company of the provider's in whose name obligation two was contracted."""
    wanted = ContractingEntityRequest(
        name="Flex Storage Ltd", company_number="09876543", country="GB", vat_number=ENTITY_VAT_NUMBER
    )
    found = organisations.add_entity(billing.provider(), wanted).id
    own, other = (an_obligation(id=f"obl_{number}", so=billing.so, fsp=FSP) for number in (1, 2))
    for obligation in (own, other.but(contracting_entity=found)):
        commit(billing.operator(), contracts.new_obligation(obligation))
    return found


def publish(billing: Billing, own: str, other: str, month: str = "2026-04") -> None:
    lines = [a_report_line(0, own), a_report_line(1, other, obligation_id="obl_2")]
    billing.publish(lines=lines, month=month)


def proposed(billing: Billing, entity: str | None) -> AgreementView:
    wanted = AgreementRequest(fsp=FSP, starts=date(2026, 1, 1), contracting_entity=entity)
    return agreements.propose_agreement(billing.operator(), wanted)


def test_each_company_gets_its_own_invoice_by_its_own_agreement(billing: Billing, entity: str) -> None:
    found = agreements.accept_agreement(billing.provider(), proposed(billing, entity).id)
    assert (found.company, found.vat_number, found.contracting_entity) == (
        "Flex Storage Ltd",
        ENTITY_VAT_NUMBER,
        entity,
    )
    publish(billing, "10.00", "20.00")
    preview = drawing.preview(billing.operator(), PreviewQuery(month="2026-05"))
    assert [(each.company, each.kind) for each in preview.documents] == [
        ("Flex Ltd", "purchase_statement"),
        ("Flex Storage Ltd", "self_billing_invoice"),
    ]
    own, other = billing.draw_up().issued
    assert (own.kind, own.net, own.seller.name, own.seller.vat_number, own.contracting_entity) == (
        "purchase_statement",
        Decimal(10),
        "Flex Ltd",
        VAT_NUMBER,
        None,
    )
    assert (other.kind, other.gross, other.seller.name, other.seller.vat_number, other.contracting_entity) == (
        "self_billing_invoice",
        Decimal(24),
        "Flex Storage Ltd",
        ENTITY_VAT_NUMBER,
        entity,
    )
    assert other.seller.address == own.seller.address
    assert (own.serial, other.serial) == (1, 2)
    assert [line.obligation_id for line in invoices.load_invoice(other.id).lines] == ["obl_2"]
    note = crediting.credit_invoice(billing.operator(), other.id, CreditRequest(reason="wrong company"))
    assert (note.seller.name, note.contracting_entity) == ("Flex Storage Ltd", entity)


def test_what_one_company_owes_is_not_set_off_against_another(billing: Billing, entity: str) -> None:
    publish(billing, "10.00", "-4.00")
    found = billing.draw_up()
    assert [(each.net, each.contracting_entity) for each in found.issued] == [(Decimal(10), None)]
    assert [(each.code, each.waits) for each in found.not_issued] == [("total.negative", Decimal(-4))]


def test_agreements_of_two_companies_may_share_their_days(billing: Billing, entity: str) -> None:
    for company in (None, entity):
        accepted = agreements.accept_agreement(billing.provider(), proposed(billing, company).id)
        assert accepted.state == "agreed"
        with pytest.raises(Refused, match=r"agreement\.overlaps"):
            proposed(billing, company)


def test_an_agreement_is_with_a_company_of_the_providers(billing: Billing) -> None:
    with pytest.raises(Invalid, match=r"agreement\.invalid"):
        proposed(billing, "ent_nobody")
