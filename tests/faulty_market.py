"""`python -m tests.faulty_market`: a market as `python -m local` has it, whose AWS misbehaves as AWS may.

`--unruly` delivers every message twice and out of order; `--throttle` lets services refuse requests at random.
What it did is kept in the state folder as `faults.json`.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.retries.standard import ExponentialBackoff

from chalicelib.storage.keys import forget_keys
from local.delivery import Unruly
from local.market import STEPS, Market, Place
from local.steps import Steps

SEED = 20260401
# Of a service's tries one in so many is refused, and of its operations one in so many to the last try. The latter fail
# the message or request they are part of. A message that fails five times running is set aside, as it should be: the
# odds are such that chance does not do that, with some sixty reads and a few keys to a file.
_ODDS = {"dynamodb": (25, 600), "ses": (4, 12), "kms": (3, 40), "secrets-manager": (3, 8)}
_HASTE = 20
_REFUSALS = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "ses": "Throttling",
    "kms": "ThrottlingException",
    "secrets-manager": "ThrottlingException",
}
_XML = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
)


class Throttling:
    """Answers requests to some services in their place, before they are sent: too many requests.

    The first try at each service is refused, later ones by the odds, drawn for each service by itself.
    """

    def __init__(self, seed: int) -> None:
        self._random = {service: Random(f"{seed}/{service}") for service in _ODDS}
        self._drawing = threading.Lock()
        self._refused: set[str] = set()
        self._seen: set[str] = set()
        self.is_on = False
        self.counts: Counter[str] = Counter()

    def __call__(self, request: Any, event_name: str, **about: Any) -> AWSResponse | None:
        service = event_name.split(".")[1]
        if not self.is_on or service not in _REFUSALS or not self._is_unlucky(service, request):
            return None
        code = _REFUSALS[service]
        if service == "ses":
            return AWSResponse(request.url, 400, {"Content-Type": "text/xml"}, _Raw(_XML.format(code)))
        told = json.dumps({"__type": code, "message": "Rate exceeded"})
        return AWSResponse(request.url, 400, {"Content-Type": "application/x-amz-json-1.0"}, _Raw(told))

    def _is_unlucky(self, service: str, request: Any) -> bool:
        operation = str(request.headers["amz-sdk-invocation-id"])
        random, (once_in, wholly_once_in) = self._random[service], _ODDS[service]
        with self._drawing:
            if operation not in self._seen:
                self._seen.add(operation)
                if random.randrange(wholly_once_in) == 0:
                    self._refused.add(operation)
                    self.counts[f"{service} operations"] += 1
            is_first = not self.counts[f"{service} tries"]
            if not is_first and operation not in self._refused and random.randrange(once_in):
                return False
            self.counts[f"{service} tries"] += 1
            return True


class _Raw:
    """A body as urllib3 gives one."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._text

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._text


def main() -> None:
    asked = _arguments()
    throttling = Throttling(asked.seed)
    delivery = Unruly(asked.seed) if asked.unruly else None
    handlers.BUILTIN_HANDLERS.append(("before-send", throttling))
    _hurry()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    market = Market(Place(asked.state, asked.port, asked.cloud_port), delivery=delivery)
    market.start(Steps(STEPS))
    forget_keys()  # so that they are asked for once more
    throttling.is_on = asked.throttle
    print("open; Ctrl-C stops it", flush=True)
    while not stopping.wait(1):
        told = {"throttled": throttling.counts, "given": delivery.given if delivery else 0}
        (asked.state / "faults.json").write_text(json.dumps(told))
    market.stop()


def _hurry() -> None:
    """Let botocore wait a part of the time it would between tries: what is tested is what happens, not how slowly."""
    patient = ExponentialBackoff.delay_amount
    ExponentialBackoff.delay_amount = lambda self, context: patient(self, context) / _HASTE  # type: ignore[method-assign]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cloud-port", type=int, required=True)
    parser.add_argument("--unruly", action="store_true")
    parser.add_argument("--throttle", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    return parser.parse_args()


if __name__ == "__main__":
    main()
