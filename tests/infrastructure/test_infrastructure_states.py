"""Claims about deploying: what each state of a stack lets be done, and that one that failed can be repeated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

from infrastructure import deploy
from infrastructure.stage import Stage, stage_named
from infrastructure.states import InTheWay, next_move
from local.cloud import launch
from tests.infrastructure.conftest import Templates

_accounts = count(200_000_000_000)
STACK = "Headroom-dev-Test"
STATES = botocore.session.get_session().get_service_model("cloudformation").shape_for("StackStatus").enum
CHANGED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
CHANGED |= {"IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
CLEARED = {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}


@pytest.mark.parametrize("state", STATES)
def test_a_stack_is_changed_only_in_a_state_that_takes_changes(state: str) -> None:
    if state in CHANGED:
        assert next_move(state) == "change"
    elif state in CLEARED:
        assert next_move(state) == "clear"
    elif state == "DELETE_COMPLETE":
        assert next_move(state) == "create"
    else:
        with pytest.raises(InTheWay, match="wait until" if state.endswith("_IN_PROGRESS") else "stack|rollback"):
            next_move(state)


def test_a_stack_that_is_not_there_is_created() -> None:
    assert next_move(None) == "create"


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.RunningCloud]:
    """An emulator that knows stacks, which a local market has no need of."""
    folder, port = tmp_path_factory.mktemp("stacks"), launch.free_port()
    told = {"BIND_HOST": launch.HOST, "GATEWAY_PORT": str(port), "SERVICES": "cloudformation,dynamodb,s3,sts"}
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=os.environ | told, cwd=folder, stdout=log, stderr=log
        )
    running = launch.RunningCloud(process, port, folder / "log")
    try:
        while running.is_alive() and launch.is_free(port):
            time.sleep(0.05)
        yield running
    finally:
        running.stop()


@pytest.fixture
def dev(clouds: launch.RunningCloud, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage dev, in an account that is empty yet."""
    for name, text in launch.settings_for(clouds.address, str(next(_accounts))).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # which remembers whose account it is
    monkeypatch.setenv("HEADROOM_STAGE", "test")  # what stage_named sets is undone
    return stage_named("dev")


@pytest.mark.flow
def test_a_first_deployment_that_failed_leaves_nothing_and_succeeds_once_mended(dev: Stage, tmp_path: Path) -> None:
    database = boto3.client("dynamodb", region_name=dev.region)
    with pytest.raises(deploy.Failed, match="Never"):
        deploy.deploy(dev, assembly(tmp_path, failing(guarded_tables())))
    left = described()
    assert left["StackStatus"] == "ROLLBACK_COMPLETE"
    # What AWS needs to take a table back, and its emulator does not ask for.
    assert left["Parameters"] == [{"ParameterKey": "Guarded", "ParameterValue": "false"}]
    assert database.list_tables()["TableNames"] == []

    deploy.deploy(dev, assembly(tmp_path, guarded_tables()))
    assert state() == "UPDATE_COMPLETE"
    assert described()["StackId"] != left["StackId"]  # AWS changes no stack that never came to be
    assert [guard(name) for name in ("first", "second")] == [True, True]


@pytest.mark.flow
def test_a_change_set_that_nobody_carried_out_is_no_hindrance(dev: Stage, tmp_path: Path) -> None:
    boto3.client("cloudformation", region_name=dev.region).create_change_set(
        StackName=STACK, ChangeSetName="left", ChangeSetType="CREATE", TemplateBody=json.dumps(guarded_tables())
    )
    assert state() == "REVIEW_IN_PROGRESS"
    deploy.deploy(dev, assembly(tmp_path, guarded_tables()))
    assert guard("first") is True


@pytest.mark.flow
def test_deploying_again_changes_nothing_and_keeps_the_guard(dev: Stage, tmp_path: Path, capsys: Any) -> None:
    folder = assembly(tmp_path, guarded_tables())
    deploy.deploy(dev, folder)
    assert "created" in capsys.readouterr().out
    deploy.deploy(dev, folder)
    assert "unchanged" in capsys.readouterr().out
    assert guard("first") is True


