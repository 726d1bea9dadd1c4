"""Kill -9 of the embedded AWS, again and again: nothing that was acknowledged is lost."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import launch

ROUNDS = 12
WRITERS = 4
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)

pytestmark = [pytest.mark.flow, pytest.mark.slow]


def aws(service: str, address: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=address,
        region_name="eu-west-2",
        aws_access_key_id="000000000000",
        aws_secret_access_key="local",
        config=_ONCE,
    )


class Writers:
    """Threads that write until the emulator dies, and remember what it acknowledged."""

    def __init__(self, address: str, round_number: int) -> None:
        self.rows: dict[str, int] = {}
        self.objects: dict[str, bytes] = {}
        self.sent: set[str] = set()
        self.logins: set[str] = set()
        self._address, self._round = address, round_number
        jobs = [self._write_rows] * WRITERS + [self._write_objects, self._send, self._enrol]
        self._threads = [threading.Thread(target=self._until_it_dies, args=(job, n)) for n, job in enumerate(jobs)]
        for thread in self._threads:
            thread.start()

    def wait_until_busy(self) -> None:
        """Until each kind of writing was acknowledged twice: a busy machine takes its time."""
        until = time.monotonic() + 60
        while min(map(len, (self.rows, self.objects, self.sent, self.logins))) < 2 and time.monotonic() < until:
            time.sleep(0.01)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _until_it_dies(self, write: Any, number: int) -> None:
        try:
            for turn in range(100_000):
                write(f"{self._round}-{number}-{turn}", turn)
        except (BotoCoreError, ClientError, ConnectionError):
            return

    def _write_rows(self, name: str, turn: int) -> None:
        """One transaction: two new rows and a count that goes up only on condition."""
        dynamodb = aws_of(self._address, "dynamodb")
        count = name.rsplit("-", 1)[0]
        rows = [{"pk": {"S": f"row#{name}"}, "sk": {"S": part}, "body": {"S": "x" * 300}} for part in ("a", "b")]
        puts = [
            {"Put": {"TableName": "market", "Item": row, "ConditionExpression": "attribute_not_exists(pk)"}}
            for row in rows
        ]
        counted = {
            "TableName": "market",
            "Key": {"pk": {"S": f"count#{count}"}, "sk": {"S": "-"}},
            "UpdateExpression": "SET version = :new",
            "ConditionExpression": "attribute_not_exists(pk) OR version = :old",
            "ExpressionAttributeValues": {":new": {"N": str(turn + 1)}, ":old": {"N": str(turn)}},
        }
        dynamodb.transact_write_items(TransactItems=[*puts, {"Update": counted}])
        self.rows[name] = turn

    def _write_objects(self, name: str, turn: int) -> None:
        content = name.encode() * 50
        aws_of(self._address, "s3").put_object(Bucket="market", Key=f"inbox/{name}", Body=content)
        self.objects[f"inbox/{name}"] = content

    def _send(self, name: str, turn: int) -> None:
        url = aws_of(self._address, "sqs").get_queue_url(QueueName="market")["QueueUrl"]
        aws_of(self._address, "sqs").send_message(QueueUrl=url, MessageBody=name)
        self.sent.add(name)

    def _enrol(self, name: str, turn: int) -> None:
        cognito = aws_of(self._address, "cognito-idp")
        pool = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
        made = cognito.admin_create_user(UserPoolId=pool, Username=f"{name}@example.org", MessageAction="SUPPRESS")
        self.logins.add(made["User"]["Username"])


_clients: dict[tuple[str, str], Any] = {}


def aws_of(address: str, service: str) -> Any:
    return _clients.setdefault((address, service), aws(service, address))


def make(address: str) -> None:
    """What a start makes: a table and pool once, queue and bucket each time."""
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    if "market" not in aws("dynamodb", address).list_tables()["TableNames"]:
        aws("dynamodb", address).create_table(
            TableName="market", KeySchema=keys, AttributeDefinitions=attributes, BillingMode="PAY_PER_REQUEST"
        )
        aws("cognito-idp", address).create_user_pool(PoolName="market")
        aws("s3", address).create_bucket(Bucket="market", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    aws("sqs", address).create_queue(QueueName="market")


def stored_rows(address: str) -> dict[tuple[str, str], dict[str, Any]]:
    pages = aws("dynamodb", address).get_paginator("scan").paginate(TableName="market", ConsistentRead=True)
    return {(row["pk"]["S"], row["sk"]["S"]): row for page in pages for row in page["Items"]}


def stored_messages(address: str) -> set[str]:
    sqs = aws("sqs", address)
    url = sqs.get_queue_url(QueueName="market")["QueueUrl"]
    found: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        found |= {message["Body"] for message in messages}
    return found


def stored_logins(address: str) -> set[str]:
    cognito = aws("cognito-idp", address)
    pool = cognito.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool)
    return {user["Username"] for page in pages for user in page["Users"]}


def test_nothing_acknowledged_is_lost_and_no_transaction_is_half_done(tmp_path: Path) -> None:
    moments = random.Random(20260401)
    port, log = launch.free_port(), tmp_path / "log"
    running = launch.start(tmp_path / "state", port, log)
    make(running.address)
    history: list[Writers] = []
    for round_number in range(ROUNDS):
        writers = Writers(running.address, round_number)
        writers.wait_until_busy()
        time.sleep(moments.uniform(0.05, 0.6))
        running.kill()
        writers.join()
        history.append(writers)
        running = launch.start(tmp_path / "state", port, log)
        make(running.address)
    try:
        check(running.address, history)
    finally:
        running.stop()


def check(address: str, history: list[Writers]) -> None:
    rows = stored_rows(address)
    acknowledged = {name: turn for writers in history for name, turn in writers.rows.items()}
    assert len(acknowledged) > ROUNDS  # it was not idle; how much a machine does in a moment is its own affair
    assert [name for name in acknowledged if (f"row#{name}", "a") not in rows] == []
    halves = {pk for pk, _ in rows if pk.startswith("row#")}
    assert [pk for pk in halves if {(pk, "a"), (pk, "b")} - rows.keys()] == []
    for (pk, _), row in rows.items():
        if pk.startswith("count#"):
            last = int(row["version"]["N"]) - 1
            assert (f"row#{pk.removeprefix('count#')}-{last}", "a") in rows
    assert {name for writers in history for name in writers.sent} <= stored_messages(address)
    assert {name for writers in history for name in writers.logins} <= stored_logins(address)
    objects = {key: content for writers in history for key, content in writers.objects.items()}
    assert len(objects) > ROUNDS
    assert {
        key: aws_of(address, "s3").get_object(Bucket="market", Key=key)["Body"].read() for key in objects
    } == objects
