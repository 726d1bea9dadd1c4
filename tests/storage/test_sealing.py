"""Sealed bytes: opened only for what they were sealed for, under keys that are never kept unwrapped for long."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.storage import sealing
from chalicelib.storage.clients import client
from chalicelib.storage.sealing import KEPT_AT_MOST, MOST_KEPT, Lease, forget_data_keys, opening_key, sealing_key
from chalicelib.storage.sealing_cipher import MARK, DataKey, NotSealedHere, Scope
from chalicelib.storage.settings import key_alias, table_name
from tests.builders.calls import NOON

COMPETITION, FILE = Scope("competition", "cmp_1"), Scope("file", "rct_1")
AT = datetime.fromisoformat(NOON)
pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def kms_calls(market, monkeypatch) -> list[str]:
    """What KMS is asked for from here on."""
    kms, asked = client("kms"), []

    def noting(name, ask):
        def answer(**how):
            asked.append(name)
            return ask(**how)

        return answer

    for name in ("generate_data_key", "decrypt"):
        monkeypatch.setattr(kms, name, noting(name, getattr(kms, name)))
    return asked


def key_rows(table):
    items = client("dynamodb").scan(TableName=table_name(table))["Items"]
    return {item["pk"]["S"]: bytes(item["wrapped"]["B"]) for item in items}


def test_what_was_sealed_comes_back_in_another_process():
    sealed = sealing_key(COMPETITION).seal("org_fsp1", b"173.6291")
    forget_data_keys()
    assert opening_key(COMPETITION).unseal("org_fsp1", sealed) == b"173.6291"
    assert b"173.6291" not in sealed


def test_the_same_content_is_sealed_the_same_and_other_content_under_another_nonce():
    key = sealing_key(COMPETITION)
    start = slice(len(MARK), len(MARK) + 12)
    first, again, other = (key.seal("org_fsp1", content) for content in (b"1", b"1", b"2"))
    assert first == again
    assert first[start] != other[start]
    assert first[start] != key.seal("org_fsp2", b"1")[start]


def test_competitions_and_files_have_keys_of_their_own_wrapped_beside_what_they_seal():
    sealed = sealing_key(COMPETITION).seal("org_fsp1", b"1")
    sealing_key(FILE)
    sealing_key(Scope("competition", "cmp_2"))
    assert set(key_rows("bidding")) == {"key#cmp_1", "key#cmp_2"}
    assert set(key_rows("receipts")) == {"key#rct_1"}
    for other in (FILE, Scope("competition", "cmp_2")):
        with pytest.raises(NotSealedHere):
            opening_key(other).unseal("org_fsp1", sealed)


def test_kms_itself_refuses_a_wrapped_key_for_anything_but_its_competition():
    sealing_key(COMPETITION)
    wrapped = key_rows("bidding")["key#cmp_1"]
    for context in ({"competition": "cmp_2"}, {"file": "cmp_1"}, {}):
        with pytest.raises(ClientError):
            client("kms").decrypt(KeyId=key_alias("bids"), CiphertextBlob=wrapped, EncryptionContext=context)


def test_nothing_opens_where_nothing_was_sealed():
    with pytest.raises(NotSealedHere, match="nothing was sealed for cmp_9"):
        opening_key(Scope("competition", "cmp_9"))
    assert key_rows("bidding") == {}


def test_whoever_loses_the_race_to_make_a_key_uses_the_winners(monkeypatch):
    kms = client("kms")
    make, winners = kms.generate_data_key, []

    def overtaken(**how):
        monkeypatch.setattr(kms, "generate_data_key", make)
        winners.append(sealing_key(COMPETITION))
        return make(**how)

    monkeypatch.setattr(kms, "generate_data_key", overtaken)
    loser = sealing_key(COMPETITION)
    assert loser.seal("org_fsp1", b"1") == winners[0].seal("org_fsp1", b"1")
    assert len(key_rows("bidding")) == 1


def test_any_other_fault_in_keeping_a_key_is_raised(monkeypatch):
    def broken(**_):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    monkeypatch.setattr(client("dynamodb"), "put_item", broken)
    with pytest.raises(ClientError, match="Throttling"):
        sealing_key(COMPETITION)


def test_a_leased_key_is_unwrapped_once_a_minute_and_door(kms_calls):
    sealing_key(COMPETITION)
    kms_calls.clear()
    for seconds in (0, 1, 59):
        opening_key(COMPETITION, Lease("own/org_fsp1", AT + timedelta(seconds=seconds)))
    assert kms_calls == ["decrypt"]
    opening_key(COMPETITION, Lease("own/org_fsp1", AT + KEPT_AT_MOST))
    opening_key(COMPETITION, Lease("own/org_fsp2", AT + KEPT_AT_MOST))
    opening_key(a_sealed_file(), Lease("own/org_fsp1", AT))
    assert kms_calls == ["decrypt", "decrypt", "decrypt", "generate_data_key", "decrypt"]


def a_sealed_file() -> Scope:
    sealing_key(FILE)
    return FILE


def test_a_key_without_a_lease_is_kept_nowhere(kms_calls):
    for _ in range(3):
        sealing_key(COMPETITION)
    assert kms_calls == ["generate_data_key", "decrypt", "decrypt"]


def test_a_lease_ends_where_the_calendar_says_and_holds_for_no_instant_before_it(kms_calls):
    sealing_key(COMPETITION)
    kms_calls.clear()
    closes = AT + timedelta(seconds=10)
    opening_key(COMPETITION, Lease("own", AT, closes))
    opening_key(COMPETITION, Lease("own", closes - timedelta(milliseconds=1), closes))
    assert kms_calls == ["decrypt"]
    opening_key(COMPETITION, Lease("own", closes))
    opening_key(COMPETITION, Lease("own", AT))
    assert kms_calls == ["decrypt"] * 3


def test_no_more_keys_are_kept_than_allowed():
    key = DataKey(COMPETITION, b"k" * 32)
    for number in range(MOST_KEPT + 5):
        sealing._kept.keep(COMPETITION, Lease(f"door-{number}", AT), key)
    assert sealing._kept.find(COMPETITION, Lease("door-4", AT)) is None
    assert sealing._kept.find(COMPETITION, Lease("door-5", AT)) is key


def test_a_key_does_not_show_itself():
    assert repr(DataKey(COMPETITION, b"secret-secret-secret-secret-secr")) == f"DataKey({COMPETITION})"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.text(max_size=10), st.data())
def test_any_content_comes_back_and_any_change_of_it_is_noticed(content, owner, data):
    key = DataKey(COMPETITION, b"k" * 32)
    packed = zlib.compress(content)
    sealed = key.seal(owner, packed)
    assert key.unseal(owner, sealed) == packed
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:place] + bytes([sealed[place] ^ data.draw(st.integers(1, 255))]) + sealed[place + 1 :]
    for wrong, whose in ((changed, owner), (sealed[:place], owner), (sealed, owner + "x")):
        with pytest.raises(NotSealedHere):
            key.unseal(whose, wrong)
