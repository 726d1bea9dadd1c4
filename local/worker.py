"""Owns waking the functions: polls their queues and tables' streams, and calls the handlers as Lambda does."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from functions.wiring import FUNCTIONS, Function, Stream
from local import events, quiet
from local.clock import Clock
from local.delivery import Delivery
from local.provision import queue_arn, queue_url

log = logging.getLogger("headroom.worker")

MOST_AT_ONCE = 4
POLL_SECONDS = 1
STREAM_PAUSE_SECONDS = 0.1
STREAM_TRIES = 4
MOST_PAUSE_SECONDS = 30
STOP_SECONDS = 10
Handler = Callable[[dict[str, Any], Any], Any]


class Worker:
    """Threads that wake every function but the API. `handled` and `failed` count messages by function."""

    def __init__(
        self, clock: Clock, functions: Sequence[Function] = FUNCTIONS, delivery: Delivery | None = None
    ) -> None:
        self._clock = clock
        self.delivery = delivery or Delivery()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.handled: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        queues = [_Queue(function, self) for function in functions if function.has_queue]
        streams = [
            _Stream(function, function.trigger.table, self)
            for function in functions
            if isinstance(function.trigger, Stream)
        ]
        self._pollers: list[_Queue | _Stream] = [*queues, *streams]

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def counts(self) -> quiet.Counts:
        return self.handled, self.failed

    def backlog(self) -> quiet.Backlog:
        return quiet.backlog()

    def start(self) -> None:
        for poller in self._pollers:
            thread = threading.Thread(target=poller.run, name=poller.function.name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Take no more messages and let those in hand finish; what does not in time comes back at the next start."""
        self._stopping.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)


class _Queue:
    """Polls one queue; runs as many batches at once as the function may, but not more than the machine should."""

    def __init__(self, function: Function, worker: Worker) -> None:
        self.function, self._worker = function, worker
        self._handler = _handler(function)
        self._url = queue_url(function.name)
        self._arn = queue_arn(function.name)
        self._at_once = min(function.concurrency, MOST_AT_ONCE)
        self._free = threading.Semaphore(self._at_once)

    def run(self) -> None:
        with ThreadPoolExecutor(self._at_once, self.function.name) as pool:
            while not self._worker.is_stopping:
                self._free.acquire()
                messages = self._receive()
                if messages:
                    pool.submit(self._handle, messages).add_done_callback(lambda _: self._free.release())
                else:
                    self._free.release()

    def _receive(self) -> list[dict[str, Any]]:
        try:
            answer = client("sqs").receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(self.function.batch, 10),
                WaitTimeSeconds=POLL_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except Exception:
            if not self._worker.is_stopping:
                log.exception("%s: its queue could not be read", self.function.name)
                self._worker.pause(1)
            return []
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _handle(self, received: list[dict[str, Any]]) -> None:
        messages = [message for message in received if not self._is_put_off(message)]
        failed: set[str] = set()
        for batch in self._worker.delivery.of_queue(messages) if messages else ():
            failed |= self._failures(batch)
        for message in messages:
            try:
                if message["MessageId"] in failed:
                    self._give_back(message)
                else:
                    client("sqs").delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            except Exception:
                if not self._worker.is_stopping:
                    log.exception("%s: a message could not be settled and comes again", self.function.name)
        self._worker.failed[self.function.name] += len(failed)
        self._worker.handled[self.function.name] += len(messages) - len(failed)

    def _is_put_off(self, message: dict[str, Any]) -> bool:
        seconds = self._worker.delivery.put_off_seconds(message)
        if seconds is not None:
            client("sqs").change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
            )
        return seconds is not None

    def _failures(self, messages: list[dict[str, Any]]) -> set[str]:
        """The ids of the messages to be given again: those the handler named, or all when it raised."""
        try:
            event = events.of_queue(messages, self._arn, self._worker.clock)
            answer = self._handler(event, _context(self.function, messages[0]["MessageId"]))
        except Exception:
            log.exception("%s failed on %d messages", self.function.name, len(messages))
            return {message["MessageId"] for message in messages}
        named = (answer or {}).get("batchItemFailures", [])
        return {failure["itemIdentifier"] for failure in named}

    def _give_back(self, message: dict[str, Any]) -> None:
        """Show a message again after a growing pause; the queue sets it aside when it came too often."""
        times = int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))
        log.warning("%s: message %s failed for the %d. time", self.function.name, message["MessageId"], times)
        client("sqs").change_message_visibility(
            QueueUrl=self._url,
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=min(2**times, MOST_PAUSE_SECONDS),
        )


class _Stream:
    """Follows a table's stream from its oldest record, giving batches in order and halving one that fails."""

    def __init__(self, function: Function, followed: str, worker: Worker) -> None:
        self.function, self._worker = function, worker
        self._handler = _handler(function)
        table = client("dynamodb").describe_table(TableName=settings.table_name(followed))["Table"]
        self._arn = table["LatestStreamArn"]

    def run(self) -> None:
        iterator = self._first_iterator()
        while not self._worker.is_stopping:
            try:
                answer = client("dynamodbstreams").get_records(ShardIterator=iterator, Limit=self.function.batch)
            except Exception:
                if not self._worker.is_stopping:
                    log.exception("%s: its stream could not be read", self.function.name)
                    self._worker.pause(1)
                    iterator = self._first_iterator()
                continue
            iterator = answer["NextShardIterator"]
            news = [record for record in answer["Records"] if record["eventName"] == "INSERT"]
            if news:
                for batch in self._worker.delivery.of_stream(news):
                    self._give(batch)
            elif not answer["Records"]:
                self._worker.pause(STREAM_PAUSE_SECONDS)

    def _first_iterator(self) -> str:
        streams = client("dynamodbstreams")
        shard = streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"][0]["ShardId"]
        found = streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        return str(found["ShardIterator"])

    def _give(self, records: list[dict[str, Any]], tried: int = 1) -> None:
        try:
            event = events.of_stream(records, self._arn, self._worker.clock)
            self._handler(event, _context(self.function, records[0]["eventID"]))
            self._worker.handled[self.function.name] += len(records)
        except Exception:
            if self._worker.is_stopping:
                return
            log.exception("%s failed on %d records", self.function.name, len(records))
            self._give_again(records, tried)

    def _give_again(self, records: list[dict[str, Any]], tried: int) -> None:
        if len(records) > 1:
            half = len(records) // 2
            self._give(records[:half])
            self._give(records[half:])
        elif tried < STREAM_TRIES:
            self._worker.pause(tried)
            self._give(records, tried + 1)
        else:
            # Still marked in its table as unpublished or unsealed: the sweep tries it again.
            self._worker.failed[self.function.name] += 1


def _handler(function: Function) -> Handler:
    module, _, name = function.handler.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), name)
    return handler


def _context(function: Function, request_id: str) -> events.Context:
    return events.Context(settings.queue_name(function.name), function.memory, function.timeout, request_id)
