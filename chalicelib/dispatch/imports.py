"""Takes availability and dispatch files: each row is one variation or one instruction, taken or refused by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.contracts import actions_operations as contracts
from chalicelib.dispatch import actions_availability as availability
from chalicelib.dispatch import actions_instructing as instructing
from chalicelib.dispatch.actions_reads import load_instructions
from chalicelib.dispatch.requests import InstructionRequest, InstructionsRequest, VariationRequest
from chalicelib.dispatch.sheets import AVAILABILITY, DISPATCH_TEMPLATE, INSTRUCTIONS, TEMPLATE
from chalicelib.files.columns import Template
from chalicelib.files.importing import Chunk, Importer, ParsedRow, RowOutcome, by_rows, call_for_row, row_id
from chalicelib.files.models import Outcome, Receipt
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refusal, Stale

_FIELDS = {"start": "starts", "end": "ends"}
Act = Callable[[Call, ParsedRow, dict[str, Any]], tuple[Outcome, str | None]]


def apply_availability(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Declare the variation of each row that gives a reason; the others are how a download showed them."""

    def declare(own: Call, row: ParsedRow, values: dict[str, Any]) -> tuple[Outcome, str | None]:
        if "reason" not in values:
            return "unchanged", values["obligation_id"]
        variation_id = row_id("var", receipt, AVAILABILITY, row.row)
        availability.declare_variation(own, VariationRequest.model_validate(values), variation_id)
        return "created", variation_id

    return [_tried(call, receipt, TEMPLATE, AVAILABILITY, row, declare) for row in chunk.clean(AVAILABILITY)]


def apply_instructions(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Issue the instruction of each row; one that stood before the file came is unchanged."""
    return [_tried(call, receipt, DISPATCH_TEMPLATE, INSTRUCTIONS, row, _issue) for row in chunk.clean(INSTRUCTIONS)]


def _issue(call: Call, row: ParsedRow, values: dict[str, Any]) -> tuple[Outcome, str | None]:
    request = InstructionsRequest(instructions=(InstructionRequest.model_validate(values),))
    [issued] = instructing.issue_instructions(call, request).items
    standing = load_instructions([str(issued.instruction_id)])[str(issued.instruction_id)]
    return "created" if standing.issued_at == call.now else "unchanged", issued.instruction_id


def _tried(call: Call, receipt: Receipt, template: Template, sheet: str, row: ParsedRow, act: Act) -> RowOutcome:
    ref = row.values.get("obligation_id")
    try:
        outcome, ref = act(call_for_row(call, receipt, sheet, row.row), row, _on_the_clock(row))
    except Refusal as refusal:
        if isinstance(refusal, Stale) or instructing.MOVED in {problem.code for problem in refusal.problems}:
            raise  # others keep coming first: the queue gives the file again
        found = refusal.problems or (Problem(refusal.code, refusal.detail, "obligation_id"),)
        return RowOutcome(row.row, sheet, "error", ref, tuple(_at_column(template, sheet, each) for each in found))
    return RowOutcome(row.row, sheet, outcome, ref)


def _on_the_clock(row: ParsedRow) -> dict[str, Any]:
    """The row's values with its local times as instants on the clock of the obligation's operator.

    A time that the clocks repeat is the first for a start and the second for an end.
    """
    values = dict(row.values)
    obligation = contracts.find_obligation(values["obligation_id"])
    if obligation is None:
        raise NotFound("obligation.not_found", "There is no such obligation.")
    zone = periods.zone_of(obligation.time_zone)
    start, end = (datetime.fromisoformat(values[name]) if name in values else None for name in ("starts", "ends"))
    return _named(
        values,
        periods.instant_of(start, zone, "first") if start else None,
        periods.instant_of(end, zone, "second") if end else None,
    )


def _named(values: dict[str, Any], start: datetime | None, end: datetime | None) -> dict[str, Any]:
    rest = {name: value for name, value in values.items() if name not in ("starts", "ends")}
    return rest | {name: at for name, at in (("start", start), ("end", end)) if at is not None}


def _at_column(template: Template, sheet: str, problem: Problem) -> Problem:
    """The problem at the column its field stands in."""
    field = (problem.field or "obligation_id").rsplit("/", 1)[-1]
    field = _FIELDS.get(field, field)
    columns: Sequence[Any] = template.sheet(sheet).columns
    header = next((column.header for column in columns if column.field == field), "Obligation ID")
    return Problem(problem.code, problem.detail, field, problem.allowed, column=header)


IMPORTER = Importer("availability", TEMPLATE, apply_availability, by_rows(500))
DISPATCH_IMPORTER = Importer("dispatch", DISPATCH_TEMPLATE, apply_instructions, by_rows(500))
