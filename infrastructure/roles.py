"""Owns the functions' roles: one each, allowing what its code uses and no more; made from `uses`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from chalicelib.storage import settings
from chalicelib.storage.schema import KEYS
from functions.wiring import Api, Asked, Function, Stream
from infrastructure.data import key_export
from infrastructure.stacks import MarketStack, accept, role_name, told
from infrastructure.uses import Uses, uses_of
from local.provision import DEAD

MADE_AT_FIRST_USE = {"token-key"}
"""Secrets that the market makes itself, since CloudFormation cannot make a key pair."""

_IAM_NAMES = {"SendMessageBatch": "SendMessage", "Invoke": "InvokeFunction"}
_OF_BUCKETS = {"ListBucket", "ListBucketVersions"}
# A data key is asked for only together with what it is for, which KMS then insists on.
_CONDITIONS: dict[str, dict[str, Any]] = {"kms": {"Null": {"kms:EncryptionContextKeys": "false"}}}


def role_of(stack: MarketStack, function: Function) -> iam.Role:
    """The role of a function."""
    role = iam.Role(
        stack,
        f"{function.name}-role",
        role_name=role_name(function.name),
        description=f"What {function.handler} may do",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"uses": iam.PolicyDocument(statements=list(_statements(stack, function)))},
    )
    accept(role, dict(_wildcards(stack, function)))
    return role


def _wildcards(stack: MarketStack, function: Function) -> Iterator[tuple[str, str]]:
    """Every wildcard that is left, and why it cannot be narrower."""
    uses = uses_of(function)
    yield _finding(_log_streams(stack, function)), "Lambda names the streams of the function's own log."
    for bucket in uses.buckets:
        yield _finding(f"{stack.bucket_arn(bucket)}/*"), "Keys are content hashes and ids, made as they are written."
    if isinstance(function.trigger, Api):
        yield _finding("*"), "X-Ray knows no resources that a role could name."
    if isinstance(function.trigger, Stream):
        yield _finding(_streams(stack, function.trigger)), "DynamoDB names a stream by the instant it was turned on."
    for name in uses.secrets & MADE_AT_FIRST_USE:
        yield (
            _finding(_new_secret(stack, name)),
            "Secrets Manager ends the ARN of a new secret with letters of its own.",
        )


def _finding(resource: str) -> str:
    """cdk-nag's name for a wildcard in a resource."""
    named = {Aws.PARTITION: "<AWS::Partition>", Aws.REGION: "<AWS::Region>", Aws.ACCOUNT_ID: "<AWS::AccountId>"}
    for token, name in named.items():
        resource = resource.replace(token, name)
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def _log_streams(stack: MarketStack, function: Function) -> str:
    return stack.arn("logs", f"log-group:{log_group(function)}:*")


def _streams(stack: MarketStack, followed: Stream) -> str:
    return stack.table_arn(followed.table) + "/stream/*"


def _new_secret(stack: MarketStack, name: str) -> str:
    return stack.arn("secretsmanager", f"secret:headroom/{stack.stage_of_market.name}/{name}*")


def _statements(stack: MarketStack, function: Function) -> Iterator[iam.PolicyStatement]:
    uses = uses_of(function)
    yield _allow("logs", ["CreateLogStream", "PutLogEvents"], [_log_streams(stack, function)])
    yield from _source(stack, function)
    yield from _tables(stack, uses)
    yield from _buckets(stack, uses)
    yield from _secrets(stack, uses)
    yield from _calls(stack, uses)


def log_group(function: Function) -> str:
    """The name of a function's log group."""
    return f"/aws/lambda/{settings.queue_name(function.name)}"


def _source(stack: MarketStack, function: Function) -> Iterator[iam.PolicyStatement]:
    """What wakes the function, which Lambda reads in the function's name."""
    if isinstance(function.trigger, Api):
        yield _allow("xray", ["PutTraceSegments", "PutTelemetryRecords"], ["*"])
    elif isinstance(function.trigger, Stream):
        reading = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"]
        yield _allow("dynamodb", reading, [_streams(stack, function.trigger)])
        yield _allow("sqs", ["SendMessage"], [stack.queue_arn(function.name + DEAD)])
    elif not isinstance(function.trigger, Asked):  # which those who ask are allowed to invoke, each by its own role
        actions = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"]
        yield _allow("sqs", actions, [stack.queue_arn(function.name)])


