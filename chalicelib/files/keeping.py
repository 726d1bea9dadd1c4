"""Owns what is kept of files beside their receipts: rows, outcomes, problems, workbooks; sealed for kinds that are.

What derives from ballots (kinds with `sealed`) is sealed under a data key of its own file before it is stored, and
stays so. A workbook that somebody with the right to it asks for is opened into a bucket that forgets within a day,
behind a short link. The dropped object itself stays as it came: S3 encrypts it under the buckets' key, and the inbox is
closed to every organisation but its own.

Keys come from whoever says so with `use_keys`: the processes that handle sealed files do (`files.sealed`). In every
other one a sealed file is a fault, and its role lets it ask nobody for a key.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.files.kinds import EXPORTS, KINDS
from chalicelib.files.models import Job, LinkView, Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.storage import objects
from chalicelib.storage.sealing_cipher import OwnerKey, Scope

BYTES = "application/octet-stream"

Keys = Callable[[Call, Scope, str, bool], OwnerKey]
"""The key of a file for whoever calls: its scope, its owner, and whether to make one where there is none yet."""


@dataclass(slots=True)
class _Door:
    """Where this process has keys from."""

    keys: Keys | None = None


_door = _Door()


def use_keys(keys: Keys) -> None:
    """Say where keys come from."""
    _door.keys = keys


class Keeping:
    """What is kept of one file. Its key lives no longer than this object: make one for each act."""

    def __init__(self, call: Call, scope: Scope, owner: str, sealed: bool) -> None:
        self._call, self._scope, self._owner, self.is_sealed = call, scope, owner, sealed
        self._key: OwnerKey | None = None

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
        return self._held(make=True).seal(content)

    def _unsealed(self, content: bytes) -> bytes:
        return self._held(make=False).unseal(content)

    def _held(self, make: bool) -> OwnerKey:
        if self._key is None:
            if _door.keys is None:
                raise RuntimeError(f"{self._scope.id} is sealed, and this function is none that handles sealed files")
            self._key = _door.keys(self._call, self._scope, self._owner, make)
        return self._key


def kept_of(call: Call, receipt: Receipt) -> Keeping:
    """What is kept of a dropped file, for whoever calls."""
    kind = KINDS.get(receipt.kind)
    return Keeping(call, Scope("file", receipt.id), receipt.organisation, kind is not None and kind.sealed)


def made_by(call: Call, job: Job) -> Keeping:
    """What is kept of a workbook that was asked for, for whoever calls."""
    kind = EXPORTS.get(job.kind)
    return Keeping(call, Scope("file", job.id), job.organisation, kind is not None and kind.sealed)
