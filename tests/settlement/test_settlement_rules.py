"""Claims about market rules, states, differences between versions, and what an invoice says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.kernel.lifecycle import actions_from, move
from chalicelib.settlement.differences import differences
from chalicelib.settlement.invoicing import (
    SelfBillingAgreement,
    draw_up,
    number_of,
    to_carry,
)
from chalicelib.settlement.lifecycle import (
    DISPUTE_MOVES,
    INVOICE_MOVES,
    LINE_MOVES,
    REPORT_MOVES,
    disputable_until,
    line_state,
    may_become,
)
from chalicelib.settlement.methods import Nominated, Zero
from chalicelib.settlement.models import (
    FloorLinear,
    GraceSlope,
    LinearCap,
    Penalty,
    ScheduleAccuracy,
    Step,
    Threshold,
)
from chalicelib.settlement.rules import PRESETS, next_version_problems, rule_problems, rules_on
from tests.builders.settlement import a_line, rules

STEP = Step(thresholds=(Threshold(ratio=Decimal("0.5"), factor=Decimal(1)),))
TODAY = date(2026, 7, 20)
STATES = ("open", "disputed", "agreed", "invoiced", "paid")


@pytest.mark.parametrize("how", [Penalty(price=Decimal(1)), GraceSlope(), STEP, ScheduleAccuracy()])
def test_factors_judged_on_what_was_instructed_cannot_pay_what_was_delivered(how: object) -> None:
    found = rule_problems(rules(performance=how, paid_volume="delivered", baseline=Nominated()))
    assert [problem.code for problem in found] == ["rules.pair"]
    assert rule_problems(rules(performance=how, baseline=Nominated())) == []


@pytest.mark.parametrize("how", [LinearCap(), FloorLinear()])
def test_linear_factors_pay_either_volume(how: object) -> None:
    for volume in ("instructed", "delivered"):
        assert rule_problems(rules(performance=how, paid_volume=volume)) == []


def test_schedule_accuracy_needs_a_schedule() -> None:
    found = rule_problems(rules(performance=ScheduleAccuracy(), baseline=Zero()))
    assert [problem.code for problem in found] == ["rules.schedule"]


def test_steps_rise() -> None:
    falling = Step(
        thresholds=(
            Threshold(ratio=Decimal("0.5"), factor=Decimal(1)),
            Threshold(ratio=Decimal("0.9"), factor=Decimal("0.5")),
        )
    )
    assert [problem.code for problem in rule_problems(rules(performance=falling))] == ["rules.steps"]


def test_every_preset_stands() -> None:
    assert len(PRESETS) == 9
    assert [name for name, preset in PRESETS.items() if rule_problems(preset)] == []


def test_over_delivery_below_what_was_asked_is_refused() -> None:
    with pytest.raises(ValidationError):
        rules(over_delivery=Decimal("0.9"))


def test_rules_hold_from_their_day_until_the_next_ones() -> None:
    first, second = rules(), rules(effective_from=date(2026, 6, 1), version=2)
    assert rules_on([second, first], date(2026, 5, 31)) == first
    assert rules_on([first, second], date(2026, 6, 1)) == second
    with pytest.raises(NotFound):
        rules_on([first], date(2023, 12, 31))


def test_a_new_version_starts_after_the_last_and_not_in_the_past() -> None:
    first = rules(effective_from=date(2026, 7, 1))
    assert next_version_problems(first, None, TODAY) == []
    assert next_version_problems(rules(effective_from=TODAY), first, TODAY) == []
    same = next_version_problems(rules(effective_from=date(2026, 7, 1)), first, TODAY)
    past = next_version_problems(rules(effective_from=date(2026, 7, 19)), first, TODAY)
    assert [problem.code for problem in (*same, *past)] == ["rules.not_later", "rules.past"]


def test_reports_are_published_and_superseded() -> None:
    assert move(REPORT_MOVES, "report", "draft", "publish") == "published"
    assert move(REPORT_MOVES, "report", "published", "supersede") == "superseded"
    assert actions_from(REPORT_MOVES, "superseded") == []


def test_a_line_goes_from_open_to_paid_and_back_only_when_its_invoice_is_credited() -> None:
    state = "open"
    for action in ("dispute", "agree", "invoice", "pay"):
        state = move(LINE_MOVES, "line", state, action)
    assert state == "paid"
    assert [move(LINE_MOVES, "line", before, "credit") for before in ("invoiced", "paid")] == ["agreed", "agreed"]
    for state, action in (("disputed", "invoice"), ("invoiced", "dispute"), ("open", "pay")):
        with pytest.raises(Refused):
            move(LINE_MOVES, "line", state, action)


def test_a_dispute_is_answered_then_agreed_or_escalated() -> None:
    assert move(DISPUTE_MOVES, "dispute", "raised", "answer") == "answered"
    assert move(DISPUTE_MOVES, "dispute", "answered", "escalate") == "escalated"
    assert move(DISPUTE_MOVES, "dispute", "escalated", "agree") == "agreed"
    with pytest.raises(Refused):
        move(DISPUTE_MOVES, "dispute", "raised", "escalate")
    assert actions_from(INVOICE_MOVES, "credited") == []


def test_a_line_is_agreed_once_its_days_of_dispute_are_over() -> None:
    published = date(2026, 7, 8)
    assert disputable_until(published, 10, frozenset()) == date(2026, 7, 22)
    until = date(2026, 7, 22)
    assert line_state(a_line(), until, date(2026, 7, 22)) == "open"
    assert line_state(a_line(), until, date(2026, 7, 23)) == "agreed"
    assert line_state(a_line(state="disputed"), until, date(2026, 8, 23)) == "disputed"
    assert line_state(a_line(), None, date(2026, 8, 23)) == "open"
    assert line_state(a_line(None, reason="MISSING_READINGS"), until, date(2026, 8, 23)) == "open"


def test_what_was_not_disputed_in_time_is_invoiced_as_agreed_and_only_a_credit_takes_a_line_back() -> None:
    ways = {(before, after): may_become(before, after) for before in STATES for after in STATES}
    assert {way for way, is_open in ways.items() if is_open} == {
        ("open", "disputed"),
        ("open", "agreed"),
        ("open", "invoiced"),
        ("disputed", "agreed"),
        ("disputed", "open"),
        ("agreed", "invoiced"),
        ("invoiced", "paid"),
        ("invoiced", "agreed"),
        ("paid", "agreed"),
    }


def test_differences_name_each_changed_line_and_its_cause() -> None:
    def line(number: int, amount: str | None, **but: object) -> object:
        return a_line(amount, instruction_id=f"ins_{number}", **but)

    before = [line(1, "1"), line(2, "1"), line(3, "1"), line(4, "1"), line(5, "1")]
    after = [
        line(1, "1", fingerprint="b"),
        line(2, "2", fingerprint="b"),
        line(3, "2", rules_version=2),
        line(4, "2", rules_version=2, fingerprint="b"),
        line(6, "5"),
    ]
    found = differences(before, after)  # type: ignore[arg-type]
    assert [(each.instruction_id, each.cause, each.change) for each in found] == [
        ("ins_2", "late_data", Decimal(1)),
        ("ins_3", "changed_rule", Decimal(1)),
        ("ins_4", "late_data_and_changed_rule", Decimal(1)),
        ("ins_5", "gone", Decimal(-1)),
        ("ins_6", "new", Decimal(5)),
    ]


AGREEMENT = SelfBillingAgreement(
    so="org_so1", fsp="org_fsp1", starts=date(2026, 1, 1), ends=date(2026, 12, 31), vat_number="GB123456789"
)


def test_a_self_billing_invoice_bears_vat_once_and_is_due_in_thirty_days() -> None:
    found = draw_up([a_line("100.01"), a_line("0.02")], rules(), AGREEMENT, TODAY)
    assert found is not None
    assert (found.kind, found.net, found.vat, found.gross) == (
        "self_billing_invoice",
        Decimal("100.03"),
        Decimal("20.01"),
        Decimal("120.04"),
    )
    assert found.due == date(2026, 8, 19)


def test_without_a_vat_number_there_is_no_vat() -> None:
    found = draw_up([a_line()], rules(), AGREEMENT.but(vat_number=None), TODAY)
    assert found is not None
    assert (found.kind, found.vat) == ("self_billing_invoice", Decimal(0))


@pytest.mark.parametrize(
    ("agreement", "terms"),
    [
        (None, rules()),
        (AGREEMENT.but(ends=date(2026, 7, 19)), rules()),
        (AGREEMENT.but(starts=date(2026, 7, 21)), rules()),
        (AGREEMENT, rules(self_billing=False)),
    ],
)
def test_without_an_agreement_on_the_day_it_is_a_purchase_statement(agreement: object, terms: object) -> None:
    found = draw_up([a_line()], terms, agreement, TODAY)  # type: ignore[arg-type]
    assert found is not None
    assert (found.kind, found.vat) == ("purchase_statement", Decimal(0))


def test_a_negative_total_is_carried_or_credited() -> None:
    lines = [a_line("-5.00")]
    assert draw_up(lines, rules(), AGREEMENT, TODAY) is None
    assert to_carry(lines, rules()) == Decimal("-5.00")
    credit = rules(negative_total="credit")
    found = draw_up(lines, credit, AGREEMENT, TODAY)
    assert found is not None
    assert (found.kind, found.gross) == ("credit_note", Decimal("-6.00"))
    assert to_carry(lines, credit) == 0
    assert to_carry([*lines, a_line()], rules()) == 0
    later = draw_up([*lines, a_line()], rules(), None, TODAY)
    assert later is not None
    assert later.net == Decimal("5.00")
    assert draw_up([], rules(), AGREEMENT, TODAY) is None


def test_an_invoice_number_is_the_prefix_and_the_serial() -> None:
    assert number_of("SPEN", 12) == "SPEN-000012"
