"""Owns telling the journal: whose account a change belongs to, and what happens when the disk takes no more."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from local.journal import Journal, Record, write_whole

DISK_FAILED = 28


class Recorder:
    """Appends changes under the account and region of the request being answered; silent until a journal is open."""

    def __init__(self) -> None:
        self.journal: Journal | None = None

    def tell(self, **what: Any) -> None:
        if self.journal is None:
            return
        from ministack.core import responses

        record: Record = {"scope": [responses.get_account_id(), responses.get_region()], **what}
        try:
            self.journal.append(record)
        except OSError as error:
            stop_at_once(error)

    async def durable(self) -> None:
        if self.journal is not None:
            await self.journal.durable()


def write_or_stop(path: Path, content: bytes) -> None:
    """Replace a file as a whole, or stop the process."""
    try:
        write_whole(path, content)
    except OSError as error:
        stop_at_once(error)


def stop_at_once(error: OSError) -> NoReturn:
    """End the process unanswered: what is in memory and not on disk must not be told to anybody."""
    print(f"the market's state could not be written: {error}", file=sys.stderr, flush=True)
    os._exit(DISK_FAILED)
