"""Owns the rules of service windows: their days and clocks, what is wanted in them, and the hours they come to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from chalicelib.competitions.models import ServiceWindow
from chalicelib.competitions.requests import WindowRequest
from chalicelib.competitions.terms import negative_price_problems
from chalicelib.kernel import periods
from chalicelib.kernel.call import derived_id
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.quantities import ZERO, plain

LONGEST_PERIOD_DAYS = 366 * 20
CEILINGS = ("availability_ceiling", "utilisation_ceiling", "effective_price_ceiling")


@dataclass(frozen=True)
class _Clocks:
    """A window of a request as `periods.occurrences` takes it."""

    period_start: date
    period_end: date
    start: str
    end: str
    days: tuple[str, ...]
    holidays: str


def window_problems(
    windows: Sequence[WindowRequest],
    zone: ZoneInfo,
    holidays: Collection[date],
    minimum_bid_size: Decimal | None,
    negative_prices: bool,
) -> list[Problem]:
    """Every breach in a competition's windows, each under `service_windows/<number from 0>/<field>`."""
    if not windows:
        detail = "A competition needs at least one service window."
        return [Problem("window.none", detail, "service_windows", "one or more windows")]
    found = [*_repeated(windows), *_periods_that_differ(windows)]
    for number, window in enumerate(windows):
        prefix = f"service_windows/{number}/"
        found += [_under(prefix, problem) for rule in _RULES for problem in rule(window)]
        found += [_under(prefix, problem) for problem in _hours(window, zone, holidays)]
        found += [_under(prefix, problem) for problem in _bid_size(window, minimum_bid_size)]
        found += [] if negative_prices else negative_price_problems(window, CEILINGS, prefix)
    return found


def available_minutes(window: WindowRequest, zone: ZoneInfo, holidays: Collection[date]) -> int:
    """Minutes the window is on over its period, clock changes and holidays counted."""
    return _minutes(_clocks(window), zone, frozenset(holidays))


@lru_cache(maxsize=4096)
def _minutes(clocks: _Clocks, zone: ZoneInfo, holidays: frozenset[date]) -> int:
    """Counted once for a window that stands in hundreds of competitions of one workbook."""
    return periods.minutes_in(periods.occurrences(clocks, zone, holidays))


def planned_window(
    competition_id: str, window: WindowRequest, zone: ZoneInfo, holidays: Collection[date]
) -> ServiceWindow:
    """The service window of a request that has no problem; its id follows from the competition and its names."""
    return ServiceWindow(
        id=derived_id("win", competition_id, window.service_period_name, window.service_window_name),
        period_name=window.service_period_name,
        period_start=window.service_period_start,
        period_end=window.service_period_end,
        name=window.service_window_name,
        start=window.start,
        end=window.end,
        days=window.service_days,
        holidays=window.public_holiday_handling,
        capacity_required=window.capacity_required,
        minimum_aggregate_asset_size=window.minimum_aggregate_asset_size or ZERO,
        minimum_run_time=window.minimum_run_time,
        required_response_time=window.required_response_time,
        dispatch_estimate=window.dispatch_estimate,
        dispatch_duration=window.dispatch_duration,
        availability_ceiling=window.availability_ceiling,
        utilisation_ceiling=window.utilisation_ceiling,
        effective_price_ceiling=window.effective_price_ceiling,
        available_minutes=available_minutes(window, zone, holidays),
    )


def asked_window(window: ServiceWindow) -> WindowRequest:
    """The request that a stored window came from."""
    return WindowRequest(
        service_period_name=window.period_name,
        service_period_start=window.period_start,
        service_period_end=window.period_end,
        service_window_name=window.name,
        start=window.start,
        end=window.end,
        service_days=window.days,
        public_holiday_handling=window.holidays,
        capacity_required=window.capacity_required,
        minimum_aggregate_asset_size=window.minimum_aggregate_asset_size,
        minimum_run_time=window.minimum_run_time,
        required_response_time=window.required_response_time,
        dispatch_estimate=window.dispatch_estimate,
        dispatch_duration=window.dispatch_duration,
        availability_ceiling=window.availability_ceiling,
        utilisation_ceiling=window.utilisation_ceiling,
        effective_price_ceiling=window.effective_price_ceiling,
    )


def _clocks(window: WindowRequest) -> _Clocks:
    return _Clocks(
        window.service_period_start,
        window.service_period_end,
        window.start,
        window.end,
        window.service_days,
        window.public_holiday_handling,
    )


def _period(window: WindowRequest) -> Iterator[Problem]:
    first, last = window.service_period_start, window.service_period_end
    if first is None or last is None:
        return
    if last < first:
        detail = f"The service period ends on {last}, before it starts on {first}."
        yield Problem("window.period_order", detail, "service_period_end", f"{first} or later")
    elif (last - first).days >= LONGEST_PERIOD_DAYS:
        detail = f"The service period runs for {(last - first).days + 1} days."
        yield Problem("window.period_length", detail, "service_period_end", "at most 20 years")


