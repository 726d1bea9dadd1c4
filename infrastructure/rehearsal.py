"""`make deploy-local`: the synthesized stacks on the embedded AWS, first with its own Lambda, then the whole demo.

The demo lives through weeks, and no Lambda lets us move its clock; so its functions and its API run in this process,
woken by the very queues, streams, rules and buckets that CloudFormation made, each call allowed by its role or refused.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from infrastructure.stage import API_STAGE, LOCAL, Stage, stage_named

NOT_HERE = {
    "Firewall": "the emulator knows no web ACL before an API",
    "Budget": "the emulator keeps no bill",
}
SERVICES = (
    "apigateway,cloudformation,cloudfront,cloudwatch,cognito-idp,dynamodb,dynamodbstreams,events,iam,kms,lambda,logs,"
    "monitoring,s3,secretsmanager,ses,sesv2,sns,sqs,sts"
)
_MOST_WAIT_SECONDS = 180


def main() -> int:
    arguments = _arguments()
    from infrastructure.app import synthesize
    from local.cloud import launch

    stage = stage_named(LOCAL)
    folder = synthesize(stage)
    os.environ["HEADROOM_CLOUD_SERVICES"] = SERVICES
    with tempfile.TemporaryDirectory() as state:
        log = Path(state) / "log" / "cloud.log"
        cloud = launch.start(Path(state) / "cloud", launch.free_port(), log, durable=False)
        os.environ.update(launch.settings_for(cloud.address))
        try:
            return _rehearse(stage, folder, Path(state), arguments)
        finally:
            cloud.stop()


def _rehearse(stage: Stage, folder: Path, state: Path, arguments: argparse.Namespace) -> int:
    from infrastructure.deploy import Failed, deploy
    from infrastructure.first_person import live_in

    try:
        outputs = deploy(stage, folder, {stage.stack(concern) for concern in NOT_HERE})
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    for concern, reason in NOT_HERE.items():
        print(f"{stage.stack(concern):<32} left out: {reason}")
    live_in(stage)
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    _make_market_operator(state)
    _see_lambda_work(outputs[stage.stack("Api")])
    _rest_lambda()
    return _demo(folder, state, arguments)


def _make_market_operator(state: Path) -> None:
    from local.logins import Logins
    from local.market_operator import make_market_operator

    make_market_operator(Logins(state / "logins.json"))


def _see_lambda_work(api: dict[str, str]) -> None:
    """The chain nobody moves the clock of: gateway, API, table, stream, bus, queue, function, bucket, and back."""
    from local import market_operator, schedules

    address = f"{os.environ['AWS_ENDPOINT_URL']}/restapis/{api['RestAPIId']}/{API_STAGE}/_user_request_/v1"
    told = _ask(f"{address}/openapi.json")
    print(f"API Gateway and Lambda answer: {len(told['paths'])} paths")
    session = {"email": market_operator.EMAIL, "password": market_operator.PASSWORD}
    token = _ask(f"{address}/sessions", session)["access_token"]
    schedules.wake_schedules()  # the sweep asks for the blank templates, which the chain then makes
    started = time.monotonic()
    while time.monotonic() < started + _MOST_WAIT_SECONDS:
        found = _ask(f"{address}/templates/assets", token=token)
        if "url" in found:
            with urlopen(found["url"], timeout=30) as answer:
                size = len(answer.read())
            print(f"sweep, outbox, stream, bus, queue and Lambda made a workbook: {size} bytes, "
                  f"{time.monotonic() - started:.0f} s")  # fmt: skip
            return
        time.sleep(1)
    raise SystemExit(f"the functions on the emulator's Lambda made no template: {found}")


def _ask(address: str, body: Any = None, token: str | None = None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = Request(address, json.dumps(body).encode() if body else None, headers)
    try:
        with urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
    except OSError as error:
        read = getattr(error, "read", None)
        if read is None:
            raise
        told = json.loads(read())
        if told.get("code") != "template.being_made":
            raise SystemExit(f"{address}: {told}") from error
    return told


def _rest_lambda() -> None:
    """From here on the functions run in this process: the emulator's Lambda takes no more from the queues."""
    import boto3

    lambda_ = boto3.client("lambda")
    for mapping in (
        lambda_.get_paginator("list_event_source_mappings").paginate().build_full_result()["EventSourceMappings"]
    ):
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    time.sleep(5)  # what it had taken already is finished


def _demo(folder: Path, state: Path, asked: argparse.Namespace) -> int:
    from infrastructure.standin import Deployed
    from local.market import Place
    from local.steps import Steps

    market = Deployed(Place(state, asked.port), folder, _exports())
    try:
        market.start(Steps(2))
        command = [sys.executable, "-m", "local.demo", "--address", market.place.address, "--out", str(asked.out)]
        demo = subprocess.run(command, check=False)
        for refused in market.refused:
            print(f"refused by its role: {refused}", file=sys.stderr)
        print(f"{market.allowed} calls of {len(market.callers)} functions were allowed by their roles")
        return demo.returncode or len(market.refused)
    finally:
        market.stop()


def _exports() -> dict[str, str]:
    import boto3

    found = boto3.client("cloudformation").get_paginator("list_exports").paginate().build_full_result()["Exports"]
    return {export["Name"]: export["Value"] for export in found}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy-local", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="where the API listens meanwhile")
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="where the demo's files go")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
