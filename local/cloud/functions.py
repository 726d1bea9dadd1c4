"""Owns the emulator's Lambda as AWS runs it: alone with its bundle, in the loop's turn, every invocation counted."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
import os
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc, sqs

log = logging.getLogger("headroom.functions")

Result = dict[str, Any]


class Functions:
    """`handled` and `failed` count invocations by function; the log tells of those that failed."""

    def __init__(self, folder: Path) -> None:
        self.handled: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._bundles = _Bundles(folder)
        self._run = lambda_svc._execute_function_dispatch
        lambda_svc._execute_function_dispatch = self._run_counted
        self._keep_to_themselves()
        # On a thread of its own, as the emulator has it, the poller could replace a queue's messages while a request
        # appends one, which would be lost.
        self._receive = _in_turn(sqs._receive_messages_for_esm)
        sqs._receive_messages_for_esm = self._receive_if_any
        sqs._delete_messages_for_esm = _in_turn(sqs._delete_messages_for_esm)

    def in_hand(self) -> dict[str, int]:
        """How many invocations of each function run at this moment."""
        return {key.rpartition(":")[2]: count for key, count in lambda_svc.executions_in_flight()[1].items()}

    def unread(self) -> dict[str, int]:
        """How many records of its stream each function has still to be given."""
        found = {}
        for account, region, mapping in lambda_svc._iter_all_esms():
            if ":dynamodb:" in mapping["EventSourceArn"]:
                table = mapping["EventSourceArn"].split("/")[1]
                end = dynamodb.stream_end_position(table, account_id=account, region=region)
                read = lambda_svc._dynamodb_stream_positions.get_scoped(account, region, mapping["UUID"], 0)
                found[mapping["FunctionName"]] = end - read
        return {name: count for name, count in found.items() if count}

    def _keep_to_themselves(self) -> None:
        """Run functions by the bare interpreter, so that a package missing from a bundle is missed here as on AWS."""
        scripts = lambda_runtime._detect_runtime_binary
        bare = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        lambda_runtime._detect_runtime_binary = lambda runtime: (bare, scripts(runtime)[1])
        lambda_runtime.zipfile = SimpleNamespace(ZipFile=self._bundles.opened)

    def _receive_if_any(self, url: str, most: int) -> Any:
        return self._receive(url, most) if sqs._queues[url]["messages"] else []

    def _run_counted(self, func: Any, config: dict[str, Any], *more: Any) -> Result:
        result: Result = self._run(func, config, *more)
        failed = _has_failed(result)
        if failed:
            log.warning("%s failed: %s\n%s", config["FunctionName"], result.get("body"), result.get("log"))
        with self._counting:
            (self.failed if failed else self.handled)[config["FunctionName"]] += 1
        return result


class _Bundles:
    """Unpacks each bundle once; every process of its functions reads that one folder, as none may write it on AWS."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unpacking = threading.Lock()

    def opened(self, packed: str) -> _Bundle:
        return _Bundle(self, Path(packed))

    def unpacked(self, packed: Path) -> Path:
        with self._unpacking:
            folder = self._folder / hashlib.sha256(packed.read_bytes()).hexdigest()
            if not folder.exists():
                with zipfile.ZipFile(packed) as archive:
                    archive.extractall(folder)
            return folder


class _Bundle:
    def __init__(self, bundles: _Bundles, packed: Path) -> None:
        self._bundles, self._packed = bundles, packed

    def __enter__(self) -> _Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self._packed.unlink()

    def extractall(self, folder: str) -> None:
        Path(folder).rmdir()
        Path(folder).symlink_to(self._bundles.unpacked(self._packed), target_is_directory=True)


def _has_failed(result: Result) -> bool:
    """Raised or ran out of time, gave messages back, or told its caller of a fault of its own."""
    told = result.get("body")
    if result.get("error") or not isinstance(told, dict):
        return bool(result.get("error"))
    return bool(told.get("batchItemFailures")) or int(told.get("statusCode", 200)) >= 500


def _in_turn(act: Callable[..., Any]) -> Callable[..., Any]:
    """The same act, done on the event loop between two requests; for threads other than the loop's."""

    def on_the_loop(*args: Any) -> Any:
        done: Future[Any] = Future()
        context = contextvars.copy_context()

        def run() -> None:
            try:
                done.set_result(context.run(act, *args))
            except Exception as error:
                done.set_exception(error)

        loop: asyncio.AbstractEventLoop = app._MAIN_LOOP
        loop.call_soon_threadsafe(run)
        return done.result()

    return on_the_loop
