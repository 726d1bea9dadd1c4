"""Owns asking another function of the market and waiting for its answer: by Lambda, or by what a process says instead.

Both ways carry the same bytes of JSON. What is asked and answered goes into no log and no queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.storage import settings
from chalicelib.storage.clients import client

TRIES = 2


class FunctionFailed(RuntimeError):
    """The function that was asked has failed: a fault, as when any other part of AWS does."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the answer's bytes, and what the fault is called where there was one."""

    content: bytes
    fault: str | None = None

    def __repr__(self) -> str:
        return f"Reply({len(self.content)} bytes, {self.fault})"


Transport = Callable[[str, bytes], Reply]


def by_lambda(function: str, asked: bytes) -> Reply:
    """Through Lambda, which is asked again by its client where it throttles."""
    told = client("lambda").invoke(FunctionName=settings.function_name(function), Payload=asked)
    return Reply(told["Payload"].read(), told.get("FunctionError"))


@dataclass(slots=True)
class _Way:
    """How this process asks."""

    transport: Transport = by_lambda


_way = _Way()


def use_transport(transport: Transport) -> Transport:
    """Say how functions are asked where no Lambda runs them; returns how they were asked so far."""
    before, _way.transport = _way.transport, transport
    return before


def invoke(function: str, asked: bytes) -> bytes:
    """What a function of the wiring answers; asks must bear repeating. `FunctionFailed` when it fails each time."""
    for _ in range(TRIES):
        reply = _way.transport(function, asked)
        if reply.fault is None:
            return reply.content
    raise FunctionFailed(f"{function} failed: {reply.fault}")
