"""Claims about runs: what they gather, what their reports say, how versions differ, what they stand on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from chalicelib.assets import actions_reads as assets
from chalicelib.contracts import store as contracts
from chalicelib.contracts.models import ObligatedAsset
from chalicelib.dispatch import store as dispatch
from chalicelib.dispatch.models import OfferedPeriod
from chalicelib.kernel.meters import check_digit
from chalicelib.metering.actions_statements import state_days
from chalicelib.metering.models_statements import Schedule
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store_runs
from chalicelib.storage.commit import commit
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.calls import a_call
from tests.builders.running import a_run
from tests.builders.settlement import local
from tests.builders.settling import FSP, SettlingMarket

pytestmark = pytest.mark.usefixtures("market")
MONDAY, TUESDAY, THURSDAY = date(2026, 6, 15), date(2026, 6, 16), date(2026, 6, 18)
METER = "120000000001" + str(check_digit("120000000001"))
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


def test_a_late_file_makes_a_second_version_that_differs_by_late_data(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.instruction(THURSDAY)
    settling.read(delivered={TUESDAY: 1500, THURSDAY: 2000})
    first = settling.run()
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    second = settling.run(now="2026-07-09T10:00:00Z")
    assert (second.number, second.previous) == (2, first.id)
    [difference] = settling.changes(second)
    assert (difference.before, difference.after, difference.change) == (Decimal(300), Decimal(400), Decimal(100))
    assert (difference.cause, difference.component) == ("late_data", "utilisation")
    assert len(settling.changes(first)) == 2
    assert {each.cause for each in settling.changes(first)} == {"new"}


def test_rules_set_since_make_a_difference_by_the_changed_rule(settling: SettlingMarket) -> None:
    settling.obligation(market_rules="summer")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 900})
    first = settling.run()
    assert settling.amounts(first) == {"utilisation": Decimal("0.00")}
    settling.rules(name="summer", preset="linear", effective_from="2026-06-01")
    second = settling.run()
    [difference] = settling.changes(second)
    assert (difference.before, difference.after) == (Decimal("0.00"), Decimal("180.00"))
    assert (difference.cause, difference.rules_before, difference.rules_after) == ("changed_rule", 0, 1)


def test_late_data_and_a_changed_rule_are_told_together(settling: SettlingMarket) -> None:
    settling.obligation(market_rules="summer")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 900})
    settling.run()
    settling.rules(name="summer", preset="linear", effective_from="2026-06-01")
    settling.read(delivered={TUESDAY: 1000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    [difference] = settling.changes(settling.run(now="2026-07-09T10:00:00Z"))
    assert difference.cause == "late_data_and_changed_rule"


def test_readings_missing_are_a_line_with_its_reason_and_settled_once_they_come(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.read(days=(date(2026, 4, 1), date(2026, 6, 15)))
    first = settling.run()
    [line] = settling.lines(first)
    assert (line.amount, line.reason, first.unsettled) == (None, "MISSING_READINGS", 1)
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY))
    [difference] = settling.changes(settling.run())
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


def test_what_the_provider_scheduled_before_the_gate_is_its_baseline(settling: SettlingMarket) -> None:
    settling.rules(name="summer", preset="one-sided penalty", effective_from="2026-06-01")
    settling.obligation(market_rules="summer")
    settling.instruction(TUESDAY)
    settling.instruction(THURSDAY)
    for day, at in ((TUESDAY, "2026-06-10T09:00:00Z"), (THURSDAY, "2026-06-18T15:59:00Z")):
        told = Schedule(
            asset_id="ast_m1",
            day=day,
            values=(6000 * 10**6,) * 48,
            submitted_at=datetime.fromisoformat(at),
            source=f"nom_{day}",
        )
        state_days(settling.fsp(now=at), FSP, [told])
    settling.read(kw=5000)
    lines = settling.lines(settling.run())
    assert [(line.component, line.amount, line.reason) for line in lines] == [
        ("utilisation", Decimal("200.00"), None),
        ("penalty", Decimal("-22.00"), None),
        ("utilisation", None, "INSUFFICIENT_BASELINE"),
    ]


def test_a_published_profile_counts_each_device_of_an_asset(settling: SettlingMarket) -> None:
    [outcome] = import_assets([asset_cells(import_meter_id=METER, device_count="3")], a_receipt())
    assert outcome.outcome == "created", outcome.problems
    [asset_id] = assets.assets_with_meters([METER])
    profile = {"kind": "fixed_reference", "profile": "charger", "working_kw": ["2"] * 48, "non_working_kw": ["1"] * 48}
    settling.rules(name="summer", preset="linear", effective_from="2026-06-01", baseline=profile)
    made = settling.obligation(meters=(), market_rules="summer", capacity_mw="0.006")
    behind = ObligatedAsset(
        obligation_id=made.id,
        asset_id=asset_id,
        asset_ref="EV-1",
        name="EV",
        import_meter_id=METER,
        capacity_mw=made.capacity_mw,
    )
    commit(a_call(), contracts.obligated([behind]))
    settling.instruction(TUESDAY, mw="0.006")
    settling.read(METER, kw=0)
    [instruction] = reports.load_detail(settling.report(settling.run())).instructions
    assert {each.baseline_mw for each in instruction.periods} == {Decimal("0.006")}
    assert instruction.factor == 1


def test_of_variable_availability_only_what_was_accepted_is_paid(settling: SettlingMarket) -> None:
    settling.obligation(product_type="OU + Variable Availability", availability_price="3")
    for number, (day, state) in enumerate(((MONDAY, "accepted"), (TUESDAY, "offered"), (THURSDAY, "declined"))):
        offered = OfferedPeriod.model_validate(
            {
                "obligation_id": "obl_1",
                "start": local(day, "17:00"),
                "end": local(day, "19:00"),
                "mw": f"1.{number + 1}",
                "state": state,
                "offered_at": local(MONDAY - timedelta(days=7), "12:00"),
            }
        )
        commit(a_call(), [dispatch.save_offer(offered)])
    assert settling.amounts(settling.run())["availability"] == Decimal("6.60")


def test_what_a_month_came_to_is_remembered_exactly_and_of_a_great_many_meters_to_sixty_places(
    settling: SettlingMarket,
) -> None:
    """By meter and with a ratio each, thousands of meters make a fraction of tens of thousands of figures."""
    run = a_run(so=settling.so)
    one, many = Fraction(2, 3), Fraction(7**20_000 - 1, 2 * 7**20_000)
    store_runs.save_performance(
        run, {("obl_1", "2026-04"): one, ("obl_1", "2026-05"): many, ("obl_1", "2026-06"): None}
    )
    found = store_runs.list_performance("obl_1")
    assert found.keys() == {"2026-04", "2026-05"}
    assert found["2026-04"] == one
    assert abs(found["2026-05"] - many) < Fraction(1, 10**59)
