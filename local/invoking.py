"""Owns asking a function that others wait for, in this process: the same handler and the same JSON as by Lambda."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.edge.clock import use_market_clock
from chalicelib.storage import settings
from chalicelib.storage.invoking import Reply, use_transport
from functions.wiring import FUNCTIONS, Asked, Function
from local.events import Context

Handler = Callable[..., Any]


class InProcess:
    """Runs the handlers of the wiring that other functions ask; what they raise is told by name, as Lambda tells it."""

    def __init__(self, functions: Sequence[Function] = FUNCTIONS) -> None:
        self._asked = {function.name: function for function in functions if isinstance(function.trigger, Asked)}

    def __call__(self, name: str, content: bytes) -> Reply:
        function = self._asked[name]
        context = Context(settings.function_name(name), function.memory, function.timeout, "asked-in-process")
        try:
            told = _handler(function)(json.loads(content), context)
        except Exception as error:
            return Reply(b"", type(error).__name__)
        return Reply(json.dumps(told).encode())


def answer_here(now: Callable[[], datetime]) -> None:
    """Let functions that others ask answer in this process from now on, by a market's clock."""
    use_market_clock(now)
    use_transport(InProcess())


def _handler(function: Function) -> Handler:
    module, _, name = function.handler.rpartition(".")
    found: Handler = getattr(importlib.import_module(module), name)
    return found
