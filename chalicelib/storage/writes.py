"""Owns writes as values: what a store returns and `storage.commit` alone executes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.kernel.errors import Refusal, Refused, Stale
from chalicelib.storage.tables import Row


class ToldBefore(Refused):
    """An event or audit record has an id that was given to one already."""


@dataclass(frozen=True, slots=True)
class Write:
    """One item of a transaction, where it stands, and the refusal raised when its condition does not hold."""

    operation: dict[str, Any]
    key: tuple[str, str, str]
    refusal: Refusal | None = None


def create(row: Row, taken: Refusal | None = None) -> Write:
    """Write a row that must not exist yet; `taken` is raised if it does. Claims are rows written this way."""
    refusal = taken or Refused("exists", "It exists already.")
    return _put(row, "attribute_not_exists(pk)", None, refusal)


def told(row: Row) -> Write:
    """Write an event's or audit record's row under an id that nothing has yet; `ToldBefore` where it is taken."""
    return create(row, ToldBefore("exists", "It exists already."))


def replace(row: Row, stale: Refusal | None = None) -> Write:
    """Write a row's new state; `row.version` is the NEW version, and the one before must be stored."""
    refusal = stale or Stale("stale", "Somebody changed this meanwhile. Read it again and repeat the change.")
    return _put(row, "#version = :was", {":was": {"N": str(row.version - 1)}}, refusal)


def put(row: Row) -> Write:
    """Write a row whatever is there: for rows that can be rebuilt, or whose content is the same each time."""
    return _put(row, None, None, None)


def put_if(row: Row, condition: str, values: Mapping[str, Any], refusal: Refusal) -> Write:
    """Write a row on a condition over what is stored; names in the condition are attribute names prefixed with `#`."""
    return _put(row, condition, values, refusal)


def check(row_class: type[Row], pk: str, sk: str, condition: str, values: Mapping[str, Any], refusal: Refusal) -> Write:
    """Write nothing, but require that the condition (names prefixed with `#`) holds for a row elsewhere."""
    operation = {"TableName": row_class.table(), "Key": _key(pk, sk), "ConditionExpression": condition}
    return Write({"ConditionCheck": _filled(operation, condition, values)}, (row_class.table(), pk, sk), refusal)


def update_if(
    row_class: type[Row],
    pk: str,
    sk: str,
    update: str,
    condition: str,
    values: Mapping[str, Any],
    refusal: Refusal,
) -> Write:
    """Change single attributes of a row on a condition; names in both expressions are prefixed with `#`."""
    operation = {
        "TableName": row_class.table(),
        "Key": _key(pk, sk),
        "UpdateExpression": update,
        "ConditionExpression": condition,
    }
    filled = _filled(operation, update + " " + condition, values)
    return Write({"Update": filled}, (row_class.table(), pk, sk), refusal)


def update(row_class: type[Row], pk: str, sk: str, expression: str, values: Mapping[str, Any]) -> Write:
    """Add to or take from a row's attributes whatever is there, making the row where there is none.

    Only for what comes out the same in any order and however often: members of a set, or a count nobody relies on.
    """
    operation = {"TableName": row_class.table(), "Key": _key(pk, sk), "UpdateExpression": expression}
    return Write({"Update": _filled(operation, expression, values)}, (row_class.table(), pk, sk))


def remove(row_class: type[Row], pk: str, sk: str) -> Write:
    """Remove a row: only index-like rows that follow another row, never what took part in a market."""
    operation = {"TableName": row_class.table(), "Key": _key(pk, sk)}
    return Write({"Delete": operation}, (row_class.table(), pk, sk))


def text(value: str) -> dict[str, str]:
    """A string as a condition's value."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A whole number as a condition's value."""
    return {"N": str(value)}


def _put(row: Row, condition: str | None, values: Mapping[str, Any] | None, refusal: Refusal | None) -> Write:
    operation: dict[str, Any] = {"TableName": row.table(), "Item": row.item()}
    if condition:
        operation["ConditionExpression"] = condition
        operation = _filled(operation, condition, values or {})
    return Write({"Put": operation}, (row.table(), row.pk, row.sk), refusal)


def _filled(operation: dict[str, Any], expression: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The operation with the names and values its expressions use."""
    names = {word: word[1:] for word in _names(expression)}
    if names:
        operation = operation | {"ExpressionAttributeNames": names}
    return operation | ({"ExpressionAttributeValues": dict(values)} if values else {})


def _names(expression: str) -> set[str]:
    words = expression.replace("(", " ").replace(")", " ").replace(",", " ").replace("=", " ").split()
    return {word for word in words if word.startswith("#")}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
