"""1,000 instructions fan out: issued by two requests of 500, told to a webhook, on the embedded AWS.

Fifty obligations of one FSP, each instructed on twenty weekday evenings. Each instruction is judged by every rule,
written once with its day's timeline, put on the outbox, signed and posted to a receiver on loopback. The outbox's
stream and the queues are stood in for by threads that take what is written and call the same handlers the functions
have. The goal is for the fan-out: 99 of 100 instructions are at the provider within 5 seconds of being on the outbox.
How long it takes from sending the request of 500, judging included, is told beside it. Wall-clock seconds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HEADROOM_STAGE", "bench")
os.environ["HEADROOM_WEBHOOK_NETWORKS"] = "127.0.0.0/8"

from benchmarks.bench_bids import in_account  # noqa: E402
from local.cloud import launch  # noqa: E402

OBLIGATIONS, DAYS, AT_ONCE = 50, 20, 500
GOAL_SECONDS = 5.0
NOW = "2026-05-29T12:00:00Z"


class Receiver(BaseHTTPRequestHandler):
    """Keeps when each instruction arrived."""

    arrived: dict[str, float] = {}  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["type"] == "dispatch.instructions_sent.v1":
            for instruction_id in body["data"]["instruction_ids"]:
                self.arrived.setdefault(instruction_id, perf_counter())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        running = launch.start(Path(folder) / "state", launch.free_port(), Path(folder) / "cloud.log", durable=False)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            return in_account(running.address, 600_000_000_000, lambda: run(f"http://127.0.0.1:{server.server_port}/"))
        finally:
            server.shutdown()
            running.stop()


def run(url: str) -> int:
    from chalicelib.dispatch import actions_webhooks as webhooks
    from chalicelib.dispatch.webhooks import WebhookRequest
    from tests.builders.calls import a_call
    from tests.builders.dispatch import FSP, DispatchMarket

    market = DispatchMarket()
    for number in range(OBLIGATIONS):
        market.obligation(f"obl_{number}")
    webhooks.add_webhook(a_call(FSP, now=NOW), WebhookRequest(url=url))
    written: dict[str, float] = {}
    stop = threading.Event()
    machine = [threading.Thread(target=stream, args=(market, written, stop)), *workers(stop)]
    for thread in machine:
        thread.start()
    seconds = issue(market)
    until = perf_counter() + 60
    while len(Receiver.arrived) < OBLIGATIONS * DAYS and perf_counter() < until:
        sleep(0.05)
    stop.set()
    for thread in machine:
        thread.join()
    return told(seconds, written)


def issue(market: Any) -> list[tuple[float, float]]:
    """When each request of 500 was sent and answered."""
    evenings = [day for day in (date(2026, 6, 1) + timedelta(days=n) for n in range(28)) if day.weekday() < 5]
    asked = [
        {
            "obligation_id": f"obl_{number}",
            "client_token": f"{day}",
            "start": f"{day}T16:00:00Z",
            "end": f"{day}T17:00:00Z",
        }
        for day in evenings[:DAYS]
        for number in range(OBLIGATIONS)
    ]
    found = []
    for start in range(0, len(asked), AT_ONCE):
        began = perf_counter()
        outcomes = market.issue(*asked[start : start + AT_ONCE], now=NOW)
        found.append((began, perf_counter()))
        assert all(each.outcome == "issued" for each in outcomes), outcomes
    return found


def stream(market: Any, written: dict[str, float], stop: threading.Event) -> None:
    """As the outbox's stream and the bus do: each new fact to the function that tells webhooks."""
    from functions import fan_out_dispatch

    while not stop.is_set():
        for envelope in market.waiting():
            market.heard.add(envelope.id)
            if envelope.name != "dispatch.instructions_sent.v1":
                continue
            for instruction_id in envelope.body["instruction_ids"]:
                written[instruction_id] = perf_counter()
            body = json.dumps({"detail": envelope.model_dump(mode="json")})
            failed = fan_out_dispatch.handler({"Records": [{"messageId": envelope.id, "body": body}]}, None)
            assert failed == {"batchItemFailures": []}
        sleep(0.05)


def workers(stop: threading.Event) -> list[threading.Thread]:
    """As the local worker does: two that take deliveries off their queue."""
    from chalicelib.storage import settings
    from chalicelib.storage.clients import client
    from functions import deliver_dispatch

    url = client("sqs").get_queue_url(QueueName=settings.queue_name("deliver-dispatch"))["QueueUrl"]

    def work() -> None:
        while not stop.is_set():
            for each in client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=5).get("Messages", []):
                record = {"messageId": each["MessageId"], "body": each["Body"]}
                assert deliver_dispatch.handler({"Records": [record]}, None) == {"batchItemFailures": []}
                client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])

    return [threading.Thread(target=work) for _ in range(2)]


def told(requests: list[tuple[float, float]], written: dict[str, float]) -> int:
    delays = sorted(Receiver.arrived[each] - written[each] for each in written if each in Receiver.arrived)
    everything = OBLIGATIONS * DAYS
    if len(delays) != everything:
        print(f"{len(delays)} of {everything} instructions arrived")
        return 1
    p50, p99 = delays[everything // 2], delays[everything * 99 // 100 - 1]
    whole = sorted(
        at - max(began for began, _ in requests if began <= written[each]) for each, at in Receiver.arrived.items()
    )
    spent = ", ".join(f"{answered - began:.1f} s" for began, answered in requests)
    print(f"{everything} instructions in {len(requests)} requests, judged and written in {spent}")
    print(f"from the request to the provider's door: median {whole[everything // 2]:.2f} s, last {whole[-1]:.2f} s")
    print(f"from the outbox to the provider's door: median {p50:.2f} s, p99 {p99:.2f} s, last {delays[-1]:.2f} s")
    print(f"goal p99 {GOAL_SECONDS:.0f} s: {'reached' if p99 <= GOAL_SECONDS else 'missed'}")
    return 0 if p99 <= GOAL_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
