"""Records self-billing agreements: the operator proposes, the provider agrees or refuses, either side ends them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused, raise_problems
from chalicelib.kernel.events import Event
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions_reads as registry
from chalicelib.registry.models import Organisation
from chalicelib.settlement import agreements
from chalicelib.settlement import store_agreements as store
from chalicelib.settlement.actions_parties import company_of, valid_vat_number
from chalicelib.settlement.events import AgreementMoved, AgreementRecorded
from chalicelib.settlement.lifecycle import AGREEMENT_MOVES
from chalicelib.settlement.models_invoices import Agreement, BillingAccount
from chalicelib.settlement.requests_invoices import (
    AgreementQuery,
    AgreementRequest,
    AgreementView,
    EndingRequest,
    RefusalRequest,
)
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

TERMS = (
    "The system operator issues the invoices for everything it settles with the provider until the agreement ends.",
    "The invoices show the provider's name, address and VAT number, and VAT where the provider is registered for it.",
    "The provider accepts these invoices and issues none of its own for the same deliveries.",
    "The provider says at once if its VAT number changes, it is no longer registered, or it sells its business; "
    "the agreement is then made anew.",
)
_NOT_FOUND = NotFound("agreement.not_found", "There is no such self-billing agreement.")


def propose_agreement(call: Call, body: AgreementRequest) -> AgreementView:
    """Record an agreement for a provider to agree to; it counts once the provider did."""
    fsp = registry.get_organisation(body.fsp)
    if fsp.kind != "fsp":
        raise NotFound("organisation.not_found", "There is no such provider.")
    _check_entity(fsp, body.contracting_entity)
    _check_named(registry.get_organisation(call.organisation))
    ends = body.ends or _a_year_from(body.starts)
    raise_problems(agreements.span_problems(body.starts, ends, _today(call.organisation, call)), "agreement.invalid")
    account = store.load_account(call.organisation, fsp.id)
    agreement = Agreement(
        id=call.new_id("sba"),
        so=call.organisation,
        fsp=fsp.id,
        contracting_entity=body.contracting_entity,
        starts=body.starts,
        ends=ends,
        last_day=ends,
        vat_number=valid_vat_number(fsp, body.contracting_entity),
        renews=agreements.renewed_by(account.agreements, body.starts, body.contracting_entity),
        recorded_by=call.actor.id,
        recorded_at=call.now,
    )
    _check_free(account, agreement)
    event = AgreementRecorded(so=agreement.so, fsp=agreement.fsp, agreement_id=agreement.id)
    return _saved(call, None, agreement, "recorded", event)


def _check_named(operator: Organisation) -> None:
    """An invoice names whom it is made out to, with their address (VAT Regulations 1995, regulation 14)."""
    if operator.company is None or not operator.company.address:
        detail = "Give your company's name, number and address first (PATCH /organisation): your invoices name it."
        raise Refused("agreement.own_company", detail)


def accept_agreement(call: Call, agreement_id: str) -> AgreementView:
    """The provider agrees: from its first day on, the operator's invoices are the provider's own."""
    before = own_agreement(call, agreement_id)
    state = move(AGREEMENT_MOVES, "agreement", before.state, "accept")
    after = before.but(
        state=state,
        vat_number=valid_vat_number(registry.get_organisation(before.fsp), before.contracting_entity),
        answered_by=call.actor.id,
        answered_at=call.now,
        version=before.version + 1,
    )
    account = store.load_account(after.so, after.fsp)
    _check_free(account, after)
    spans = (*account.agreements, agreements.span_of(after))
    writes = [store.save_account(account.but(agreements=spans))]
    return _saved(call, before, after, "accepted", _moved(call, after, "accept"), writes)


def refuse_agreement(call: Call, agreement_id: str, body: RefusalRequest) -> AgreementView:
    """The provider does not agree; its invoices stay purchase statements."""
    before = own_agreement(call, agreement_id)
    state = move(AGREEMENT_MOVES, "agreement", before.state, "refuse")
    answered = {"answered_by": call.actor.id, "answered_at": call.now}
    after = before.but(state=state, reason=body.reason, version=before.version + 1, **answered)
    return _saved(call, before, after, "refused", _moved(call, after, "refuse"))


def end_agreement(call: Call, agreement_id: str, body: EndingRequest) -> AgreementView:
    """Either side ends an agreement early; the operator withdraws what the provider has not answered."""
    before = own_agreement(call, agreement_id)
    if before.state == "proposed" and call.organisation != before.so:
        raise Refused("agreement.proposed", "It waits for your answer: accept or refuse it.")
    act: Literal["withdraw", "end"] = "withdraw" if before.state == "proposed" else "end"
    after = before.but(
        state=move(AGREEMENT_MOVES, "agreement", before.state, act),
        last_day=before.last_day if act == "withdraw" else _last_day(call, before, body.last_day),
        ended_by=call.organisation,
        ended_at=call.now,
        reason=body.reason,
        version=before.version + 1,
    )
    writes = [] if act == "withdraw" else [_shortened(after)]
    return _saved(call, before, after, after.state, _moved(call, after, act), writes)


def get_agreement(call: Call, agreement_id: str) -> AgreementView:
    """One agreement of the caller's."""
    return _view(call, own_agreement(call, agreement_id))


