"""`python -m infrastructure.first_person STAGE EMAIL`: the market operator's first login on a deployment just made."""

from __future__ import annotations

import getpass
import os
import sys

import boto3

from infrastructure.stage import Stage, stage_named


def main() -> int:
    stage = stage_named(sys.argv[1])
    live_in(stage)
    from chalicelib.edge import identity
    from chalicelib.registry.actions_bootstrap import bootstrap_market_operator

    bootstrap_market_operator(identity.start_call(), sys.argv[2], getpass.getpass("password: "))
    print(f"{sys.argv[2]} may sign in; turn on an authenticator first of all.")
    return 0


def live_in(stage: Stage) -> None:
    """Take the names that the stage's functions know, with this shell's own credentials."""
    exports = boto3.client("cloudformation", region_name=stage.region).get_paginator("list_exports").paginate()
    told = {export["Name"]: export["Value"] for export in exports.build_full_result()["Exports"]}
    account = boto3.client("sts", region_name=stage.region).get_caller_identity()["Account"]
    os.environ["AWS_REGION"] = stage.region
    os.environ["HEADROOM_BUCKET_SUFFIX"] = account
    os.environ["HEADROOM_USER_POOL_ID"] = told[f"{stage.stack('Login')}-PoolId"]
    os.environ["HEADROOM_USER_POOL_CLIENT_ID"] = told[f"{stage.stack('Login')}-ClientId"]
    os.environ["HEADROOM_WEB_ORIGIN"] = told[f"{stage.stack('Web')}-Origin"]
    os.environ["HEADROOM_MAIL_SENDER"] = stage.mail_sender


if __name__ == "__main__":
    raise SystemExit(main())
