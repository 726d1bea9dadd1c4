"""Owns how the ways of telling an organisation of dispatch are shown: when each last worked, whether it is stale."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from chalicelib.dispatch.openadr_models import OpenadrClient
from chalicelib.dispatch.webhooks import WebhookView
from chalicelib.kernel.models import Instant, Value
from chalicelib.registry.requests import ContactRouteView

STALE_AFTER = timedelta(days=90)


class Channel(Value):
    """One way: an address for mails, a webhook by its host, or an OpenADR client by the name of its VEN.

    `stale` says that nothing got through in 90 days.
    """

    kind: Literal["mail", "webhook", "openadr"]
    id: str = Field(description="of the contact route, webhook or client")
    address: str
    verified: bool = Field(description="nothing is sent to an address that is not")
    last_success_at: Instant | None
    stale: bool


def channel_of_route(route: ContactRouteView, worked: datetime | None, now: datetime) -> Channel:
    """A contact route; its verification proved it too, since a code came back from it."""
    proven = max((each for each in (worked, route.verified_at) if each is not None), default=None)
    return Channel(
        kind="mail",
        id=route.id,
        address=route.email,
        verified=route.verified_at is not None,
        last_success_at=proven,
        stale=proven is None or now - proven > STALE_AFTER,
    )


def channel_of_webhook(webhook: WebhookView) -> Channel:
    """A webhook, without what else its address may hold."""
    return Channel(
        kind="webhook",
        id=webhook.id,
        address=urlsplit(webhook.url).hostname or "",
        verified=True,
        last_success_at=webhook.last_success_at,
        stale=webhook.stale,
    )


def channel_of_client(client: OpenadrClient, now: datetime) -> Channel:
    """An OpenADR client: what it fetches, it got."""
    return Channel(
        kind="openadr",
        id=client.id,
        address=client.ven_name or client.id,
        verified=True,
        last_success_at=client.last_fetched_at,
        stale=client.last_fetched_at is None or now - client.last_fetched_at > STALE_AFTER,
    )
