"""Claims about runs: what they gather, what their reports say, how versions differ, made once however often woken."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.kernel.events import Envelope
from chalicelib.settlement import actions_differences, actions_making, actions_publishing, actions_runs
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.requests_runs import DifferencesQuery, DifferenceView, RunQuery, RunRequest, RunView
from chalicelib.storage import outbox
from chalicelib.storage.commit import commit
from functions import run_settlement, settle_months
from tests.builders.settlement import local
from tests.builders.settling import FSP, SettlingMarket

pytestmark = pytest.mark.usefixtures("market")
MONDAY, TUESDAY, THURSDAY = date(2026, 6, 15), date(2026, 6, 16), date(2026, 6, 18)
FAR = datetime(2035, 1, 1, tzinfo=UTC)


@pytest.fixture
def settling(market: None) -> SettlingMarket:
    return SettlingMarket()


def test_a_month_is_settled_to_the_penny(settling: SettlingMarket) -> None:
    settling.obligation(availability_price="3", service_fee="1000")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    run = settling.run()
    assert (run.state, run.number, run.lines, run.unsettled) == ("done", 1, 4, 0)
    hours = 22 * 2
    assert settling.amounts(run) == {
        "utilisation": Decimal("300.00"),
        "availability": Decimal(2 * hours * 3),
        "recovery": Decimal(-2 * hours * 3) / 4,
        "service_fee": Decimal("2000.00"),
    }
    assert run.total == sum(line.amount for line in settling.lines(run) if line.amount is not None)


def changes(settling: SettlingMarket, run: RunView, call: Call | None = None, **query: Any) -> list[DifferenceView]:
    found = actions_differences.list_differences(
        call or settling.operator(), run.id, DifferencesQuery.model_validate(query)
    )
    return found.items


def test_a_late_file_makes_a_second_version_that_differs_by_late_data(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.instruction(THURSDAY)
    settling.read(delivered={TUESDAY: 1500, THURSDAY: 2000})
    first = settling.run()
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    second = settling.run(now="2026-07-09T10:00:00Z")
    assert (second.number, second.previous) == (2, first.id)
    [difference] = changes(settling, second)
    assert (difference.before, difference.after, difference.change) == (Decimal(300), Decimal(400), Decimal(100))
    assert (difference.cause, difference.component) == ("late_data", "utilisation")
    assert len(changes(settling, first)) == 2
    assert {each.cause for each in changes(settling, first)} == {"new"}


def test_rules_set_since_make_a_difference_by_the_changed_rule(settling: SettlingMarket) -> None:
    settling.obligation(market_rules="summer")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 900})
    first = settling.run()
    assert settling.amounts(first) == {"utilisation": Decimal("0.00")}
    settling.rules(name="summer", preset="linear", effective_from="2026-06-01")
    second = settling.run()
    [difference] = changes(settling, second)
    assert (difference.before, difference.after) == (Decimal("0.00"), Decimal("180.00"))
    assert (difference.cause, difference.rules_before, difference.rules_after) == ("changed_rule", 0, 1)


def test_late_data_and_a_changed_rule_are_told_together(settling: SettlingMarket) -> None:
    settling.obligation(market_rules="summer")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 900})
    settling.run()
    settling.rules(name="summer", preset="linear", effective_from="2026-06-01")
    settling.read(delivered={TUESDAY: 1000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    [difference] = changes(settling, settling.run(now="2026-07-09T10:00:00Z"))
    assert difference.cause == "late_data_and_changed_rule"


def test_readings_missing_are_a_line_with_its_reason_and_settled_once_they_come(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.read(days=(date(2026, 4, 1), date(2026, 6, 15)))
    first = settling.run()
    [line] = settling.lines(first)
    assert (line.amount, line.reason, first.unsettled) == (None, "MISSING_READINGS", 1)
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY))
    [difference] = changes(settling, settling.run())
    assert (difference.before, difference.after) == (None, Decimal(400))
    assert (difference.reason_before, difference.reason_after) == ("MISSING_READINGS", None)


def test_a_report_explains_every_half_hour_day_and_meter(settling: SettlingMarket) -> None:
    settling.obligation(availability_price="3")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    detail = reports.load_detail(settling.report(settling.run()))
    [instruction] = detail.instructions
    assert (instruction.ratio, instruction.factor) == (Decimal("0.75"), Decimal("0.75"))
    assert (instruction.requested_mwh, instruction.delivered_mwh) == (Decimal(4), Decimal(3))
    assert [each.start for each in instruction.periods] == [
        local(TUESDAY, clock) for clock in ("17:00", "17:30", "18:00", "18:30")
    ]
    assert {(each.baseline_mw, each.metered_mw, each.delivered_mw) for each in instruction.periods} == {
        (Decimal(5), Decimal("3.5"), Decimal("1.5"))
    }
    [baseline] = instruction.baselines
    assert (baseline.status, len(baseline.days_used)) == ("SUFFICIENT", 8)
    [month] = detail.obligations
    assert (month.promised_mwh, month.performance, month.performance_from) == (88, Decimal("0.75"), "instructions")
    [meter] = detail.quality
    assert (meter.meter_id, meter.asset_ref, meter.expected, meter.present) == ("m1", "REF-m1", 1440, 1440)
    assert [(its.name, its.version) for its in detail.rules] == [("standard agreement", 0)]


def test_what_was_declared_unavailable_is_unpaid_and_late_it_counts_as_not_delivered(settling: SettlingMarket) -> None:
    settling.obligation(availability_price="3")
    settling.vary(local(TUESDAY, "17:00"), local(TUESDAY, "19:00"))
    assert settling.amounts(settling.run()) == {"availability": Decimal(252), "recovery": Decimal(0)}
    start = local(THURSDAY, "17:00")
    settling.vary(start, local(THURSDAY, "19:00"), declared_at=start - timedelta(hours=1))
    assert settling.amounts(settling.run()) == {"availability": Decimal(240), "recovery": Decimal(-240)}


def test_another_operators_instruction_to_the_same_meter_shares_and_its_day_is_no_history(
    settling: SettlingMarket,
) -> None:
    settling.obligation()
    settling.obligation("obl_2", so="org_so9", fsp="org_fsp2")
    settling.instruction(TUESDAY)
    settling.instruction(TUESDAY, obligation="obl_2")
    settling.instruction(MONDAY, obligation="obl_2")
    settling.read(delivered={TUESDAY: 2000})
    run = settling.run()
    assert run.fsps == (FSP,)
    assert settling.amounts(run) == {"utilisation": Decimal("200.00")}
    [instruction] = reports.load_detail(settling.report(run)).instructions
    assert (MONDAY, "EVENT_DAY") in instruction.baselines[0].days_refused


def test_quarter_hours_that_say_the_same_settle_the_same(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    before = settling.amounts(settling.run())
    settling.read(delivered={TUESDAY: 1500}, minutes=15, now="2026-07-04T09:00:00Z")
    assert settling.amounts(settling.run()) == before == {"utilisation": Decimal("300.00")}


def test_months_without_instructions_recover_by_the_months_before(settling: SettlingMarket) -> None:
    settling.obligation(availability_price="3", period_end="2026-07-31")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    settling.run()
    july = settling.run(now="2026-08-08T09:00:00Z", month="2026-07")
    amounts = settling.amounts(july)
    assert amounts["recovery"] == -(amounts["availability"] or 0) / 4
    [month] = reports.load_detail(settling.report(july)).obligations
    assert month.performance_from == "months before"


def test_a_run_made_twice_leaves_the_same_and_nothing_twice(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    run = settling.run()
    report, whole = settling.report(run), actions_runs.get_run(settling.operator(), run.id)
    actions_making.make_run(settling.operator().as_system(), run.id)
    assert (settling.report(run), actions_runs.get_run(settling.operator(), run.id)) == (report, whole)
    again = settling.run()
    assert settling.report(again).detail_key == report.detail_key
    assert changes(settling, again) == []


def test_a_run_cut_short_is_made_again_whole(settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    settling.obligation()
    settling.obligation("obl_2", ("m2",), fsp="org_fsp2")
    settling.instruction(TUESDAY)
    settling.instruction(TUESDAY, obligation="obl_2")
    for meter in ("m1", "m2"):
        settling.read(meter, delivered={TUESDAY: 1500})
    asked = actions_runs.ask_run(settling.operator(), RunRequest(month="2026-06"))
    cut = Cut(after=1)
    monkeypatch.setattr(actions_making, "commit", cut)
    with pytest.raises(RuntimeError):
        actions_making.make_run(settling.operator().as_system(), asked.id)
    assert actions_runs.get_run(settling.operator(), asked.id).state == "queued"
    monkeypatch.setattr(actions_making, "commit", commit)
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    actions_making.make_run(settling.operator().as_system(), asked.id)
    run = actions_runs.get_run(settling.operator(), asked.id)
    assert (run.state, run.fsps, run.total) == ("done", (FSP, "org_fsp2"), Decimal("700.00"))
    assert [settling.report(run, fsp).total for fsp in run.fsps] == [Decimal(400), Decimal(300)]


class Cut:
    """Commits so many times, and then fails as a function does that is killed."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, *args: Any, **how: Any) -> None:
        if self.left == 0:
            raise RuntimeError("killed")
        self.left -= 1
        commit(*args, **how)


