"""Owns what a backup holds besides rows and objects: logins, keys and secrets, read back from a cloud that has them.

They are saved as the emulator keeps them, whole files, because no password and no key can be read out and put back. But
a file that came back equal proves nothing of the cloud that loaded it. So logins, keys and secrets are listed as the
cloud tells of them, secrets by a digest; and each key wraps a probe when saved, which it must unwrap when restored.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.storage.clients import client
from local.stopped import Stopped

PROBES = "probes.json"
_PROBE, _CONTEXT = b"a backup's probe", {"purpose": "backup"}
Item = dict[str, Any]


def listed() -> dict[str, list[str]]:
    """Lines of JSON, sorted: every login with its pool, state and groups, every key, every secret."""
    found = {"logins": _logins(), "keys": _keys(), "secrets": _secrets()}
    return {
        name: sorted(json.dumps(each, sort_keys=True, default=_text) for each in items) for name, items in found.items()
    }


def wrap_probes(folder: Path) -> None:
    """Keep a probe that each key of the cloud has wrapped."""
    probes = {name: base64.b64encode(_wrapped(name)).decode() for name in _key_ids()}
    (folder / PROBES).write_text(json.dumps(probes, indent=1))


def unwrap_probes(folder: Path) -> None:
    """`Stopped` with the keys of the cloud that cannot unwrap what they wrapped when they were saved."""
    probes = json.loads((folder / PROBES).read_text())
    wrong = [name for name, wrapped in probes.items() if _unwrapped(name, base64.b64decode(wrapped)) != _PROBE]
    if wrong:
        raise Stopped(f"Keys were restored that do not open what they closed: {', '.join(wrong[:5])}.")


def _logins() -> Iterator[Item]:
    cognito = client("cognito-idp")
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool["Id"]):
            for user in page["Users"]:
                groups = cognito.admin_list_groups_for_user(UserPoolId=pool["Id"], Username=user["Username"])["Groups"]
                yield {**user, "pool": pool["Id"], "groups": sorted(each["GroupName"] for each in groups)}


def _keys() -> Iterator[Item]:
    aliases = client("kms").list_aliases()["Aliases"]
    for name in _key_ids():
        known = client("kms").describe_key(KeyId=name)["KeyMetadata"]
        told = sorted(each["AliasName"] for each in aliases if each.get("TargetKeyId") == name)
        yield {"id": name, "aliases": told, "state": known["KeyState"], "made": known["CreationDate"]}


def _secrets() -> Iterator[Item]:
    store = client("secretsmanager")
    for page in store.get_paginator("list_secrets").paginate():
        for each in page["SecretList"]:
            value = store.get_secret_value(SecretId=each["ARN"])
            content = value.get("SecretString", "").encode() + value.get("SecretBinary", b"")
            yield {"id": each["ARN"], "version": value["VersionId"], "sha256": hashlib.sha256(content).hexdigest()}


def _key_ids() -> list[str]:
    pages = client("kms").get_paginator("list_keys").paginate()
    return sorted(each["KeyId"] for page in pages for each in page["Keys"])


def _wrapped(name: str) -> bytes:
    return bytes(client("kms").encrypt(KeyId=name, Plaintext=_PROBE, EncryptionContext=_CONTEXT)["CiphertextBlob"])


def _unwrapped(name: str, wrapped: bytes) -> bytes | None:
    """What a key unwraps; None where it cannot, or is not there."""
    try:
        answer = client("kms").decrypt(KeyId=name, CiphertextBlob=wrapped, EncryptionContext=_CONTEXT)
    except ClientError:
        return None
    return bytes(answer["Plaintext"])


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no part of a login, key or secret")
