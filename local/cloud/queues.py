"""Owns keeping queues: which messages were sent and which are gone; a message given out and not deleted comes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import responses
from ministack.services import sqs

from local.cloud.recorder import Recorder
from local.journal import Record

Tell = Callable[..., None]
Message = dict[str, Any]


class Queues:
    """Makes the emulator's queues tell of their messages, and gives a queue made again those it held."""

    def __init__(self, recorder: Recorder) -> None:
        self._tell = recorder.tell
        self._held: dict[tuple[str, str, str], dict[str, Message]] = defaultdict(dict)
        self._create = sqs._act_create_queue
        sqs._HANDLERS["CreateQueue"] = self._create_and_follow

    def restore(self, record: Record) -> None:
        if "queue" not in record:
            return
        held = self._held[(record["scope"][0], record["scope"][1], record["queue"])]
        for message in record.get("sent", ()):
            held[message["id"]] = message
        for message_id in record.get("gone", ()):
            held.pop(message_id, None)

    def state(self) -> Iterator[Record]:
        for (account, region, queue), messages in self._held.items():
            if messages:
                yield {"scope": [account, region], "queue": queue, "sent": list(messages.values())}

    def _create_and_follow(self, data: dict[str, Any], url: str) -> dict[str, Any]:
        made: dict[str, Any] = self._create(data, url)
        queue = sqs._queues[made["QueueUrl"]]
        if not isinstance(queue, _Queue):
            held = self._held.pop((responses.get_account_id(), responses.get_region(), queue["name"]), {})
            messages = [{**message, "visible_at": 0, "receipt_handle": None} for message in held.values()]
            sqs._queues[made["QueueUrl"]] = _Queue(queue, messages, self._tell)
        return made


class _Queue(dict[str, Any]):
    """A queue of the emulator's: messages are appended to its list, or the list is replaced by those that stay."""

    def __init__(self, queue: dict[str, Any], messages: list[Message], tell: Tell) -> None:
        super().__init__(queue)
        self._tell = tell
        super().__setitem__("messages", _Messages(messages, queue["name"], tell))

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "messages":
            self._tell_gone(value)
            value = _Messages(value, self["name"], self._tell)
        super().__setitem__(key, value)

    def _tell_gone(self, left: list[Message]) -> None:
        if len(left) != len(self["messages"]):
            stay = {message["id"] for message in left}
            gone = [message["id"] for message in self["messages"] if message["id"] not in stay]
            self._tell(queue=self["name"], gone=gone)


class _Messages(list[Message]):
    def __init__(self, messages: list[Message], queue: str, tell: Tell) -> None:
        super().__init__(messages)
        self._queue, self._tell = queue, tell

    def append(self, message: Message) -> None:
        super().append(message)
        self._tell(queue=self._queue, sent=[message])

    def clear(self) -> None:
        self._tell(queue=self._queue, gone=[message["id"] for message in self])
        super().clear()
