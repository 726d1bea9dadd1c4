"""Owns what is kept of files beside their receipts: rows, outcomes, problems, workbooks; sealed for kinds that are.

What derives from ballots (kinds with `sealed`) is sealed under a data key of its own file before it is stored, and
stays so. A workbook that somebody with the right to it asks for is opened into a bucket that forgets within a day,
behind a short link. The dropped object itself stays as it came: S3 encrypts it under the buckets' key, and the inbox is
closed to every organisation but its own.

Data keys come from whoever says so with `use_keys`: the processes that may open sealed files do (`files.sealed`). In
every other one a sealed file is a fault, and its role lets KMS unwrap nothing.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.files.kinds import EXPORTS, KINDS
from chalicelib.files.models import Job, LinkView, Receipt
from chalicelib.kernel.errors import NotFound
from chalicelib.storage import objects
from chalicelib.storage.sealing_cipher import DataKey, Scope

BYTES = "application/octet-stream"

Keys = Callable[[Scope], DataKey]


@dataclass(slots=True)
class _Door:
    """Where this process has data keys from."""

    sealing: Keys | None = None
    opening: Keys | None = None


_door = _Door()


def use_keys(sealing: Keys, opening: Keys) -> None:
    """Say where data keys come from, to seal with and to open with."""
    _door.sealing, _door.opening = sealing, opening


def _key(keys: Keys | None, scope: Scope) -> DataKey:
    if keys is None:
        raise RuntimeError(f"{scope.id} is sealed, and this function is not one that may open sealed files")
    return keys(scope)


class Keeping:
    """What is kept of one file. An unwrapped data key lives no longer than this object: make one for each act."""

    def __init__(self, file_id: str, owner: str, sealed: bool) -> None:
        self._scope, self._owner, self.is_sealed = Scope("file", file_id), owner, sealed
        self._key: DataKey | None = None

    def put_json(self, value: Any, prefix: str) -> str:
        """Keep a JSON value; returns its key. The same value of the same file gives the same key."""
        if not self.is_sealed:
            return objects.put_json(value, prefix)
        text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return objects.put_body(self._sealed(zlib.compress(text.encode(), 6)), prefix)

    def get_json(self, key: str) -> Any:
        if not self.is_sealed:
            return objects.get_json(key)
        return json.loads(zlib.decompress(self._unsealed(objects.get_body(key))))

    def put_workbook(self, key: str, content: bytes) -> None:
        self.put_file(key, content)

    def put_file(self, key: str, content: bytes, content_type: str = BYTES) -> None:
        """Keep a file under a key; what is sealed is bytes to everybody else, whatever it is."""
        sealed = self.is_sealed
        kept_as = BYTES if sealed else content_type
        objects.put_object(objects.BODIES, key, self._sealed(content) if sealed else content, kept_as)

    def link_to(self, key: str, name: str) -> LinkView:
        """A short link to a file under a file name. Whether the caller may have it was checked before."""
        bucket = self._opened(key) if self.is_sealed else objects.BODIES
        url = objects.presign_download(bucket, key, name)
        return LinkView(url=url, name=name, expires_seconds=objects.LINK_SECONDS)

    def _opened(self, key: str) -> str:
        try:
            objects.head_object(objects.OPENED, key)
        except NotFound:
            objects.put_object(objects.OPENED, key, self._unsealed(objects.read_object(objects.BODIES, key)))
        return objects.OPENED

    def _sealed(self, content: bytes) -> bytes:
        self._key = self._key or _key(_door.sealing, self._scope)
        return self._key.seal(self._owner, content)

    def _unsealed(self, content: bytes) -> bytes:
        self._key = self._key or _key(_door.opening, self._scope)
        return self._key.unseal(self._owner, content)


def kept_of(receipt: Receipt) -> Keeping:
    """What is kept of a dropped file."""
    kind = KINDS.get(receipt.kind)
    return Keeping(receipt.id, receipt.organisation, kind is not None and kind.sealed)


def made_by(job: Job) -> Keeping:
    """What is kept of a workbook that was asked for."""
    kind = EXPORTS.get(job.kind)
    return Keeping(job.id, job.organisation, kind is not None and kind.sealed)
