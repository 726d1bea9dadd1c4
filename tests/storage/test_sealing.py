"""Keys as a function holds them: asked for once a minute and door, never held past close, never more than allowed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.models import iso
from chalicelib.storage import sealing
from chalicelib.storage.clients import client
from chalicelib.storage.invoking import FunctionFailed
from chalicelib.storage.sealing import KEPT_AT_MOST, MOST_KEPT, Lease, forget_keys_held, own_keys
from chalicelib.storage.sealing_cipher import DataKey, NotSealedHere, Scope
from tests.builders.bidding import a_stored_competition
from tests.builders.calls import NOON, a_call

COMPETITION = Scope("competition", "cmp_1")
AT = datetime.fromisoformat(NOON)
pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def asked(keeper):
    """Counts invocations of the keeper, a competition being there already with the key of an FSP's ballots."""
    a_stored_competition()
    key_at(make=True)
    forget_keys_held()
    keeper.asked = 0
    return lambda: keeper.asked


def key_at(at=AT, until=None, fsp="org_fsp1", competition="cmp_1", make=False):
    return own_keys(a_call(fsp, now=iso(at)), fsp, {competition: until}, make)[competition]


def test_what_was_sealed_comes_back_in_another_process():
    a_stored_competition()
    sealed = key_at(make=True).seal(b"173.6291")
    forget_keys_held()
    assert key_at().unseal(sealed) == b"173.6291"
    assert b"173.6291" not in sealed


def test_a_key_is_asked_for_once_a_minute_and_fsp(asked):
    for seconds in (0, 1, 59):
        key_at(AT + timedelta(seconds=seconds))
    key_at(AT + timedelta(seconds=59), make=True)
    assert asked() == 1
    key_at(AT + KEPT_AT_MOST)
    key_at(AT + KEPT_AT_MOST, fsp="org_fsp2")
    assert asked() == 3


def test_a_key_ends_where_the_calendar_says_and_holds_for_no_instant_before_it(asked):
    closes = AT + timedelta(seconds=10)
    key_at(AT, closes)
    key_at(closes - timedelta(milliseconds=1), closes)
    assert asked() == 1
    key_at(closes)
    key_at(AT)
    assert asked() == 3


def test_keys_of_many_competitions_are_asked_for_at_once_and_only_those_not_at_hand(asked):
    more = [f"cmp_{number}" for number in range(2, 6)]
    for each in more:
        a_stored_competition(id=each, reference=each)
    keys = own_keys(a_call(), "org_fsp1", dict.fromkeys(more), make=True)
    assert (set(keys), asked()) == (set(more), 1)
    both = own_keys(a_call(), "org_fsp1", dict.fromkeys(["cmp_1", *more]))
    assert (set(both), asked()) == ({"cmp_1", *more}, 2)
    assert len({key.secret for key in both.values()}) == 5


def test_an_ask_names_no_more_competitions_than_it_may(asked, monkeypatch):
    monkeypatch.setattr(sealing, "MOST_AT_ONCE", 2)
    more = [f"cmp_{number}" for number in range(2, 7)]
    for each in more:
        a_stored_competition(id=each, reference=each)
    assert set(own_keys(a_call(), "org_fsp1", dict.fromkeys(more), make=True)) == set(more)
    assert asked() == 3


def test_nothing_opens_where_nothing_was_sealed():
    a_stored_competition(id="cmp_9", reference="cmp_9")
    with pytest.raises(NotSealedHere, match="nothing was sealed for cmp_9"):
        key_at(competition="cmp_9")


def test_a_keeper_that_cannot_reach_kms_is_a_fault_and_nothing_is_kept(asked, monkeypatch):
    def broken(**_):
        raise RuntimeError("KMS is not there")

    with monkeypatch.context() as patched:
        patched.setattr(client("kms"), "decrypt", broken)
        with pytest.raises(FunctionFailed, match="keep-keys failed"):
            key_at()
    assert asked() == 2
    key_at()
    assert asked() == 3


def test_no_more_keys_are_kept_than_allowed():
    key = DataKey(COMPETITION, b"k" * 32).of("org_fsp1")
    for number in range(MOST_KEPT + 5):
        sealing._kept.keep(COMPETITION, Lease(f"door-{number}", AT), key)
    assert sealing._kept.find(COMPETITION, Lease("door-4", AT)) is None
    assert sealing._kept.find(COMPETITION, Lease("door-5", AT)) is key
