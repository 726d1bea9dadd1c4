"""Claims about the month's workbook of meter data: which meters and days, filled in so that it can go in again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.contracts import store as contracts
from chalicelib.files.writing import write_download
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.holidays import holidays_of
from chalicelib.metering import actions as metering
from chalicelib.metering.imports import apply_object
from chalicelib.metering.sheets import READINGS, TEMPLATE
from chalicelib.settlement.downloads_meter_data import export_meter_data
from chalicelib.settlement.history_days import days_needed
from chalicelib.settlement.methods import PRESETS, Historical, Nominated
from chalicelib.storage.commit import commit
from tests.builders.assets import a_receipt
from tests.builders.dispatch import a_variation
from tests.builders.nominations import (
    DAY,
    KW,
    at,
    given_asset,
    given_instruction,
    given_obligation,
    meter_id,
)
from tests.builders.registry import a_system_operator, given_pool
from tests.builders.settlement import local

HOLIDAYS = holidays_of("england-and-wales")
NOW = "2026-07-02T09:00:00Z"


def weekdays_before(day: date, count: int, out: frozenset[date] = frozenset()) -> list[date]:
    earlier = (day - timedelta(days=back) for back in range(1, 60))
    return sorted([each for each in earlier if each.weekday() < 5 and each not in HOLIDAYS | out][:count])


def test_a_history_takes_its_classes_days_but_no_holiday_event_or_outage() -> None:
    ten = PRESETS["10-of-10"]
    assert days_needed(ten, DAY, HOLIDAYS, (), ()) == [*weekdays_before(DAY, 10), DAY]
    out = frozenset({DAY - timedelta(days=1), DAY - timedelta(days=2)})
    assert days_needed(ten, DAY, HOLIDAYS, {DAY - timedelta(days=1)}, {DAY - timedelta(days=2)}) == [
        *weekdays_before(DAY, 10, out),
        DAY,
    ]


def test_a_rule_that_excludes_nothing_takes_every_day() -> None:
    often = Historical(
        days=3, keep=3, day_class="any", exclude_event_days=False, exclude_outage_days=False, exclude_holidays=False
    )
    before = [DAY - timedelta(days=back) for back in (3, 2, 1)]
    assert days_needed(often, DAY, HOLIDAYS, before, before) == [*before, DAY]


def test_weekends_and_holidays_have_a_history_of_their_own() -> None:
    five = PRESETS["5 working / 2 non-working"]
    saturday = date(2026, 6, 20)
    assert days_needed(five, saturday, HOLIDAYS, (), ()) == [date(2026, 6, 13), date(2026, 6, 14), saturday]
    rolling = PRESETS["rolling 5 working days"]
    assert days_needed(rolling, saturday, HOLIDAYS, (), ()) == [*weekdays_before(saturday, 5), saturday]


def test_a_method_without_a_history_needs_the_day_alone() -> None:
    assert days_needed(Nominated(), DAY, HOLIDAYS, (), ()) == [DAY]


def test_the_look_back_ends() -> None:
    short = Historical(days=10, keep=10, look_back_days=7)
    assert days_needed(short, DAY, HOLIDAYS, (), ()) == [*weekdays_before(DAY, 5), DAY]


@pytest.fixture
def so(market: None) -> str:
    given_pool()
    return a_system_operator().organisation


def rows(**filters: Any) -> list[dict[str, Any]]:
    template, sheets = export_meter_data(at(NOW), {"month": "2026-06", **filters})
    assert template is TEMPLATE
    return list(sheets[READINGS])


def days_of(meter: str, **filters: Any) -> list[date]:
    return [row["day"] for row in rows(**filters) if row["meter_id"] == meter]


def test_the_workbook_names_the_days_of_every_instruction_and_those_looked_back_on(so: str) -> None:
    given_obligation(given_asset(), so=so, baseline=PRESETS["10-of-10"].model_dump())
    assert rows() == []
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z", so=so)
    assert days_of(meter_id()) == [*weekdays_before(DAY, 10), DAY]
    assert {(row["unit"], row["positive"], row["clock"]) for row in rows()} == {("kWh", "import", "local")}


def test_meters_of_assets_behind_two_obligations_stand_once_with_all_their_days(so: str) -> None:
    asset = given_asset(import_meter_id=meter_id(1), export_meter_id=meter_id(2))
    for name, day in (("obl_1", DAY), ("obl_2", date(2026, 6, 3))):
        given_obligation(asset, id_=name, so=so, baseline={"kind": "zero"})
        given_instruction(name, f"{day}T16:00:00Z", f"{day}T17:00:00Z", f"ins_{name}", so=so)
    assert days_of(meter_id(1)) == [date(2026, 6, 3), DAY]
    assert [row["positive"] for row in rows() if row["meter_id"] == meter_id(2)] == ["export", "export"]


def test_a_meter_of_both_channels_stands_once(so: str) -> None:
    given_obligation(given_asset(export_meter_id=meter_id(1)), so=so, baseline={"kind": "zero"})
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z", so=so)
    assert [(row["meter_id"], row["day"], row["positive"]) for row in rows()] == [(meter_id(1), DAY, "import")]


def test_settled_by_meter_each_asset_leaves_out_its_own_days_alone(so: str) -> None:
    one, two = given_asset(1), given_asset(2)
    given_obligation(one, two, so=so, baseline=PRESETS["10-of-10"].model_dump(), level="meter")
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z", so=so)
    given_obligation(two, id_="obl_2", so=so, baseline={"kind": "zero"})
    before = DAY - timedelta(days=1)
    given_instruction("obl_2", f"{before}T16:00:00Z", f"{before}T17:00:00Z", "ins_2", so=so)
    assert before in days_of(meter_id(1), obligation_id="obl_1")
    assert weekdays_before(DAY, 11)[0] in days_of(meter_id(2), obligation_id="obl_1")


def test_outage_days_and_other_months_are_left_out(so: str) -> None:
    given_obligation(given_asset(), so=so, baseline=PRESETS["10-of-10"].model_dump())
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z", so=so)
    out = DAY - timedelta(days=1)
    span = (local(out, "10:00"), local(out, "11:00"))
    commit(at(NOW), [contracts.new_variation(a_variation(*span, "0", local(out, "09:00")))])
    assert days_of(meter_id()) == [*weekdays_before(DAY, 10, frozenset({out})), DAY]
    assert rows(month="2026-08") == []


def test_filters_are_a_month_and_an_obligation_of_ones_own(so: str) -> None:
    given_obligation(given_asset(), fsp="org_fsp2", so=so)
    for wrong in ({"month": "June"}, {"month": "2026-06", "other": 1}):
        with pytest.raises(ValidationError):
            export_meter_data(at(NOW), wrong)
    with pytest.raises(NotFound):
        rows(obligation_id="obl_1")


def test_the_workbook_goes_in_again_filled_wholly_or_in_part(so: str) -> None:
    asset = given_asset(import_meter_id=meter_id(1), export_meter_id=meter_id(2))
    given_obligation(asset, so=so, baseline=PRESETS["5 working / 2 non-working"].model_dump())
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z", so=so)
    figures = {f"hh{number}": "0.5" for number in range(1, 49)}
    filled = [row | (figures if row["day"] == DAY else {}) for row in rows()]
    content = write_download(TEMPLATE, {READINGS: filled})
    outcomes = apply_object(at(NOW), a_receipt("rcp_m", at=NOW, kind="meter-data"), content)
    assert sorted(each.outcome for each in outcomes) == ["created"] * 2 + ["unchanged"] * 10
    read = metering.readings_between([meter_id(1), meter_id(2)], DAY - timedelta(days=10), DAY)
    assert set(read[meter_id(1)].values()) == {KW}
    assert set(read[meter_id(2)].values()) == {-KW}
    assert len(read[meter_id(1)]) == len(read[meter_id(2)]) == 48
