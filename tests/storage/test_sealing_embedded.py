"""On the embedded AWS: data keys wrapped by its KMS, audit records sealed by the worker, daily roots locked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.storage import settings
from chalicelib.storage.audit import Change
from chalicelib.storage.audit_chain import GENESIS, day_root, next_block, verify
from chalicelib.storage.audit_export import daily_roots, export_trail
from chalicelib.storage.audit_sealing import blocks_of, seal_waiting, write_daily_roots
from chalicelib.storage.clients import client
from chalicelib.storage.commit import commit
from chalicelib.storage.data_keys import load_data_key, make_data_key
from chalicelib.storage.sealing_cipher import Scope
from functions.wiring import FUNCTIONS
from local import provision
from local.clock import Clock
from local.worker import Worker
from tests.builders.calls import a_call, a_system_call

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("embedded")]
SECONDS = 20
SEALER = next(function for function in FUNCTIONS if function.name == "seal-audit")


def write(count: int) -> None:
    for number in range(count):
        change = Change(thing=f"asset:ast_{number}", action="asset.created", organisation="org_fsp1")
        commit(a_call(), [], [], [change])


def sealed() -> int:
    return sum(len(block.records) for block in blocks_of("org_fsp1"))


def test_a_key_is_wrapped_and_unwrapped_only_for_its_competition() -> None:
    scope = Scope("competition", "cmp_1")
    content = make_data_key(scope).of("org_fsp1").seal(b"173.6291")
    provision.make_keys()
    assert load_data_key(scope).of("org_fsp1").unseal(content) == b"173.6291"
    [row] = client("dynamodb").scan(TableName=settings.table_name("bidding"))["Items"]
    with pytest.raises(ClientError):
        client("kms").decrypt(CiphertextBlob=row["wrapped"]["B"], EncryptionContext={"competition": "cmp_2"})


def test_the_worker_seals_what_is_written_into_one_chain(tmp_path: Path) -> None:
    worker = Worker(Clock(tmp_path / "clock"), [SEALER])
    worker.start()
    try:
        until = time.monotonic() + SECONDS
        for count in (1, 5, 3):
            write(count)
        while sealed() < 9:
            assert time.monotonic() < until, f"{sealed()} of 9 records sealed in time"
            time.sleep(0.05)
    finally:
        worker.stop()
    verdict = verify(export_trail(a_system_call("2026-04-01T10:00:00Z"), "org_fsp1"))
    assert (verdict.holds, verdict.records) == (True, 9)
    assert worker.failed["seal-audit"] == 0


def test_a_daily_root_cannot_be_removed() -> None:
    write(1)
    seal_waiting(a_system_call())
    [key] = write_daily_roots(a_system_call("2026-04-02T00:00:30Z"))
    bucket = settings.bucket_name("audit-roots")
    [version] = client("s3").list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client("s3").delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    provision.make_buckets()
    assert [root["day"] for root in daily_roots()] == ["2026-04-01"]


def test_a_trail_made_anew_with_roots_written_again_is_told_by_the_locked_ones() -> None:
    """Somebody who can write to the table and to the bucket makes chain and roots anew, and hides the old ones."""
    write(2)
    seal_waiting(a_system_call())
    [key] = write_daily_roots(a_system_call("2026-04-02T00:00:30Z"))
    honest = list(export_trail(a_system_call("2026-04-02T01:00:00Z"), "org_fsp1"))
    forged, head = _made_anew(honest)
    assert verify(forged).holds
    bucket = settings.bucket_name("audit-roots")
    chains = {"org_fsp1": head}
    root = {"day": "2026-04-01", "at": "2026-04-02T00:00:30Z", "chains": chains, "root": day_root(chains)}
    client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(root).encode())
    assert (verify(forged, daily_roots()).broken or "").startswith("root of 2026-04-01: it was written again")
    client("s3").delete_object(Bucket=bucket, Key=key)
    assert (verify(forged, daily_roots()).broken or "").startswith("root of 2026-04-01: it was written again")
    untouched = [{name: told for name, told in each.items() if name != "touched"} for each in daily_roots()]
    assert verify(forged, untouched).broken == "block 1: it is not the one that the root of 2026-04-01 names"
    assert write_daily_roots(a_system_call("2026-04-02T02:00:00Z")) == []


def _made_anew(lines: list[str]) -> tuple[list[str], dict[str, Any]]:
    """An export with its records changed, and blocks that hold them; with the head of the new chain."""
    told = [line for line in map(json.loads, lines) if line["kind"] in ("export", "record")]
    records = [line["record"] | {"thing": "asset:ast_other"} for line in told if line["kind"] == "record"]
    block = next_block("org_fsp1", 0, GENESIS, records)
    made = [
        told[0],
        {"kind": "block", "block": block.model_dump(mode="json"), "hash": block.hash},
        *({"kind": "record", "record": record} for record in records),
    ]
    return [json.dumps(line) for line in made], {"sequence": 1, "hash": block.hash}
