"""Claims about OpenADR clients: one VEN each, assets as resources, callbacks of subscriptions signed and guarded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.contracts.events import ObligationContracted, ObligationsDrawnUp
from chalicelib.dispatch import actions_openadr_reports as reports
from chalicelib.dispatch import actions_openadr_subscriptions as subscriptions
from chalicelib.dispatch import actions_openadr_vens as vens
from chalicelib.dispatch import actions_webhooks as webhooks
from chalicelib.dispatch.actions_answering import cancel_instruction
from chalicelib.dispatch.actions_openadr_telling import tell_facts
from chalicelib.dispatch.openadr_models import ResourceRequest, SubscriptionRequest, Ven, VenRequest
from chalicelib.dispatch.openadr_queries import ResourceQuery, SubscriptionQuery, VenQuery
from chalicelib.dispatch.requests import EndRequest
from chalicelib.dispatch.webhooks import DeliveryQuery, WebhookQuery, WebhookRequest
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.kernel.events import Envelope
from chalicelib.notifications.actions_channels import list_channels
from chalicelib.storage.audit import trail_of
from chalicelib.storage.keys import forget_keys
from tests.builders.calls import a_call
from tests.builders.dispatch import FSP, DispatchMarket
from tests.builders.openadr import a_report, a_subscription
from tests.dispatch.test_dispatch_webhooks import Receiver, deliver, fan_out, signature_of

NOON = "2026-06-01T12:00:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    forget_keys()
    made = DispatchMarket()
    made.obligation()
    return made


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("HEADROOM_WEBHOOK_NETWORKS", "127.0.0.0/8")
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def ven(client: str = "mac_1", organisation: str = FSP) -> Any:
    return a_call(organisation, now=NOON, actor=client)


def registered(client: str = "mac_1", name: str = "hems") -> Ven:
    return vens.add_ven(ven(client), VenRequest(ven_name=name))


def told(receiver: Receiver) -> list[tuple[str, str, str]]:
    """What arrived: type, operation and id of the object."""
    bodies = [json.loads(body) for _, body in receiver.got]
    return [(each["objectType"], each["operation"], each["object"]["id"]) for each in bodies]


def arrive() -> None:
    while deliver():
        pass


def test_a_client_registers_once_and_sees_itself_alone(place: DispatchMarket) -> None:
    made = registered()
    assert (made.client_id, made.ven_name) == ("mac_1", "hems")
    assert vens.list_vens(ven(), VenQuery()).root == [made] == [vens.get_ven(ven(), made.id)]
    with pytest.raises(Refused, match="already"):
        registered(name="another")
    assert vens.list_vens(ven("mac_2"), VenQuery()).root == []
    with pytest.raises(NotFound):
        vens.get_ven(ven("mac_2"), made.id)
    [channel] = [each for each in list_channels(ven()).items if each.kind == "openadr"]
    assert (channel.address, channel.last_success_at, channel.stale) == ("hems", None, True)


def test_the_name_of_a_ven_is_one_in_the_market_until_it_is_given_up(place: DispatchMarket) -> None:
    made = registered()
    with pytest.raises(Refused, match="name"):
        registered("mac_2", "HEMS")
    renamed = vens.change_ven(ven(), made.id, VenRequest(ven_name="home"))
    assert (renamed.id, renamed.ven_name) == (made.id, "home")
    vens.change_ven(ven(), made.id, VenRequest(ven_name="Home"))
    other = registered("mac_2")
    with pytest.raises(Refused, match="name"):
        vens.change_ven(ven(), made.id, VenRequest(ven_name="hems"))
    vens.remove_ven(ven("mac_2"), other.id)
    assert vens.change_ven(ven(), made.id, VenRequest(ven_name="hems")).ven_name == "hems"


def test_a_ven_is_found_by_its_name(place: DispatchMarket) -> None:
    registered()
    assert len(vens.list_vens(ven(), VenQuery.model_validate({"venName": "hems"})).root) == 1
    assert vens.list_vens(ven(), VenQuery.model_validate({"venName": "other"})).root == []
    assert vens.list_vens(ven(), VenQuery(targets=("x",))).root == []


def test_a_resource_is_one_of_the_providers_own_assets(place: DispatchMarket) -> None:
    place.asset("BAT-1")
    made = registered()
    added = vens.add_resource(ven(), ResourceRequest(resource_name="BAT-1", ven_id=made.id))
    assert vens.list_resources(ven(), ResourceQuery()).root == [added] == [vens.get_resource(ven(), added.id)]
    with pytest.raises(Refused, match="already"):
        vens.add_resource(ven(), ResourceRequest(resource_name="BAT-1", ven_id=made.id))
    with pytest.raises(Invalid, match="asset"):
        vens.add_resource(ven(), ResourceRequest(resource_name="BAT-9", ven_id=made.id))
    with pytest.raises(Invalid, match="ven"):
        vens.add_resource(ven(), ResourceRequest(resource_name="BAT-1", ven_id="ven_9"))
    with pytest.raises(NotFound):
        vens.get_resource(ven("mac_2"), added.id)
    with pytest.raises(Refused, match="resources"):
        vens.remove_ven(ven(), made.id)


def test_resources_are_filtered_changed_and_removed(place: DispatchMarket) -> None:
    place.asset("BAT-1")
    made = registered()
    added = vens.add_resource(ven(), ResourceRequest(resource_name="BAT-1", ven_id=made.id))

    def found(**query: Any) -> int:
        return len(vens.list_resources(ven(), ResourceQuery.model_validate(query)).root)

    assert found(resourceName="BAT-1", venID=made.id) == 1
    assert [found(resourceName="BAT-2"), found(venID="ven_2"), found(targets=["obl_9"]), found(skip=1)] == [0, 0, 0, 0]
    with pytest.raises(Refused, match="another asset"):
        vens.change_resource(ven(), added.id, ResourceRequest(resource_name="BAT-2", ven_id=made.id))
    asked = {"resourceName": "BAT-1", "venID": made.id, "attributes": [{"type": "LOCATION", "values": ["yard"]}]}
    changed = vens.change_resource(ven(), added.id, ResourceRequest.model_validate(asked))
    assert changed.attributes is not None
    assert vens.remove_resource(ven(), added.id).id == added.id
    assert found() == 0
    vens.remove_ven(ven(), made.id)
    assert vens.list_vens(ven(), VenQuery()).root == []


def test_a_subscriber_is_told_of_its_events_signed_and_with_its_token(
    place: DispatchMarket, receiver: Receiver
) -> None:
    made = subscriptions.add_subscription(ven(), a_subscription(receiver.url, token="s3cret"))
    [issued] = place.issue()
    fan_out(place)
    arrive()
    assert told(receiver) == [("EVENT", "CREATE", issued.instruction_id)]
    [(headers, body)] = receiver.got
    assert headers["authorization"] == "Bearer s3cret"
    [hook] = [each for each in webhooks.list_webhooks(ven(), WebhookQuery()).items if each.subscription_id == made.id]
    secret = webhooks.change_secret(ven(), hook.id).secret
    assert secret is not None
    webhooks.replay_delivery(ven(), hook.id, webhooks.list_deliveries(ven(), hook.id, DeliveryQuery()).items[0].id)
    arrive()
    again, same = receiver.got[1]
    assert same == body
    assert again["webhook-id"] == headers["webhook-id"]
    assert again["webhook-signature"] == signature_of(secret, again, same)


def test_a_subscriber_is_told_of_changes_and_of_what_is_gone(place: DispatchMarket, receiver: Receiver) -> None:
    subscriptions.add_subscription(ven(), a_subscription(receiver.url, "PUT", "delete"))
    [first, second] = place.issue({}, {"start": "2026-06-02T16:00:00Z", "end": "2026-06-02T17:00:00Z"})
    assert first.instruction_id is not None
    assert second.instruction_id is not None
    reports.add_report(ven(), a_report(("OPT_IN", [1]), event=first.instruction_id))
    cancel_instruction(place.operator(NOON), first.instruction_id, EndRequest(reason="no need"))
    reports.add_report(ven(), a_report(("OPT_OUT", ["flat"]), event=second.instruction_id))
    fan_out(place)
    arrive()
    found = told(receiver)
    assert ("EVENT", "DELETE", first.instruction_id) in found
    assert ("EVENT", "DELETE", second.instruction_id) in found
    assert {operation for _, operation, _ in found} <= {"UPDATE", "DELETE"}


def test_only_what_was_subscribed_to_is_told_and_to_its_own_provider_alone(
    place: DispatchMarket, receiver: Receiver
) -> None:
    subscriptions.add_subscription(ven("mac_9", "org_fsp2"), a_subscription(receiver.url))
    subscriptions.add_subscription(ven(), a_subscription(receiver.url, targets=["SOUTH-1"]))
    subscriptions.add_subscription(ven(), a_subscription(receiver.url, objects=("REPORT",)))
    subscriptions.add_subscription(ven("mac_2"), a_subscription(receiver.url, "READ"))
    [issued] = place.issue()
    assert issued.instruction_id is not None
    fan_out(place)
    kept = reports.add_report(ven(), a_report(("USAGE", [1]), event=issued.instruction_id))
    arrive()
    assert told(receiver) == [("REPORT", "CREATE", kept.id)]


def test_a_program_is_told_when_its_contract_begins(place: DispatchMarket, receiver: Receiver) -> None:
    subscriptions.add_subscription(ven(), a_subscription(receiver.url, objects=("PROGRAM",)))
    subscriptions.add_subscription(ven(), a_subscription(receiver.url, objects=("PROGRAM",), programID="obl_1"))
    call = ven().as_system()
    one = ObligationContracted(obligation_id="obl_1", so=place.so.organisation, fsp=FSP)
    many = ObligationsDrawnUp(competition_id=place.north.id, so=place.so.organisation, fsps=[FSP, "org_fsp2"])
    for number, (name, fact) in enumerate(
        [("obligation_contracted", one), ("obligation_contracted", one), ("obligations_drawn_up", many)]
    ):
        body = fact.model_dump(mode="json")
        cause = f"evt_{number // 2}"
        tell_facts(call, Envelope(id=cause, name=f"contracts.{name}.v1", at=call.now, request_id="req_1", body=body))
    arrive()
    assert told(receiver) == [("PROGRAM", "CREATE", "obl_1")] * 4


def test_a_private_address_is_no_callback(place: DispatchMarket) -> None:
    for url in ("https://10.0.0.7/hook", "http://flex.example/hook", "https://localhost/hook"):
        with pytest.raises(Invalid):
            subscriptions.add_subscription(ven(), a_subscription(url))
    assert subscriptions.list_subscriptions(ven(), SubscriptionQuery()).root == []


def test_a_subscription_of_anothers_program_is_refused(place: DispatchMarket) -> None:
    with pytest.raises(Invalid):
        subscriptions.add_subscription(
            ven("mac_9", "org_fsp2"), a_subscription("https://flex.example/hook", programID="obl_1")
        )


def test_a_subscription_is_changed_and_ended_and_told_no_more(place: DispatchMarket, receiver: Receiver) -> None:
    made = subscriptions.add_subscription(ven(), a_subscription(receiver.url))
    moved = subscriptions.change_subscription(ven(), made.id, a_subscription("https://flex.example/elsewhere"))
    back = subscriptions.change_subscription(ven(), made.id, a_subscription(receiver.url))
    assert moved.id == back.id == made.id
    hooks = webhooks.list_webhooks(ven(), WebhookQuery()).items
    assert [each.url for each in hooks] == [receiver.url]
    assert subscriptions.remove_subscription(ven(), made.id) == back
    place.issue()
    fan_out(place)
    arrive()
    assert receiver.got == []
    assert webhooks.list_webhooks(ven(), WebhookQuery()).items == []
    with pytest.raises(NotFound):
        subscriptions.get_subscription(ven(), made.id)


def test_a_subscription_is_its_own_clients_alone(place: DispatchMarket) -> None:
    made = subscriptions.add_subscription(ven(), a_subscription("https://flex.example/hook"))
    assert subscriptions.list_subscriptions(ven("mac_2"), SubscriptionQuery()).root == []
    with pytest.raises(NotFound):
        subscriptions.get_subscription(ven("mac_2"), made.id)
    [found] = subscriptions.list_subscriptions(ven(), SubscriptionQuery(objects=("event",))).root
    assert found == made
    assert subscriptions.list_subscriptions(ven(), SubscriptionQuery(objects=("VEN",))).root == []


def test_there_is_a_most_of_subscriptions_and_they_leave_room_for_webhooks(place: DispatchMarket) -> None:
    for number in range(subscriptions.MOST_SUBSCRIPTIONS):
        subscriptions.add_subscription(ven(), a_subscription(f"https://flex.example/{number}"))
    with pytest.raises(Refused, match="at most"):
        subscriptions.add_subscription(ven(), a_subscription("https://flex.example/more"))
    assert webhooks.add_webhook(ven(), WebhookRequest(url="https://flex.example/own")).secret


def test_own_changes_are_told_without_the_token(place: DispatchMarket, receiver: Receiver) -> None:
    kinds = ("VEN", "SUBSCRIPTION")
    first = subscriptions.add_subscription(ven(), a_subscription(receiver.url, objects=kinds, token="s3cret"))
    made = registered()
    arrive()
    assert told(receiver) == [("SUBSCRIPTION", "CREATE", first.id), ("VEN", "CREATE", made.id)]
    assert "s3cret" not in "".join(body for _, body in receiver.got)


def test_the_trail_holds_no_token(place: DispatchMarket) -> None:
    made = subscriptions.add_subscription(ven(), a_subscription("https://flex.example/hook", token="s3cret"))
    records = trail_of(f"openadr:{made.id}").items
    assert [each.action for each in records] == ["openadr.subscription_added"]
    assert "s3cret" not in records[0].model_dump_json()


def test_operations_by_verbs_and_in_small_letters_are_read() -> None:
    asked = {"objects": ["event"], "operations": ["post", "Update"], "callbackUrl": "https://flex.example/hook"}
    read = SubscriptionRequest.model_validate({"clientName": "c", "objectOperations": [asked]})
    [operation] = read.object_operations
    assert operation.wants("EVENT", "CREATE")
    assert operation.wants("EVENT", "UPDATE")
    assert not operation.wants("EVENT", "DELETE")
    assert not operation.wants("PROGRAM", "CREATE")
