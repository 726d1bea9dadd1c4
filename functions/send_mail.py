"""Wakes on our own queue of mails and hands each to the post."""

from __future__ import annotations

from typing import Any

from chalicelib.edge.clock import wall_clock
from chalicelib.edge.entrance import messages
from chalicelib.edge.observe import count
from chalicelib.kernel.call import Call
from chalicelib.notifications.post import send_mail


def send_one(call: Call, body: dict[str, Any]) -> None:
    if not send_mail(call, body["mail_id"], wall_clock()):
        count("mails_refused")


handler = messages(send_one)
