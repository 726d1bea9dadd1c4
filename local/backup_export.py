"""Owns a backup's files: rows as JSON lines by table, objects by content hash with an index by bucket, a manifest.

Rows are DynamoDB's own JSON, sorted, so that equal tables make equal files. Of an object every version is kept, by its
id; counted are those that are current.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.schema import BUCKETS, TABLES
from local import backup_keepsakes
from local.stopped import Stopped

MANIFEST = "manifest.json"
_PARTS = ("tables", "objects", "contents", "logins-and-keys")
_AT_ONCE = 25
_UNVERSIONED = "null"
Counts = dict[str, int]
Item = dict[str, Any]


def export(folder: Path) -> tuple[Counts, Counts, Counts]:
    """Write every table and bucket of the cloud, and what it tells of logins and keys; each counted."""
    for part in _PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows = {table.name: _write_lines(folder / "tables" / table.name, _rows(table.name)) for table in TABLES}
    objects = {bucket.name: 0 for bucket in BUCKETS}
    for bucket in BUCKETS:
        kept = list(_objects(bucket.name, folder / "contents"))
        _write_lines(folder / "objects" / bucket.name, iter(kept))
        objects[bucket.name] = sum(each["current"] for each in kept)
    beside = {
        name: _write(folder / "logins-and-keys" / name, lines) for name, lines in backup_keepsakes.listed().items()
    }
    manifest = {"rows": rows, "objects": objects, "kept": beside, "files": _fingerprints(folder)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return rows, objects, beside


def seal(folder: Path) -> None:
    """Note in the manifest what else a backup holds, so that damage to it is found before anything is restored."""
    manifest = _manifest(folder)
    (folder / MANIFEST).write_text(json.dumps(manifest | {"keepsakes": _keepsakes(folder)}, indent=1))


def check(folder: Path) -> None:
    """`Stopped` when a backup is not whole or was changed since it was written."""
    if not (folder / MANIFEST).is_file():
        raise Stopped(f"There is no backup in {folder}.")
    expected = _manifest(folder)["files"] | _manifest(folder)["keepsakes"]
    found = _fingerprints(folder) | _keepsakes(folder)
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise Stopped(f"The backup in {folder} is damaged: {', '.join(wrong[:5])}. Nothing was restored.")


def compare(one: Path, other: Path) -> None:
    """`Stopped` with the names of the tables, buckets and lists of logins and keys in which two backups differ."""
    first, second = _manifest(one)["files"], _manifest(other)["files"]
    differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    if differing:
        raise Stopped(f"What was restored differs from what was saved: {', '.join(differing[:5])}.")


def make_places() -> None:
    """Make the tables and buckets that are not there; the emulator forgets an empty bucket at its end."""
    from local import provision

    provision.make_tables()
    provision.make_queues()
    provision.make_buckets()


def import_into_cloud(folder: Path) -> None:
    """Make every table and bucket in an empty cloud and fill them."""
    make_places()
    for table in TABLES:
        _put_rows(table.name, _lines(folder / "tables" / table.name))
    for bucket in BUCKETS:
        # The files that come back were taken in long ago; the market's start sets the notifications again.
        name = settings.bucket_name(bucket.name)
        client("s3").put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
        present = Counter(key for key, _, _ in _versions(name))
        for index in _lines(folder / "objects" / bucket.name):
            if index["current"] and not present[index["key"]]:
                _put_object(name, index, (folder / "contents" / index["sha256"]).read_bytes())


def _rows(table: str) -> Iterator[Item]:
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=settings.table_name(table), ConsistentRead=True)
    for page in pages:
        yield from page["Items"]


def _put_rows(table: str, rows: Iterator[Item]) -> None:
    name = settings.table_name(table)
    waiting = [{"PutRequest": {"Item": _with_bytes(row)}} for row in rows]
    while waiting:
        answer = client("dynamodb").batch_write_item(RequestItems={name: waiting[:_AT_ONCE]})
        waiting = answer.get("UnprocessedItems", {}).get(name, []) + waiting[_AT_ONCE:]


def _objects(bucket: str, contents: Path) -> Iterator[Item]:
    name = settings.bucket_name(bucket)
    return (_kept_object(name, key, version, current, contents) for key, version, current in _versions(name))


def _versions(bucket: str) -> Iterator[tuple[str, str, bool]]:
    """Every version of every object by key and id, and whether it is the current one."""
    for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        for listed in page.get("Versions", []):
            yield listed["Key"], listed["VersionId"], bool(listed["IsLatest"])


def _kept_object(bucket: str, key: str, version: str, current: bool, contents: Path) -> Item:
    where = {} if version == _UNVERSIONED else {"VersionId": version}
    found = client("s3").get_object(Bucket=bucket, Key=key, **where)
    content = found["Body"].read()
    digest = hashlib.sha256(content).hexdigest()
    (contents / digest).write_bytes(content)
    about = {"type": found["ContentType"], "metadata": found.get("Metadata", {})}
    return {"key": key, "version": version, "current": current, "sha256": digest, **about}


def _put_object(bucket: str, index: Item, content: bytes) -> None:
    client("s3").put_object(
        Bucket=bucket, Key=index["key"], Body=content, ContentType=index["type"], Metadata=index["metadata"]
    )


def _write_lines(file: Path, items: Iterator[Item]) -> int:
    return _write(
        file, sorted(json.dumps(item, sort_keys=True, default=_as_text, ensure_ascii=False) for item in items)
    )


def _write(file: Path, lines: list[str]) -> int:
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return len(lines)


def _lines(file: Path) -> Iterator[Item]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _as_text(value: Any) -> str:
    """Bytes as DynamoDB's JSON has them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no part of a row")


def _with_bytes(row: Item) -> Item:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Item) -> Item:
    """A typed value whose binary parts, however deep, are bytes again."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            content = base64.b64decode(content)
        case "BS":
            content = [base64.b64decode(each) for each in content]
        case "M":
            content = _with_bytes(content)
        case "L":
            content = [_value(each) for each in content]
    return {kind: content}


def _fingerprints(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of rows, objects, logins and keys, and of each content under its own name."""
    files = [file for part in _PARTS for file in sorted((folder / part).iterdir())]
    return {quote(f"{file.parent.name}/{file.name}"): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _keepsakes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that is kept as it was found."""
    files = [file for file in sorted((folder / "keepsakes").rglob("*")) if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return found
