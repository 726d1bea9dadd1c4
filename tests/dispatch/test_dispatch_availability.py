"""Claims about availability as both sides work with it: declared, offered, accepted, shown."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.contracts import actions as contracts
from chalicelib.dispatch import actions_availability as availability
from chalicelib.dispatch import actions_offering as offering
from chalicelib.dispatch import actions_rules as rules
from chalicelib.dispatch.models import AvailabilityPeriod
from chalicelib.dispatch.requests import (
    AvailabilityQuery,
    OffersRequest,
    PeriodDecisionsRequest,
    RulesRequest,
    VariationQuery,
    VariationRequest,
)
from chalicelib.dispatch.views import VariationView
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from tests.builders.calls import a_call
from tests.builders.dispatch import DispatchMarket

pytestmark = pytest.mark.usefixtures("market")
MAY = "2026-05-20T09:00:00Z"
SPAN = {"after": "2026-06-01T00:00:00Z", "until": "2026-06-03T00:00:00Z"}
FIRST = "2026-06-01T16:00:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    return DispatchMarket()


def declare(call: Any, mw: str = "0.5", **changes: Any) -> VariationView:
    plain = {"obligation_id": "obl_1", "start": FIRST, "end": "2026-06-01T17:00:00Z", "available_mw": mw}
    plain |= {"reason": "inverter", **changes}
    request = VariationRequest.model_validate({name: text for name, text in plain.items() if text is not None})
    return availability.declare_variation(call, request)


def periods(call: Any, **query: Any) -> list[AvailabilityPeriod]:
    found = availability.list_availability(call, AvailabilityQuery.model_validate(SPAN | query)).items
    return [period for calendar in found for period in calendar.periods]


def test_both_sides_see_what_is_promised_and_nobody_else_does(place: DispatchMarket) -> None:
    place.obligation()
    assert [period.state for period in periods(place.call(now=MAY))] == ["promised"] * 2
    assert len(periods(place.operator(MAY), obligation_id="obl_1")) == 2
    assert periods(a_call("org_fsp2", now=MAY)) == []
    with pytest.raises(NotFound):
        periods(a_call("org_fsp2", now=MAY), obligation_id="obl_1")


def test_only_what_is_contracted_has_availability(place: DispatchMarket) -> None:
    place.obligation(state="awarded")
    assert periods(place.call(now=MAY)) == []
    with pytest.raises(Refused, match="need it contracted"):
        declare(place.call(now=MAY))


def test_a_span_beyond_a_month_is_not_shown_at_once(place: DispatchMarket) -> None:
    for until in ("2026-07-03T00:00:00Z", "2026-06-01T00:00:00Z"):
        with pytest.raises(Invalid):
            periods(place.call(now=MAY), until=until)


def test_a_variation_shows_in_the_calendar_and_in_the_contracts_workbook(place: DispatchMarket) -> None:
    place.obligation()
    made = declare(place.call(now=MAY))
    assert not made.late
    [first, second] = periods(place.operator(MAY))
    assert [str(each.available_mw) for each in first.segments] == ["0.5", "2"]
    assert (first.state, second.state) == ("varied", "promised")
    [(_, _, [kept])] = list(contracts.obligations_of(place.operator(MAY)))
    assert (kept.id, kept.reason) == (made.id, "inverter")
    query = VariationQuery(obligation_id="obl_1")
    assert [each.id for each in availability.list_variations(place.operator(MAY), query).items] == [made.id]
    assert len(availability.list_variations(place.call(now=MAY), VariationQuery()).items) == 1
    assert availability.list_variations(a_call("org_fsp2", now=MAY), VariationQuery()).items == []
    assert availability.get_variation(place.call(now=MAY), f"obl_1/{made.id}").id == made.id
    with pytest.raises(NotFound):
        availability.get_variation(place.call(now=MAY), "obl_1/var_none")


def test_a_variation_inside_the_notice_is_marked_late(place: DispatchMarket) -> None:
    place.obligation()
    assert declare(place.call(now="2026-06-01T09:00:00Z")).late
    [first, _] = periods(place.call(now=MAY))
    assert first.segments[0].late


def test_a_later_word_gives_back_what_an_earlier_one_took(place: DispatchMarket) -> None:
    place.obligation()
    declare(place.call(now=MAY), "0")
    declare(place.call(now="2026-05-21T09:00:00Z"), "2")
    [first, _] = periods(place.call(now=MAY))
    assert {str(each.available_mw) for each in first.segments} == {"2"}


def test_without_a_start_a_variation_holds_from_now(place: DispatchMarket) -> None:
    place.obligation()
    assert declare(place.call(now="2026-06-01T16:10:00Z"), start=None).starts.minute == 10
    with pytest.raises(Invalid) as refused:
        declare(place.call(now="2026-06-01T16:10:00Z"))
    assert [each.code for each in refused.value.problems] == ["variation.past"]


def test_a_variation_names_the_standing_instructions_it_touches(place: DispatchMarket) -> None:
    place.obligation()
    [issued] = place.issue()
    assert declare(place.call(now="2026-06-01T12:30:00Z")).instructions_touched == (issued.instruction_id,)


def test_the_same_variation_again_is_the_same(place: DispatchMarket) -> None:
    place.obligation()
    request = VariationRequest.model_validate(
        {"obligation_id": "obl_1", "start": FIRST, "end": "2026-06-01T17:00:00Z", "available_mw": "0", "reason": "x"}
    )
    for _ in range(2):
        availability.declare_variation(place.call(now=MAY), request, "var_1")
    assert len(availability.list_variations(place.call(now=MAY), VariationQuery(obligation_id="obl_1")).items) == 1


def offer(place: DispatchMarket, now: str = MAY, mw: str = "1", start: str = FIRST, twice: bool = False) -> Any:
    offers = [{"obligation_id": "obl_1", "start": start, "mw": mw}] * (2 if twice else 1)
    return offering.offer_availability(place.call(now=now), OffersRequest.model_validate({"offers": offers}))


def decide(place: DispatchMarket, now: str, decision: str = "accepted", start: str = FIRST) -> Any:
    wanted = [{"obligation_id": "obl_1", "start": start, "decision": decision}]
    request = PeriodDecisionsRequest.model_validate({"decisions": wanted})
    return offering.decide_availability(place.operator(now), request)


def refusal(act: Any) -> str:
    with pytest.raises(Invalid) as refused:
        act()
    return refused.value.problems[0].code


GATE, NOON = "2026-05-27T23:00:00Z", "2026-05-28T11:00:00Z"


def test_variable_availability_is_offered_until_the_gate_and_accepted_after_it(place: DispatchMarket) -> None:
    place.obligation(product_type="OU + Variable Availability")
    assert periods(place.call(now=MAY))[0].state == "not offered"
    offer(place)
    offer(place, mw="1.5")
    [first, _] = periods(place.operator(MAY))
    assert (first.state, str(first.offered_mw), str(first.segments[0].available_mw)) == ("offered", "1.5", "0")
    assert refusal(lambda: decide(place, MAY)) == "availability.decision_time"
    assert refusal(lambda: offer(place, GATE)) == "availability.gate"
    decide(place, GATE)
    [first, second] = periods(place.operator(GATE))
    assert (first.state, str(first.segments[0].available_mw)) == ("accepted", "1.5")
    assert second.state == "not offered"


def test_what_was_not_accepted_in_time_lapses(place: DispatchMarket) -> None:
    place.obligation(product_type="OU + Variable Availability")
    offer(place)
    assert refusal(lambda: decide(place, NOON)) == "availability.decision_time"
    assert periods(place.call(now=NOON))[0].state == "lapsed"


def test_what_was_declined_is_not_available(place: DispatchMarket) -> None:
    place.obligation(product_type="OU + Variable Availability")
    offer(place)
    decide(place, GATE, "declined")
    assert periods(place.call(now=NOON))[0].state == "declined"


def test_an_offer_names_a_period_within_the_contract(place: DispatchMarket) -> None:
    place.obligation(product_type="OU + Variable Availability")
    assert refusal(lambda: offer(place, start="2026-06-01T16:30:00Z")) == "availability.no_period"
    assert refusal(lambda: offer(place, start="2026-06-06T16:00:00Z")) == "availability.no_period"
    assert refusal(lambda: offer(place, mw="2.1")) == "availability.above_contract"
    assert refusal(lambda: offer(place, twice=True)) == "availability.repeated"
    assert refusal(lambda: decide(place, GATE)) == "availability.not_offered"


def test_promised_availability_is_not_offered_by_the_period(place: DispatchMarket) -> None:
    place.obligation()
    assert refusal(lambda: offer(place)) == "availability.not_variable"


def test_offers_can_be_read_again_by_what_was_sent(place: DispatchMarket) -> None:
    place.obligation(product_type="OU + Variable Availability")
    offer(place)
    again = offering.replay_offers(place.call(now=MAY), f"obl_1|{FIRST}")
    assert [str(each.mw) for each in again.items] == ["1"]


def test_rules_are_versions_from_a_day_on(place: DispatchMarket) -> None:
    obligation = place.obligation()
    call = place.operator("2026-05-20T09:00:00Z")
    first = rules.set_rules(call, RulesRequest.model_validate({"notice": "PT2H"}))
    second = rules.set_rules(call, RulesRequest.model_validate({"notice": "PT3H", "effective_from": "2026-06-02"}))
    assert (first.version, second.version) == (1, 2)
    assert [each.version for each in rules.list_rules(call).items] == [1, 2]
    assert rules.get_rules(call, "default#2") == second
    with pytest.raises(NotFound):
        rules.get_rules(call, "default#3")
    held = [
        rules.rules_of(obligation, place.call(now=now).now).version
        for now in ("2026-05-19T12:00:00Z", "2026-05-20T09:00:00Z", "2026-06-02T09:00:00Z")
    ]
    assert held == [0, 1, 2]
