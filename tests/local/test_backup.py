"""A market that was saved while it ran, restored into an empty folder, equals the first and goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.storage.schema import BUCKETS, TABLES
from local import backup, backup_export, market_operator
from local.client import Market
from local.cloud import launch
from local.demo import people, workbooks
from local.stopped import Stopped
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow]
FILES = "headroom-local-files"
ASSETS = [
    {
        "Asset Ref": f"BAT-{number}",
        "Name": f"Battery {number}",
        "Status": "Operational",
        "Category": "Storage",
        "Type": "Battery",
        "Voltage Level (kV)": 11,
        "Generation Turn Up (MW)": 1,
        "Latitude": 52.5,
        "Longitude": 1.5,
    }
    for number in range(12)
]


class Furnished:
    """A running market with an operator and a provider that has assets, and what the provider reads in it."""

    def __init__(self, running: RunningMarket) -> None:
        self.running = running
        market = running.start()
        operator = market.sign_in(market_operator.EMAIL, market_operator.PASSWORD)
        people.set_up_operator(market, operator, "Northmoor Networks", ["buyer@operator.example"])
        self.member = people.register_provider(market, "Kestrel", "01234567", "ann@provider.example")
        content = workbooks.fill(self.member.session.template("assets"), {"Assets": ASSETS})
        receipt = self.member.session.upload("assets", "assets.xlsx", content)
        assert receipt["counts"]["created"] == len(ASSETS)
        market.settle()
        self.assets = list(self.member.session.all("/assets"))
        self.file = overwritten(running)


def overwritten(running: RunningMarket) -> tuple[str, list[str]]:
    """An object of which there are two versions: its key, and their ids as S3 gave them, the older first."""
    store, key = store_at(f"http://127.0.0.1:{running.cloud_port}"), "notes/plan.txt"
    put = [store.put_object(Bucket=FILES, Key=key, Body=words)["VersionId"] for words in (b"first", b"second")]
    return key, put


def store_at(address: str) -> Any:
    return boto3.client("s3", **where_is(address))


def where_is(address: str) -> dict[str, str]:
    return {
        "endpoint_url": address,
        "region_name": "eu-west-2",
        "aws_access_key_id": "000000000000",
        "aws_secret_access_key": "local",
    }


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    running = RunningMarket(tmp_path_factory.mktemp("first") / "state")
    try:
        yield Furnished(running)
    finally:
        running.kill()


@pytest.fixture(scope="module")
def saved(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the market while it runs."""
    folder = tmp_path_factory.mktemp("backup") / "saved"
    backup.save(furnished.running.folder, folder).tell()
    return folder


def everything_at(address: str) -> tuple[dict[str, list[str]], dict[str, dict[str, bytes]]]:
    """Every row by table and every object by bucket, read with plain AWS clients."""
    where: dict[str, Any] = where_is(address)
    tables, store = boto3.client("dynamodb", **where), boto3.client("s3", **where)
    rows = {
        table.name: sorted(
            repr(sorted(item.items()))
            for page in tables.get_paginator("scan").paginate(TableName=f"headroom-local-{table.name}")
            for item in page["Items"]
        )
        for table in TABLES
    }
    objects: dict[str, dict[str, bytes]] = {}
    present = {each["Name"] for each in store.list_buckets()["Buckets"]}
    for bucket in BUCKETS:
        name = f"headroom-local-{bucket.name}"
        listed = store.list_objects_v2(Bucket=name).get("Contents", []) if name in present else []
        objects[bucket.name] = {
            each["Key"]: store.get_object(Bucket=name, Key=each["Key"])["Body"].read() for each in listed
        }
    return rows, objects


def test_every_table_and_every_object_comes_back_equal(furnished: Furnished, saved: Path, tmp_path: Path) -> None:
    first_rows, first_objects = everything_at(f"http://127.0.0.1:{furnished.running.cloud_port}")
    figures = backup.restore(saved, tmp_path / "second")
    figures.tell()
    cloud = launch.start(tmp_path / "second" / "cloud", launch.free_port(), tmp_path / "cloud.log")
    key, versions = furnished.file
    try:
        rows, objects = everything_at(cloud.address)
        kept = [store_at(cloud.address).get_object(Bucket=FILES, Key=key, VersionId=each) for each in versions]
        assert [each["Body"].read() for each in kept] == [b"first", b"second"]
    finally:
        cloud.stop()
    for table in TABLES:
        assert rows[table.name] == first_rows[table.name], table.name
    for bucket in BUCKETS:
        assert objects[bucket.name] == first_objects[bucket.name], bucket.name
    assert figures.rows == {name: len(found) for name, found in first_rows.items()}
    assert figures.objects == {name: len(found) for name, found in first_objects.items()}
    assert figures.rows["assets"] > len(ASSETS)
    assert figures.objects["bodies"] > 0
    assert figures.objects["files"] > 0


def test_the_restored_market_goes_on(furnished: Furnished, saved: Path, tmp_path: Path) -> None:
    backup.restore(saved, tmp_path / "second")
    running = RunningMarket(tmp_path / "second")
    try:
        market: Market = running.start()
        mails = len(market.mails())
        session = market.sign_in(furnished.member.email, people.PASSWORD)
        assert list(session.all("/assets")) == furnished.assets
        first = furnished.assets[0]
        changed = session.patch(f"/assets/{first['id']}", {"name": "Battery renamed"}, first["version"])
        assert changed["version"] == first["version"] + 1
        settled = market.settle()
        assert settled["dead"] == {}
        assert session.get(f"/assets/{first['id']}")["name"] == "Battery renamed"
        assert len(market.mails()) == mails  # nothing that was told is told again
        assert len(list(session.all("/files"))) == 1
    finally:
        running.kill()


def test_a_damaged_backup_is_refused_before_anything_is_restored(saved: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(saved, damaged)
    rows = damaged / "tables" / "assets"
    rows.write_text(rows.read_text().replace("BAT-3", "BAT-4", 1))
    with pytest.raises(Stopped, match="damaged: tables/assets"):
        backup.restore(damaged, tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_a_missing_content_is_named(saved: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(saved, damaged)
    gone = sorted((damaged / "contents").iterdir())[0]
    gone.unlink()
    with pytest.raises(Stopped, match=f"contents/{gone.name}"):
        backup_export.check(damaged)


def test_a_damaged_version_of_an_object_is_named(saved: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(saved, damaged)
    [older] = [file for file in damaged.rglob("plan.txt") if file.read_bytes() == b"first"]
    older.write_bytes(b"worst")
    with pytest.raises(Stopped, match=r"plan\.txt"):
        backup_export.check(damaged)


def test_nothing_is_restored_over_a_market(furnished: Furnished, saved: Path) -> None:
    with pytest.raises(Stopped, match="is not empty"):
        backup.restore(saved, furnished.running.folder)


def test_two_backups_that_differ_are_told_apart(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(saved, other)
    manifest = other / "manifest.json"
    digest = backup_export._manifest(other)["files"]["tables/registry"]
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    with pytest.raises(Stopped, match="tables/registry"):
        backup_export.compare(saved, other)


def test_saving_where_no_market_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="no market"):
        backup.save(tmp_path, tmp_path / "saved")
