"""Owns what the post tells of a mail that came back, as SES words it, and what an address that did so means. Pure.

A permanent bounce and a complaint end mail to an address; what may pass (a full mailbox, a greylist) does not.
Source: Amazon SES Developer Guide, "Examples of event data that Amazon SES publishes to Amazon SNS".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from chalicelib.kernel.models import Instant, PageQuery, Value

Why = Literal["bounced", "complained"]
WORDS: dict[Why, str] = {
    "bounced": "the mailbox does not exist or takes nothing",
    "complained": "its reader reported it as unwanted",
}


class Return(Value):
    """A mail that came back for good: which, why, from which address, when."""

    mail_id: str
    why: Why
    address: str
    at: Instant


class Suppressed(Value):
    """An address of a person (or route) that mail came back from; nothing more is sent there until it is changed.

    The address itself is not kept, only what tells whether it is still the same.
    """

    organisation: str
    person: str
    digest: str
    why: Why
    mail_id: str
    at: Instant


class SuppressionView(Value):
    """Whom the organisation's mail no longer reaches, since when and why. The recipient is as in the list of mails."""

    recipient_id: str
    why: Why
    reason: str
    mail_id: str
    since: Instant


class SuppressionQuery(PageQuery):
    """Those of the caller's organisation, in order of recipient."""


def returns_in(notice: Mapping[str, Any]) -> list[Return]:
    """The mails that a notice of SES says came back for good, by recipient; none for what may pass, and for tests of
    the topic. KeyError for a notice that lacks what it must hold."""
    match notice.get("eventType"):
        case "Bounce" if notice["bounce"]["bounceType"] == "Permanent":
            return _of(notice, "bounced", notice["bounce"], "bouncedRecipients")
        case "Complaint":
            return _of(notice, "complained", notice["complaint"], "complainedRecipients")
    return []


def digest_of(address: str) -> str:
    """What an address is told apart by: letters' case says nothing to the post."""
    return hashlib.sha256(address.strip().casefold().encode()).hexdigest()


def _of(notice: Mapping[str, Any], why: Why, told: Mapping[str, Any], recipients: str) -> list[Return]:
    [mail_id] = notice["mail"]["tags"]["mail_id"]
    return [
        Return(mail_id=mail_id, why=why, address=each["emailAddress"], at=told["timestamp"])
        for each in told[recipients]
    ]
