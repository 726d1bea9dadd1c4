"""Owns keeping tables: their shapes and the rows each request put or removed, as effects rather than as requests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ministack import app
from ministack.services import dynamodb

from local.cloud.recorder import Recorder
from local.journal import Record

_AT_ONCE = 100
_SHAPING = {"CreateTable", "UpdateTable", "DeleteTable"}
Answer = tuple[int, dict[str, str], Any]
Handle = Callable[..., Awaitable[Answer]]


class Tables:
    """Leads the emulator's row writes through the recorder, one record per request, and brings rows back."""

    def __init__(self, recorder: Recorder) -> None:
        self._tell = recorder.tell
        self._changes: list[list[Any]] | None = None
        self._set, self._remove = dynamodb._set_item, dynamodb._remove_item
        dynamodb._set_item, dynamodb._remove_item = self._set_and_note, self._remove_and_note
        app.SERVICE_HANDLERS["dynamodb"] = self._told(app.SERVICE_HANDLERS["dynamodb"])

    def restore(self, record: Record) -> None:
        scope = record["scope"]
        if "table" in record:
            self._restore_shape(scope, record["table"], record["shape"])
        for name, pk, sk, item in record.get("items", ()):
            table = dynamodb._tables.get_scoped(*scope, name)
            if item is None:
                self._remove(table, pk, sk)
            else:
                self._set(table, pk, sk, item)

    def state(self) -> Iterator[Record]:
        """The fewest records that tell every table again."""
        for (account, region, name), table in dynamodb._tables.all_items():
            scope = [account, region]
            yield {"scope": scope, "table": name, "shape": _shape(table)}
            rows = [[name, pk, sk, item] for pk, items in table["items"].items() for sk, item in items.items()]
            for start in range(0, len(rows), _AT_ONCE):
                yield {"scope": scope, "items": rows[start : start + _AT_ONCE]}

    def _restore_shape(self, scope: list[str], name: str, shape: dict[str, Any] | None) -> None:
        if shape is None:
            dynamodb._tables.pop_scoped(*scope, name, None)
            return
        items = dynamodb._tables.get_scoped(*scope, name, {}).get("items", defaultdict(dict))
        table = shape | {"items": items}
        dynamodb._items_replaced(table)
        dynamodb._tables.set_scoped(*scope, name, table)

    def _told(self, handle: Handle) -> Handle:
        async def answer(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Answer:
            # The emulator's own handler never waits, so no other request comes between a change and its record.
            self._changes = []
            try:
                answer = await handle(method, path, headers, body, query)
            finally:
                changes, self._changes = self._changes, None
                if changes:
                    self._tell(items=changes)
            if answer[0] == 200:
                self._tell_shape(headers.get("x-amz-target", "").rpartition(".")[2], body)
            return answer

        return answer

    def _tell_shape(self, action: str, body: bytes) -> None:
        if action in _SHAPING:
            name = json.loads(body)["TableName"]
            table = dynamodb._tables.get(name)
            self._tell(table=name, shape=None if table is None else _shape(table))

    def _set_and_note(self, table: dict[str, Any], pk: str, sk: str, item: dict[str, Any]) -> Any:
        assert self._changes is not None, "a row was put outside a request"
        self._changes.append([table["TableName"], pk, sk, item])
        return self._set(table, pk, sk, item)

    def _remove_and_note(self, table: dict[str, Any], pk: str, sk: str) -> Any:
        # Expiry runs on a thread of its own by the machine's clock, which the market's may be ahead of; nothing in the
        # market takes an expired row for valid. So rows go only when a request removes them.
        if self._changes is None:
            return None
        self._changes.append([table["TableName"], pk, sk, None])
        return self._remove(table, pk, sk)


def _shape(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in {"items", dynamodb._INDEX_MEMBERS}}
