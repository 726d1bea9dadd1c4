"""Owns the bus, each function's queue with its dead letters, the rules that feed them, and the schedules."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from chalicelib.storage import settings
from chalicelib.storage.outbox import SOURCE
from chalicelib.storage.schema import BUCKETS
from functions.wiring import FUNCTIONS, Api, Asked, Events, Every, Function, Inbox, Returns
from infrastructure.stacks import MarketStack, accept
from infrastructure.stage import Stage
from local.provision import DEAD, MOST_RECEIVES

KEPT = Duration.days(14)


class Messaging(MarketStack):
    """`queues` and `dead` by function."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Messaging", "bus, queues, rules, schedules")
        self.dead = {function.name: self._dead(function) for function in FUNCTIONS if has_dead_letters(function)}
        self.queues = {function.name: self._queue(function) for function in FUNCTIONS if function.has_queue}
        self.bus = events.EventBus(self, "Bus", event_bus_name=settings.bus_name())
        for function in FUNCTIONS:
            self._wake(function)

    def _dead(self, function: Function) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            f"{function.name}{DEAD}",
            queue_name=settings.queue_name(function.name + DEAD),
            retention_period=KEPT,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        accept(queue, {"AwsSolutions-SQS3": "It is itself the queue that takes dead letters."})
        return queue

    def _queue(self, function: Function) -> sqs.Queue:
        return sqs.Queue(
            self,
            function.name,
            queue_name=settings.queue_name(function.name),
            visibility_timeout=Duration.seconds(6 * function.timeout),
            retention_period=KEPT,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=MOST_RECEIVES, queue=self.dead[function.name]),
        )

    def _wake(self, function: Function) -> None:
        trigger = function.trigger
        if isinstance(trigger, Events):
            pattern = events.EventPattern(source=[SOURCE], detail_type=list(trigger.names))
            self._rule(function, event_bus=self.bus, event_pattern=pattern)
        if isinstance(trigger, Every):
            self._rule(function, schedule=events.Schedule.rate(Duration.minutes(trigger.minutes)))
        if isinstance(trigger, Inbox):
            self._let_buckets_send(self.queues[function.name])
        if isinstance(trigger, Returns):
            for queue in (self.queues[function.name], self.dead[function.name]):
                self._let_topic_send(queue)

    def _rule(self, function: Function, **woken_by: object) -> None:
        """A rule whose undeliverable events join the function's dead letters."""
        queue = targets.SqsQueue(self.queues[function.name], dead_letter_queue=self.dead[function.name])
        name = settings.queue_name(function.name)
        events.Rule(self, f"{function.name}-rule", rule_name=name, targets=[queue], **woken_by)  # type: ignore[arg-type]

    def _let_buckets_send(self, queue: sqs.Queue) -> None:
        buckets = [self.bucket_arn(bucket.name) for bucket in BUCKETS if bucket.notifies]
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": buckets},
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                },
            )
        )

    def _let_topic_send(self, queue: sqs.Queue) -> None:
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.arn("sns", returns_topic(self.stage_of_market))}},
            )
        )


def returns_topic(stage: Stage) -> str:
    """The name of the topic that tells of mails that came back."""
    return f"headroom-{stage.name}-bounces"


def has_dead_letters(function: Function) -> bool:
    """Whatever is not answered at once may fail for good."""
    return not isinstance(function.trigger, Api | Asked)
