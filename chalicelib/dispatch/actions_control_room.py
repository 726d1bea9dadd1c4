"""Tells an operator's control room who can deliver how much, now and in the next hours, where and at what price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.competitions import actions_reads as competitions
from chalicelib.competitions.models import Competition
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_availability import availability_of
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.lifecycle import IN_THE_WAY, caught_up
from chalicelib.dispatch.models import AvailabilityPeriod, Instruction, Segment
from chalicelib.dispatch.requests import ControlRoomQuery
from chalicelib.dispatch.rules import earliest_start
from chalicelib.dispatch.rules_availability import promised_spans
from chalicelib.dispatch.views import AreaTotal, Callable, ControlRoomView
from chalicelib.kernel.call import Call
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import Span
from chalicelib.kernel.quantities import ZERO
from chalicelib.registry import actions as registry

_LOOK_BACK = timedelta(days=30)
_RAN = frozenset({"delivering", "delivered", "stopped", "failed"})
_MINUTE = timedelta(minutes=1)


def view_control_room(call: Call, query: ControlRoomQuery) -> ControlRoomView:
    """The calling operator's obligations that can be called within the hours asked for, cheapest first.

    With `rotation` those called for the fewest minutes in the last 30 days come first, the price deciding ties.
    """
    span = (call.now, call.now + timedelta(hours=query.hours))
    wanted = _in_force(call.organisation, span)
    terms = competitions.load_competitions(sorted({each.competition_id for each in wanted}))
    called = _instructed(call, span)
    names = registry.get_organisations(sorted({each.fsp for each in wanted}))
    rows = [
        row
        for each in wanted
        if _is_asked_for(terms[each.competition_id], each, query)
        and (row := _row(call, each, terms[each.competition_id], names[each.fsp].name, called.get(each.id, ()), span))
    ]
    order = _by_rotation if query.order == "rotation" else _by_cost
    totals = _totals(rows, call.now)
    return ControlRoomView(at=span[0], until=span[1], areas=totals, items=tuple(sorted(rows, key=order)))


def _in_force(so: str, span: Span) -> list[Obligation]:
    """The obligations with a period that touches the span."""
    return [
        each
        for each in contracts.list_all_obligations("so", so)
        if each.state in contracts.IN_FORCE
        and each.period_start <= span[1].date() + timedelta(days=1)
        and each.period_end >= span[0].date() - timedelta(days=2)
        and promised_spans(each, holidays_of(each.holiday_region), span)
    ]


def _instructed(call: Call, span: Span) -> dict[str, list[Instruction]]:
    """What was instructed in the last 30 days and is to come within the span, as it stands, by obligation."""
    found: dict[str, list[Instruction]] = {}
    for each in store.list_all_instructions("so", call.organisation, span[0] - _LOOK_BACK, span[1]):
        if not each.test:
            found.setdefault(each.obligation_id, []).append(caught_up(each, call.now))
    return found


def _is_asked_for(competition: Competition, obligation: Obligation, query: ControlRoomQuery) -> bool:
    return query.area in (None, *_areas(competition)) and query.direction in (None, obligation.need_direction)


def _areas(competition: Competition) -> tuple[str, ...]:
    return tuple(sorted({ref.area_ref for ref in competition.zones if ref.area_ref}))


def _row(
    call: Call, obligation: Obligation, terms: Competition, name: str, called: Sequence[Instruction], span: Span
) -> Callable | None:
    """What one obligation can do from the first moment in the span at which anything is available."""
    segment = _first(availability_of(obligation, span, call.now), span)
    if segment is None:
        return None
    start = max(segment.start, span[0])
    instructed = sum((each.mw for each in called if _runs(each, start)), ZERO)
    return Callable(
        obligation_id=obligation.id,
        fsp=obligation.fsp,
        fsp_name=name,
        competition_reference=obligation.competition_reference,
        areas=_areas(terms),
        need_direction=obligation.need_direction,
        available_mw=segment.available_mw,
        instructed_mw=instructed,
        free_mw=ZERO if instructed else segment.available_mw,
        start=start,
        end=segment.end,
        notice_until=earliest_start(obligation, rules_of(obligation, call.now), call.now),
        utilisation_price=obligation.utilisation_price,
        currency=obligation.currency,
        maximum_run_minutes=obligation.maximum_run_time // _MINUTE,
        minutes_called=_minutes_called(called, call.now),
    )


def _first(found: Iterable[AvailabilityPeriod], span: Span) -> Segment | None:
    segments = (each for period in found for each in period.segments)
    open_ones = (each for each in segments if each.available_mw and each.end > span[0] and each.start < span[1])
    return next(open_ones, None)


def _runs(instruction: Instruction, at: datetime) -> bool:
    return instruction.state in IN_THE_WAY and instruction.start <= at < instruction.effective_end


def _minutes_called(called: Iterable[Instruction], now: datetime) -> int:
    ran = (each for each in called if each.state in _RAN)
    return sum(max(min(each.effective_end, now) - each.start, timedelta(0)) // _MINUTE for each in ran)


def _by_cost(row: Callable) -> tuple[bool, Decimal, str]:
    return row.utilisation_price is None, row.utilisation_price or ZERO, row.obligation_id


def _by_rotation(row: Callable) -> tuple[int, bool, Decimal, str]:
    return (row.minutes_called, *_by_cost(row))


def _totals(rows: Iterable[Callable], now: datetime) -> tuple[AreaTotal, ...]:
    """By area and direction; what is in two areas counts in each."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for row in rows:
        for area in row.areas or ("",):
            total = sums.setdefault((area, row.need_direction), [ZERO, ZERO])
            total[0] += row.free_mw if row.start <= now else ZERO
            total[1] += row.free_mw
    return tuple(
        AreaTotal(area=area, need_direction=direction, free_mw_now=total[0], free_mw_next=total[1])
        for (area, direction), total in sorted(sums.items())
    )
