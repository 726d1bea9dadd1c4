"""Owns keeping objects: each a file, flushed before the answer; their events are queued in the same turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ministack.services import s3

from local.cloud.recorder import stop_at_once, write_or_stop


class Objects:
    """Makes the emulator's object files durable where asked, and its notifications prompt in any case."""

    def __init__(self, durable: bool) -> None:
        self._write = s3._atomic_write
        s3._atomic_write = self._write_through if durable else self._write_or_stop
        # On a thread of its own, as the emulator has it, an event could slip between another request's reading of a
        # queue and its writing it back, and be lost.
        s3._fire_s3_event_async = _fire

    def _write_through(self, path: str, data: Any, *, text: bool = False) -> None:
        write_or_stop(Path(path), data.encode() if text else data)

    def _write_or_stop(self, path: str, data: Any, *, text: bool = False) -> None:
        try:
            self._write(path, data, text=text)
        except OSError as error:
            stop_at_once(error)


def _fire(bucket: str, key: str, event: str, *about: Any, **more: Any) -> None:
    if bucket in s3._bucket_notifications:
        s3._fire_s3_event(bucket, key, event, *about, **more, sequencer=s3._next_event_sequencer(event))
