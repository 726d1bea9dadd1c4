"""The sheet: whatever an FSP submits, replaces or withdraws, no two live ballots ever hold one asset."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.bidding.holdings import (
    Use,
    bitmap_of,
    held_assets,
    held_mw,
    holding_of,
    next_ref,
    with_ballot,
    with_token,
    without_ballot,
)
from chalicelib.bidding.rules import ballot_problems
from tests.builders.bidding import a_backing, a_bid, a_competition, a_sheet, a_sheet_with, a_standing

ASSETS = {f"ast_{number}": a_backing("1", number * 7) for number in range(8)}
SOME = st.lists(st.sampled_from(sorted(ASSETS)), min_size=1, max_size=4)


@given(st.sets(st.integers(0, 400)))
def test_a_bitmap_names_exactly_its_assets(ordinals):
    bitmap = bitmap_of(ordinals)
    assert {number for number in range(401) if bitmap >> number & 1} == ordinals


def test_a_ballot_replaced_on_the_sheet_holds_only_what_it_holds_now():
    first = a_sheet_with("bal_1", [0, 1], a_bid(capacity_mw=2), ref="B1")
    second = with_ballot(first, "bal_1", "B1", holding_of(2, [2], [a_bid(window_id="win_2")]))
    assert (second.version, held_assets(second), held_mw(second, "win_1"), held_mw(second, "win_2")) == (2, 4, 0, 1)


def test_a_withdrawn_ballot_holds_nothing_and_keeps_its_reference():
    sheet = without_ballot(a_sheet_with("bal_1", [0], a_bid(capacity_mw=2), ref="B1"), "bal_1")
    assert (held_assets(sheet), sheet.refs, next_ref(sheet)) == (0, {"B1": "bal_1"}, "B2")


def test_references_given_by_the_market_pass_over_those_people_chose():
    sheet = a_sheet_with("bal_1", [0], ref="B2")
    assert next_ref(sheet) == "B3"


def test_the_sheet_remembers_client_tokens_where_there_are_some():
    use = Use(ballot_id="bal_1", version=1, digest="d")
    assert with_token(a_sheet(), "t", use).tokens == {"t": use}
    assert with_token(a_sheet(), None, use).tokens == {}


def test_the_sheet_survives_being_kept():
    sheet = a_sheet_with("bal_1", [0, 300_000], a_bid(capacity_mw="0.0036"), ref="B1")
    assert type(sheet).model_validate_json(sheet.model_dump_json()) == sheet


class AnySequenceOfBallots(RuleBasedStateMachine):
    """Submits, replaces and withdraws at random against a plain model: a set of assets per live ballot."""

    def __init__(self):
        super().__init__()
        self.sheet = a_sheet()
        self.live: dict[str, frozenset[str]] = {}
        self.made = 0

    def _is_taken(self, asset_ids, mw, replaced):
        bids = [a_bid(capacity_mw=mw)]
        backing = {asset_id: ASSETS[asset_id] for asset_id in asset_ids}
        standing = a_standing(backing, qualified_mw=str(len(ASSETS)))
        return not ballot_problems(a_competition(), self.sheet, standing, asset_ids, bids, replaced)

    def _put(self, ballot_id, version, asset_ids, mw):
        ordinals = [ASSETS[asset_id].ordinal for asset_id in asset_ids]
        holding = holding_of(version, ordinals, [a_bid(capacity_mw=mw)])
        self.sheet = with_ballot(self.sheet, ballot_id, f"R{ballot_id}", holding)
        self.live[ballot_id] = frozenset(asset_ids)

    @rule(asset_ids=SOME, mw=st.integers(1, 4))
    def submit(self, asset_ids, mw):
        elsewhere = frozenset().union(*self.live.values())
        may = len(set(asset_ids)) == len(asset_ids) >= mw and not elsewhere & set(asset_ids)
        assert self._is_taken(asset_ids, mw, None) == may
        if may:
            self.made += 1
            self._put(f"bal_{self.made}", 1, asset_ids, mw)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), asset_ids=SOME, mw=st.integers(1, 4))
    def replace(self, data, asset_ids, mw):
        ballot_id = data.draw(st.sampled_from(sorted(self.live)))
        elsewhere = frozenset().union(*(held for each, held in self.live.items() if each != ballot_id))
        may = len(set(asset_ids)) == len(asset_ids) >= mw and not elsewhere & set(asset_ids)
        assert self._is_taken(asset_ids, mw, ballot_id) == may
        if may:
            self._put(ballot_id, self.sheet.live[ballot_id].version + 1, asset_ids, mw)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def withdraw(self, data):
        ballot_id = data.draw(st.sampled_from(sorted(self.live)))
        self.sheet = without_ballot(self.sheet, ballot_id)
        del self.live[ballot_id]

    @invariant()
    def live_ballots_hold_disjoint_assets(self):
        held = [bitmap_of(ASSETS[asset_id].ordinal for asset_id in assets) for assets in self.live.values()]
        assert {each: holding.bitmap for each, holding in self.sheet.live.items()} == dict(
            zip(self.live, held, strict=True)
        )
        assert sum(bitmap.bit_count() for bitmap in held) == held_assets(self.sheet).bit_count()

    @invariant()
    def ballots_together_stay_within_the_qualified_capacity(self):
        assert held_mw(self.sheet, "win_1") <= len(ASSETS)


TestAnySequenceOfBallots = AnySequenceOfBallots.TestCase
