"""Claims about what OpenADR reports say to dispatch: spellings of others read, contradictions and odd units refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch.openadr_answers import in_megawatts, normal, read_report
from chalicelib.dispatch.openadr_models import ReportRequest, ValuesMap
from chalicelib.dispatch.requests import Answer
from chalicelib.kernel.errors import Invalid
from tests.builders.openadr import a_report, a_report_of

IN = Answer(answer="acknowledge")


def answer_to(*payloads: Any, **how: Any) -> Answer | None:
    return read_report(a_report(*payloads, **how)).answer


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("OPT_IN", [True]),
        ("opt-in", [True]),
        ("optIn", []),
        ("Opt In", ["yes"]),
        ("ACKNOWLEDGE", [True]),
        ("accepted", [None]),
        ("OPT", ["OPT_IN"]),
        ("opt_status", ["opt-in"]),
        ("DISPATCH_RESPONSE", ["accept"]),
        ("OPT_OUT", [False]),
    ],
)
def test_every_spelling_of_an_opt_in_acknowledges(kind: str, values: list[Any]) -> None:
    assert answer_to((kind, values)) == IN


@pytest.mark.parametrize(
    ("kind", "values", "reason"),
    [
        ("OPT_OUT", ["broken"], "broken"),
        ("optOut", ["broken"], "broken"),
        ("decline", ["broken"], "broken"),
        ("OPT", ["OPT_OUT", "broken"], "broken"),
        ("OPT_OUT", [True], "Opted out by hems over OpenADR."),
        ("OPT_IN", [False], "Opted out by hems over OpenADR."),
        ("OPERATING_STATE", ["IDLE_OPTED_OUT"], "Opted out by hems over OpenADR."),
        ("operating_state", ["running-opted-out"], "Opted out by hems over OpenADR."),
    ],
)
def test_every_spelling_of_an_opt_out_declines_with_its_reason(kind: str, values: list[Any], reason: str) -> None:
    assert answer_to((kind, values)) == Answer(answer="decline", reason=reason)


@pytest.mark.parametrize(
    ("units", "value", "mw"),
    [
        (None, 1.5, "1.5"),
        ("MW", 1.5, "1.5"),
        ("mw", 1, "1"),
        ("kW", 1500, "1.5"),
        ("KW", 3.6, "0.0036"),
        ("Megawatts", 2, "2"),
        ("W", 250, "0.00025"),
    ],
)
def test_an_opt_in_of_a_part_is_read_in_its_units(units: str | None, value: float, mw: str) -> None:
    described = {"OPT_IN": units} if units else None
    assert answer_to(("OPT_IN", [value]), units=described) == Answer(answer="acknowledge", mw=Decimal(mw))


def test_a_part_may_stand_beside_the_opt_in_as_a_setpoint() -> None:
    said = answer_to(("OPT_IN", [True]), ("Dispatch Setpoint", [750]), units={"DISPATCH_SETPOINT": "KW"})
    assert said == Answer(answer="acknowledge", mw=Decimal("0.75"))


def test_nothing_at_all_is_not_everything() -> None:
    assert answer_to(("OPT_IN", [0])) == Answer(answer="acknowledge", mw=Decimal(0))


@pytest.mark.parametrize(("units", "value"), [("KWH", 1), ("PERCENT", 50), ("MW", 0.0000001)])
def test_units_of_no_power_and_less_than_a_watt_are_refused(units: str, value: float) -> None:
    with pytest.raises(Invalid):
        answer_to(("OPT_IN", [value]), units={"OPT_IN": units})


def test_the_parts_of_resources_that_opt_in_are_added_up() -> None:
    said = read_report(a_report_of([[("OPT_IN", [1])], [("OPT_IN", [0.5])], [("OPT_OUT", ["flat"])]])).answer
    assert said == Answer(answer="acknowledge", mw=Decimal("1.5"))


def test_resources_that_all_opt_out_decline_with_each_reason_once() -> None:
    said = read_report(a_report_of([[("OPT_OUT", ["flat"])], [("OPT_OUT", ["flat"])], [("OPT_OUT", ["hot"])]])).answer
    assert said == Answer(answer="decline", reason="flat; hot")


def test_resources_that_all_opt_in_without_figures_acknowledge_all_of_it() -> None:
    assert read_report(a_report_of([[("OPT_IN", [True])], [("OPT_IN", [True])]])).answer == IN


@pytest.mark.parametrize(
    "resources",
    [
        [[("OPT_IN", [True])], [("OPT_OUT", ["flat"])]],
        [[("OPT_IN", [True])], [("OPT_IN", [1])]],
    ],
)
def test_resources_that_leave_the_part_open_are_refused(resources: Any) -> None:
    with pytest.raises(Invalid, match="MW"):
        read_report(a_report_of(resources))


@pytest.mark.parametrize(
    ("values", "report", "reason"),
    [
        (["STARTED"], "started", None),
        (["delivered"], "delivered", None),
        (["Completed", "early"], "delivered", "early"),
        (["FAILED", "fuse"], "failed", "fuse"),
        (["failed"], "failed", "Reported by hems over OpenADR."),
    ],
)
def test_delivery_is_read(values: list[Any], report: str, reason: str | None) -> None:
    said = read_report(a_report(("DISPATCH_STATE", values))).delivery
    assert said is not None
    assert (said.report, said.reason) == (report, reason)


def test_the_last_word_on_delivery_counts() -> None:
    said = read_report(a_report(("DELIVERY", ["STARTED"]), ("DELIVERY", ["DELIVERED"]), ("DELIVERY", [7]))).delivery
    assert said is not None
    assert said.report == "delivered"


@pytest.mark.parametrize(
    "payload",
    [("USAGE", [1.5]), ("OPERATING_STATE", ["NORMAL"]), ("OPERATING_STATE", []), ("DISPATCH_STATE", []), ("OPT", [1])],
)
def test_readings_and_plain_states_say_nothing_to_dispatch(payload: Any) -> None:
    said = read_report(a_report(payload))
    assert (said.answer, said.delivery) == (None, None)


def test_text_that_looks_like_a_number_stays_text_and_numbers_stay_exact() -> None:
    sent = '{"type": "X", "values": [1, 0.0036, "1.5", true, null, {"x": 1, "y": 2.5}]}'
    assert ValuesMap.model_validate_json(sent).model_dump_json() == sent.replace(", ", ",").replace(": ", ":")


@given(st.decimals(min_value=0, max_value=1000, places=3), st.sampled_from(["KW", "kw", "Kilowatts"]))
def test_kilowatts_are_thousandths_of_megawatts_exactly(value: Decimal, units: str) -> None:
    assert in_megawatts(value, units) * 1000 == value


@given(st.text())
def test_a_spelling_compared_is_its_own_spelling(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=True) | st.text(), st.lists, max_leaves=5))
def test_whatever_is_sent_as_a_value_is_read_or_refused_and_never_a_fault(value: Any) -> None:
    sent = {"eventID": "e", "clientName": "c", "resources": []}
    interval = {"payloads": [{"type": "OPT_IN", "values": [value]}]}
    sent["resources"] = [{"resourceName": "r", "intervals": [interval]}]  # type: ignore[assignment]
    try:
        read_report(ReportRequest.model_validate(sent))
    except (ValueError, Invalid):
        return
