"""Claims about instructions over OpenADR: listed while they bind, gone when not, answered by reports in time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.dispatch import actions_openadr as openadr
from chalicelib.dispatch import actions_openadr_reports as reports
from chalicelib.dispatch.actions_answering import cancel_instruction, stop_instruction
from chalicelib.dispatch.actions_reads import get_instruction, list_schedule
from chalicelib.dispatch.actions_testing import send_test
from chalicelib.dispatch.openadr_models import Event, ReportRequest
from chalicelib.dispatch.openadr_queries import EventQuery, ProgramQuery, ReportQuery
from chalicelib.dispatch.requests import EndRequest, ScheduleQuery, TestInstructionRequest
from chalicelib.kernel.errors import Invalid, NotFound, Refused, TooLarge
from chalicelib.notifications.actions_channels import list_channels
from tests.builders.calls import a_call
from tests.builders.dispatch import FSP, DispatchMarket
from tests.builders.openadr import a_report

NOON = "2026-06-01T12:00:00Z"
HALF_PAST = "2026-06-01T12:30:00Z"
RUNNING = "2026-06-01T16:10:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    made = DispatchMarket()
    made.obligation()
    return made


def ven(now: str = NOON, organisation: str = FSP, client: str = "mac_1") -> Any:
    return a_call(organisation, now=now, actor=client)


def events(now: str = NOON, **query: Any) -> list[Event]:
    return openadr.list_events(ven(now), EventQuery.model_validate(query)).root


def issued(place: DispatchMarket, **changes: Any) -> str:
    [made] = place.issue(changes)
    assert made.instruction_id is not None
    return made.instruction_id


def setpoint(event: Event) -> Any:
    return event.intervals[0].payloads[0].values[0]


def test_an_instruction_sent_is_an_event_of_its_obligations_program(place: DispatchMarket) -> None:
    made = issued(place)
    [event] = events()
    assert (event.id, event.program_id, setpoint(event)) == (made, "obl_1", 2)
    [program] = openadr.list_programs(ven(), ProgramQuery()).root
    assert program.id == event.program_id == openadr.get_program(ven(), "obl_1").id
    assert openadr.get_event(ven(), made) == event


def test_an_obligation_that_is_not_contracted_is_no_program(place: DispatchMarket) -> None:
    place.obligation("obl_2", ready=False, state="awarded")
    assert [each.id for each in openadr.list_programs(ven(), ProgramQuery()).root] == ["obl_1"]
    with pytest.raises(NotFound):
        openadr.get_program(ven(), "obl_2")


def test_a_scheduled_instruction_is_no_event_until_it_is_sent(place: DispatchMarket) -> None:
    place.obligation("obl_2", product_type="Peak Reduction")
    assert events() == []
    ahead = list_schedule(ven(), ScheduleQuery(obligation_id="obl_2")).items[-1]
    assert ahead.state == "scheduled"
    with pytest.raises(NotFound):
        openadr.get_event(ven(), ahead.id)


def test_lists_are_paged_by_skip_and_limit_and_filtered_by_program_target_and_activity(place: DispatchMarket) -> None:
    first = issued(place)
    second = issued(place, client_token="b", start="2026-06-02T16:00:00Z", end="2026-06-02T17:00:00Z")
    assert [each.id for each in events()] == [first, second]
    assert [each.id for each in events(skip=1)] == [second]
    assert [each.id for each in events(limit=1)] == [first]
    assert events(limit=0) == []
    assert events(programID="obl_9") == []
    assert len(events(programID="obl_1")) == 2
    [one, _] = events(targets=["NORTH-1", "obl_1"])
    assert one.targets == ("obl_1", "NORTH-1")
    assert events(targets=["NORTH-1", "SOUTH-1"]) == []
    reports.add_report(ven(), a_report(("OPT_IN", [True]), event=first))
    after = "2026-06-01T20:00:00Z"
    assert [each.id for each in events(after, active=False)] == [first]
    assert events(after, active=True) == []  # nobody answered the second one


def test_a_program_is_found_by_its_targets(place: DispatchMarket) -> None:
    [found] = openadr.list_programs(ven(), ProgramQuery(targets=("NORTH-1",))).root
    assert found.targets == ("NORTH-1",)
    assert openadr.list_programs(ven(), ProgramQuery(targets=("SOUTH-1",))).root == []


def test_a_cancelled_declined_or_expired_instruction_is_no_event_any_more(place: DispatchMarket) -> None:
    cancelled = issued(place)
    cancel_instruction(place.operator(NOON), cancelled, EndRequest(reason="no need"))
    declined = issued(place, client_token="b")
    reports.add_report(ven(), a_report(("OPT_OUT", ["broken"]), event=declined))
    expired = issued(place, client_token="c")
    assert [each.id for each in events()] == [expired]
    assert events(HALF_PAST) == []
    for each in (cancelled, declined, expired):
        with pytest.raises(NotFound):
            openadr.get_event(ven(HALF_PAST), each)


def test_a_stopped_instruction_is_told_with_its_real_end(place: DispatchMarket) -> None:
    made = issued(place)
    reports.add_report(ven(), a_report(("OPT_IN", [True]), event=made))
    stop_instruction(place.operator(RUNNING), made, EndRequest(reason="enough"))
    [event] = events(RUNNING)
    assert event.interval_period.duration == "PT10M"
    assert event.modification_date_time > event.created_date_time


def test_an_opt_in_acknowledges_all_of_it(place: DispatchMarket) -> None:
    made = issued(place)
    kept = reports.add_report(ven(), a_report(("opt-in", [True]), event=made))
    standing = get_instruction(ven(), made)
    assert (standing.state, standing.acknowledged_mw) == ("acknowledged", 2)
    assert standing.moves[-1].by == "mac_1"
    assert reports.list_reports(ven(), ReportQuery()).root == [kept]


def test_an_opt_in_of_kilowatts_acknowledges_a_part(place: DispatchMarket) -> None:
    made = issued(place)
    reports.add_report(ven(), a_report(("OPT_IN", [1500]), event=made, units={"OPT_IN": "kW"}))
    assert get_instruction(ven(), made).acknowledged_mw == Decimal("1.5")
    assert setpoint(events()[0]) == Decimal("1.5")


def test_an_opt_out_declines_with_its_reason(place: DispatchMarket) -> None:
    made = issued(place)
    reports.add_report(ven(), a_report(("OPT_OUT", ["battery flat"]), event=made))
    standing = get_instruction(ven(), made)
    assert (standing.state, standing.moves[-1].reason) == ("declined", "battery flat")


def test_an_answer_after_expiry_is_refused_and_its_report_not_kept(place: DispatchMarket) -> None:
    made = issued(place)
    with pytest.raises(Refused) as late:
        reports.add_report(ven(HALF_PAST), a_report(("OPT_IN", [True]), event=made))
    assert late.value.code == "instruction.expired"
    assert reports.list_reports(ven(HALF_PAST), ReportQuery()).root == []


@pytest.mark.parametrize("mw", [2.5, 0.1, 0])
def test_an_opt_in_of_more_than_asked_or_of_too_small_a_part_is_refused(place: DispatchMarket, mw: float) -> None:
    made = issued(place)
    with pytest.raises(Invalid):
        reports.add_report(ven(), a_report(("OPT_IN", [mw]), event=made))
    assert get_instruction(ven(), made).state == "sent"


def test_the_same_answer_again_stands_and_another_is_refused(place: DispatchMarket) -> None:
    made = issued(place)
    for _ in range(2):
        reports.add_report(ven(), a_report(("OPT_IN", [True]), event=made))
    assert len(get_instruction(ven(), made).moves) == 2
    with pytest.raises(Refused):
        reports.add_report(ven(), a_report(("OPT_OUT", ["changed my mind"]), event=made))
    other = issued(place, client_token="b", start="2026-06-02T16:00:00Z", end="2026-06-02T17:00:00Z")
    for _ in range(2):
        reports.add_report(ven(), a_report(("OPT_OUT", ["flat"]), event=other))
    assert get_instruction(ven(), other).state == "declined"


def test_delivery_is_reported_and_readings_are_kept_without_moving_anything(place: DispatchMarket) -> None:
    made = issued(place)
    reports.add_report(ven(), a_report(("OPT_IN", [True]), event=made))
    reports.add_report(ven(RUNNING), a_report(("USAGE", [1.9]), event=made, units={"USAGE": "MWH"}))
    assert get_instruction(ven(RUNNING), made).state == "delivering"
    reports.add_report(ven(RUNNING), a_report(("DISPATCH_STATE", ["FAILED", "fuse"]), event=made))
    standing = get_instruction(ven(RUNNING), made)
    assert (standing.state, standing.moves[-1].reason) == ("failed", "fuse")


def test_a_report_is_changed_and_what_it_then_says_is_done(place: DispatchMarket) -> None:
    made = issued(place)
    kept = reports.add_report(ven(), a_report(("USAGE", [0]), event=made))
    changed = reports.change_report(ven(), kept.id, a_report(("OPT_IN", [True]), event=made))
    assert (changed.id, changed.created_date_time) == (kept.id, kept.created_date_time)
    assert reports.get_report(ven(), kept.id) == changed
    assert get_instruction(ven(), made).state == "acknowledged"


def test_a_removed_report_is_off_the_list_and_its_answer_stands(place: DispatchMarket) -> None:
    made = issued(place)
    kept = reports.add_report(ven(), a_report(("OPT_IN", [True]), event=made))
    assert reports.remove_report(ven(), kept.id) == kept
    assert reports.list_reports(ven(), ReportQuery()).root == []
    with pytest.raises(NotFound):
        reports.get_report(ven(), kept.id)
    assert get_instruction(ven(), made).state == "acknowledged"


def test_reports_are_filtered_by_program_event_and_name_of_client(place: DispatchMarket) -> None:
    made = issued(place)
    reports.add_report(ven(), a_report(("USAGE", [1]), event=made))

    def found(**query: str) -> int:
        return len(reports.list_reports(ven(), ReportQuery.model_validate(query)).root)

    assert found(programID="obl_1", eventID=made, clientName="hems") == 1
    assert [found(programID="obl_2"), found(eventID="ins_2"), found(clientName="other")] == [0, 0, 0]


def test_a_report_beyond_the_limit_is_refused_before_it_does_anything(place: DispatchMarket) -> None:
    made = issued(place)
    payloads = [{"type": "OPT_IN", "values": ["x" * 1000] * 100}] * 4
    sent = {"resourceName": "r", "intervals": [{"payloads": payloads}]}
    asked = ReportRequest.model_validate({"eventID": made, "clientName": "c", "resources": [sent]})
    with pytest.raises(TooLarge):
        reports.add_report(ven(), asked)
    assert get_instruction(ven(), made).state == "sent"


def test_a_vtn_client_reading_anothers_program_event_or_report_finds_nothing(place: DispatchMarket) -> None:
    made = issued(place)
    kept = reports.add_report(ven(), a_report(("USAGE", [1]), event=made))
    stranger = ven(organisation="org_fsp2", client="mac_2")
    assert openadr.list_programs(stranger, ProgramQuery()).root == []
    assert openadr.list_events(stranger, EventQuery()).root == []
    assert reports.list_reports(stranger, ReportQuery()).root == []
    with pytest.raises(NotFound):
        openadr.get_program(stranger, "obl_1")
    with pytest.raises(NotFound):
        openadr.get_event(stranger, made)
    with pytest.raises(NotFound):
        reports.get_report(stranger, kept.id)
    with pytest.raises(Invalid):
        reports.add_report(stranger, a_report(("OPT_OUT", ["sabotage"]), event=made))
    assert get_instruction(ven(), made).state == "sent"


def test_a_report_is_its_own_clients_alone(place: DispatchMarket) -> None:
    kept = reports.add_report(ven(), a_report(("USAGE", [1]), event=issued(place)))
    with pytest.raises(NotFound):
        reports.get_report(ven(client="mac_2"), kept.id)


def test_an_instruction_counts_as_arrived_when_a_client_first_fetches_it(place: DispatchMarket) -> None:
    made = issued(place)
    assert openadr.list_reached(ven(), made).items == ()
    events()
    events("2026-06-01T12:05:00Z")
    openadr.get_event(ven("2026-06-01T12:06:00Z", client="mac_2"), made)
    log = openadr.list_reached(place.operator(NOON), made).items
    assert [(each.client_id, each.at.isoformat()) for each in log] == [
        ("mac_1", "2026-06-01T12:00:00+00:00"),
        ("mac_2", "2026-06-01T12:06:00+00:00"),
    ]
    with pytest.raises(NotFound):
        openadr.list_reached(ven(organisation="org_fsp2"), made)


def test_a_test_proves_the_channel_end_to_end(place: DispatchMarket) -> None:
    sent = send_test(place.operator(NOON), TestInstructionRequest(obligation_id="obl_1", client_token="t"))
    [event] = events()
    assert (event.id, setpoint(event)) == (sent.id, 0)
    reports.add_report(ven(), a_report(("OPT_IN", [True]), event=sent.id))
    assert get_instruction(ven(), sent.id).state == "acknowledged"
    [channel] = [each for each in list_channels(ven()).items if each.kind == "openadr"]
    assert (channel.id, channel.address, channel.stale) == ("mac_1", "mac_1", False)
    [later] = [each for each in list_channels(ven("2026-09-15T12:00:00Z")).items if each.kind == "openadr"]
    assert (later.last_success_at, later.stale) == (channel.last_success_at, True)
