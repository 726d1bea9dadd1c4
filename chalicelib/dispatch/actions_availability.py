"""Declares, offers and accepts availability, and tells what is available of any obligation in any span."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import AvailabilityVariation, Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.events import AvailabilityChanged
from chalicelib.dispatch.models import AvailabilityPeriod
from chalicelib.dispatch.requests import LONGEST_LOOK, AvailabilityQuery, VariationQuery, VariationRequest
from chalicelib.dispatch.rules_availability import is_late, period_of, promised_spans, variation_problems
from chalicelib.dispatch.terms import DispatchTerms
from chalicelib.dispatch.views import ObligationAvailability, VariationView
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused, Stale, raise_problems
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import Span
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

TURNS = 4
_DEFAULT_LOOK = timedelta(days=7)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)  # a week later is still a date


def list_availability(call: Call, query: AvailabilityQuery) -> Page[ObligationAvailability]:
    """The calendar of the caller's obligations in force: promised, declared, offered and accepted."""
    span = look(call, query.after, query.until)
    if query.obligation_id is not None:
        return Page(items=[_calendar(call, own_obligation(call, query.obligation_id), span)])
    page = contracts.list_obligations(side(call), call.organisation, query.limit, query.cursor)
    found = [_calendar(call, obligation, span) for obligation in page.items if obligation.state in contracts.IN_FORCE]
    return Page(items=[calendar for calendar in found if calendar.periods], next=page.next)


def look(call: Call, after: datetime | None, until: datetime | None) -> Span:
    """The span a caller wants to see: from now, for seven days; `Invalid` beyond 31 days."""
    start = after or call.now
    end = until or min(start, _LATEST) + _DEFAULT_LOOK
    if not timedelta(0) < end - start <= LONGEST_LOOK:
        problem = Problem("span.length", "That span cannot be shown at once.", "until", "after `after`, within 31 days")
        raise Invalid.of([problem])
    return start, end


def availability_of(
    obligation: Obligation, span: Span, now: datetime, guard: int | None = None, terms: DispatchTerms | None = None
) -> list[AvailabilityPeriod]:
    """The availability periods of an obligation that touch a span, as they stand, strongly read.

    `guard` is the version of its availability where that was read already: at 0 nothing was ever declared or offered.
    `terms` are its rules where they are known.
    """
    spans = promised_spans(obligation, holidays_of(obligation.holiday_region), span)
    if not spans:
        return []
    varied = guard != 0
    variations = contracts.list_variations(obligation.id) if varied else []
    offers = store.list_offers(obligation.id, spans[0][0], spans[-1][1]) if varied else {}
    rules = terms or rules_of(obligation, spans[0][0])
    return [period_of(obligation, each, rules, variations, offers.get(each[0]), now) for each in spans]


def declare_variation(call: Call, request: VariationRequest, variation_id: str | None = None) -> VariationView:
    """Declare less than promised, or give back what an earlier variation took; the last word on an instant holds.

    `variation_id` names it when a file is read again; an id declared already is answered as it stands.
    """
    obligation = own_obligation(call, request.obligation_id)
    check_in_force(obligation)
    start = request.start or call.now
    raise_problems(variation_problems(obligation, start, request.end, request.available_mw, call.now))
    declared_id = variation_id or call.new_id("var")
    declared = find_variation(obligation.id, declared_id)
    if declared is None:
        declared = _declared(call, obligation, _variation(call, obligation, request, start, declared_id))
    return _view(obligation, declared)


def find_variation(obligation_id: str, variation_id: str) -> AvailabilityVariation | None:
    """A variation by id, or None."""
    found = (each for each in contracts.list_variations(obligation_id) if each.id == variation_id)
    return next(found, None)


def get_variation(call: Call, result: str) -> VariationView:
    """A variation by `obligation/id`, for either side."""
    obligation_id, _, variation_id = result.partition("/")
    obligation = own_obligation(call, obligation_id)
    variation = find_variation(obligation_id, variation_id)
    if variation is None:
        raise NotFound("variation.not_found", "There is no such variation.")
    return _view(obligation, variation)


