"""Claims about the API's gateway as SAM makes it of the template: one stage, guarded, logged, and alone let in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infrastructure.conftest import Resource, Templates

STACK = "Headroom-prod-Api"


@pytest.fixture(scope="module")
def made(prod: Templates) -> dict[str, Resource]:
    """Every resource of the API's stack, as CloudFormation meets it once SAM's transform has run."""
    from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
    from samtranslator.translator.transform import transform

    template = json.loads(json.dumps(prod.by_stack[STACK]))
    resources: dict[str, Resource] = transform(template, {}, ManagedPolicyLoader(None))["Resources"]
    return resources


def test_the_gateway_has_one_stage_and_no_deployment_brings_another(made: dict[str, Resource]) -> None:
    assert [stage["StageName"] for stage in _all(made, "AWS::ApiGateway::Stage")] == ["api"]
    assert [each.get("StageName") for each in _all(made, "AWS::ApiGateway::Deployment")] == [None]


def test_every_stage_is_throttled_logged_and_behind_the_firewall(prod: Templates, made: dict[str, Resource]) -> None:
    guarded = {json.dumps(each["ResourceArn"]) for each in prod.all("AWS::WAFv2::WebACLAssociation")}
    for stage in _all(made, "AWS::ApiGateway::Stage"):
        [every] = stage["MethodSettings"]
        assert (every["ResourcePath"], every["HttpMethod"]) == ("/*", "*")
        assert every["ThrottlingRateLimit"] == 200
        assert stage["AccessLogSetting"]["DestinationArn"]
        assert [arn for arn in guarded if f"/stages/{stage['StageName']}" in arn]


def test_the_function_is_let_be_called_through_that_stage_alone(made: dict[str, Resource]) -> None:
    [permission] = _all(made, "AWS::Lambda::Permission")
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${RestAPI}/api/*")
    assert made["RestAPI"]["Type"] == "AWS::ApiGateway::RestApi"


def test_the_gateway_writes_no_log_but_the_access_log(made: dict[str, Resource]) -> None:
    """Its execution log would go to a group that the gateway makes itself, which nothing ever empties."""
    for stage in _all(made, "AWS::ApiGateway::Stage"):
        assert {each["LoggingLevel"] for each in stage["MethodSettings"]} == {"OFF"}
        group = made[stage["AccessLogSetting"]["DestinationArn"]["Fn::GetAtt"][0]]
        assert group["Properties"]["RetentionInDays"] == 365


def test_removing_one_stage_leaves_the_gateway_of_another_its_log(made: dict[str, Resource]) -> None:
    """The setting is the account's: neither it nor the role it names may go with a stack."""
    [account] = [each for each in made.values() if each["Type"] == "AWS::ApiGateway::Account"]
    role = made[account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    for kept in (account, role):
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "RoleName" not in role["Properties"]


def _all(resources: dict[str, Resource], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]