def list_agreements(call: Call, query: AgreementQuery) -> Page[AgreementView]:
    """The caller's agreements, the latest start first."""
    side = "so" if call.actor.organisation_kind == "so" else "fsp"
    page = store.list_agreements(side, call.organisation, query.limit, query.cursor)
    found = [each for each in page.items if _fits(each, query)]
    sides = _sides(found)
    return Page(items=[_shown(call, each, sides) for each in found], next=page.next)


def load_agreement(agreement_id: str) -> Agreement:
    """An agreement, strongly consistent; `NotFound` where there is none."""
    agreement = store.find_agreement(agreement_id)
    if agreement is None:
        raise _NOT_FOUND
    return agreement


def own_agreement(call: Call, agreement_id: str) -> Agreement:
    """An agreement the caller is a side of; `NotFound` for others."""
    agreement = load_agreement(agreement_id)
    if call.organisation not in (agreement.so, agreement.fsp):
        raise _NOT_FOUND
    return agreement


def _check_entity(fsp: Organisation, entity_id: str | None) -> None:
    try:
        company_of(fsp, entity_id)
    except NotFound as absent:
        problem = Problem("agreement.contracting_entity", "The provider has no such entity.", "contracting_entity")
        raise Invalid.of([problem], "agreement.invalid") from absent


def _check_free(account: BillingAccount, agreement: Agreement) -> None:
    other = agreements.overlapping(account.agreements, agreement)
    if other is not None:
        detail = f"An agreement from {other.starts} to {other.ends} holds already; end it, or start after it."
        raise Refused("agreement.overlaps", detail)


def _last_day(call: Call, agreement: Agreement, asked: date | None) -> date:
    today = _today(agreement.so, call)
    last = asked or today
    if not today <= last <= agreement.last_day:
        allowed = f"{today} to {agreement.last_day}"
        problem = Problem("agreement.last_day", "It ends today or later, and before its time.", "last_day", allowed)
        raise Invalid.of([problem], "agreement.invalid")
    return last


def _shortened(agreement: Agreement) -> Write:
    """The account with the agreement up to its last day; one that never began is gone from it."""
    account = store.load_account(agreement.so, agreement.fsp)
    others = agreements.without(account.agreements, agreement.id)
    span = agreements.span_of(agreement)
    return store.save_account(account.but(agreements=(*others, span) if span.starts <= span.ends else others))


def _moved(call: Call, agreement: Agreement, act: Literal["accept", "refuse", "withdraw", "end"]) -> AgreementMoved:
    by: Literal["so", "fsp"] = "so" if call.organisation == agreement.so else "fsp"
    return AgreementMoved(so=agreement.so, fsp=agreement.fsp, agreement_id=agreement.id, act=act, by=by)


def _saved(
    call: Call,
    before: Agreement | None,
    after: Agreement,
    act: str,
    event: Event,
    writes: Sequence[Write] = (),
) -> AgreementView:
    change = Change(
        thing=f"self-billing-agreement:{after.id}",
        action=f"self_billing_agreement.{act}",
        organisation=call.organisation,
        before=before.model_dump(mode="json") if before else None,
        after=after.model_dump(mode="json"),
        reason=after.reason,
    )
    commit(call, [store.save_agreement(after), *writes], [event], [change], result=after.id)
    return _view(call, after)


def _fits(agreement: Agreement, query: AgreementQuery) -> bool:
    wanted = {"fsp": query.fsp, "so": query.so, "state": query.state}
    return all(value is None or getattr(agreement, name) == value for name, value in wanted.items())


def _view(call: Call, agreement: Agreement) -> AgreementView:
    return _shown(call, agreement, _sides([agreement]))


def _sides(found: list[Agreement]) -> dict[str, Organisation]:
    return registry.get_organisations(sorted({side for each in found for side in (each.so, each.fsp)}))


def _shown(call: Call, agreement: Agreement, sides: dict[str, Organisation]) -> AgreementView:
    today = _today(agreement.so, call)
    counts = agreement.state in ("agreed", "ended")
    so, fsp = sides[agreement.so], sides[agreement.fsp]
    company = company_of(fsp, agreement.contracting_entity)
    return AgreementView(
        **dict(agreement),
        so_name=so.name,
        fsp_name=fsp.name,
        company=company.name if company else fsp.name,
        holds=counts and agreement.starts <= today <= agreement.last_day,
        terms=TERMS,
    )


def _a_year_from(starts: date) -> date:
    return agreements.last_day_of_a_year(starts) if starts.year < agreements.LAST_YEAR else starts


def _today(so: str, call: Call) -> date:
    return local_day(call.now, zone_of(registry.get_operator(so).time_zone))
