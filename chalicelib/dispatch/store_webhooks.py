"""Owns the rows of webhooks: each organisation's, their deliveries, and when each last worked."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.dispatch.webhooks import PROBE, Delivery, Rest, Webhook
from chalicelib.kernel.errors import Refused, Stale
from chalicelib.kernel.models import Page, iso
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    get,
    get_many,
    query,
    query_all,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, create, put, put_if, remove, replace, text

_DUE = "webhook"


class _WebhookRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Webhook)


class _DeliveryRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    due = UnicodeAttribute(null=True)
    next_check_at = InstantAttribute(null=True)
    body = BodyAttribute(Delivery)


class _SuccessRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    at = InstantAttribute()


class _RestRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Rest)
    until = UnicodeAttribute()


def list_webhooks(organisation: str) -> list[Webhook]:
    """An organisation's webhooks that were not removed."""
    rows = query_all(_WebhookRow, f"webhooks#{organisation}")
    return [row.body for row in rows if not row.body.removed]


def find_webhook(organisation: str, webhook_id: str) -> Webhook | None:
    found = find_any_webhook(organisation, webhook_id)
    return found if found and not found.removed else None


def find_any_webhook(organisation: str, webhook_id: str) -> Webhook | None:
    """A webhook, also one that was removed."""
    row = get(_WebhookRow, f"webhooks#{organisation}", webhook_id)
    return row.body if row else None


def save_webhook(webhook: Webhook) -> Write:
    row = _WebhookRow(pk=f"webhooks#{webhook.organisation}", sk=webhook.id, version=webhook.version, body=webhook)
    return create(row) if webhook.version == 1 else replace(row)


def find_delivery(webhook_id: str, delivery_id: str) -> Delivery | None:
    row = get(_DeliveryRow, webhook_id, f"delivery#{delivery_id}")
    return row.body if row else None


def list_deliveries(webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
    page = query(_DeliveryRow, webhook_id, "delivery#", limit=limit, cursor=cursor, newest_first=True)
    return Page(items=[row.body for row in page.items], next=page.next)


def save_delivery(delivery: Delivery, look_again_at: datetime | None, standing: Refused | None = None) -> Write:
    """Write a delivery, new at version 1; a message lost on the way is missed at `look_again_at`."""
    row = _DeliveryRow(
        pk=delivery.webhook_id,
        sk=f"delivery#{delivery.id}",
        version=delivery.version,
        due=_DUE if look_again_at else None,
        next_check_at=look_again_at,
        body=delivery,
    )
    return create(row, standing) if delivery.version == 1 else replace(row)


def list_overdue(now: datetime) -> list[Delivery]:
    """Deliveries whose message should have been seen by `now`."""
    return [row.body for row in query_index_all(_DeliveryRow, "due", _DUE, between=("0", iso(now)))]


def succeeded(webhook_id: str, at: datetime) -> Write:
    return put(_SuccessRow(pk=webhook_id, sk="success", at=at))


def last_successes(webhook_ids: list[str]) -> dict[str, datetime]:
    """When each webhook last worked; those that never did are left out."""
    rows = get_many(_SuccessRow, [(webhook_id, "success") for webhook_id in webhook_ids])
    return {row.pk: row.at for row in rows}


def find_rest(webhook_id: str) -> Rest | None:
    row = get(_RestRow, webhook_id, "rest")
    return row.body if row else None


def begin_rest(rest: Rest) -> Write:
    return put(_RestRow(pk=rest.webhook_id, sk="rest", body=rest, until=iso(rest.until)))


def end_rest(webhook_id: str) -> Write:
    return remove(_RestRow, webhook_id, "rest")


def probe_write(rest: Rest, now: datetime) -> Write:
    """One try at the end of a rest: whoever writes this first makes it, and the others wait for what comes of it."""
    probing = rest.but(until=now + PROBE)
    row = _RestRow(pk=rest.webhook_id, sk="rest", body=probing, until=iso(probing.until))
    return put_if(row, "#until = :was", {":was": text(iso(rest.until))}, Stale("rest.probed", "Another worker tries."))
