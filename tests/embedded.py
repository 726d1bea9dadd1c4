"""Fixtures with the embedded AWS: an account of its own for a test, or a whole market running as `make run` has it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from local.client import Market
from local.cloud import launch

ROOT = Path(__file__).resolve().parent.parent
_numbers = count(100_000_000_000 + os.getpid())


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

    number = str(next(_numbers))
    for name, text in launch.settings_for(cloud.address, number).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("HEADROOM_BUCKET_SUFFIX", number)  # accounts share bucket names
    for name in ("HEADROOM_USER_POOL_ID", "HEADROOM_USER_POOL_CLIENT_ID"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that what provisioning sets is undone
    _forget(forget_clients, forget_queues, forget_keys)
    yield number
    _forget(forget_clients, forget_queues, forget_keys)


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


@contextmanager
def market_at(folder: Path, *options: str) -> Iterator[Market]:
    """A market started by `python -m local` on a folder, stopped at the end; started again it finds its state."""
    process, market = start_market(folder, *options)
    try:
        yield market
    finally:
        process.terminate()
        process.wait(20)


def start_market(folder: Path, *options: str) -> tuple[subprocess.Popen[str], Market]:
    """Start `python -m local` and wait until it is open; AssertionError with what it told when it is not."""
    port, cloud_port = launch.free_port(), launch.free_port()
    command = [sys.executable, "-m", "local", "--state", str(folder), "--port", str(port)]
    command += ["--cloud-port", str(cloud_port), *(options or ("--no-seed",))]
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "HEADROOM_"))}
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    told: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        told.append(line)
        if "Ctrl-C" in line:
            return process, Market(f"http://127.0.0.1:{port}")
    raise AssertionError("the market did not open:\n" + "".join(told))


def _forget(*caches: object) -> None:
    for forget in caches:
        forget()  # type: ignore[operator]
