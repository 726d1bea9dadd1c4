"""Owns data keys: one for each competition and file, wrapped by one KMS key and stored only so.

A data key comes from KMS (GenerateDataKey under `alias/headroom-<stage>-bids`) with what it is for as its encryption
context, so that KMS itself refuses to unwrap it for anything else. Only the wrapped key is stored, written once and
never changed: whoever loses the race to make it uses the winner's.

A `Lease` says through which door a key was unwrapped and how long it may be kept for the same door. This module opens
to whoever asks: the rooms check calendar and organisation before they ask, at each reading.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import ClientError
from pynamodb.attributes import BinaryAttribute

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.schema import BIDS_KEY
from chalicelib.storage.sealing_cipher import DataKey, NotSealedHere, Scope
from chalicelib.storage.tables import Row, RowMeta, get, table_name

KEPT_AT_MOST = timedelta(seconds=60)
MOST_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Lease:
    """Keep an unwrapped key for later calls through the same `door`: at most a minute, and never past `until`."""

    door: str
    now: datetime
    until: datetime | None = None

    @property
    def ends(self) -> datetime:
        latest = self.now + KEPT_AT_MOST
        return latest if self.until is None else min(latest, self.until)


class _KeyRow(Row):
    """A wrapped data key, beside what it seals."""

    class Meta(RowMeta):
        table_name = table_name("bidding")

    wrapped = BinaryAttribute(legacy_encoding=False)


class _FileKeyRow(_KeyRow):
    class Meta(RowMeta):
        table_name = table_name("receipts")


_ROWS: dict[str, type[_KeyRow]] = {"competition": _KeyRow, "file": _FileKeyRow}


class _Kept:
    """Unwrapped keys of this process by scope and door, each with the instants between which it may be used."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[Scope, str], tuple[datetime, datetime, DataKey]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, scope: Scope, lease: Lease) -> DataKey | None:
        with self._lock:
            found = self._keys.get((scope, lease.door))
            if found is None:
                return None
            since, ends, key = found
            if since <= lease.now < ends:
                return key
            del self._keys[scope, lease.door]
            return None

    def keep(self, scope: Scope, lease: Lease, key: DataKey) -> None:
        with self._lock:
            self._keys[scope, lease.door] = (lease.now, lease.ends, key)
            self._keys.move_to_end((scope, lease.door))
            while len(self._keys) > MOST_KEPT:
                self._keys.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


_kept = _Kept()


def forget_data_keys() -> None:
    """Unwrap every key anew at its next use."""
    _kept.clear()


def sealing_key(scope: Scope, lease: Lease | None = None) -> DataKey:
    """The data key to seal with, made at the first use; without a lease it is kept nowhere."""
    return _leased(scope, lease, make=True)


def opening_key(scope: Scope, lease: Lease | None = None) -> DataKey:
    """The data key to unseal with; `NotSealedHere` where nothing was ever sealed for the scope."""
    return _leased(scope, lease, make=False)


def _leased(scope: Scope, lease: Lease | None, make: bool) -> DataKey:
    kept = _kept.find(scope, lease) if lease else None
    if kept is not None:
        return kept
    key = DataKey(scope, _secret(scope, make))
    if lease is not None:
        _kept.keep(scope, lease, key)
    return key


def _secret(scope: Scope, make: bool) -> bytes:
    row = get(_ROWS[scope.kind], *_place(scope))
    if row is not None:
        return _unwrapped(scope, row.wrapped)
    if not make:
        raise NotSealedHere(f"nothing was sealed for {scope.id}")
    made = client("kms").generate_data_key(KeyId=_key_id(), KeySpec="AES_256", EncryptionContext=scope.context)
    if _is_first(scope, bytes(made["CiphertextBlob"])):
        return bytes(made["Plaintext"])
    return _secret(scope, make)


def _unwrapped(scope: Scope, wrapped: bytes) -> bytes:
    answer = client("kms").decrypt(KeyId=_key_id(), CiphertextBlob=wrapped, EncryptionContext=scope.context)
    return bytes(answer["Plaintext"])


def _is_first(scope: Scope, wrapped: bytes) -> bool:
    """Keep a wrapped key unless there is one. It stands for itself: one that nothing was sealed with does no harm."""
    pk, sk = _place(scope)
    row = _ROWS[scope.kind](pk=pk, sk=sk, wrapped=wrapped)
    try:
        client("dynamodb").put_item(
            TableName=row.table(), Item=row.item(), ConditionExpression="attribute_not_exists(pk)"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _place(scope: Scope) -> tuple[str, str]:
    return f"key#{scope.id}", "-"


def _key_id() -> str:
    return settings.key_alias(BIDS_KEY.name)
