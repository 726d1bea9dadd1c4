"""Every kind of trigger, as AWS sends it: the functions take the samples in `events/aws` and say what failed."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.events import Envelope
from chalicelib.storage import outbox
from functions import notify, on_outbox, send_mail
from functions.wiring import FUNCTIONS, Every

AWS = Path(__file__).parents[2] / "events" / "aws"
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}

pytestmark = pytest.mark.usefixtures("market")


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((AWS / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize(
    "function", [each for each in FUNCTIONS if isinstance(each.trigger, Every)], ids=lambda f: f.name
)
def test_a_schedule_wakes_its_function_in_an_empty_market(function: Any) -> None:
    module, _, name = function.handler.rpartition(".")
    assert getattr(import_module(module), name)(sample("schedule"), None) == NOTHING_FAILED


def test_the_outboxs_stream_puts_news_on_the_bus_and_passes_over_changes() -> None:
    event = sample("outbox_stream")
    assert [envelope.name for envelope in outbox.envelopes_of_stream(event["Records"])] == [
        "competitions.bidding_opened.v1"
    ]


def test_an_outbox_row_that_is_gone_is_a_failure_and_not_silence() -> None:
    with pytest.raises(Exception, match="ConditionalCheckFailed"):
        on_outbox.handler(sample("outbox_stream"), None)


def test_a_mail_that_is_not_known_any_more_is_nothing_to_send() -> None:
    assert send_mail.handler(sample("queue_message"), None) == NOTHING_FAILED


def test_a_message_that_fails_is_named_to_its_queue() -> None:
    event = sample("market_event")
    failed = notify.handler(event, None)
    assert failed == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}


def test_a_market_event_is_an_envelope() -> None:
    body = json.loads(sample("market_event")["Records"][0]["body"])
    assert Envelope.model_validate(body["detail"]).name == body["detail-type"]
