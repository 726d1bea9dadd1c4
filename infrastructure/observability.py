"""Owns being told: alarms on what must not be so, a dashboard, and the topic that wakes a person."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from chalicelib.storage import settings
from functions.wiring import FUNCTIONS, Api, Asked, Every, Function, Stream
from infrastructure.messaging import has_dead_letters
from infrastructure.metrics import (
    FIVE_MINUTES,
    ONE_MINUTE,
    api_metric,
    function_metric,
    own_metric,
    queue_metric,
    ses_metric,
)
from infrastructure.stacks import MarketStack
from infrastructure.stage import Stage
from local.provision import DEAD

MOST_BOUNCES = 0.05
MOST_COMPLAINTS = 0.001
MOST_LATE_SECONDS = 120
"""How late a schedule's tick, a fact for the bus or a word of dispatch may be before somebody is told."""
MOST_AGE_SECONDS = 900
TELLS_OF_DISPATCH = ("fan-out-dispatch", "notify", "send-mail")
"""What an instruction goes through on its way to a person. Webhooks are put off on purpose: their tries are timed."""
PUT_OFF_SECONDS = {"deliver-dispatch": 900}
"""How long a queue's own sender may put a message off."""
_AGE_FACTOR = 3
_Compare = cloudwatch.ComparisonOperator
_Missing = cloudwatch.TreatMissingData


