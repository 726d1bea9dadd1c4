"""`python -m infrastructure.deploy STAGE`: puts a market on AWS, stack by stack; again changes what changed.

It uses the credentials and region that any AWS tool would. What the stacks carry goes to a bucket of its own.
"""

from __future__ import annotations

import json
import mimetypes
import sys
import time
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from infrastructure.code import ROOT
from infrastructure.stage import Stage, stage_named
from infrastructure.states import GUARD, InTheWay, next_move

CONSOLE = ROOT / "web" / "dist"
_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NOTHING = ("didn't contain changes", "No updates are to be performed")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
Outputs = dict[str, dict[str, str]]


class Failed(Exception):
    """A stack could not be brought to what its template says; the text names what failed and why."""


def main() -> int:
    from infrastructure.app import synthesize

    stage = stage_named(sys.argv[1])
    folder = synthesize(stage)
    try:
        outputs = deploy(stage, folder)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    publish_console(stage, outputs)
    for stack, told in outputs.items():
        for name, value in told.items():
            print(f"{stack}  {name}  {value}")
    return 0


def deploy(stage: Stage, folder: Path, without: Collection[str] = ()) -> Outputs:
    """Bring every stack of a cloud assembly to what it says, in the order they need; returns their outputs."""
    account = boto3.client("sts", region_name=stage.region).get_caller_identity()["Account"]
    bucket = f"headroom-assets-{account}-{stage.region}"
    _make_bucket(stage, bucket)
    outputs = {}
    for name in _in_order(folder):
        if name not in without:
            started = time.monotonic()
            template = _upload(stage, folder, name, bucket)
            changed = _bring(stage, name, template, _is_guarded(folder, name))
            outputs[name] = _outputs(stage, name)
            print(f"{name:<32} {changed:<10} {time.monotonic() - started:5.1f} s", flush=True)
    return outputs


def publish_console(stage: Stage, outputs: Outputs) -> None:
    """Lay the built console where CloudFront finds it, with the API's address; nothing where none was built."""
    if not CONSOLE.is_dir():
        return
    web, api = outputs[stage.stack("Web")], outputs[stage.stack("Api")]
    bucket, s3 = _named(web, "Bucket"), boto3.client("s3", region_name=stage.region)
    for path in sorted(CONSOLE.rglob("*")):
        if path.is_file():
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            s3.upload_file(str(path), bucket, path.relative_to(CONSOLE).as_posix(), ExtraArgs={"ContentType": kind})
    config = json.dumps({"api": _named(api, "Address")}).encode()
    s3.put_object(Bucket=bucket, Key="config.json", Body=config, ContentType="application/json")
    boto3.client("cloudfront").create_invalidation(
        DistributionId=_named(web, "Distribution"),
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
    )


def _named(outputs: dict[str, str], name: str) -> str:
    return next(value for key, value in outputs.items() if name in key)


def _in_order(folder: Path) -> list[str]:
    """The stacks of an assembly, each after those it depends on."""
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = {name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    needs = {name: [need for need in artifacts[name].get("dependencies", []) if need in stacks] for name in stacks}
    ordered: list[str] = []
    while len(ordered) < len(stacks):
        ready = [name for name in stacks if name not in ordered and all(need in ordered for need in needs[name])]
        assert ready, "the stacks depend on each other in a circle"
        ordered += sorted(ready)
    return ordered


def _is_guarded(folder: Path, stack: str) -> bool:
    """Whether a stack's template can be told to guard its state from deletion, or not yet."""
    return GUARD in json.loads((folder / f"{stack}.template.json").read_text()).get("Parameters", {})


def _make_bucket(stage: Stage, bucket: str) -> None:
    s3 = boto3.client("s3", region_name=stage.region)
    try:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": stage.region})
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    shut = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(shut, True))


