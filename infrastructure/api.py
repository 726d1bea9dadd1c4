"""Owns the API on AWS: packaged by Chalice from `app.py`, throttled, with an access log."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_cdk import CfnResource, Fn, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from chalice.cdk import Chalice
from constructs import Construct

from chalicelib.storage import settings
from functions.wiring import FUNCTIONS, Api, Function
from infrastructure.bundles import BUILD, chalice_source
from infrastructure.roles import role_of
from infrastructure.stacks import MarketStack, accept
from infrastructure.stage import API_STAGE, Stage
from infrastructure.workers import environment_of, kept, log_group_of

# Made by the gateway itself, so that a browser can read them: our own answers carry their headers already.
_GATEWAY_ANSWERS = ("DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "WAF_FILTERED")
_LOGGED = {
    "request": "$context.requestId", "at": "$context.requestTime", "method": "$context.httpMethod",
    "resource": "$context.resourcePath", "status": "$context.status", "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency", "source": "$context.identity.sourceIp",
    "refused": "$context.error.responseType", "function": "$context.integration.status",
    "firewall": "$context.wafResponseCode",
}  # fmt: skip
"""Neither paths as asked (ids), nor queries, nor headers (tokens), nor error messages, which repeat headers."""


class Market(MarketStack):
    """The API's function and gateway."""

    def __init__(self, scope: Construct, stage: Stage, origins: list[str]) -> None:
        super().__init__(scope, stage, "Api", "API")
        self.wired = next(function for function in FUNCTIONS if isinstance(function.trigger, Api))
        self._role = role_of(self, self.wired)
        self._log = log_group_of(self, self.wired)
        self._access_log = self._make_access_log()
        app = self._packaged(stage, origins)
        self.function, self.gateway = app.get_resource("APIHandler"), app.get_resource("RestAPI")
        self._finish_function(self.function, self.wired)
        self._finish_gateway(self.gateway, origins[0])
        # Chalice lets any stage of the gateway call the function; there is one.
        ours = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestAPI}/" + API_STAGE + "/*"
        app.get_resource("APIHandlerInvokePermission").add_property_override("SourceArn", Fn.sub(ours))
        self.export("Address", Fn.sub("https://${RestAPI}.execute-api.${AWS::Region}.${AWS::URLSuffix}/" + API_STAGE))
        self.export("RestApi", self.gateway.ref)

    def _packaged(self, stage: Stage, origins: list[str]) -> Chalice:
        source = chalice_source(stage).folder
        with _working_in(BUILD / stage.name):
            return Chalice(
                self,
                "Chalice",
                source_dir=str(source),
                stage_config={
                    "api_gateway_stage": API_STAGE,
                    "api_gateway_endpoint_type": "REGIONAL",
                    "manage_iam_role": False,
                    "iam_role_arn": self._role.role_arn,
                    "lambda_memory_size": self.wired.memory,
                    "lambda_timeout": self.wired.timeout,
                    "lambda_architecture": stage.architecture,
                    "environment_variables": environment_of(stage, origins),
                    "xray": True,
                },
            )

    def _finish_function(self, cfn: CfnResource, function: Function) -> None:
        cfn.add_property_override("FunctionName", settings.queue_name(function.name))
        # Chalice names the Python it ran on; the bundle was made for the stage's.
        cfn.add_property_override("Runtime", self.stage_of_market.runtime)
        cfn.node.add_dependency(self._log)

    def _finish_gateway(self, cfn: CfnResource, origin: str) -> None:
        stage = self.stage_of_market
        cfn.add_property_override("Name", f"headroom-{stage.name}")
        cfn.add_property_override("TracingEnabled", True)
        # Without it SAM deploys a stage named Stage beside ours: unthrottled, unlogged, before no firewall.
        cfn.add_property_override("OpenApiVersion", "2.0")
        cfn.add_property_override("MinimumCompressionSize", 1024)
        # The gateway makes the group of its own log itself, and nobody ends it; the access log says what failed.
        every = {"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True, "LoggingLevel": "OFF"}
        limits = {"ThrottlingRateLimit": stage.requests_per_second, "ThrottlingBurstLimit": stage.request_burst}
        cfn.add_property_override("MethodSettings", [{**every, **limits, "DataTraceEnabled": False}])
        log = {"DestinationArn": self._access_log.log_group_arn, "Format": json.dumps(_LOGGED)}
        cfn.add_property_override("AccessLogSetting", log)
        for kind in _GATEWAY_ANSWERS:
            headers = {"Access-Control-Allow-Origin": Fn.join("", ["'", origin, "'"])}
            answer = {"responseParameters": {f"gatewayresponse.header.{name}": at for name, at in headers.items()}}
            cfn.add_property_override(f"DefinitionBody.x-amazon-apigateway-gateway-responses.{kind}", answer)

    def _make_access_log(self) -> logs.LogGroup:
        """The log of requests, and the account's leave for API Gateway to write it."""
        stage = self.stage_of_market
        writer = iam.Role(
            self,
            "GatewayLogs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        reason = "AWS made this policy for the one setting of an account by which API Gateway may write logs at all."
        policy = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        accept(writer, {f"AwsSolutions-IAM4[{policy}]": reason})
        account = apigateway.CfnAccount(self, "GatewayAccount", cloud_watch_role_arn=writer.role_arn)
        # One setting for every API of the account and region: the role it names must outlive the stack that was last
        # to set it, or deleting one stage would end the logs of another. Neither has a name to be in the way later.
        for kept_for_all in (writer, account):
            kept_for_all.apply_removal_policy(RemovalPolicy.RETAIN)
        log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/headroom/{stage.name}/api-access",
            retention=kept(stage.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        log.node.add_dependency(account)
        return log


@contextmanager
def _working_in(folder: Any) -> Iterator[None]:
    """Chalice leaves its output where the process stands."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
