"""`make demo`: walks the whole line of the market, on an invented scene or on real data, and says how it went."""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import market_operator as first_operator
from local.client import Market, Refusal
from local.demo.invented import invented_scene
from local.demo.line import Line
from local.demo.scenes import Scene
from local.demo.stages import Shortfall, Story


def main() -> int:
    asked = _arguments()
    scene = _scene(asked.data)
    if scene is None:
        return 2
    shutil.rmtree(asked.out, ignore_errors=True)
    asked.out.mkdir(parents=True)
    with _market(asked.address) as market:
        return _walk(market, scene, asked.out)


def _walk(market: Market, scene: Scene, out: Path) -> int:
    story = Story()
    market_operator = market.sign_in(first_operator.EMAIL, first_operator.PASSWORD)
    tag = time.strftime("%j%H%M%S")
    try:
        Line(market, market_operator, scene, story, out, tag).walk()
    except (Shortfall, Refusal, TimeoutError, LookupError) as error:
        story.shortfalls.append(str(error))
    print(f"\nWorkbooks, results and mails: {out}/")
    return story.end()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of real data; without it the scene is invented")
    parser.add_argument(
        "--address", default="http://127.0.0.1:8000", help="a running market; started when there is none"
    )
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="where the files go")
    return parser.parse_args()


def _scene(folder: Path | None) -> Scene | None:
    if folder is None:
        return invented_scene()
    from local.demo.real import real_scene

    try:
        return real_scene(folder)
    except FileNotFoundError as error:
        print(f"There is no {error.filename}. DATA= names a folder with gsp_regions, postcodes and renewable_projects.")
        return None


@contextmanager
def _market(address: str) -> Iterator[Market]:
    """The running market at an address, or a fresh one started there for as long as the demo runs."""
    market = Market(address)
    if market.is_up():
        print(f"The market runs at {address}.")
        yield market
        return
    with tempfile.TemporaryDirectory() as state:
        port = address.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "local", "--state", state]
        print(f"Starting a market at {address} for this demo.", flush=True)
        started = subprocess.run([*command, "--no-seed", "--port", port, "--cloud-port", _free_port(), "--background"])
        if started.returncode:
            raise SystemExit("The market did not start; what it said is above.")
        try:
            yield market
        finally:
            subprocess.run([*command, "--stop"], check=True)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
