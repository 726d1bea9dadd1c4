"""Keeps OpenADR subscriptions: each callback is a webhook, checked, signed, tried again and logged as all are."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.dispatch import store_openadr as store
from chalicelib.dispatch import store_webhooks as hooks
from chalicelib.dispatch.actions_availability import own_obligation
from chalicelib.dispatch.actions_openadr import named_nothing, page_of
from chalicelib.dispatch.actions_openadr_telling import Told, tell_own, webhook_id_of
from chalicelib.dispatch.openadr_models import Operation, Subscription, SubscriptionRequest, Subscriptions
from chalicelib.dispatch.openadr_queries import SubscriptionQuery
from chalicelib.dispatch.webhooks import Webhook, url_problems
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refused, raise_problems
from chalicelib.storage import settings
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

MOST_SUBSCRIPTIONS = 10


def list_subscriptions(call: Call, query: SubscriptionQuery) -> Subscriptions:
    """The calling client's subscriptions."""
    found = store.list_subscriptions(call.organisation, call.actor.id)
    wanted = (each for each in found if _is_wanted(query, each))
    return Subscriptions(page_of(wanted, query.skip, query.limit))


def get_subscription(call: Call, subscription_id: str) -> Subscription:
    """One of the calling client's subscriptions."""
    found = store.find_subscription(call.organisation, call.actor.id, subscription_id)
    if found is None:
        raise NotFound("subscription.not_found", "There is no such subscription.")
    return found


def add_subscription(call: Call, request: SubscriptionRequest) -> Subscription:
    """Tell the client's callbacks from now on."""
    _check(call, request)
    if len(store.list_subscriptions(call.organisation, call.actor.id)) >= MOST_SUBSCRIPTIONS:
        raise Refused("subscription.too_many", f"A client has at most {MOST_SUBSCRIPTIONS} subscriptions.")
    made = Subscription(
        **dict(request),
        id=call.new_id("sub"),
        created_date_time=call.now,
        modification_date_time=call.now,
        client_id=call.actor.id,
    )
    writes = [store.new_subscription(call.organisation, made), *_hooked(call, made, set())]
    _save(call, made, writes, "openadr.subscription_added")
    _tell(call, made, "CREATE")
    return made


def change_subscription(call: Call, subscription_id: str, request: SubscriptionRequest) -> Subscription:
    """Tell of other things, or elsewhere."""
    before = get_subscription(call, subscription_id)
    _check(call, request)
    after = Subscription.model_validate({**dict(before), **dict(request), "modification_date_time": call.now})
    writes = [store.changed_subscription(call.organisation, after), *_hooked(call, after, _urls(before))]
    _save(call, after, writes, "openadr.subscription_changed")
    _tell(call, after, "UPDATE")
    return after


def remove_subscription(call: Call, subscription_id: str) -> Subscription:
    """Tell its callbacks no more; what was delivered stays in the log."""
    before = get_subscription(call, subscription_id)
    writes = [store.removed_subscription(call.organisation, before), *_unhooked(call, before, _urls(before))]
    _save(call, before, writes, "openadr.subscription_removed")
    return before


def _check(call: Call, request: SubscriptionRequest) -> None:
    """Every breach of its callbacks' addresses, or a program that is not the caller's."""
    problems: list[Problem] = []
    for place, each in enumerate(request.object_operations):
        for found in url_problems(each.callback_url, settings.webhook_networks()):
            field = f"objectOperations/{place}/callbackUrl"
            problems.append(Problem(found.code, found.detail, field, found.allowed))
    raise_problems(problems)
    try:
        if request.program_id is not None:
            own_obligation(call, request.program_id)
    except NotFound as missing:
        raise named_nothing(missing, "programID") from missing


def _hooked(call: Call, subscription: Subscription, before: set[str]) -> list[Write]:
    """The webhooks of a subscription's callbacks: new ones begin, those it had and has no more end."""
    now = _urls(subscription)
    return [
        *(hooks.save_webhook(each) for each in _begun(call, subscription, now - before)),
        *_unhooked(call, subscription, before - now),
    ]


def _begun(call: Call, subscription: Subscription, urls: set[str]) -> Iterator[Webhook]:
    for url in sorted(urls):
        webhook_id = webhook_id_of(subscription.id, url)
        standing = hooks.find_any_webhook(call.organisation, webhook_id)
        yield Webhook(
            id=webhook_id,
            organisation=call.organisation,
            url=url,
            subscription_id=subscription.id,
            client_id=subscription.client_id,
            created_at=call.now,
            version=standing.version + 1 if standing else 1,
        )


def _unhooked(call: Call, subscription: Subscription, urls: set[str]) -> list[Write]:
    found = (hooks.find_webhook(call.organisation, webhook_id_of(subscription.id, url)) for url in sorted(urls))
    return [hooks.save_webhook(each.but(removed=True, version=each.version + 1)) for each in found if each]


def _urls(subscription: Subscription) -> set[str]:
    return {each.callback_url for each in subscription.object_operations}


def _is_wanted(query: SubscriptionQuery, subscription: Subscription) -> bool:
    objects = {kind for each in subscription.object_operations for kind in each.objects}
    return (
        query.program_id in (None, subscription.program_id)
        and query.client_name in (None, subscription.client_name)
        and {each.upper() for each in query.objects} <= objects
    )


def _save(call: Call, subscription: Subscription, writes: list[Write], action: str) -> None:
    """Write it; the trail holds no bearer token."""
    after = {"client_name": subscription.client_name, "callbacks": sorted(_urls(subscription))}
    change = Change(thing=f"openadr:{subscription.id}", action=action, organisation=call.organisation, after=after)
    commit(call, writes, [], [change], result=subscription.id)


def _tell(call: Call, subscription: Subscription, operation: Operation) -> None:
    bare = [each.model_copy(update={"bearer_token": None}) for each in subscription.object_operations]  # nosec B105
    thing = subscription.model_copy(update={"object_operations": tuple(bare)})
    program = subscription.program_id
    told = Told(kind="SUBSCRIPTION", operation=operation, thing=thing, thing_id=thing.id, program=program)
    tell_own(call, told)
