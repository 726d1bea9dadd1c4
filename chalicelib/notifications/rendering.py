"""Renders letters: subject, text and HTML from the templates beside it; an undefined name is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from chalicelib.kernel.names import is_name, one_line
from chalicelib.notifications.models import Envelope, Mail, Recipient

LONGEST_SUBJECT = 250
_TEMPLATES = Path(__file__).parent / "templates"


def render(mail: Mail, recipient: Recipient, words: dict[str, Any], origin: str) -> Envelope:
    """A mail in words. `origin` is the address of the market's pages, for the link to the very page."""
    words = {**words, "recipient": _greeted(recipient), "origin": origin, "mail": mail}
    subject = one_line(_fill(f"{mail.letter}/subject.txt", words), LONGEST_SUBJECT)
    text = _fill(f"{mail.letter}/body.txt", words).strip() + "\n"
    return Envelope(subject=subject, text=text, html=_fill(f"{mail.letter}/body.html", words))


def _greeted(recipient: Recipient) -> Recipient:
    """The last fence: a name from before names were checked greets nobody, and leads nobody anywhere."""
    greeted: Recipient = recipient.but(
        name=recipient.name if is_name(recipient.name) else "colleague",
        organisation_name=recipient.organisation_name if is_name(recipient.organisation_name) else "you",
    )
    return greeted


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _fill(name: str, words: dict[str, Any]) -> str:
    return _environment().get_template(name).render(words)
