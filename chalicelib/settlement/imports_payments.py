"""Takes a payments file: each row says that one of the operator's invoices was paid, and is taken or refused alone."""

from __future__ import annotations

from pydantic import ValidationError

from chalicelib.files.importing import Chunk, Importer, ParsedRow, RowOutcome, by_rows, call_for_row, row_id
from chalicelib.files.models import Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, Refusal
from chalicelib.settlement.actions_payments import pay_by_number
from chalicelib.settlement.requests_invoices import PaymentRequest
from chalicelib.settlement.sheets_payments import PAYMENTS, TEMPLATE

_COLUMNS = {column.field: column.header for column in TEMPLATE.sheet(PAYMENTS).columns}


def apply(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Record the payment of each row; one recorded before this file came is unchanged."""
    return [_applied(call, receipt, row) for row in chunk.clean(PAYMENTS)]


def _applied(call: Call, receipt: Receipt, row: ParsedRow) -> RowOutcome:
    number = row.values["number"]
    payer = row_id("pay", receipt, PAYMENTS, row.row)
    try:
        own = call_for_row(call, receipt, PAYMENTS, row.row)
        invoice, before = pay_by_number(own, number, _request(row), payer)
    except Refusal as refusal:
        found = refusal.problems or (Problem(refusal.code, refusal.detail, "number"),)
        return RowOutcome(row.row, PAYMENTS, "error", number, tuple(_at_column(each) for each in found))
    return RowOutcome(row.row, PAYMENTS, "updated" if before in (None, payer) else "unchanged", invoice.number)


def _request(row: ParsedRow) -> PaymentRequest:
    fields = {name: row.values[name] for name in ("paid_on", "amount", "reference") if name in row.values}
    try:
        return PaymentRequest.model_validate(fields)
    except ValidationError as error:
        raise RuntimeError(f"the template lets through what a payment does not take, row {row.row}") from error


def _at_column(problem: Problem) -> Problem:
    """The problem at the column its field stands in."""
    return problem.at(column=_COLUMNS[problem.field or "number"])


IMPORTER = Importer("payments", TEMPLATE, apply, by_rows(500))
