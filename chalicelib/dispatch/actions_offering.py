"""Takes providers' variable availability until the gate, and operators' word on it until theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_availability import TURNS, check_in_force, own_obligation
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.events import AvailabilityChanged
from chalicelib.dispatch.models import OfferedPeriod
from chalicelib.dispatch.requests import OffersRequest, PeriodDecision, PeriodDecisionsRequest, PeriodOffer
from chalicelib.dispatch.rules_availability import gates, is_variable, promised_spans
from chalicelib.dispatch.views import OffersView
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Stale
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.models import iso
from chalicelib.kernel.quantities import plain
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_MOMENT = timedelta(seconds=1)
Asked = PeriodOffer | PeriodDecision
Judge = Callable[[Call, Obligation, Asked, OfferedPeriod | None, str], "OfferedPeriod | Problem"]


def offer_availability(call: Call, request: OffersRequest) -> OffersView:
    """Offer periods, before the gate of each; every problem at once, and nothing taken where there is one."""
    return _all_or_nothing(call, request.offers, _offered, "availability.offered")


def decide_availability(call: Call, request: PeriodDecisionsRequest) -> OffersView:
    """Accept or decline offered periods, between the two gates of each."""
    return _all_or_nothing(call, request.decisions, _decided, "availability.decided")


def replay_offers(call: Call, result: str) -> OffersView:
    """Offers by `obligation|start,…`, as they stand now."""
    found = []
    for part in result.split(","):
        obligation_id, _, start = part.partition("|")
        obligation = own_obligation(call, obligation_id)
        kept = store.list_offers(obligation.id, obligation.drawn_up_at, obligation.drawn_up_at + timedelta(days=36600))
        found += [offer for moment, offer in kept.items() if iso(moment) == start]
    return OffersView(items=tuple(found))


def _all_or_nothing(call: Call, asked: Sequence[Asked], judge: Judge, action: str) -> OffersView:
    _check_each_once(asked)
    for turn in range(TURNS):
        obligations = {each: own_obligation(call, each) for each in dict.fromkeys(one.obligation_id for one in asked)}
        guards = {each: store.guard_seen(each) for each in obligations}
        offers = _judged(call, obligations, asked, judge)
        try:
            _save(call, obligations, guards, offers, action)
        except Stale:
            if turn == TURNS - 1:
                raise
        else:
            break
    return OffersView(items=tuple(offers))


def _check_each_once(asked: Sequence[Asked]) -> None:
    keys = [(each.obligation_id, each.start) for each in asked]
    if len(set(keys)) < len(keys):
        raise Invalid.of([Problem("availability.repeated", "A period is named twice.", None, "each period once")])


def _judged(
    call: Call, obligations: dict[str, Obligation], asked: Sequence[Asked], judge: Judge
) -> list[OfferedPeriod]:
    found: list[OfferedPeriod] = []
    problems: list[Problem] = []
    for place, one in enumerate(asked):
        obligation = obligations[one.obligation_id]
        check_in_force(obligation)
        kept = store.list_offers(obligation.id, one.start, one.start + _MOMENT).get(one.start)
        outcome = judge(call, obligation, one, kept, f"{place}")
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            found.append(outcome)
    if problems:
        raise Invalid.of(problems)
    return found


def _offered(
    call: Call, obligation: Obligation, asked: Asked, kept: OfferedPeriod | None, place: str
) -> OfferedPeriod | Problem:
    assert isinstance(asked, PeriodOffer)
    if not is_variable(obligation):
        detail = f"Availability of {obligation.product_type} is promised, not offered by the period."
        return Problem("availability.not_variable", detail, f"offers/{place}/obligation_id", "variable availability")
    found = promised_spans(obligation, holidays_of(obligation.holiday_region), (asked.start, asked.start + _MOMENT))
    if not found or found[0][0] != asked.start:
        return Problem("availability.no_period", "No period starts then.", f"offers/{place}/start", "a period's start")
    if asked.mw > obligation.capacity_mw:
        most = plain(obligation.capacity_mw)
        detail = f"{plain(asked.mw)} MW is more than the {most} MW contracted."
        return Problem("availability.above_contract", detail, f"offers/{place}/mw", f"0 to {most}")
    gate, _ = gates(asked.start, rules_of(obligation, asked.start), obligation.time_zone)
    if call.now >= gate:
        return Problem("availability.gate", f"The gate closed at {iso(gate)}.", f"offers/{place}/start", "a later week")
    return OfferedPeriod(
        obligation_id=obligation.id,
        start=asked.start,
        end=found[0][1],
        mw=asked.mw,
        offered_at=call.now,
        version=kept.version + 1 if kept else 1,
    )


def _decided(
    call: Call, obligation: Obligation, asked: Asked, kept: OfferedPeriod | None, place: str
) -> OfferedPeriod | Problem:
    assert isinstance(asked, PeriodDecision)
    field = f"decisions/{place}/start"
    if kept is None or not kept.mw:
        return Problem("availability.not_offered", "Nothing is offered of that period.", field, "an offered period")
    gate, decide_by = gates(asked.start, rules_of(obligation, asked.start), obligation.time_zone)
    if not gate <= call.now < decide_by:
        detail = f"Offers are decided on from {iso(gate)}, when the gate closes, until {iso(decide_by)}."
        return Problem("availability.decision_time", detail, field, f"{iso(gate)} to {iso(decide_by)}")
    return kept.but(state=asked.decision, decided_at=call.now, version=kept.version + 1)


def _save(
    call: Call,
    obligations: dict[str, Obligation],
    guards: dict[str, int],
    offers: Iterable[OfferedPeriod],
    action: str,
) -> None:
    kept = list(offers)
    writes = [store.save_offer(offer) for offer in kept]
    writes += [store.move_guard(obligation_id, seen) for obligation_id, seen in guards.items()]
    events = [AvailabilityChanged(obligation_id=each.id, so=each.so, fsp=each.fsp) for each in obligations.values()]
    change = Change(
        thing=f"obligation:{kept[0].obligation_id}",
        action=action,
        organisation=call.organisation,
        after={"periods": [offer.model_dump(mode="json") for offer in kept]},
    )
    result = ",".join(f"{offer.obligation_id}|{iso(offer.start)}" for offer in kept)
    commit(call, writes, events, [change], result=result)
