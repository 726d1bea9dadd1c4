"""Issues documents under the next number of their operator: one transaction for number, document, lines and news."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.events import InvoiceIssued
from chalicelib.settlement.invoicing import number_of, prefix_of
from chalicelib.settlement.models_invoices import Numbering
from chalicelib.settlement.models_runs import Invoice
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

_ATTEMPTS = 60


@dataclass(frozen=True, slots=True)
class Beside:
    """What is written with a document beside itself, and what is told of it."""

    writes: Sequence[Write]
    changes: Sequence[Change] = ()
    result: str | None = None


def issue(call: Call, invoice: Invoice, so_name: str, build: Callable[[Invoice], Beside]) -> Invoice:
    """Issue a document under the operator's next number; `build` says what is written once the number is known.

    The number is drawn, claimed and used in one transaction, so that none is skipped and none given twice. Where
    somebody else drew it first, the next one is tried; any other refusal is raised as it came.
    """
    lines_key = store.keep_lines(invoice.lines)
    for _ in range(_ATTEMPTS):
        numbering = _next(invoice.so, so_name)
        serial = numbering.last
        numbered = invoice.but(serial=serial, number=number_of(numbering.prefix, serial))
        try:
            _commit(call, numbered, lines_key, build(numbered), numbering)
            return numbered
        except Stale as refusal:
            if refusal.code != store.RACED.code:
                raise
    raise store.RACED


def _commit(call: Call, invoice: Invoice, lines_key: str, beside: Beside, numbering: Numbering) -> None:
    event = InvoiceIssued(so=invoice.so, fsp=invoice.fsp, invoice_id=invoice.id)
    told = {"number", "kind", "fsp", "net", "vat", "gross", "line_count", "credits", "issued_on", "due"}
    change = Change(
        thing=f"invoice:{invoice.id}",
        action="invoice.issued",
        organisation=invoice.so,
        after=invoice.model_dump(mode="json", include=told),
        reason=invoice.note,
    )
    writes = [*store.new_invoice(invoice, lines_key), *beside.writes, *store.next_numbering(numbering)]
    commit(call, writes, [event], [change, *beside.changes], result=beside.result)


def _next(so: str, so_name: str) -> Numbering:
    """The operator's numbering with one more serial drawn; its prefix is settled by its first document, for good."""
    found = store.find_numbering(so) or Numbering(so=so, prefix=_free_prefix(prefix_of(so_name)))
    return found.but(last=found.last + 1, version=found.version + 1)


def _free_prefix(wanted: str) -> str:
    """The prefix, or the prefix with the first number from 2 that no other operator has."""
    tried, number = wanted, 1
    while not store.is_prefix_free(tried):
        number += 1
        tried = f"{wanted}{number}"
    return tried
