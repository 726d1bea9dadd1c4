"""Keeps organisations' webhooks, and delivers what they are told: once per fact, tried again, logged, replayable."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.dispatch import store_openadr
from chalicelib.dispatch import store_webhooks as store
from chalicelib.dispatch.actions_reads import load_instructions, views_of
from chalicelib.dispatch.sending import NoAnswer, NotSent, send_webhook
from chalicelib.dispatch.webhooks import (
    IN_HAND,
    MOST_WEBHOOKS,
    PROBE,
    STALE_AFTER,
    Attempt,
    Delivery,
    DeliveryQuery,
    Rest,
    Webhook,
    WebhookQuery,
    WebhookRequest,
    WebhookView,
    after_attempt,
    after_silence,
    signed_headers,
    url_problems,
)
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import NotFound, Refused, Stale, raise_problems
from chalicelib.kernel.events import Envelope
from chalicelib.kernel.models import Page, iso
from chalicelib.storage import keys, queues, settings
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

QUEUE = "deliver-dispatch"
PATIENCE = timedelta(minutes=5)
_STANDING = "delivery.standing"
_TURNS = 5


@dataclass(frozen=True, slots=True)
class Message:
    """What a webhook is sent, under the id it keeps however often it is tried."""

    id: str
    name: str
    body: str
    test: bool = False


def list_webhooks(call: Call, query: WebhookQuery) -> Page[WebhookView]:
    """The caller's webhooks, with when each last worked."""
    found = store.list_webhooks(call.organisation)
    worked = store.last_successes([each.id for each in found])
    return Page(items=[_view(each, worked.get(each.id), call.now) for each in found])


def get_webhook(call: Call, webhook_id: str) -> WebhookView:
    """One of the caller's webhooks."""
    webhook = _own(call, webhook_id)
    return _view(webhook, store.last_successes([webhook_id]).get(webhook_id), call.now)


def add_webhook(call: Call, request: WebhookRequest) -> WebhookView:
    """Tell an address from now on; its secret is shown now and at a change alone."""
    raise_problems(url_problems(request.url, settings.webhook_networks()))
    own = [each for each in store.list_webhooks(call.organisation) if each.subscription_id is None]
    if len(own) >= MOST_WEBHOOKS:
        raise Refused("webhook.too_many", f"There are {MOST_WEBHOOKS} webhooks already; remove one first.")
    webhook = Webhook(
        id=call.new_id("whk"),
        organisation=call.organisation,
        url=request.url,
        events=request.events,
        created_at=call.now,
    )
    _save(call, webhook, "webhook.added")
    return _view(webhook, None, call.now, secret_of(webhook))


def change_secret(call: Call, webhook_id: str) -> WebhookView:
    """Sign with a new secret from now on."""
    before = _own(call, webhook_id)
    webhook = before.but(serial=before.serial + 1, version=before.version + 1)
    _save(call, webhook, "webhook.secret_changed")
    return _view(webhook, None, call.now, secret_of(webhook))


def remove_webhook(call: Call, webhook_id: str) -> None:
    """Tell the address no more; its deliveries stay in the trail."""
    before = _own(call, webhook_id)
    _save(call, before.but(removed=True, version=before.version + 1), "webhook.removed")


def list_deliveries(call: Call, webhook_id: str, query: DeliveryQuery) -> Page[Delivery]:
    """What was sent to one of the caller's webhooks, with every try."""
    _own(call, webhook_id)
    return store.list_deliveries(webhook_id, query.limit, query.cursor)


def replay_delivery(call: Call, webhook_id: str, delivery_id: str) -> Delivery:
    """Send a delivery again, whatever came of it: the same id and body, so that the receiver can tell."""
    _own(call, webhook_id)
    before = store.find_delivery(webhook_id, delivery_id)
    if before is None:
        raise NotFound("delivery.not_found", "There is no such delivery.")
    after = before.but(state="waiting", next_attempt_at=call.now, tries=0, version=before.version + 1)
    commit(call, [store.save_delivery(after, call.now + PATIENCE)], result=f"{webhook_id}/{delivery_id}")
    queue_deliveries(call, [after])
    return after


def get_delivery(call: Call, result: str) -> Delivery:
    """One delivery by `webhook/id`."""
    webhook_id, _, delivery_id = result.partition("/")
    _own(call, webhook_id)
    found = store.find_delivery(webhook_id, delivery_id)
    if found is None:
        raise NotFound("delivery.not_found", "There is no such delivery.")
    return found


