"""Owns what a letter is and what is kept of one that was sent: ids and names, never prices, meters or addresses."""

from __future__ import annotations

from typing import Any, Literal

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.registry.models import Purpose

MailState = Literal["queued", "sent", "undeliverable", "returned"]
Cadence = Literal["at once", "digest"]


class Letter(Value):
    """One kind of letter: its templates' folder, who gets it, and whether several facts make one mail.

    `role` picks the people of the organisation; `contractual` letters cannot be unsubscribed from. A letter with a
    `route` goes to the organisation's verified addresses for that purpose, and to its people only where it has none.
    """

    name: str
    role: str
    route: Purpose | None = None
    cadence: Cadence = "at once"
    contractual: bool = True


class Told(Value):
    """One fact for one organisation: which letter, and what its templates may name."""

    letter: str
    organisation: str
    fact: str
    words: dict[str, Any]
    person: str | None = None


class Mail(Value):
    """One mail to one person. `words` is what the templates were given; the address is read when it is sent.

    Until `in_hand_until` one worker hands it over, by the clock of the worker's machine, and no other may.
    """

    id: str
    letter: str
    organisation: str
    person: str
    words: dict[str, Any]
    state: MailState = "queued"
    queued_at: Instant
    in_hand_until: Instant | None = None
    sent_at: Instant | None = None
    reason: str | None = None
    version: int = 1


class Envelope(Value):
    """A rendered mail, ready for the post."""

    subject: str
    text: str
    html: str


class MailQuery(PageQuery):
    """Mails of the caller's organisation, newest first."""


class MailView(Value):
    """What an organisation sees of a mail that was sent to its people."""

    id: str
    letter: str
    person: str
    state: MailState
    queued_at: Instant
    sent_at: Instant | None = None
    reason: str | None = None


class Recipient(Value):
    """Whom a mail greets, and in whose colours it comes."""

    name: str
    email: str
    organisation_name: str
