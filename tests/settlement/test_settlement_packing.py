"""Claims about packed series and sums: they hold what a plain dictionary holds, however many instants are asked."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.models import iso
from chalicelib.settlement.baseline_prints import blank_of, print_of
from chalicelib.settlement.baselines import baseline
from chalicelib.settlement.fingerprints import Prints
from chalicelib.settlement.methods import PRESETS, VERSION, SameDayAdjustment
from chalicelib.settlement.packing import Packed, Summed, is_whole, read
from chalicelib.settlement.series import total
from tests.builders.settlement import EVENT_DAY, a_question, an_instruction, days_back, evidence, flat_days, local

START = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
STEP = timedelta(minutes=30)
RATIO = PRESETS["10-of-10"].but(adjustment=SameDayAdjustment(kind="ratio", hours=Decimal(2)))
places = st.integers(-3, 60)
values = st.integers(-(10**9), 10**9)
stored = st.dictionaries(places.map(lambda place: START + STEP * place), values, max_size=40)
instants = st.lists(st.none() | places.map(lambda place: START + timedelta(minutes=15) * place), max_size=12)


@given(stored, instants)
def test_many_instants_read_as_each_by_itself(series: dict[datetime, int], asked: list[datetime | None]) -> None:
    packed = Packed(series, 30)
    assert list(packed.read(asked)) == [None if at is None else series.get(at) for at in asked] == read(series, asked)
    assert [at in packed for at in asked if at is not None] == [at in series for at in asked if at is not None]
    assert dict(packed) == series
    assert len(packed) == len(series)


@given(stored, stored, instants)
def test_a_sum_is_known_where_every_part_is(
    one: dict[datetime, int], two: dict[datetime, int], asked: list[datetime | None]
) -> None:
    both = Summed([Packed(one, 30), two])
    expected = [one[at] + two[at] if at in one and at in two else None for at in asked if at is not None]
    assert list(both.read([at for at in asked if at is not None])) == expected
    assert [both.get(at) for at in asked if at is not None] == expected
    assert dict(both) == {at: one[at] + two[at] for at in sorted(set(one) & set(two))}
    assert len(both) == len(set(one) & set(two))


@given(stored, places, st.integers(0, 20))
def test_a_series_is_whole_over_a_span_when_no_period_of_it_is_missing(
    series: dict[datetime, int], first: int, count: int
) -> None:
    span = START + STEP * first, START + STEP * (first + count)
    periods = [START + STEP * place for place in range(first, first + count)]
    packed = Packed(series, 30)
    if is_whole(packed, span):
        assert all(at in series for at in periods)
    elif count:
        assert any(at not in series for at in periods)
    assert is_whole(Summed([packed, packed]), span) == is_whole(packed, span)
    assert not is_whole(series, span)


def test_periods_beside_the_grid_are_never_whole() -> None:
    packed = Packed({START + STEP * place: 1 for place in range(9)}, 30)
    assert is_whole(packed, (START, START + STEP * 9))
    beside = START + timedelta(minutes=15)
    assert not is_whole(packed, (beside, beside + STEP))


def test_stretches_run_on_and_the_later_stands() -> None:
    packed = Packed.of([(START, [1, None, 3]), (START + STEP * 2, [4]), (START + STEP * 5, [6])], 30)
    assert dict(packed) == {START: 1, START + STEP * 2: 4, START + STEP * 5: 6}
    assert dict(Packed.of([], 30)) == {}


@given(st.lists(st.fractions(max_denominator=10**6), max_size=30))
def test_a_total_is_the_sum(parts: list[Fraction]) -> None:
    assert total(parts) == sum(parts, Fraction(0))


@given(stored)
def test_a_line_stands_on_the_same_readings_packed_or_not(series: dict[datetime, int]) -> None:
    instruction = an_instruction(starts=START + STEP * 30, ends=START + STEP * 32)
    prints = [
        Prints([instruction], evidence({"m1": readings})).of_instruction(instruction)
        for readings in (series, Packed(series, 30))
    ]
    assert prints[0] == prints[1]


def test_a_baselines_fingerprint_is_of_one_json_with_its_keys_in_order() -> None:
    readings = flat_days({**days_back(40), EVENT_DAY: 90})
    asked = a_question(notice_at=local(EVENT_DAY, "14:00"))
    found = baseline(RATIO, asked, readings)
    days = sorted({*found.days_used, *(day for day, _ in found.days_refused)})
    blank = blank_of(RATIO, asked, days, [])
    whole = {
        "version": VERSION,
        "method": RATIO.model_dump(mode="json"),
        "span": [iso(moment) for moment in asked.span],
        "minutes": 30,
        "zone": "Europe/London",
        "notice": "2026-06-17T13:00:00Z",
        "days": [str(day) for day in days],
        "devices": 1,
        "statements": [],
        "readings": sorted((iso(at), readings[at]) for at in blank.instants),
    }
    text = json.dumps(whole, sort_keys=True)
    assert blank.filled(readings) == text
    assert found.fingerprint == hashlib.sha256(text.encode()).hexdigest() == print_of(RATIO, asked, readings, days, [])
    assert len(blank.instants) == 8 * 11


def test_readings_without_a_gap_are_enough_for_a_baseline_wherever_the_calendar_says_so() -> None:
    for back in (1, 5, 6, 7, 20, 40):
        readings = Packed(flat_days({**days_back(back), EVENT_DAY: 90}), 30)
        asked = a_question(event_days=frozenset({date(2026, 6, 15)}))
        enough = asked.look_back(RATIO).enough
        assert enough is not None
        assert not is_whole(readings, enough) or baseline(RATIO, asked, readings).is_sufficient
    assert is_whole(readings, enough)


def test_the_calendar_does_not_answer_where_the_clocks_skip_or_too_few_days_may_tell() -> None:
    sunday = date(2026, 4, 5)
    two = RATIO.but(adjustment=None, minimum_days=1, days=2, keep=2)
    assert a_question("01:00", "02:00", day=sunday).look_back(two).enough is None
    assert a_question("03:00", "04:00", day=sunday).look_back(two).enough is not None
    short = RATIO.but(look_back_days=5)
    assert a_question().look_back(short).enough is None
