"""Claims about market rules kept by operators, and about previews of baselines."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.assets import actions_reads
from chalicelib.dispatch import store as dispatch
from chalicelib.dispatch.models import Day, Entry, Instruction
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.kernel.meters import check_digit
from chalicelib.metering import actions as metering
from chalicelib.metering.models import MeterDay
from chalicelib.metering.reading import expected_periods
from chalicelib.settlement import actions_previews, actions_rules
from chalicelib.settlement.methods import PRESETS as BASELINES
from chalicelib.settlement.requests import PreviewRequest, RulesQuery, RulesRequest
from chalicelib.storage.commit import commit
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.calls import a_call
from tests.builders.registry import a_system_operator, given_pool
from tests.builders.settlement import EVENT_DAY, local

pytestmark = pytest.mark.usefixtures("market")
METER = "120000000001" + str(check_digit("120000000001"))


def an_so() -> Any:
    given_pool()
    return a_call(a_system_operator().organisation, "so", now="2026-04-01T09:00:00Z")


def a_request(**but: Any) -> RulesRequest:
    return RulesRequest.model_validate({"name": "summer", "effective_from": "2026-05-01", **but})


def test_rules_start_from_a_preset_and_become_versions() -> None:
    call = an_so()
    first = actions_rules.set_rules(call, a_request(preset="grace and slope", vat_rate="5"))
    second = actions_rules.set_rules(call, a_request(effective_from="2026-06-01"))
    assert (first.version, first.performance.kind, first.vat_rate) == (1, "grace_slope", Decimal(5))
    assert (second.version, second.performance.kind) == (2, "linear_cap")
    assert actions_rules.list_rules(call, RulesQuery()).items == (first, second)
    assert actions_rules.get_rules(call, "summer#2") == second
    fsp = a_call()
    assert actions_rules.list_rules(fsp, RulesQuery(so=call.organisation, name="summer")).items == (first, second)
    assert len(actions_rules.list_presets(fsp).items) == 9
    with pytest.raises(NotFound):
        actions_rules.get_rules(call, "summer#3")


def problems_of(call: Any, **but: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        actions_rules.set_rules(call, a_request(**but))
    return [problem.code for problem in refused.value.problems]


def test_rules_that_cannot_stand_are_refused() -> None:
    call = an_so()
    assert problems_of(call, preset="none") == ["rules.preset"]
    assert problems_of(call, preset="steps", paid_volume="delivered") == ["rules.pair"]
    assert problems_of(call, over_delivery="3") == ["rules.figure"]
    actions_rules.set_rules(call, a_request())
    assert problems_of(call) == ["rules.not_later"]


def test_a_declined_instruction_leaves_its_day_in_history(asset: str) -> None:
    given_readings()
    given_instruction(asset, EVENT_DAY - timedelta(days=1), "declined")
    view = actions_previews.preview_baseline(a_call(), a_preview(asset))
    assert "EVENT_DAY" not in {each.reason for each in view.days_refused}


def test_an_fsp_says_whose_rules() -> None:
    with pytest.raises(NotFound):
        actions_rules.list_rules(a_call(), RulesQuery())


@pytest.fixture
def asset(market: None) -> str:
    [outcome] = import_assets([asset_cells(import_meter_id=METER)], a_receipt())
    assert outcome.outcome == "created", outcome.problems
    [asset_id] = actions_reads.assets_with_meters([METER])
    return asset_id


def given_readings(days: int = 20, kw: int = 10) -> None:
    read = [
        MeterDay(
            meter_id=METER,
            day=EVENT_DAY - timedelta(days=back),
            minutes=30,
            values=(kw * 10**6,) * expected_periods(EVENT_DAY - timedelta(days=back), 30),
        )
        for back in range(days)
    ]
    metering.save_days(a_call(), "rcp_readings", read)


def a_preview(asset: str, **but: Any) -> PreviewRequest:
    span = {"starts": local(EVENT_DAY, "17:00"), "ends": local(EVENT_DAY, "19:00")}
    return PreviewRequest.model_validate({"asset_id": asset, **span, **but})


def test_an_fsp_previews_its_baseline_with_all_that_explains_it(asset: str) -> None:
    given_readings()
    view = actions_previews.preview_baseline(a_call(), a_preview(asset))
    assert (view.method, view.status, view.completeness) == ("historical", "SUFFICIENT", Decimal(1))
    assert [(each.baseline_kw, each.metered_kw) for each in view.periods] == [(Decimal(10), Decimal(10))] * 4
    assert len(view.days_used) == 8
    adjusted = a_preview(asset, method=BASELINES["10-of-10 with 2 h same-day ratio clamped 0.8–1.2"].model_dump())
    view = actions_previews.preview_baseline(a_call(), adjusted)
    assert (view.adjustment, view.adjustment_before_clamp, view.adjustment_applied) == ("ratio", 1, 1)


def test_without_enough_days_a_preview_says_so(asset: str) -> None:
    view = actions_previews.preview_baseline(a_call(), a_preview(asset, preset="high-5-of-10"))
    assert (view.status, view.why) == ("INSUFFICIENT", "0 eligible days in the last 45, 5 are needed")
    assert {(each.baseline_kw, each.metered_kw) for each in view.periods} == {(None, None)}
    assert {each.reason for each in view.days_refused} == {"INCOMPLETE"}


def test_a_preview_is_of_ones_own_asset_a_known_preset_and_a_sound_span(asset: str) -> None:
    with pytest.raises(NotFound):
        actions_previews.preview_baseline(a_call("org_fsp2"), a_preview(asset))
    with pytest.raises(Invalid):
        actions_previews.preview_baseline(a_call(), a_preview(asset, preset="none"))
    both = {"preset": "10-of-10", "method": BASELINES["10-of-10"].model_dump()}
    for wrong in (
        {"ends": local(EVENT_DAY, "17:00")},
        {"ends": local(EVENT_DAY + timedelta(days=2), "17:00")},
        {"starts": "0001-01-01T00:00:00Z", "ends": "0001-01-01T01:00:00Z"},
        both,
    ):
        with pytest.raises(ValidationError):
            a_preview(asset, **wrong)


def given_instruction(asset: str, day: date, state: str) -> None:
    """Another operator's instruction of an hour that the asset stands behind."""
    span = (local(day, "03:00"), local(day, "04:00"))
    shares = {asset: Decimal("0.005")}
    commit(a_call(), actions_reads.commitment_writes("obl_9", "org_so9", "comp_9", *span, shares, ("win_1",)))
    instruction = Instruction.model_validate(
        {
            "id": "ins_9",
            "obligation_id": "obl_9",
            "so": "org_so9",
            "fsp": "org_fsp1",
            "competition_id": "comp_9",
            "competition_reference": "C-9",
            "client_token": "t",
            "start": span[0],
            "end": span[1],
            "requested_mw": "1",
            "state": state,
            "send_at": span[0],
            "issued_by": "per_1",
            "issued_at": span[0],
            "changed_at": span[0],
        }
    )
    entry = Entry(instruction_id="ins_9", start=span[0], end=span[1], mw=Decimal(1))
    timeline = Day(obligation_id="obl_9", date=day.isoformat(), entries=(entry,))
    commit(a_call(), [dispatch.save_instruction(instruction, None), dispatch.save_day(timeline)])


def test_days_of_instructions_by_any_operator_do_not_count(asset: str) -> None:
    given_readings()
    day = EVENT_DAY - timedelta(days=1)
    given_instruction(asset, day, "delivered")
    view = actions_previews.preview_baseline(a_call(), a_preview(asset))
    assert [(each.day, each.reason) for each in view.days_refused if each.reason == "EVENT_DAY"] == [(day, "EVENT_DAY")]
