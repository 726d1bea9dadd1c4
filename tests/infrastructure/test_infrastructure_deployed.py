"""Claims about the emulator as the rehearsal runs it: functions alone with their bundle and role, IAM enforced."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud import launch

ROLE_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
HERE = "arn:aws:{}:eu-west-2:000000000000:{}"
CODE = """
import importlib.util, os, boto3_free

def handler(event, context):
    if event.get("fail"):
        raise ValueError("asked to")
    return {
        "settings": sorted(os.environ),
        "ours": boto3_free.WORD,
        "theirs": [name for name in ("ministack", "chalicelib") if importlib.util.find_spec(name)],
        "key": os.environ["AWS_ACCESS_KEY_ID"],
    }
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.RunningCloud]:
    folder = tmp_path_factory.mktemp("deployed")
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    running = launch.start_deployed(folder / "state", launch.free_port(), folder / "cloud.log", environment)
    yield running
    running.stop()


@pytest.fixture
def root(cloud: launch.RunningCloud) -> Callable[[str], Any]:
    """Clients of the account itself, which may do everything."""

    def client(service: str, **credentials: str) -> Any:
        keys = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "local"} | credentials
        return boto3.client(service, endpoint_url=cloud.address, region_name="eu-west-2", **keys)

    return client


@pytest.fixture
def acting(root: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """`acting(statement, …)(service)`: a client of a role that allows just these."""
    made = []

    def client(*statements: dict[str, Any]) -> Callable[[str], Any]:
        name = f"role-{len(made)}"
        made.append(name)
        arn = make_role(root, name, *statements)
        keys = root("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return lambda service: root(
            service,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    yield client
    for name in made:
        root("iam").delete_role_policy(RoleName=name, PolicyName="uses")
        root("iam").delete_role(RoleName=name)


def make_role(root: Callable[..., Any], name: str, *statements: dict[str, Any]) -> str:
    iam = root("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(ROLE_TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="uses", PolicyDocument=policy(*statements))
    return str(made)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def work(cloud: launch.RunningCloud) -> dict[str, Any]:
    with urlopen(f"{cloud.address}/_headroom/work") as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def test_a_role_may_do_what_it_allows_and_nothing_else(
    cloud: launch.RunningCloud, root: Callable[..., Any], acting: Callable[..., Any]
) -> None:
    for name in ("mine", "theirs"):
        root("sqs").create_queue(QueueName=name)
    sqs = acting(allow("sqs:GetQueueAttributes", HERE.format("sqs", "mine")))("sqs")
    assert sqs.get_queue_attributes(QueueUrl=f"{cloud.address}/000000000000/mine", AttributeNames=["All"])["Attributes"]
    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.get_queue_attributes(QueueUrl=f"{cloud.address}/000000000000/theirs", AttributeNames=["All"])
    asked = {"role": "role-0", "action": "sqs:GetQueueAttributes", "resource": HERE.format("sqs", "theirs")}
    assert asked | {"why": "ImplicitDeny"} in work(cloud)["refused"]


def test_a_batch_is_asked_for_as_the_messages_it_holds(
    cloud: launch.RunningCloud, root: Callable[..., Any], acting: Callable[..., Any]
) -> None:
    root("sqs").create_queue(QueueName="batched")
    sqs = acting(allow("sqs:SendMessage", HERE.format("sqs", "batched")))("sqs")
    entries = [{"Id": "0", "MessageBody": "one"}]
    url = f"{cloud.address}/000000000000/batched"
    assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 1
    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": "any"}])


def test_mail_is_asked_for_by_the_domain_of_its_sender(root: Callable[..., Any], acting: Callable[..., Any]) -> None:
    root("ses").verify_domain_identity(Domain="market.example")
    root("ses").verify_domain_identity(Domain="other.example")
    ses = acting(allow("ses:SendEmail", HERE.format("ses", "identity/market.example")))("ses")
    mail = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    to = {"ToAddresses": ["somebody@example.com"]}
    assert ses.send_email(Source="post@market.example", Destination=to, Message=mail)["MessageId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        ses.send_email(Source="post@other.example", Destination=to, Message=mail)


def test_a_data_key_is_given_only_together_with_what_it_is_for(
    root: Callable[..., Any], acting: Callable[..., Any]
) -> None:
    key = root("kms").create_key()["KeyMetadata"]["Arn"]
    told_what_for = {"Null": {"kms:EncryptionContextKeys": "false"}}
    kms = acting(allow("kms:GenerateDataKey", key, Condition=told_what_for))("kms")
    root("kms").create_alias(AliasName="alias/ours", TargetKeyId=key)
    context = {"competition": "cmp_1"}
    assert kms.generate_data_key(KeyId="alias/ours", KeySpec="AES_256", EncryptionContext=context)["Plaintext"]
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key(KeyId="alias/ours", KeySpec="AES_256")


def test_a_key_that_names_one_role_is_for_that_role_alone(root: Callable[..., Any], acting: Callable[..., Any]) -> None:
    key = root("kms").create_key()["KeyMetadata"]["Arn"]
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*"}
    but_one = {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/role-0"}}
    others = {"Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Condition": but_one}
    rules = policy(account | {"Resource": "*"}, others | {"Resource": "*"})
    root("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=rules)
    keeper, other = (acting(allow("kms:GenerateDataKey", key))("kms") for _ in range(2))
    assert keeper.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    with pytest.raises(ClientError, match="AccessDenied"):
        other.generate_data_key(KeyId=key, KeySpec="AES_256")


@pytest.fixture
def function(root: Callable[..., Any]) -> Iterator[str]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", CODE)
        archive.writestr("boto3_free.py", "WORD = 'in the bundle'")
    role = make_role(root, "alone", allow("logs:PutLogEvents", "*"))
    root("lambda").create_function(
        FunctionName="alone",
        Runtime="python3.11",
        Handler="main.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"HEADROOM_STAGE": "rehearsed"}},
    )
    root("lambda").get_waiter("function_active_v2").wait(FunctionName="alone")
    yield "alone"
    root("lambda").delete_function(FunctionName="alone")
    root("iam").delete_role_policy(RoleName="alone", PolicyName="uses")
    root("iam").delete_role(RoleName="alone")


def test_a_function_finds_its_bundle_its_settings_and_its_role_alone(root: Callable[..., Any], function: str) -> None:
    told = json.load(root("lambda").invoke(FunctionName=function, Payload=b"{}")["Payload"])
    assert told["ours"] == "in the bundle"
    assert told["theirs"] == []
    assert told["key"].startswith("ASIA")
    assert [name for name in told["settings"] if name.startswith("HEADROOM")] == ["HEADROOM_STAGE"]


def test_a_function_may_call_another_only_where_its_role_says_so(
    root: Callable[..., Any], acting: Callable[..., Any], function: str
) -> None:
    may = acting(allow("lambda:InvokeFunction", HERE.format("lambda", f"function:{function}")))("lambda")
    assert json.load(may.invoke(FunctionName=function, Payload=b"{}")["Payload"])["ours"] == "in the bundle"
    may_not = acting(allow("lambda:InvokeFunction", HERE.format("lambda", "function:another")))("lambda")
    with pytest.raises(ClientError, match="AccessDenied"):
        may_not.invoke(FunctionName=function, Payload=b"{}")


def test_an_invocation_that_failed_is_counted_and_told(
    cloud: launch.RunningCloud, root: Callable[..., Any], function: str
) -> None:
    before = work(cloud)
    root("lambda").invoke(FunctionName=function, Payload=b'{"fail": true}')
    root("lambda").invoke(FunctionName=function, Payload=b"{}")
    after = work(cloud)
    for kind in ("handled", "failed"):
        assert after[kind][function] == before[kind].get(function, 0) + 1
    assert "alone failed: {'errorMessage': 'asked to'" in cloud.log.read_text()
