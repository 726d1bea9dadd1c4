"""Takes competition workbooks in: each competition whole or not at all, the others beside it."""

from __future__ import annotations

from chalicelib.competitions.actions import put_competition
from chalicelib.competitions.requests import read_request
from chalicelib.competitions.sheet_rows import Group, box_problems, grouped, placed, request_values
from chalicelib.competitions.sheets import COMPETITIONS, TEMPLATE
from chalicelib.files.importing import Chunk, Importer, RowOutcome, by_key, call_for_row, row_id
from chalicelib.files.models import Outcome, Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, Refusal, Stale

AT_ONCE = 500


def apply_competitions(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Create and update the operator's competitions by the rows of a chunk, one transaction for each."""
    return [outcome for group in grouped(chunk.sheets) for outcome in _applied(call, receipt, group)]


def _applied(call: Call, receipt: Receipt, group: Group) -> list[RowOutcome]:
    if not group.reference:
        return _refused(group, [])
    if not group.competitions:
        return _refused(group, _without_row(group))
    row = group.competitions[0].row
    request, unfit = read_request(request_values(group))
    problems = [placed(group, problem) for problem in unfit]
    problems += [problem for _, each in group for problem in each.problems] + box_problems(group)
    own_call = call_for_row(call, receipt, COMPETITIONS, row)
    try:
        outcome, _ = put_competition(own_call, request, problems, row_id("cmp", receipt, COMPETITIONS, row))
    except Stale:
        raise  # others keep changing it: the queue gives the file again
    except Refusal as refusal:
        return _refused(group, _problems_of(group, refusal))
    return _went_in(group, outcome)


def _went_in(group: Group, outcome: Outcome) -> list[RowOutcome]:
    return [RowOutcome(row.row, sheet, outcome, group.reference) for sheet, row in group]


def _refused(group: Group, problems: list[Problem]) -> list[RowOutcome]:
    """Every row of the competition is an error, each with the problems that stand on it beside the reader's."""
    answered = []
    for sheet, row in group:
        own = tuple(problem for problem in problems if (problem.sheet, problem.row) == (sheet, row.row))
        answered.append(RowOutcome(row.row, sheet, "error", group.reference or None, own))
    return answered


def _problems_of(group: Group, refusal: Refusal) -> list[Problem]:
    """A refusal's problems at their cells, without those of cells that the reader has told of already."""
    whole = refusal.problems or (Problem(refusal.code, refusal.detail, "reference"),)
    at_cells = [problem if problem.sheet else placed(group, problem) for problem in whole]
    unread = {(sheet, row.row, problem.field) for sheet, row in group for problem in row.problems}
    read = [each for each in at_cells if (each.sheet, each.row, each.field) not in unread]
    return list(dict.fromkeys(read))


def _without_row(group: Group) -> list[Problem]:
    detail = f"There is no row for {group.reference} on the tab {COMPETITIONS}."
    problem = Problem("competition.row_missing", detail, "reference", "a reference that stands on that tab")
    return [problem.at(sheet=sheet, row=row.row, column="Competition Ref") for sheet, row in group]


IMPORTER = Importer(
    kind="competitions", template=TEMPLATE, apply=apply_competitions, split=by_key("reference", AT_ONCE)
)
