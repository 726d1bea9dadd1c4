"""Owns looking at the mail a local market sent: the list, and each mail as its reader would see it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.request import urlopen

from chalicelib.storage import settings
from local import pages
from local.clock import Clock

_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was handed to SES; `at` is the market's instant of that."""

    id: str
    at: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str


def mails(account: str, clock: Clock) -> list[Mail]:
    """Every mail of an account, oldest first."""
    address = f"{settings.endpoint_url()}/_ministack/ses/messages?account={account}"
    with urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:
        found = json.load(answer)["messages"].get(account, [])
    return [_mail(mail, clock) for mail in found]


def as_json(found: list[Mail], to: str | None = None) -> bytes:
    """The mails, or only those to one address, oldest first."""
    chosen = [mail for mail in found if to is None or to in mail.to]
    return json.dumps({"items": [asdict(mail) for mail in chosen]}, indent=1).encode()


def as_page(found: list[Mail]) -> bytes:
    """The list, newest first."""
    rows = "".join(_row(mail) for mail in reversed(found))
    head = "<tr><th>Sent</th><th>To</th><th>Subject</th></tr>"
    body = f"<table>{head}{rows}</table>" if found else "<p>No mail has been sent yet.</p>"
    return pages.page("Mailbox", f"<p>{len(found)} mails, newest first. Nothing leaves this machine.</p>{body}")


def mail_page(mail: Mail) -> bytes:
    """One mail: its HTML in a frame that runs nothing, its text below."""
    facts = f"<p>To {escape(', '.join(mail.to))}<br>From {escape(mail.sender)}<br>{_when(mail)}</p>"
    frame = f'<iframe sandbox srcdoc="{escape(mail.html)}"></iframe>' if mail.html else ""
    text = f"<h2>As text</h2><pre>{escape(mail.text)}</pre>"
    return pages.page(mail.subject, f'<p><a href="/mailbox">Mailbox</a></p>{facts}{frame}{text}')


def _mail(sent: dict[str, Any], clock: Clock) -> Mail:
    at = clock.at(datetime.fromtimestamp(sent["Timestamp"], UTC))
    return Mail(
        id=sent["MessageId"].partition("@")[0],
        at=at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        sender=sent["Source"],
        to=tuple(sent["To"] + sent["CC"] + sent["BCC"]),
        subject=sent["Subject"] or "",
        text=sent["BodyText"] or "",
        html=sent["BodyHtml"] or "",
    )


def _row(mail: Mail) -> str:
    subject = f'<a href="/mailbox/{escape(mail.id)}">{escape(mail.subject)}</a>'
    return f"<tr><td>{_when(mail)}</td><td>{escape(', '.join(mail.to))}</td><td>{subject}</td></tr>"


def _when(mail: Mail) -> str:
    return escape(mail.at.replace("T", " ").replace("Z", " UTC"))
