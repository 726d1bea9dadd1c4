"""Owns data keys: one for each competition and file, wrapped by one KMS key and stored only so.

Only `keep-keys` comes here, and only its role lets KMS unwrap anything. A data key comes from KMS (GenerateDataKey
under `alias/headroom-<stage>-bids`) with what it is for as its encryption context, so that KMS itself refuses to unwrap
it for anything else. Only the wrapped key is stored, written once and never changed: whoever loses the race to make it
uses the winner's. Nothing is kept unwrapped from one act to the next.
"""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import ClientError
from pynamodb.attributes import BinaryAttribute

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.schema import BIDS_KEY
from chalicelib.storage.sealing_cipher import DataKey, NotSealedHere, Scope
from chalicelib.storage.tables import Row, RowMeta, get, table_name


class _KeyRow(Row):
    """A wrapped data key, beside what it seals."""

    class Meta(RowMeta):
        table_name = table_name("bidding")

    wrapped = BinaryAttribute(legacy_encoding=False)


class _FileKeyRow(_KeyRow):
    class Meta(RowMeta):
        table_name = table_name("receipts")


_ROWS: dict[str, type[_KeyRow]] = {"competition": _KeyRow, "proposals": _FileKeyRow, "file": _FileKeyRow}


def find_data_key(scope: Scope) -> DataKey | None:
    """The data key of a scope; None where nothing was ever sealed for it."""
    row = get(_ROWS[scope.kind], *_place(scope))
    if row is None:
        return None
    answer = client("kms").decrypt(KeyId=_key_id(), CiphertextBlob=row.wrapped, EncryptionContext=scope.context)
    return DataKey(scope, bytes(answer["Plaintext"]))


def load_data_key(scope: Scope) -> DataKey:
    """The data key of a scope; `NotSealedHere` where nothing was ever sealed for it."""
    key = find_data_key(scope)
    if key is None:
        raise NotSealedHere(f"nothing was sealed for {scope.id}")
    return key


def make_data_key(scope: Scope) -> DataKey:
    """The data key of a scope, made at its first use."""
    found = find_data_key(scope)
    if found is not None:
        return found
    made = client("kms").generate_data_key(KeyId=_key_id(), KeySpec="AES_256", EncryptionContext=scope.context)
    if _is_first(scope, bytes(made["CiphertextBlob"])):
        return DataKey(scope, bytes(made["Plaintext"]))
    return make_data_key(scope)


def data_keys_of(scopes: Iterable[Scope], make: bool) -> list[tuple[Scope, DataKey]]:
    """The data keys of scopes; those for which nothing was sealed are left out, unless they are to be made."""
    found = [(scope, make_data_key(scope) if make else find_data_key(scope)) for scope in scopes]
    return [(scope, key) for scope, key in found if key is not None]


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
