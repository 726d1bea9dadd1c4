"""Claims about what is told of settlement: to which side, once, by the route for settlement, without an amount."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from chalicelib.notifications import actions as notifications
from chalicelib.notifications.models import MailQuery
from chalicelib.notifications.rendering import render
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Code, ContactRoute, Person
from chalicelib.settlement import actions_agreements as agreements
from chalicelib.settlement import actions_disputes as disputes
from chalicelib.settlement import actions_payments as payments
from chalicelib.settlement import actions_publishing as publishing
from chalicelib.settlement.events import MeterDataDue
from chalicelib.settlement.models_runs import line_id_of
from chalicelib.settlement.requests_disputes import DisputeRequest, EndRequest, MessageRequest
from chalicelib.settlement.requests_invoices import AgreementRequest, EndingRequest, PaymentRequest, RefusalRequest
from chalicelib.storage import outbox
from chalicelib.storage.commit import commit
from functions import notify
from tests.builders.calls import a_call, a_system_call
from tests.builders.invoices import Billing
from tests.builders.reports import FSP, MADE_AT, SO, a_report_line, fsp_call, given_sides, made, so_call

pytestmark = pytest.mark.usefixtures("market")
LATE = datetime(2035, 1, 1, tzinfo=UTC)
NOON = "2026-05-12T12:00:00Z"


def people(*organisations: str) -> None:
    for organisation in organisations:
        person = Person(
            id=f"per_{organisation}",
            organisation=organisation,
            name="Sue",
            email=f"sue@{organisation}.example",
            roles=frozenset({"settlement"}),
            state="active",
            created_at=MADE_AT,
        )
        commit(a_call(), [registry_store.create_person(person)])


def deliver(rounds: int = 2) -> None:
    for envelope in outbox.unpublished(LATE):
        if envelope.name.startswith("settlement.") and envelope.name != "settlement.run_asked.v1":
            for _ in range(rounds):
                notify.notify(a_call(now=NOON), envelope)


def letters(organisation: str) -> list[str]:
    deliver()
    return sorted(each.letter for each in notifications.list_mails(a_call(organisation), MailQuery()).items)


def texts(organisation: str) -> dict[str, str]:
    """Every mail to an organisation, subject and text, by letter."""
    deliver()
    found = {}
    for each in notifications.list_mails(a_call(organisation), MailQuery()).items:
        mail = notifications.find_unsent(each.id)
        assert mail is not None
        recipient = notifications.find_recipient(mail)
        assert recipient is not None
        envelope = render(mail, recipient, mail.words, "https://market.example")
        found[each.letter] = f"{recipient.email}\n{envelope.subject}\n{envelope.text}"
    return found


@pytest.fixture
def line_id(market: None) -> str:
    """The one line of a published report of April."""
    given_sides(FSP)
    people(SO, FSP)
    report = publishing.publish_report(so_call(), made([a_report_line(0, "123.45")]).id)
    return line_id_of(report.id, 0)


def test_the_provider_is_told_once_of_a_published_report(line_id: str) -> None:
    told = texts(FSP)
    assert list(told) == ["settlement_report_published"]
    text = told["settlement_report_published"]
    assert "Settlement report for April 2026 from Northern Network" in text
    assert "until the end of Fri 22 May 2026" in text
    assert "123.45" not in text
    assert texts(SO) == {}


def test_a_report_superseded_before_it_was_told_is_not_told(line_id: str) -> None:
    publishing.publish_report(so_call(NOON), made([a_report_line()], 2).id)
    assert "version 2" in texts(FSP)["settlement_report_published"]
    assert letters(FSP) == ["settlement_report_published"]


def test_each_move_of_a_dispute_is_told_to_the_other_side(line_id: str) -> None:
    dispute = disputes.raise_dispute(fsp_call(NOON), line_id, DisputeRequest(reason="The secret figure is 77."))
    assert letters(SO) == ["dispute_raised"]
    for _ in range(2):
        disputes.answer_dispute(so_call(NOON), dispute.id, MessageRequest(words="We see the same."))
        disputes.escalate_dispute(fsp_call(NOON), dispute.id, MessageRequest(words="We do not."))
    disputes.agree_dispute(fsp_call(NOON), dispute.id, EndRequest())
    assert letters(FSP) == ["dispute_answered", "dispute_answered", "settlement_report_published"]
    assert letters(SO) == ["dispute_ended", "dispute_escalated", "dispute_escalated", "dispute_raised"]
    told = texts(SO)
    assert "Dispute agreed with Flex of org_fsp1: CMZ-1, April 2026" in told["dispute_ended"]
    assert "CMZ-1, Evenings: utilisation, April 2026." in told["dispute_raised"]
    assert not [text for text in told.values() if "77" in text or "123.45" in text]


def test_a_withdrawn_dispute_says_so(line_id: str) -> None:
    dispute = disputes.raise_dispute(fsp_call(NOON), line_id, DisputeRequest(reason="See."))
    disputes.withdraw_dispute(fsp_call(NOON), dispute.id, EndRequest())
    assert "has withdrawn its dispute of a line" in texts(SO)["dispute_ended"]


def test_settlement_letters_go_to_the_route_for_settlement_where_there_is_one(line_id: str) -> None:
    route = ContactRoute(
        id="con_1",
        organisation=FSP,
        purpose="settlement",
        email="accounts@flex.example",
        verified_at=MADE_AT,
        code=Code(sent_at=MADE_AT),
    )
    commit(a_call(), [registry_store.create_contact(route)])
    assert texts(FSP)["settlement_report_published"].startswith("accounts@flex.example")


def test_the_provider_is_told_of_an_invoice_and_of_its_payment() -> None:
    billing = Billing()
    people(FSP)
    for month in ("2026-03", "2026-04", "2026-05"):
        billing.publish(("123.45",), month)
    [invoice] = billing.draw_up().issued
    told = texts(FSP)["invoice_issued"]
    assert f"Purchase statement {invoice.number} from Network 1" in told
    assert "for March 2026, April 2026 and May 2026" in told
    asked = PaymentRequest(paid_on=date(2026, 6, 12), amount=invoice.gross, reference="BACS 7")
    payments.record_payment(billing.operator("2026-06-12T15:00:00Z"), invoice.id, asked)
    paid = texts(FSP)["invoice_paid"]
    assert "on Fri 12 June 2026, with the reference BACS 7" in paid
    assert not [text for text in (told, paid) if "123.45" in text]


def test_the_provider_is_told_of_meter_data_that_is_due_and_that_is_missing() -> None:
    given_sides(FSP)
    people(FSP)
    for kind in ("due", "missing"):
        event = MeterDataDue(so=SO, fsp=FSP, month="2026-04", kind=kind, due="2026-05-08", missing=3)
        commit(a_system_call(NOON), [], [event])
    told = texts(FSP)
    assert "Meter data for April 2026 is due on Fri 8 May 2026" in told["meter_data_due"]
    assert "is missing: 3 meters" in told["meter_data_missing"]
    assert "https://market.example/settlement/meter-data?month=2026-04" in told["meter_data_missing"]


def test_each_side_is_told_what_the_other_does_about_self_billing() -> None:
    billing = Billing()
    people(FSP, billing.so)
    wanted = AgreementRequest(fsp=FSP, starts=date(2026, 7, 1))
    first, second, third = (agreements.propose_agreement(billing.operator(), wanted) for _ in range(3))
    proposed = texts(FSP)["self_billing_proposed"]
    assert "from Wed 1 July 2026 to Wed 30 June 2027" in proposed
    pages = {f"https://market.example/settlement/self-billing/{each.id}" for each in (first, second, third)}
    assert proposed.split()[-1] in pages
    agreements.refuse_agreement(billing.provider(), first.id, RefusalRequest(reason="we invoice ourselves"))
    assert "It says: we invoice ourselves" in texts(billing.so)["self_billing_answered"]
    agreements.end_agreement(billing.operator(), second.id, EndingRequest(reason="a slip"))
    assert "Network 1 has withdrawn its proposal" in texts(FSP)["self_billing_ended"]
    agreements.accept_agreement(billing.provider(), third.id)
    agreements.end_agreement(billing.provider(), third.id, EndingRequest(reason="sold"))
    ended = texts(billing.so)["self_billing_ended"]
    assert "Self-billing with Flex 1 ends on Wed 10 June 2026" in ended
    assert "The reason given: sold" in ended
    assert letters(billing.so) == ["self_billing_answered", "self_billing_answered", "self_billing_ended"]
