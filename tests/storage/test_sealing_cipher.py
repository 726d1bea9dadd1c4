"""Sealed bytes: each owner's key opens that owner's bytes of one scope, and nothing else whatever is done to them."""

from __future__ import annotations

import hashlib
import hmac
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.storage.sealing_cipher import MARK, DataKey, NotSealedHere, OwnerKey, Scope

COMPETITION, FILE = Scope("competition", "cmp_1"), Scope("file", "rct_1")
SECRET = b"secret-secret-secret-secret-secr"
OWNERS = st.text(max_size=12)


def data_key(scope: Scope = COMPETITION) -> DataKey:
    return DataKey(scope, SECRET)


def test_an_owners_key_opens_no_other_owners_bytes_and_no_other_scopes() -> None:
    sealed = data_key().of("org_fsp1").seal(b"173.6291")
    assert data_key().of("org_fsp1").unseal(sealed) == b"173.6291"
    for other in (data_key().of("org_fsp2"), data_key(FILE).of("org_fsp1")):
        with pytest.raises(NotSealedHere):
            other.unseal(sealed)


@settings(max_examples=60)
@given(
    OWNERS, OWNERS, st.sampled_from(["competition", "file"]), st.text(min_size=1, max_size=8), st.binary(max_size=60)
)
def test_keys_of_different_owners_differ_and_one_never_opens_the_others_bytes(
    one, two, kind, scope_id, content
) -> None:
    key = DataKey(Scope(kind, scope_id), SECRET)
    sealed = key.of(one).seal(content)
    assert key.of(one).unseal(sealed) == content
    assert (key.of(one).secret == key.of(two).secret) == (one == two)
    if one != two:
        with pytest.raises(NotSealedHere):
            key.of(two).unseal(sealed)


@settings(max_examples=60)
@given(st.binary(min_size=32, max_size=32), OWNERS)
def test_an_owners_key_is_hkdf_expand_of_the_data_key(secret: bytes, owner: str) -> None:
    """RFC 5869, 2.3, written as there: T(1) = HMAC(PRK, T(0) | info | 0x01), and OKM its first 32 octets."""
    info = b"headroom owner\x00competition\x00cmp_1\x00" + owner.encode()
    expanded, block = b"", b""
    for counter in range(1, 3):
        block = hmac.new(secret, block + info + bytes([counter]), hashlib.sha256).digest()
        expanded += block
    found = DataKey(COMPETITION, secret).of(owner).secret
    assert found == expanded[:32]
    assert found != secret


def test_the_published_vector_of_hkdf_holds_for_the_same_step() -> None:
    """RFC 5869, A.1: the first block of OKM from its PRK and info."""
    prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    info = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9")
    okm = bytes.fromhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")
    assert hmac.new(prk, info + b"\x01", hashlib.sha256).digest() == okm


def test_the_same_content_is_sealed_the_same_and_other_content_under_another_nonce() -> None:
    key = data_key().of("org_fsp1")
    start = slice(len(MARK), len(MARK) + 12)
    first, again, other = (key.seal(content) for content in (b"1", b"1", b"2"))
    assert first == again
    assert first[start] != other[start]
    assert first[start] != data_key().of("org_fsp2").seal(b"1")[start]


@pytest.mark.parametrize("mark", [b"HR1\x00", b"HR2\x00"])
def test_bytes_sealed_in_an_older_way_are_refused_as_such(mark: bytes) -> None:
    sealed = data_key().of("org_fsp1").seal(b"1")
    with pytest.raises(NotSealedHere, match="not sealed for cmp_1 in today's way, but in an older one"):
        data_key().of("org_fsp1").unseal(mark + sealed[len(MARK) :])


@pytest.mark.parametrize("mark", [b"HR9\x00", b"PK\x03\x04", b""])
def test_bytes_in_a_way_that_nobody_knows_are_refused(mark: bytes) -> None:
    with pytest.raises(NotSealedHere, match="in a way that is known"):
        data_key().of("org_fsp1").unseal(mark + b"x" * 40)


@pytest.mark.parametrize("key", [data_key(), data_key().of("org_fsp1")])
def test_a_key_does_not_show_itself(key: DataKey | OwnerKey) -> None:
    assert SECRET.decode() not in repr(key)
    assert data_key().of("org_fsp1").secret.hex() not in repr(key)
    assert "cmp_1" in repr(key)


@settings(max_examples=60)
@given(st.binary(max_size=200), st.data())
def test_any_content_comes_back_and_any_change_of_it_is_noticed(content: bytes, data: st.DataObject) -> None:
    key = data_key().of("org_fsp1")
    packed = zlib.compress(content)
    sealed = key.seal(packed)
    assert key.unseal(sealed) == packed
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:place] + bytes([sealed[place] ^ data.draw(st.integers(1, 255))]) + sealed[place + 1 :]
    for wrong in (changed, sealed[:place]):
        with pytest.raises(NotSealedHere):
            key.unseal(wrong)
