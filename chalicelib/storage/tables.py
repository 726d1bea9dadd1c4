"""Owns rows: the base of every store's private rows, their attributes, and the reads by key and by index."""

from __future__ import annotations

import base64
import json
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import STRING
from pynamodb.models import Model

from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.models import iso
from chalicelib.storage import settings
from chalicelib.storage.clients import client

table_name = settings.table_name
B = TypeVar("B", bound=BaseModel)
R = TypeVar("R", bound="Row")
Key = tuple[str, str]

_MOST_PK_BYTES, _MOST_SK_BYTES = 2048, 1024  # DynamoDB's own limits
_READ_AT_ONCE = 100
_WRITE_AT_ONCE = 25


class RowMeta:
    """Base of each row's `Meta`, which names its table: `table_name = table_name("assets")`."""

    table_name = ""


class InstantAttribute(Attribute[datetime]):
    """An instant as ISO text in UTC, which sorts by time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return iso(value)

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class BodyAttribute(Attribute[B]):
    """A pydantic value as JSON text: decimals and instants exact, read back through the model's own checks."""

    attr_type = STRING

    def __init__(self, model: type[B], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._model = model

    def serialize(self, value: B) -> str:
        return value.model_dump_json(exclude_none=True)

    def deserialize(self, value: str) -> B:
        return self._model.model_validate_json(value)


class Row(Model):
    """A row: `pk`, `sk` and the `version` that guards it (1 when created, one more at each change)."""

    class Meta(RowMeta):
        pass

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    version = NumberAttribute(default=1)

    @classmethod
    def table(cls) -> str:
        return str(cls.Meta.table_name)

    def item(self) -> dict[str, Any]:
        """The row as DynamoDB takes it; attributes that are None are left out."""
        return self.serialize(null_check=False)


@dataclass(frozen=True, slots=True)
class RowPage(Generic[R]):
    """Rows of one page; `next` is the cursor of the page after, None at the end."""

    items: list[R]
    next: str | None = None


def get(row_class: type[R], pk: str, sk: str) -> R | None:
    """The row at a key, strongly consistent, or None."""
    if not _can_be(pk, sk):
        return None
    found = client("dynamodb").get_item(TableName=row_class.table(), Key=_key(pk, sk), ConsistentRead=True)
    return _row(row_class, found["Item"]) if "Item" in found else None


def get_many(row_class: type[R], keys: Iterable[Key]) -> list[R]:
    """The rows at any number of keys of one table, strongly consistent, in no order; absent ones are left out."""
    wanted = [key for key in dict.fromkeys(keys) if _can_be(*key)]
    rows: list[R] = []
    for start in range(0, len(wanted), _READ_AT_ONCE):
        rows += _get_batch(row_class, wanted[start : start + _READ_AT_ONCE])
    return rows


def query(
    row_class: type[R],
    pk: str,
    prefix: str = "",
    limit: int | None = None,
    cursor: str | None = None,
    newest_first: bool = False,
) -> RowPage[R]:
    """One page of the rows under `pk` whose `sk` starts with `prefix`, strongly consistent, in order of `sk`."""
    start = _start(cursor, {"pk": pk}, ("sk",))
    if not _can_be(pk, prefix or "-"):
        return RowPage([])
    return _page(row_class, _by_prefix(row_class, pk, prefix, newest_first), limit, start)


def query_all(row_class: type[R], pk: str, prefix: str = "", newest_first: bool = False) -> Iterator[R]:
    """Every row under `pk` whose `sk` starts with `prefix`, page by page."""
    cursor: str | None = None
    while True:
        page = query(row_class, pk, prefix, cursor=cursor, newest_first=newest_first)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def sort_keys(row_class: type[Row], pk: str, prefix: str = "") -> Iterator[str]:
    """Every `sk` under `pk` that starts with `prefix`, strongly consistent, for rows whose key says it all."""
    request = _by_prefix(row_class, pk, prefix, newest_first=False) | {"ProjectionExpression": "sk"}
    while True:
        found = client("dynamodb").query(**request)
        yield from (item["sk"]["S"] for item in found["Items"])
        if "LastEvaluatedKey" not in found:
            return
        request["ExclusiveStartKey"] = found["LastEvaluatedKey"]


def query_index(
    row_class: type[R],
    index: str,
    pk: str,
    *,
    prefix: str = "",
    between: tuple[str, str] | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    newest_first: bool = False,
) -> RowPage[R]:
    """One page of an index of `storage.schema` (a moment behind the table): by its pk, and its sk by prefix or span.

    `between` is inclusive at both ends. For lists only: no guard, money or identity read may stand on it.
    """
    shape = _index_shape(row_class, index)
    names = {"#pk": shape.pk}
    values = {":pk": {"S": pk}}
    condition = "#pk = :pk"
    if shape.sk and (prefix or between):
        names["#sk"] = shape.sk
    if prefix:
        condition += " AND begins_with(#sk, :prefix)"
        values[":prefix"] = {"S": prefix}
    if between:
        condition += " AND #sk BETWEEN :low AND :high"
        values |= {":low": {"S": between[0]}, ":high": {"S": between[1]}}
    request = {
        "TableName": row_class.table(),
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not newest_first,
    }
    inner = tuple(name for name in (shape.sk, "pk", "sk") if name and name != shape.pk)
    start = _start(cursor, {shape.pk: pk}, inner)
    if not all(_can_be(pk, text or "-") for text in (prefix, *(between or ()))):
        return RowPage([])
    return _page(row_class, request, limit, start)


def query_index_all(row_class: type[R], index: str, pk: str, **how: Any) -> Iterator[R]:
    """Every row of an index's partition, page by page; `how` as for `query_index`."""
    cursor: str | None = None
    while True:
        page = query_index(row_class, index, pk, cursor=cursor, **how)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def batch_put(rows: Sequence[Row]) -> None:
    """Write rows without conditions, a few at a time: only for what can be rebuilt from other rows."""
    for start in range(0, len(rows), _WRITE_AT_ONCE):
        batch: dict[str, list[Any]] = {}
        for row in rows[start : start + _WRITE_AT_ONCE]:
            batch.setdefault(row.table(), []).append({"PutRequest": {"Item": row.item()}})
        _write_batch(batch)


def batch_remove(row_class: type[Row], keys: Sequence[Key]) -> None:
    """Remove rows without conditions: only for what can be rebuilt from other rows."""
    for start in range(0, len(keys), _WRITE_AT_ONCE):
        part = keys[start : start + _WRITE_AT_ONCE]
        _write_batch({row_class.table(): [{"DeleteRequest": {"Key": _key(pk, sk)}} for pk, sk in part]})


def encode_cursor(key: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[str, Any]:
    """The key a cursor stands for; `Invalid` when it is not one of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (Base64Error, ValueError, UnicodeError) as error:
        raise _not_a_cursor() from error
    if not _is_key(key):
        raise _not_a_cursor()
    return dict(key)


def _is_key(key: Any) -> bool:
    return isinstance(key, dict) and all(
        isinstance(part, dict) and list(part) == ["S"] and isinstance(part["S"], str) for part in key.values()
    )


def _start(cursor: str | None, partition: Mapping[str, str], inner: Sequence[str]) -> dict[str, Any] | None:
    """Where a page starts; `Invalid` unless a list over this very partition, with these inner keys, gave the cursor."""
    if cursor is None:
        return None
    key = decode_cursor(cursor)
    here = all(key.get(name) == {"S": text} for name, text in partition.items())
    sound = all(0 < _size(part["S"]) <= _MOST_SK_BYTES for part in key.values())
    if not here or not sound or set(key) != {*partition, *inner}:
        raise _not_a_cursor()
    return key


def _not_a_cursor() -> Invalid:
    problem = Problem(
        "cursor.unknown", "The cursor is not one that a list gave.", "cursor", "`next` of the page before"
    )
    return Invalid.of([problem])


def _can_be(pk: str, sk: str = "-") -> bool:
    """Whether a row may have this key: somebody may ask for what is called by nothing, or by a page of text."""
    return 0 < _size(pk) <= _MOST_PK_BYTES and 0 < _size(sk) <= _MOST_SK_BYTES


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _row(row_class: type[R], item: dict[str, Any]) -> R:
    row = row_class()
    row.deserialize(item)
    return row


def _by_prefix(row_class: type[Row], pk: str, prefix: str, newest_first: bool) -> dict[str, Any]:
    condition = "pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk"
    values = {":pk": {"S": pk}} | ({":prefix": {"S": prefix}} if prefix else {})
    return {
        "TableName": row_class.table(),
        "ConsistentRead": True,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not newest_first,
    }


def _page(row_class: type[R], request: dict[str, Any], limit: int | None, start: dict[str, Any] | None) -> RowPage[R]:
    if limit is not None:
        request["Limit"] = limit
    if start is not None:
        request["ExclusiveStartKey"] = start
    found = client("dynamodb").query(**request)
    last = found.get("LastEvaluatedKey")
    return RowPage([_row(row_class, item) for item in found["Items"]], encode_cursor(last) if last else None)


def _get_batch(row_class: type[R], keys: Sequence[Key]) -> list[R]:
    table = row_class.table()
    asked: dict[str, Any] = {table: {"Keys": [_key(pk, sk) for pk, sk in keys], "ConsistentRead": True}}
    rows: list[R] = []
    while asked:
        found = client("dynamodb").batch_get_item(RequestItems=asked)
        rows += [_row(row_class, item) for item in found["Responses"].get(table, [])]
        asked = found.get("UnprocessedKeys") or {}
    return rows


def _write_batch(batch: dict[str, list[Any]]) -> None:
    while batch:
        batch = client("dynamodb").batch_write_item(RequestItems=batch).get("UnprocessedItems") or {}


def _index_shape(row_class: type[Row], index: str) -> Any:
    from chalicelib.storage.schema import TABLES

    tables = {settings.table_name(table.name): table for table in TABLES}
    return next(shape for shape in tables[row_class.table()].indexes if shape.name == index)