def fan_out(call: Call, envelope: Envelope) -> None:
    """Write and queue a delivery for every webhook of both sides that wants the fact; hearing it twice adds none."""
    for organisation in dict.fromkeys((envelope.body["fsp"], envelope.body["so"])):
        wanting = [each for each in store.list_webhooks(organisation) if _wants(each, envelope.name)]
        if wanting:
            body, test = _body(call, envelope)
            made = [
                (each, Message(derived_id("dlv", each.id, envelope.id), envelope.name, body, test)) for each in wanting
            ]
            queue_deliveries(call, [write_delivery(call, each, message, envelope.at) for each, message in made])


def write_delivery(call: Call, webhook: Webhook, message: Message, at: datetime) -> Delivery:
    """Write what a webhook is sent; the same message twice is one delivery."""
    delivery = Delivery(
        id=message.id,
        webhook_id=webhook.id,
        organisation=webhook.organisation,
        event=message.name,
        body=message.body,
        test=message.test,
        created_at=at,
        next_attempt_at=at,
    )
    try:
        standing = Refused(_STANDING, "It was written before.")
        commit(call.without_key(), [store.save_delivery(delivery, at + PATIENCE, standing)])
    except Refused as refusal:
        if refusal.code != _STANDING:
            raise
    return delivery


def queue_deliveries(call: Call, deliveries: Iterable[Delivery], at: datetime | None = None) -> None:
    """Have deliveries tried, now or at an instant."""
    bodies = [{"organisation": it.organisation, "webhook": it.webhook_id, "delivery": it.id} for it in deliveries]
    when = at or call.now
    queues.send(replace(call, now=when), QUEUE, bodies, int((when - call.now).total_seconds()))


def deliver(call: Call, organisation: str, webhook_id: str, delivery_id: str, sent_at: datetime) -> None:
    """Try a delivery that is due; `sent_at` is the clock the receiver compares with. Faults of ours are raised."""
    delivery = store.find_delivery(webhook_id, delivery_id)
    webhook = store.find_webhook(organisation, webhook_id)
    if delivery is None or delivery.state != "waiting" or webhook is None:
        return
    if delivery.next_attempt_at and delivery.next_attempt_at > call.now:
        return
    rest = store.find_rest(webhook_id)
    if rest is not None and not _may_probe(call, rest):
        _put_off(call, delivery, max(rest.until, call.now + PROBE))
        return
    delivery = _taken(call, delivery, sent_at)
    attempt, silent = _tried(call, webhook, delivery, sent_at)
    _record(call, delivery, attempt, _rest_writes(webhook_id, rest, silent, call.now))


def _taken(call: Call, delivery: Delivery, at: datetime) -> Delivery:
    """The delivery in this worker's hand, at an instant of the machine's clock, so that no two workers send it at once.

    `Refused` while another has it, so that the queue brings the message again: that other may be cut short.
    """
    if delivery.in_hand_until is None or delivery.in_hand_until <= at:
        taken = delivery.but(in_hand_until=at + IN_HAND, version=delivery.version + 1)
        with suppress(Stale):
            commit(call, [store.save_delivery(taken, call.now + PATIENCE)])
            return taken  # type: ignore[no-any-return]
    raise Refused("delivery.in_hand", "Another worker sends this at this moment.")


def _record(call: Call, delivery: Delivery, attempt: Attempt, rest: list[Write]) -> None:
    """Keep what came of a try, also where somebody asked for the delivery once more meanwhile."""
    found: Delivery | None = delivery
    for _ in range(_TURNS):
        if found is None or found.state != "waiting":
            return
        after = after_attempt(found, attempt)
        worked = [store.succeeded(after.webhook_id, call.now)] if after.state == "delivered" else []
        if _is_saved(call, after, [*worked, *rest]):
            return
        found = store.find_delivery(delivery.webhook_id, delivery.id)
    raise Stale("delivery.stale", "The delivery changed each time it was about to be written.")


def _may_probe(call: Call, rest: Rest) -> bool:
    """Whether a resting webhook may be tried, by this worker alone."""
    if rest.until > call.now:
        return False
    try:
        commit(call, [store.probe_write(rest, call.now)])
    except Stale:
        return False
    return True


