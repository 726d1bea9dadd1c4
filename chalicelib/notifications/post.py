"""Hands mails to SES: the market's only way out to an inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.kernel.call import Call
from chalicelib.notifications import actions, actions_returns
from chalicelib.notifications.models import Envelope, Mail, Recipient
from chalicelib.notifications.rendering import render
from chalicelib.notifications.returns import WORDS
from chalicelib.storage import settings
from chalicelib.storage.clients import client

_NEVER = {"MessageRejected", "InvalidParameterValue"}


def send_mail(call: Call, mail_id: str, at: datetime) -> bool:
    """Send one mail, then mark it sent; no when the post refused it for good, so that nobody will get it.

    It is taken in hand first, `at` an instant of the machine's clock, so that no two workers send it. A crash between
    sending and marking sends it a second time under the same id: that window is the only one, and is accepted.
    Throttling and faults of the post are raised, so that the queue brings the mail again.
    """
    mail = actions.find_unsent(mail_id)
    if mail is None:
        return True
    addressed = _addressed(mail)
    if addressed is None:
        actions.record_undeliverable(call, mail, "the person has left, or the code no longer counts")
        return True
    recipient, words = addressed
    held = actions_returns.is_suppressed(mail, recipient.email)
    if held is not None:
        actions.record_undeliverable(call, mail, f"held back since {held.at:%d %B %Y}: {WORDS[held.why]}")
        return True
    mail = actions.take(call, mail, at)
    try:
        _hand_over(mail_id, recipient, render(mail, recipient, words, settings.web_origin()))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _NEVER:
            actions.let_go(call, mail)
            raise
        actions.record_undeliverable(call, mail, f"the post refused it: {code}")
        return False
    actions.record_sent(call, mail)
    return True


def _addressed(mail: Mail) -> tuple[Recipient, dict[str, Any]] | None:
    """Whom a mail goes to and what its templates may name; a code is made again here and stored nowhere."""
    if "purpose" not in mail.words:
        recipient = actions.find_recipient(mail)
        return (recipient, mail.words) if recipient else None
    letter = actions.find_code(mail)
    if letter is None:
        return None
    recipient = Recipient(name=letter.name, email=letter.email, organisation_name=letter.organisation_name or "you")
    until = letter.valid_until.strftime("%d %B %Y %H:%M UTC")
    return recipient, {**mail.words, **letter.model_dump(), "valid_until": until}


def _hand_over(mail_id: str, recipient: Recipient, envelope: Envelope) -> None:
    client("ses").send_email(
        Source=settings.mail_sender(),
        Destination={"ToAddresses": [recipient.email]},
        Message={
            "Subject": {"Data": envelope.subject, "Charset": "UTF-8"},
            "Body": {
                "Text": {"Data": envelope.text, "Charset": "UTF-8"},
                "Html": {"Data": envelope.html, "Charset": "UTF-8"},
            },
        },
        Tags=[{"Name": "mail_id", "Value": mail_id}],
    )
