"""Wakes on our own queue of webhook deliveries and tries each; what fails comes again after its back-off."""

from __future__ import annotations

from typing import Any

from chalicelib.dispatch.actions_webhooks import deliver
from chalicelib.edge.clock import seconds_since, wall_clock
from chalicelib.edge.entrance import messages
from chalicelib.edge.observe import count
from chalicelib.kernel.call import Call


def deliver_one(call: Call, body: dict[str, Any]) -> None:
    count("webhook_late_seconds", seconds_since(call.now))
    deliver(call, body["organisation"], body["webhook"], body["delivery"], wall_clock())


handler = messages(deliver_one)
