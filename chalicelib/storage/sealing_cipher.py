"""Owns the cipher of sealed bytes: AES-256-GCM under a data key, bound to what it is for and whose it is. Pure.

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

MARK = b"HR2\x00"
_NONCE_BYTES = 12


class NotSealedHere(ValueError):
    """Bytes that were not sealed for this purpose and owner, or were changed since."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a data key is for: one competition's ballots, or one file (a receipt or a job)."""

    kind: Literal["competition", "file"]
    id: str

    @property
    def context(self) -> dict[str, str]:
        """KMS's encryption context."""
        return {self.kind: self.id}


class DataKey:
    """An unwrapped data key; hold it no longer than the work it was asked for."""

    __slots__ = ("_content_key", "_nonce_key", "_scope")

    def __init__(self, scope: Scope, secret: bytes) -> None:
        self._scope = scope
        self._content_key = hmac.digest(secret, b"headroom content", hashlib.sha256)
        self._nonce_key = hmac.digest(secret, b"headroom nonce", hashlib.sha256)

    def __repr__(self) -> str:
        return f"DataKey({self._scope})"

    def seal(self, owner: str, content: bytes) -> bytes:
        """Sealed bytes that only the same scope and owner open."""
        bound = self._bound(owner)
        nonce = hmac.digest(self._nonce_key, bound + b"\x00" + content, hashlib.sha256)[:_NONCE_BYTES]
        return MARK + nonce + _cipher(self._content_key).encrypt(nonce, content, bound)

    def unseal(self, owner: str, sealed: bytes) -> bytes:
        """The content; `NotSealedHere` for bytes of another scope or owner, in another way, or changed."""
        from cryptography.exceptions import InvalidTag

        start = len(MARK) + _NONCE_BYTES
        if not sealed.startswith(MARK):
            raise NotSealedHere(f"not sealed for {self._scope.id} in a way that is known")
        try:
            return _cipher(self._content_key).decrypt(sealed[len(MARK) : start], sealed[start:], self._bound(owner))
        except (InvalidTag, ValueError) as error:
            raise NotSealedHere(f"not sealed for {self._scope.id} of {owner}") from error

    def _bound(self, owner: str) -> bytes:
        return "\x00".join((MARK.decode(), self._scope.kind, self._scope.id, owner)).encode()


def _cipher(key: bytes) -> AESGCM:
    """Loaded only now: most calls of the API seal nothing."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
