"""Owns what every stack of the market has in common: its stage, its names and addresses, and reasons for exceptions."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import (
    Acknowledgment,
    Aws,
    CfnCondition,
    CfnParameter,
    CfnResource,
    CliCredentialsStackSynthesizer,
    Duration,
    Environment,
    Fn,
    RemovalPolicy,
    Stack,
    Tags,
    Validations,
)
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from chalicelib.storage import settings
from infrastructure.stage import Stage
from infrastructure.states import GUARD

ASSETS = "headroom-assets-${AWS::AccountId}-${AWS::Region}"
"""The bucket that deploying uploads bundles and templates to; `infrastructure.deploy` makes it."""


class MarketStack(Stack):
    """One concern of one stage."""

    def __init__(self, scope: Construct, stage: Stage, concern: str, about: str) -> None:
        assets = CliCredentialsStackSynthesizer(file_assets_bucket_name=ASSETS, bucket_prefix=f"{stage.name}/")
        where = Environment(region=stage.region)
        super().__init__(
            scope, stage.stack(concern), description=f"Headroom {stage.name}: {about}", synthesizer=assets, env=where
        )
        self.stage_of_market = stage
        Tags.of(self).add("headroom", stage.name)

    @property
    def removal(self) -> RemovalPolicy:
        """What becomes of state that is taken out of the stack; a creation that fails leaves nothing in any stage."""
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.stage_of_market.keep else RemovalPolicy.DESTROY

    def guarded(self, yes: object, no: object) -> object:
        """A property's value while state is guarded from deletion, and while its stack is only being created.

        AWS refuses to delete what is guarded, also when it takes a failed creation back.
        """
        if not self.stage_of_market.keep:
            return no
        if self.node.try_find_child("IsGuarded") is None:
            about = "true but while the stack is created (infrastructure/deploy.py)"
            told = CfnParameter(self, GUARD, default="true", allowed_values=["true", "false"], description=about)
            CfnCondition(self, "IsGuarded", expression=Fn.condition_equals(told.value_as_string, "true"))
        return {"Fn::If": ["IsGuarded", yes, no]}

    def arn(self, service: str, rest: str, region: bool = True, account: bool = True) -> str:
        """The ARN of something of this account and region that has a name of ours."""
        place = f"{Aws.REGION if region else ''}:{Aws.ACCOUNT_ID if account else ''}"
        return f"arn:{Aws.PARTITION}:{service}:{place}:{rest}"

    def table_arn(self, name: str) -> str:
        return self.arn("dynamodb", f"table/{settings.table_name(name)}")

    def bucket_arn(self, name: str) -> str:
        return self.arn("s3", bucket_name(name), region=False, account=False)

    def queue_arn(self, name: str) -> str:
        return self.arn("sqs", settings.queue_name(name))

    def function_arn(self, name: str) -> str:
        return self.arn("lambda", f"function:{settings.function_name(name)}")

    def role_arn(self, name: str) -> str:
        return self.arn("iam", f"role/{role_name(name)}", region=False)

    def export(self, name: str, value: str) -> None:
        """Tell a value to the stacks after this one, and to whoever deploys."""
        self.export_value(value, name=f"{self.stack_name}-{name}")


def bucket_name(name: str) -> str:
    """A bucket's name in whatever account the stack comes to stand; the functions are told the same suffix."""
    return f"{settings.bucket_name(name)}-{Aws.ACCOUNT_ID}"


def role_name(name: str) -> str:
    """The name of a function's role; accounts share roles between regions."""
    return f"{settings.function_name(name)}-{Aws.REGION}"


def expiring(days: int) -> s3.LifecycleRule:
    """A bucket forgets what is older, and what was written over within a day."""
    return s3.LifecycleRule(expiration=Duration.days(days), noncurrent_version_expiration=Duration.days(1))


def told(stage: Stage, concern: str, name: str) -> str:
    """A value that another stack exported."""
    return Fn.import_value(f"{stage.stack(concern)}-{name}")


def accept(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings of cdk-nag on a construct, each with its reason."""
    for finding, reason in reasons.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def plain(scope: Construct, name: str, kind: str, properties: Mapping[str, object]) -> CfnResource:
    """A resource as CloudFormation describes it, for what is already data of ours in those words."""
    return CfnResource(scope, name, type=kind, properties=dict(properties))
