"""`python -m local`: the whole market on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO

from local.market import STEPS, Market, Place
from local.steps import Steps
from local.stopped import Stopped

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NEEDS_MB = 200
BACKGROUND_SECONDS = 240
STOP_SECONDS = 30


def main() -> int:
    arguments = _arguments()
    try:
        if arguments.stop:
            return _stop_running(arguments.state)
        if arguments.background:
            return _run_in_background(arguments)
        return _run(arguments)
    except Stopped as stopped:
        print(f"\n\n{stopped}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    _check_python()
    _check_space(arguments.state)
    held = _lock(arguments.state)
    stopping = _stop_on_signals()
    place = Place(arguments.state, arguments.port, arguments.cloud_port)
    market, steps = Market(place), Steps(STEPS + (not arguments.no_seed))
    try:
        market.start(steps)
        if not arguments.no_seed:
            _seed(market, steps)
        _tell(market)
        while not stopping.wait(1):
            market.check()
    except Stopped:
        raise
    except Exception as error:
        log = arguments.state / "log"
        raise Stopped(
            f"It stopped at: {steps.current}\n{type(error).__name__}: {error}\nThe logs are in {log}."
        ) from error
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("\nstopping ...", flush=True)
        market.stop()
        held.close()
    print("stopped; everything is kept in", arguments.state)
    return 0


def _seed(market: Market, steps: Steps) -> None:
    from local.demonstration import seed_if_empty

    with steps.step("a demonstration market"):
        seed_if_empty(market, steps)


def _tell(market: Market) -> None:
    address = market.place.address
    print(f"\nThe market is open at {address}\n")
    print(f"  API          {address}/v1/openapi.json")
    print(f"  mail sent    {address}/mailbox")
    print(f"  state, logs  {market.place.folder}\n")
    logins = market.logins.read()
    who, email = (max((len(login[field]) for login in logins), default=0) for field in ("who", "email"))
    for login in logins:
        print(f"  {login['who']:<{who}}  {login['email']:<{email}}  {login['password']}")
    print(
        "\nTry next: open the address above; `make demo` in another terminal runs a competition to its paid invoices."
        "\nCtrl-C stops the market; the next start finds the same state.",
        flush=True,
    )


def _check_python() -> None:
    if sys.version_info[:2] < OLDEST:
        raise Stopped(f"Headroom needs Python 3.11 or newer; this is {sys.version.split()[0]}.")


def _check_space(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free // 2**20
    if free < NEEDS_MB:
        raise Stopped(
            f"The market needs about {NEEDS_MB} MB for its state; {folder} has {free} MB free. Make room there."
        )


def _lock(folder: Path) -> IO[str]:
    """The folder's lock, held as long as the file is open; `Stopped` when another market has it."""
    held = open(folder / "lock", "a+", encoding="utf-8")  # noqa: SIM115  (held until the end)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.seek(0)
        raise Stopped(
            f"A market runs on {folder} already (process {held.read().strip() or 'unknown'}).\n"
            "Use that one, stop it with Ctrl-C where it runs or with `make stop`, or start another one beside it: "
            'make run PORT=8010 ARGS="--state .local-2 --cloud-port 4576"'
        ) from error
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopping


def _run_in_background(arguments: argparse.Namespace) -> int:
    """Start the market as a process of its own and return once it is open."""
    arguments.state.mkdir(parents=True, exist_ok=True)
    (arguments.state / "log").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "local", *(word for word in sys.argv[1:] if word != "--background")]
    told = arguments.state / "log" / "start.log"
    with open(told, "w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    until = time.monotonic() + BACKGROUND_SECONDS
    while process.poll() is None and time.monotonic() < until and "Ctrl-C" not in told.read_text():
        time.sleep(0.2)
    print(told.read_text(), end="")
    return process.poll() or 0


def _stop_running(folder: Path) -> int:
    """Ask the market that holds the folder's lock to stop, and wait until it has."""
    try:
        _lock(folder).close()
        print("no market runs on", folder)
        return 0
    except Stopped:
        process = int((folder / "lock").read_text())
    os.kill(process, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        time.sleep(0.2)
        try:
            _lock(folder).close()
            print("stopped; everything is kept in", folder)
            return 0
        except Stopped:
            continue
    raise Stopped(f"Process {process} did not stop within {STOP_SECONDS} s.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole market on this machine.")
    parser.add_argument("--port", type=int, default=8000, help="where the market listens (8000)")
    parser.add_argument("--cloud-port", type=int, default=4566, help="where the embedded AWS listens (4566)")
    parser.add_argument("--state", type=lambda text: Path(text).resolve(), default=ROOT / ".local", help="its folder")
    parser.add_argument("--no-seed", action="store_true", help="make no demonstration market in an empty one")
    parser.add_argument("--stop", action="store_true", help="stop the market that runs on the folder")
    parser.add_argument("--background", action="store_true", help="return once it is open; stop it with `make stop`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