def list_variations(call: Call, query: VariationQuery) -> Page[AvailabilityVariation]:
    """Every variation of one obligation, or of the caller's obligations one by one, in the order of declaring."""
    if query.obligation_id is not None:
        return Page(items=contracts.list_variations(own_obligation(call, query.obligation_id).id))
    page = contracts.list_obligations(side(call), call.organisation, query.limit, query.cursor)
    return Page(items=[each for one in page.items for each in contracts.list_variations(one.id)], next=page.next)


def own_obligation(call: Call, obligation_id: str) -> Obligation:
    """An obligation the caller is party to; `NotFound` otherwise."""
    obligation = contracts.find_obligation(obligation_id)
    if obligation is None or call.actor.organisation not in (obligation.so, obligation.fsp):
        raise NotFound("obligation.not_found", "There is no such obligation.")
    return obligation


def check_in_force(obligation: Obligation) -> None:
    """`Refused` unless the obligation is contracted: availability and instructions start there."""
    if obligation.state not in contracts.IN_FORCE:
        detail = f"The obligation is {obligation.state}; availability and instructions need it contracted."
        raise Refused(f"obligation.{obligation.state}", detail)


def side(call: Call) -> str:
    return "so" if call.actor.organisation_kind == "so" else "fsp"


def _variation(
    call: Call, obligation: Obligation, request: VariationRequest, start: datetime, variation_id: str
) -> AvailabilityVariation:
    notice = rules_of(obligation, start).variation_notice
    return AvailabilityVariation(
        id=variation_id,
        obligation_id=obligation.id,
        starts=start,
        ends=request.end,
        available_mw=request.available_mw,
        reason=request.reason,
        declared_at=call.now,
        late=is_late(start, request.available_mw, obligation.capacity_mw, call.now, notice),
    )


def _declared(call: Call, obligation: Obligation, variation: AvailabilityVariation) -> AvailabilityVariation:
    """Write it and move the obligation's guard, so that no instruction is issued on what it has just taken back.

    One that the same file, given twice at once, declared meanwhile is answered as it stands.
    """
    change = Change(
        thing=f"obligation:{obligation.id}",
        action="availability.varied",
        organisation=obligation.fsp,
        after=variation.model_dump(mode="json"),
    )
    event = AvailabilityChanged(obligation_id=obligation.id, so=obligation.so, fsp=obligation.fsp)
    for turn in range(TURNS):
        guard = store.move_guard(obligation.id, store.guard_seen(obligation.id))
        try:
            writes = [contracts.variation_write(variation), guard]
            commit(call, writes, [event], [change], result=f"{obligation.id}/{variation.id}")
            return variation
        except Stale:
            standing = find_variation(obligation.id, variation.id)
            if standing is not None:
                return standing
            if turn == TURNS - 1:
                raise
    raise AssertionError("a turn always answers")


def _view(obligation: Obligation, variation: AvailabilityVariation) -> VariationView:
    touched = [
        entry.instruction_id
        for day in store.list_days(obligation.id)
        for entry in day.entries
        if entry.live
        and entry.start < variation.ends
        and entry.end > variation.starts
        and entry.mw > variation.available_mw
    ]
    return VariationView(**dict(variation), instructions_touched=tuple(dict.fromkeys(touched)))


def _calendar(call: Call, obligation: Obligation, span: Span) -> ObligationAvailability:
    found: Sequence[AvailabilityPeriod] = availability_of(obligation, span, call.now)
    return ObligationAvailability(
        obligation_id=obligation.id,
        so=obligation.so,
        fsp=obligation.fsp,
        competition_reference=obligation.competition_reference,
        product_type=obligation.product_type,
        window_name=obligation.window_name,
        time_zone=obligation.time_zone,
        capacity_mw=obligation.capacity_mw,
        periods=tuple(found),
    )
