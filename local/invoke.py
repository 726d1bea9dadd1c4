"""`make invoke FUNCTION=tick EVENT=events/aws/schedule.json`: a function woken by a sample, in the running market."""

from __future__ import annotations

import argparse
import json
import os
from datetime import datetime
from importlib import import_module
from pathlib import Path
from urllib.request import urlopen

from functions.wiring import FUNCTIONS
from local.events import Context
from local.invoking import answer_here


def main() -> None:
    asked = _arguments()
    _settle_on(asked.address)
    answer_here(lambda: _market_time(asked.address))
    function = next(each for each in FUNCTIONS if each.name == asked.function)
    module, _, name = function.handler.rpartition(".")
    handler = getattr(import_module(module), name)
    context = Context(function.name, function.memory, function.timeout, "invoked-by-hand")
    print(json.dumps(handler(json.loads(asked.event.read_text()), context), indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make invoke", description=__doc__)
    names = [function.name for function in FUNCTIONS if function.name != "api"]
    parser.add_argument("function", choices=names, help="as functions/wiring.py names it")
    parser.add_argument("event", type=Path, help="a trigger as AWS sends it: see events/aws")
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="the running market")
    return parser.parse_args()


def _market_time(address: str) -> datetime:
    """What a running market's clock shows, to the second."""
    with urlopen(f"{address}/local/clock", timeout=5) as answer:
        return datetime.fromisoformat(json.load(answer)["now"])


def _settle_on(address: str) -> None:
    """Lead this process's AWS clients to the state of a running market."""
    with urlopen(f"{address}/local/inbox", timeout=5) as answer:
        inbox = json.load(answer)
    os.environ |= {
        "AWS_ENDPOINT_URL": inbox["endpoint"],
        "AWS_ACCESS_KEY_ID": inbox["access_key"],
        "AWS_SECRET_ACCESS_KEY": inbox["secret"],
        "AWS_REGION": inbox["region"],
        "AWS_DEFAULT_REGION": inbox["region"],
    }


if __name__ == "__main__":
    main()
