"""Owns a whole local market in this process and one beside it: emulator, worker, web; started and stopped as one."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from local.clock import Clock
from local.cloud import launch
from local.delivery import Delivery
from local.logins import Logins
from local.steps import Steps
from local.stopped import Stopped

ACCOUNT = "000000000000"
HOST = "127.0.0.1"
STEPS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a market keeps its state and where it listens."""

    folder: Path
    port: int = 8000
    cloud_port: int = 4566

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"


class Market:
    """A market at a place. Everything AWS about it comes from the environment, as on AWS."""

    def __init__(self, place: Place, durable: bool = True, delivery: Delivery | None = None) -> None:
        self.place = place
        self._delivery = delivery
        self.clock = Clock(place.folder / "clock.json")
        self.logins = Logins(place.folder / "logins.json")
        self._durable = durable
        self._cloud: launch.RunningCloud | None = None
        self._worker: Any = None
        self._server: Any = None

    def start(self, steps: Steps) -> None:
        """Bring everything up in order; `Stopped` with a sentence when something is in the way."""
        with steps.step("starting the embedded AWS"):
            self._start_cloud()
        from local import provision

        with steps.step("creating tables"):
            provision.make_tables()
        with steps.step("creating queues and buckets"):
            provision.make_queues()
            provision.make_buckets()
            provision.make_keys()
        with steps.step("creating the bus, schedules and logins"):
            provision.make_bus()
            provision.make_mail()
            provision.make_logins()
        with steps.step("making sure of the market operator"):
            self._make_market_operator()
        with steps.step("opening the API"):
            self._open_site()
        with steps.step("sending again what a crash cut short"):
            self._recover()
        with steps.step("starting the functions"):
            self._worker.start()
            self._server.start()
            self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop in the order that loses no work; what is acknowledged is on disk already."""
        for part in (self._server, self._worker, self._cloud):
            if part is not None:
                part.stop()

    def check(self) -> None:
        """Raise `Stopped` when the emulator has ended by itself."""
        if self._cloud is not None and not self._cloud.is_alive():
            raise Stopped(f"The embedded AWS ended by itself:\n{_tail(self._cloud.log)}\nStart again: nothing is lost.")

    def _start_cloud(self) -> None:
        _check_port(self.place.cloud_port, "the embedded AWS", "--cloud-port")
        _check_port(self.place.port, "the market", "--port")
        log = self.place.folder / "log" / "cloud.log"
        self._cloud = launch.start(self.place.folder / "cloud", self.place.cloud_port, log, self._durable)
        os.environ.update(launch.settings_for(self._cloud.address, ACCOUNT))
        os.environ.pop("AWS_SESSION_TOKEN", None)
        os.environ["HEADROOM_STAGE"] = "local"
        os.environ["HEADROOM_WEB_ORIGIN"] = self.place.address
        os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
        _log_to(self.place.folder / "log" / "market.log")

    def _make_market_operator(self) -> None:
        from local.market_operator import make_market_operator

        make_market_operator(self.logins)

    def _open_site(self) -> None:
        from app import app
        from local.gateway import Gateway
        from local.invoking import answer_here
        from local.web import Server, Site
        from local.worker import Worker

        answer_here(self.clock.now)
        self._worker = Worker(self.clock, delivery=self._delivery)
        site = Site(Gateway(app, self.clock), self.clock, self._worker, ACCOUNT, self.logins)
        self._server = Server(site, self.place.port)

    def _recover(self) -> None:
        from local.recovery import recover

        recover()

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                with urlopen(f"{self.place.address}/local/health", timeout=5) as answer:
                    answer.read()
                return
            except OSError:
                time.sleep(0.05)
        raise Stopped(f"The market does not answer at {self.place.address}; see {self.place.folder}/log/market.log.")


def post(address: str, body: dict[str, Any], seconds: float = 630) -> dict[str, Any]:
    """Ask a running market's own pages (`/local/clock`, `/local/quiet`)."""
    request = Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=seconds) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def _check_port(port: int, what: str, option: str) -> None:
    if not launch.is_free(port):
        raise Stopped(
            f"Port {port}, which {what} listens on, is in use by another program.\n"
            f'End that program, or choose another port: make run ARGS="{option} {port + 10}"'
        )


def _log_to(file: Path) -> None:
    """Send what the functions and the API log to a file, so that the terminal stays readable."""
    from chalicelib.edge.observe import logger
    from chalicelib.edge.scrubbing import PlainFormatter

    stream = open(file, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  (open as long as the process)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    registered = logger().registered_handler
    if isinstance(registered, logging.StreamHandler):
        registered.setStream(stream)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])