@pytest.mark.flow
def test_a_creation_that_stopped_before_the_guard_was_up_is_finished_by_the_next(dev: Stage, tmp_path: Path) -> None:
    cloudformation = boto3.client("cloudformation", region_name=dev.region)
    unguarded = [{"ParameterKey": "Guarded", "ParameterValue": "false"}]
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(guarded_tables()), Parameters=unguarded)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    assert guard("first") is False
    deploy.deploy(dev, assembly(tmp_path, guarded_tables()))
    assert guard("first") is True


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool"])
def test_what_outlives_a_stack_does_not_outlive_a_creation_that_failed(prod: Templates, kind: str) -> None:
    """Else each retry would meet the tables and buckets of the last, by their names."""
    kept = [resource for resource in prod.resources(kind) if resource["DeletionPolicy"] != "Delete"]
    assert kept
    for resource in kept:
        named = any(name in resource["Properties"] for name in ("TableName", "BucketName", "UserPoolName"))
        assert not named or resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_nothing_with_a_name_of_ours_outlives_a_creation_that_failed(prod: Templates) -> None:
    for template in prod.by_stack.values():
        for name, resource in template["Resources"].items():
            ours = [value for key, value in resource.get("Properties", {}).items() if key.endswith("Name")]
            assert not ours or resource.get("DeletionPolicy") != "Retain", name


def test_the_guard_is_up_but_while_a_stack_is_created(prod: Templates) -> None:
    for concern, kind, key, (yes, no) in (
        ("Data", "AWS::DynamoDB::Table", "DeletionProtectionEnabled", (True, False)),
        ("Login", "AWS::Cognito::UserPool", "DeletionProtection", ("ACTIVE", "INACTIVE")),
    ):
        template = prod.by_stack[f"Headroom-prod-{concern}"]
        assert template["Parameters"]["Guarded"]["Default"] == "true"
        assert template["Conditions"]["IsGuarded"] == {"Fn::Equals": [{"Ref": "Guarded"}, "true"]}
        guards = [each["Properties"][key] for each in template["Resources"].values() if each["Type"] == kind]
        assert guards
        assert all(each == {"Fn::If": ["IsGuarded", yes, no]} for each in guards)


def assembly(folder: Path, template: dict[str, Any]) -> Path:
    """A cloud assembly of one stack, as CDK writes it."""
    manifest = {"artifacts": {STACK: {"type": "aws:cloudformation:stack", "dependencies": []}}}
    place = {"objectKey": f"{hash(json.dumps(template))}.json"}
    source = {"path": f"{STACK}.template.json", "packaging": "file"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / f"{STACK}.template.json").write_text(json.dumps(template))
    told = {"files": {"template": {"source": source, "destinations": {"here": place}}}}
    (folder / f"{STACK}.assets.json").write_text(json.dumps(told))
    return folder


def guarded_tables() -> dict[str, Any]:
    """Two tables, the second after the first, kept and guarded as those of prod are."""
    kept = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain", "Type": "AWS::DynamoDB::Table"}
    guarded = {"DeletionProtectionEnabled": {"Fn::If": ["IsGuarded", True, False]}, **_keys()}
    return {
        "Parameters": {"Guarded": {"Type": "String", "Default": "true", "AllowedValues": ["true", "false"]}},
        "Conditions": {"IsGuarded": {"Fn::Equals": [{"Ref": "Guarded"}, "true"]}},
        "Resources": {
            "First": {**kept, "Properties": {"TableName": "first", **guarded}},
            "Second": {**kept, "Properties": {"TableName": "second", **guarded}, "DependsOn": "First"},
        },
    }


def failing(template: dict[str, Any]) -> dict[str, Any]:
    """The same, and something after the tables that never comes to be: nobody tells the handle what is waited for."""
    never = {"Handle": {"Ref": "Handle"}, "Timeout": "1"}
    return template | {
        "Resources": {
            **template["Resources"],
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            "Never": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": never, "DependsOn": "Second"},
        }
    }


def _keys() -> dict[str, Any]:
    return {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def described() -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("cloudformation", region_name="eu-west-2").describe_stacks(StackName=STACK)
    return dict(found["Stacks"][0])


def state() -> str:
    return str(described()["StackStatus"])


def guard(table: str) -> bool:
    described = boto3.client("dynamodb", region_name="eu-west-2").describe_table(TableName=table)["Table"]
    return bool(described["DeletionProtectionEnabled"])
