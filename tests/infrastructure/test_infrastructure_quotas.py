"""Claims about what AWS takes at most of an account that has asked for nothing: nothing beyond it is deployed."""

from __future__ import annotations

import json
from typing import Any

from tests.infrastructure.conftest import Templates

MOST_OF_A_ROLE = 10_240  # characters of inline policies together
MOST_OF_A_PATTERN = 2_048  # characters of a rule's pattern
MOST_GATEWAY_RESOURCES = 300
MOST_OF_A_STACK = 500  # resources
MOST_OF_A_TEMPLATE = 1_000_000  # bytes
KNOWN = {"AWS::Region": "eu-west-2", "AWS::AccountId": "123456789012", "AWS::Partition": "aws"}
LONGEST = "arn:aws:cognito-idp:eu-west-2:123456789012:userpool/eu-west-2_000000000"


def test_no_roles_policy_is_longer_than_iam_takes(prod: Templates) -> None:
    for role in prod.all("AWS::IAM::Role"):
        policies = [_told(policy["PolicyDocument"]) for policy in role.get("Policies", [])]
        assert sum(len(json.dumps(each, separators=(",", ":"))) for each in policies) < MOST_OF_A_ROLE


def test_the_api_has_no_more_resources_than_a_gateway_takes(prod: Templates) -> None:
    [gateway] = prod.all("AWS::Serverless::Api")
    paths = [path.strip("/").split("/") for path in gateway["DefinitionBody"]["paths"]]
    assert len({"/".join(path[:depth]) for path in paths for depth in range(len(path) + 1)}) < MOST_GATEWAY_RESOURCES


def test_no_rules_pattern_is_longer_than_eventbridge_takes(prod: Templates) -> None:
    for rule in prod.all("AWS::Events::Rule"):
        assert len(json.dumps(rule.get("EventPattern", {}))) < MOST_OF_A_PATTERN


def test_no_stack_is_bigger_than_cloudformation_takes(prod: Templates) -> None:
    for name, template in prod.by_stack.items():
        assert len(template["Resources"]) < MOST_OF_A_STACK
        assert (prod.folder / f"{name}.template.json").stat().st_size < MOST_OF_A_TEMPLATE


def _told(value: Any) -> Any:
    """A policy with an account's values in it; what another stack tells is as long as its ARNs get."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_told, parts))
        case {"Ref": str(name)}:
            return KNOWN[name]
        case {"Fn::ImportValue": _}:
            return LONGEST
        case dict():
            return {key: _told(each) for key, each in value.items()}
        case list():
            return [_told(each) for each in value]
    return value
