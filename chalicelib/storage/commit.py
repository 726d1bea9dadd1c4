"""Owns the one way to write: rows, outbox, audit and idempotency claim in one DynamoDB transaction."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refusal
from chalicelib.kernel.events import Event
from chalicelib.storage.audit import Change, audit_writes
from chalicelib.storage.claims import key_writes
from chalicelib.storage.clients import client
from chalicelib.storage.outbox import outbox_writes
from chalicelib.storage.writes import ToldBefore, Write

MOST_WRITES = 100
MOST_BYTES = 4_000_000
_ATTEMPTS = 12
_ID_ATTEMPTS = 12
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_PASSING_ERRORS = {
    "TransactionConflictException",
    "TransactionInProgressException",
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
}


@dataclass(frozen=True, slots=True)
class Group:
    """What one transaction of a bulk change holds."""

    writes: Sequence[Write]
    events: Sequence[Event] = ()
    changes: Sequence[Change] = ()


def commit(
    call: Call,
    writes: Iterable[Write],
    events: Iterable[Event] = (),
    changes: Iterable[Change] = (),
    result: str | None = None,
) -> None:
    """Execute writes with their events and audit records, all or nothing.

    `result` is the id of the thing made; with it the call's `Idempotency-Key`, if it has one, is claimed in the same
    transaction. Raises the refusal of the first write whose condition does not hold. Conflicts with other transactions
    and throttling are retried with growing pauses; anything else is raised as it came.

    A call that is repeated after it was cut short begins with the ids it had, some of which its first pass gave away:
    what is written now is told under the next free ones. Where there is nothing to write but what is told, an id that
    is taken means it was told already, and `ToldBefore` is raised.
    """
    made, news, trail = [*writes, *key_writes(call, result)], list(events), list(changes)
    for skipped in range(_ID_ATTEMPTS):
        told = [*outbox_writes(call, news), *audit_writes(call, trail)]
        if not made and not told:
            return
        check_size([*made, *told])
        try:
            _execute([*made, *told], call.request_id)
            return
        except ToldBefore:
            if not made or skipped == _ID_ATTEMPTS - 1:
                raise
        _skip_ids(call, 2**skipped)


def _skip_ids(call: Call, count: int) -> None:
    """Pass over ids of a call that is repeated: an earlier pass that was cut short gave them to what it wrote."""
    for _ in range(count):
        call.new_id("evt")


def commit_each(call: Call, groups: Iterable[Group]) -> list[Refusal | None]:
    """Execute groups one after another; each answers None, or the refusal that stopped it."""
    return [_tried(call, group) for group in groups]


def check_size(writes: Sequence[Write]) -> None:
    """AssertionError when a transaction is beyond what DynamoDB takes: that is a fault of ours, never of a caller."""
    assert len(writes) <= MOST_WRITES, f"{len(writes)} writes in one transaction"
    keys = [write.key for write in writes]
    assert len(set(keys)) == len(keys), f"a key twice in one transaction: {_repeated(keys)}"
    size = sum(len(repr(write.operation)) for write in writes)
    assert size <= MOST_BYTES, f"{size} bytes in one transaction"


def _tried(call: Call, group: Group) -> Refusal | None:
    try:
        commit(call, group.writes, group.events, group.changes)
    except Refusal as refusal:
        return refusal
    return None


def _execute(writes: Sequence[Write], request_id: str) -> None:
    items = [write.operation for write in writes]
    for attempt in range(_ATTEMPTS):
        try:
            client("dynamodb").transact_write_items(TransactItems=items)
            return
        except ClientError as error:
            _raise_refusal(error, writes)
            if not _is_passing(error) or attempt == _ATTEMPTS - 1:
                raise
        time.sleep(_pause(attempt, request_id))


def _raise_refusal(error: ClientError, writes: Sequence[Write]) -> None:
    for write, reason in zip(writes, _reasons(error), strict=False):
        if reason == "ConditionalCheckFailed" and write.refusal is not None:
            raise write.refusal from error


def _is_passing(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code != "TransactionCanceledException":
        return code in _PASSING_ERRORS
    failed = {reason for reason in _reasons(error) if reason != "None"}
    return bool(failed) and failed <= _PASSING


def _reasons(error: ClientError) -> list[str]:
    found: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return [reason.get("Code", "None") for reason in found]


def _pause(attempt: int, request_id: str) -> float:
    """Seconds before the next attempt: doubling to about 1.6 s, spread by a hash so that rivals part ways."""
    spread = hashlib.sha256(f"{request_id}/{attempt}".encode()).digest()[0] / 255
    return float(0.025 * 2 ** min(attempt, 6) * (0.5 + spread / 2))


def _repeated(keys: Sequence[tuple[str, str, str]]) -> tuple[str, str, str]:
    return next(key for key in keys if keys.count(key) > 1)
