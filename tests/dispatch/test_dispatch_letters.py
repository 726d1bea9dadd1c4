"""Claims about what is told of instructions: to whom, once, and by which way."""

from __future__ import annotations

import pytest

from chalicelib.dispatch import actions_answering as answering
from chalicelib.dispatch import actions_webhooks as webhooks
from chalicelib.dispatch.actions_ticking import move_due
from chalicelib.dispatch.requests import Answer, EndRequest
from chalicelib.dispatch.webhooks import WebhookRequest
from chalicelib.notifications import actions as notifications
from chalicelib.notifications.actions_channels import list_channels
from chalicelib.notifications.models import MailQuery, MailView
from chalicelib.notifications.rendering import render
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Code, ContactRoute, Person
from chalicelib.storage.commit import commit
from functions import notify
from tests.builders.calls import a_call, a_system_call
from tests.builders.dispatch import FSP, SET, DispatchMarket
from tests.builders.registry import a_system_operator

pytestmark = pytest.mark.usefixtures("market")
NOON = "2026-06-01T12:00:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    made = DispatchMarket()
    made.obligation()
    for organisation in (FSP, made.so.organisation):
        person = Person(
            id=f"per_{organisation}",
            organisation=organisation,
            name="Dee",
            email="dee@flex.example",
            roles=frozenset({"dispatch"}),
            state="active",
            created_at=SET,
        )
        commit(a_call(), [registry_store.create_person(person)])
    return made


def a_dispatch_route() -> None:
    route = ContactRoute(
        id="con_1",
        organisation=FSP,
        purpose="dispatch",
        email="desk@flex.example",
        verified_at=SET,
        code=Code(sent_at=SET),
    )
    commit(a_call(), [registry_store.create_contact(route)])


def deliver(place: DispatchMarket, name: str, twice: bool = False) -> None:
    for envelope in place.waiting():
        place.heard.add(envelope.id)
        if envelope.name == f"dispatch.instructions_{name}.v1":
            for _ in range(2 if twice else 1):
                notify.notify(a_call(now=NOON), envelope)


def mails(organisation: str) -> list[MailView]:
    return notifications.list_mails(a_call(organisation), MailQuery()).items


def letters(organisation: str) -> list[str]:
    return sorted(each.letter for each in mails(organisation))


def rendered(mail_id: str) -> tuple[str, str]:
    mail = notifications.find_unsent(mail_id)
    assert mail is not None
    recipient = notifications.find_recipient(mail)
    assert recipient is not None
    return recipient.email, render(mail, recipient, mail.words, "https://market.example").text


def test_an_instruction_reaches_who_dispatches_once(place: DispatchMarket) -> None:
    place.issue()
    deliver(place, "sent", twice=True)
    [mail] = mails(FSP)
    email, text = rendered(mail.id)
    assert (mail.letter, email) == ("dispatch_instruction", "dee@flex.example")
    assert "2 MW from Mon 01 June 2026 17:00 (BST)" in text
    assert letters(place.so.organisation) == []


def test_many_instructions_sent_together_are_one_mail(place: DispatchMarket) -> None:
    later = {"start": "2026-06-02T16:00:00Z", "end": "2026-06-02T17:00:00Z"}
    place.issue({}, later)
    deliver(place, "sent")
    [mail] = mails(FSP)
    assert rendered(mail.id)[1].count("NORTH-1") == 2


def test_where_there_is_a_dispatch_route_it_goes_there(place: DispatchMarket) -> None:
    a_dispatch_route()
    place.issue()
    deliver(place, "sent")
    [mail] = mails(FSP)
    assert rendered(mail.id)[0] == "desk@flex.example"
    assert "@" not in mail.person


def test_escalation_goes_past_the_route_to_people_and_tells_the_operator(place: DispatchMarket) -> None:
    a_dispatch_route()
    place.issue()
    move_due(a_system_call("2026-06-01T12:15:00Z"), lambda: False)
    deliver(place, "escalated")
    [mail] = mails(FSP)
    assert rendered(mail.id)[0] == "dee@flex.example"
    assert letters(place.so.organisation) == ["dispatch_escalated"]


def test_expiry_is_told_to_both(place: DispatchMarket) -> None:
    place.issue()
    move_due(a_system_call("2026-06-01T12:30:00Z"), lambda: False)
    deliver(place, "expired")
    assert letters(FSP) == letters(place.so.organisation) == ["dispatch_expired"]


