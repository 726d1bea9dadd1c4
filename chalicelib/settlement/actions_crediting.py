"""Takes an invoice back whole: a credit note turns it round and its lines may be invoiced anew."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused, Stale
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions_reads as registry
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import drawing_up, store_agreements
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.actions_numbering import Beside, issue
from chalicelib.settlement.actions_parties import party
from chalicelib.settlement.lifecycle import INVOICE_MOVES
from chalicelib.settlement.models_invoices import BillingAccount
from chalicelib.settlement.models_runs import Invoice
from chalicelib.settlement.requests_invoices import CreditRequest
from chalicelib.storage.audit import Change

_ATTEMPTS = 20


def credit_invoice(call: Call, invoice_id: str, body: CreditRequest) -> Invoice:
    """Credit an invoice whole: what it said stays as it is, its lines are agreed again and wait for the next invoice.

    A credit note is not credited: what it took back is invoiced again where it is due.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _credit(call, invoice_id, body.reason)
        except Stale:
            continue
    raise store.RACED


def get_credited(call: Call, invoice_id: str) -> Invoice:
    """The credit note of a request that is sent twice."""
    return invoices.get_invoice(call, invoice_id)


def _credit(call: Call, invoice_id: str, reason: str) -> Invoice:
    before = invoices.own_invoice(call, invoice_id)
    if before.kind == "credit_note":
        raise Refused("invoice.credit_note", "A credit note is not credited: invoice again what is due.")
    state = move(INVOICE_MOVES, "invoice", before.state, "credit")
    note = _note(call, before, reason)
    lines = invoices.line_moves(call, before, note.issued_on, "agreed", f"{before.number} was credited.")
    account = store_agreements.save_account(_account(before))

    def build(numbered: Invoice) -> Beside:
        after = before.but(state=state, credited_by=numbered.number, version=before.version + 1)
        change = Change(
            thing=f"invoice:{before.id}",
            action="invoice.credited",
            organisation=before.so,
            before={"state": before.state},
            after={"state": state, "credited_by": numbered.number},
            reason=reason,
        )
        return Beside([*lines, store.save_state(after), account], [change], numbered.id)

    issued = issue(call, note, registry.get_organisation(before.so).name, build)
    return issued.but(lines=issued.lines[: invoices.LINES_SHOWN])


def _note(call: Call, invoice: Invoice, reason: str) -> Invoice:
    """The credit note without a number yet: the invoice turned round. One nobody paid is set off against it."""
    today = local_day(call.now, zone_of(registry.get_operator(invoice.so).time_zone))
    sides = registry.get_organisations([invoice.so, invoice.fsp])
    note: Invoice = invoice.but(
        id=call.new_id("inv"),
        kind="credit_note",
        seller=party(sides[invoice.fsp], invoice.contracting_entity),
        buyer=party(sides[invoice.so]),
        issued_on=today,
        issued_at=call.now,
        issued_by=call.actor.id,
        due=today + (invoice.due - invoice.issued_on),
        net=-invoice.net,
        vat=-invoice.vat,
        gross=-invoice.gross,
        lines=drawing_up.taken_back(invoice),
        credits=invoice.number,
        note=reason,
        state="issued",
        paid_on=None,
        paid_amount=None,
        payment_reference=None,
        paid_by=None,
        version=1,
    )
    return note if invoice.state == "paid" else _set_off(note, invoice, call.actor.id)


def _set_off(note: Invoice, invoice: Invoice, by: str) -> Invoice:
    """The note of an invoice that nobody paid: neither is paid any more."""
    reference = f"set off against {invoice.number}"
    paid = {"paid_on": note.issued_on, "paid_amount": note.gross, "payment_reference": reference, "paid_by": by}
    return note.but(state="paid", **paid)  # type: ignore[no-any-return]


def _account(invoice: Invoice) -> BillingAccount:
    """The account with the reports the lines are in, which have something to invoice again."""
    account = store_agreements.load_account(invoice.so, invoice.fsp)
    again = {report.id for report in invoices.reports_of(invoice)}
    return account.but(invoiced=tuple(each for each in account.invoiced if each not in again))
