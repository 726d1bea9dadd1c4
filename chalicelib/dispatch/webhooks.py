"""Owns what a webhook is, how it is signed (Standard Webhooks 1.0), when it is tried again, and where it may go."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import Instant, PageQuery, Value

EventName = Literal[
    "dispatch.availability_changed.v1",
    "dispatch.instructions_answered.v1",
    "dispatch.instructions_cancelled.v1",
    "dispatch.instructions_ended.v1",
    "dispatch.instructions_escalated.v1",
    "dispatch.instructions_expired.v1",
    "dispatch.instructions_sent.v1",
    "dispatch.instructions_started.v1",
    "dispatch.instructions_stopped.v1",
]
DeliveryState = Literal["waiting", "delivered", "failed"]
BACK_OFF = (5, 30, 120, 600, *([900] * 12))
"""Seconds before each further attempt: quick at first, since instructions are; about three and a half hours in all."""

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
PROBE = timedelta(seconds=30)
IN_HAND = timedelta(seconds=15)  # longer than a try can take
STALE_AFTER = timedelta(days=90)
MOST_WEBHOOKS = 10
_FIRST_FREE_PORT = 1024  # below it listen mail and shells, which a webhook's text must not reach
_HOME_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")
_TRANSLATED = tuple(ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
Address = IPv4Address | IPv6Address


class Webhook(Value):
    """An address an organisation is told of dispatch at. Its secret is made from id and `serial` and kept nowhere.

    One that an OpenADR subscription of the client `client_id` brought along is told what that asks for alone.
    """

    id: str
    organisation: str
    url: str
    events: tuple[EventName, ...] = ()
    serial: int = 1
    subscription_id: str | None = None
    client_id: str | None = None
    created_at: Instant
    removed: bool = False
    version: int = 1


class Attempt(Value):
    """One try: the status that came back, or why none did."""

    at: Instant
    status: int | None = None
    error: str | None = None


class Delivery(Value):
    """One message to one webhook: the same id and body at every try, so that the receiver can tell."""

    id: str
    webhook_id: str
    organisation: str
    event: str
    body: str
    test: bool = False
    state: DeliveryState = "waiting"
    created_at: Instant
    next_attempt_at: Instant | None = None
    tries: int = Field(default=0, description="since it was last asked for")
    in_hand_until: Instant | None = Field(default=None, description="while a worker is trying it")
    attempts: tuple[Attempt, ...] = ()
    version: int = 1


class Rest(Value):
    """A webhook that did not answer in time: until when it is left alone, and how often in a row it was silent.

    Whoever keeps us waiting costs everybody, so each silence makes the rest twice as long; one answer ends it.
    """

    webhook_id: str
    until: Instant
    silences: int


class WebhookRequest(Value):
    """Where to tell, over https; which events, all unless named."""

    url: str = Field(min_length=1, max_length=2000)
    events: tuple[EventName, ...] = Field(default=(), max_length=len(get_args(EventName)))


class WebhookView(Webhook):
    """A webhook with when it last worked; `stale` when nothing arrived in 90 days. The secret is shown when made."""

    last_success_at: Instant | None = None
    stale: bool
    secret: str | None = None


class WebhookQuery(PageQuery):
    """The caller's webhooks."""


class DeliveryQuery(PageQuery):
    """Deliveries of one webhook, latest first."""


def signed_headers(secret: str, delivery_id: str, sent_at: datetime, body: str) -> dict[str, str]:
    """The headers of a try (Standard Webhooks 1.0): HMAC-SHA256 over `id.timestamp.body`, the key behind `whsec_`."""
    timestamp = str(int(sent_at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{delivery_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Headroom-Webhooks/1",
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def after_attempt(delivery: Delivery, attempt: Attempt) -> Delivery:
    """The delivery after a try: delivered by any 2xx, tried again while there is back-off left, else failed."""
    tries = delivery.tries + 1
    told = {"attempts": (*delivery.attempts, attempt), "tries": tries}
    done = told | {"in_hand_until": None, "version": delivery.version + 1}
    if attempt.status is not None and 200 <= attempt.status < 300:
        return delivery.but(state="delivered", next_attempt_at=None, **done)  # type: ignore[no-any-return]
    if tries > len(BACK_OFF):
        return delivery.but(state="failed", next_attempt_at=None, **done)  # type: ignore[no-any-return]
    following = attempt.at + timedelta(seconds=BACK_OFF[tries - 1])
    return delivery.but(next_attempt_at=following, **done)  # type: ignore[no-any-return]


def after_silence(webhook_id: str, before: Rest | None, now: datetime) -> Rest:
    """The rest of a webhook that was silent (once more)."""
    silences = before.silences + 1 if before else 1
    length = min(FIRST_REST * 2 ** min(silences - 1, 10), LONGEST_REST)
    return Rest(webhook_id=webhook_id, until=now + length, silences=silences)


def port_of(parts: SplitResult) -> int:
    """The port an address leads to."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def url_problems(url: str, networks: tuple[str, ...] = ()) -> list[Problem]:
    """Every breach of a webhook's address: https, a name, nothing of its own in it, and no private address."""
    allowed = "https://name/path on the public internet"
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
        host.encode("idna")  # what cannot be asked of the DNS: empty or overlong parts, letters of no script
    except ValueError:
        return [Problem("webhook.url", "That is not an address.", "url", allowed)]
    if not host or parts.username or parts.password or parts.fragment:
        return [Problem("webhook.url", "That is not an address of a receiver.", "url", allowed)]
    own = any(_is_in(address, networks) for address in _literal(host))
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        return [Problem("webhook.https", "Webhooks go over https alone.", "url", allowed)]
    home = host.rsplit(".", 1)[-1] in _HOME_NAMES or host.endswith(".home.arpa")
    if not own and port_of(parts) != 443 and port_of(parts) < _FIRST_FREE_PORT:
        return [Problem("webhook.port", "Webhooks go to port 443 or one of 1024 and above.", "url", allowed)]
    if (home or not all(may_receive(address, networks) for address in _literal(host))) and not own:
        return [Problem("webhook.private", "That address is private.", "url", allowed)]
    return []


def may_receive(address: Address, networks: tuple[str, ...] = ()) -> bool:
    """Whether a webhook may be sent to an address: public ones, and those of `networks` that the deployment allows.

    An IPv4 address in IPv6 clothes is judged as what it is; translated ones (NAT64, 6to4, Teredo) are never taken.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return may_receive(address.ipv4_mapped, networks)
        if any(address in network for network in _TRANSLATED):
            return False
    return _is_in(address, networks) or (address.is_global and not address.is_multicast)


def _is_in(address: Address, networks: tuple[str, ...]) -> bool:
    return any(address in ip_network(network) for network in networks)


def _literal(host: str) -> list[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        return []
