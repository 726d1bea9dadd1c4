"""Tells an organisation by which ways it is told of dispatch, and when each last worked."""

from __future__ import annotations

from chalicelib.dispatch import actions_openadr as openadr
from chalicelib.dispatch import actions_webhooks as webhooks
from chalicelib.dispatch.webhooks import WebhookQuery
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page
from chalicelib.notifications import store
from chalicelib.notifications.actions import at_route
from chalicelib.notifications.channels import Channel, channel_of_client, channel_of_route, channel_of_webhook
from chalicelib.registry import actions_organisations as registry


def list_channels(call: Call) -> Page[Channel]:
    """Every way the caller's organisation is told of dispatch: when each last worked, `stale` after 90 days without."""
    worked = store.last_reached(call.organisation)
    routes = [each for each in registry.list_contact_routes(call).items if each.purpose == "dispatch"]
    mails = [channel_of_route(each, worked.get(at_route(each.email)), call.now) for each in routes]
    hooks = [channel_of_webhook(each) for each in webhooks.list_webhooks(call, WebhookQuery()).items]
    clients = [channel_of_client(each, call.now) for each in openadr.list_clients(call)]
    return Page(items=[*mails, *hooks, *clients])
