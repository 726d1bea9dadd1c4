"""The seal: who reads what was sealed, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.bidding.seal import Sealed, check_own, seal, unseal_for_counting, unseal_opened, unseal_own
from chalicelib.kernel.errors import Forbidden, NotFound, Refused
from chalicelib.kernel.models import iso
from chalicelib.storage.clients import client
from chalicelib.storage.sealing import forget_data_keys
from tests.builders.bidding import AFTER, CLOSES, DURING, a_competition
from tests.builders.calls import a_call, a_system_call
from tests.builders.dumps import readings

DOCUMENT = {"bids": [{"capacity_mw": "1.5", "utilisation_price": "173.6291"}], "£": "é"}
pytestmark = pytest.mark.usefixtures("market")


def sealed() -> Sealed:
    return seal("cmp_1", "org_fsp1", DOCUMENT, DURING)


def noted_unwraps(monkeypatch) -> list[str]:
    """The competitions whose key KMS unwraps from here on."""
    forget_data_keys()
    found: list[str] = []
    kms = client("kms")
    ask = kms.decrypt

    def noting(**asked):
        found.append(asked["EncryptionContext"]["competition"])
        return ask(**asked)

    sealed()
    forget_data_keys()
    sealed()
    monkeypatch.setattr(kms, "decrypt", noting)
    return found


def own(**how):
    return a_call("org_fsp1", now=iso(DURING), **how)


def test_what_was_sealed_comes_back_the_same_to_its_own_fsp():
    assert unseal_own(own(), a_competition(), sealed()) == DOCUMENT


def test_the_same_document_is_sealed_the_same_and_not_readable_as_it_stands():
    assert seal("cmp_1", "org_fsp1", dict(reversed(DOCUMENT.items())), DURING) == sealed()
    for found in readings(sealed().content):
        assert b"173.6291" not in found


@pytest.mark.parametrize(
    "stranger",
    [
        a_call("org_fsp2", now=iso(AFTER)),
        a_call("org_so", "so", now=iso(AFTER)),
        a_call("org_market_operator", "market_operator", now=iso(AFTER)),
        a_system_call(iso(AFTER)),
    ],
)
def test_to_everybody_else_an_fsps_ballots_do_not_exist(stranger):
    with pytest.raises(NotFound):
        unseal_own(stranger, a_competition(), sealed())


def test_an_fsps_own_people_need_the_role():
    with pytest.raises(Forbidden):
        check_own(own(roles={"read", "account", "procurement"}), "org_fsp1")
    check_own(own(roles={"bidding"}), "org_fsp1")


def test_opened_ballots_are_read_by_the_instant_on_record():
    assert unseal_opened(a_competition(), AFTER, [sealed(), sealed()]) == [DOCUMENT, DOCUMENT]
    for opened_at in (None, CLOSES, DURING):
        with pytest.raises(Refused) as refusal:
            unseal_opened(a_competition(), opened_at, [sealed()])
        assert refusal.value.code == "bidding.sealed"


def test_ballots_of_a_withdrawn_competition_stay_sealed_though_they_were_opened():
    withdrawn = a_competition(outcome="withdrawn")
    with pytest.raises(Refused, match="stay sealed"):
        unseal_opened(withdrawn, AFTER, [sealed()])
    with pytest.raises(Refused, match="stay sealed"):
        unseal_for_counting(a_system_call(iso(AFTER)), withdrawn, [sealed()])
    assert unseal_own(own(), withdrawn, sealed()) == DOCUMENT


@pytest.mark.parametrize("counter", [a_system_call(iso(CLOSES)), a_call("org_so", "so", now=iso(CLOSES))])
def test_the_market_and_the_operator_count_from_close_on(counter):
    assert unseal_for_counting(counter, a_competition(), [sealed()]) == [DOCUMENT]


@pytest.mark.parametrize("early", [a_system_call(iso(DURING)), a_call("org_so", "so", now=iso(DURING))])
def test_nobody_counts_before_close(early):
    with pytest.raises(Refused):
        unseal_for_counting(early, a_competition(), [sealed()])


@pytest.mark.parametrize("stranger", [a_call("org_so2", "so", now=iso(AFTER)), a_call("org_fsp1", now=iso(AFTER))])
def test_nobody_else_counts(stranger):
    with pytest.raises(NotFound):
        unseal_for_counting(stranger, a_competition(), [sealed()])


def test_bytes_of_another_competition_or_owner_or_changed_or_sealed_in_an_unknown_way_are_a_fault():
    seal("cmp_2", "org_fsp1", DOCUMENT, DURING)
    right = sealed().content
    wrong = [
        Sealed("cmp_2", "org_fsp1", right),
        Sealed("cmp_1", "org_fsp1", seal("cmp_2", "org_fsp1", DOCUMENT, DURING).content),
        Sealed("cmp_1", "org_fsp1", seal("cmp_1", "org_fsp2", DOCUMENT, DURING).content),
        Sealed("cmp_1", "org_fsp1", b"HR1" + right[3:]),
        Sealed("cmp_1", "org_fsp1", right[:-1] + bytes([right[-1] ^ 1])),
        Sealed("cmp_1", "org_fsp1", right[:10]),
    ]
    for each in wrong:
        with pytest.raises(ValueError, match="not sealed for cmp_1"):
            unseal_own(own(), a_competition(), each)


def test_a_key_unwrapped_for_the_fsp_opens_no_other_door_and_is_given_up_at_close(monkeypatch):
    unwrapped = noted_unwraps(monkeypatch)
    just_before = CLOSES - timedelta(seconds=10)
    for _ in range(3):
        unseal_own(a_call("org_fsp1", now=iso(just_before)), a_competition(), sealed())
    assert unwrapped == ["cmp_1"]
    for early in (None, CLOSES):
        with pytest.raises(Refused):
            unseal_opened(a_competition(), early, [sealed()])
    assert unwrapped == ["cmp_1"]
    unseal_own(a_call("org_fsp1", now=iso(CLOSES)), a_competition(), sealed())
    unseal_for_counting(a_system_call(iso(CLOSES)), a_competition(), [sealed()])
    unseal_opened(a_competition(), AFTER, [sealed()])
    assert unwrapped == ["cmp_1"] * 4


def test_no_key_is_unwrapped_for_somebody_who_may_not_read(monkeypatch):
    kept = sealed()
    unwrapped = noted_unwraps(monkeypatch)
    for refused in (
        lambda: unseal_own(a_call("org_fsp2", now=iso(AFTER)), a_competition(), kept),
        lambda: unseal_for_counting(a_system_call(iso(DURING)), a_competition(), [kept]),
        lambda: unseal_opened(a_competition(outcome="withdrawn"), AFTER, [kept]),
    ):
        with pytest.raises((NotFound, Refused)):
            refused()
    assert unwrapped == []


def test_the_instants_of_the_builders_are_what_they_say():
    assert datetime.fromisoformat(iso(AFTER)) > CLOSES > DURING
