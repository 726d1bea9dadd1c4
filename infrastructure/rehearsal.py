"""`make deploy-local`: the synthesized stacks on the embedded AWS, and the demo against that API and those functions.

Everything the demo meets was made by CloudFormation and is run by the emulator: API Gateway, Lambda with the bundles,
queues, streams, rules and schedules, IAM enforced. The clock of all of it moves as the demo asks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from infrastructure.bundles import BUILD
from infrastructure.deploy import Failed, deploy
from infrastructure.door import DeployedApi, DeployedWork
from infrastructure.first_person import live_in
from infrastructure.moved_clock import MovedClock, Unmovable
from infrastructure.role_check import each_role_is_kept_to_its_own
from infrastructure.stage import API_STAGE, LOCAL, Stage, stage_named
from local import quiet
from local.cloud import launch
from local.logins import Logins
from local.market import ACCOUNT
from local.market_operator import make_market_operator
from local.stopped import Stopped
from local.web import Server, Site

NOT_HERE = {
    "Firewall": "the emulator knows no web ACL before an API",
    "Budget": "the emulator keeps no bill",
}

_MOST_WAIT_SECONDS = 300


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as state:
        try:
            return _rehearse(stage_named(LOCAL), Path(state), MovedClock(Path(state) / "ahead"), arguments)
        except (Failed, Stopped, Unmovable) as stopped:
            print(stopped, file=sys.stderr)
            return 1


def _rehearse(stage: Stage, state: Path, clock: MovedClock, asked: argparse.Namespace) -> int:
    from infrastructure.app import synthesize

    folder = synthesize(stage)
    log = BUILD / stage.name / "rehearsal.log"
    log.unlink(missing_ok=True)
    (state / "tmp").mkdir()
    environment = clock.environment | {"TMPDIR": str(state / "tmp")}
    cloud = launch.start_deployed(state / "cloud", launch.free_port(), log, environment)
    os.environ.update(launch.settings_for(cloud.address))
    try:
        api = _deploy(stage, folder)
        return _demo(api, state, clock, asked)
    finally:
        cloud.stop()
        print(f"what failed, with its log, is in {log}")


def _deploy(stage: Stage, folder: Path) -> str:
    """Bring the stacks up and take the names that their functions know; the address of the API's stage."""
    outputs = deploy(stage, folder, {stage.stack(concern) for concern in NOT_HERE})
    for concern, reason in NOT_HERE.items():
        print(f"{stage.stack(concern):<32} left out: {reason}")
    live_in(stage)
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    api = outputs[stage.stack("Api")]["RestAPIId"]
    return f"{os.environ['AWS_ENDPOINT_URL']}/restapis/{api}/{API_STAGE}/_user_request_"


def _demo(stage_address: str, state: Path, clock: MovedClock, asked: argparse.Namespace) -> int:
    logins = Logins(state / "logins.json")
    make_market_operator(logins)
    work = DeployedWork(os.environ["AWS_ENDPOINT_URL"])
    clock.before_each_move = work.rest
    server = Server(Site(DeployedApi(stage_address), clock, work, ACCOUNT, logins, work.wake), asked.port)
    server.start()
    try:
        probes = _check_roles(work)
        _pass_an_hour(clock, work)
        _see_the_api(stage_address)
        address = f"http://127.0.0.1:{asked.port}"
        command = [sys.executable, "-m", "local.demo", "--address", address, "--out", str(asked.out)]
        demo = subprocess.run(command, check=False)
        return _tell(work.told(), probes) or demo.returncode
    finally:
        server.stop()


def _check_roles(work: DeployedWork) -> int:
    """See roles bind, while this process's clock is still the emulator's; how many calls were refused for it."""
    roles = each_role_is_kept_to_its_own()
    print(f"{roles} roles may each look at their own queue, and were refused their neighbour's: IAM is enforced")
    return len(work.told()["refused"])


def _pass_an_hour(clock: MovedClock, work: DeployedWork) -> None:
    """Until every schedule fired for the first time, as its rule counts from when it was made."""
    clock.move_to(clock.now() + timedelta(hours=1))
    work.wake()
    left = quiet.wait(work, _MOST_WAIT_SECONDS)
    if not left["quiet"]:
        raise SystemExit(f"the functions did not come to rest: {left}")
    print(f"an hour later, after {left['waited_seconds']:.0f} s: every rule fired, {left['handled']}")


def _see_the_api(stage_address: str) -> None:
    with urlopen(f"{stage_address}/v1/openapi.json", timeout=_MOST_WAIT_SECONDS) as answer:
        print(f"API Gateway and Lambda answer: {len(json.load(answer)['paths'])} paths", flush=True)


def _tell(told: dict[str, Any], probes: int) -> int:
    """Say what was done and what was refused beyond the probes; the number of refusals."""
    refusals = told["refused"][probes:]
    invoked = sum(told["handled"].values()) + sum(told["failed"].values())
    print(f"{invoked} invocations of {len(told['handled'])} functions on the emulator's Lambda, "
          f"{sum(told['failed'].values())} of them failed: {told['failed']}")  # fmt: skip
    print(f"{sum(told['allowed'].values())} calls allowed by {len(told['allowed'])} roles, {len(refusals)} refused")
    for refused in refusals:
        print(
            f"refused: {refused['role']}: {refused['action']} on {refused['resource']}: {refused['why']}",
            file=sys.stderr,
        )
    return len(refusals)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy-local", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="where the API listens meanwhile")
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="where the demo's files go")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
