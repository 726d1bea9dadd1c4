"""Claims about the stacks, read from the CloudFormation that deploying hands to AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.storage.schema import BUCKETS, KEYS, TABLES
from functions.wiring import FUNCTIONS, Api, Asked, Events, Every, Inbox, Stream
from local.provision import DEAD, MOST_RECEIVES, _rate
from tests.infrastructure.conftest import Templates

NAME = "headroom-prod-"


def test_cfn_lint_finds_nothing_that_is_not_ignored_with_a_reason(prod: Templates) -> None:
    from infrastructure.lint import lint
    from infrastructure.stage import stage_named

    assert lint(stage_named("prod"), prod.folder) == 0


def test_every_exception_from_cdk_nag_has_its_reason(prod: Templates) -> None:
    reasons = _reasons(prod)
    assert {rule.partition("[")[0] for rule in reasons} >= {"AwsSolutions-IAM5", "AwsSolutions-COG2", "AwsSolutions-S1"}
    assert all(len(reason) > 25 for reason in reasons.values())
    assert not [rule for rule in reasons if rule == "AwsSolutions-IAM5"]  # never all wildcards at once


def test_synthesizing_fails_on_what_cdk_nag_finds(prod: Templates, tmp_path: Path) -> None:
    from aws_cdk import App, Stack, aws_s3

    from infrastructure.app import checked

    app = App(outdir=str(tmp_path), analytics_reporting=False)
    aws_s3.Bucket(Stack(checked(app), "Careless"), "Open")
    with pytest.raises(RuntimeError, match="AwsSolutions-S1"):
        app.synth()


def test_every_table_of_the_schema_is_there_with_its_keys_indexes_expiry_and_stream(prod: Templates) -> None:
    made = {table["TableName"]: table for table in prod.all("AWS::DynamoDB::Table")}
    assert set(made) == {NAME + table.name for table in TABLES}
    for table in TABLES:
        stored = made[NAME + table.name]
        assert _keys(stored) == ["pk", "sk"]
        indexes = {index["IndexName"]: _keys(index) for index in stored.get("GlobalSecondaryIndexes", [])}
        assert indexes == {index.name: [key for key in (index.pk, index.sk) if key] for index in table.indexes}
        assert stored.get("TimeToLiveSpecification", {}).get("AttributeName") == table.expires
        assert ("StreamSpecification" in stored) == table.stream


def test_tables_can_be_restored_to_a_point_and_outlive_the_stack(prod: Templates) -> None:
    for table in prod.resources("AWS::DynamoDB::Table"):
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["IsGuarded", True, False]}
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_every_bucket_is_private_encrypted_and_speaks_tls_alone(prod: Templates) -> None:
    buckets = prod.all("AWS::S3::Bucket")
    assert len(buckets) == len(BUCKETS) + 3  # the access log, the console and the console's log
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    tls = [policy for policy in prod.all("AWS::S3::BucketPolicy") if _denies_plain_http(policy)]
    assert len(tls) == len(buckets)


def test_buckets_of_the_schema_are_versioned_under_a_key_of_ours(prod: Templates) -> None:
    for bucket in BUCKETS:
        stored = _bucket(prod, bucket.name)
        assert ("VersioningConfiguration" in stored) == (bucket.versioned or bucket.locked)
        [rule] = stored["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_audit_roots_cannot_be_changed_by_anybody_for_years(prod: Templates) -> None:
    locked = [_bucket(prod, bucket.name) for bucket in BUCKETS if bucket.locked]
    assert locked
    for bucket in locked:
        kept = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        assert (kept["Mode"], kept["Days"]) == ("COMPLIANCE", 2555)


def test_only_what_lands_in_the_inbox_wakes_the_function_that_takes_it_in(prod: Templates) -> None:
    [function] = [function for function in FUNCTIONS if isinstance(function.trigger, Inbox)]
    for bucket in BUCKETS:
        told = _bucket(prod, bucket.name).get("NotificationConfiguration", {}).get("QueueConfigurations", [])
        assert bool(told) == bucket.notifies
        for queue in told:
            assert _text(queue["Queue"]).endswith(NAME + function.name)
            assert queue["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "inbox/"}]


def test_every_key_turns_each_year(prod: Templates) -> None:
    keys = prod.all("AWS::KMS::Key")
    assert len(keys) == len(KEYS) + 2  # the buckets' and the alarms'
    assert all(key["EnableKeyRotation"] is True for key in keys)


def test_every_function_has_its_queue_and_dead_letters_as_at_home(prod: Templates) -> None:
    queues = {queue["QueueName"]: queue for queue in prod.all("AWS::SQS::Queue")}
    for function in FUNCTIONS:
        if function.has_queue:
            queue = queues[NAME + function.name]
            assert queue["VisibilityTimeout"] == 6 * function.timeout
            assert queue["RedrivePolicy"]["maxReceiveCount"] == MOST_RECEIVES
        assert (NAME + function.name + DEAD in queues) != isinstance(function.trigger, Api | Asked)


def test_market_events_and_schedules_reach_the_functions_of_the_wiring(prod: Templates) -> None:
    rules = {rule["Name"]: rule for rule in prod.all("AWS::Events::Rule")}
    for function in FUNCTIONS:
        if isinstance(function.trigger, Events):
            assert rules[NAME + function.name]["EventPattern"]["detail-type"] == list(function.trigger.names)
        if isinstance(function.trigger, Every):
            assert rules[NAME + function.name]["ScheduleExpression"] == _rate(function.trigger.minutes)
    assert all("DeadLetterConfig" in target for rule in rules.values() for target in rule["Targets"])


def test_every_function_is_there_with_the_limits_of_the_wiring(prod: Templates) -> None:
    made = {function["FunctionName"]: function for function in _functions(prod)}
    assert set(made) == {NAME + function.name for function in FUNCTIONS}
    for function in FUNCTIONS:
        stored = made[NAME + function.name]
        assert (stored["MemorySize"], stored["Timeout"]) == (function.memory, function.timeout)
        assert stored["Handler"] == function.handler
        assert stored["Runtime"] == "python3.13"


def test_failed_messages_are_named_one_by_one_and_a_failing_stream_batch_is_halved(prod: Templates) -> None:
    sources = {_text(source["FunctionName"]): source for source in prod.all("AWS::Lambda::EventSourceMapping")}
    assert len(sources) == len([f for f in FUNCTIONS if not isinstance(f.trigger, Api | Asked)])
    streams = [source for source in sources.values() if "StartingPosition" in source]
    assert len(streams) == len([f for f in FUNCTIONS if isinstance(f.trigger, Stream)])
    for source in sources.values():
        if source in streams:
            assert source["BisectBatchOnFunctionError"] is True
            assert source["DestinationConfig"]["OnFailure"]
        else:
            assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_gateway_knows_exactly_the_paths_and_methods_of_the_app(prod: Templates) -> None:
    from app import app

    [gateway] = prod.all("AWS::Serverless::Api")
    paths = gateway["DefinitionBody"]["paths"]
    told = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    wanted = {(path, method) for path, methods in app.routes.items() for method in methods}
    assert told == wanted


def test_the_gateway_is_throttled_logged_and_behind_a_firewall(prod: Templates) -> None:
    [gateway] = prod.all("AWS::Serverless::Api")
    [every] = gateway["MethodSettings"]
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == (200, 400)
    assert every["DataTraceEnabled"] is False
    for leaking in ("header", 'path"', "querystring", "authorizer", "body"):
        assert leaking not in gateway["AccessLogSetting"]["Format"]
    [acl] = prod.all("AWS::WAFv2::WebACL")
    assert [rule["Name"] for rule in acl["Rules"]][:2] == ["pace", "AWSManagedRulesCommonRuleSet"]
    assert len(prod.all("AWS::WAFv2::WebACLAssociation")) == 1


def test_the_pool_is_what_the_market_says_of_it(prod: Templates) -> None:
    from chalicelib.storage import identity

    [pool] = prod.all("AWS::Cognito::UserPool")
    assert pool["DeletionProtection"] == {"Fn::If": ["IsGuarded", "ACTIVE", "INACTIVE"]}
    for name, value in identity.USER_POOL.items():
        assert name == "DeletionProtection" or pool[name] == value
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
    [client] = prod.all("AWS::Cognito::UserPoolClient")
    assert client.items() >= identity.USER_POOL_CLIENT.items()


def test_browsers_are_told_what_the_console_may_do(prod: Templates) -> None:
    [policy] = prod.all("AWS::CloudFront::ResponseHeadersPolicy")
    headers = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert "default-src 'none'" in headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 365 * 24 * 3600


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_somebody_is_woken_when_a_function_fails_or_falls_behind(prod: Templates, function: Any) -> None:
    alarms = {alarm["AlarmName"]: alarm for alarm in prod.all("AWS::CloudWatch::Alarm")}
    wanted = {"errors"}
    wanted |= {"throttled"} if isinstance(function.trigger, Api | Asked) else {"dead-letters"}
    wanted |= {"age"} if function.has_queue else set()
    wanted |= {"late"} if isinstance(function.trigger, Every) else set()
    for name in wanted:
        assert alarms[f"{NAME}{function.name}-{name}"]["AlarmActions"]


def test_bounces_complaints_and_the_bill_have_alarms_too(prod: Templates) -> None:
    names = {alarm["AlarmName"] for alarm in prod.all("AWS::CloudWatch::Alarm")}
    assert {NAME + "mail-BounceRate", NAME + "mail-ComplaintRate", NAME + "api-5xx"} <= names
    [budget] = prod.all("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 300, "Unit": "USD"}
    [sending] = prod.all("AWS::SES::ConfigurationSet")
    assert sending["SuppressionOptions"]["SuppressedReasons"] == ["BOUNCE", "COMPLAINT"]


def test_logs_end_some_day(prod: Templates) -> None:
    groups = prod.all("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups} == {365}
    assert len(groups) == len(FUNCTIONS) + 1


def test_logs_in_buckets_end_with_the_others(prod: Templates) -> None:
    """They hold visitors' addresses."""
    logs = [bucket for bucket in prod.all("AWS::S3::Bucket") if "-log-" in json.dumps(bucket["BucketName"])]
    assert len(logs) == 2
    for log in logs:
        days = [
            rule["ExpirationInDays"] for rule in log["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule
        ]
        assert days == [365]


def test_streams_are_followed_from_the_tables_of_the_wiring_and_for_new_rows_only(prod: Templates) -> None:
    streams = [source for source in prod.all("AWS::Lambda::EventSourceMapping") if "StartingPosition" in source]
    followed = {_text(source["EventSourceArn"]["Fn::ImportValue"]) for source in streams}
    wanted = {function.trigger.table for function in FUNCTIONS if isinstance(function.trigger, Stream)}
    assert followed == {f"Headroom-prod-Data-{table.title()}StreamArn" for table in wanted}
    for source in streams:
        assert source["FilterCriteria"]["Filters"] == [{"Pattern": '{"eventName":["INSERT"]}'}]


def _reasons(templates: Templates) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in templates.folder.glob("*.metadata.json"):
        for entries in json.loads(path.read_text()).values():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    found |= {rule.removeprefix("Annotation::"): reason for rule, reason in entry["data"].items()}
    return found


def _functions(templates: Templates) -> list[dict[str, Any]]:
    return templates.all("AWS::Lambda::Function") + templates.all("AWS::Serverless::Function")


def _bucket(templates: Templates, name: str) -> dict[str, Any]:
    [found] = [
        bucket
        for bucket in templates.all("AWS::S3::Bucket")
        if {"Key": "headroom-bucket", "Value": name} in bucket.get("Tags", [])
    ]
    return found


def _denies_plain_http(policy: dict[str, Any]) -> bool:
    wanted = {"Bool": {"aws:SecureTransport": "false"}}
    return any(
        statement["Effect"] == "Deny" and statement.get("Condition") == wanted
        for statement in policy["PolicyDocument"]["Statement"]
    )


def _keys(shape: dict[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in shape["KeySchema"]]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).replace('"]]}', "")
