"""Claims about instructions as both sides work with them: issued once, answered in time, stopped, scheduled, shown."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.contracts import actions_operations as contracts
from chalicelib.dispatch import actions, store
from chalicelib.dispatch import actions_answering as answering
from chalicelib.dispatch import actions_reads as reads
from chalicelib.dispatch import actions_rules as rules
from chalicelib.dispatch import actions_testing as testing
from chalicelib.dispatch.actions_control_room import view_control_room
from chalicelib.dispatch.actions_instructing import Desk, Known, get_batch
from chalicelib.dispatch.actions_scheduling import prepare, prepare_drawn_up
from chalicelib.dispatch.actions_ticking import move_due
from chalicelib.dispatch.listing import as_calendar, as_csv
from chalicelib.dispatch.requests import (
    Answer,
    AutoAcceptRequest,
    ConflictQuery,
    ControlRoomQuery,
    EndRequest,
    InstructionAnswersRequest,
    InstructionQuery,
    InstructionRequest,
    ReportRequest,
    RulesRequest,
    ScheduleQuery,
    TestInstructionRequest,
    VariationRequest,
)
from chalicelib.dispatch.views import InstructionView
from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale
from tests.builders.calls import a_call, a_system_call
from tests.builders.dispatch import DispatchMarket, asked_for
from tests.builders.registry import a_system_operator

pytestmark = pytest.mark.usefixtures("market")
NOON = "2026-06-01T12:00:00Z"
START, END = "2026-06-01T16:00:00Z", "2026-06-01T17:00:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    made = DispatchMarket()
    made.obligation()
    return made


def problems(act: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        act()
    return [each.code for each in refused.value.problems]


def answer(place: DispatchMarket, instruction_id: str | None, now: str = NOON, **changes: Any) -> InstructionView:
    asked = Answer.model_validate({"answer": "acknowledge"} | changes)
    return answering.answer_instruction(place.call(now=now), str(instruction_id), asked)


def end(place: DispatchMarket, act: Any, instruction_id: str | None, now: str) -> InstructionView:
    found: InstructionView = act(place.operator(now), str(instruction_id), EndRequest(reason="load fell"))
    return found


def tick(now: str) -> int:
    return move_due(a_system_call(now), lambda: False)


def stored(instruction_id: str | None) -> Any:
    return store.find_instruction(str(instruction_id))


def running(place: DispatchMarket) -> str:
    [issued] = place.issue()
    answer(place, issued.instruction_id)
    return str(issued.instruction_id)


def test_an_instruction_is_sent_and_shows_what_it_earns(place: DispatchMarket) -> None:
    [issued] = place.issue()
    assert (issued.outcome, issued.state, str(issued.earns)) == ("issued", "sent", "200.00")
    seen = reads.get_instruction(place.call(now=NOON), str(issued.instruction_id))
    assert str(seen.earns) == "200.00"
    assert seen.respond_by is not None
    assert seen.can == ("acknowledge", "decline", "cancel")
    assert [body["instruction_ids"] for body in place.told("dispatch.instructions_sent.v1")] == [
        [issued.instruction_id]
    ]
    with pytest.raises(NotFound):
        reads.get_instruction(a_call("org_fsp2", now=NOON), seen.id)


def test_the_same_token_instructs_once_and_never_two_things(place: DispatchMarket) -> None:
    [first], [again] = place.issue(), place.issue()
    assert first.instruction_id == again.instruction_id
    assert len(place.told("dispatch.instructions_sent.v1")) == 1
    assert problems(lambda: place.issue({"mw": "1"})) == ["instruction.token_used"]


def test_a_request_sent_twice_under_one_key_is_answered_from_what_was_kept(place: DispatchMarket) -> None:
    call = a_call(place.so.organisation, "so", now=NOON, idempotency=Idempotency("k1", "hash"))
    [issued] = place.issue(call=call)
    from chalicelib.storage import claims

    batch = claims.find_result(call)
    assert batch is not None
    assert get_batch(call, batch).items == (issued,)
    with pytest.raises(NotFound):
        get_batch(call, "bat_none")


def test_hundreds_are_judged_each_by_itself(place: DispatchMarket) -> None:
    days = [(6 + day // 30, day % 30 + 1) for day in range(30)]
    items = [
        {"start": f"2026-06-{day:02}T16:00:00Z", "end": f"2026-06-{day:02}T17:00:00Z", "client_token": f"day{day}"}
        for _, day in days
    ]
    outcomes = place.issue(*items)
    refused = [each.client_token for each in outcomes if each.outcome == "refused"]
    assert refused == [f"day{day}" for day in (6, 7, 13, 14, 20, 21, 27, 28)]  # weekends
    assert len({each.instruction_id for each in outcomes if each.instruction_id}) == 22


def test_two_over_one_span_in_one_request_are_one_and_a_refusal(place: DispatchMarket) -> None:
    first, second = place.issue({}, {"client_token": "other", "mw": "1"})
    assert (first.outcome, second.outcome) == ("issued", "refused")
    assert second.problems[0]["code"] == "instruction.overlaps"
    assert str(first.instruction_id) in second.problems[0]["detail"]


def test_what_breaks_a_rule_is_refused_with_every_reason(place: DispatchMarket) -> None:
    rules.set_rules(place.operator(NOON), RulesRequest.model_validate({"notice": "PT5H"}))
    assert problems(lambda: place.issue({"mw": "3", "end": "2026-06-01T17:30:00Z"})) == [
        "instruction.run_time_long",
        "instruction.above_available",
        "instruction.notice",
    ]
    assert problems(lambda: place.issue({"start": None})) == ["field.missing"]
    assert problems(lambda: place.issue({"end": None})) == ["field.missing"]
    assert problems(lambda: place.issue({"obligation_id": "obl_none"})) == ["obligation.not_found"]
    assert problems(lambda: place.issue({"urgent": True, "start": None, "end": None})) == ["instruction.unavailable"]


def test_what_is_not_contracted_is_not_instructed(place: DispatchMarket) -> None:
    place.obligation("obl_2", state="awarded")
    assert problems(lambda: place.issue({"obligation_id": "obl_2"})) == ["obligation.not_contracted"]


def test_another_operator_instructs_nothing_of_ours(place: DispatchMarket) -> None:
    stranger = a_call("org_other", "so", now=NOON)
    assert problems(lambda: place.issue(call=stranger)) == ["obligation.not_found"]


def test_an_urgent_one_needs_only_obligation_and_mw(place: DispatchMarket) -> None:
    urgent = {"urgent": True, "start": None, "end": None}
    [issued] = place.issue(urgent, now="2026-06-01T16:20:00Z")
    made = stored(issued.instruction_id)
    assert (made.start.minute, made.end.hour, made.end.minute) == (20, 17, 20)
    [again] = place.issue(urgent, now="2026-06-01T16:25:00Z")
    assert again.instruction_id == issued.instruction_id


def test_nothing_is_instructed_on_availability_taken_back(place: DispatchMarket) -> None:
    from chalicelib.dispatch.actions_availability import declare_variation

    taken = {"obligation_id": "obl_1", "end": END, "available_mw": "1", "reason": "x"}
    declare_variation(place.call(now=NOON), VariationRequest.model_validate(taken))
    assert problems(place.issue) == ["instruction.above_available"]
    assert place.issue({"mw": "1", "client_token": "less"})[0].outcome == "issued"


def test_an_answer_takes_all_or_a_part(place: DispatchMarket) -> None:
    first, second = place.issue({}, {"start": "2026-06-02T16:00:00Z", "end": "2026-06-02T17:00:00Z"})
    assert str(answer(place, first.instruction_id).mw) == "2"
    part = answer(place, second.instruction_id, mw="1.5")
    assert (part.state, str(part.mw), str(part.earns)) == ("acknowledged", "1.5", "150.00")


def test_a_part_below_the_minimum_or_above_what_was_asked_is_refused(place: DispatchMarket) -> None:
    [issued] = place.issue()
    assert problems(lambda: answer(place, issued.instruction_id, mw="0.9")) == ["answer.below_part"]
    assert problems(lambda: answer(place, issued.instruction_id, mw="2.1")) == ["answer.above_asked"]
    assert problems(lambda: answer(place, issued.instruction_id, answer="decline")) == ["answer.no_reason"]
    assert stored(issued.instruction_id).state == "sent"


def test_an_answer_after_expiry_is_refused_though_no_minute_has_passed_since(place: DispatchMarket) -> None:
    [issued] = place.issue()
    with pytest.raises(Refused) as refused:
        answer(place, issued.instruction_id, "2026-06-01T12:30:00Z")
    assert refused.value.code == "instruction.expired"


def test_what_was_declined_leaves_its_span_free(place: DispatchMarket) -> None:
    [issued] = place.issue()
    answer(place, issued.instruction_id, answer="decline", reason="no fuel")
    assert place.issue({"client_token": "again"})[0].outcome == "issued"


def test_many_are_answered_each_by_itself(place: DispatchMarket) -> None:
    days = [f"2026-06-{day:02}" for day in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19)]
    items = [{"start": f"{day}T16:00:00Z", "end": f"{day}T17:00:00Z", "client_token": day} for day in days]
    ids = [each.instruction_id for each in place.issue(*items)]
    answers: list[dict[str, Any]] = [{"instruction_id": each, "answer": "acknowledge"} for each in ids]
    answers[3] |= {"mw": "0.1"}
    answers.append({"instruction_id": "ins_none", "answer": "acknowledge"})
    request = InstructionAnswersRequest.model_validate({"answers": answers})
    outcomes = answering.answer_instructions(place.call(now=NOON), request).items
    refused = {place: each.problems[0]["code"] for place, each in enumerate(outcomes) if each.outcome == "refused"}
    assert refused == {3: "answer.below_part", 15: "instruction.not_found"}
    assert stored(ids[0]).state == "acknowledged"
    again = InstructionAnswersRequest.model_validate({"answers": answers[:1]})
    assert problems(lambda: answering.answer_instructions(place.call(now=NOON), again)) == ["instruction.acknowledged"]
    twice = InstructionAnswersRequest.model_validate({"answers": answers[:1] * 2})
    assert problems(lambda: answering.answer_instructions(place.call(now=NOON), twice)) == ["answer.repeated"]


def test_a_provider_may_have_the_market_answer_for_it(place: DispatchMarket) -> None:
    call = place.call(now=NOON)
    rule = testing.add_auto_accept(call, AutoAcceptRequest(obligation_id="obl_1"))
    assert testing.list_auto_accepts(call).items == (rule,)
    [issued] = place.issue()
    assert issued.state == "acknowledged"
    assert stored(issued.instruction_id).moves[-1].by == rule.id
    testing.remove_auto_accept(call, rule.id)
    with pytest.raises(NotFound):
        testing.get_auto_accept(call, rule.id)
    assert (
        place.issue({"client_token": "b", "start": "2026-06-02T16:00:00Z", "end": "2026-06-02T17:00:00Z"})[0].state
        == "sent"
    )


def test_where_no_answer_is_needed_it_is_acknowledged_at_once(place: DispatchMarket) -> None:
    rules.set_rules(place.operator(NOON), RulesRequest.model_validate({"answer_needed": False}))
    assert place.issue()[0].state == "acknowledged"


def test_a_stop_ends_a_running_one_and_a_stop_before_the_start_is_refused(place: DispatchMarket) -> None:
    instruction_id = running(place)
    with pytest.raises(Refused) as refused:
        end(place, answering.stop_instruction, instruction_id, "2026-06-01T15:59:00Z")
    assert refused.value.code == "instruction.acknowledged"
    stopped = end(place, answering.stop_instruction, instruction_id, "2026-06-01T16:15:00Z")
    assert (stopped.state, str(stopped.earns)) == ("stopped", "50.00")
    assert [step.act for step in stopped.moves] == ["send", "acknowledge", "start", "stop"]
    assert len(place.told("dispatch.instructions_stopped.v1")) == 1
    free = {"client_token": "b", "start": "2026-06-01T16:30:00Z", "end": "2026-06-01T17:30:00Z"}
    assert place.issue(free, now="2026-06-01T16:20:00Z")[0].outcome == "issued"


def test_what_has_not_started_is_cancelled_and_what_has_is_not(place: DispatchMarket) -> None:
    instruction_id = running(place)
    with pytest.raises(Refused):
        end(place, answering.cancel_instruction, instruction_id, START)
    cancelled = end(place, answering.cancel_instruction, instruction_id, "2026-06-01T15:59:00Z")
    assert cancelled.state == "cancelled"
    assert place.issue({"client_token": "b"})[0].outcome == "issued"


def report(place: DispatchMarket, instruction_id: str, now: str, said: str, **changes: Any) -> str:
    asked = ReportRequest.model_validate({"report": said} | changes)
    return str(answering.report_delivery(place.call(now=now), instruction_id, asked).state)


def test_a_provider_reports_how_delivery_goes(place: DispatchMarket) -> None:
    instruction_id = running(place)
    with pytest.raises(Refused, match="cannot have started"):
        report(place, instruction_id, "2026-06-01T15:00:00Z", "started")
    with pytest.raises(Refused):
        report(place, instruction_id, "2026-06-01T15:00:00Z", "delivered")
    assert problems(lambda: report(place, instruction_id, START, "failed")) == ["report.no_reason"]
    assert report(place, instruction_id, "2026-06-01T16:10:00Z", "failed", reason="tripped") == "failed"


def test_the_minute_moves_what_the_clock_has_reached_and_tells_it_once(place: DispatchMarket) -> None:
    [issued] = place.issue()
    assert tick("2026-06-01T12:14:00Z") == 0
    assert tick("2026-06-01T12:15:00Z") == 1
    assert len(place.told("dispatch.instructions_escalated.v1")) == 1
    assert tick("2026-06-01T12:15:00Z") == 0
    answer(place, issued.instruction_id, "2026-06-01T12:20:00Z")
    assert tick("2026-06-01T12:31:00Z") == 0
    assert tick(START) == 1
    assert stored(issued.instruction_id).state == "delivering"
    assert tick(END) == 1
    assert stored(issued.instruction_id).state == "delivered"
    assert tick("2026-06-02T00:00:00Z") == 0
    assert len(place.told("dispatch.instructions_ended.v1")) == 1


def test_what_nobody_answers_expires_and_leaves_its_span_free(place: DispatchMarket) -> None:
    [issued] = place.issue()
    assert tick("2026-06-01T12:45:00Z") == 1
    assert stored(issued.instruction_id).state == "expired"
    assert place.issue({"client_token": "b"}, now="2026-06-01T12:50:00Z")[0].outcome == "issued"


def test_a_minute_without_time_leaves_the_rest_to_the_next(place: DispatchMarket) -> None:
    place.issue()
    assert move_due(a_system_call(START), lambda: True) == 0
    assert tick(START) == 1


def test_scheduled_products_get_their_instructions_when_contracted(place: DispatchMarket) -> None:
    place.obligation("obl_pr", product_type="Peak Reduction")
    prepare(a_system_call("2026-05-20T09:00:00Z"), "obl_pr")
    prepare(a_system_call("2026-05-20T09:00:00Z"), "obl_none")
    prepare_drawn_up(a_system_call("2026-05-20T09:00:00Z"), place.north.id, place.so.organisation)
    schedule = reads.list_schedule(place.call(now="2026-05-20T09:00:00Z"), ScheduleQuery()).items
    assert len(schedule) == 22  # weekdays of June 2026
    first = schedule[0]
    assert (first.state, str(first.requested_mw), str(first.earns)) == ("scheduled", "2", "400.00")
    assert tick("2026-05-31T16:00:00Z") == 1
    sent = stored(first.id)
    assert (sent.state, [step.act for step in sent.moves]) == ("acknowledged", ["send", "acknowledge"])
    assert problems(lambda: place.issue({"obligation_id": "obl_pr"})) == ["instruction.overlaps"]


def test_the_schedule_is_told_as_csv_and_calendar(place: DispatchMarket) -> None:
    running(place)
    page = reads.list_schedule(place.operator(NOON), ScheduleQuery.model_validate({"obligation_id": "obl_1"}))
    header, row = as_csv(page.items).splitlines()
    told = dict(zip(header.split(","), row.split(","), strict=True))
    assert (told["start_utc"], told["start_local"], told["earns"]) == (START, "2026-06-01 17:00", "200.00")
    calendar = as_calendar(page.items)
    assert "DTSTART:20260601T160000Z\r\n" in calendar
    assert "STATUS:CONFIRMED" in calendar
    assert max(len(line.encode()) for line in calendar.split("\r\n")) <= 75
    assert reads.list_schedule(place.operator("2026-06-03T00:00:00Z"), ScheduleQuery()).items == []
    past = ScheduleQuery.model_validate({"after": "2026-06-01T00:00:00Z"})
    assert reads.list_schedule(place.operator("2026-06-03T00:00:00Z"), past).items[0].state == "delivered"


def test_a_list_shows_each_as_it_stands_now(place: DispatchMarket) -> None:
    place.issue()
    seen = reads.list_instructions(place.call(now=START), InstructionQuery.model_validate({"state": "expired"}))
    assert [each.state for each in seen.items] == ["expired"]
    assert reads.list_instructions(a_call("org_fsp2", now=NOON), InstructionQuery()).items == []


def shared(place: DispatchMarket, so: str) -> None:
    """Another obligation, of operator `so`, on the same asset as obl_s1."""
    place.battery = place.share_an_asset(so)  # type: ignore[attr-defined]


def test_an_asset_instructed_under_another_obligation_of_the_operator_is_refused_by_name(place: DispatchMarket) -> None:
    shared(place, place.so.organisation)
    [first] = place.issue({"obligation_id": "obl_s1"})
    with pytest.raises(Invalid) as refused:
        place.issue({"obligation_id": "obl_s2"})
    [problem] = refused.value.problems
    assert problem.code == "instruction.asset_busy"
    assert str(first.instruction_id) in problem.detail
    later = {"obligation_id": "obl_s2", "start": END, "end": "2026-06-01T18:00:00Z"}
    assert place.issue(later)[0].outcome == "issued"


def test_two_operators_instructing_one_asset_is_shown_to_both_and_recorded(place: DispatchMarket) -> None:
    other = a_system_operator(2).organisation
    shared(place, other)
    [first] = place.issue({"obligation_id": "obl_s1"})
    stranger = a_call(other, "so", now=NOON)
    [second] = place.issue({"obligation_id": "obl_s2"}, call=stranger)
    assert second.outcome == "issued"
    [seen], [theirs] = (reads.list_conflicts(call, ConflictQuery()).items for call in (place.operator(NOON), stranger))
    assert seen == theirs
    assert set(seen.instruction_ids) == {first.instruction_id, second.instruction_id}
    assert stored(first.instruction_id).conflicts == stored(second.instruction_id).conflicts == (seen.id,)
    [recorded] = actions.conflicts_of_asset(place.battery, seen.start.date())  # type: ignore[attr-defined]
    assert recorded.id == seen.id


def test_a_test_proves_the_way_and_earns_nothing(place: DispatchMarket) -> None:
    request = TestInstructionRequest(obligation_id="obl_1", client_token="t")
    sent = testing.send_test(place.operator(NOON), request)
    assert (sent.test, sent.state, sent.earns) == (True, "sent", None)
    assert testing.send_test(place.operator(NOON), request).id == sent.id
    assert answer(place, sent.id).state == "acknowledged"
    assert tick("2026-07-01T00:00:00Z") == 0
    assert place.issue()[0].outcome == "issued"
    with pytest.raises(Refused):
        report(place, sent.id, NOON, "started")


def test_settlement_reads_every_instruction_of_a_span(place: DispatchMarket) -> None:
    [declined] = place.issue()
    answer(place, declined.instruction_id, answer="decline", reason="no fuel")
    [kept] = place.issue({"client_token": "b"})
    obligation = contracts.find_obligation("obl_1")
    assert obligation is not None
    span = (stored(kept.instruction_id).start, stored(kept.instruction_id).end)
    found = actions.instructions_in("obl_1", span)
    assert {each.id for each in found} == {declined.instruction_id, kept.instruction_id}
    assert len(actions.availability_in("obl_1", span, span[0])) == 1
    assert actions.availability_in("obl_none", span, span[0]) == []
    assert [each.id for each in actions.instructions_of("so", place.so.organisation, span)]
    assert set(actions.load_instructions([str(kept.instruction_id)])) == {kept.instruction_id}


def test_the_control_room_sees_who_can_be_called_cheapest_first(place: DispatchMarket) -> None:
    place.obligation("obl_dear", utilisation_price="150")
    place.obligation("obl_free", utilisation_price="50", start="20:00", end="21:00")
    call = place.operator("2026-06-01T15:30:00Z")
    seen = view_control_room(call, ControlRoomQuery(hours=4))
    assert [each.obligation_id for each in seen.items] == ["obl_free", "obl_1", "obl_dear"]
    [total] = seen.areas
    assert (total.area, str(total.free_mw_now), str(total.free_mw_next)) == ("NORTH", "0", "6")
    soon = view_control_room(call, ControlRoomQuery(hours=1, area="NORTH", direction="Deficit"))
    assert [each.obligation_id for each in soon.items] == ["obl_1", "obl_dear"]
    assert view_control_room(call, ControlRoomQuery(area="SOUTH")).items == ()


def test_the_control_room_counts_what_runs_and_can_rotate(place: DispatchMarket) -> None:
    place.obligation("obl_dear", utilisation_price="150")
    running(place)
    during = place.operator("2026-06-01T16:30:00Z")
    cheapest = view_control_room(during, ControlRoomQuery())
    assert [(each.obligation_id, str(each.free_mw), each.minutes_called) for each in cheapest.items] == [
        ("obl_1", "0", 30),
        ("obl_dear", "2", 0),
    ]
    rotated = view_control_room(during, ControlRoomQuery(order="rotation"))
    assert [each.obligation_id for each in rotated.items] == ["obl_dear", "obl_1"]


def a_desk(place: DispatchMarket, token: str) -> Desk:
    """An instruction judged and not yet written."""
    asked = InstructionRequest.model_validate(asked_for(0, {"client_token": token}))
    desk = Desk(place.operator(NOON), Known(), [asked])
    assert not isinstance(desk.issue(asked), list)
    return desk


def test_two_who_instruct_at_the_same_moment_cannot_both(place: DispatchMarket) -> None:
    first, second = a_desk(place, "a"), a_desk(place, "b")
    first.commit(False)
    with pytest.raises(Stale):
        second.commit(False)
    assert problems(lambda: place.issue({"client_token": "b"})) == ["instruction.overlaps"]


def test_what_is_taken_back_at_the_same_moment_is_not_instructed(place: DispatchMarket) -> None:
    from chalicelib.dispatch.actions_availability import declare_variation

    desk = a_desk(place, "a")
    taken = {"obligation_id": "obl_1", "end": END, "available_mw": "1", "reason": "x"}
    declare_variation(place.call(now=NOON), VariationRequest.model_validate(taken))
    with pytest.raises(Stale):
        desk.commit(False)


def test_an_asset_shared_by_two_operators_is_guarded_at_the_same_moment(place: DispatchMarket) -> None:
    other = a_system_operator(2).organisation
    shared(place, other)
    asked = InstructionRequest.model_validate(asked_for(0, {"obligation_id": "obl_s1"}))
    desk = Desk(place.operator(NOON), Known(), [asked])
    desk.issue(asked)
    place.issue({"obligation_id": "obl_s2"}, call=a_call(other, "so", now=NOON))
    with pytest.raises(Stale):
        desk.commit(False)
    assert place.issue({"obligation_id": "obl_s1"})[0].conflicts != ()


def test_more_than_one_transaction_holds_is_split(place: DispatchMarket) -> None:
    days = [f"2026-06-{day:02}" for day in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 15, 16)]
    for number in range(6):
        place.obligation(f"obl_{number + 10}")
    items = [
        {"obligation_id": f"obl_{number % 6 + 10}", "start": f"{day}T16:00:00Z", "end": f"{day}T17:00:00Z"}
        | {"client_token": f"{day}/{number}"}
        for number, day in enumerate(days)
    ]
    assert {each.outcome for each in place.issue(*items)} == {"issued"}


def test_a_long_line_of_a_calendar_is_folded(place: DispatchMarket) -> None:
    [issued] = place.issue()
    seen = reads.get_instruction(place.call(now=NOON), str(issued.instruction_id))
    calendar = as_calendar([seen.but(competition_reference="Nørd, süd; " * 12)])
    assert max(len(line.encode()) for line in calendar.split("\r\n")) <= 75
    assert "Nørd\\, süd\\; " in calendar.replace("\r\n ", "")
