"""Draws up invoices of agreed lines: for one provider or all of a month, each document in one transaction."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Stale
from chalicelib.registry import actions_reads as registry
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import drawing_up, store_agreements
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.actions_billing import Bill, Case, load_case
from chalicelib.settlement.actions_numbering import Beside, issue
from chalicelib.settlement.actions_parties import company_of, party
from chalicelib.settlement.drawing_up import Planned
from chalicelib.settlement.models_invoices import BillingAccount, InvoiceRun, NotIssued
from chalicelib.settlement.models_runs import Invoice, LineMove
from chalicelib.settlement.requests_invoices import (
    DrawnUpView,
    DrawUpRequest,
    InvoicePreview,
    PreviewDocument,
    PreviewQuery,
)
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

FSPS_AT_ONCE = 25
"""So many providers an answer looks at: each may need its reports read and a transaction of its own."""
_ATTEMPTS = 20
_NO_RUN = NotFound("invoice_run.not_found", "There is no such asking for invoices.")


def draw_up(call: Call, body: DrawUpRequest) -> DrawnUpView:
    """Issue what is agreed and not invoiced yet, up to a month, of one provider or of all.

    Each document takes its lines, its number and the provider's account in one transaction. The asking is kept, so
    that the same request sent twice, or again after it was cut short, issues everything once and tells all of it.
    """
    _check_fsp(body.fsp)
    run = InvoiceRun(
        id=call.new_id("inr"),
        so=call.organisation,
        fsp=body.fsp,
        month=body.month,
        after=body.after,
        asked_by=call.actor.id,
        asked_at=call.now,
    )
    commit(call, [store.save_run(run)], result=run.id)
    return _carried_on(call.without_key(), run)


def get_drawn_up(call: Call, run_id: str) -> DrawnUpView:
    """What an asking brought; one that was cut short is carried on."""
    run = store.find_run(run_id)
    if run is None or run.so != call.organisation:
        raise _NO_RUN
    return _drawn_up(run) if run.done else _carried_on(call.without_key(), run)


def preview(call: Call, query: PreviewQuery) -> InvoicePreview:
    """What would be issued now, without a number; nothing is stored."""
    _check_fsp(query.fsp)
    fsps, following = _whom(call.organisation, query.fsp, query.month, query.after)
    documents: list[PreviewDocument] = []
    waiting: list[NotIssued] = []
    for fsp in fsps:
        case = load_case(call, call.organisation, fsp, query.month)
        documents += [_previewed(case, bill, each) for bill in case.bills for each in bill.plan.documents]
        waiting += case.left()
    return InvoicePreview(month=query.month, documents=tuple(documents), not_issued=tuple(waiting), next=following)


def _carried_on(call: Call, run: InvoiceRun) -> DrawnUpView:
    fsps, following = _whom(run.so, run.fsp, run.month, run.after)
    waiting = [each for fsp in fsps for each in _draw_up_one(call, run, fsp)]
    done = run.but(done=True, not_issued=tuple(waiting), next=following, version=run.version + 1)
    try:
        commit(call, [store.save_run(done)])
    except Stale:  # the same request, sent twice at once, was carried on by both: what the other wrote is the answer
        return _drawn_up(store.find_run(run.id) or done)
    return _drawn_up(done)


def _drawn_up(run: InvoiceRun) -> DrawnUpView:
    ids = store.list_drawn(run.id)
    found = store.load_invoices(ids)
    issued = tuple(found[invoice_id] for invoice_id in ids)
    given = {invoice.fsp for invoice in issued}
    told = tuple(each for each in run.not_issued if each.code.startswith("total.") or each.fsp not in given)
    return DrawnUpView(run_id=run.id, month=run.month, issued=issued, not_issued=told, next=run.next)


def _draw_up_one(call: Call, run: InvoiceRun, fsp: str) -> list[NotIssued]:
    """Issue a provider's documents; looked at anew whenever lines, agreements or reports changed meanwhile."""
    for _ in range(_ATTEMPTS):
        case = load_case(call, run.so, fsp, run.month)
        try:
            _issue_all(call, run, case)
        except Stale:
            continue
        return case.left()
    raise store.RACED


