"""Owns sending mail: the verified domain, what happens to bounces and complaints, and where they are told."""

from __future__ import annotations

from aws_cdk import Fn
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from chalicelib.storage import settings
from functions.wiring import FUNCTIONS, Function, Returns
from infrastructure.messaging import returns_topic
from infrastructure.stacks import MarketStack, accept
from infrastructure.stage import Stage
from local.provision import DEAD

_TOLD = [ses.EmailSendingEvent.BOUNCE, ses.EmailSendingEvent.COMPLAINT, ses.EmailSendingEvent.REJECT]


class Mail(MarketStack):
    """SES keeps addresses that bounced or complained on the account's suppression list and sends them nothing more."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Mail", "e-mail")
        topic = self._topic(stage)
        how = ses.ConfigurationSet(
            self,
            "Sending",
            configuration_set_name=f"headroom-{stage.name}",
            reputation_metrics=True,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
        )
        # It lets SES publish to the topic, for this account's configuration set alone.
        how.add_event_destination("Undelivered", destination=ses.EventDestination.sns_topic(topic), events=_TOLD)
        ses.EmailIdentity(self, "Domain", identity=ses.Identity.domain(stage.mail_domain), configuration_set=how)

    def _topic(self, stage: Stage) -> sns.Topic:
        topic = sns.Topic(self, "Bounces", topic_name=returns_topic(stage), enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(stage.operations_email))
        for function in FUNCTIONS:
            if isinstance(function.trigger, Returns):
                self._tell(topic, function)
        accept(
            topic, {"AwsSolutions-SNS2": "Notices of bounces go to operations by mail; SES cannot use the managed key."}
        )
        return topic

    def _tell(self, topic: sns.Topic, function: Function) -> None:
        """The notice as SES words it, without SNS's own wrapping; what cannot be given joins the dead letters."""
        place = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"  # so that cfn-lint can read it
        dead = {"deadLetterTargetArn": self.queue_arn(function.name + DEAD)}
        sns.CfnSubscription(
            self,
            f"{function.name}-told",
            topic_arn=topic.topic_arn,
            protocol="sqs",
            endpoint=Fn.sub(place + settings.queue_name(function.name)),
            raw_message_delivery=True,
            redrive_policy=dead,
        )