def test_a_decline_is_told_to_the_operator_and_an_acknowledgement_to_nobody(place: DispatchMarket) -> None:
    first, second = place.issue({}, {"start": "2026-06-02T16:00:00Z", "end": "2026-06-02T17:00:00Z"})
    for issued, said in ((first, "acknowledge"), (second, "decline")):
        answer = Answer.model_validate({"answer": said, "reason": "no fuel"})
        answering.answer_instruction(place.call(now=NOON), str(issued.instruction_id), answer)
    deliver(place, "answered")
    assert letters(place.so.organisation) == ["dispatch_declined"]
    assert letters(FSP) == []


def test_a_stop_is_told_to_the_provider_at_once(place: DispatchMarket) -> None:
    [issued] = place.issue()
    instruction_id = str(issued.instruction_id)
    answering.answer_instruction(place.call(now=NOON), instruction_id, Answer(answer="acknowledge"))
    stopped_at = place.operator("2026-06-01T16:10:00Z")
    answering.stop_instruction(stopped_at, instruction_id, EndRequest(reason="load fell"))
    deliver(place, "stopped")
    [mail] = mails(FSP)
    assert "load fell" in rendered(mail.id)[1]


def channels(now: str) -> list[tuple[str, bool]]:
    """The provider's ways, each with whether it is stale."""
    found = list_channels(a_call(FSP, now=now)).items
    return [(each.kind, each.stale) for each in found]


def test_a_route_that_a_mail_went_to_is_fresh_for_90_days_from_then(place: DispatchMarket) -> None:
    a_dispatch_route()
    assert channels("2026-07-30T00:00:00Z") == [("mail", False)]
    assert channels("2026-07-30T00:00:01Z") == [("mail", True)]
    place.issue()
    deliver(place, "sent")
    [mail] = mails(FSP)
    queued = notifications.find_unsent(mail.id)
    assert queued is not None
    notifications.record_sent(a_call(FSP, now="2026-06-01T12:01:00Z"), queued)
    assert channels("2026-08-30T12:01:00Z") == [("mail", False)]
    assert channels("2026-08-30T12:01:01Z") == [("mail", True)]


def test_a_mail_to_a_person_proves_no_route(place: DispatchMarket) -> None:
    place.issue()
    deliver(place, "sent")
    [mail] = mails(FSP)
    queued = notifications.find_unsent(mail.id)
    assert queued is not None
    notifications.record_sent(a_call(FSP, now=NOON), queued)
    assert channels(NOON) == []


def test_an_address_that_was_never_verified_is_stale(place: DispatchMarket) -> None:
    route = ContactRoute(
        id="con_2", organisation=FSP, purpose="dispatch", email="new@flex.example", code=Code(sent_at=SET)
    )
    commit(a_call(), [registry_store.create_contact(route)])
    [channel] = list_channels(a_call(FSP, now=NOON)).items
    assert (channel.verified, channel.last_success_at, channel.stale) == (False, None, True)


def test_a_webhook_is_shown_by_its_host_alone(place: DispatchMarket) -> None:
    webhooks.add_webhook(a_call(FSP, now=NOON), WebhookRequest(url="https://flex.example/hook?key=secret"))
    [channel] = list_channels(a_call(FSP, now=NOON)).items
    assert (channel.kind, channel.address, channel.stale) == ("webhook", "flex.example", False)


def test_a_conflict_is_told_to_each_operator_by_its_own_instruction(place: DispatchMarket) -> None:
    other = a_system_operator(2).organisation
    person = Person(
        id="per_other",
        organisation=other,
        name="Oz",
        email="oz@so2.example",
        roles=frozenset({"dispatch"}),
        state="active",
        created_at=SET,
    )
    commit(a_call(), [registry_store.create_person(person)])
    place.share_an_asset(other)
    place.issue({"obligation_id": "obl_s1"})
    place.issue({"obligation_id": "obl_s2"}, call=a_call(other, "so", now=NOON))
    for envelope in place.waiting():
        place.heard.add(envelope.id)
        if envelope.name == "dispatch.conflicts_detected.v1":
            for _ in range(2):
                notify.notify(a_call(now=NOON), envelope)
    for number, so in ((1, place.so.organisation), (2, other)):
        [mail] = [each for each in mails(so) if each.letter == "dispatch_conflict"]
        assert f"OBL_S{number}" in rendered(mail.id)[1]
        assert f"OBL_S{3 - number}" not in rendered(mail.id)[1]
