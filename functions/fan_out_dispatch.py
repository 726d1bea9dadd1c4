"""Wakes on every fact of dispatch and on contracts, and writes what webhooks and OpenADR subscribers are sent."""

from __future__ import annotations

from chalicelib.dispatch.actions_openadr_telling import tell_facts
from chalicelib.dispatch.actions_webhooks import fan_out
from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope


def tell_webhooks(call: Call, envelope: Envelope) -> None:
    if envelope.name.startswith("dispatch."):
        fan_out(call.as_system(), envelope)
    tell_facts(call.as_system(), envelope)


handler = reaction(tell_webhooks)
