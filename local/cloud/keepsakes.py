"""Owns keeping what cannot be made again from its effects: logins, keys and secrets, each service as one whole file."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core.persistence import _json_default, _json_object_hook
from ministack.services import cognito, kms, secretsmanager

from local.cloud.recorder import write_or_stop

SERVICES = {"cognito-idp": cognito, "kms": kms, "secretsmanager": secretsmanager}
Answer = tuple[int, dict[str, str], Any]
Handle = Callable[..., Awaitable[Answer]]


class Keepsakes:
    """Saves a service's whole state after each request that changed it, before the request is answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved: dict[str, bytes] = {}
        for service in SERVICES:
            app.SERVICE_HANDLERS[service] = self._saving(service, app.SERVICE_HANDLERS[service])

    def restore(self) -> None:
        for service, module in SERVICES.items():
            if self._file(service).exists():
                self._saved[service] = self._file(service).read_bytes()
                module.load_persisted_state(json.loads(self._saved[service], object_hook=_json_object_hook))

    def _saving(self, service: str, handle: Handle) -> Handle:
        async def answer(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Answer:
            answer = await handle(method, path, headers, body, query)
            self._save(service)
            return answer

        return answer

    def _save(self, service: str) -> None:
        state = json.dumps(SERVICES[service].get_state(), default=_json_default).encode()
        if state != self._saved.get(service):
            write_or_stop(self._file(service), state)
            self._saved[service] = state

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.json"
