"""Creates a market's state from `storage.schema` and `functions.wiring`, for tests in memory."""

from __future__ import annotations

from typing import Any

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.schema import BUCKETS, KEYS, TABLES, Table
from functions.wiring import FUNCTIONS


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