class Observability(MarketStack):
    """Every alarm goes to operations by mail."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Observability", "alarms and dashboard")
        self._topic = self._make_topic(stage)
        self.alarms = [
            *(self._dead_letters(function) for function in FUNCTIONS if has_dead_letters(function)),
            *(self._errors(function) for function in FUNCTIONS),
            *(self._age(function) for function in FUNCTIONS if function.has_queue),
            *(self._throttles(function) for function in FUNCTIONS if isinstance(function.trigger, Api | Asked)),
            *(self._stream_age(function) for function in FUNCTIONS if isinstance(function.trigger, Stream)),
            *(self._lateness(function) for function in FUNCTIONS if isinstance(function.trigger, Every)),
            *self._api(),
            *self._mail(),
            *self._market(),
        ]
        self._dashboard(stage)

    def _make_topic(self, stage: Stage) -> sns.Topic:
        key = kms.Key(
            self, "AlarmsKey", description=f"Alarms of the Headroom {stage.name} market", enable_key_rotation=True
        )
        for service in ("cloudwatch.amazonaws.com", "budgets.amazonaws.com"):
            key.grant_encrypt_decrypt(iam.ServicePrincipal(service))
        topic = sns.Topic(self, "Alarms", topic_name=f"headroom-{stage.name}-alarms", master_key=key, enforce_ssl=True)
        # A policy of its own replaces the one SNS gives a topic: whoever is to be heard is named here.
        alarms = self.arn("cloudwatch", f"alarm:{settings.queue_name('*')}")
        topic.add_to_resource_policy(self._publishing(topic, "cloudwatch", {"ArnLike": {"aws:SourceArn": alarms}}))
        topic.add_to_resource_policy(self._publishing(topic, "budgets", {}))
        topic.add_subscription(subscriptions.EmailSubscription(stage.operations_email))
        self.export("AlarmsArn", topic.topic_arn)
        return topic

    def _publishing(self, topic: sns.Topic, service: str, more: dict[str, object]) -> iam.PolicyStatement:
        """Leave for a service to speak on this account's behalf."""
        return iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": self.account}, **more},
        )

    def _dead_letters(self, function: Function) -> cloudwatch.Alarm:
        metric = queue_metric(function.name + DEAD, "ApproximateNumberOfMessagesVisible", "Maximum")
        return self._alarm(f"{function.name}-dead-letters", metric, 0, f"{function.name} gave up on messages")

    def _errors(self, function: Function) -> cloudwatch.Alarm:
        return self._alarm(f"{function.name}-errors", function_metric(function, "Errors"), 0, f"{function.name} fails")

    def _throttles(self, function: Function) -> cloudwatch.Alarm:
        """Somebody waits for its answer, so that being throttled is felt at once."""
        metric = function_metric(function, "Throttles")
        return self._alarm(f"{function.name}-throttled", metric, 0, f"{function.name} is throttled")

    def _age(self, function: Function) -> cloudwatch.Alarm:
        """The oldest message has waited several times as long as handling one may take, and a quarter hour at least.

        On the way of an instruction two minutes are too long already, and told of after two more.
        """
        urgent = function.name in TELLS_OF_DISPATCH
        patience = max(_AGE_FACTOR * function.timeout, MOST_AGE_SECONDS) + PUT_OFF_SECONDS.get(function.name, 0)
        most = MOST_LATE_SECONDS if urgent else patience
        period = ONE_MINUTE if urgent else FIVE_MINUTES
        metric = queue_metric(function.name, "ApproximateAgeOfOldestMessage", "Maximum", period)
        return self._alarm(f"{function.name}-age", metric, most, f"{function.name} does not keep up", periods=2)

    def _stream_age(self, function: Function) -> cloudwatch.Alarm:
        """A stream's reader is behind: facts reach nobody, or records stay unsealed."""
        metric = function_metric(function, "IteratorAge", ONE_MINUTE, "Maximum")
        most = 1000 * MOST_LATE_SECONDS
        return self._alarm(f"{function.name}-behind", metric, most, f"{function.name} does not keep up", periods=2)

    def _lateness(self, function: Function) -> cloudwatch.Alarm:
        """A schedule that did not run is told as such: no news is bad news here."""
        assert isinstance(function.trigger, Every)
        period = Duration.minutes(max(5, 2 * function.trigger.minutes))
        metric = function_metric(function, "Invocations", period)
        return self._alarm(
            f"{function.name}-late", metric, 1, f"{function.name} does not run", _Compare.LESS_THAN_THRESHOLD,
            missing=_Missing.BREACHING,
        )  # fmt: skip

    def _api(self) -> list[cloudwatch.Alarm]:
        api = next(function for function in FUNCTIONS if isinstance(function.trigger, Api))
        slow = function_metric(api, "Duration", statistic="p99")
        return [
            self._alarm(
                "api-5xx", api_metric("5XXError", "Sum", self.stage_of_market), 0, "the API answers with faults"
            ),
            self._alarm("api-slow", slow, 5000, "one request in a hundred takes over 5 s", periods=3),
        ]

    def _mail(self) -> list[cloudwatch.Alarm]:
        limits = {"BounceRate": MOST_BOUNCES, "ComplaintRate": MOST_COMPLAINTS}
        return [
            self._alarm(f"mail-{name}", ses_metric(f"Reputation.{name}"), most, f"the {name} of mails is too high")
            for name, most in limits.items()
        ]

    def _market(self) -> list[cloudwatch.Alarm]:
        """What the functions count themselves (`edge.observe.count`)."""
        stage = self.stage_of_market
        return [
            self._alarm(name.replace("_", "-"), own_metric(name, how, stage), most, words)
            for name, how, most, words in (
                # A queue that is behind tells of old facts, sealed in a moment: overdue is what stays so.
                ("audit_unsealed", "Minimum", 0, "audit records over five minutes old are in no block of their chain"),
                # A tick that failed comes again minutes later: late is when the most punctual one of five minutes was.
                ("tick_late_seconds", "Minimum", MOST_LATE_SECONDS, "the tick comes late, and all that moves with it"),
                ("webhook_late_seconds", "Maximum", MOST_LATE_SECONDS, "a webhook was tried long after it was due"),
                ("mails_refused", "Sum", 0, "the post refused a mail for good, which nobody will get"),
                ("files_failed", "Sum", 0, "a file could not be processed"),
                ("drops_of_nobody", "Sum", 0, "an object arrived that belongs to no organisation"),
            )
        ]

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        most: float,
        told: str,
        compare: cloudwatch.ComparisonOperator = _Compare.GREATER_THAN_THRESHOLD,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = _Missing.NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=settings.queue_name(name),
            alarm_description=f"Headroom {self.stage_of_market.name}: {told}. See docs/operations.md.",
            metric=metric,
            threshold=most,
            comparison_operator=compare,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm

    def _dashboard(self, stage: Stage) -> None:
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"headroom-{stage.name}")
        queues = [function for function in FUNCTIONS if function.has_queue]
        dead = [function for function in FUNCTIONS if has_dead_letters(function)]
        board.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self.alarms, width=24, height=5))
        board.add_widgets(
            _graph("Requests", [api_metric(name, "Sum", stage) for name in ("Count", "4XXError", "5XXError")]),
            _graph("Milliseconds to answer", [api_metric("Latency", how, stage) for how in ("p50", "p99")]),
        )
        board.add_widgets(
            _graph("Errors", [function_metric(function, "Errors") for function in FUNCTIONS]),
            _graph("Milliseconds at work", [function_metric(f, "Duration", statistic="p99") for f in FUNCTIONS]),
        )
        oldest, visible = "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"
        board.add_widgets(
            _graph("Oldest message, seconds", [queue_metric(f.name, oldest, "Maximum") for f in queues]),
            _graph("Dead letters", [queue_metric(f.name + DEAD, visible, "Maximum") for f in dead]),
        )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=12, height=7)