def _tables(stack: MarketStack, uses: Uses) -> Iterator[iam.PolicyStatement]:
    """One statement for all tables used in the same way."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for table, actions in uses.tables.items():
        alike.setdefault(tuple(sorted(actions)), []).append(stack.table_arn(table))
    for alike_actions, tables in sorted(alike.items()):
        yield _allow("dynamodb", alike_actions, sorted(tables))
    indexes = [f"{stack.table_arn(table)}/index/{index}" for table, names in uses.indexes.items() for index in names]
    if indexes:
        yield _allow("dynamodb", ["Query"], sorted(indexes))


def _buckets(stack: MarketStack, uses: Uses) -> Iterator[iam.PolicyStatement]:
    if not uses.buckets:
        return
    for bucket, actions in sorted(uses.buckets.items()):
        arn = stack.bucket_arn(bucket)
        if objects := sorted(actions - _OF_BUCKETS):
            yield _allow("s3", objects, [f"{arn}/*"])
        if of_bucket := sorted(actions & _OF_BUCKETS):
            yield _allow("s3", of_bucket, [arn])
    done = {action for actions in uses.buckets.values() for action in actions}
    # Only through S3, which asks in the function's name: the key opens nothing else.
    wanted = ["Decrypt"] * ("GetObject" in done) + ["GenerateDataKey"] * ("PutObject" in done)
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{Aws.REGION}.amazonaws.com"}}
    key = told(stack.stage_of_market, "Data", "BucketsKeyArn")
    yield _allow("kms", wanted, [key], through_s3)


def _secrets(stack: MarketStack, uses: Uses) -> Iterator[iam.PolicyStatement]:
    # Secrets Manager ends every ARN with a hyphen and six characters of its own.
    arns = {
        name: stack.arn("secretsmanager", f"secret:headroom/{stack.stage_of_market.name}/{name}-??????")
        for name in sorted(uses.secrets)
    }
    if arns:
        yield _allow("secretsmanager", ["GetSecretValue"], list(arns.values()))
    if made := [_new_secret(stack, name) for name in sorted(uses.secrets & MADE_AT_FIRST_USE)]:
        yield _allow("secretsmanager", ["CreateSecret"], made)


def _calls(stack: MarketStack, uses: Uses) -> Iterator[iam.PolicyStatement]:
    for service, actions in sorted(uses.calls.items()):
        if service != "secretsmanager":
            named = sorted({_IAM_NAMES.get(action, action) for action in actions})
            yield _allow(service, named, _resources(stack, uses, service), _CONDITIONS.get(service))


def _resources(stack: MarketStack, uses: Uses, service: str) -> list[str]:
    """What calls of a service are about; KeyError for a service nobody has decided on."""
    stage = stack.stage_of_market
    return {
        "events": [stack.arn("events", f"event-bus/{settings.bus_name()}")],
        "sqs": [stack.queue_arn(queue) for queue in sorted(uses.queues)],
        "lambda": [stack.function_arn(name) for name in sorted(uses.functions)],
        "ses": [
            stack.arn("ses", f"identity/{stage.mail_domain}"),
            stack.arn("ses", f"configuration-set/headroom-{stage.name}"),
        ],
        "cognito-idp": [told(stage, "Login", "PoolArn")],
        "kms": [told(stage, "Data", key_export(key.name)) for key in KEYS],
    }[service]


def _allow(
    service: str,
    actions: Iterable[str],
    resources: list[str],
    conditions: Mapping[str, Any] | None = None,
) -> iam.PolicyStatement:
    named = [f"{service}:{action}" for action in actions]
    return iam.PolicyStatement(actions=named, resources=resources, conditions=conditions)
