"""Owns making a market's AWS on the emulator from `storage.schema` and `functions.wiring`; again does no harm."""

from __future__ import annotations

import json
import os
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.storage import identity, settings
from chalicelib.storage.clients import client
from chalicelib.storage.outbox import SOURCE
from chalicelib.storage.schema import BUCKETS, KEYS, TABLES, Bucket, Key, Table
from functions.wiring import FUNCTIONS, Events, Every, Function, Inbox

MOST_RECEIVES = 5
DEAD = "-dead"
_DEAD_KEPT_SECONDS = 14 * 24 * 3600


def make_tables() -> None:
    """Every table of the schema with its indexes, expiry and stream; indexes that came later are added."""
    present = set(client("dynamodb").get_paginator("list_tables").paginate().build_full_result()["TableNames"])
    for table in TABLES:
        if settings.table_name(table.name) in present:
            _bring_up_to_date(table)
        else:
            client("dynamodb").create_table(**_description(table))
        if table.expires:
            _expire_by(table, table.expires)


def make_queues() -> None:
    """A queue and a dead-letter queue for each function that has one."""
    for function in FUNCTIONS:
        if function.has_queue:
            _make_queue(function)


def make_buckets() -> None:
    """Every bucket with its settings; files dropped under `inbox/` wake the function that takes them in."""
    for bucket in BUCKETS:
        _make_bucket(bucket)


def make_keys() -> None:
    """Every KMS key of the schema, found by its alias."""
    present = {alias["AliasName"] for alias in client("kms").list_aliases()["Aliases"]}
    for key in KEYS:
        if settings.key_alias(key.name) not in present:
            _make_key(key)


def make_bus() -> None:
    """The market's bus, and a rule for each function that market events or a schedule wake."""
    try:
        client("events").create_event_bus(Name=settings.bus_name())
    except client("events").exceptions.ResourceAlreadyExistsException:
        pass
    for function in FUNCTIONS:
        if isinstance(function.trigger, Events):
            pattern = json.dumps({"source": [SOURCE], "detail-type": list(function.trigger.names)})
            _make_rule(function, settings.bus_name(), EventPattern=pattern)
        if isinstance(function.trigger, Every):
            _make_rule(function, "default", ScheduleExpression=_rate(function.trigger.minutes))


def make_mail() -> None:
    """The sender's address, verified."""
    client("ses").verify_email_identity(EmailAddress=settings.mail_sender())


def make_logins() -> None:
    """The user pool and its client; tells this process of them."""
    name = f"headroom-{settings.stage()}"
    pool_id, client_id = identity.find_pool(name) or identity.create_pool(name)
    os.environ["HEADROOM_USER_POOL_ID"] = pool_id
    os.environ["HEADROOM_USER_POOL_CLIENT_ID"] = client_id


def make_everything() -> None:
    """All of it, in the order in which the parts need each other."""
    for step in (make_tables, make_queues, make_buckets, make_keys, make_bus, make_mail, make_logins):
        step()


def queue_url(name: str) -> str:
    """The address of a function's queue."""
    return str(client("sqs").get_queue_url(QueueName=settings.queue_name(name))["QueueUrl"])


def queue_arn(name: str) -> str:
    found = client("sqs").get_queue_attributes(QueueUrl=queue_url(name), AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def _description(table: Table) -> dict[str, Any]:
    description: dict[str, Any] = {
        "TableName": settings.table_name(table.name),
        "KeySchema": _keys("pk", "sk"),
        "AttributeDefinitions": _attributes(table),
        "BillingMode": "PAY_PER_REQUEST",
    }
    if table.indexes:
        description["GlobalSecondaryIndexes"] = [_index(table, index.name) for index in table.indexes]
    return description | _stream(table)


def _bring_up_to_date(table: Table) -> None:
    name = settings.table_name(table.name)
    stored = client("dynamodb").describe_table(TableName=name)["Table"]
    present = {index["IndexName"] for index in stored.get("GlobalSecondaryIndexes", [])}
    for index in table.indexes:
        if index.name not in present:
            change = [{"Create": _index(table, index.name)}]
            attributes = _attributes(table)
            client("dynamodb").update_table(
                TableName=name, AttributeDefinitions=attributes, GlobalSecondaryIndexUpdates=change
            )
    if table.stream and not stored.get("StreamSpecification"):
        client("dynamodb").update_table(TableName=name, **_stream(table))


def _expire_by(table: Table, attribute: str) -> None:
    name = settings.table_name(table.name)
    stored = client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if stored["TimeToLiveStatus"] != "ENABLED":
        client("dynamodb").update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
        )


