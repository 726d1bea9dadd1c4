"""Wakes on what people are told of, and writes their mails."""

from __future__ import annotations

from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from chalicelib.notifications.actions import tell
from chalicelib.notifications.facts import facts_of


def notify(call: Call, envelope: Envelope) -> None:
    tell(call.as_system(), facts_of(call, envelope))


handler = reaction(notify)
