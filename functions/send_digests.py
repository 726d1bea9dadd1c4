"""Wakes every fifteen minutes and mails the facts that waited to be told together."""

from __future__ import annotations

from chalicelib.edge.entrance import tick
from chalicelib.kernel.call import Call
from chalicelib.notifications.actions import send_again, tell_digests


def mail_digests(call: Call) -> None:
    tell_digests(call)
    send_again(call)


handler = tick(mail_digests)
