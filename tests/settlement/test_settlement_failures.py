"""Claims about service failures: flagged to both sides above the threshold, from what was declared, never an end."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch import actions_availability as availability
from chalicelib.dispatch.models import AvailabilityPeriod, Segment
from chalicelib.dispatch.requests import VariationRequest
from chalicelib.settlement import actions_failures as failures
from chalicelib.settlement import actions_rules as rules
from chalicelib.settlement import store_reports
from chalicelib.settlement.failures import FailureQuery, ServiceFailure, unavailable_share
from chalicelib.settlement.models_runs import ReportDetail
from chalicelib.settlement.requests import RulesRequest
from tests.builders.calls import a_call
from tests.builders.dispatch import FSP, DispatchMarket
from tests.builders.invoices import keep_published
from tests.builders.reports import a_report_line
from tests.builders.settlement_documents import an_obligation_detail

MAY = "2026-05-20T09:00:00Z"
JULY = "2026-07-03T09:00:00Z"
MONTH = (datetime.fromisoformat("2026-06-01T00:00:00Z"), datetime.fromisoformat("2026-07-01T00:00:00Z"))


@pytest.fixture
def place(market: None) -> DispatchMarket:
    """2 MW on the 22 weekday evenings of June 2026, two hours each."""
    made = DispatchMarket()
    made.obligation()
    return made


def declare(start: str, end: str, mw: str = "0") -> None:
    asked = {"obligation_id": "obl_1", "start": start, "end": end, "available_mw": mw, "reason": "repair"}
    availability.declare_variation(a_call(FSP, now=MAY), VariationRequest.model_validate(asked))


def flags(place: DispatchMarket, side: str = "fsp", month: str | None = None) -> list[ServiceFailure]:
    call = a_call(FSP, now=JULY) if side == "fsp" else place.operator(JULY)
    return failures.list_failures(call, FailureQuery(month=month)).items


def test_nothing_declared_is_no_failure(place: DispatchMarket) -> None:
    assert flags(place) == []


def test_a_third_of_the_month_away_is_flagged_to_both_sides_alike(place: DispatchMarket) -> None:
    declare("2026-06-01T00:00:00Z", "2026-06-10T23:00:00Z")  # 8 of 22 evenings
    [flag] = flags(place)
    assert (flag.kind, flag.month, flag.threshold) == ("availability", "2026-06", Decimal("0.3"))
    assert flag.measured == Decimal("0.3636")
    assert flags(place, "so") == [flag]


def test_just_the_threshold_is_borne(place: DispatchMarket) -> None:
    asked = RulesRequest(name="standard agreement", effective_from="2026-06-01", failure_unavailable=Decimal("0.3636"))
    rules.set_rules(place.operator(MAY), asked)
    declare("2026-06-01T00:00:00Z", "2026-06-10T23:00:00Z")
    assert flags(place) == []


def test_less_of_it_counts_by_its_share(place: DispatchMarket) -> None:
    declare("2026-06-01T00:00:00Z", "2026-06-30T23:00:00Z", mw="1.2")
    [flag] = flags(place)
    assert flag.measured == Decimal("0.4")


def test_another_month_is_judged_by_itself(place: DispatchMarket) -> None:
    declare("2026-06-01T00:00:00Z", "2026-06-30T23:00:00Z")
    assert flags(place, month="2026-07") == []
    assert [each.month for each in flags(place, month="2026-06")] == ["2026-06"]


def test_another_provider_sees_no_flag(place: DispatchMarket) -> None:
    declare("2026-06-01T00:00:00Z", "2026-06-30T23:00:00Z")
    assert failures.list_failures(a_call("org_fsp2", now=JULY), FailureQuery()).items == []


def reported(place: DispatchMarket, month: str, performance: str | None, source: str = "instructions") -> None:
    """A month's published report that gives the obligation this F."""
    detail = an_obligation_detail(month=month, performance=performance, performance_from=source)
    key = store_reports.keep_detail(ReportDetail(obligations=(detail,)))
    keep_published(place.so.organisation, [a_report_line()], month, detail_key=key)


def performances(place: DispatchMarket, side: str = "fsp") -> list[tuple[Decimal, tuple[str, ...]]]:
    return [(each.measured, each.months) for each in flags(place, side) if each.kind == "performance"]


def test_two_months_below_sixty_per_cent_on_average_are_flagged_to_both(place: DispatchMarket) -> None:
    reported(place, "2026-05", "0.65")
    reported(place, "2026-06", "0.53")
    assert performances(place) == performances(place, "so") == [(Decimal("0.59"), ("2026-05", "2026-06"))]


def test_sixty_per_cent_is_borne(place: DispatchMarket) -> None:
    reported(place, "2026-05", "0.7")
    reported(place, "2026-06", "0.5")
    assert performances(place) == []


def test_one_bad_month_after_one_that_nothing_is_known_of_is_no_failure(place: DispatchMarket) -> None:
    reported(place, "2026-06", "0.1")
    assert performances(place) == []
    reported(place, "2026-05", "0.1", source="months before")
    assert performances(place) == []


def test_over_how_many_months_is_the_operators(place: DispatchMarket) -> None:
    asked = RulesRequest(name="standard agreement", effective_from="2026-06-01", failure_months=1)
    rules.set_rules(place.operator(MAY), asked)
    reported(place, "2026-06", "0.59")
    assert performances(place) == [(Decimal("0.59"), ("2026-06",))]


@given(st.lists(st.tuples(st.integers(-5, 35), st.integers(1, 6), st.integers(0, 100)), min_size=1))
def test_the_share_stays_between_nothing_and_all(drawn: list[tuple[int, int, int]]) -> None:
    periods = [a_period(day, hours, Decimal(part)) for day, hours, part in drawn]
    share = unavailable_share(periods, MONTH)
    inside = any(period.start < MONTH[1] and period.end > MONTH[0] for period in periods)
    assert (share is not None) == inside
    assert share is None or 0 <= share <= 1


def a_period(day: int, hours: int, part: Decimal) -> AvailabilityPeriod:
    """100 MW promised from some day of June on, `part` MW of it available."""
    start = MONTH[0] + timedelta(days=day)
    end = start + timedelta(hours=hours)
    left = Segment(start=start, end=end, available_mw=part)
    return AvailabilityPeriod(start=start, end=end, promised_mw=Decimal(100), state="varied", segments=(left,))
