"""Claims about readings sent by API: declared in full, judged as files are, each meter-day by itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Invalid
from chalicelib.metering import actions
from chalicelib.metering.actions_readings import replay_readings, take_readings
from chalicelib.metering.requests import MOST_FIGURES, ReadingsRequest
from chalicelib.storage.claims import find_result
from tests.builders.calls import a_call
from tests.builders.metering import AUTUMN, SPRING, SUMMER, WINTER
from tests.builders.nominations import KW, given_asset, meter_id

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture(autouse=True)
def _assets(market: None) -> None:
    given_asset(1, maximum_import_mw="0.1", maximum_export_mw="0.1")
    given_asset(2, import_meter_id=None, export_meter_id=meter_id(2))
    given_asset(3, owner="org_fsp2")


def a_request(*series: dict[str, Any], **but: Any) -> ReadingsRequest:
    said = {"unit": "kWh", "positive": "import", "clock": "local", "stamp": "start"}
    return ReadingsRequest.model_validate({**said, "series": series, **but})


def of_day(day: date, figures: int = 48, number: int = 1, kwh: Any = "0.5", clock: str = "00:00") -> dict[str, Any]:
    return {"meter_id": meter_id(number), "first": f"{day}T{clock}", "figures": [kwh] * figures}


def held(day: date, number: int = 1) -> list[int]:
    return list(actions.readings_between([meter_id(number)], day, day)[meter_id(number)].values())


@pytest.mark.parametrize(("day", "periods"), [(SPRING, 46), (WINTER, 48), (SUMMER, 48), (AUTUMN, 50)])
def test_a_local_day_goes_in_whole(day: date, periods: int) -> None:
    [told] = take_readings(a_call(), a_request(of_day(day, periods))).items
    assert (told.outcome, told.day, told.series) == ("created", day, 0)
    assert held(day) == [KW] * periods


def test_many_days_of_many_meters_are_told_one_by_one_by_their_series() -> None:
    told = take_readings(a_call(), a_request(of_day(SUMMER, 96), of_day(SUMMER, 48, number=3))).items
    assert [(each.series, each.day, each.outcome) for each in told] == [
        (0, SUMMER, "created"),
        (0, SUMMER + timedelta(days=1), "created"),
        (1, SUMMER, "error"),
    ]
    assert [problem.code for problem in told[2].problems] == ["meter.unknown"]
    assert held(SUMMER, number=3) == []


def test_stamps_at_the_end_and_of_utc_mean_what_they_say() -> None:
    by_end = of_day(SUMMER, 2, clock="00:30")
    take_readings(a_call(), a_request(by_end, stamp="end"))
    utc = {**of_day(SUMMER, 2), "first": f"{SUMMER - timedelta(days=1)}T23:00:00Z"}
    [told] = take_readings(a_call(now="2026-06-20T09:00:00Z"), a_request(utc)).items
    assert told.outcome == "unchanged"
    [late] = take_readings(a_call(), a_request(of_day(SUMMER, 2, number=1, clock="12:00"), clock="UTC")).items
    assert late.outcome == "updated"
    assert len(held(SUMMER)) == 4


def test_units_and_signs_come_to_average_power_import_positive() -> None:
    take_readings(a_call(), a_request(of_day(SUMMER, kwh="3"), unit="kW", positive="export"))
    assert held(SUMMER) == [-3 * KW] * 48
    [told] = take_readings(a_call(), a_request(of_day(WINTER, 96, kwh="100"), unit="Wh", minutes=15)).items
    assert (told.outcome, held(WINTER)) == ("created", [400_000] * 96)


def test_gaps_stay_missing_and_are_remarked_on() -> None:
    series = of_day(SUMMER) | {"figures": ["0.5"] * 20 + [None] + ["0.4"] * 27}
    [told] = take_readings(a_call(), a_request(series)).items
    assert (told.outcome, [each.code for each in told.remarks]) == ("created", ["readings.gap", "readings.run"])
    assert len(held(SUMMER)) == 47


def test_a_period_given_twice_with_two_figures_refuses_its_day_alone() -> None:
    other = of_day(SUMMER + timedelta(days=1))
    told = take_readings(a_call(), a_request(of_day(SUMMER), of_day(SUMMER, 1, kwh="0.6"), other)).items
    assert sorted((each.outcome, [one.code for one in each.problems]) for each in told) == [
        ("created", []),
        ("error", ["readings.repeated"]),
    ]


def test_figures_beyond_the_connection_are_kept_and_remarked_on() -> None:
    [told] = take_readings(a_call(), a_request(of_day(SUMMER, kwh="500"))).items
    assert "readings.beyond_limit" in [each.code for each in told.remarks]


def test_a_time_that_the_clocks_skipped_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        take_readings(a_call(), a_request(of_day(SUMMER), of_day(SPRING, 2, clock="01:00")))
    assert [(each.code, each.field) for each in refused.value.problems] == [("stamps.skipped", "series/1/first")]


def test_a_stamp_off_the_grid_and_a_figure_too_fine_are_named() -> None:
    told = take_readings(a_call(), a_request(of_day(SUMMER, 2, clock="00:10"), of_day(WINTER, 2, kwh="0.0000001")))
    assert [(each.series, [problem.code for problem in each.problems]) for each in told.items] == [
        (0, ["stamps.off_grid"] * 2),
        (1, ["readings.not_a_figure"] * 2),
    ]


@pytest.mark.parametrize("field", ["unit", "positive", "clock", "stamp"])
def test_nothing_is_guessed(field: str) -> None:
    with pytest.raises(ValidationError):
        a_request(of_day(SUMMER), **{field: None})


def test_a_request_is_of_this_century_and_holds_so_much() -> None:
    with pytest.raises(ValidationError):
        a_request(of_day(date(1999, 6, 1)))
    with pytest.raises(ValidationError):
        a_request(of_day(SUMMER, MOST_FIGURES // 2), of_day(SUMMER, MOST_FIGURES // 2 + 1, number=2))


def test_the_same_key_is_answered_as_before() -> None:
    call = a_call()
    keyed = type(call)(call.actor, call.now, call.new_id, call.request_id, Idempotency("k1", "hash"))
    first = take_readings(keyed, a_request(of_day(SUMMER)))
    kept = find_result(keyed)
    assert kept is not None
    assert replay_readings(keyed, kept) == first
