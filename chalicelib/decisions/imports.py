"""Takes a bids file back: each row that says something is one decision, taken or refused by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from chalicelib.decisions import actions
from chalicelib.decisions.models import AT_ONCE, DecisionRequest, Origin
from chalicelib.decisions.sheets import BIDS, TEMPLATE, spoken
from chalicelib.files.importing import Chunk, Importer, ParsedRow, RowOutcome, by_key, call_for_row
from chalicelib.files.models import Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refusal, Refused

_FIELDS = ("bid_id", "decision", "accepted_mw", "reason", "comment")


def apply(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Apply the rows of a chunk, competition by competition."""
    competitions: dict[str, list[ParsedRow]] = {}
    for row in chunk.clean(BIDS):
        competitions.setdefault(row.values["competition_id"], []).append(row)
    outcomes: list[RowOutcome] = []
    for competition_id, rows in competitions.items():
        outcomes += _apply_competition(call, receipt, competition_id, rows)
    return outcomes


def _apply_competition(
    call: Call, receipt: Receipt, competition_id: str, rows: Sequence[ParsedRow]
) -> list[RowOutcome]:
    try:
        deciding = actions.load_deciding(call, competition_id)
    except (NotFound, Refused) as refusal:
        return [_error(row, [_of(refusal, "Competition ID", "competition_id")]) for row in rows]
    blank = [row for row in rows if "decision" not in row.values]
    spoken = [row for row in rows if "decision" in row.values]
    outcomes = [RowOutcome(row.row, BIDS, "unchanged", row.values["bid_id"]) for row in blank]
    return outcomes + _apply_decisions(call, receipt, deciding, spoken)


def _apply_decisions(
    call: Call, receipt: Receipt, deciding: actions.Deciding, rows: Sequence[ParsedRow]
) -> list[RowOutcome]:
    requests = [_request(row) for row in rows]
    problems = actions.decision_problems(deciding, requests)
    sound = [
        (row, request) for place, (row, request) in enumerate(zip(rows, requests, strict=True)) if place not in problems
    ]
    outcomes = [_error(rows[place], [_at_column(problem) for problem in found]) for place, found in problems.items()]
    if deciding.sheet.state == "confirmed":
        final = Problem(
            "decision.final", "The results of this competition are confirmed; this row is final.", "decision"
        )
        return outcomes + [_error(row, [_at_column(final)]) for row, _ in sound]
    for start in range(0, len(sound), AT_ONCE):
        outcomes += _saved(call, receipt, deciding, sound[start : start + AT_ONCE])
    return outcomes


def _saved(
    call: Call, receipt: Receipt, deciding: actions.Deciding, sound: Sequence[tuple[ParsedRow, DecisionRequest]]
) -> list[RowOutcome]:
    """One transaction's worth of rows, under a call of its own, so that a crash between two leaves no id used twice."""
    own_call = call_for_row(call, receipt, BIDS, sound[0][0].row)
    try:
        said = [request for _, request in sound]
        changed = actions.save_decisions(own_call, deciding, said, origin=Origin(receipt=receipt.id))
    except Refused as refusal:
        if refusal.code == actions.RACED:
            raise  # others keep deciding: the queue gives the file again
        return [_error(row, [_of(refusal, "Decision", "decision")]) for row, _ in sound]
    return [
        RowOutcome(row.row, BIDS, "updated" if request.bid_id in changed else "unchanged", request.bid_id)
        for row, request in sound
    ]


def _request(row: ParsedRow) -> DecisionRequest:
    """What a row says; figures and reasons in their own columns count before those beside the decision."""
    own = {name: row.values[name] for name in _FIELDS if name in row.values}
    try:
        return DecisionRequest.model_validate({**spoken(own["decision"]), **_beside(own)})
    except ValidationError as error:
        raise RuntimeError(f"the template lets through what a decision does not take, row {row.row}") from error


def _beside(own: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in own.items() if name != "decision"}


def _error(row: ParsedRow, problems: Sequence[Problem]) -> RowOutcome:
    return RowOutcome(row.row, BIDS, "error", row.values.get("bid_id"), tuple(problems))


def _of(refusal: Refusal, column: str, field: str) -> Problem:
    return Problem(refusal.code, refusal.detail, field, column=column)


def _at_column(problem: Problem) -> Problem:
    """The problem at the column its field stands in."""
    field = (problem.field or "bid_id").rsplit("/", 1)[-1]
    return Problem(
        problem.code, problem.detail, field, problem.allowed, column=TEMPLATE.sheet(BIDS).column(field).header
    )


IMPORTER = Importer("decisions", TEMPLATE, apply, by_key("competition_id"))
