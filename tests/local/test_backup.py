"""A market saved while it ran and took bids, restored into an empty folder, equals the first and goes on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.storage.schema import BUCKETS, KEYS, TABLES
from local import backup, backup_export, market_operator
from local.client import Market, Refusal, Session
from local.cloud import launch
from local.demo import people
from local.demo.calendars import instant
from local.demo.invented import invented_scene
from local.demo.line import Line
from local.demo.stages import Story
from local.stopped import Stopped
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow]
FILES = "headroom-local-files"
SO_WORD = "325120000"


class Furnished:
    """A running market in which bidding is open and ballots are in, and what a provider reads in it."""

    def __init__(self, running: RunningMarket, out: Path) -> None:
        self.running = running
        market = running.start()
        out.mkdir(parents=True)
        operator = market.sign_in(market_operator.EMAIL, market_operator.PASSWORD)
        self.line = line = Line(market, operator, invented_scene(), Story(), out, SO_WORD)
        for stage in (
            line.join,
            line.load_gazetteer,
            line.register_assets,
            line.publish_areas,
            line.publish_competitions,
            line.show_qualification,
            line.open_bidding,
            line.submit_ballots,
        ):
            stage()
        assert line.story.shortfalls == []
        market.settle()
        self.member, self.other = line.providers.values()
        self.assets = list(self.member.session.all("/assets"))
        self.ballots = {name: ballots_of(member.session, line) for name, member in line.providers.items()}
        self.prices = sorted(prices_in(chain.from_iterable(self.ballots.values())))
        self.file = overwritten(running)


def ballots_of(session: Session, line: Line) -> list[dict[str, Any]]:
    """Every live ballot of a provider, whole."""
    listed = [each for it in line.competitions.values() for each in session.all(f"/competitions/{it['id']}/ballots")]
    return [session.get(f"/ballots/{each['id']}") for each in listed]


def prices_in(ballots: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (str(bid["utilisation_price"]) for ballot in ballots for bid in ballot["bids"])


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
        yield Furnished(running, tmp_path_factory.mktemp("line") / "out")
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
    assert figures.rows["assets"] > len(furnished.assets)
    assert figures.objects["bodies"] > 0
    assert figures.objects["files"] > 0
    assert figures.kept["logins"] == len(furnished.line.providers) + 3  # two of the operator's, the market operator
    assert figures.kept["keys"] == len(KEYS)
    assert figures.kept["secrets"] > 0


def test_the_restored_market_goes_on(furnished: Furnished, saved: Path, tmp_path: Path) -> None:
    backup.restore(saved, tmp_path / "second")
    running = RunningMarket(tmp_path / "second")
    try:
        market: Market = running.start()
        mails = len(market.mails())
        session = market.sign_in(furnished.member.email, people.PASSWORD)
        assert list(session.all("/assets")) == furnished.assets
        first = furnished.assets[0]
        changed = session.patch(f"/assets/{first['id']}", {"name": "Charging hub renamed"}, first["version"])
        assert changed["version"] == first["version"] + 1
        settled = market.settle()
        assert settled["dead"] == {}
        assert session.get(f"/assets/{first['id']}")["name"] == "Charging hub renamed"
        assert len(market.mails()) == mails  # nothing that was told is told again
        assert len(list(session.all("/files"))) == 1
    finally:
        running.kill()


def test_ballots_in_a_backup_stay_sealed_and_open_in_the_restored_market(
    furnished: Furnished, saved: Path, tmp_path: Path
) -> None:
    line, second = furnished.line, tmp_path / "second"
    assert furnished.prices
    assert not prices_found(saved, furnished.prices)
    backup.restore(saved, second)
    running = RunningMarket(second)
    try:
        market = running.start()
        sessions = {name: market.sign_in(member.email, people.PASSWORD) for name, member in line.providers.items()}
        assert {name: ballots_of(each, line) for name, each in sessions.items()} == furnished.ballots
        theirs = furnished.ballots[next(iter(line.providers))][0]
        with pytest.raises(Refusal, match="404"):
            sessions[list(line.providers)[1]].get(f"/ballots/{theirs['id']}")
        operator = market.sign_in(line.operator.email, people.PASSWORD)
        with pytest.raises(Refusal, match=r"bidding\.sealed"):
            operator.get(f"/competitions/{theirs['competition_id']}/bids")
        market.move_clock(instant(line.plan.bidding_closed, timedelta(minutes=2)))
        opened = [each for it in line.competitions.values() for each in operator.all(f"/competitions/{it['id']}/bids")]
        assert sorted(str(bid["utilisation_price"]) for bid in opened) == furnished.prices
    finally:
        running.kill()


def prices_found(saved: Path, prices: list[str]) -> list[tuple[str, str]]:
    """Prices that stand in a saved row or list; a price with pence is no other number by chance."""
    texts = {file: file.read_text() for part in ("tables", "logins-and-keys") for file in (saved / part).iterdir()}
    telling = [price for price in prices if len(price) > 5]
    assert telling
    return [(file.name, price) for file, text in texts.items() for price in telling if f'"{price}"' in text]


def test_a_login_that_was_not_restored_is_told(saved: Path, tmp_path: Path) -> None:
    lost = altered(saved, tmp_path / "lost", "cognito-idp.json", "kestrel.0.", "another.0.")
    with pytest.raises(Stopped, match="logins-and-keys/logins"):
        backup.restore(lost, tmp_path / "second")


def test_another_password_than_was_saved_is_told(saved: Path, tmp_path: Path) -> None:
    file = tmp_path / "state" / "cloud" / "cognito-idp.json"
    file.parent.mkdir(parents=True)
    shutil.copytree(saved / "keepsakes", tmp_path / "state", dirs_exist_ok=True)
    file.write_text(file.read_text().replace(people.PASSWORD, "a password nobody chose"))
    with pytest.raises(Stopped, match=r"cognito-idp\.json"):
        backup._compare_keepsakes(saved / "keepsakes", tmp_path / "state")


def test_keys_that_do_not_open_what_they_closed_are_told(saved: Path, tmp_path: Path) -> None:
    """The key has its id, its alias and its state, and other bytes: no list could tell."""
    kept = (saved / "keepsakes" / "cloud" / "kms.json").read_text()
    [material] = set(re.findall(r'"_symmetric_key_b64": "([^"]+)"', kept))
    other = ("AAAA" if material[:4] != "AAAA" else "BBBB") + material[4:]
    lost = altered(saved, tmp_path / "lost", "kms.json", material, other)
    with pytest.raises(Stopped, match="do not open what they closed"):
        backup.restore(lost, tmp_path / "second")


def altered(saved: Path, folder: Path, name: str, before: str, after: str) -> Path:
    """A copy of a backup whose file of a service says something else, sealed anew as if it had always said so."""
    shutil.copytree(saved, folder)
    file = folder / "keepsakes" / "cloud" / name
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    backup_export.seal(folder)
    return folder


def test_a_damaged_backup_is_refused_before_anything_is_restored(saved: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(saved, damaged)
    rows = damaged / "tables" / "assets"
    rows.write_text(rows.read_text().replace("EV-0003", "EV-0004", 1))
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
