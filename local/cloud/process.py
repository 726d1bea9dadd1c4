"""Owns the emulator's process, `python -m local.cloud.process FOLDER PORT`: restores, then serves on loopback.

It stops on SIGTERM, and when its standard input ends, so that it never outlives whoever started it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
SECRET = "local"  # what every client signs with; presigned links are checked against it
SERVICES = "cognito-idp,dynamodb,dynamodbstreams,events,kms,s3,secretsmanager,ses,sqs,sts"
DEPLOYED = SERVICES + ",apigateway,cloudformation,cloudfront,cloudwatch,iam,lambda,logs,monitoring,sns"


def main() -> None:
    arguments = _arguments()
    _set_environment(arguments.folder, arguments.port)
    if arguments.deployed:
        _set_deployed()
    from local.journal import Damaged

    cloud = Cloud(arguments.folder, not arguments.fleeting, arguments.deployed)
    try:
        cloud.restore()
    except Damaged as damaged:
        sys.exit(str(damaged))
    asyncio.run(_serve(cloud, arguments.port))


class Cloud:
    """The emulator as an ASGI application whose answers wait until what they tell of is on disk."""

    def __init__(self, folder: Path, durable: bool, deployed: bool = False) -> None:
        from ministack import app
        from ministack.services import eventbridge

        from local.cloud.keepsakes import Keepsakes
        from local.cloud.mails import Mails
        from local.cloud.objects import Objects
        from local.cloud.queues import Queues
        from local.cloud.recorder import Recorder
        from local.cloud.tables import Tables

        self._app, self._folder, self._durable = app, folder, durable
        self._recorder = Recorder()
        self._keepers = (Tables(self._recorder), Queues(self._recorder), Mails(self._recorder))
        self._keepsakes = Keepsakes(folder)
        Objects(durable)
        self._fire_due = eventbridge._tick_scheduled_rules
        eventbridge._scheduler_loop = self._run_schedules
        self._site = None
        if deployed:
            from local.cloud.deployed import Deployed

            self._site = Deployed(folder, self._fire_due)
            self._fire_due = self._site.fire

    def restore(self) -> None:
        """Bring back what was kept, fold it into a snapshot and journal from there."""
        from local.journal import fold, read

        self._keepsakes.restore()
        for record in read(self._folder):
            for keeper in self._keepers:
                keeper.restore(record)
        self._recorder.journal = fold(self._folder, (record for keeper in self._keepers for record in keeper.state()))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_when_durable(message: dict[str, Any]) -> None:
            if self._durable and message["type"] == "http.response.start":
                await self._recorder.durable()
            await send(message)

        if self._site is not None and scope["type"] == "http":
            if scope["path"].startswith(self._site.PATH):
                await self._site.answer(scope, send)
                return
            scope = self._site.trusted(scope)
        await self._app.app(scope, receive, send_when_durable)

    def _run_schedules(self) -> None:
        """Fire due schedules on the event loop, in turn with everything else."""
        while True:
            time.sleep(1)
            self._app._MAIN_LOOP.call_soon_threadsafe(self._fire_due)


async def _serve(cloud: Cloud, port: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches the whole group; who started us decides
    threading.Thread(target=_stop_with_parent, args=(loop, stop), daemon=True).start()
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.keep_alive_max_requests = 10**9
    config.graceful_timeout = 1
    await serve(cloud, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The embedded AWS of a local market.")
    parser.add_argument("folder", type=Path, help="where its state is kept")
    parser.add_argument("port", type=int)
    parser.add_argument("--fleeting", action="store_true", help="do not wait for the disk: for tests")
    parser.add_argument("--deployed", action="store_true", help="run functions and the API too, IAM enforced")
    return parser.parse_args()


def _set_environment(folder: Path, port: int) -> None:
    """The emulator reads its settings when it is imported."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(
        {
            "AWS_ACCESS_KEY_ID": "000000000000",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": os.environ.get("AWS_REGION", "eu-west-2"),
            "SERVICES": SERVICES,
            "STATE_DIR": str(folder),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "objects"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
            "LOG_LEVEL": "WARNING",
        }
    )
    logging.basicConfig(level=logging.WARNING)


def _set_deployed() -> None:
    """The emulator refuses what a role does not allow, and keeps a function's processes however the clock moves."""
    os.environ.update({"SERVICES": DEPLOYED, "AUTH": "true", "LAMBDA_WARM_TTL_SECONDS": str(10**9)})


if __name__ == "__main__":
    main()
