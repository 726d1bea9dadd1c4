"""Previews, lists and calendars tell what a competition comes to."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.areas.models import Area, Box
from chalicelib.competitions.calendars import competition_calendar
from chalicelib.competitions.listing import as_csv, as_geojson, box_of, is_asked_for, overlaps
from chalicelib.competitions.models import Competition
from chalicelib.competitions.planning import as_request, is_same, plan, setting_of
from chalicelib.competitions.publishing import preview, publication_problems
from chalicelib.competitions.views import CompetitionQuery, competition_summary, competition_view, preview_window
from tests.builders.competitions import KNOWN, MADE, SETTING, a_competition, a_published, window_values

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)


def warned(competition: Competition, areas: dict[str, Area] | None = None, now: datetime = NOW) -> list[str]:
    return [each.code for each in preview(competition, now, areas or {}).warnings]


def test_a_preview_counts_hours_clock_changes_and_holidays() -> None:
    nights = window_values(
        service_period_start="2026-03-01",
        service_period_end="2026-04-30",
        start="00:00",
        end="06:00",
        service_days="all",
        public_holiday_handling="exclude",
        dispatch_estimate=None,
        dispatch_duration=None,
    )
    competition = a_competition(service_windows=[nights])
    window = preview_window(competition, competition.windows[0])
    assert (window.occurrences, window.holidays_left_out, window.clock_changes) == (59, 2, 1)
    assert window.hours == 59 * 6 - 1
    assert window.available_mwh == 2 * (59 * 6 - 1)
    assert window.expected_mwh is None


def test_a_preview_sums_the_energy_of_all_windows() -> None:
    other = window_values(service_window_name="Night", start="22:00", end="02:00", capacity_required="1")
    found = preview(a_competition(service_windows=[window_values(), other]), NOW, {})
    assert found.expected_mwh == 2 * 20 + 1 * 20
    assert found.available_mwh == 3 * 264
    assert [window.clock_changes for window in found.windows] == [0, 0]


def test_a_window_lost_to_the_skipped_hour_counts_as_a_clock_change() -> None:
    skipped = window_values(
        service_period_start="2026-03-28",
        service_period_end="2026-03-30",
        start="01:00",
        end="02:00",
        service_days="all",
        dispatch_estimate=None,
        dispatch_duration=None,
    )
    competition = a_competition(service_windows=[skipped])
    window = preview_window(competition, competition.windows[0])
    assert (window.occurrences, window.clock_changes, window.hours) == (2, 1, 2)


def test_deadlines_outside_working_time_are_warned_of() -> None:
    assert warned(a_competition()) == []
    assert warned(a_competition(closed="2026-06-13T12:00:00")) == ["calendar.outside_working_time"]
    assert warned(a_competition(qualification_closed="2026-05-25T12:00:00")) == ["calendar.outside_working_time"]
    assert warned(a_competition(open=None, closed=None)) == []


def test_holidays_that_are_not_known_are_warned_of() -> None:
    late = window_values(service_period_end="2036-07-02", public_holiday_handling="exclude")
    assert warned(a_competition(service_windows=[late])) == ["holidays.unknown"]
    nowhere = a_competition(service_windows=[window_values(public_holiday_handling="exclude")], holiday_region=None)
    assert warned(nowhere) == ["holidays.no_calendar"]


def test_delivery_before_the_close_is_warned_of() -> None:
    early = window_values(service_period_start="2026-06-12")
    assert warned(a_competition(service_windows=[early])) == ["calendar.early_delivery"]


def test_an_area_with_a_newer_version_is_warned_of() -> None:
    newer = Area(id="a", so="org_so1", ref="NORTH", name="N", version=2, zone_id="zon_2", kinds=(), changed_at=MADE)
    assert warned(a_competition(), {"NORTH": newer}) == ["area.newer"]
    assert warned(a_competition(), {"NORTH": newer.but(zone_id="zon_north")}) == []


def test_a_competition_whose_qualification_has_closed_cannot_be_published() -> None:
    assert [each.code for each in publication_problems(a_competition(), datetime(2026, 5, 29, 16, tzinfo=UTC))] == [
        "calendar.past"
    ]
    assert publication_problems(a_competition(), datetime(2026, 5, 29, 15, 59, tzinfo=UTC)) == []
    assert "calendar.past" in warned(a_competition(), now=datetime(2026, 6, 1, tzinfo=UTC))


def test_asking_for_a_competition_as_it_stands_changes_nothing() -> None:
    competition = a_published(
        product_type="Secure",
        availability_fixed_price="5",
        service_fee_guide="10",
        round_ref="R1",
        archive_on="2027-01-01",
        minimum_connection_voltage="0.4",
        accept_partial_award=False,
    )
    again = plan(as_request(competition), setting_of(competition), KNOWN, competition.id, NOW, competition).competition
    assert again is not None
    assert is_same(competition, again)


def test_a_setting_of_an_unknown_holiday_region_keeps_no_holidays() -> None:
    elsewhere = type(SETTING)("org_so1", holiday_region="atlantis")
    competition = plan(as_request(a_competition()), elsewhere, KNOWN, "cmp_1", NOW).competition
    assert competition is not None
    assert competition.holiday_region is None


def test_a_view_gives_back_the_fields_that_were_asked_for() -> None:
    view = competition_view(a_published(), NOW)
    told = view.model_dump(mode="json")
    assert told["qualification_open"] == "2026-05-01T08:00:00Z"
    assert told["service_windows"][0]["capacity_required"] == "2"
    assert told["service_windows"][0]["dispatch_duration"] == "PT2H"
    assert (view.phase, view.service_windows[0].hours) == ("published", Decimal(264))


def test_reactive_power_is_told_in_mvar() -> None:
    reactive = a_competition(power_type="Reactive", need_direction="Lagging")
    assert (reactive.capacity_unit, reactive.need_direction) == ("MVAr", "Export")
    assert a_competition().capacity_unit == "MW"


def test_windows_and_own_lists_are_found_on_the_competition() -> None:
    competition = a_competition()
    assert competition.windows_by_id == {competition.windows[0].id: competition.windows[0]}
    assert not competition.boundaries.has_own_list


def test_a_windows_own_ceiling_holds_over_the_competitions() -> None:
    competition = a_competition(utilisation_ceiling="300", service_windows=[window_values(utilisation_ceiling="250")])
    ceilings = competition.ceilings(competition.windows[0])
    assert (ceilings.utilisation, ceilings.availability) == (250, None)
    assert competition.ceilings(competition.windows[0].but(utilisation_ceiling=None)).utilisation == 300


@pytest.mark.parametrize(
    ("asked", "is_in"),
    [
        ({}, True),
        ({"so": "org_so1"}, True),
        ({"so": "org_other"}, False),
        ({"ref": "T2605_NORTH_01"}, True),
        ({"product": "Secure"}, False),
        ({"direction": "Deficit"}, True),
        ({"round": "R1"}, False),
        ({"area": "NORTH"}, True),
        ({"area": "SOUTH"}, False),
        ({"phase": "published"}, True),
        ({"phase": "historic"}, False),
        ({"phase": "bidding"}, False),
        ({"delivery_from": "2026-09-30"}, True),
        ({"delivery_from": "2026-10-01"}, False),
        ({"delivery_to": "2026-07-01"}, True),
        ({"delivery_to": "2026-06-30"}, False),
        ({"minimum_size": "0.05"}, True),
        ({"minimum_size": "0.049"}, False),
    ],
)
def test_filters_keep_what_fits(asked: dict[str, Any], is_in: bool) -> None:
    assert is_asked_for(a_published(), CompetitionQuery.model_validate(asked), NOW) is is_in


def test_historic_is_closed_or_later() -> None:
    later = datetime(2026, 6, 13, tzinfo=UTC)
    assert is_asked_for(a_published(), CompetitionQuery(phase="historic"), later)


def test_boxes_overlap_when_they_touch() -> None:
    wanted = box_of("1,52,2,53")
    beside = Box(south=Decimal(52), west=Decimal(3), north=Decimal(53), east=Decimal(4))
    touching = Box(south=Decimal(53), west=Decimal(2), north=Decimal(54), east=Decimal(3))
    above = Box(south=Decimal(54), west=Decimal(1), north=Decimal(55), east=Decimal(2))
    assert [overlaps(box, wanted) for box in (None, beside, touching, above)] == [False, False, True, False]


def test_csv_keeps_formulas_from_being_any() -> None:
    summary = competition_summary(a_published(name="=1+1"), NOW)
    (row,) = csv.DictReader(io.StringIO(as_csv([summary])))
    assert (row["name"], row["areas"], row["closed"]) == ("'=1+1", "NORTH", "2026-06-12T16:00:00Z")


def test_geojson_holds_one_shape_or_several_or_none() -> None:
    summary = competition_summary(a_published(), NOW)
    shape = {"type": "Point", "coordinates": [1, 52]}
    features = as_geojson([(summary, []), (summary, [shape]), (summary, [shape, shape])])["features"]
    assert [each["geometry"] and each["geometry"]["type"] for each in features] == [None, "Point", "GeometryCollection"]


def test_the_calendar_feed_holds_dates_and_periods() -> None:
    text = competition_calendar(a_published(name="Ipswich; north, " + "x" * 100, version=3))
    unfolded = text.replace("\r\n ", "")
    assert "DTSTART:20260501T080000Z\r\nDTEND:20260529T160000Z" in unfolded
    assert "DTSTART:20260601T080000Z\r\nDTEND:20260612T160000Z" in unfolded
    assert "DTSTART;VALUE=DATE:20260701\r\nDTEND;VALUE=DATE:20261001" in unfolded
    assert "Ipswich\\; north\\, xxx" in unfolded
    assert "SEQUENCE:3" in unfolded
    assert unfolded.count("BEGIN:VEVENT") == 3
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_withdrawn_competition_is_cancelled_in_calendars() -> None:
    text = competition_calendar(a_published(open=None, closed=None, outcome="withdrawn", outcome_at=NOW))
    assert text.count("STATUS:CANCELLED") == 2
    assert date(2026, 7, 1).strftime("%Y%m%d") in text
