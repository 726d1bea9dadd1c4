"""Records that invoices were paid, by hand or from a file: in full, once, and their lines with them."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refused, Stale, raise_problems
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions_reads as registry
from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import store as store_rules
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.events import InvoicePaid
from chalicelib.settlement.invoicing import payment_problems
from chalicelib.settlement.lifecycle import INVOICE_MOVES
from chalicelib.settlement.models_runs import Invoice
from chalicelib.settlement.requests_invoices import PaymentRequest
from chalicelib.settlement.rules import standing_rules
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_ATTEMPTS = 20


def record_payment(call: Call, invoice_id: str, body: PaymentRequest) -> Invoice:
    """An invoice was paid in full; said again with the same day and amount, nothing changes."""
    pay(call, invoice_id, body, call.actor.id)
    return invoices.get_invoice(call, invoice_id)


def pay(call: Call, invoice_id: str, body: PaymentRequest, paid_by: str) -> str | None:
    """Record a payment, and say who had recorded the same one before, or None.

    Raises `Invalid` for another amount than is due (`invoicing.sums_due`), or a day before its issue or after today;
    `Refused` where it was credited, or paid otherwise already.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _pay(call, invoice_id, body, paid_by)
        except Stale:
            continue
    raise store.RACED


def pay_by_number(call: Call, number: str, body: PaymentRequest, paid_by: str) -> tuple[Invoice, str | None]:
    """The same for an invoice of the caller's by its number, as a bank's list names it."""
    invoice = invoices.find_by_number(call.organisation, number)
    if invoice is None:
        allowed = "the number of an invoice you issued"
        raise Invalid.of([Problem("payment.number", f"You issued no invoice {number}.", "number", allowed)])
    return invoice, pay(call, invoice.id, body, paid_by)


def _pay(call: Call, invoice_id: str, body: PaymentRequest, paid_by: str) -> str | None:
    before = invoices.own_invoice(call, invoice_id)
    if before.state == "paid":
        return _same(before, body)
    after = before.but(
        state=move(INVOICE_MOVES, "invoice", before.state, "pay"),
        paid_on=body.paid_on,
        paid_amount=body.amount,
        payment_reference=body.reference,
        paid_by=paid_by,
        version=before.version + 1,
    )
    settings = registry.get_operator(before.so)
    today = local_day(call.now, zone_of(settings.time_zone))
    rules = standing_rules(store_rules.list_rules(before.so), settings.default_market_rules, before.issued_on)
    found = payment_problems(before, body.paid_on, body.amount, today, rules.vat_rate)
    raise_problems(found, "payment.invalid")
    change = Change(
        thing=f"invoice:{before.id}",
        action="invoice.paid",
        organisation=before.so,
        before={"state": before.state},
        after=after.model_dump(mode="json", include={"state", "paid_on", "paid_amount", "payment_reference"}),
    )
    event = InvoicePaid(so=before.so, fsp=before.fsp, invoice_id=before.id)
    writes = [*invoices.line_moves(call, before, today, "paid"), store.save_state(after)]
    commit(call, writes, [event], [change], result=before.id)
    return None


def _same(invoice: Invoice, body: PaymentRequest) -> str | None:
    """Who recorded this very payment before; `Refused` where another one stands."""
    if (invoice.paid_on, invoice.paid_amount) != (body.paid_on, body.amount):
        detail = f"{invoice.number} was paid on {invoice.paid_on} already; a payment is recorded once."
        raise Refused("invoice.paid", detail)
    return invoice.paid_by
