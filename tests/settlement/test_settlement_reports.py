"""Claims about reports as they are kept: lines by content, states in rows of their own, moves that never race."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from chalicelib.kernel.errors import NotFound, Refused, Stale
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store_reports
from chalicelib.settlement.models_runs import LINES_A_SHEET, LineMove, Report
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.reports import FSP, MADE_AT, SO, a_detail, a_draft, a_report_line, keep

pytestmark = pytest.mark.usefixtures("market")
CALL = a_call(SO, "so")
UNTIL = date(2026, 5, 22)


def published(count: int = 3, **but: object) -> Report:
    draft = a_draft([a_report_line(number) for number in range(count)])
    fields = {"state": "published", "published_at": MADE_AT, "disputable_until": UNTIL, **but}
    return keep(draft.but(**fields))


def a_move(state: str = "agreed", **but: object) -> LineMove:
    return LineMove.model_validate({"state": state, "at": MADE_AT, **but})


def stored_states(report: Report, today: date = UNTIL) -> list[str]:
    return [line.state for line in reports.lines_as_they_stand(report, today)]


def test_a_reports_lines_and_detail_come_back_as_they_were_drawn() -> None:
    lines = [a_report_line(0, "-12.34"), a_report_line(1, None)]
    report = keep(a_draft(lines))
    assert [line.amount for line in reports.load_lines(report)] == [Decimal("-12.34"), None]
    assert reports.load_detail(report) == a_detail()
    assert reports.load_report(report.id) == report
    assert a_draft(lines).lines_key == report.lines_key


def test_a_report_is_made_once() -> None:
    report = keep(a_draft([a_report_line()]))
    with pytest.raises(Refused, match=r"report\.exists"):
        keep(report)


def test_lines_nobody_disputed_are_agreed_the_day_after_the_window() -> None:
    report = published()
    assert stored_states(report, UNTIL) == ["open"] * 3
    assert stored_states(report, date(2026, 5, 23)) == ["agreed"] * 3


def test_the_lines_of_a_superseded_report_stay_as_they_were_then() -> None:
    report = published(state="superseded", superseded_at="2026-05-20T12:00:00Z")
    assert stored_states(report, date(2026, 7, 1)) == ["open"] * 3


def test_a_line_moves_and_carries_its_invoice() -> None:
    report = published()
    first = reports.line_id_of(report.id, 1)
    commit(CALL, reports.move_writes(report, {first: a_move("agreed", why="agreed by both")}))
    commit(CALL, reports.move_writes(report, {first: a_move("invoiced", invoice_id="inv_1")}))
    lines = reports.lines_as_they_stand(report, UNTIL)
    assert [(line.state, line.invoice_id) for line in lines] == [("open", None), ("invoiced", "inv_1"), ("open", None)]


def test_a_move_over_more_than_one_sheet_of_lines_writes_each_sheet_once() -> None:
    places = [0, LINES_A_SHEET - 1, LINES_A_SHEET, 2 * LINES_A_SHEET]
    report = published(2 * LINES_A_SHEET + 1)
    moves = {reports.line_id_of(report.id, ordinal): a_move() for ordinal in places}
    commit(CALL, reports.move_writes(report, moves))
    agreed = [place for place, state in enumerate(stored_states(report)) if state == "agreed"]
    assert agreed == places


def test_a_whole_sheet_moved_with_words_of_its_own_fits_into_its_row() -> None:
    report = published(LINES_A_SHEET)
    moves = {
        reports.line_id_of(report.id, ordinal): a_move(
            "disputed", dispute_id=f"dsp_{hashlib.sha256(str(ordinal).encode()).hexdigest()[:26]}", why="ж" * 500
        )
        for ordinal in range(LINES_A_SHEET)
    }
    commit(CALL, reports.move_writes(report, moves))
    assert set(stored_states(report)) == {"disputed"}


def test_a_line_that_moved_meanwhile_is_not_moved_past_it() -> None:
    report = published()
    line = reports.line_id_of(report.id, 0)
    commit(CALL, reports.move_writes(report, {line: a_move("disputed", dispute_id="dsp_1")}))
    with pytest.raises(Stale, match=r"line\.moved"):
        reports.move_writes(report, {line: a_move("invoiced", invoice_id="inv_1")})


def test_two_moves_of_one_moment_end_in_one_stale() -> None:
    report = published()
    line = reports.line_id_of(report.id, 0)
    dispute = reports.move_writes(report, {line: a_move("disputed", dispute_id="dsp_1")})
    invoice = reports.move_writes(report, {line: a_move("invoiced", invoice_id="inv_1")})
    commit(CALL, dispute)
    with pytest.raises(Stale, match=r"report\.changed"):
        commit(CALL, invoice)


def test_a_move_on_a_report_that_changed_meanwhile_is_stale() -> None:
    report = published()
    writes = reports.move_writes(report, {reports.line_id_of(report.id, 0): a_move()})
    commit(CALL, [store_reports.save_report(report.but(state="superseded", version=2))])
    with pytest.raises(Stale, match=r"report\.changed"):
        commit(CALL, writes)


@pytest.mark.parametrize("state", ["draft", "superseded"])
def test_lines_move_in_published_reports_only(state: str) -> None:
    report = published(state=state)
    with pytest.raises(Stale, match=r"report\.not_published"):
        reports.move_writes(report, {reports.line_id_of(report.id, 0): a_move()})


@pytest.mark.parametrize(
    "line_id", ["", "rpt_1", "rpt_1-", "rpt_1-7", "rpt_1-0000x", "rpt_1-000001", "-00001", "rpt_2-00001"]
)
def test_what_is_no_line_of_the_report_is_not_found(line_id: str) -> None:
    with pytest.raises(NotFound):
        reports.move_writes(published(), {line_id: a_move()})


def test_a_line_beyond_the_last_is_not_found() -> None:
    report = published(3)
    with pytest.raises(NotFound):
        reports.move_writes(report, {reports.line_id_of(report.id, 3): a_move()})


def test_the_operator_lists_drafts_and_the_provider_only_what_was_published() -> None:
    draft = keep(a_draft([a_report_line()]))
    assert [each.id for each in reports.list_reports("so", SO).items] == [draft.id]
    assert reports.list_reports("fsp", FSP).items == []
    assert reports.list_reports("so", SO, "2026-03").items == []


def test_there_may_be_no_published_report() -> None:
    assert reports.published_report(SO, FSP, "2026-04") is None
    assert reports.published_reports(SO, FSP) == []
    assert reports.fsps_published(SO) == []
