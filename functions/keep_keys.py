"""Wakes when another function needs a key to sealed bytes, judges the ask, and answers; it alone may unwrap data keys.

The answer goes back to the asker and nowhere else. Of each ask the log keeps who came through which door for what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.bidding import keeper as ballots
from chalicelib.edge.entrance import asked
from chalicelib.edge.observe import logger
from chalicelib.files import keeper as files
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refusal
from chalicelib.storage.key_words import Answered, Asked, RefusalTold

DOORS: dict[str, Callable[[Call, Asked], Answered]] = {
    "own": ballots.tell_own_keys,
    "opened": ballots.tell_opening_keys,
    "proposals": ballots.tell_proposals_key,
    "count": ballots.tell_count,
    "file": files.tell_file_key,
}


def answer(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to an ask, as JSON; refusals are answers too."""
    ask = Asked.model_validate(body)
    try:
        told = DOORS[ask.door](call, ask)
    except Refusal as refusal:
        told = Answered(refusal=RefusalTold.of(refusal))
    _note(ask, told)
    return told.model_dump(mode="json")


def _note(ask: Asked, told: Answered) -> None:
    came_to = told.refusal.code if told.refusal else "answered"
    who = {"organisation": ask.asker.organisation, "actor": ask.asker.id, "request_id": ask.request_id}
    logger().info("keys were asked for", extra={"door": ask.door, "ids": ask.ids, "came_to": came_to, **who})


handler = asked(answer)
