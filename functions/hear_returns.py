"""Wakes when the post tells of mails that came back, and sees that nothing more is sent to where they came from."""

from __future__ import annotations

from typing import Any

from chalicelib.edge.entrance import notices
from chalicelib.kernel.call import Call
from chalicelib.notifications.actions_returns import record_return
from chalicelib.notifications.returns import returns_in


def hear(call: Call, notice: dict[str, Any]) -> None:
    for came_back in returns_in(notice):
        record_return(call, came_back)


handler = notices(hear)