def test_a_run_that_cannot_be_made_says_so_and_is_tried_again(
    settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = actions_runs.ask_run(settling.operator(), RunRequest(month="2026-06"))
    whole = actions_making.gather
    monkeypatch.setattr(actions_making, "gather", broken)
    with pytest.raises(KeyError):
        actions_making.make_run(settling.operator().as_system(), asked.id)
    failed = actions_runs.get_run(settling.operator(), asked.id)
    assert (failed.state, failed.failure) == ("failed", "It could not be made for a fault of ours, and is tried again.")
    monkeypatch.setattr(actions_making, "gather", whole)
    actions_making.make_run(settling.operator().as_system(), asked.id)
    done = actions_runs.get_run(settling.operator(), asked.id)
    assert (done.state, done.failure, done.lines) == ("done", None, 0)


def broken(*_: Any) -> Any:
    raise KeyError("lost")


def test_versions_count_by_scope_and_compare_with_the_last_that_was_made(settling: SettlingMarket) -> None:
    settling.obligation()
    first = settling.run()
    waiting = actions_runs.ask_run(settling.operator(), RunRequest(month="2026-06"))
    third = settling.run()
    other = settling.run(first="2026-06-01", last="2026-06-10")
    narrow = settling.run(month="2026-06", obligation_id="obl_1")
    assert [each.number for each in (first, waiting, third, other, narrow)] == [1, 2, 3, 1, 1]
    assert third.previous == waiting.id
    assert changes(settling, third) == []
    assert [each.can_be_published for each in (first, other, narrow)] == [True, False, False]
    with pytest.raises(Refused):
        changes(settling, waiting)
    listed = actions_runs.list_runs(settling.operator(), RunQuery(limit=2))
    rest = actions_runs.list_runs(settling.operator(), RunQuery(limit=9, cursor=listed.next))
    everything = [each.id for each in (*listed.items, *rest.items)]
    assert len(listed.items) == 2
    assert sorted(everything) == sorted(each.id for each in (first, waiting, third, other, narrow))
    assert everything[-1] == other.id


def test_a_span_settles_what_started_on_its_days_and_the_fee_where_its_month_ends(settling: SettlingMarket) -> None:
    settling.obligation(service_fee="1000", availability_price="3")
    settling.instruction(TUESDAY)
    settling.instruction(THURSDAY)
    settling.read(delivered={TUESDAY: 2000, THURSDAY: 2000})
    early = settling.run(first="2026-06-01", last="2026-06-16")
    late = settling.run(first="2026-06-17", last="2026-06-30")
    assert {line.component: line.amount for line in settling.lines(early)} == {
        "utilisation": Decimal(400),
        "availability": Decimal(12 * 2 * 2 * 3),
        "recovery": Decimal(0),
    }
    assert settling.amounts(late)["service_fee"] == Decimal(2000)
    whole = settling.run()
    assert early.total is not None
    assert late.total is not None
    assert early.total + late.total == whole.total


def test_only_days_past_are_settled_and_only_ones_own_obligation(settling: SettlingMarket) -> None:
    with pytest.raises(Invalid):
        settling.run(now="2026-06-30T12:00:00Z")
    settling.obligation("obl_9", so="org_so9")
    with pytest.raises(NotFound):
        settling.run(month="2026-06", obligation_id="obl_9")
    with pytest.raises(NotFound):
        settling.run(month="2026-06", obligation_id="none")
    for wrong in (
        {},
        {"month": "2026-06", "first": "2026-06-01"},
        {"first": "2026-06-01"},
        {"first": "2026-06-02", "last": "2026-06-01"},
        {"first": "1990-06-02", "last": "1990-06-03"},
    ):
        with pytest.raises(ValidationError):
            RunRequest.model_validate(wrong)
    assert RunRequest(month="2025-12").days == (date(2025, 12, 1), date(2025, 12, 31))


def test_an_fsp_asks_again_for_a_month_that_was_reported_to_it_and_sees_its_own_part(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.obligation("obl_2", ("m2",), fsp="org_fsp2")
    for obligation in ("obl_1", "obl_2"):
        settling.instruction(TUESDAY, obligation=obligation)
    for meter in ("m1", "m2"):
        settling.read(meter, delivered={TUESDAY: 1500})
    first = settling.run()
    wanted = {"month": "2026-06", "so": settling.so, "note": "the file of 9 July"}
    with pytest.raises(NotFound):
        settling.run(call=settling.fsp(), **wanted)
    actions_publishing.publish_run(settling.operator(), first.id)
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    later = "2026-07-09T10:00:00Z"
    second = settling.run(call=settling.fsp(now=later), **wanted)
    assert (second.number, second.note, second.fsps, second.total) == (2, "the file of 9 July", (FSP,), None)
    assert changes(settling, second, settling.fsp()) == []
    assert len(changes(settling, second)) == 1
    actions_publishing.publish_run(settling.operator(later), second.id)
    [own] = changes(settling, second, settling.fsp())
    assert (own.fsp, own.change) == (FSP, Decimal(100))
    assert changes(settling, second, settling.fsp("org_fsp2")) == []
    seen = actions_runs.get_run(settling.fsp(), second.id)
    assert (seen.total, seen.report_ids) == (Decimal(400), (settling.report(second).id,))
    assert {each.id for each in actions_runs.list_runs(settling.fsp(), RunQuery()).items} == {first.id, second.id}
    with pytest.raises(NotFound):
        actions_runs.get_run(settling.fsp("org_fsp3"), second.id)
    with pytest.raises(Invalid):
        settling.run(call=settling.fsp(), month="2026-06")


def test_differences_come_in_pages_by_provider(settling: SettlingMarket) -> None:
    for number in (1, 2):
        settling.obligation(f"obl_{number}", (f"m{number}",), fsp=f"org_fsp{number}")
        for day in (MONDAY, TUESDAY, THURSDAY):
            settling.instruction(day, obligation=f"obl_{number}")
        settling.read(f"m{number}", delivered=dict.fromkeys((MONDAY, TUESDAY, THURSDAY), 2000))
    run = settling.run()
    everything = changes(settling, run)
    assert len(everything) == 6
    paged: list[DifferenceView] = []
    cursor = None
    for _ in range(3):
        page = actions_differences.list_differences(
            settling.operator(), run.id, DifferencesQuery(limit=2, cursor=cursor)
        )
        paged += page.items
        cursor = page.next
    assert (paged, cursor) == (everything, None)
    assert {each.fsp for each in changes(settling, run, fsp="org_fsp2")} == {"org_fsp2"}
    for wrong in ("x", ":1", "org_fsp1:y"):
        with pytest.raises(Invalid):
            changes(settling, run, cursor=wrong)


def test_the_month_before_is_settled_once_on_its_day_of_reporting(settling: SettlingMarket) -> None:
    assert not woken(settling, "2026-07-08T00:00:00Z")
    settling.obligation()
    assert not woken(settling, "2026-07-07T22:00:00Z")
    assert woken(settling, "2026-07-07T23:00:00Z")
    assert not woken(settling, "2026-07-08T00:00:00Z")
    [asked] = actions_runs.list_runs(settling.operator(), RunQuery()).items
    assert (asked.month, asked.reason, asked.state) == ("2026-06", "scheduled", "queued")
    told = [each for each in outbox.unpublished(before=FAR) if each.name == "settlement.run_asked.v1"]
    [message] = told
    answer = run_settlement.handler(as_message(message), None)
    assert answer == {"batchItemFailures": []}
    assert actions_runs.get_run(settling.operator(), asked.id).state == "done"
    settling.rules(name="standard agreement", preset="linear", effective_from="2026-06-01", report_day=12)
    assert not woken(settling, "2026-08-11T12:00:00Z")


def woken(settling: SettlingMarket, at: str) -> bool:
    """Whether the hour's round asked for a run."""
    before = len(actions_runs.list_runs(settling.operator(), RunQuery()).items)
    answer = settle_months.handler({"Records": [{"messageId": "1", "body": json.dumps({"time": at})}]}, None)
    assert answer == {"batchItemFailures": []}
    return len(actions_runs.list_runs(settling.operator(), RunQuery()).items) > before


def as_message(envelope: Envelope) -> dict[str, Any]:
    body = json.dumps({"detail": envelope.model_dump(mode="json")})
    return {"Records": [{"messageId": "1", "body": body}]}
