"""Data keys: made once for each competition and file, stored wrapped alone, unwrapped by KMS for nothing else."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from chalicelib.storage.clients import client
from chalicelib.storage.data_keys import data_keys_of, find_data_key, load_data_key, make_data_key
from chalicelib.storage.sealing_cipher import NotSealedHere, Scope
from chalicelib.storage.settings import key_alias, table_name

COMPETITION, FILE = Scope("competition", "cmp_1"), Scope("file", "rct_1")
pytestmark = pytest.mark.usefixtures("market")


def key_rows(table):
    items = client("dynamodb").scan(TableName=table_name(table))["Items"]
    return {item["pk"]["S"]: bytes(item["wrapped"]["B"]) for item in items}


def secret_of(key):
    return key.of("org_fsp1").secret


def test_a_data_key_is_the_same_each_time_and_stored_wrapped_alone():
    made = make_data_key(COMPETITION)
    assert secret_of(make_data_key(COMPETITION)) == secret_of(find_data_key(COMPETITION)) == secret_of(made)
    assert made._secret not in key_rows("bidding")["key#cmp_1"]


def test_competitions_and_files_have_keys_of_their_own_beside_what_they_seal():
    scopes = [COMPETITION, FILE, Scope("competition", "cmp_2")]
    keys = data_keys_of(scopes, make=True)
    assert [scope for scope, _ in keys] == scopes
    assert len({secret_of(key) for _, key in keys}) == 3
    assert set(key_rows("bidding")) == {"key#cmp_1", "key#cmp_2"}
    assert set(key_rows("receipts")) == {"key#rct_1"}


def test_kms_itself_refuses_a_wrapped_key_for_anything_but_its_competition():
    make_data_key(COMPETITION)
    wrapped = key_rows("bidding")["key#cmp_1"]
    for context in ({"competition": "cmp_2"}, {"file": "cmp_1"}, {}):
        with pytest.raises(ClientError):
            client("kms").decrypt(KeyId=key_alias("bids"), CiphertextBlob=wrapped, EncryptionContext=context)


def test_reading_makes_no_key():
    assert find_data_key(COMPETITION) is None
    assert data_keys_of([COMPETITION], make=False) == []
    with pytest.raises(NotSealedHere, match="nothing was sealed for cmp_1"):
        load_data_key(COMPETITION)
    assert key_rows("bidding") == {}


def test_whoever_loses_the_race_to_make_a_key_uses_the_winners(monkeypatch):
    kms = client("kms")
    make, winners = kms.generate_data_key, []

    def overtaken(**how):
        monkeypatch.setattr(kms, "generate_data_key", make)
        winners.append(make_data_key(COMPETITION))
        return make(**how)

    monkeypatch.setattr(kms, "generate_data_key", overtaken)
    loser = make_data_key(COMPETITION)
    assert secret_of(loser) == secret_of(winners[0])
    assert len(key_rows("bidding")) == 1


def test_any_other_fault_in_keeping_a_key_is_raised(monkeypatch):
    def broken(**_):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    monkeypatch.setattr(client("dynamodb"), "put_item", broken)
    with pytest.raises(ClientError, match="Throttling"):
        make_data_key(COMPETITION)
