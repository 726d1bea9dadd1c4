"""Claims about asking a role whether it allows a call, which the rehearsal does before each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functions.wiring import FUNCTIONS
from infrastructure.policies import Policies, asked_of_iam

PLACE = {"AWS::Region": "eu-west-2", "AWS::AccountId": "000000000000", "AWS::Partition": "aws"}
TABLES = "arn:aws:dynamodb:eu-west-2:000000000000:table/"
TICK = next(function for function in FUNCTIONS if function.name == "tick")


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policies:
    monkeypatch.setenv("HEADROOM_STAGE", "test")
    table = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":dynamodb:eu-west-2:000000000000:table/competitions"]]
    }
    statement = {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": table}
    objects = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bodies/*"}
    role = {
        "RoleName": {"Fn::Join": ["", ["headroom-test-tick-", {"Ref": "AWS::Region"}]]},
        "Policies": [{"PolicyDocument": {"Statement": [statement, objects]}}],
    }
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}
    (tmp_path / "one.template.json").write_text(json.dumps(template))
    return Policies(tmp_path, PLACE, {})


def test_what_a_role_names_is_allowed(policies: Policies) -> None:
    assert policies.missing(TICK, [("dynamodb:GetItem", TABLES + "competitions")]) == []
    assert policies.missing(TICK, [("s3:GetObject", "arn:aws:s3:::bodies/zones/1")]) == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:DeleteItem", TABLES + "competitions"),
        ("dynamodb:GetItem", TABLES + "bidding"),
        ("dynamodb:GetItem", TABLES + "competitions/index/due"),
        ("s3:GetObject", "arn:aws:s3:::bodies"),
    ],
)
def test_what_a_role_does_not_name_is_missing(policies: Policies, action: str, resource: str) -> None:
    assert policies.missing(TICK, [(action, resource)]) == [(action, resource)]


def test_a_transaction_asks_for_each_of_its_items() -> None:
    items = [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}, {"Delete": {"TableName": "a"}}]
    asked = asked_of_iam(PLACE, "dynamodb", "TransactWriteItems", {"TransactItems": items})
    assert asked == [
        ("dynamodb:PutItem", TABLES + "a"),
        ("dynamodb:ConditionCheckItem", TABLES + "b"),
        ("dynamodb:DeleteItem", TABLES + "a"),
    ]


def test_an_index_is_asked_for_by_its_own_name() -> None:
    asked = asked_of_iam(PLACE, "dynamodb", "Query", {"TableName": "a", "IndexName": "by_so"})
    assert asked == [("dynamodb:Query", TABLES + "a/index/by_so")]


def test_a_version_of_an_object_needs_a_leave_of_its_own() -> None:
    asked = asked_of_iam(PLACE, "s3", "GetObject", {"Bucket": "files", "Key": "k", "VersionId": "v"})
    assert asked == [("s3:GetObject", "arn:aws:s3:::files/k"), ("s3:GetObjectVersion", "arn:aws:s3:::files/k")]


def test_a_batch_of_messages_is_sending() -> None:
    asked = asked_of_iam(PLACE, "sqs", "SendMessageBatch", {"QueueUrl": "http://host/000000000000/q"})
    assert asked == [("sqs:SendMessage", "arn:aws:sqs:eu-west-2:000000000000:q")]