def _upload(stage: Stage, folder: Path, stack: str, bucket: str) -> str:
    """Upload what a stack carries, each thing once; returns the address of its template."""
    s3, template = boto3.client("s3", region_name=stage.region), ""
    for asset in json.loads((folder / f"{stack}.assets.json").read_text())["files"].values():
        source = folder / asset["source"]["path"]
        for place in asset["destinations"].values():
            key = place["objectKey"]
            if source.name.endswith(".template.json"):
                template = key
            if not _is_there(s3, bucket, key):
                with _packed(source, asset["source"]["packaging"]) as body:
                    s3.upload_fileobj(body, bucket, key)
    return f"{s3.meta.endpoint_url}/{bucket}/{template}"


def _is_there(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return False
    return True


def _packed(source: Path, packaging: str) -> IO[bytes]:
    """A file as it is, a folder as a zip that is the same for the same content."""
    if packaging == "file":
        return open(source, "rb")
    packed = TemporaryFile()  # noqa: SIM115  (the caller closes it)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), _ZIP_DATE)
                entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    packed.seek(0)
    return packed


def _bring(stage: Stage, stack: str, template: str, guarded: bool) -> str:
    """Create or change a stack; says which of the two, or that there was nothing to do.

    What guards its state from deletion is put up once the stack stands: a creation that fails can then be rolled back
    whole and done again.
    """
    cloudformation = boto3.client("cloudformation", region_name=stage.region)
    try:
        move = next_move(_state(cloudformation, stack))
    except InTheWay as state:
        raise Failed(f"{stack}: {state}") from state
    if move == "change":
        return _apply(cloudformation, stage, stack, template, "UPDATE", guarded)
    if move == "clear":
        cloudformation.delete_stack(StackName=stack)
        _wait(cloudformation, stack, "stack_delete_complete")
    _apply(cloudformation, stage, stack, template, "CREATE", guarded, "false")
    if guarded:
        _apply(cloudformation, stage, stack, template, "UPDATE", guarded)
    return "created"


def _apply(
    cloudformation: Any, stage: Stage, stack: str, template: str, kind: str, guarded: bool, guard: str = "true"
) -> str:
    """Make a change set and carry it out."""
    name = f"deploy-{time.time_ns()}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateURL=template,
        Parameters=[{"ParameterKey": GUARD, "ParameterValue": guard}] if guarded else [],
        Capabilities=_CAPABILITIES,
        Tags=[{"Key": "headroom", "Value": stage.name}],
    )
    told = _wait_for_changes(cloudformation, stack, name)
    if told["Status"] == "FAILED":
        if not any(words in told["StatusReason"] for words in _NOTHING):
            raise Failed(f"{stack}: {told['StatusReason']}")
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
        return "unchanged"
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
    _wait(cloudformation, stack, f"stack_{kind.lower()}_complete")
    return {"CREATE": "created", "UPDATE": "changed"}[kind]


def _wait(cloudformation: Any, stack: str, until: str) -> None:
    try:
        cloudformation.get_waiter(until).wait(StackName=stack, WaiterConfig={"Delay": 2, "MaxAttempts": 1800})
    except WaiterError as error:
        raise Failed("\n".join([f"{stack} failed:", *_reasons(cloudformation, stack)])) from error


def _state(cloudformation: Any, stack: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None


def _wait_for_changes(cloudformation: Any, stack: str, name: str) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
        if told["Status"] in ("CREATE_COMPLETE", "FAILED"):
            return told
        time.sleep(0.5)


def _reasons(cloudformation: Any, stack: str) -> Iterator[str]:
    for event in reversed(cloudformation.describe_stack_events(StackName=stack)["StackEvents"]):
        if event["ResourceStatus"].endswith("FAILED"):
            yield f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"


def _outputs(stage: Stage, stack: str) -> dict[str, str]:
    found = boto3.client("cloudformation", region_name=stage.region).describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


if __name__ == "__main__":
    raise SystemExit(main())
