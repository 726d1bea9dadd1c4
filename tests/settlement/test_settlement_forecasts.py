"""Claims about forecast accuracy, and about previews by an obligation's rules, holidays and outages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.contracts import store as contracts
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.registry.models import OperatorSettings
from chalicelib.settlement.actions_accuracy import EMPTY, MOST_ASSETS, get_accuracy
from chalicelib.settlement.actions_nominations import state_nominations
from chalicelib.settlement.actions_outages import outage_days_of
from chalicelib.settlement.actions_previews import preview_baseline
from chalicelib.settlement.forecasts import fit_of
from chalicelib.settlement.requests import PreviewRequest
from chalicelib.settlement.requests_nominations import AccuracyQuery, AccuracyView, NominationsRequest
from chalicelib.storage.commit import commit
from tests.builders.dispatch import a_variation
from tests.builders.nominations import (
    DAY,
    KW,
    SO,
    at,
    days_before,
    given_asset,
    given_instruction,
    given_obligation,
    given_readings,
)
from tests.builders.registry import a_system_operator, given_pool
from tests.builders.settlement import LONDON, local

pytestmark = pytest.mark.usefixtures("market")
NOW = "2026-06-30T09:00:00Z"
EARLY = "2026-06-01T09:00:00Z"


@pytest.fixture
def asset(market: None) -> str:
    return given_asset()


def accuracy(first: date = DAY, last: date = DAY, call: Any = None, **of: str) -> AccuracyView:
    query = AccuracyQuery.model_validate({**of, "first": first, "last": last})
    return get_accuracy(call or at(NOW), query)


def given_schedule(kw: str, day: date = DAY, ref: str = "EV-1", now: str = EARLY) -> None:
    nomination = {"asset_ref": ref, "day": str(day), "kw": [kw] * 48}
    state_nominations(at(now), NominationsRequest.model_validate({"nominations": [nomination]}))


def test_a_schedule_is_compared_with_the_meter_half_hour_by_half_hour(asset: str) -> None:
    given_readings([DAY], kw=10)
    given_schedule("8")
    found = accuracy(asset_id=asset)
    [day] = found.days
    assert (day.forecast, day.compared, day.left_out) == ("nominated", 48, 0)
    assert (day.accuracy, day.mean_absolute_error_kw) == (80, 2)
    assert (found.compared, found.accuracy, found.mean_absolute_error_kw, found.empty) == (48, 80, 2, None)


def test_what_was_stated_after_the_gate_is_no_forecast(asset: str) -> None:
    given_readings([DAY], kw=10)
    given_schedule("8")
    given_schedule("10", now=f"{DAY}T11:00:00Z")  # noon of London: an hour's gate leaves 13:00 on
    [day] = accuracy(asset_id=asset).days
    assert day.mean_absolute_error_kw == round(Decimal(2 * 27) / 48, 6)


def test_half_hours_of_an_event_tell_nothing_of_a_forecast(asset: str) -> None:
    given_obligation(asset)
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z")
    given_readings([DAY])
    given_schedule("10")
    [day] = accuracy(asset_id=asset).days
    assert (day.compared, day.left_out, day.accuracy) == (46, 2, 100)


def test_a_weekly_template_stands_in_for_schedules(asset: str) -> None:
    given_readings([DAY], kw=10)
    week = {"asset_ref": "EV-1", "kw": {"Wed": ["5"] * 48}}
    state_nominations(at(EARLY), NominationsRequest.model_validate({"weekly_templates": [week]}))
    [day] = accuracy(asset_id=asset).days
    assert (day.forecast, day.accuracy, day.mean_absolute_error_kw) == ("weekly_template", 50, 5)


def test_without_statements_the_baseline_is_compared_on_days_without_an_event(asset: str) -> None:
    given_obligation(asset)
    given_readings(days_before(DAY, 25), kw=10)
    given_readings([DAY], kw=20)
    [day] = accuracy(asset_id=asset).days
    assert (day.forecast, day.accuracy, day.mean_absolute_error_kw) == ("baseline", 50, 10)
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z")
    assert accuracy(asset_id=asset).days == ()


def test_an_obligations_own_history_is_compared_without_the_days_own_start(asset: str) -> None:
    given_pool()
    method = {"kind": "historical", "days": 5, "keep": 5, "adjustment": {"kind": "ratio"}}
    given_obligation(asset, so=a_system_operator().organisation, baseline=method)
    given_readings(days_before(DAY, 14), kw=10)
    given_readings([DAY], kw=8)
    [day] = accuracy(obligation_id="obl_1").days
    assert (day.forecast, day.accuracy, day.mean_absolute_error_kw) == ("baseline", 75, 2)


def test_an_obligations_assets_are_judged_together_by_its_rules() -> None:
    one, two = given_asset(1), given_asset(2)
    given_pool()
    given_obligation(one, two, so=a_system_operator().organisation, baseline={"kind": "nominated", "gate_hours": "2"})
    for number, kw in ((1, 10), (2, 30)):
        given_readings([DAY], kw, number, f"rcp_{number}")
    given_schedule("20")
    given_schedule("20", ref="EV-2")
    found = accuracy(obligation_id="obl_1")
    assert (found.compared, found.accuracy, found.mean_absolute_error_kw) == (48, 100, 0)


def test_with_nothing_to_compare_a_sentence_says_what_would_help(asset: str) -> None:
    found = accuracy(asset_id=asset)
    assert (found.days, found.compared, found.accuracy, found.mean_absolute_error_kw) == ((), 0, None, None)
    assert found.empty == EMPTY


def test_accuracy_is_of_ones_own_and_not_of_too_many_at_once(asset: str) -> None:
    given_obligation(asset, asset_count=MOST_ASSETS + 1)
    with pytest.raises(NotFound):
        accuracy(call=at(NOW, "org_fsp2"), asset_id=asset)
    with pytest.raises(NotFound):
        accuracy(call=at(NOW, "org_fsp2"), obligation_id="obl_1")
    with pytest.raises(Refused):
        accuracy(obligation_id="obl_1")
    for wrong in ({}, {"asset_id": "a", "obligation_id": "o"}, {"asset_id": "a", "last": DAY - timedelta(days=1)}):
        with pytest.raises(ValidationError):
            accuracy(**wrong)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), min_size=1, max_size=9))
def test_the_error_is_a_mean_and_a_perfect_forecast_is_a_hundred_per_cent(pairs: list[tuple[int, int]]) -> None:
    perfect = fit_of([(metered, metered) for metered, _ in pairs], Decimal(0))
    assert (perfect.accuracy, perfect.mean_absolute_error_kw) == (100, 0)
    found = fit_of(pairs, Decimal(0))
    assert found.mean_absolute_error_kw is not None
    assert found.mean_absolute_error_kw <= max(abs(metered - told) for metered, told in pairs)
    assert found.accuracy is not None
    assert found.accuracy <= 100


def preview(asset: str, **but: Any) -> Any:
    span = {"starts": local(DAY, "17:00"), "ends": local(DAY, "19:00")}
    return preview_baseline(at(NOW), PreviewRequest.model_validate({"asset_id": asset, **span, **but}))


def test_a_preview_by_an_obligation_uses_its_rules_and_its_operators_holidays(asset: str) -> None:
    given_pool()
    so = a_system_operator().organisation
    given_obligation(asset, so=so, baseline={"kind": "historical", "days": 5, "keep": 5})
    given_readings(days_before(DAY, 20))
    found = preview(asset, obligation_id="obl_1")
    assert (found.status, len(found.days_used)) == ("SUFFICIENT", 5)
    assert found.periods[0].baseline_kw == 10


def test_holidays_are_those_of_the_operator_that_is_named(asset: str) -> None:
    given_readings(days_before(DAY, 45))
    given_pool()
    so = a_system_operator(settings=OperatorSettings(holiday_region="scotland")).organisation
    scottish = (date(2026, 6, 15), "HOLIDAY")
    wide = {"kind": "historical", "days": 30, "keep": 30, "day_class": "any", "minimum_days": 1}
    ours, theirs = preview(asset, method=wide), preview(asset, method=wide, so=so)
    assert scottish not in [(each.day, each.reason) for each in ours.days_refused]
    assert scottish in [(each.day, each.reason) for each in theirs.days_refused]


def test_a_preview_by_statements_takes_what_the_rules_take(asset: str) -> None:
    given_pool()
    given_obligation(asset, so=a_system_operator().organisation, baseline={"kind": "nominated"})
    assert preview(asset, obligation_id="obl_1").status == "INSUFFICIENT"
    given_schedule("6")
    found = preview(asset, obligation_id="obl_1")
    assert {each.baseline_kw for each in found.periods} == {Decimal(6)}


def test_a_preview_is_by_an_obligation_of_ones_own_or_an_operator_but_not_both(asset: str) -> None:
    given_obligation(asset, fsp="org_fsp2")
    with pytest.raises(NotFound):
        preview(asset, obligation_id="obl_1")
    with pytest.raises(ValidationError):
        preview(asset, obligation_id="obl_1", so=SO)


def given_variation(starts: str, ends: str, mw: str, declared: str, obligation: str = "obl_1") -> None:
    span = (local(DAY, starts), local(DAY, ends))
    declared_at = local(DAY - timedelta(days=1), declared)
    variation = a_variation(*span, mw, declared_at, obligation_id=obligation)
    commit(at(NOW), [contracts.new_variation(variation)])


def outages(asset: str) -> frozenset[date]:
    return outage_days_of([asset], DAY - timedelta(days=2), DAY + timedelta(days=2), LONDON)[asset]


def test_days_declared_less_than_available_are_outage_days_and_tell_nothing(asset: str) -> None:
    given_obligation(asset)
    assert outages(asset) == frozenset()
    given_variation("17:00", "18:00", "0", "09:00")
    assert outages(asset) == {DAY}
    given_readings(days_before(DAY + timedelta(days=1), 20))
    span = {"starts": local(DAY + timedelta(days=1), "17:00"), "ends": local(DAY + timedelta(days=1), "18:00")}
    refused = preview(asset, **span).days_refused
    assert (DAY, "OUTAGE_DAY") in [(each.day, each.reason) for each in refused]


def test_what_a_later_word_gives_back_is_no_outage(asset: str) -> None:
    given_obligation(asset)
    given_variation("17:00", "18:00", "0", "09:00")
    given_variation("16:00", "19:00", "2", "10:00")
    assert outages(asset) == frozenset()


def test_an_outage_of_other_days_is_not_told(asset: str) -> None:
    given_obligation(asset)
    given_variation("17:00", "18:00", "0", "09:00")
    after = DAY + timedelta(days=1)
    assert outage_days_of([asset], after, after, LONDON) == {asset: frozenset()}


def test_an_outage_until_midnight_ends_with_its_day(asset: str) -> None:
    given_obligation(asset)
    until = local(DAY + timedelta(days=1), "00:00")
    variation = a_variation(local(DAY - timedelta(days=1), "12:00"), until, "1", local(DAY, "01:00"))
    commit(at(NOW), [contracts.new_variation(variation)])
    assert outages(asset) == {DAY - timedelta(days=1), DAY}
    assert outage_days_of(["ast_none"], DAY, DAY, LONDON) == {"ast_none": frozenset()}


def test_kilowatts_are_told_as_kilowatts() -> None:
    assert fit_of([(3 * KW, KW)]).mean_absolute_error_kw == 2
