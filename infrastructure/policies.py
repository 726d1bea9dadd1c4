"""Owns asking a synthesized role whether it allows a call, as IAM would: by action, resource and nothing else.

The embedded AWS lets every call through, so the rehearsal asks here before each call a function makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from functions.wiring import FUNCTIONS, Function

Statement = tuple[tuple[str, ...], tuple[str, ...]]
_REFERENCE = re.compile(r"\$\{(AWS::\w+)\}")
# What one call of ours asks IAM for, where that is not the call's own name.
_ASKS: dict[str, tuple[str, ...]] = {
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:CreateBucket": ("s3:PutObject",),  # botocore borrows this operation's address for a presigned form
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
}
_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


class Policies:
    """The statements of each function's role, read from the templates of a cloud assembly."""

    def __init__(self, folder: Path, place: Mapping[str, str], exports: Mapping[str, str]) -> None:
        """`place` gives `AWS::Region` and so on; `exports` the values stacks tell each other."""
        self._place, self._exports = place, exports
        self._roles: dict[str, list[Statement]] = {}
        for path in sorted(folder.glob("*.template.json")):
            for resource in json.loads(path.read_text())["Resources"].values():
                if resource["Type"] == "AWS::IAM::Role" and "RoleName" in resource["Properties"]:
                    self._note(resource["Properties"])

    def of(self, function: Function) -> list[Statement]:
        """The statements of a function's role: actions and resources."""
        from chalicelib.storage import settings

        return self._roles[f"{settings.queue_name(function.name)}-{self._place['AWS::Region']}"]

    def missing(self, function: Function, asked: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the actions on resources that the role does not allow."""
        statements = self.of(function)
        return [(action, resource) for action, resource in asked if not _allows(statements, action, resource)]

    def _note(self, role: dict[str, Any]) -> None:
        statements = [
            statement for policy in role.get("Policies", []) for statement in policy["PolicyDocument"]["Statement"]
        ]
        assert all(statement["Effect"] == "Allow" for statement in statements)
        self._roles[self._text(role["RoleName"])] = [
            (tuple(_many(statement["Action"])), tuple(map(self._text, _many(statement["Resource"]))))
            for statement in statements
        ]

    def _text(self, value: Any) -> str:
        """A value of a template as CloudFormation would fill it in."""
        match value:
            case str():
                return value
            case {"Ref": str(name)}:
                return self._place[name]
            case {"Fn::ImportValue": name}:
                return self._exports[self._text(name)]
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(map(self._text, parts))
            case {"Fn::Sub": str(text)}:
                return _REFERENCE.sub(lambda found: self._place[found.group(1)], text)
        raise ValueError(f"cannot tell what {value} will be")


def asked_of_iam(
    place: Mapping[str, str], service: str, operation: str, request: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What a call needs: (action, resource). `place` also gives the ARN behind each alias of a key."""
    where = f"{place['AWS::Region']}:{place['AWS::AccountId']}"
    match service:
        case "dynamodb":
            return list(_of_tables(f"arn:aws:dynamodb:{where}:table/", operation, request))
        case "s3":
            arn = f"arn:aws:s3:::{request['Bucket']}"
            # A presigned form tells its key only to the browser that sends it.
            named = arn if operation == "ListObjectsV2" else f"{arn}/{request.get('Key', '*')}"
            version = ["s3:GetObjectVersion"] if "VersionId" in request else []
            return [(action, named) for action in (*_named("s3", operation), *version)]
        case "sqs":
            name = request.get("QueueName") or str(request["QueueUrl"]).rsplit("/", 1)[1]
            return [(action, f"arn:aws:sqs:{where}:{name}") for action in _named("sqs", operation)]
        case "events":
            buses = {entry["EventBusName"] for entry in request["Entries"]}
            return [("events:PutEvents", f"arn:aws:events:{where}:event-bus/{bus}") for bus in buses]
        case "ses":
            domain = str(request["Source"]).partition("@")[2]
            return [("ses:SendEmail", f"arn:aws:ses:{where}:identity/{domain}")]
        case "cognito-idp" if "UserPoolId" in request:
            return [(f"cognito-idp:{operation}", f"arn:aws:cognito-idp:{where}:userpool/{request['UserPoolId']}")]
        case "cognito-idp":
            return []  # proved by the caller's own token
        case "secretsmanager":
            name = request.get("SecretId") or request["Name"]
            return [(f"secretsmanager:{operation}", f"arn:aws:secretsmanager:{where}:secret:{name}-AbCdEf")]
        case "kms":
            return [(f"kms:{operation}", place[request["KeyId"]])]
    return [(f"{service}:{operation}", "*")]


def _of_tables(prefix: str, operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "TransactWriteItems":
        for item in request["TransactItems"]:
            [(kind, write)] = item.items()
            yield _TRANSACTED[kind], prefix + write["TableName"]
    elif "RequestItems" in request:
        for table in request["RequestItems"]:
            yield f"dynamodb:{operation}", prefix + table
    else:
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield f"dynamodb:{operation}", prefix + request["TableName"] + index


def _named(service: str, operation: str) -> tuple[str, ...]:
    name = f"{service}:{operation}"
    return _ASKS.get(name, (name,))


def _allows(statements: list[Statement], action: str, resource: str) -> bool:
    return any(
        any(fnmatchcase(action, pattern) for pattern in actions)
        and any(fnmatchcase(resource, pattern) for pattern in resources)
        for actions, resources in statements
    )


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def function_named(name: str) -> Function:
    return next(function for function in FUNCTIONS if function.name == name)
