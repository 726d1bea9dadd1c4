"""Reads all there is in a market's tables, to compare end states."""

from __future__ import annotations

import json
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer

from chalicelib.storage.clients import client
from chalicelib.storage.settings import table_name

_READ = TypeDeserializer().deserialize


def everything_in(*tables: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of some tables, with JSON bodies opened."""
    return {table: [_opened(item) for item in _items(table)] for table in tables}


def _items(table: str) -> list[dict[str, Any]]:
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table_name(table), ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def _opened(item: dict[str, Any]) -> dict[str, Any]:
    row = {name: _READ(value) for name, value in item.items()}
    if isinstance(row.get("body"), str):
        row["body"] = json.loads(row["body"])
    return {name: bytes(value) if isinstance(value, Binary) else value for name, value in row.items()}
