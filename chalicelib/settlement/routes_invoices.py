"""Endpoints of self-billing agreements, invoices, credit notes and payments."""

from __future__ import annotations

from chalicelib.edge.web import Page, PageQuery, Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.settlement import (
    actions_agreements,
    actions_crediting,
    actions_drawing_up,
    actions_invoices,
    actions_payments,
)
from chalicelib.settlement.models_runs import Invoice, InvoiceLine
from chalicelib.settlement.requests_invoices import (
    AgreementQuery,
    AgreementRequest,
    AgreementView,
    CreditRequest,
    DrawnUpView,
    DrawUpRequest,
    EndingRequest,
    InvoicePreview,
    InvoiceQuery,
    PaymentRequest,
    PreviewQuery,
    RefusalRequest,
)

routes = Routes(__name__)
_EITHER_SIDE = either(fsp("read"), so("read"))
_PROVIDER = fsp("account", "settlement")


@routes.post(
    "/self-billing-agreements",
    body=AgreementRequest,
    returns=AgreementView,
    status=201,
    who=so("settlement"),
    replay=actions_agreements.get_agreement,
)
def propose_agreement(call: Call, body: AgreementRequest) -> AgreementView:
    """Record a self-billing agreement; it counts once the provider accepted it."""
    return actions_agreements.propose_agreement(call, body)


@routes.get("/self-billing-agreements", query=AgreementQuery, returns=Page[AgreementView], who=_EITHER_SIDE)
def list_agreements(call: Call, query: AgreementQuery) -> Page[AgreementView]:
    """The caller's self-billing agreements, the latest start first."""
    return actions_agreements.list_agreements(call, query)


@routes.get("/self-billing-agreements/{agreement_id}", returns=AgreementView, who=_EITHER_SIDE)
def get_agreement(call: Call, agreement_id: str) -> AgreementView:
    """One self-billing agreement, with what both sides agree to by it."""
    return actions_agreements.get_agreement(call, agreement_id)


@routes.post(
    "/self-billing-agreements/{agreement_id}/acceptance",
    returns=AgreementView,
    who=_PROVIDER,
    replay=actions_agreements.get_agreement,
)
def accept_agreement(call: Call, agreement_id: str) -> AgreementView:
    """Agree that the operator issues the provider's invoices."""
    return actions_agreements.accept_agreement(call, agreement_id)


@routes.post(
    "/self-billing-agreements/{agreement_id}/refusal",
    body=RefusalRequest,
    returns=AgreementView,
    who=_PROVIDER,
    replay=actions_agreements.get_agreement,
)
def refuse_agreement(call: Call, agreement_id: str, body: RefusalRequest) -> AgreementView:
    """Do not agree; the operator then issues purchase statements."""
    return actions_agreements.refuse_agreement(call, agreement_id, body)


@routes.post(
    "/self-billing-agreements/{agreement_id}/ending",
    body=EndingRequest,
    returns=AgreementView,
    who=either(_PROVIDER, so("settlement")),
    replay=actions_agreements.get_agreement,
)
def end_agreement(call: Call, agreement_id: str, body: EndingRequest) -> AgreementView:
    """End an agreement before its time; an operator withdraws one that waits for an answer."""
    return actions_agreements.end_agreement(call, agreement_id, body)


@routes.post(
    "/invoices",
    body=DrawUpRequest,
    returns=DrawnUpView,
    status=201,
    who=so("settlement"),
    replay=actions_drawing_up.get_drawn_up,
)
def draw_up_invoices(call: Call, body: DrawUpRequest) -> DrawnUpView:
    """Issue invoices of agreed lines up to a month, of one provider or all; says why others got none."""
    return actions_drawing_up.draw_up(call, body)


@routes.get("/invoice-previews", query=PreviewQuery, returns=InvoicePreview, who=so("read"))
def preview_invoices(call: Call, query: PreviewQuery) -> InvoicePreview:
    """What would be issued now; nothing is stored and no number drawn."""
    return actions_drawing_up.preview(call, query)


@routes.get("/invoices", query=InvoiceQuery, returns=Page[Invoice], who=_EITHER_SIDE)
def list_invoices(call: Call, query: InvoiceQuery) -> Page[Invoice]:
    """The caller's invoices and credit notes without their lines, newest first."""
    return actions_invoices.list_invoices(call, query)


@routes.get("/invoices/{invoice_id}", returns=Invoice, who=_EITHER_SIDE)
def get_invoice(call: Call, invoice_id: str) -> Invoice:
    """One invoice with its first 500 lines."""
    return actions_invoices.get_invoice(call, invoice_id)


@routes.get("/invoices/{invoice_id}/lines", query=PageQuery, returns=Page[InvoiceLine], who=_EITHER_SIDE)
def list_invoice_lines(call: Call, invoice_id: str, query: PageQuery) -> Page[InvoiceLine]:
    """All lines of an invoice, page by page."""
    return actions_invoices.list_lines(call, invoice_id, query)


@routes.post(
    "/invoices/{invoice_id}/credit",
    body=CreditRequest,
    returns=Invoice,
    status=201,
    who=so("settlement"),
    replay=actions_crediting.get_credited,
)
def credit_invoice(call: Call, invoice_id: str, body: CreditRequest) -> Invoice:
    """Take an invoice back whole by a credit note; its lines are agreed again."""
    return actions_crediting.credit_invoice(call, invoice_id, body)


@routes.post(
    "/invoices/{invoice_id}/payment",
    body=PaymentRequest,
    returns=Invoice,
    who=so("settlement"),
    replay=actions_invoices.get_invoice,
)
def record_payment(call: Call, invoice_id: str, body: PaymentRequest) -> Invoice:
    """Record that an invoice was paid, in full."""
    return actions_payments.record_payment(call, invoice_id, body)
