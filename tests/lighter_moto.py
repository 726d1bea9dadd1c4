"""Moto without what it does for nothing here: the same answers at half the cost, held equal in `tests/house`."""

from __future__ import annotations

import copy
import re
from contextvars import ContextVar
from functools import cache
from typing import Any

from moto.core import models, responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import HTTPException
from moto.core.request import normalize_request
from moto.core.serialize import JSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_DYNAMODB = re.compile(r"https?://dynamodb\.[^/]+\.amazonaws\.com/$")
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})
_OF_THE_SCHEMA = ("schema", "attr", "indexes", "global_indexes", "throughput", "warm_throughput", "table_key_attrs")
_kept: ContextVar[dict[str, Table] | None] = ContextVar("_kept", default=None)
"""What the running transaction puts back when it fails, by table."""

_names_of = responses.method_names_from_class
_process = BotocoreStubber.process_request
_structure_of = JSONSerializer._serialize_type_structure
_transact = DynamoDBBackend.transact_write_items


def lighten() -> None:
    """Let moto do less, from now on and in this process."""
    models.RESPONSES_METHODS = []  # what `requests` asks would be answered too: nobody here asks by it
    responses.method_names_from_class = cache(_names_of)  # a class's methods, looked up for every request
    BotocoreStubber.process_request = _processed  # type: ignore[method-assign]
    JSONSerializer._serialize_type_structure = _serialized_structure  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = _transacted  # type: ignore[method-assign]
    Table.__deepcopy__ = _copied_table  # type: ignore[attr-defined]


def _processed(self: BotocoreStubber, request: Any) -> Any:
    """An answer to a request; for DynamoDB without trying the addresses of some hundred other services first."""
    if not _DYNAMODB.match(request.url):
        return _process(self, request)
    asked = normalize_request(request)
    try:
        return DynamoHandler.dispatch(asked, asked.raw_url, asked.headers)
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


def _serialized_structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """Of an attribute's value only the type it has, where moto looks for each of ten types under six names."""
    if shape.name != "AttributeValue" or type(value) is not dict:
        _structure_of(self, serialized, value, shape, key)
        return
    wrapper = serialized[shape.serialization.get("name", key)] = {}
    for kind, held in value.items():
        if kind in _PLAIN:
            wrapper[kind] = held
        elif held is not None:
            self._serialize(wrapper, held, shape.members[kind], kind)


def _transacted(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """A transaction that keeps, to take it back, the rows it names; moto keeps every table, once for each of them.

    Where tables have streams it is moto's own.
    """
    if any(table.stream_shard is not None for table in self.tables.values()):
        _transact(self, transact_items)
        return
    kept: dict[str, Table] = {}
    for item in transact_items:
        for operation in item.values():
            table = self.tables.get(operation.get("TableName"))
            if table is not None:
                if table.name not in kept:
                    kept[table.name] = _sharing_rows(table)
                _keep(table, kept[table.name], operation.get("Key") or operation["Item"])
    token = _kept.set(kept)
    try:
        _transact(self, transact_items)
    finally:
        _kept.reset(token)


def _copied_table(self: Table, memo: dict[int, Any]) -> Table:
    """A copy that shares the schema; within a transaction what it has kept."""
    kept = _kept.get()
    if kept is not None:
        return kept[self.name]
    copied = memo[id(self)] = Table.__new__(Table)
    shared = {name: self.__dict__[name] for name in _OF_THE_SCHEMA}
    rest = {name: held for name, held in self.__dict__.items() if name not in shared}
    copied.__dict__.update(shared, **copy.deepcopy(rest, memo))
    return copied


def _sharing_rows(table: Table) -> Table:
    """A copy that shares every row with the table."""
    copied = Table.__new__(Table)
    copied.__dict__.update(table.__dict__)
    copied.items = table.items.copy()
    return copied


def _keep(table: Table, copied: Table, row: dict[str, Any]) -> None:
    """Give the copy this row and its partition of its own, as they are now."""
    hash_value = DynamoType(row[table.hash_key_attr])
    held = table.items.get(hash_value)
    if held is None:
        return
    if table.range_key_attr is None:
        copied.items[hash_value] = copy.deepcopy(held)
        return
    if copied.items[hash_value] is held:
        copied.items[hash_value] = dict(held)
    range_value = DynamoType(row[table.range_key_attr])
    if range_value in held:
        copied.items[hash_value][range_value] = copy.deepcopy(held[range_value])
