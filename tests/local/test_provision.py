"""The emulator is made from schema and wiring, and making it again changes nothing."""

from __future__ import annotations

import json

import pytest

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.schema import BUCKETS, TABLES
from functions.wiring import FUNCTIONS, Events, Every
from local import provision

pytestmark = pytest.mark.flow


def rules(bus: str) -> dict[str, dict]:
    return {rule["Name"]: rule for rule in client("events").list_rules(EventBusName=bus)["Rules"]}


def test_every_table_has_its_indexes_expiry_and_stream(embedded: str) -> None:
    for table in TABLES:
        name = settings.table_name(table.name)
        made = client("dynamodb").describe_table(TableName=name)["Table"]
        assert {index["IndexName"] for index in made.get("GlobalSecondaryIndexes", [])} == {
            index.name for index in table.indexes
        }
        assert made.get("StreamSpecification", {}).get("StreamEnabled", False) is table.stream
        expiry = client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert expiry.get("AttributeName") == table.expires


def test_every_function_with_a_queue_has_it_with_a_dead_letter_queue(embedded: str) -> None:
    for function in FUNCTIONS:
        if function.has_queue:
            url = provision.queue_url(function.name)
            made = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            redrive = json.loads(made["RedrivePolicy"])
            assert redrive["deadLetterTargetArn"] == provision.queue_arn(function.name + provision.DEAD)
            assert int(made["VisibilityTimeout"]) >= 6 * function.timeout


def test_market_events_and_schedules_lead_to_their_functions_queues(embedded: str) -> None:
    on_bus, scheduled = rules(settings.bus_name()), rules("default")
    for function in FUNCTIONS:
        name = settings.queue_name(function.name)
        if isinstance(function.trigger, Events):
            pattern = json.loads(on_bus[name]["EventPattern"])
            assert pattern["detail-type"] == list(function.trigger.names)
        if isinstance(function.trigger, Every):
            assert scheduled[name]["ScheduleExpression"].startswith("rate(")


def test_buckets_are_versioned_and_a_dropped_file_is_told(embedded: str) -> None:
    for bucket in BUCKETS:
        found = client("s3").get_bucket_versioning(Bucket=settings.bucket_name(bucket.name))
        assert (found.get("Status") == "Enabled") is bucket.versioned
    client("s3").put_object(Bucket=settings.bucket_name("files"), Key="inbox/org_1/assets.xlsx", Body=b"x")
    client("s3").put_object(Bucket=settings.bucket_name("files"), Key="results/org_1/assets.xlsx", Body=b"x")
    url = provision.queue_url("on-file")
    told = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    keys = [
        record["s3"]["object"]["key"] for message in told for record in json.loads(message["Body"]).get("Records", [])
    ]
    assert keys == ["inbox/org_1/assets.xlsx"]


def test_making_everything_again_keeps_the_same_logins(embedded: str) -> None:
    before = settings.user_pool_id(), settings.user_pool_client_id()
    provision.make_everything()
    assert (settings.user_pool_id(), settings.user_pool_client_id()) == before


def test_a_table_made_before_an_index_was_thought_of_gets_it(account: str) -> None:
    table = next(table for table in TABLES if len(table.indexes) > 1)
    whole = provision._description(table)
    kept = whole["GlobalSecondaryIndexes"][:1]
    names = {"pk", "sk"} | {key["AttributeName"] for key in kept[0]["KeySchema"]}
    attributes = [found for found in whole["AttributeDefinitions"] if found["AttributeName"] in names]
    older = whole | {"GlobalSecondaryIndexes": kept, "AttributeDefinitions": attributes}
    client("dynamodb").create_table(**older)
    provision.make_tables()
    made = client("dynamodb").describe_table(TableName=whole["TableName"])["Table"]
    assert len(made["GlobalSecondaryIndexes"]) == len(table.indexes)


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (15, "rate(15 minutes)"), (60, "rate(1 hour)")])
def test_a_schedule_is_worded_as_eventbridge_wants_it(minutes: int, rate: str) -> None:
    assert provision._rate(minutes) == rate
