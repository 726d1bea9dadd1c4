"""Takes a provider's agreement to lines before the window closes, so that they need not wait to be invoiced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, raise_problems
from chalicelib.settlement.actions_report_views import check_published, lines_now, own_report, view_of
from chalicelib.settlement.actions_reports import move_writes
from chalicelib.settlement.models_runs import LineMove, ReportLine
from chalicelib.settlement.requests_reports import EarlyAgreementRequest, ReportView
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_AGREED_EARLY = "The provider agreed before the window closed."


def agree_lines(call: Call, report_id: str, asked: EarlyAgreementRequest) -> ReportView:
    """The provider agrees to open lines before the window closes, so that they need not wait to be invoiced."""
    report = own_report(call, report_id)
    call.check_owner(report.fsp, "report")
    lines = lines_now(call, report)
    named = _open_with_amount(lines) if asked.every_line else _named(lines, asked.line_ids)
    check_published(report)
    moves = {line.id: LineMove(state="agreed", at=call.now, why=_AGREED_EARLY) for line in named}
    change = Change(
        thing=f"settlement-report:{report.id}",
        action="settlement_report.lines_agreed",
        organisation=report.fsp,
        after={"lines": len(moves), "every_line": asked.every_line},
    )
    commit(call, move_writes(report, moves) if moves else [], [], [change] if moves else [], result=report.id)
    return view_of(call, report)


def _open_with_amount(lines: Iterable[ReportLine]) -> list[ReportLine]:
    return [line for line in lines if line.state == "open" and line.amount is not None]


def _named(lines: Sequence[ReportLine], wanted: Sequence[str]) -> list[ReportLine]:
    """The lines named; every problem at once of those that are not there, not open, or without an amount."""
    found = {line.id: line for line in lines}
    problems = (_problem(found.get(each), place) for place, each in enumerate(wanted))
    raise_problems((each for each in problems if each is not None), "lines.invalid")
    return [found[each] for each in dict.fromkeys(wanted)]


def _problem(line: ReportLine | None, place: int) -> Problem | None:
    where = f"line_ids/{place}"
    if line is None:
        return Problem("line.not_found", "This report has no such line.", where)
    if line.state != "open":
        return Problem(f"line.{line.state}", f"This line is {line.state}; open lines can be agreed to.", where, "open")
    if line.amount is None:
        return Problem("line.unsettled", "This line has no amount yet to agree to.", where, "a line with an amount")
    return None
