"""The seal: who reads what was sealed, and when; judged where it is read and again where the keys are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.bidding import store
from chalicelib.bidding.doors import check_counting, check_opened, check_opening, check_own
from chalicelib.bidding.seal import OpenedSeal, Sealed, seal, unseal_own, unseal_own_all
from chalicelib.kernel.errors import Forbidden, NotFound, Refused
from chalicelib.kernel.models import iso
from chalicelib.storage.commit import commit
from chalicelib.storage.sealing_cipher import NotSealedHere
from tests.builders.bidding import AFTER, CLOSES, DURING, a_competition, a_stored_competition
from tests.builders.calls import a_call, a_system_call
from tests.builders.dumps import readings

DOCUMENT = {"bids": [{"capacity_mw": "1.5", "utilisation_price": "173.6291"}], "£": "é"}
SO = a_call("org_so", "so", now=iso(AFTER))


@pytest.fixture(autouse=True)
def competition(market):
    return a_stored_competition()


def own(fsp="org_fsp1", now=DURING, **how):
    return a_call(fsp, now=iso(now), **how)


def sealed(competition_id="cmp_1", fsp="org_fsp1", document=DOCUMENT) -> Sealed:
    return seal(own(fsp), a_competition(id=competition_id), fsp, document)


def noted_asks(keeper):
    """How often the keeper is asked from here on."""
    before = keeper.asked
    return lambda: keeper.asked - before


def opened(at=AFTER, *fsps):
    """Mark the ballots of cmp_1 as opened, with bids of the FSPs."""
    bidders = [store.create(store._Row(pk="cmp_1", sk=f"bidder#{fsp}")) for fsp in fsps]
    commit(a_call(), [store.opened_write("cmp_1", at), *bidders])


def test_what_was_sealed_comes_back_the_same_to_its_own_fsp():
    assert unseal_own(own(), a_competition(), sealed()) == DOCUMENT


def test_the_same_document_is_sealed_the_same_and_not_readable_as_it_stands():
    assert sealed(document=dict(reversed(DOCUMENT.items()))) == sealed()
    for found in readings(sealed().content):
        assert b"173.6291" not in found


def test_documents_of_several_competitions_come_back_in_their_order():
    a_stored_competition(id="cmp_2", reference="two")
    two = {"bids": []}
    asked = [(a_competition(id="cmp_2"), sealed("cmp_2", document=two)), (a_competition(), sealed())]
    assert unseal_own_all(own(), asked) == [two, DOCUMENT]
    assert unseal_own_all(own(), []) == []


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
    with pytest.raises(NotFound):
        seal(stranger, a_competition(), "org_fsp1", DOCUMENT)


def test_an_fsps_own_people_need_the_role():
    with pytest.raises(Forbidden):
        check_own(own(roles={"read", "account", "procurement"}), "org_fsp1")
    check_own(own(roles={"bidding"}), "org_fsp1")


def test_opened_ballots_are_read_by_the_instant_on_record():
    kept = sealed()
    opened(AFTER, "org_fsp1")
    for reader in (SO, a_system_call(iso(AFTER))):
        assert OpenedSeal(reader, a_competition(), AFTER).unsealed([kept, kept]) == [DOCUMENT, DOCUMENT]
    for opened_at in (None, CLOSES, DURING):
        with pytest.raises(Refused) as refusal:
            OpenedSeal(SO, a_competition(), opened_at)
        assert refusal.value.code == "bidding.sealed"


def test_what_is_said_to_be_opened_is_not_where_no_record_says_so(keeper):
    asks = noted_asks(keeper)
    with pytest.raises(Refused) as refusal:
        OpenedSeal(SO, a_competition(), AFTER).unsealed([sealed()])
    assert refusal.value.code == "bidding.sealed"
    assert asks() == 2


def test_nothing_is_asked_for_where_nothing_was_bid(keeper):
    asks = noted_asks(keeper)
    assert OpenedSeal(SO, a_competition(), AFTER).unsealed([]) == []
    assert asks() == 0


def test_bytes_of_an_fsp_that_is_no_bidder_are_a_fault():
    kept, strange = sealed(), sealed(fsp="org_fsp2")
    opened(AFTER, "org_fsp1")
    with pytest.raises(NotSealedHere, match="nothing of org_fsp2"):
        OpenedSeal(SO, a_competition(), AFTER).unsealed([kept, strange])


def test_ballots_of_a_withdrawn_competition_stay_sealed_though_they_were_opened():
    withdrawn = a_competition(outcome="withdrawn")
    for refused in (
        lambda: OpenedSeal(SO, withdrawn, AFTER),
        lambda: check_opening(SO.actor, withdrawn, AFTER, AFTER),
        lambda: check_counting(SO.actor, withdrawn, CLOSES),
    ):
        with pytest.raises(Refused, match="stay sealed"):
            refused()
    assert unseal_own(own(), withdrawn, sealed()) == DOCUMENT


@pytest.mark.parametrize("counter", [a_system_call(), a_call("org_so", "so")])
def test_the_market_and_the_operator_count_from_close_on_and_nobody_before(counter):
    check_counting(counter.actor, a_competition(), CLOSES)
    with pytest.raises(Refused):
        check_counting(counter.actor, a_competition(), CLOSES - timedelta(milliseconds=1))


@pytest.mark.parametrize("stranger", [a_call("org_so2", "so"), a_call("org_fsp1"), a_call("org_mo", "market_operator")])
def test_nobody_else_counts_or_opens(stranger):
    with pytest.raises(NotFound):
        check_counting(stranger.actor, a_competition(), AFTER)
    with pytest.raises(NotFound):
        check_opening(stranger.actor, a_competition(), AFTER, AFTER)


def test_opening_takes_a_minute_after_close_both_on_record_and_by_the_clock():
    check_opening(SO.actor, a_competition(), AFTER, AFTER)
    check_opened(a_competition(), AFTER)
    too_early = AFTER - timedelta(milliseconds=1)
    for opened_at, now in ((AFTER, too_early), (too_early, AFTER), (None, AFTER)):
        with pytest.raises(Refused) as refusal:
            check_opening(SO.actor, a_competition(), opened_at, now)
        assert refusal.value.code == "bidding.sealed"


def test_bytes_of_another_competition_or_owner_or_changed_or_sealed_in_an_unknown_way_are_a_fault():
    a_stored_competition(id="cmp_2", reference="two")
    elsewhere = sealed("cmp_2").content
    right = sealed().content
    wrong = [
        Sealed("cmp_2", "org_fsp1", right),
        Sealed("cmp_1", "org_fsp1", elsewhere),
        Sealed("cmp_1", "org_fsp1", sealed(fsp="org_fsp2").content),
        Sealed("cmp_1", "org_fsp1", b"HR2" + right[3:]),
        Sealed("cmp_1", "org_fsp1", b"XX2" + right[3:]),
        Sealed("cmp_1", "org_fsp1", right[:-1] + bytes([right[-1] ^ 1])),
        Sealed("cmp_1", "org_fsp1", right[:10]),
    ]
    for each in wrong:
        with pytest.raises(ValueError, match="not sealed for cmp_1"):
            unseal_own(own(), a_competition(), each)


def test_a_key_for_the_fsp_opens_no_other_door_and_is_given_up_at_close(keeper):
    kept = sealed()
    opened(AFTER, "org_fsp1")
    asks = noted_asks(keeper)
    just_before = CLOSES - timedelta(seconds=10)
    for _ in range(3):
        unseal_own(own(now=just_before), a_competition(), kept)
    assert asks() == 1
    unseal_own(own(now=CLOSES), a_competition(), kept)
    assert asks() == 2
    seen = OpenedSeal(SO, a_competition(), AFTER)
    assert seen.unsealed([kept]) == seen.unsealed([kept])
    assert asks() == 3


def test_no_key_is_asked_for_somebody_who_may_not_read(keeper):
    kept = sealed()
    asks = noted_asks(keeper)
    for refused in (
        lambda: unseal_own(own("org_fsp2", AFTER), a_competition(), kept),
        lambda: unseal_own(own(roles={"read"}), a_competition(), kept),
        lambda: OpenedSeal(SO, a_competition(), CLOSES),
    ):
        with pytest.raises((NotFound, Forbidden, Refused)):
            refused()
    assert asks() == 0


def test_the_instants_of_the_builders_are_what_they_say():
    assert datetime.fromisoformat(iso(AFTER)) > CLOSES > DURING
