"""Endpoints of webhooks: where an organisation is told of dispatch, and what was delivered there."""

from __future__ import annotations

from chalicelib.dispatch import actions_webhooks as actions
from chalicelib.dispatch.routes import routes
from chalicelib.dispatch.webhooks import Delivery, DeliveryQuery, WebhookQuery, WebhookRequest, WebhookView
from chalicelib.edge.web import Page, either, fsp, so
from chalicelib.kernel.call import Call

_ACCOUNT = either(fsp("account"), so("account"))


@routes.get("/webhooks", query=WebhookQuery, returns=Page[WebhookView], who=_ACCOUNT)
def list_webhooks(call: Call, query: WebhookQuery) -> Page[WebhookView]:
    """Where the organisation is told of dispatch, and when each last worked."""
    return actions.list_webhooks(call, query)


@routes.post(
    "/webhooks", body=WebhookRequest, returns=WebhookView, status=201, who=_ACCOUNT, replay=actions.get_webhook
)
def add_webhook(call: Call, body: WebhookRequest) -> WebhookView:
    """Add an address; the answer holds its secret."""
    return actions.add_webhook(call, body)


@routes.get("/webhooks/{webhook_id}", returns=WebhookView, who=_ACCOUNT)
def get_webhook(call: Call, webhook_id: str) -> WebhookView:
    """One webhook."""
    return actions.get_webhook(call, webhook_id)


@routes.delete("/webhooks/{webhook_id}", who=_ACCOUNT)
def remove_webhook(call: Call, webhook_id: str) -> None:
    """Tell the address no more."""
    actions.remove_webhook(call, webhook_id)


@routes.post("/webhooks/{webhook_id}/secret", returns=WebhookView, status=201, who=_ACCOUNT, replay=actions.get_webhook)
def change_webhook_secret(call: Call, webhook_id: str) -> WebhookView:
    """Sign with a new secret from now on; the answer holds it."""
    return actions.change_secret(call, webhook_id)


@routes.get("/webhooks/{webhook_id}/deliveries", query=DeliveryQuery, returns=Page[Delivery], who=_ACCOUNT)
def list_webhook_deliveries(call: Call, webhook_id: str, query: DeliveryQuery) -> Page[Delivery]:
    """What was sent there, with every try."""
    return actions.list_deliveries(call, webhook_id, query)


@routes.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    returns=Delivery,
    who=_ACCOUNT,
    replay=actions.get_delivery,
)
def replay_webhook_delivery(call: Call, webhook_id: str, delivery_id: str) -> Delivery:
    """Send a delivery again."""
    return actions.replay_delivery(call, webhook_id, delivery_id)
