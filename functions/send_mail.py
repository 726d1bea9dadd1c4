"""Wakes on our own queue of mails and hands each to the post."""

from __future__ import annotations

from typing import Any

from chalicelib.edge.entrance import messages
from chalicelib.kernel.call import Call
from chalicelib.notifications.post import send_mail


def send_one(call: Call, body: dict[str, Any]) -> None:
    send_mail(call, body["mail_id"])


handler = messages(send_one)
