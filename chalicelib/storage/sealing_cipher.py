"""Owns the cipher of sealed bytes: AES-256-GCM under a key of one owner, derived from the scope's data key. Pure.

An owner's key is HKDF-Expand (RFC 5869, 2.3) of the data key with the scope and the owner as its info; the data key
comes uniform from KMS, so that nothing needs to be extracted first (3.3). It opens that owner's bytes and no other's,
and does not lead back to the data key.

The nonce is an HMAC of the content under a key of its own, as a synthetic IV (Rogaway & Shrimpton 2006): the same
content gives the same bytes, so that work repeated after a crash ends in the same state, and no two contents share a
nonce (NIST SP 800-38D asks that none is used twice under one key).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = b"HR3\x00"
_FAMILY = b"HR"
_NONCE_BYTES = 12


class NotSealedHere(ValueError):
    """Bytes that were not sealed for this purpose and owner, or were changed since."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a data key is for: one competition's ballots, what is proposed about them, or one file (receipt or job)."""

    kind: Literal["competition", "proposals", "file"]
    id: str

    @property
    def context(self) -> dict[str, str]:
        """KMS's encryption context."""
        return {self.kind: self.id}


class DataKey:
    """An unwrapped data key: every owner's key follows from it, so that it never leaves the function that keeps it."""

    __slots__ = ("_scope", "_secret")

    def __init__(self, scope: Scope, secret: bytes) -> None:
        self._scope, self._secret = scope, secret

    def __repr__(self) -> str:
        return f"DataKey({self._scope})"

    def of(self, owner: str) -> OwnerKey:
        """The key that seals and opens this owner's bytes alone."""
        info = "\x00".join(("headroom owner", self._scope.kind, self._scope.id, owner)).encode()
        return OwnerKey(self._scope, owner, hmac.digest(self._secret, info + b"\x01", hashlib.sha256))


class OwnerKey:
    """The key of one owner's bytes; hold it no longer than the work it was asked for. `secret` is for its journey."""

    __slots__ = ("_content_key", "_nonce_key", "_scope", "owner", "secret")

    def __init__(self, scope: Scope, owner: str, secret: bytes) -> None:
        self._scope, self.owner, self.secret = scope, owner, secret
        self._content_key = hmac.digest(secret, b"headroom content", hashlib.sha256)
        self._nonce_key = hmac.digest(secret, b"headroom nonce", hashlib.sha256)

    def __repr__(self) -> str:
        return f"OwnerKey({self._scope}, {self.owner})"

    def seal(self, content: bytes) -> bytes:
        """Sealed bytes that only the key of the same scope and owner opens."""
        bound = self._bound()
        nonce = hmac.digest(self._nonce_key, bound + b"\x00" + content, hashlib.sha256)[:_NONCE_BYTES]
        return MARK + nonce + _cipher(self._content_key).encrypt(nonce, content, bound)

    def unseal(self, sealed: bytes) -> bytes:
        """The content; `NotSealedHere` for bytes of another scope or owner, in another way, or changed."""
        from cryptography.exceptions import InvalidTag

        self._check_mark(sealed)
        start = len(MARK) + _NONCE_BYTES
        try:
            return _cipher(self._content_key).decrypt(sealed[len(MARK) : start], sealed[start:], self._bound())
        except (InvalidTag, ValueError) as error:
            raise NotSealedHere(f"not sealed for {self._scope.id} of {self.owner}") from error

    def _check_mark(self, sealed: bytes) -> None:
        mark = sealed[: len(MARK)]
        if mark == MARK:
            return
        if mark.startswith(_FAMILY) and mark < MARK:
            raise NotSealedHere(f"not sealed for {self._scope.id} in today's way, but in an older one: {mark!r}")
        raise NotSealedHere(f"not sealed for {self._scope.id} in a way that is known")

    def _bound(self) -> bytes:
        return "\x00".join((MARK.decode(), self._scope.kind, self._scope.id, self.owner)).encode()


def _cipher(key: bytes) -> AESGCM:
    """Loaded only now: most calls of the API seal nothing."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
