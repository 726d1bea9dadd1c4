"""Owns the write-ahead journal: records appended as they are applied, on disk before an answer, folded at start.

A folder holds one `snapshot-<n>` and the `journal-<n>` written after it; older ones are ignored. Each line is a
checksum and a JSON value. A torn last line of a journal is what a crash leaves and is dropped; any other bad line is
refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

Record = dict[str, Any]


class Damaged(Exception):
    """A file of the journal holds a bad line before its end; the text names it."""


class Journal:
    """An open journal. Appending keeps the order of the calls; `durable` waits until all appended so far is on disk."""

    def __init__(self, folder: Path, generation: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(_journal(folder, generation), flags, 0o600)
        self._appending = Lock()
        self._syncing = asyncio.Lock()
        self._written = 0
        self._synced = 0

    def append(self, record: Record) -> None:
        """Write a record; OSError when the disk does not take all of it."""
        line = encode(record)
        with self._appending:
            if os.write(self._file, line) != len(line):
                raise OSError(28, "No space left on device")
            self._written += len(line)

    async def durable(self) -> None:
        """Return once everything appended before this call is on disk; many waiters share one fsync."""
        wanted = self._written
        while self._synced < wanted:
            async with self._syncing:
                if self._synced < wanted:
                    reached = self._written
                    await asyncio.to_thread(os.fdatasync, self._file)
                    self._synced = reached

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)


def read(folder: Path) -> Iterator[Record]:
    """Every record of the latest generation, snapshot first; `Damaged` when one cannot be trusted."""
    generation = latest_generation(folder)
    if generation == 0:
        return
    yield from _records(_snapshot(folder, generation), may_be_torn=False)
    if _journal(folder, generation).exists():
        yield from _records(_journal(folder, generation), may_be_torn=True)


def fold(folder: Path, state: Iterable[Record]) -> Journal:
    """Write a new snapshot of the state, open the journal that follows it and drop older generations."""
    folder.mkdir(parents=True, exist_ok=True)
    generation = latest_generation(folder) + 1
    unfinished = folder / "snapshot.unfinished"
    with open(unfinished, "wb") as file:
        for record in state:
            file.write(encode(record))
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, _snapshot(folder, generation))
    journal = Journal(folder, generation)
    sync_folder(folder)
    for old in range(1, generation):
        _snapshot(folder, old).unlink(missing_ok=True)
        _journal(folder, old).unlink(missing_ok=True)
    return journal


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file as a whole: readers and crashes see the old content or the new, never a part."""
    unfinished = path.with_name(path.name + ".unfinished")
    with open(unfinished, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def encode(record: Record) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def latest_generation(folder: Path) -> int:
    """The number of the latest snapshot, 0 where there is none."""
    return max((int(path.name.partition("-")[2]) for path in folder.glob("snapshot-*")), default=0)


def _records(path: Path, may_be_torn: bool) -> Iterator[Record]:
    with open(path, "rb") as lines:
        bad = False
        for number, line in enumerate(lines, 1):
            if bad:
                raise Damaged(f"{path} is damaged at line {number - 1}")
            record = _decode(line)
            if record is not None:
                yield record
            elif may_be_torn:
                bad = True
            else:
                raise Damaged(f"{path} is damaged at line {number}")


def _decode(line: bytes) -> Record | None:
    """The record of a line, None when the line is torn or was changed."""
    text = line[9:-1]
    if line[-1:] != b"\n" or line[:9] != b"%08x " % zlib.crc32(text):
        return None
    record: Record = json.loads(text)
    return record


def _snapshot(folder: Path, generation: int) -> Path:
    return folder / f"snapshot-{generation:08d}"


def _journal(folder: Path, generation: int) -> Path:
    return folder / f"journal-{generation:08d}"
