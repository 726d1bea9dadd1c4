"""Claims about meter data that is due: when people are told, of which meters, and that it is once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import store as contracts_store
from chalicelib.contracts.models import ObligatedAsset
from chalicelib.dispatch import actions_answering as answering
from chalicelib.dispatch.requests import Answer
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import half_hours_in
from chalicelib.metering import actions as metering
from chalicelib.metering.models import MeterDay
from chalicelib.settlement import actions_deadlines as deadlines
from chalicelib.settlement import store_deadlines
from chalicelib.settlement.deadlines import due_on, meters_without, month_before, notice_on
from chalicelib.storage.commit import commit
from functions.settle_months import settle_months
from tests.builders.calls import a_call, a_system_call
from tests.builders.dispatch import FSP, DispatchMarket
from tests.builders.settlement import utc

ENGLAND = holidays_of("england-and-wales")
NAME = "settlement.meter_data_due.v1"


def test_meter_data_is_due_on_the_nth_working_day_of_the_month_after() -> None:
    assert due_on(date(2026, 4, 30), 5, ENGLAND) == date(2026, 5, 8), "4 May 2026 is a bank holiday"
    assert due_on(date(2026, 5, 31), 5, ENGLAND) == date(2026, 6, 5), "the month ended on a Sunday"
    assert month_before(date(2026, 3, 1)) == (date(2026, 2, 1), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("day", "notice"), [(4, None), (5, "due"), (8, "due"), (9, "missing"), (15, "missing"), (16, None)]
)
def test_people_are_told_three_working_days_before_and_from_the_day_after(day: int, notice: str | None) -> None:
    assert notice_on(date(2026, 5, day), date(2026, 5, 8), ENGLAND) == notice


def test_a_meter_is_without_when_any_half_hour_asked_of_it_has_no_reading() -> None:
    span = (utc("2026-06-01T16:00"), utc("2026-06-01T17:00"))
    every = list(half_hours_in(span))
    wanted = {meter: [span] for meter in ("full", "fine", "half", "none")}
    readings = {"full": every, "fine": [span[0] + timedelta(minutes=5 * n) for n in range(12)], "half": every[:1]}
    assert meters_without(wanted, readings) == {"half", "none"}
    assert meters_without({"idle": []}, {}) == set()


@given(st.sets(st.integers(0, 47)), st.integers(0, 46), st.integers(1, 12))
def test_readings_outside_the_spans_asked_change_nothing(present: set[int], first: int, length: int) -> None:
    start = utc("2026-06-01T00:00")
    span = (start + timedelta(minutes=30 * first), start + timedelta(minutes=30 * (first + length)))
    asked = set(range(first, first + length))
    starts = {start + timedelta(minutes=30 * place) for place in present}
    assert meters_without({"m": [span]}, {"m": starts}) == (set() if asked <= present else {"m"})


@pytest.fixture
def place(market: None) -> DispatchMarket:
    """Two meters behind an obligation that was instructed on 1 June 2026 and delivered."""
    made = DispatchMarket()
    made.obligation(start="17:00")
    behind = [
        ObligatedAsset(
            obligation_id="obl_1",
            asset_id=f"ast_{meter}",
            asset_ref=meter,
            name=meter,
            import_meter_id=meter,
            capacity_mw=Decimal(1),
        )
        for meter in ("m1", "m2")
    ]
    commit(a_call(), contracts_store.obligated(behind))
    [issued] = made.issue()
    answering.answer_instruction(
        made.call(now="2026-06-01T12:05:00Z"), issued.instruction_id, Answer(answer="acknowledge")
    )
    return made


def told(place: DispatchMarket, now: str, rounds: int = 1) -> list[dict[str, Any]]:
    for _ in range(rounds):
        deadlines.tell_of_meter_data(a_system_call(now), place.so.organisation)
    return place.told(NAME)


def metered(*meters: str) -> None:
    days = [MeterDay(meter_id=meter, day=date(2026, 6, 1), minutes=30, values=(1,) * 48) for meter in meters]
    metering.save_days(a_call(now="2026-07-01T09:00:00Z"), "rct_1", days)


def test_a_provider_is_told_once_of_what_is_due_and_once_of_what_is_missing(place: DispatchMarket) -> None:
    due = {
        "so": place.so.organisation,
        "fsp": FSP,
        "month": "2026-06",
        "kind": "due",
        "due": "2026-07-07",
        "missing": 2,
    }
    assert told(place, "2026-07-01T23:30:00Z", 2) == [due], "it is the second of July already in London"
    metered("m1")
    assert told(place, "2026-07-07T22:30:00Z", 2) == [due]
    assert told(place, "2026-07-07T23:30:00Z", 2) == [due, due | {"kind": "missing", "missing": 1}]


def test_who_is_early_or_late_is_told_nothing(place: DispatchMarket) -> None:
    assert told(place, "2026-07-01T09:00:00Z") == []
    assert told(place, "2026-07-20T09:00:00Z") == []
    assert told(place, "2026-08-05T09:00:00Z") == [], "nobody was instructed in July"


def test_who_has_sent_everything_is_told_nothing_then_or_later(place: DispatchMarket) -> None:
    metered("m1", "m2")
    assert told(place, "2026-07-06T09:00:00Z") == []
    assert store_deadlines.list_told(place.so.organisation, "2026-06", "due") == {FSP}


def test_tests_and_what_was_never_acknowledged_need_no_readings(place: DispatchMarket) -> None:
    place.obligation("obl_2", fsp="org_fsp2")
    place.issue({"obligation_id": "obl_2", "client_token": "expires"})
    assert {each["fsp"] for each in told(place, "2026-07-06T09:00:00Z")} == {FSP}


def test_two_rounds_at_once_tell_once(place: DispatchMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    without = deadlines._without

    def meanwhile(*arguments: Any) -> set[str]:
        monkeypatch.undo()
        told(place, "2026-07-06T09:00:00Z")
        return without(*arguments)

    monkeypatch.setattr(deadlines, "_without", meanwhile)
    assert len(told(place, "2026-07-06T09:00:00Z")) == 1


def test_the_hourly_round_tells_every_operators_providers(place: DispatchMarket) -> None:
    settle_months(a_system_call("2026-07-06T09:00:00Z"))
    assert [each["kind"] for each in place.told(NAME)] == ["due"]
