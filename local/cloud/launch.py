"""Owns starting and stopping the emulator's process from outside, and the settings that lead a program to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from local.cloud.process import SECRET
from local.stopped import Stopped

HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 8
_ROOT = Path(__file__).resolve().parent.parent.parent


class RunningCloud:
    """An emulator process that answers at `address`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.address = f"http://{HOST}:{port}"

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop it and wait; what it acknowledged is on disk already."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """End it as a crash would (kill -9)."""
        self.process.kill()
        self.process.wait()


def start(folder: Path, port: int, log: Path, durable: bool = True) -> RunningCloud:
    """Start the emulator on a state folder and wait until it answers; `Stopped` when it does not come up."""
    return _started(folder, port, log, [] if durable else ["--fleeting"], dict(os.environ))


def start_deployed(folder: Path, port: int, log: Path, environment: Mapping[str, str]) -> RunningCloud:
    """The same for stacks: it runs their functions and enforces IAM. Functions inherit the `environment`, so keep it
    to what a function would find on AWS."""
    return _started(folder, port, log, ["--fleeting", "--deployed"], environment)


def _started(folder: Path, port: int, log: Path, options: list[str], environment: Mapping[str, str]) -> RunningCloud:
    command = [
        sys.executable,
        "-m",
        "local.cloud.process",
        str(folder),
        str(port),
        *options,
    ]
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=_ROOT,
            env=environment,
            start_new_session=True,
        )
    running = RunningCloud(process, port, log)
    _wait_until_it_answers(running)
    return running


def settings_for(address: str, account: str = "000000000000") -> Mapping[str, str]:
    """The environment that leads AWS clients to an emulator; each account (12 digits) is a world of its own there."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": os.environ.get("AWS_REGION", "eu-west-2"),
        "AWS_DEFAULT_REGION": os.environ.get("AWS_REGION", "eu-west-2"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _wait_until_it_answers(running: RunningCloud) -> None:
    until = time.monotonic() + START_SECONDS
    while running.is_alive() and time.monotonic() < until:
        try:
            urlopen(f"{running.address}/_ministack/health", timeout=2).read()
            return
        except (URLError, OSError):
            time.sleep(0.05)
    running.kill()
    raise Stopped(f"the embedded AWS did not start:\n{_last_lines(running.log)}")


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
