"""Renders letters: subject, text and HTML from the templates beside it; an undefined name is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from chalicelib.notifications.models import Envelope, Mail, Recipient

_TEMPLATES = Path(__file__).parent / "templates"


def render(mail: Mail, recipient: Recipient, words: dict[str, Any], origin: str) -> Envelope:
    """A mail in words. `origin` is the address of the market's pages, for the link to the very page."""
    words = {**words, "recipient": recipient, "origin": origin, "mail": mail}
    subject = _fill(f"{mail.letter}/subject.txt", words).strip().replace("\n", " ")
    text = _fill(f"{mail.letter}/body.txt", words).strip() + "\n"
    return Envelope(subject=subject, text=text, html=_fill(f"{mail.letter}/body.html", words))


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