def _stream(table: Table) -> dict[str, Any]:
    wanted = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return {"StreamSpecification": wanted} if table.stream else {}


def _index(table: Table, name: str) -> dict[str, Any]:
    index = next(index for index in table.indexes if index.name == name)
    keys = _keys(index.pk, index.sk)
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": index.projection}}


def _attributes(table: Table) -> list[dict[str, str]]:
    names = {"pk", "sk"} | {name for index in table.indexes for name in (index.pk, index.sk) if name}
    return [{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)]


def _keys(pk: str, sk: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": pk, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": sk, "KeyType": "RANGE"}] if sk else [])


def _make_queue(function: Function) -> None:
    dead = {"MessageRetentionPeriod": str(_DEAD_KEPT_SECONDS)}
    client("sqs").create_queue(QueueName=settings.queue_name(function.name + DEAD), Attributes=dead)
    redrive = {"deadLetterTargetArn": queue_arn(function.name + DEAD), "maxReceiveCount": MOST_RECEIVES}
    attributes = {"VisibilityTimeout": str(6 * function.timeout), "RedrivePolicy": json.dumps(redrive)}
    client("sqs").create_queue(QueueName=settings.queue_name(function.name), Attributes=attributes)


def _make_key(key: Key) -> None:
    made = client("kms").create_key(Description=key.description)["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName=settings.key_alias(key.name), TargetKeyId=made)


def _make_bucket(bucket: Bucket) -> None:
    s3, name = client("s3"), settings.bucket_name(bucket.name)
    if not _is_there(name):
        where = {"LocationConstraint": settings.region()}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=bucket.locked)
    if bucket.versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if bucket.expires_days:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=_expiring(bucket.expires_days))
    if bucket.locked:
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=_lock())
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [_cors()]})
    if bucket.notifies:
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=_notification())


def _expiring(days: int) -> dict[str, Any]:
    return {"Rules": [{"ID": "expiry", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}]}


def _lock() -> dict[str, Any]:
    """One day on one machine, where the state is thrown away at will; on AWS the deployment says for how long."""
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}


def _is_there(bucket: str) -> bool:
    try:
        client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return False
    return True


def _notification() -> dict[str, Any]:
    rules = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "inbox/"}]}}
    woken = [function for function in FUNCTIONS if isinstance(function.trigger, Inbox)]
    return {
        "QueueConfigurations": [
            {
                "Id": function.name,
                "QueueArn": queue_arn(function.name),
                "Events": ["s3:ObjectCreated:*"],
                "Filter": rules,
            }
            for function in woken
        ]
    }


def _cors() -> dict[str, Any]:
    return {
        "AllowedOrigins": list(settings.allowed_origins()),
        "AllowedMethods": ["GET", "HEAD", "POST", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
    }


def _make_rule(function: Function, bus: str, **what: str) -> None:
    name = settings.queue_name(function.name)
    client("events").put_rule(Name=name, EventBusName=bus, State="ENABLED", **what)
    targets = [{"Id": function.name, "Arn": queue_arn(function.name)}]
    answer = client("events").put_targets(Rule=name, EventBusName=bus, Targets=targets)
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"the rule {name} has no target: {answer['FailedEntries']}")


def _rate(minutes: int) -> str:
    if minutes % 60 == 0:
        return "rate(1 hour)" if minutes == 60 else f"rate({minutes // 60} hours)"
    return "rate(1 minute)" if minutes == 1 else f"rate({minutes} minutes)"
