"""Double selling: what obligations leave of assets at the same instants, and what is flagged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.assets.models import Commitment
from chalicelib.bidding.holdings import holding_of, with_ballot
from chalicelib.bidding.overlaps import Times, ballot_overlaps, common, free_mw, obligation_overlaps, peak
from tests.builders.bidding import a_backing, a_bid, a_competition, a_sheet, a_window

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
JUNE = (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def at(hours):
    return NOON + timedelta(hours=hours)


def a_commitment(windows=("win_1",), mw="1", span=JUNE, competition="cmp_2", obligation="obl_1"):
    return Commitment(
        obligation_id=obligation,
        so="org_so2",
        competition_id=competition,
        starts=span[0],
        ends=span[1],
        windows=windows,
        mw=Decimal(mw),
    )


def times(*windows):
    """cmp_1 is on 17:00 to 19:00 on weekdays of June; cmp_2 as given."""
    return Times({"cmp_1": a_competition(), "cmp_2": a_competition(id="cmp_2", windows=windows or (a_window(),))})


def left(*commitments, known=None, mw="2"):
    held = {"ast_1": list(commitments)}
    return free_mw(known or times(), "cmp_1", ["win_1"], {"ast_1": a_backing(mw)}, held)["win_1"]


def test_assets_without_obligations_have_all_they_bring():
    assert free_mw(times(), "cmp_1", ["win_1"], {"ast_1": a_backing("2")}, {}) == {"win_1": Decimal(2)}


def test_an_obligation_at_the_same_time_leaves_the_rest():
    assert left(a_commitment(mw="0.5")) == Decimal("1.5")
    assert left(a_commitment(mw="3")) == 0


def test_an_obligation_at_another_time_of_day_or_year_takes_nothing():
    assert left(a_commitment(), known=times(a_window(start="19:00", end="20:00"))) == 2
    july = (datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC))
    assert left(a_commitment(span=july)) == 2
    assert left(a_commitment(windows=("win_gone",))) == 2
    assert left(a_commitment(competition="cmp_gone")) == 2


def test_an_obligation_that_names_no_window_holds_its_whole_span():
    assert left(a_commitment(windows=())) == 1


def test_obligations_one_after_the_other_take_the_larger_and_at_once_the_sum():
    early, late = a_window(id="early", start="17:00", end="18:00"), a_window(id="late", start="18:00", end="19:00")
    one = a_commitment(windows=("early",), mw="0.5")
    two = a_commitment(windows=("late",), mw="0.75", obligation="obl_2")
    assert left(one, two, known=times(early, late)) == Decimal("1.25")
    three = a_commitment(windows=("early", "late"), mw="0.5", obligation="obl_3")
    assert left(one, two, three, known=times(early, late)) == Decimal("0.75")


def test_overlaps_name_the_obligation_and_the_assets_behind_both():
    held = {"ast_1": [a_commitment()], "ast_2": [a_commitment()], "ast_3": [a_commitment(windows=("win_gone",))]}
    [overlap] = obligation_overlaps(times(), "cmp_1", ["win_1"], held)
    assert (overlap.obligation_id, overlap.asset_ids, overlap.asset_count) == ("obl_1", ("ast_1", "ast_2"), 2)


def test_only_the_first_assets_of_many_are_named():
    held = {f"ast_{number:03d}": [a_commitment()] for number in range(50)}
    [overlap] = obligation_overlaps(times(), "cmp_1", ["win_1"], held)
    assert (overlap.asset_count, len(overlap.asset_ids)) == (50, 20)


def test_live_ballots_elsewhere_at_the_same_time_are_flagged_when_they_share_an_asset():
    ordinals = {"ast_1": 0, "ast_2": 9}

    def elsewhere(ordinals, window_id="win_1"):
        holding = holding_of(1, ordinals, [a_bid(window_id=window_id)])
        return with_ballot(a_sheet(competition_id="cmp_2"), "bal_2", "B1", holding)

    def flagged(sheet):
        return ballot_overlaps(times(), "cmp_1", ["win_1"], ordinals, [sheet])

    [overlap] = flagged(elsewhere([9, 40]))
    assert (overlap.ballot_id, overlap.competition_id, overlap.asset_ids) == ("bal_2", "cmp_2", ("ast_2",))
    assert flagged(elsewhere([40])) == []
    assert flagged(elsewhere([9], "win_gone")) == []


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=6)


def disjoint(rows):
    """Spans in order, each after the one before."""
    spans, moment = [], 0
    for gap, length in rows:
        spans.append((at(moment + gap), at(moment + gap + length)))
        moment += gap + length
    return spans


@given(SPANS, SPANS)
def test_common_times_are_exactly_the_hours_in_both(ours, theirs):
    def hours(spans):
        return {number for start, end in spans for number in range(500) if start <= at(number) < end}

    one, other = disjoint(ours), disjoint(theirs)
    shared = list(common(one, other))
    assert hours(shared) == hours(one) & hours(other)
    assert shared == sorted(shared)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(1, 5)), max_size=8))
def test_the_peak_is_the_most_of_any_hour(rows):
    loads = [(at(start), at(start + length), Decimal(mw)) for start, length, mw in rows]
    of_hour = [sum(mw for start, length, mw in rows if start <= hour < start + length) for hour in range(30)]
    assert peak(loads) == max(of_hour)


def test_the_times_of_one_obligation_are_counted_once_for_all_its_assets():
    known = times()
    first = known.of_commitment(a_commitment(mw="1"))
    assert known.of_commitment(a_commitment(mw="2")) is first