def _clock_order(window: WindowRequest) -> Iterator[Problem]:
    if window.start == "24:00":
        detail = "A window cannot start at 24:00; that is 00:00 of the next day."
        yield Problem("window.start_at_24", detail, "start", "00:00 to 23:59")
    elif window.start is not None and window.start == window.end:
        detail = f"The window starts and ends at {window.start}, so it has no length."
        yield Problem("window.empty", detail, "end", "another time; a whole day is 00:00 to 24:00")


def _days(window: WindowRequest) -> Iterator[Problem]:
    if window.service_days is not None and not window.service_days:
        yield Problem("window.no_days", "The window has no service days.", "service_days", "day names or Mon-Fri")


def _capacity(window: WindowRequest) -> Iterator[Problem]:
    if window.capacity_required is not None and window.capacity_required <= 0:
        yield Problem("window.no_capacity", "The capacity required is 0.", "capacity_required", "more than 0")


def _dispatch_pair(window: WindowRequest) -> Iterator[Problem]:
    estimate, duration = window.dispatch_estimate, window.dispatch_duration
    if estimate is not None and estimate < 0:
        detail = f"{plain(estimate)} dispatches cannot be expected."
        yield Problem("window.estimate_negative", detail, "dispatch_estimate", "0 or more")
    if (estimate is None) != (duration is None):
        missing = "dispatch_duration" if duration is None else "dispatch_estimate"
        detail = "Expected dispatches and their expected length go together."
        yield Problem("window.dispatch_half", detail, missing, "both, or neither")


def _hours(window: WindowRequest, zone: ZoneInfo, holidays: Collection[date]) -> Iterator[Problem]:
    """The window must be on at some time, and for at least the hours of its expected dispatches."""
    if not _has_hours(window):
        return
    minutes = available_minutes(window, zone, holidays)
    if minutes == 0:
        detail = "The window is never on: none of its service days falls into the service period."
        yield Problem("window.never_on", detail, "service_days", "days that occur in the period")
        return
    if window.dispatch_estimate is None or window.dispatch_duration is None:
        return
    wanted = window.dispatch_estimate * int(window.dispatch_duration.total_seconds())
    if wanted > minutes * 60:
        hours, available = _hours_text(wanted / 3600), _hours_text(periods.hours_of(minutes))
        detail = f"{hours} hours of dispatch are expected, more than the {available} hours the window is on."
        yield Problem("window.dispatched_hours", detail, "dispatch_estimate", f"0 to {available} hours in all")


def _has_hours(window: WindowRequest) -> bool:
    needed = (window.service_period_start, window.service_period_end, window.start, window.end, window.service_days)
    if any(value is None for value in needed) or not window.service_days:
        return False
    return not any(True for rule in (_period, _clock_order) for _ in rule(window))


def _bid_size(window: WindowRequest, minimum: Decimal | None) -> Iterator[Problem]:
    required = window.capacity_required
    if minimum is not None and required is not None and 0 < required < minimum:
        detail = f"The minimum bid size of {plain(minimum)} MW is more than this window requires, so nobody could bid."
        yield Problem("window.below_bid_size", detail, "capacity_required", f"{plain(minimum)} or more")


def _repeated(windows: Sequence[WindowRequest]) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for number, window in enumerate(windows):
        names = (window.service_period_name, window.service_window_name)
        if None not in names and names in seen:
            detail = f"The window {names[1]} of the period {names[0]} is there twice."
            field = f"service_windows/{number}/service_window_name"
            yield Problem("window.repeated", detail, field, "a name of its own within the period")
        seen.add(names)


def _periods_that_differ(windows: Sequence[WindowRequest]) -> Iterator[Problem]:
    dates: dict[str, tuple[date, date]] = {}
    for number, window in enumerate(windows):
        mine = (window.service_period_start, window.service_period_end)
        if None in (window.service_period_name, *mine):
            continue
        first = dates.setdefault(window.service_period_name, mine)
        if first != mine:
            named = window.service_period_name
            detail = f"The period {named} has other dates on another row: {first[0]} to {first[1]}."
            field = f"service_windows/{number}/service_period_start"
            yield Problem("window.period_differs", detail, field, f"{first[0]} to {first[1]}, or another period name")


def _under(prefix: str, problem: Problem) -> Problem:
    return Problem(problem.code, problem.detail, f"{prefix}{problem.field}", problem.allowed)


def _hours_text(hours: Decimal) -> str:
    return plain(round(hours, 2))


_RULES: tuple[Callable[[WindowRequest], Iterator[Problem]], ...] = (
    _period,
    _clock_order,
    _days,
    _capacity,
    _dispatch_pair,
)
