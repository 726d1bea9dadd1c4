"""Claims about what each function's role allows, read from the templates: all that its code uses, and nothing more."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from chalicelib.storage.schema import BUCKETS, TABLES
from functions.wiring import FUNCTIONS, Api, Asked, Function
from infrastructure.uses import uses_of
from local.provision import DEAD
from tests.infrastructure.conftest import Templates

EVERY = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
# What Lambda itself does in a function's name, beside what the function's code does.
BY_LAMBDA = {
    "logs": {"CreateLogStream", "PutLogEvents"},
    "xray": {"PutTraceSegments", "PutTelemetryRecords"},
    "sqs": {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"},
    "dynamodb": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
}
MAY_BE_ANY = {"xray"}
KEEPER = "keep-keys"
ASK_FOR_KEYS = {
    "api": "an FSP's people read and change their own ballots; the operator decides once they are opened; sealed files",
    "import-file": "reads a bid workbook into sealed chunks; a short one is applied at once against the FSP's sheet",
    "import-chunk": "applies a long bid workbook against the FSP's sheet; marks what did not go in",
    "make-export": "the history of an FSP's own bids; the operator's bids file once the ballots are opened",
    "propose": "weighs the bids of opened ballots for the operator; seals what it proposes",
    "notify": "tells the operator how many bids there are to decide, after close: it gets the number and no key",
}
"""Which functions may ask the keeper of keys, and what for. It judges each ask itself (`bidding/doors.py`)."""


@EVERY
def test_a_function_has_a_role_of_its_own(prod: Templates, function: Function) -> None:
    others = [other for other in FUNCTIONS if other != function]
    assert _role(prod, function)["RoleName"] not in [_role(prod, other)["RoleName"] for other in others]


@EVERY
def test_a_role_allows_on_tables_what_the_code_does_there(prod: Templates, function: Function) -> None:
    allowed = _allowed(prod, function)
    tables = {
        name: actions - BY_LAMBDA["dynamodb"]
        for name, actions in _by_name(allowed, "dynamodb", r"table/headroom-prod-([a-z-]+)$").items()
    }
    assert tables == uses_of(function).tables
    assert set(tables) <= {table.name for table in TABLES}


@EVERY
def test_a_role_allows_queries_of_the_indexes_that_the_code_asks(prod: Templates, function: Function) -> None:
    indexes = _by_name(_allowed(prod, function), "dynamodb", r"table/headroom-prod-([a-z-]+/index/\w+)$")
    wanted = {f"{table}/index/{index}" for table, names in uses_of(function).indexes.items() for index in names}
    assert indexes == {name: {"Query"} for name in wanted}


@EVERY
def test_a_role_allows_on_buckets_what_the_code_does_there(prod: Templates, function: Function) -> None:
    buckets = _by_name(_allowed(prod, function), "s3", r"s3:::headroom-prod-([a-z-]+)-ACCOUNT")
    assert buckets == uses_of(function).buckets
    assert set(buckets) <= {bucket.name for bucket in BUCKETS}


@EVERY
def test_a_role_reads_its_own_queue_and_sends_where_the_code_sends(prod: Templates, function: Function) -> None:
    queues = _by_name(_allowed(prod, function), "sqs", r"headroom-prod-([a-z-]+)$")
    read = {name for name, actions in queues.items() if "ReceiveMessage" in actions}
    sent = {name for name, actions in queues.items() if "SendMessage" in actions}
    assert read == ({function.name} if function.has_queue else set())
    waited_for = isinstance(function.trigger, Api | Asked)
    by_lambda = set() if function.has_queue or waited_for else {function.name + DEAD}
    assert sent == uses_of(function).queues | by_lambda


@EVERY
def test_a_role_reads_the_secrets_that_the_code_reads(prod: Templates, function: Function) -> None:
    secrets = _by_name(_allowed(prod, function), "secretsmanager", r"secret:headroom/prod/([a-z-]+?)(?:-\?{6}|\*)$")
    assert set(secrets) == uses_of(function).secrets


@EVERY
def test_a_role_calls_no_service_that_the_code_does_not(prod: Templates, function: Function) -> None:
    uses = uses_of(function)
    allowed = {service for service, _, _ in _allowed(prod, function)}
    wanted = set(uses.calls) | {"logs"} | ({"dynamodb"} if uses.tables else set())
    wanted |= {"s3", "kms"} if uses.buckets else set()
    wanted |= {"xray"} if isinstance(function.trigger, Api) else set()
    wanted |= set() if isinstance(function.trigger, Api | Asked) else {"sqs"}
    assert allowed == wanted


@EVERY
def test_no_role_has_a_wildcard_for_actions_or_for_whole_services(prod: Templates, function: Function) -> None:
    for service, action, resource in _allowed(prod, function):
        assert "*" not in action
        assert service in MAY_BE_ANY or resource != "*"


@EVERY
def test_the_key_of_ballots_opens_only_with_what_it_is_for(prod: Templates, function: Function) -> None:
    for statement in _statements(prod, function):
        if any(action.startswith("kms:") for action in _many(statement["Action"])):
            condition = json.dumps(statement["Condition"])
            assert "kms:ViaService" in condition or "kms:EncryptionContextKeys" in condition


def test_exactly_one_function_may_unwrap_data_keys(prod: Templates) -> None:
    allowed = {
        (function.name, action)
        for function in FUNCTIONS
        for statement in _statements(prod, function)
        for action in _many(statement["Action"])
        if action.startswith("kms:") and "kms:ViaService" not in json.dumps(statement["Condition"])
    }
    assert allowed == {(KEEPER, "kms:Decrypt"), (KEEPER, "kms:GenerateDataKey")}


def test_the_key_itself_refuses_every_role_but_that_one(prod: Templates) -> None:
    """Whatever a role made by hand, or a grant, would allow."""
    [refusing] = [
        statement
        for key in prod.all("AWS::KMS::Key")
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert set(refusing["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
    assert refusing["Principal"] == {"AWS": "*"}
    condition = refusing["Condition"]
    assert _text(condition["ArnNotEquals"]["aws:PrincipalArn"]) == (
        f"arn:aws:iam::ACCOUNT:role/headroom-prod-{KEEPER}-REGION"
    )
    assert condition.keys() == {"ArnNotEquals", "Null"}


def test_exactly_these_functions_may_ask_it_and_for_these_reasons(prod: Templates) -> None:
    arn = f"arn:aws:lambda:REGION:ACCOUNT:function:headroom-prod-{KEEPER}"
    asking = {
        function.name: (action, resource)
        for function in FUNCTIONS
        for service, action, resource in _allowed(prod, function)
        if service == "lambda"
    }
    assert asking == dict.fromkeys(ASK_FOR_KEYS, ("InvokeFunction", arn))
    assert all(ASK_FOR_KEYS.values())


def test_whoever_else_has_rights_in_the_account_may_not_invoke_the_keeper_by_a_policy_of_its_own(
    prod: Templates,
) -> None:
    """Invoking follows from the asker's role alone: no permission of a resource lets a service or account in."""
    assert not [each for each in prod.all("AWS::Lambda::Permission") if KEEPER in json.dumps(each)]


def _allowed(templates: Templates, function: Function) -> list[tuple[str, str, str]]:
    """(service, action, resource) of everything a role allows."""
    return [
        (*action.split(":"), _text(resource))
        for statement in _statements(templates, function)
        for action in _many(statement["Action"])
        for resource in _many(statement["Resource"])
    ]


def _statements(templates: Templates, function: Function) -> list[dict[str, Any]]:
    [policy] = _role(templates, function)["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def _role(templates: Templates, function: Function) -> dict[str, Any]:
    name = f"headroom-prod-{function.name}-REGION"
    [role] = [role for role in templates.all("AWS::IAM::Role") if _text(role.get("RoleName", "")) == name]
    return role


def _by_name(allowed: list[tuple[str, str, str]], service: str, pattern: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for its_service, action, resource in allowed:
        named = re.search(pattern, resource)
        if its_service == service and named:
            found[named.group(1)].add(action)
    return dict(found)


def _text(value: Any) -> str:
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_text, parts))
        case {"Ref": str(name)}:
            return {"AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws"}[name]
        case {"Fn::ImportValue": name}:
            return _text(name)
    return str(value)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
