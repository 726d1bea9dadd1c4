"""Wakes on every fact of dispatch, and writes what each webhook of its two sides is sent."""

from __future__ import annotations

from chalicelib.dispatch.actions_webhooks import fan_out
from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope


def tell_webhooks(call: Call, envelope: Envelope) -> None:
    fan_out(call.as_system(), envelope)


handler = reaction(tell_webhooks)
