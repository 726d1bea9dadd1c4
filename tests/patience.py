"""Owns a client's patience: it asks a market that is being killed and started again until it is answered."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx

from local import client

PATIENCE_SECONDS = 600


class Patience(httpx.HTTPTransport):
    """A client's transport that keeps asking until it is answered, each act under one Idempotency-Key.

    It asks no more once `is_over` is set: the market will not come back. `faults` are the answers that told of a fault
    of the market's own (5xx), each with its instant: `Crashes` tells which of them a kill explains.
    """

    is_over = threading.Event()
    faults: ClassVar[list[tuple[float, str]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.startswith("/v1/"):
            request.headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        until = time.monotonic() + PATIENCE_SECONDS
        repeated = False
        while True:
            try:
                answer = super().handle_request(request)
                answer.read()
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return _moved_already(request, answer) if repeated else answer
            if answer is not None:
                told = f"{answer.status_code} to {request.method} {request.url.path}: {answer.text[:200]}"
                self.faults.append((time.monotonic(), told))
            if time.monotonic() > until or self.is_over.is_set():
                raise AssertionError(f"{request.method} {request.url.path} was not answered")
            repeated = True
            time.sleep(0.2)


def _moved_already(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """A clock that was moved by the first try, whose answer was lost, stands where it should."""
    if request.url.path == "/local/clock" and answer.status_code == 409:
        return httpx.Response(200, json={"now": "moved"}, request=request)
    return answer


@contextmanager
def patience() -> Iterator[None]:
    """Every request of `local.client` waits for a market that is being started again."""

    def patient_client(**how: Any) -> httpx.Client:
        return httpx.Client(transport=Patience(), **how)

    plain, before = patient_client(), client.httpx
    client.httpx = SimpleNamespace(  # type: ignore[assignment]
        Client=patient_client,
        get=plain.get,
        post=plain.post,
        Response=httpx.Response,
        TransportError=httpx.TransportError,
    )
    try:
        yield
    finally:
        client.httpx = before  # type: ignore[assignment]
        plain.close()
