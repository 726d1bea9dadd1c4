"""The worker wakes functions as Lambda does: same events, partial failures, dead letters, streams in order."""

from __future__ import annotations

import json
import sys
import time
import types
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.events import Envelope
from chalicelib.storage import outbox, settings
from chalicelib.storage.clients import client
from functions.wiring import Every, Function, Outbox, Queue
from local import provision, quiet
from local.clock import Clock
from local.worker import Worker

pytestmark = pytest.mark.flow
SECONDS = 20


class Woken:
    """A function's module that notes its events; it names as failed what `fails` says, or raises."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.fails: set[str] = set()
        self.raises = 0

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        assert context.get_remaining_time_in_millis() > 0
        self.events.append(event)
        if self.raises > 0:
            self.raises -= 1
            raise RuntimeError("broken")
        failed = [record["messageId"] for record in event["Records"] if record.get("body") in self.fails]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    @property
    def bodies(self) -> list[str]:
        return [record["body"] for event in self.events for record in event["Records"]]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Woken:
    noting = Woken()
    module = types.ModuleType("noting")
    module.handler = noting.handler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "noting", module)
    return noting


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture(autouse=True)
def without_s3s_own_test_event(embedded: str) -> None:
    """S3 tells a queue once that it will be told of objects."""
    client("sqs").purge_queue(QueueUrl=provision.queue_url("on-file"))


@pytest.fixture
def started(embedded: str, clock: Clock) -> Iterator[Any]:
    workers: list[Worker] = []

    def start(trigger: Any, name: str = "send-mail", batch: int = 10) -> Worker:
        worker = Worker(clock, [Function(name, "noting.handler", trigger, "api", batch=batch, concurrency=1)])
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.stop()


def send(queue: str, *bodies: str) -> None:
    for body in bodies:
        client("sqs").send_message(QueueUrl=provision.queue_url(queue), MessageBody=json.dumps(body))


def until(holds: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.05)


def test_messages_arrive_as_lambda_gets_them_and_are_gone_afterwards(woken: Woken, started: Any) -> None:
    send("send-mail", "one")
    worker = started(Queue())
    until(lambda: worker.handled["send-mail"] == 1)
    record = woken.events[0]["Records"][0]
    assert record["body"] == '"one"'
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == provision.queue_arn("send-mail")
    assert {"ApproximateReceiveCount", "SentTimestamp"} <= record["attributes"].keys()
    assert "send-mail" not in quiet.backlog().waiting


def test_only_the_messages_named_as_failed_come_again(woken: Woken, started: Any) -> None:
    woken.fails = {'"bad"'}
    send("send-mail", "good", "bad", "better")
    started(Queue())
    until(lambda: woken.bodies.count('"bad"') >= 2)
    assert woken.bodies.count('"good"') == 1
    assert woken.bodies.count('"better"') == 1
    assert quiet.backlog().waiting["send-mail"] == 1


def test_a_handler_that_raises_gets_its_batch_again(woken: Woken, started: Any) -> None:
    woken.raises = 1
    send("send-mail", "one")
    worker = started(Queue())
    until(lambda: worker.handled["send-mail"] == 1)
    assert woken.bodies == ['"one"', '"one"']
    assert worker.failed["send-mail"] == 1


def test_a_message_that_failed_too_often_is_set_aside(
    woken: Woken, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.worker.MOST_PAUSE_SECONDS", 0)
    woken.fails = {'"bad"'}
    send("send-mail", "bad")
    started(Queue())
    until(lambda: quiet.backlog().dead == {"send-mail": 1})
    assert woken.bodies == ['"bad"'] * provision.MOST_RECEIVES
    assert "send-mail" not in quiet.backlog().waiting


def test_a_schedule_is_heard_on_the_markets_clock(woken: Woken, started: Any, clock: Clock) -> None:
    from local.schedules import wake_schedules

    wanted = datetime.now(UTC) + timedelta(days=40)
    clock.move_to(wanted)
    wake_schedules()
    started(Every(1), "tick")
    until(lambda: woken.bodies)
    heard = datetime.fromisoformat(json.loads(woken.bodies[0])["time"])
    assert timedelta(milliseconds=-1) <= heard - wanted < timedelta(seconds=5)


def test_a_file_dropped_before_a_move_of_the_clock_keeps_its_time(woken: Woken, started: Any, clock: Clock) -> None:
    client("s3").put_object(Bucket=settings.bucket_name("files"), Key="inbox/a", Body=b"x")
    dropped = datetime.now(UTC)
    time.sleep(0.01)
    clock.move_to(dropped + timedelta(days=40))
    client("s3").put_object(Bucket=settings.bucket_name("files"), Key="inbox/b", Body=b"x")
    started(Queue(), "on-file")
    until(lambda: len(dropped_files(woken)) == 2)
    files = dropped_files(woken)
    assert abs(files["inbox/a"] - dropped) < timedelta(seconds=2)
    assert timedelta(0) <= files["inbox/b"] - dropped - timedelta(days=40) < timedelta(seconds=5)


def dropped_files(woken: Woken) -> dict[str, datetime]:
    told = [json.loads(body) for body in woken.bodies]
    records = [record for body in told for record in body.get("Records", [])]
    return {record["s3"]["object"]["key"]: datetime.fromisoformat(record["eventTime"]) for record in records}


def write_fact(number: int) -> None:
    envelope = Envelope(
        id=f"evt_{number:04}", name="assets.gazetteer_loaded.v1", at=datetime.now(UTC), request_id="r", body={}
    )
    client("dynamodb").put_item(TableName=settings.table_name("outbox"), Item=outbox._row(envelope).item())


def test_the_outbox_stream_is_given_in_order_and_only_what_was_inserted(woken: Woken, started: Any) -> None:
    for number in range(7):
        write_fact(number)
    client("dynamodb").delete_item(
        TableName=settings.table_name("outbox"), Key={"pk": {"S": "evt_0003"}, "sk": {"S": "-"}}
    )
    started(Outbox(), "on-outbox", batch=3)
    until(lambda: len(inserted(woken)) >= 7)
    assert inserted(woken) == [f"evt_{number:04}" for number in range(7)]


def test_a_failing_batch_of_the_stream_is_halved_and_given_again(woken: Woken, started: Any) -> None:
    woken.raises = 2
    for number in range(4):
        write_fact(number)
    worker = started(Outbox(), "on-outbox", batch=10)
    until(lambda: worker.handled["on-outbox"] == 4)
    assert [len(event["Records"]) for event in woken.events[:3]] == [4, 2, 1]
    assert set(inserted(woken)) == {f"evt_{number:04}" for number in range(4)}


def inserted(woken: Woken) -> list[str]:
    records = [record for event in woken.events for record in event["Records"]]
    assert {record["eventName"] for record in records} <= {"INSERT"}
    return [record["dynamodb"]["NewImage"]["pk"]["S"] for record in records]


def test_the_market_is_quiet_once_everything_was_handled(woken: Woken, started: Any) -> None:
    send("send-mail", *"abc")
    worker = started(Queue())
    told = quiet.wait(worker, SECONDS)
    assert told["quiet"]
    assert told["handled"] == {"send-mail": 3}
    assert told["dead"] == {}


def test_the_market_is_not_quiet_while_a_fact_is_unpublished(woken: Woken, started: Any) -> None:
    write_fact(1)
    told = quiet.wait(started(Queue()), 0.3)
    assert not told["quiet"]
    assert told["unpublished"] == 1