def _issue_all(call: Call, run: InvoiceRun, case: Case) -> None:
    drawn: set[str] = set()
    account = case.account
    for bill in case.bills:
        for planned in bill.plan.documents:
            drawn |= {line.id for line in planned.lines}
            whole = [each.report.id for each in case.standing if drawing_up.is_invoiced_whole(each, drawn)]
            account = account.but(invoiced=tuple(dict.fromkeys([*account.invoiced, *whole])))
            _issue_one(call, run, case, _invoice(call, case, bill, planned), planned, account)
            account = account.but(version=account.version + 1)


def _issue_one(
    call: Call, run: InvoiceRun, case: Case, invoice: Invoice, planned: Planned, account: BillingAccount
) -> None:
    moved = _moved(call, case, planned, invoice.id)

    def build(numbered: Invoice) -> Beside:
        return Beside([*moved, store_agreements.save_account(account), store.drawn(run.id, numbered)])

    issue(call, invoice, case.so.name, build)


def _moved(call: Call, case: Case, planned: Planned, invoice_id: str) -> list[Write]:
    """The lines of a document move to it, each on condition that it and its report stand as they were read."""
    writes: list[Write] = []
    for report_id, report in case.reports.items():
        moves = {
            line.id: LineMove(
                state="invoiced", dispute_id=line.dispute_id, invoice_id=invoice_id, at=call.now, why=line.why
            )
            for line in planned.lines
            if line.report_id == report_id
        }
        writes += reports.move_writes(report, moves) if moves else []
    return writes


def _invoice(call: Call, case: Case, bill: Bill, planned: Planned) -> Invoice:
    """The document without a number yet."""
    document, by_id = planned.document, case.reports
    lines = tuple(drawing_up.invoice_line(line, by_id[line.report_id]) for line in planned.lines)
    return Invoice(
        id=call.new_id("inv"),
        so=case.so.id,
        fsp=case.fsp.id,
        contracting_entity=bill.entity,
        kind=document.kind,
        number="",
        serial=0,
        seller=party(case.fsp, bill.entity),
        buyer=party(case.so),
        issued_on=case.today,
        issued_at=call.now,
        issued_by=call.actor.id,
        due=document.due,
        currency=case.settings.currency,
        net=document.net,
        vat_rate=document.vat_rate,
        vat=document.vat,
        gross=document.gross,
        months=drawing_up.months_of(lines),
        lines=lines,
        line_count=len(lines),
        credits=planned.credits.number if planned.credits else None,
        note=bill.note(planned),
    )


def _previewed(case: Case, bill: Bill, planned: Planned) -> PreviewDocument:
    document, by_id = planned.document, case.reports
    company = company_of(case.fsp, bill.entity)
    return PreviewDocument(
        fsp=case.fsp.id,
        fsp_name=case.fsp.name,
        contracting_entity=bill.entity,
        company=company.name if company else case.fsp.name,
        kind=document.kind,
        net=document.net,
        vat_rate=document.vat_rate,
        vat=document.vat,
        gross=document.gross,
        due=document.due,
        months=tuple(sorted({by_id[line.report_id].month or line.month for line in planned.lines})),
        line_count=len(planned.lines),
        credits=planned.credits.number if planned.credits else None,
        note=bill.note(planned),
    )


def _whom(so: str, fsp: str | None, month: str, after: str | None) -> tuple[list[str], str | None]:
    """The providers to look at, in order, and the last of them where there are more."""
    if fsp is not None:
        return [fsp], None
    found = [each for each in reports.fsps_published(so, month) if after is None or each > after]
    return found[:FSPS_AT_ONCE], found[FSPS_AT_ONCE - 1] if len(found) > FSPS_AT_ONCE else None


def _check_fsp(fsp: str | None) -> None:
    if fsp is not None and registry.get_organisation(fsp).kind != "fsp":
        raise NotFound("organisation.not_found", "There is no such provider.")
