"""Owns objects in S3: immutable bodies by content hash, named objects, and short presigned links."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from chalicelib.kernel.errors import NotFound
from chalicelib.storage import settings
from chalicelib.storage.clients import client

LINK_SECONDS = 900
BODIES = "bodies"
FILES = "files"
OPENED = "opened"
AUDIT_ROOTS = "audit-roots"


@dataclass(frozen=True, slots=True)
class First:
    """The first version ever written under a key; `untouched` while none came after it and nobody removed it."""

    key: str
    version: str
    untouched: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """A presigned POST: send the form `fields`, then the file as `file`, to `url` before it expires."""

    url: str
    fields: dict[str, str]
    expires_seconds: int


def put_body(content: bytes, prefix: str = "body") -> str:
    """Keep immutable bytes under their own SHA-256; the same bytes are kept once. Returns the key."""
    key = f"{prefix}/{hashlib.sha256(content).hexdigest()}"
    put_object(BODIES, key, content)
    return key


def get_body(key: str) -> bytes:
    return read_object(BODIES, key)


def put_json(value: Any, prefix: str = "json") -> str:
    """Keep a JSON value compressed by content hash; returns the key. The same value gives the same key."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return put_body(zlib.compress(text.encode(), 6), prefix)


def get_json(key: str) -> Any:
    return json.loads(zlib.decompress(get_body(key)))


def put_object(
    bucket: str,
    key: str,
    content: bytes,
    content_type: str = "application/octet-stream",
    metadata: dict[str, str] | None = None,
) -> None:
    client("s3").put_object(
        Bucket=settings.bucket_name(bucket), Key=key, Body=content, ContentType=content_type, Metadata=metadata or {}
    )


def put_new(bucket: str, key: str, content: bytes, content_type: str) -> bool:
    """Write an object where none stands; whether it was written."""
    try:
        client("s3").put_object(
            Bucket=settings.bucket_name(bucket), Key=key, Body=content, ContentType=content_type, IfNoneMatch="*"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return False
    return True


def read_object(bucket: str, key: str, version: str | None = None) -> bytes:
    """An object's bytes, of a version where one is named; `NotFound` when there is none."""
    try:
        return bytes(client("s3").get_object(**_where(bucket, key, version))["Body"].read())
    except ClientError as error:
        raise _absent(error) from error


def head_object(bucket: str, key: str, version: str | None = None) -> dict[str, Any]:
    """An object's `size`, `content_type`, `etag`, `version`, `modified` instant and `metadata`; else `NotFound`."""
    try:
        head = client("s3").head_object(**_where(bucket, key, version))
    except ClientError as error:
        raise _absent(error) from error
    return {
        "size": int(head["ContentLength"]),
        "content_type": head.get("ContentType", ""),
        "etag": head["ETag"].strip('"'),
        "version": head.get("VersionId"),
        "modified": head["LastModified"],
        "metadata": head.get("Metadata", {}),
    }


def list_objects(bucket: str, prefix: str) -> list[dict[str, Any]]:
    """Every object under a prefix as `key`, `size` and `modified` instant."""
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings.bucket_name(bucket), Prefix=prefix)
    found = [item for page in pages for item in page.get("Contents", [])]
    return [{"key": item["Key"], "size": item["Size"], "modified": item["LastModified"]} for item in found]


def first_versions(bucket: str) -> list[First]:
    """The first version of every key ever written, in order of key, whatever came after it or hides it."""
    pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=settings.bucket_name(bucket))
    written: dict[str, list[str]] = {}
    hidden = set()
    for page in pages:  # the latest version of a key comes first
        hidden |= {marker["Key"] for marker in page.get("DeleteMarkers", [])}
        for version in page.get("Versions", []):
            written.setdefault(version["Key"], []).append(version["VersionId"])
    return [
        First(key, versions[-1], len(versions) == 1 and key not in hidden) for key, versions in sorted(written.items())
    ]


def remove_object(bucket: str, key: str) -> None:
    client("s3").delete_object(Bucket=settings.bucket_name(bucket), Key=key)


def presign_download(bucket: str, key: str, file_name: str, seconds: int = LINK_SECONDS) -> str:
    """A short link that downloads an object under a file name."""
    disposition = disposition_of(file_name)
    params = {"Bucket": settings.bucket_name(bucket), "Key": key, "ResponseContentDisposition": disposition}
    return str(client("s3").generate_presigned_url("get_object", Params=params, ExpiresIn=seconds))


def presign_upload(
    bucket: str,
    key: str,
    content_type: str,
    most_bytes: int,
    metadata: dict[str, str] | None = None,
    seconds: int = LINK_SECONDS,
) -> Upload:
    """A presigned POST bound to one key, one type and a size of at most `most_bytes`."""
    fields = {"Content-Type": content_type} | {f"x-amz-meta-{name}": text for name, text in (metadata or {}).items()}
    conditions: list[Any] = [{name: text} for name, text in fields.items()]
    conditions.append(["content-length-range", 1, most_bytes])
    made = client("s3").generate_presigned_post(
        settings.bucket_name(bucket), key, Fields=fields, Conditions=conditions, ExpiresIn=seconds
    )
    return Upload(made["url"], made["fields"], seconds)


def _where(bucket: str, key: str, version: str | None) -> dict[str, str]:
    where = {"Bucket": settings.bucket_name(bucket), "Key": key}
    return where if version is None else where | {"VersionId": version}


def disposition_of(file_name: str) -> str:
    """What makes a browser save under a name: in ASCII for all, and as it is for those who can (RFC 6266, 8187)."""
    name = "".join(char if char.isalnum() or char in "._- " else "_" for char in file_name)[:120]
    plain = "".join(char if char.isascii() else "_" for char in name)
    told = f'attachment; filename="{plain}"'
    return told if plain == name else f"{told}; filename*=UTF-8''{quote(name, safe='')}"


def _absent(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    return NotFound("file.not_found", "There is no such file.") if code in {"NoSuchKey", "404", "NotFound"} else error
