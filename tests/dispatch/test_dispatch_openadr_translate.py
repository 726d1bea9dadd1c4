"""Claims about programs and events: what an obligation and an instruction look like to an OpenADR client."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch.openadr_models import Listed, Program
from chalicelib.dispatch.openadr_translate import duration_text, event_of, is_active, meets, met, program_of
from tests.builders.dispatch import an_instruction, an_obligation

START = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)


def sent(**changes: Any) -> Any:
    return json.loads(event_of(an_instruction(**changes)).model_dump_json())


def test_an_event_carries_the_setpoint_in_megawatts_and_until_when_to_answer() -> None:
    event = sent()
    assert event["payloadDescriptors"] == [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "DISPATCH_SETPOINT", "units": "MW"}
    ]
    assert event["intervalPeriod"] == {"start": "2026-06-01T16:30:00Z", "duration": "PT30M"}
    [interval] = event["intervals"]
    assert interval["payloads"] == [
        {"type": "DISPATCH_SETPOINT", "values": [2]},
        {"type": "RESPOND_BY", "values": ["2026-06-01T16:00:00Z"]},
    ]
    assert [each["payloadType"] for each in event["reportDescriptors"]] == ["OPT_IN", "OPT_OUT"]
    assert (event["id"], event["programID"], event["objectType"]) == ("ins_1", "obl_1", "EVENT")
    assert event["createdDateTime"] == event["modificationDateTime"] == "2026-06-01T15:30:00Z"


def test_what_was_acknowledged_is_what_is_asked_for() -> None:
    event = sent(state="acknowledged", acknowledged_mw="1.25")
    assert event["intervals"][0]["payloads"] == [{"type": "DISPATCH_SETPOINT", "values": [1.25]}]
    assert "reportDescriptors" not in event


def test_an_urgent_event_goes_before_others() -> None:
    assert sent(urgent=True)["priority"] < sent()["priority"]


def test_a_test_asks_for_nothing_and_says_so() -> None:
    event = sent(test=True)
    assert event["eventName"] == "TEST NORTH-1"
    assert {"type": "DISPATCH_SETPOINT", "values": [0]} in event["intervals"][0]["payloads"]
    assert {"type": "TEST", "values": [True]} in event["intervals"][0]["payloads"]


def test_a_stopped_event_ends_when_it_was_stopped() -> None:
    stopped = START + timedelta(minutes=10)
    assert sent(state="stopped", ended_at=stopped)["intervalPeriod"]["duration"] == "PT10M"
    early = START - timedelta(minutes=1)
    assert sent(state="stopped", ended_at=early)["intervalPeriod"]["duration"] == "PT0S"


def test_an_event_is_active_until_its_end_and_no_longer() -> None:
    instruction = an_instruction()
    assert is_active(instruction, instruction.end - timedelta(seconds=1))
    assert not is_active(instruction, instruction.end)


def test_a_program_spans_its_service_period_of_local_days() -> None:
    program = json.loads(program_of(an_obligation(), "Network 1").model_dump_json())
    assert program["intervalPeriod"] == {"start": "2026-05-31T23:00:00Z", "duration": "PT720H"}
    named = {each["type"]: each["values"] for each in program["attributes"]}
    assert named["RETAILER_NAME"] == ["Network 1"]
    assert named["CAPACITY_MW"] == [2]
    assert program["programName"] == program["id"] == "obl_1"
    assert "targets" not in program


def test_a_program_over_a_clock_change_is_an_hour_longer() -> None:
    autumn = an_obligation(period_start="2026-10-25", period_end="2026-10-25")
    assert program_of(autumn, "Network 1").interval_period.duration == "PT25H"


def test_targets_that_were_not_asked_for_are_hidden() -> None:
    assert met(("a", "b"), ("b", "c")) == ("b",)
    assert met(("a", "b"), ()) is None
    assert meets(("a", "b"), ("b",))
    assert not meets(("a", "b"), ("b", "c"))
    assert event_of(an_instruction(), ["NORTH-1"]).targets == ("NORTH-1",)


@pytest.mark.parametrize(
    ("length", "text"),
    [(timedelta(0), "PT0S"), (timedelta(days=1, minutes=5), "PT24H5M"), (timedelta(seconds=61), "PT1M1S")],
)
def test_lengths_are_told_without_days(length: timedelta, text: str) -> None:
    assert duration_text(length) == text


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_a_length_told_is_read_back_the_same_to_the_second(length: timedelta) -> None:
    from pydantic import TypeAdapter

    read = TypeAdapter(timedelta).validate_python(duration_text(length))
    assert read == timedelta(seconds=int(length.total_seconds()))


def test_a_list_is_a_bare_array_without_what_is_not_set() -> None:
    told = Listed[Program]([program_of(an_obligation(), "Network 1")]).model_dump_json()
    assert isinstance(json.loads(told), list)
    assert "null" not in told
