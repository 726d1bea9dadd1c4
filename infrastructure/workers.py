"""Owns every function of the wiring but the API: its bundle, limits, role, log and what wakes it."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from chalicelib.storage import settings
from functions.wiring import FUNCTIONS, Api, Function, Stream
from infrastructure.bundles import bundle
from infrastructure.data import stream_export
from infrastructure.roles import log_group, role_of
from infrastructure.stacks import MarketStack, accept, told
from infrastructure.stage import Stage
from local.provision import DEAD

FEWEST_AT_ONCE = 2
"""AWS takes no smaller number of batches at once from a queue. Handlers may meet themselves: each is idempotent."""

_STREAM_TRIES = 10


class Workers(MarketStack):
    """`functions` by name."""

    def __init__(self, scope: Construct, stage: Stage, origins: list[str]) -> None:
        super().__init__(scope, stage, "Workers", "functions")
        self._environment = environment_of(stage, origins)
        workers = [function for function in FUNCTIONS if not isinstance(function.trigger, Api)]
        self.functions = {function.name: self._function(function) for function in workers}

    def _function(self, function: Function) -> lambda_.Function:
        stage = self.stage_of_market
        made = lambda_.Function(
            self,
            function.name,
            function_name=settings.queue_name(function.name),
            description=f"Headroom {stage.name}: {function.handler}",
            handler=function.handler,
            code=lambda_.Code.from_asset(str(bundle(stage, function.bundle).folder)),
            runtime=lambda_.Runtime(stage.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=architecture_of(stage),
            memory_size=function.memory,
            timeout=Duration.seconds(function.timeout),
            role=role_of(self, function),
            log_group=log_group_of(self, function),
            environment=self._environment,
        )
        accept(made, {"AwsSolutions-L1": "The newest Python that every package of the locks was tried on."})
        if isinstance(function.trigger, Stream):
            self._follow_stream(function, function.trigger, made)
        elif function.has_queue:
            self._follow_queue(function, made)
        return made

    def _follow_queue(self, function: Function, made: lambda_.Function) -> None:
        lambda_.CfnEventSourceMapping(
            self,
            f"{function.name}-source",
            function_name=made.function_name,
            event_source_arn=self.queue_arn(function.name),
            batch_size=function.batch,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=max(FEWEST_AT_ONCE, function.concurrency)
            ),
        )

    def _follow_stream(self, function: Function, stream: Stream, made: lambda_.Function) -> None:
        """From the oldest record, in order, halving a batch that fails; what fails for good is set aside."""
        mapping = lambda_.CfnEventSourceMapping
        only_new = mapping.FilterProperty(pattern='{"eventName":["INSERT"]}')
        lambda_.CfnEventSourceMapping(
            self,
            f"{function.name}-source",
            function_name=made.function_name,
            event_source_arn=told(self.stage_of_market, "Data", stream_export(stream.table)),
            starting_position="TRIM_HORIZON",
            batch_size=function.batch,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=_STREAM_TRIES,
            filter_criteria=mapping.FilterCriteriaProperty(filters=[only_new]),
            destination_config=mapping.DestinationConfigProperty(
                on_failure=mapping.OnFailureProperty(destination=self.queue_arn(function.name + DEAD))
            ),
        )


def environment_of(stage: Stage, origins: list[str]) -> dict[str, str]:
    """What `storage.settings` and the logger read."""
    return {
        "HEADROOM_STAGE": stage.name,
        "HEADROOM_BUCKET_SUFFIX": Aws.ACCOUNT_ID,
        "HEADROOM_USER_POOL_ID": told(stage, "Login", "PoolId"),
        "HEADROOM_USER_POOL_CLIENT_ID": told(stage, "Login", "ClientId"),
        "HEADROOM_WEB_ORIGIN": origins[0],
        "HEADROOM_ALLOWED_ORIGINS": ",".join(origins),
        "HEADROOM_MAIL_SENDER": stage.mail_sender,
        "POWERTOOLS_SERVICE_NAME": "headroom",
        "POWERTOOLS_METRICS_NAMESPACE": "headroom",
    }


def architecture_of(stage: Stage) -> lambda_.Architecture:
    return lambda_.Architecture.ARM_64 if stage.architecture == "arm64" else lambda_.Architecture.X86_64


def log_group_of(stack: MarketStack, function: Function) -> logs.LogGroup:
    """A function's log, kept for as long as the stage says."""
    return logs.LogGroup(
        stack,
        f"{function.name}-log",
        log_group_name=log_group(function),
        retention=kept(stack.stage_of_market.log_days),
        removal_policy=RemovalPolicy.DESTROY,
    )


def kept(days: int) -> logs.RetentionDays:
    names = {30: "ONE_MONTH", 90: "THREE_MONTHS", 365: "ONE_YEAR"}
    return logs.RetentionDays[names[days]]
