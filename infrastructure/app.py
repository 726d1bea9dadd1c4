"""`python -m infrastructure.app STAGE`: writes the market's CloudFormation for a stage; needs node, but no account."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infrastructure.stage import Stage, stage_named

if TYPE_CHECKING:
    from aws_cdk import App

# Buckets let S3 write its access log by policy, in place of access lists that AWS has retired.
FLAGS = ("@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy",)


def main() -> int:
    from infrastructure.bundles import bundle, groups

    if shutil.which("node") is None:
        print("make synth needs node (22 or newer): CDK runs on it.", file=sys.stderr)
        return 1
    stage = stage_named(sys.argv[1] if len(sys.argv) > 1 else "dev")
    folder = synthesize(stage)
    for group in groups():
        print(bundle(stage, group))
    print(f"{len(list(folder.glob('*.template.json')))} stacks in {os.path.relpath(folder)}")
    return 0


def synthesize(stage: Stage) -> Path:
    """Write every stack's template and what it carries; fails when cdk-nag finds what nobody gave a reason for."""
    from aws_cdk import App

    from infrastructure.bundles import BUILD

    folder = BUILD / stage.name / "cdk"
    shutil.rmtree(folder, ignore_errors=True)
    app = App(outdir=str(folder), analytics_reporting=False, context=dict.fromkeys(FLAGS, True))
    build(checked(app), stage)
    app.synth()
    return folder


def checked(app: App) -> App:
    """The app, with whatever cdk-nag finds in it an error."""
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks

    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
    return app


def build(app: App, stage: Stage) -> None:
    """Every stack of a stage; each comes after those whose values or parts it needs."""
    from infrastructure.api import Market
    from infrastructure.budget import Budget
    from infrastructure.data import Data
    from infrastructure.firewall import Firewall
    from infrastructure.login import Login
    from infrastructure.mail import Mail
    from infrastructure.messaging import Messaging
    from infrastructure.observability import Observability
    from infrastructure.stacks import told
    from infrastructure.web import Web
    from infrastructure.workers import Workers

    web = Web(app, stage)
    origins = [told(stage, "Web", "Origin"), *stage.extra_origins]
    messaging = Messaging(app, stage)
    data, login, mail = Data(app, stage, origins), Login(app, stage), Mail(app, stage)
    data.add_stack_dependency(messaging)
    data.add_stack_dependency(web)
    workers, market = Workers(app, stage, origins), Market(app, stage, origins)
    for stack in (workers, market):
        for needed in (messaging, data, login, mail, web):
            stack.add_stack_dependency(needed)
    Firewall(app, stage).add_stack_dependency(market)
    observability = Observability(app, stage)
    observability.add_stack_dependency(market)
    Budget(app, stage).add_stack_dependency(observability)


if __name__ == "__main__":
    raise SystemExit(main())
