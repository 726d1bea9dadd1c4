"""Claims about nominations and weekly templates: whose, of what, by which gate, by API and by file."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.files.importing import Chunk, RowOutcome
from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.metering import actions as metering
from chalicelib.metering.sheets_statements import NOMINATIONS, TEMPLATE, WEEKLY
from chalicelib.settlement.actions_nominations import list_statements, replay_nominations, state_nominations
from chalicelib.settlement.baselines import Question, baseline
from chalicelib.settlement.imports_nominations import IMPORTER, apply_statements
from chalicelib.settlement.methods import Nominated, WeeklyTemplate
from chalicelib.settlement.requests_nominations import NominationsQuery, NominationsRequest, StatedView
from chalicelib.settlement.series import Grid
from chalicelib.settlement.statements import statement_of
from chalicelib.storage.claims import find_result
from tests.builders.assets import a_receipt
from tests.builders.metering import AUTUMN, SPRING
from tests.builders.nominations import DAY, SO, at, given_asset, given_instruction, given_obligation
from tests.builders.settlement import LONDON, local
from tests.builders.workbooks_read import read_row

pytestmark = pytest.mark.usefixtures("market")

EARLY, LATE = f"{DAY}T14:00:00Z", f"{DAY}T15:30:00Z"
"""Before and after the gate, an hour ahead, of an event at 16:00Z."""


@pytest.fixture
def asset(market: None) -> str:
    return given_asset()


def nomination(kw: Any = "5", day: Any = DAY, count: int = 48, ref: str = "EV-1", **but: Any) -> dict[str, Any]:
    return {"asset_ref": ref, "day": str(day), "kw": [kw] * count, **but}


def week(kw: Any = "7", ref: str = "EV-1", **days: Any) -> dict[str, Any]:
    return {"asset_ref": ref, "kw": days or {day: [kw] * 48 for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat")}}


def state(*nominations: Any, now: str = EARLY, weeks: Any = ()) -> list[StatedView]:
    request = NominationsRequest.model_validate({"nominations": nominations, "weekly_templates": weeks})
    return list(state_nominations(at(now), request).items)


def problems_of(*nominations: Any, weeks: Any = ()) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as refused:
        state(*nominations, weeks=weeks)
    return [(each.code, each.field) for each in refused.value.problems]


def test_a_schedule_is_kept_and_a_later_one_takes_its_place(asset: str) -> None:
    assert [each.outcome for each in state(nomination())] == ["created"]
    [same] = state(nomination(), now=LATE)
    assert (same.outcome, same.submitted_at.isoformat()[:16]) == ("unchanged", EARLY[:16])
    assert [each.outcome for each in state(nomination("6", asset_id=asset, asset_ref=None), now=LATE)] == ["updated"]
    found = list_statements(at(LATE), query(asset))
    assert [(each.stands, each.kw[0]) for each in found.nominations] == [(True, Decimal(6))]
    every = list_statements(at(LATE), query(asset, versions=True))
    assert [(each.stands, each.kw[0]) for each in every.nominations] == [(False, Decimal(5)), (True, Decimal(6))]


def query(asset: str, **but: Any) -> NominationsQuery:
    return NominationsQuery.model_validate({"asset_id": asset, "first": DAY, "last": DAY, **but})


def test_what_comes_after_the_gate_is_kept_counts_for_later_events_alone_and_says_so(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "nominated"})
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z")
    given_instruction("obl_1", f"{DAY}T19:00:00Z", f"{DAY}T20:00:00Z", "ins_2")
    [timely] = state(nomination("5"))
    assert (timely.obligations, timely.too_late_for, timely.remark) == (("obl_1",), (), None)
    [late] = state(nomination("9"), now=LATE)
    assert (late.outcome, late.too_late_for) == ("updated", ("ins_1",))
    assert late.counts_after is not None
    assert late.counts_after.isoformat()[:16] == f"{DAY}T16:30"
    assert late.remark is not None
    assert late.remark.startswith("The gate of 1 instructions had passed")
    assert [settled_at(asset, "17:00"), settled_at(asset, "20:00")] == [5, 9]


def settled_at(asset: str, clock: str) -> int:
    """The kW that a nominated baseline takes for an hour from a London clock time of the day."""
    told = metering.statements_of({"p": asset}, DAY, DAY)["p"]
    start = local(DAY, clock)
    span = (start, start + timedelta(hours=1))
    asked = Question(span, Grid(30, LONDON), statements=[statement_of(each) for each in told])
    found = baseline(Nominated(), asked, {})
    [kw] = {value // 10**6 for value in found.values.values()}
    return int(kw)


def test_a_day_whose_every_gate_has_passed_is_kept_with_a_remark(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "nominated"})
    [told] = state(nomination(), now=f"{DAY + timedelta(days=1)}T09:00:00Z")
    assert (told.outcome, told.too_late_for) == ("created", ())
    assert told.remark is not None
    assert told.remark.startswith("The gate of every event of this day had passed")


def test_a_declined_instruction_waits_for_no_statement(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "nominated"})
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z", state="declined")
    assert state(nomination(), now=LATE)[0].too_late_for == ()


def test_rules_of_another_kind_and_days_outside_the_period_count_no_statement(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "weekly_template"})
    day, outside = state(nomination(), nomination(day="2026-07-01"))
    assert (day.obligations, day.counts_after) == ((), None)
    assert outside.obligations == ()
    [typical] = state(weeks=[week()])
    assert (typical.kind, typical.day, typical.obligations) == ("weekly_template", None, ("obl_1",))


def test_a_weekly_template_comes_a_day_ahead_and_only_by_its_kind(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "weekly_template"})
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z")
    state(weeks=[week("7")], now=f"{DAY - timedelta(days=2)}T09:00:00Z")
    [late] = state(nomination("1"), weeks=[week("8")])[1:]
    assert (late.outcome, late.too_late_for) == ("updated", ("ins_1",))
    told = [statement_of(each) for each in metering.statements_of({"p": asset}, DAY, DAY)["p"]]
    span = (local(DAY, "17:00"), local(DAY, "18:00"))
    found = baseline(WeeklyTemplate(), Question(span, Grid(30, LONDON), statements=told), {})
    assert set(found.values.values()) == {7 * 10**6}
    templates = list_statements(at(EARLY), query(asset, versions=True)).weekly_templates
    assert [(each.stands, each.kw[0], each.kw[-1]) for each in templates] == [(False, 7, None), (True, 8, None)]


def test_every_problem_of_a_request_is_told_and_nothing_of_it_kept(asset: str) -> None:
    given_asset(2, owner="org_fsp2")
    found = problems_of(
        nomination(),
        nomination(),
        nomination(count=47),
        nomination(ref="EV-2"),
        nomination(None, day=DAY + timedelta(days=1)),
        weeks=[week(), week(), week(ref="EV-9"), week(Mon=["1"])],
    )
    assert found == [
        ("nomination.repeated", "nominations/1"),
        ("nomination.repeated", "nominations/2"),
        ("nomination.count", "nominations/2/kw"),
        ("asset.unknown", "nominations/3/asset_id"),
        ("nomination.empty", "nominations/4/kw"),
        ("nomination.repeated", "weekly_templates/1"),
        ("asset.unknown", "weekly_templates/2/asset_id"),
        ("nomination.repeated", "weekly_templates/3"),
        ("nomination.count", "weekly_templates/3/kw"),
    ]
    assert list_statements(at(EARLY), query(asset)).nominations == ()


def test_days_of_46_and_50_half_hours_have_as_many_figures(asset: str) -> None:
    told = state(nomination(day=SPRING, count=46), nomination(day=AUTUMN, count=50))
    assert [each.outcome for each in told] == ["created", "created"]
    assert problems_of(nomination(day=SPRING)) == [("nomination.count", "nominations/0/kw")]


def test_statements_are_seen_by_their_fsp_and_the_operators_it_is_bound_to(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "nominated"})
    state(nomination())
    assert len(list_statements(at(EARLY, SO, "so"), query(asset)).nominations) == 1
    for stranger in (at(EARLY, "org_fsp2"), at(EARLY, "org_so2", "so")):
        with pytest.raises(NotFound):
            list_statements(stranger, query(asset))
    with pytest.raises(NotFound):
        list_statements(at(EARLY), query("ast_none"))


def test_a_request_names_something_and_a_query_so_many_days() -> None:
    for wrong in ({}, {"nominations": [nomination(asset_id="a")]}, {"nominations": [nomination(asset_ref=None)]}):
        with pytest.raises(ValidationError):
            NominationsRequest.model_validate(wrong)
    for last in (DAY - timedelta(days=1), DAY + timedelta(days=62)):
        with pytest.raises(ValidationError):
            query("ast_1", last=last)


def test_the_same_key_is_answered_as_before(asset: str) -> None:
    call = at(EARLY)
    keyed = type(call)(call.actor, call.now, call.new_id, call.request_id, Idempotency("k1", "hash"))
    first = state_nominations(keyed, NominationsRequest.model_validate({"nominations": [nomination()]}))
    kept = find_result(keyed)
    assert kept is not None
    assert replay_nominations(keyed, kept) == first


def rows_of(sheet: str, *cells: dict[str, Any]) -> dict[str, list[Any]]:
    columns = TEMPLATE.sheet(sheet).columns
    found = [read_row(columns, each, "ymd") for each in cells]
    return {
        sheet: [row.__class__(number, row.values, row.problems) for number, row in enumerate(found, start=2) if row]
    }


def day_row(kw: str = "5", count: int = 48, day: Any = DAY, ref: str = "EV-1") -> dict[str, Any]:
    return {"asset_ref": ref, "day": str(day)} | {f"hh{number}": kw for number in range(1, count + 1)}


def week_row(weekday: str, kw: str = "7", ref: str = "EV-1") -> dict[str, Any]:
    return {"asset_ref": ref, "weekday": weekday} | {f"hh{number}": kw for number in range(1, 49)}


def taken(sheets: dict[str, list[Any]], now: str = EARLY, receipt: str = "rcp_n") -> list[RowOutcome]:
    return apply_statements(at(now), a_receipt(receipt, at=now, kind="baselines"), Chunk(0, sheets))


def test_a_file_of_both_tabs_goes_in_and_again_after_a_crash_the_same(asset: str) -> None:
    sheets = rows_of(NOMINATIONS, day_row(), day_row(day=SPRING, count=46)) | rows_of(
        WEEKLY, week_row("Mon"), week_row("Wed")
    )
    for _ in range(2):
        assert [(each.sheet, each.row, each.outcome) for each in taken(sheets)] == [
            (NOMINATIONS, 2, "created"),
            (NOMINATIONS, 3, "created"),
            (WEEKLY, 2, "created"),
            (WEEKLY, 3, "created"),
        ]
    found = list_statements(at(EARLY), query(asset, versions=True))
    assert len(found.nominations) == len(found.weekly_templates) == 1
    assert [found.weekly_templates[0].kw[place] for place in (0, 48, 96)] == [7, None, 7]


def test_rows_of_a_file_are_judged_one_by_one_but_a_week_as_a_whole(asset: str) -> None:
    sheets = rows_of(
        NOMINATIONS, day_row(), day_row(count=49, day=DAY + timedelta(days=1)), day_row(ref="EV-9")
    ) | rows_of(WEEKLY, week_row("Mon"), week_row("Tue", "none"), week_row("Mon", ref="EV-9"))
    found = {(each.sheet, each.row): [one.code for one in each.problems] for each in taken(sheets)}
    assert found == {
        (NOMINATIONS, 2): [],
        (NOMINATIONS, 3): ["nomination.count"],
        (NOMINATIONS, 4): ["asset.unknown"],
        (WEEKLY, 2): ["nomination.week"],
        (WEEKLY, 4): ["asset.unknown"],
    }


def test_a_row_that_comes_too_late_goes_in_and_is_told(asset: str) -> None:
    given_obligation(asset, baseline={"kind": "nominated"})
    given_instruction("obl_1", f"{DAY}T16:00:00Z", f"{DAY}T17:00:00Z")
    [told] = taken(rows_of(NOMINATIONS, day_row()), now=LATE)
    assert (told.outcome, [each.code for each in told.problems]) == ("created", ["nomination.late"])


def test_all_rows_of_an_asset_are_applied_together() -> None:
    from chalicelib.files.importing import ParsedSheet

    rows = rows_of(WEEKLY, *(week_row(day) for day in ("Mon", "Tue", "Wed")))[WEEKLY]
    chunks = IMPORTER.split({WEEKLY: ParsedSheet(WEEKLY, ("asset_ref",), rows)})
    assert [chunk.size for chunk in chunks] == [3]
