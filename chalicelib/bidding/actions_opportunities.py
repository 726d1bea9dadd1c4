"""Owns what is open to an FSP: every service window it may bid in now, with what it may offer and what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from chalicelib.bidding.bid_rules import ceilings_of
from chalicelib.bidding.models import OpportunityQuery, OpportunityView, total
from chalicelib.bidding.pricing import shown_hours
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition, ServiceWindow
from chalicelib.competitions.rules import phase
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.models import Page, iso
from chalicelib.qualification import actions as qualification
from chalicelib.registry import actions as registry

Place = tuple[str, str, int]


def list_opportunities(call: Call, query: OpportunityQuery) -> Page[OpportunityView]:
    """A page of the open windows the caller may bid in, those that close first before others."""
    after = _place_from(query.cursor)
    found = list(islice(_open_windows(call, query, after), query.limit + 1))
    shown = found[: query.limit]
    more = len(found) > query.limit
    return Page(items=[view for _, view in shown], next=_cursor(shown[-1][0]) if more else None)


def all_opportunities(call: Call, query: OpportunityQuery) -> Iterator[OpportunityView]:
    """Every open window the caller may bid in; the query's paging is left aside."""
    return (view for _, view in _open_windows(call, query, ("", "", 0)))


def _open_windows(call: Call, query: OpportunityQuery, after: Place) -> Iterator[tuple[Place, OpportunityView]]:
    call.check_role("bidding")
    if not registry.get_organisation(call.organisation).verified:
        return
    for competition in _in_bidding(call, query):
        head = _head(competition)
        if (*head, len(competition.windows)) <= after:
            continue
        qualified_mw = total(list(qualification.qualified_set(competition.id, call.organisation).values()))
        for number, window in enumerate(competition.windows, start=1):
            if qualified_mw > 0 and (*head, number) > after:
                yield (*head, number), _opportunity(competition, window, qualified_mw)


def _in_bidding(call: Call, query: OpportunityQuery) -> list[Competition]:
    wanted = [
        competition
        for competition in competitions.list_live(call.now)
        if query.competition_id in (None, competition.id)
        and query.so in (None, competition.so)
        and query.round_ref in (None, competition.round_ref)
        and phase(competition, call.now) == "bidding"
    ]
    return sorted(wanted, key=_head)


def _head(competition: Competition) -> tuple[str, str]:
    assert competition.calendar.closed is not None, "a competition in bidding closes"
    return iso(competition.calendar.closed), competition.id


def _opportunity(competition: Competition, window: ServiceWindow, qualified_mw: Decimal) -> OpportunityView:
    assert competition.calendar.closed is not None, "a competition in bidding closes"
    asked = competition.asked_prices
    return OpportunityView(
        competition_id=competition.id,
        competition_reference=competition.reference,
        competition_name=competition.name,
        round_ref=competition.round_ref,
        so=competition.so,
        time_zone=competition.time_zone,
        closes=competition.calendar.closed,
        window_id=window.id,
        service_period_name=window.period_name,
        service_period_start=window.period_start,
        service_period_end=window.period_end,
        service_window_name=window.name,
        service_days=window.days,
        start=window.start,
        end=window.end,
        available_hours=shown_hours(window.hours),
        dispatched_hours=None if window.dispatched_hours is None else shown_hours(window.dispatched_hours),
        capacity_required=window.capacity_required,
        qualified_capacity=qualified_mw,
        capacity_limit=min(qualified_mw, window.capacity_required),
        minimum_bid_size=competition.minimum_bid_size,
        minimum_run_time=window.minimum_run_time,
        prices_asked=asked,
        fixed_prices={name: price for name, price in competition.fixed_prices.items() if name in asked},
        ceilings=ceilings_of(competition, window),
    )


def _cursor(place: Place) -> str:
    return f"{place[0]}~{place[1]}~{place[2]}"


def _place_from(cursor: str | None) -> Place:
    if cursor is None:
        return "", "", 0
    parts = cursor.split("~")
    if len(parts) != 3 or not (parts[2].isascii() and parts[2].isdigit()):
        problem = Problem("cursor.unknown", "The cursor is not one that a list gave.", "cursor", "`next` of a page")
        raise Invalid.of([problem])
    return parts[0], parts[1], int(parts[2])
