"""Fixtures with the embedded AWS: an account of its own for a test, or a whole market running as `make run` has it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest

from local.client import Market
from local.cloud import launch

ROOT = Path(__file__).resolve().parent.parent
GONE_SECONDS = 30
Part = Literal["everything", "market", "cloud"]
_numbers = count(100_000_000_000 + os.getpid())
_ports = count(os.getpid() * 37)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.RunningCloud]:
    """One emulator for the whole run. It does not wait for the disk: durability has tests of its own."""
    folder = tmp_path_factory.mktemp("cloud")
    running = launch.start(folder / "state", launch.free_port(), folder / "cloud.log", durable=False)
    yield running
    running.stop()


@pytest.fixture
def account(cloud: launch.RunningCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fresh and empty account at the emulator, where every AWS client of this test goes; its number."""
    from chalicelib.storage.clients import forget_clients
    from chalicelib.storage.keys import forget_keys
    from chalicelib.storage.queues import forget_queues
    from chalicelib.storage.sealing import forget_keys_held

    number = str(next(_numbers))
    for name, text in launch.settings_for(cloud.address, number).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("HEADROOM_BUCKET_SUFFIX", number)  # accounts share bucket names
    for name in ("HEADROOM_USER_POOL_ID", "HEADROOM_USER_POOL_CLIENT_ID"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that what provisioning sets is undone
    _forget(forget_clients, forget_queues, forget_keys, forget_keys_held)
    yield number
    _forget(forget_clients, forget_queues, forget_keys, forget_keys_held)


@pytest.fixture
def embedded(account: str) -> str:
    """A fresh account with everything a market needs: tables, buckets, queues, bus, schedules, logins."""
    from local import provision

    provision.make_everything()
    return account


@pytest.fixture(scope="session")
def running_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A whole market in processes of its own, without demonstration data, shared by the run's tests."""
    with market_at(tmp_path_factory.mktemp("market")) as market:
        yield market


@pytest.fixture
def stopped_market(tmp_path: Path) -> Iterator[RunningMarket]:
    """A market that a test starts, stops and kills by itself; nothing of it outlives the test."""
    market = RunningMarket(tmp_path / "state")
    yield market
    market.kill()


@pytest.fixture
def patient() -> Iterator[None]:
    """Every request of `local.client` waits for a market that is being started again."""
    from tests.patience import patience

    with patience():
        yield


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, Any]]:
    """Tells what the demo's undisturbed line comes to: walked once for all of a run's workers, when first asked."""
    from tests.disturbed import calm_outcome

    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return lambda: calm_outcome(shared)


@pytest.fixture(scope="session")
def calm_files(calm: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], set[str]]:
    """Tells the names of the files that the demo's undisturbed line leaves."""

    def told() -> set[str]:
        calm()
        own = tmp_path_factory.getbasetemp()
        shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
        return set(json.loads((shared / "calm-made.json").read_text()))

    return told


class RunningMarket:
    """`python -m local` on a folder, at ports of its own that stay the same from start to start."""

    def __init__(self, folder: Path, *options: str, module: str = "local") -> None:
        self.folder, self.options, self.module = folder, options or ("--no-seed",), module
        self.port, self.cloud_port = lasting_port(), lasting_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.environment: dict[str, str] = {}

    def begin(self) -> None:
        """Start its process without waiting for it."""
        command = [sys.executable, "-m", self.module, "--state", str(self.folder), "--port", str(self.port)]
        command += ["--cloud-port", str(self.cloud_port), *self.options]
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "HEADROOM_"))}
        clean |= self.environment
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def start(self) -> Market:
        """Start it and wait until it is open; AssertionError with what it told when it does not open."""
        self.begin()
        assert self.process is not None
        told: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told.append(line)
            if "Ctrl-C" in line:
                return Market(self.address)
        raise AssertionError("the market did not open:\n" + "".join(told))

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit status once it has stopped."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def kill(self, part: Part = "everything") -> None:
        """kill -9 of every process of this market at once, or of the API with its functions, or of the embedded AWS.

        Returns once all of them are gone: what is left of a market that was struck ends by itself, or is ended when
        it still waits for answers that will never come.
        """
        processes = _processes_of(self.folder)
        clouds = [process for process in processes if b"local.cloud.process" in _words_of(process)]
        struck = {
            "everything": processes,
            "cloud": clouds,
            "market": [each for each in processes if each not in clouds],
        }
        for process in struck[part]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until = time.monotonic() + GONE_SECONDS
        while left := _processes_of(self.folder):
            if self.process is not None:
                self.process.poll()  # so that one that has ended is gone
            if time.monotonic() > until:
                for process in left:
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            time.sleep(0.05)
        if self.process is not None:
            self.process.wait()


@contextmanager
def market_at(folder: Path, *options: str) -> Iterator[Market]:
    """A market on a folder for as long as the block runs."""
    running = RunningMarket(folder, *options)
    try:
        yield running.start()
    finally:
        running.interrupt()


def lasting_port() -> int:
    """A free port that stays so while nobody listens on it: below those that the system lends to any connection."""
    for number in _ports:
        port = 15_000 + number % 15_000
        if launch.is_free(port):
            return port
    raise AssertionError("unreachable")


def _processes_of(folder: Path) -> list[int]:
    """The processes that were started with the folder among their words, the market's own first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if any(word.startswith(str(folder).encode()) for word in _words_of(int(entry.name))):
                    found.append(int(entry.name))
    return sorted(found)


def _words_of(process: int) -> list[bytes]:
    """The words a process was started with; none where it is gone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _forget(*caches: object) -> None:
    for forget in caches:
        forget()  # type: ignore[operator]
