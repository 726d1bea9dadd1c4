"""Claims about what a newly published report takes over: states, what was invoiced, corrections by each policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement.differences import key_of
from chalicelib.settlement.models_runs import LINES_A_SHEET, ReportLine, line_id_of
from chalicelib.settlement.publishing import (
    CREDITED_AT_ONCE,
    Drawn,
    dispute_days,
    draw_upon,
    policy_of,
    rules_by_line,
    sheets_of,
)
from tests.builders.reports import a_detail, a_report_line, an_instruction_detail
from tests.builders.settlement import rules

AT = datetime(2026, 6, 8, tzinfo=UTC)
POLICIES = ("re-run", "credit-note", "frozen")
CORRECTING = ("re-run", "credit-note")


def drawn(now: Sequence[ReportLine], before: Sequence[ReportLine], policy: str = "re-run") -> Drawn:
    return draw_upon("rpt_2", now, before, lambda _: policy, AT)


def shown(found: Drawn) -> list[tuple[str | None, str]]:
    """Amount and state of each line, in order."""
    return [(_text(line), found.moves[line.id].state if line.id in found.moves else "open") for line in found.lines]


def _text(line: ReportLine) -> str | None:
    return None if line.amount is None else f"{line.amount:.2f}"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("state", ["open", "disputed", "agreed", "invoiced", "paid"])
def test_a_line_whose_amount_stayed_keeps_its_state(state: str, policy: str) -> None:
    before = [a_report_line(state=state, dispute_id="dsp_1", invoice_id="inv_1", why="so said")]
    found = drawn([a_report_line()], before, policy)
    assert shown(found) == [("10.00", state)]
    if state != "open":
        move = found.moves["rpt_2-00000"]
        assert (move.dispute_id, move.invoice_id, move.why) == ("dsp_1", "inv_1", "so said")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("state", "after"), [("open", "open"), ("agreed", "open"), ("disputed", "disputed")])
def test_a_changed_line_that_was_not_invoiced_is_open_again_unless_it_is_disputed(
    state: str, after: str, policy: str
) -> None:
    assert shown(drawn([a_report_line(0, "12")], [a_report_line(state=state)], policy)) == [("12.00", after)]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_line_that_lacked_data_and_now_has_an_amount_is_open(policy: str) -> None:
    assert shown(drawn([a_report_line(0, "12")], [a_report_line(0, None)], policy)) == [("12.00", "open")]


def test_a_new_line_is_open_and_one_never_invoiced_that_is_gone_goes() -> None:
    assert shown(drawn([a_report_line(1, "3")], [a_report_line(0)])) == [("3.00", "open")]


@pytest.mark.parametrize(("state", "after"), [("invoiced", "invoiced"), ("paid", "paid")])
def test_an_invoiced_line_stands_and_its_correction_is_open_to_dispute(state: str, after: str) -> None:
    found = drawn([a_report_line(0, "12.50")], [a_report_line(state=state, invoice_id="inv_1")])
    assert shown(found) == [("10.00", after), ("2.50", "open")]
    assert found.lines[1].corrects == Decimal(10)
    assert found.total == Decimal("12.50")


def test_a_correction_is_agreed_at_once_where_the_policy_credits() -> None:
    found = drawn([a_report_line(0, "7")], [a_report_line(state="paid")], "credit-note")
    assert shown(found) == [("10.00", "paid"), ("-3.00", "agreed")]
    assert found.moves["rpt_2-00001"].why == CREDITED_AT_ONCE


def test_a_frozen_month_takes_up_nothing_new_once_anything_of_it_was_invoiced() -> None:
    before = [a_report_line(0, state="paid"), a_report_line(1), a_report_line(2, state="agreed"), a_report_line(3)]
    now = [a_report_line(0, "12"), a_report_line(1, "12"), a_report_line(2, "12"), a_report_line(9, "5")]
    found = drawn(now, before, "frozen")
    assert shown(found) == [("10.00", "paid"), ("10.00", "open"), ("10.00", "agreed"), ("10.00", "open")]


def test_a_frozen_month_still_follows_lines_that_were_held_up() -> None:
    before = [a_report_line(0, state="invoiced"), a_report_line(1, state="disputed"), a_report_line(2, None)]
    found = drawn([a_report_line(n, "12") for n in range(3)], before, "frozen")
    assert shown(found) == [("10.00", "invoiced"), ("12.00", "disputed"), ("12.00", "open")]


def test_frozen_closes_only_the_obligation_months_that_were_invoiced() -> None:
    before = [a_report_line(0, state="invoiced"), a_report_line(1, obligation_id="obl_2")]
    now = [a_report_line(0, "12"), a_report_line(1, "12", obligation_id="obl_2"), a_report_line(2, month="2026-05")]
    found = drawn(now, before, "frozen")
    assert shown(found) == [("10.00", "invoiced"), ("12.00", "open"), ("10.00", "open")]


@pytest.mark.parametrize(("policy", "state"), [("re-run", "open"), ("credit-note", "agreed")])
def test_what_was_invoiced_and_is_due_no_more_is_taken_back(policy: str, state: str) -> None:
    found = drawn([], [a_report_line(state="paid")], policy)
    assert shown(found) == [("10.00", "paid"), ("-10.00", state)]
    assert found.total == ZERO


def test_an_invoiced_line_of_nothing_that_is_gone_needs_no_correction() -> None:
    assert shown(drawn([], [a_report_line(0, "0", state="paid")])) == [("0.00", "paid")]


def test_lines_of_a_frozen_month_that_are_gone_stand() -> None:
    before = [a_report_line(0, state="paid"), a_report_line(1), a_report_line(2, state="disputed")]
    found = drawn([], before, "frozen")
    assert shown(found) == [("10.00", "paid"), ("10.00", "open"), ("0.00", "disputed")]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_dispute_keeps_its_line_though_the_run_has_it_no_more(policy: str) -> None:
    found = drawn([], [a_report_line(state="disputed", dispute_id="dsp_1")], policy)
    assert shown(found) == [("0.00", "disputed")]
    assert found.moves["rpt_2-00000"].dispute_id == "dsp_1"


def test_an_invoiced_line_whose_data_is_gone_stands_and_says_what_it_waits_for() -> None:
    for policy in CORRECTING:
        found = drawn([a_report_line(0, None)], [a_report_line(state="invoiced")], policy)
        assert shown(found) == [("10.00", "invoiced"), (None, "open")]
        assert found.lines[1].reason == "MISSING_READINGS"
        assert found.unsettled == 1


def test_a_charge_that_was_invoiced_waits_with_its_instruction() -> None:
    before = [a_report_line(state="paid"), a_report_line(0, "-4", state="paid", component="penalty")]
    found = drawn([a_report_line(0, None)], before)
    assert shown(found) == [("10.00", "paid"), (None, "open"), ("-4.00", "paid"), (None, "open")]


def test_a_second_correction_is_of_all_that_was_invoiced() -> None:
    before = [a_report_line(state="paid"), a_report_line(0, "2", state="invoiced", corrects="10")]
    found = drawn([a_report_line(0, "15")], before)
    assert shown(found) == [("10.00", "paid"), ("2.00", "invoiced"), ("3.00", "open")]
    assert found.lines[2].corrects == Decimal(12)


def test_a_correction_not_invoiced_yet_gives_way_to_the_newest() -> None:
    before = [a_report_line(state="paid"), a_report_line(0, "2", state="agreed", corrects="10")]
    assert shown(drawn([a_report_line(0, "15")], before)) == [("10.00", "paid"), ("5.00", "open")]
    assert shown(drawn([a_report_line(0, "12")], before)) == [("10.00", "paid"), ("2.00", "agreed")]
    assert shown(drawn([a_report_line(0, "10")], before)) == [("10.00", "paid")]


def test_lines_whose_invoice_was_credited_are_one_again_and_stay_agreed_where_their_sum_is_due() -> None:
    credited = [a_report_line(state="agreed"), a_report_line(0, "2", state="agreed", corrects="10")]
    assert shown(drawn([a_report_line(0, "12")], credited)) == [("12.00", "agreed")]
    assert shown(drawn([a_report_line(0, "13")], credited)) == [("13.00", "open")]
    half = [a_report_line(state="agreed"), a_report_line(0, "2", state="open", corrects="10")]
    assert shown(drawn([a_report_line(0, "12")], half)) == [("12.00", "open")]
    for disputed in (0, 1):
        lines = [
            line.but(state="disputed", dispute_id="dsp_1") if n == disputed else line for n, line in enumerate(half)
        ]
        found = drawn([a_report_line(0, "12")], lines)
        assert shown(found) == [("12.00", "disputed")]
        assert found.moves["rpt_2-00000"].dispute_id == "dsp_1"


def test_a_line_whose_invoice_was_credited_stays_agreed_beside_its_correction_that_was_not() -> None:
    before = [a_report_line(state="agreed"), a_report_line(0, "2", state="paid", corrects="10")]
    found = drawn([a_report_line(0, "12")], before)
    assert shown(found) == [("2.00", "paid"), ("10.00", "agreed")]
    assert shown(drawn([a_report_line(0, None)], before)) == [("2.00", "paid"), (None, "open")]


def test_what_waits_beside_a_credited_line_is_not_summed_up() -> None:
    before = [a_report_line(state="agreed"), a_report_line(0, None, corrects="10")]
    assert shown(drawn([a_report_line(0, "12")], before)) == [("12.00", "open")]


def test_a_disputed_correction_stays_disputed_even_when_nothing_is_left_of_it() -> None:
    before = [a_report_line(state="paid"), a_report_line(0, "2", state="disputed", corrects="10", dispute_id="dsp_1")]
    for policy in CORRECTING:
        assert shown(drawn([a_report_line(0, "10")], before, policy)) == [("10.00", "paid"), ("0.00", "disputed")]
        assert shown(drawn([a_report_line(0, "11")], before, policy)) == [("10.00", "paid"), ("1.00", "disputed")]


def test_lines_are_numbered_anew_and_say_which_run_settled_them() -> None:
    before = [a_report_line(state="paid", run_id="run_1")]
    found = drawn([a_report_line(0, "12", run_id="run_2"), a_report_line(5, run_id="run_2")], before)
    assert [(line.id, line.ordinal, line.run_id) for line in found.lines] == [
        ("rpt_2-00000", 0, "run_1"),
        ("rpt_2-00001", 1, "run_2"),
        ("rpt_2-00002", 2, "run_2"),
    ]
    assert {line.state for line in found.lines} == {"open"}, "states stand apart from what was drawn"


def test_states_go_into_sheets_by_the_place_of_their_line() -> None:
    agreed = (3, 2 * LINES_A_SHEET + 1)
    now = [a_report_line(number) for number in range(2 * LINES_A_SHEET + 5)]
    before = [line.model_copy(update={"state": "agreed"}) if line.ordinal in agreed else line for line in now]
    sheets = sheets_of(drawn(now, before), "rpt_2")
    assert [(sheet.number, list(sheet.moved), sheet.version) for sheet in sheets] == [
        (0, [line_id_of("rpt_2", agreed[0])], 0),
        (2, [line_id_of("rpt_2", agreed[1])], 0),
    ]


def test_a_lines_policy_is_that_of_the_rules_that_settled_it() -> None:
    detail = a_detail(
        instructions=(an_instruction_detail(), an_instruction_detail("ins_2", obligation_id="obl_2", rules_name="b")),
        rules=(rules(), rules(name="b", late_data="frozen", dispute_working_days=15), rules(name="c", version=2)),
    )
    policy = policy_of(detail)
    assert policy(a_report_line(0)) == "re-run"
    assert policy(a_report_line(1, obligation_id="obl_2")) == "frozen"
    found = rules_by_line(detail)
    assert found(a_report_line(1, obligation_id="obl_3", rules_version=2)).name == "c"
    assert found(a_report_line(1, obligation_id="obl_3", rules_version=7)).name == "test"
    assert dispute_days(detail) == 15


def test_a_report_without_anything_in_it_goes_by_what_is_usual() -> None:
    nothing = a_detail(instructions=(), rules=())
    assert dispute_days(nothing) == 10
    assert policy_of(nothing)(a_report_line()) == "re-run"


AMOUNTS = st.none() | st.decimals(min_value=-999, max_value=999, places=2)
STATES = st.sampled_from(["open", "disputed", "agreed"])
VERSIONS = st.lists(st.dictionaries(st.integers(0, 5), AMOUNTS), min_size=1, max_size=5)


def history(versions: Sequence[dict[int, Decimal | None]], policy: str, data: st.DataObject) -> list[list[ReportLine]]:
    """Reports published one upon the other, lines invoiced and disputed in between; each as it stood at last."""
    reports: list[list[ReportLine]] = []
    for amounts in versions:
        now = [a_report_line(key, None if amount is None else str(amount)) for key, amount in sorted(amounts.items())]
        found = drawn(now, reports[-1] if reports else [], policy)
        reports.append([_moved_on(line, found, data) for line in found.lines])
    return reports


def _moved_on(line: ReportLine, found: Drawn, data: st.DataObject) -> ReportLine:
    move = found.moves.get(line.id)
    state = move.state if move else "open"
    choices = {"open": ["open"] if line.amount is None else ["open", "disputed", "agreed", "invoiced"]}
    choices |= {"disputed": ["disputed", "agreed"], "agreed": ["agreed", "invoiced"]}
    choices |= {"invoiced": ["invoiced", "paid", "agreed"], "paid": ["paid", "agreed"]}  # agreed again: credited
    if line.amount is None:
        choices["disputed"] = ["disputed"]
    return line.model_copy(update={"state": data.draw(st.sampled_from(choices.get(state, [state])))})


@given(VERSIONS, st.sampled_from(CORRECTING), st.data())
def test_what_was_invoiced_and_its_corrections_are_what_is_now_due(
    versions: list[dict[int, Decimal | None]], policy: str, data: st.DataObject
) -> None:
    last = history(versions, policy, data)[-1]
    for key, amount in versions[-1].items():
        lines = [line for line in last if line.instruction_id == f"ins_{key}"]
        if amount is not None:
            assert sum(line.amount or ZERO for line in lines) == amount
    gone = [line for line in last if line.instruction_id not in {f"ins_{key}" for key in versions[-1]}]
    assert sum((line.amount or ZERO for line in gone), ZERO) == ZERO


@given(VERSIONS, st.sampled_from(POLICIES), st.data())
def test_what_was_invoiced_never_changes_and_no_dispute_is_lost(
    versions: list[dict[int, Decimal | None]], policy: str, data: st.DataObject
) -> None:
    reports = history(versions, policy, data)
    for before, after in pairwise(reports):
        done = [(key_of(line), line.amount) for line in before if line.state in ("invoiced", "paid")]
        kept = [(key_of(line), line.amount) for line in after]
        assert all(kept.count(each) >= done.count(each) for each in done)
        disputed = {key_of(line) for line in before if line.state == "disputed"}
        assert disputed <= {key_of(line) for line in after if line.state in ("disputed", "agreed")}


@given(VERSIONS, st.data())
def test_frozen_corrects_nothing(versions: list[dict[int, Decimal | None]], data: st.DataObject) -> None:
    assert all(line.corrects is None for report in history(versions, "frozen", data) for line in report)