def _rest_writes(webhook_id: str, rest: Rest | None, silent: bool, now: datetime) -> list[Write]:
    if silent:
        return [store.begin_rest(after_silence(webhook_id, rest, now))]
    return [store.end_rest(webhook_id)] if rest else []


def _put_off(call: Call, delivery: Delivery, until: datetime) -> None:
    """Try later, which counts as no try; where somebody else changed the delivery, what they wrote stands."""
    _is_saved(call, delivery.but(next_attempt_at=until, version=delivery.version + 1), [])


def _is_saved(call: Call, after: Delivery, writes: list[Write]) -> bool:
    look_again = after.next_attempt_at + PATIENCE if after.next_attempt_at else None
    try:
        commit(call, [store.save_delivery(after, look_again), *writes])
    except Stale:
        return False
    if after.next_attempt_at:
        queue_deliveries(call, [after], after.next_attempt_at)
    return True


def queue_overdue(call: Call) -> int:
    """Queue once more what should have been seen and was not; how many."""
    overdue = store.list_overdue(call.now)
    for delivery in overdue:
        again = delivery.but(next_attempt_at=call.now, version=delivery.version + 1)
        try:
            commit(call, [store.save_delivery(again, call.now + PATIENCE)])
        except Stale:
            continue
        queue_deliveries(call, [again])
    return len(overdue)


def secret_of(webhook: Webhook) -> str:
    """A webhook's secret, `whsec_` and base 64: made again from its id and serial, kept nowhere."""
    made = keys.secret_for("webhook", webhook.id, str(webhook.serial))
    return "whsec_" + base64.b64encode(made.encode()).decode()


def _tried(call: Call, webhook: Webhook, delivery: Delivery, sent_at: datetime) -> tuple[Attempt, bool]:
    """What came of a try, and whether the receiver let the time run out."""
    headers = signed_headers(secret_of(webhook), delivery.id, sent_at, delivery.body) | _bearer(webhook)
    try:
        status = send_webhook(webhook.url, headers, delivery.body, settings.webhook_networks())
    except NotSent as reason:
        return Attempt(at=call.now, error=str(reason)), isinstance(reason, NoAnswer)
    return Attempt(at=call.now, status=status), False


def _wants(webhook: Webhook, name: str) -> bool:
    """Whether a webhook is told of a fact; those of OpenADR subscriptions are told in the standard's words instead."""
    return webhook.subscription_id is None and name in (webhook.events or (name,))


def _bearer(webhook: Webhook) -> dict[str, str]:
    """The token that an OpenADR subscription asked to be sent along, as it stands now."""
    if webhook.subscription_id is None or webhook.client_id is None:
        return {}
    found = store_openadr.find_subscription(webhook.organisation, webhook.client_id, webhook.subscription_id)
    callbacks = [each for each in found.object_operations if each.callback_url == webhook.url] if found else []
    return next(({"Authorization": f"Bearer {each.bearer_token}"} for each in callbacks if each.bearer_token), {})


def _body(call: Call, envelope: Envelope) -> tuple[str, bool]:
    """What is sent: the fact, and its instructions as they stand; and whether they are tests."""
    found = load_instructions(envelope.body.get("instruction_ids", ())).values()
    views = [each.model_dump(mode="json", exclude={"issued_by", "moves"}) for each in views_of(call, found)]
    told = {"type": envelope.name, "timestamp": iso(envelope.at), "data": envelope.body | {"instructions": views}}
    return json.dumps(told, separators=(",", ":")), any(each["test"] for each in views)


def _own(call: Call, webhook_id: str) -> Webhook:
    webhook = store.find_webhook(call.organisation, webhook_id)
    if webhook is None:
        raise NotFound("webhook.not_found", "There is no such webhook.")
    return webhook


def _save(call: Call, webhook: Webhook, action: str) -> None:
    after = {"url": webhook.url, "events": list(webhook.events)}
    change = Change(thing=f"webhook:{webhook.id}", action=action, organisation=webhook.organisation, after=after)
    commit(call, [store.save_webhook(webhook)], [], [change], result=webhook.id)


def _view(webhook: Webhook, worked: datetime | None, now: datetime, secret: str | None = None) -> WebhookView:
    stale = now - (worked or webhook.created_at) > STALE_AFTER
    return WebhookView(**dict(webhook), last_success_at=worked, stale=stale, secret=secret)
