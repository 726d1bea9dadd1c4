"""Reads whatever a market has written anywhere: rows, objects, messages; as they stand and opened in plain ways."""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from boto3.dynamodb.types import Binary, TypeDeserializer

from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.schema import BUCKETS, TABLES
from functions.wiring import FUNCTIONS

_READ = TypeDeserializer().deserialize
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_DEEPEST = 4


def everything_written(without: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Where and what: every row of every table, object of every bucket (every version) and message of every queue.

    `without` leaves out the objects of the files bucket under a prefix.
    """
    yield from _rows()
    yield from _objects(without)
    yield from _messages()


def readings(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and what comes out where they are base64, deflated or a zip archive, in depth."""
    yield content
    if depth < _DEEPEST:
        for inner in _opened(content):
            yield from readings(inner, depth + 1)


def _opened(content: bytes) -> Iterator[bytes]:
    for start in range(min(len(content), 20)):
        for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS, zlib.MAX_WBITS | 16):
            try:
                yield zlib.decompressobj(bits).decompress(content[start:])
            except zlib.error:
                continue
    for found in _BASE64.findall(content):
        text = found.rstrip(b"=") + b"=" * (-len(found.rstrip(b"=")) % 4)
        if len(found.rstrip(b"=")) % 4 != 1:
            yield base64.b64decode(text, altchars=b"-_" if b"-" in found or b"_" in found else b"+/")
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def _rows() -> Iterator[tuple[str, bytes]]:
    for table in TABLES:
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=settings.table_name(table.name))
        for item in (item for page in pages for item in page["Items"]):
            for name, value in item.items():
                yield f"{table.name} {item['pk']['S']} {item['sk']['S']} {name}", _bytes(_READ(value))


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, Binary) else str(value).encode()


def _objects(without: str | None) -> Iterator[tuple[str, bytes]]:
    for bucket in BUCKETS:
        name = settings.bucket_name(bucket.name)
        pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=name)
        for found in (found for page in pages for found in page.get("Versions", [])):
            if without is None or not (bucket.name == "files" and found["Key"].startswith(without)):
                got = client("s3").get_object(Bucket=name, Key=found["Key"], VersionId=found["VersionId"])
                yield f"{bucket.name} {found['Key']} metadata", str(got["Metadata"]).encode()
                yield f"{bucket.name} {found['Key']}", got["Body"].read()


def _messages() -> Iterator[tuple[str, bytes]]:
    for function in FUNCTIONS:
        if function.has_queue:
            url = client("sqs").get_queue_url(QueueName=settings.queue_name(function.name))["QueueUrl"]
            while found := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                yield from ((f"queue {function.name}", message["Body"].encode()) for message in found)
