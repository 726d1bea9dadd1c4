"""Owns what publication asks of a competition, and what a person should look at before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from chalicelib.areas.models import Area
from chalicelib.competitions.models import Competition
from chalicelib.competitions.rules import phase
from chalicelib.competitions.views import (
    Caution,
    PreviewView,
    expected_mwh,
    preview_window,
    to_four_places,
)
from chalicelib.kernel import periods
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.holidays import holidays_of, uncovered_years
from chalicelib.kernel.quantities import ZERO

_DEADLINES = {"qualification_closed": "Qualification closes", "closed": "Bidding closes"}


def publication_problems(competition: Competition, now: datetime) -> list[Problem]:
    """What stands against publication: a competition whose qualification has closed can be joined by nobody."""
    if now < competition.calendar.qualification_closed:
        return []
    detail = "Qualification has closed already, so nobody could take part."
    return [Problem("calendar.past", detail, "qualification_closed", "a date to come")]


def published(competition: Competition, now: datetime) -> Competition:
    """The competition as published now; milestones are announced from now on."""
    return competition.but(state="published", published_at=now, announced_until=now)


def preview(competition: Competition, now: datetime, areas: Mapping[str, Area]) -> PreviewView:
    """What a competition comes to; `areas` are its areas as they are now, by reference."""
    windows = competition.windows
    return PreviewView(
        competition_id=competition.id,
        reference=competition.reference,
        version=competition.version,
        phase=phase(competition, now),
        windows=tuple(preview_window(competition, window) for window in windows),
        available_mwh=to_four_places(sum((each.capacity_required * each.hours for each in windows), ZERO)),
        expected_mwh=to_four_places(sum((expected_mwh(window) or ZERO for window in windows), ZERO)),
        zones=competition.zones,
        warnings=tuple(warnings(competition, now, areas)),
    )


def warnings(competition: Competition, now: datetime, areas: Mapping[str, Area]) -> list[Caution]:
    """What a person should look at: it refuses nothing, but for the first, which publication will."""
    return [
        *(
            Caution(code=each.code, detail=each.detail, field=each.field)
            for each in publication_problems(competition, now)
        ),
        *_outside_working_time(competition),
        *_unknown_holidays(competition),
        *_early_delivery(competition),
        *_newer_areas(competition, areas),
    ]


def _outside_working_time(competition: Competition) -> list[Caution]:
    zone, holidays = competition.zone, holidays_of(competition.holiday_region)
    found = []
    for field, words in _DEADLINES.items():
        at: datetime | None = getattr(competition.calendar, field)
        if at is not None and not periods.is_working_time(at, zone, holidays):
            local = f"{periods.local_of(at, zone):%A %d %B %Y at %H:%M}"
            detail = f"{words} on {local}, outside working time (09:00 to 17:00 on working days)."
            found.append(Caution(code="calendar.outside_working_time", detail=detail, field=field))
    return found


def _unknown_holidays(competition: Competition) -> list[Caution]:
    """Windows that leave holidays out, in years whose holidays are not known yet or where no calendar is kept."""
    excluding = [window for window in competition.windows if window.holidays == "exclude"]
    if excluding and competition.holiday_region is None:
        detail = "Public holidays are to be left out, but no holiday calendar is kept for this operator's region."
        return [Caution(code="holidays.no_calendar", detail=detail, field="service_windows")]
    years = uncovered_years(day for window in excluding for day in _new_years(window.period_start, window.period_end))
    if not years:
        return []
    named = ", ".join(map(str, years))
    detail = f"The public holidays of {named} are not known yet and count as ordinary days."
    return [Caution(code="holidays.unknown", detail=detail, field="service_windows")]


def _new_years(first: date, last: date) -> list[date]:
    return [date(year, 1, 1) for year in range(first.year, last.year + 1)]


def _early_delivery(competition: Competition) -> list[Caution]:
    if competition.calendar.closed is None:
        return []
    closes = periods.local_day(competition.calendar.closed, competition.zone)
    early = sorted({window.period_name for window in competition.windows if window.period_start <= closes})
    if not early:
        return []
    detail = f"These service periods start before bidding has closed: {', '.join(early)}."
    return [Caution(code="calendar.early_delivery", detail=detail, field="closed")]


def _newer_areas(competition: Competition, areas: Mapping[str, Area]) -> list[Caution]:
    found = []
    for ref in competition.zones:
        area = areas.get(ref.area_ref or "")
        if area is not None and area.zone_id != ref.zone_id:
            detail = (
                f"The area {area.ref} has a newer version ({area.version}); this is for version {ref.area_version}."
            )
            found.append(Caution(code="area.newer", detail=detail, field="boundaries"))
    return found
