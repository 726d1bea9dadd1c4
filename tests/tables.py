"""Creates a market's state from `storage.schema` and `functions.wiring`, for tests in memory.

Making every table, bucket and queue takes half a second, thousands of tests want it: the first makes it, the others
get a copy of what was made.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import threading
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

from moto.backends import get_backend

from chalicelib.storage import settings
from chalicelib.storage.clients import client, forget_clients
from chalicelib.storage.schema import BUCKETS, KEYS, TABLES, Table
from functions.wiring import FUNCTIONS

_SERVICES = ("dynamodb", "dynamodbstreams", "s3", "sqs", "events", "kms")

for _make in (threading.Lock, threading.RLock, threading.Condition):  # a copied backend has locks of its own
    copyreg.pickle(type(_make()), lambda _, make=_make: (make, ()))  # type: ignore[arg-type, misc]


def ready_clients() -> None:
    """Clients that lead into memory: those of the test before, unless it used others."""
    if not client("dynamodb").meta.endpoint_url.endswith(".amazonaws.com"):
        forget_clients()


def fill_state() -> None:
    """A market's state, as if nothing had ever happened in it."""
    put_back(_made(settings.stage(), settings.bucket_name(BUCKETS[0].name)))


State = dict[tuple[str, str, str], dict[str, Any] | bytes]
"""What the services hold, by service, account and region."""


def set_aside() -> State:
    """A copy of all that the market in memory holds, to be put back any number of times."""
    return {name: _kept(name[0], backend) for name, backend in _backends()}


def put_back(state: State) -> None:
    """Make the market in memory hold what it held when the state was set aside."""
    for (service, account, region), kept in state.items():
        backend = get_backend(service)[account][region]  # type: ignore[call-overload]
        held = _Unpickler(io.BytesIO(kept), backend).load() if isinstance(kept, bytes) else _copied(kept, backend)
        backend.__dict__.clear()
        backend.__dict__.update(held)


def is_empty() -> bool:
    """Whether there is a market in memory that holds no row, no object and no message."""
    tables = [table for backend in _of("dynamodb") for table in backend.tables.values()]
    buckets = [bucket for backend in _of("s3") for bucket in backend.buckets.values()]
    queues = [queue for backend in _of("sqs") for queue in backend.queues.values()]
    held = (*(any(each.items.values()) for each in tables), *(each.keys for each in buckets))
    return bool(tables) and not any(held) and not any(each.messages for each in queues)


def _of(wanted: str) -> Iterator[Any]:
    return (backend for (service, _, _), backend in _backends() if service == wanted)


@cache
def _made(stage: str, bucket: str) -> State:
    """What the services hold of a deployment that was just made."""
    create_state()
    return set_aside()


def _backends() -> Iterator[tuple[tuple[str, str, str], Any]]:
    for service in _SERVICES:
        for account, regions in get_backend(service).items():  # type: ignore[call-overload]
            for region, backend in regions.items():
                yield (service, account, region), backend


def _kept(service: str, backend: Any) -> dict[str, Any] | bytes:
    """What a backend holds; of S3 in bytes, since moto empties all objects there are when a test ends."""
    if service != "s3":
        return _copied(backend.__dict__, backend)
    written = io.BytesIO()
    _Pickler(written, backend).dump(backend.__dict__)
    return written.getvalue()


def _copied(state: dict[str, Any], backend: Any) -> dict[str, Any]:
    """A copy of a backend's state in which the backend itself is not copied."""
    return deepcopy(state, {id(backend): backend})


class _Pickler(pickle.Pickler):
    """Writes a backend's state without the backend itself."""

    def __init__(self, file: io.BytesIO, backend: Any) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._backend = backend

    def persistent_id(self, thing: Any) -> str | None:
        return "backend" if thing is self._backend else None


class _Unpickler(pickle.Unpickler):
    """Reads a backend's state for a backend."""

    def __init__(self, file: io.BytesIO, backend: Any) -> None:
        super().__init__(file)
        self._backend = backend

    def persistent_load(self, name: str) -> Any:
        return self._backend


def create_state() -> None:
    """Tables, buckets, keys, queues and the bus, as a deployment makes them."""
    for key in KEYS:
        made = client("kms").create_key(Description=key.description)["KeyMetadata"]["KeyId"]
        client("kms").create_alias(AliasName=settings.key_alias(key.name), TargetKeyId=made)
    for table in TABLES:
        client("dynamodb").create_table(**_description(table))
    for bucket in BUCKETS:
        where = {"LocationConstraint": settings.region()}
        client("s3").create_bucket(Bucket=settings.bucket_name(bucket.name), CreateBucketConfiguration=where)
    for function in FUNCTIONS:
        if function.has_queue:
            client("sqs").create_queue(QueueName=settings.queue_name(function.name))
    client("events").create_event_bus(Name=settings.bus_name())


def _description(table: Table) -> dict[str, Any]:
    names = {"pk", "sk"} | {name for index in table.indexes for name in (index.pk, index.sk) if name}
    description: dict[str, Any] = {
        "TableName": settings.table_name(table.name),
        "KeySchema": _keys("pk", "sk"),
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if table.indexes:
        description["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _keys(index.pk, index.sk),
                "Projection": {"ProjectionType": index.projection},
            }
            for index in table.indexes
        ]
    return description


def _keys(pk: str, sk: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": pk, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": sk, "KeyType": "RANGE"}] if sk else [])
