"""Owns showing that roles bind: each function's own role is given what it names and refused what it does not."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.storage import settings
from functions.wiring import FUNCTIONS
from local.provision import queue_url


def each_role_is_kept_to_its_own() -> int:
    """Every function that has a queue looks at its own queue and at its neighbour's; how many, or `AssertionError`."""
    names = [function.name for function in FUNCTIONS if function.has_queue]
    for name, neighbour in zip(names, [*names[1:], names[0]], strict=True):
        sqs = _acting_as(name)
        assert _may_look(sqs, name), f"{name} may not look at its own queue"
        assert not _may_look(sqs, neighbour), f"{name} may look at the queue of {neighbour}"
    return len(names)


def _acting_as(name: str) -> Any:
    """SQS under a function's role. The emulator lets the account itself take a role that only a service may take."""
    region, account = settings.region(), boto3.client("sts").get_caller_identity()["Account"]
    role = f"arn:aws:iam::{account}:role/{settings.queue_name(name)}-{region}"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    return boto3.client(
        "sqs",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def _may_look(sqs: Any, name: str) -> bool:
    try:
        sqs.get_queue_attributes(QueueUrl=queue_url(name), AttributeNames=["QueueArn"])
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return False
    return True
