"""Owns secrets: the deployment's keys in Secrets Manager, and the codes, links and tokens made with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.storage import settings
from chalicelib.storage.clients import client

CODE_LENGTH = 8
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key pair of our own access tokens (P-256)."""

    id: str
    private_pem: str
    public_pem: str


def own_issuer() -> str:
    """The issuer of machine users' tokens."""
    return f"headroom-{settings.stage()}"


def secret_hash(secret: str) -> str:
    """What is kept of a machine user's secret: enough, since it is too long to be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def code_for(*parts: str) -> str:
    """The code that belongs to a thing and its serial: the mailer and the check each make it; it is stored nowhere."""
    digest = _keyed(*parts)
    number = int.from_bytes(digest, "big")
    base = len(_CODE_ALPHABET)
    return "".join(_CODE_ALPHABET[(number // base**place) % base] for place in range(CODE_LENGTH))


def secret_for(*parts: str) -> str:
    """A secret of 256 bits that belongs to a thing: as `code_for`, too long to be guessed."""
    return base64.urlsafe_b64encode(_keyed("secret", *parts)).decode().rstrip("=")


def is_same(given: str, wanted: str) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(given.encode(), wanted.encode())


@cache
def signing_key() -> SigningKey:
    """The key of our own tokens, from Secrets Manager; made there at the very first use."""
    private_pem = _secret("token-key", _new_private_pem)
    private = serialization.load_pem_private_key(private_pem.encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return SigningKey(hashlib.sha256(public).hexdigest()[:16], private_pem, public.decode())


@cache
def _code_key() -> bytes:
    return _secret("code-key", _new_code_key).encode()


def forget_keys() -> None:
    """Read keys anew at their next use."""
    signing_key.cache_clear()
    _code_key.cache_clear()


def _keyed(*parts: str) -> bytes:
    return hmac.new(_code_key(), "\x1f".join(parts).encode(), hashlib.sha256).digest()


def _secret(name: str, make: Callable[[], str]) -> str:
    """A deployment's secret; the first process to need it makes it, whoever loses that race reads the winner's."""
    store, full_name = client("secretsmanager"), f"headroom/{settings.stage()}/{name}"
    try:
        return str(store.get_secret_value(SecretId=full_name)["SecretString"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    made = make()
    try:
        store.create_secret(Name=full_name, SecretString=made)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise
        return str(store.get_secret_value(SecretId=full_name)["SecretString"])
    return str(made)


def _new_code_key() -> str:
    return os.urandom(32).hex()


def _new_private_pem() -> str:
    private = ec.generate_private_key(ec.SECP256R1())
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
