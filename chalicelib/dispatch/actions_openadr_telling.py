"""Tells OpenADR subscribers what happened to objects: signed, tried again and logged as every webhook is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store_openadr
from chalicelib.dispatch import store_webhooks as hooks
from chalicelib.dispatch.actions_reads import load_instructions
from chalicelib.dispatch.actions_webhooks import Message, queue_deliveries, write_delivery
from chalicelib.dispatch.lifecycle import caught_up
from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.openadr_models import ObjectType, Operation, Subscription, Wire
from chalicelib.dispatch.openadr_translate import SHOWN, event_of, meets, program_of, targets_of
from chalicelib.dispatch.webhooks import Webhook
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.events import Envelope
from chalicelib.registry import actions as registry

_ON_EVENTS: dict[str, Operation] = {
    "dispatch.instructions_sent.v1": "CREATE",
    "dispatch.instructions_answered.v1": "UPDATE",
    "dispatch.instructions_stopped.v1": "UPDATE",
    "dispatch.instructions_ended.v1": "UPDATE",
    "dispatch.instructions_cancelled.v1": "DELETE",
    "dispatch.instructions_expired.v1": "DELETE",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What happened to an object: by which it is filtered, and whether it only tests the way."""

    kind: ObjectType
    operation: Operation
    thing: Wire
    thing_id: str
    program: str | None = None
    targets: tuple[str, ...] = ()
    test: bool = False

    def is_for(self, subscription: Subscription) -> bool:
        return subscription.program_id in (None, self.program) and meets(self.targets, subscription.targets or ())

    def body(self) -> str:
        """The notification of 3.1: the object as a read would show it."""
        shown = self.thing.model_dump_json()
        return f'{{"objectType":"{self.kind}","operation":"{self.operation}","object":{shown}}}'


def tell_facts(call: Call, envelope: Envelope) -> None:
    """Tell providers' subscribers what a fact did to their events or programs; hearing it twice adds nothing."""
    for fsp in envelope.body["fsps"] if "fsps" in envelope.body else [envelope.body["fsp"]]:
        subscriptions = store_openadr.list_subscriptions(fsp)
        if subscriptions:
            for each in _told(call, envelope, fsp):
                _tell(call, fsp, subscriptions, each, envelope.id)


def tell_own(call: Call, told: Told) -> None:
    """Tell a client's own subscriptions of what it did to an object of its own."""
    mine = store_openadr.list_subscriptions(call.organisation, call.actor.id)
    _tell(call, call.organisation, mine, told, call.request_id)


def webhook_id_of(subscription_id: str, url: str) -> str:
    """The id of the webhook by which a subscription's callback is sent to."""
    return derived_id("whk", subscription_id, url)


def _tell(call: Call, organisation: str, subscriptions: Iterable[Subscription], told: Told, cause: str) -> None:
    for subscription in subscriptions:
        urls = [each.callback_url for each in subscription.object_operations if each.wants(told.kind, told.operation)]
        if urls and told.is_for(subscription):
            for url in dict.fromkeys(urls):
                _send(call, hooks.find_webhook(organisation, webhook_id_of(subscription.id, url)), told, cause)


def _send(call: Call, webhook: Webhook | None, told: Told, cause: str) -> None:
    """Write and queue one notification; the account may have taken its webhook away."""
    if webhook is None:
        return
    message = Message(
        id=derived_id("dlv", webhook.id, cause, told.thing_id, told.operation),
        name=f"openadr.{told.kind}.{told.operation}".lower(),
        body=told.body(),
        test=told.test,
    )
    queue_deliveries(call, [write_delivery(call, webhook, message, call.now)])


def _told(call: Call, envelope: Envelope, fsp: str) -> Iterable[Told]:
    match envelope.name:
        case "contracts.obligation_contracted.v1":
            return _of_programs(contracts.find_obligation(envelope.body["obligation_id"]))
        case "contracts.obligations_drawn_up.v1":
            own = contracts.list_all_obligations("fsp", fsp)
            return _of_programs(*(it for it in own if it.competition_id == envelope.body["competition_id"]))
    return _of_events(call, envelope)


def _of_events(call: Call, envelope: Envelope) -> Iterable[Told]:
    operation = _ON_EVENTS.get(envelope.name)
    if operation is not None:
        found = load_instructions(envelope.body.get("instruction_ids", ())).values()
        standing = (caught_up(each, call.now) for each in found)
        yield from (_of_event(each, operation) for each in standing)


def _of_event(instruction: Instruction, operation: Operation) -> Told:
    """A declined instruction is gone, whatever the fact that tells of it."""
    return Told(
        kind="EVENT",
        operation=operation if instruction.state in SHOWN else "DELETE",
        thing=event_of(instruction),
        thing_id=instruction.id,
        program=instruction.obligation_id,
        targets=targets_of(instruction.obligation_id, instruction.competition_reference),
        test=instruction.test,
    )


def _of_programs(*obligations: Obligation | None) -> Iterable[Told]:
    """Those of the obligations that are in force: a program begins when its contract does."""
    for each in obligations:
        if each is not None and each.state in contracts.IN_FORCE:
            yield Told(
                kind="PROGRAM",
                operation="CREATE",
                thing=program_of(each, registry.get_organisation(each.so).name),
                thing_id=each.id,
                program=each.id,
                targets=targets_of(each.id, each.competition_reference),
            )
