"""Documents asked for as jobs: made for either side, with what it may see, as the file it says it is."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree
from pypdf import PdfReader

from chalicelib.files import actions_exporting as exporting
from chalicelib.files.exports import make_file
from chalicelib.files.models import ExportRequest, JobView
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_organisations
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Code, ContactRoute
from chalicelib.registry.requests import OrganisationChange
from chalicelib.settlement.models_runs import Invoice
from chalicelib.storage import objects, outbox
from chalicelib.storage.clients import client
from chalicelib.storage.commit import commit
from chalicelib.storage.settings import bucket_name
from functions import documents, make_document, make_export
from tests.builders.calls import a_call
from tests.builders.invoices import NOW, OTHER, VAT_NUMBER, Billing
from tests.builders.registry import an_asked_company
from tests.builders.reports import a_draft, keep

pytestmark = pytest.mark.usefixtures("market")

SAMPLE = json.loads((Path(__file__).parents[2] / "events" / "aws" / "s3_object_created.json").read_text())["Records"][0]
REPORTS = ("settlement-report", "settlement-report-pdf")
INVOICES = ("invoice-pdf", "invoice-ubl")


@pytest.fixture
def billing(market: Any) -> Billing:
    return Billing(vat_number=VAT_NUMBER)


@pytest.fixture
def invoice(billing: Billing) -> Invoice:
    """A self-billing invoice of June 2026 over two agreed lines; both sides have VAT numbers."""
    company = an_asked_company(name="Network 1 plc", company_number="02366906", vat_number="GB 123 4567 82")
    own = actions_organisations.get_organisation(billing.operator())
    actions_organisations.change_organisation(billing.operator(), OrganisationChange(company=company), own.version)
    billing.publish(["10.00", "20.05"])
    billing.agreement()
    (issued,) = billing.draw_up().issued
    return issued


def asked(call: Call, kind: str, **filters: Any) -> JobView:
    """The job of a document, made."""
    job = exporting.request_export(call, ExportRequest(kind=kind, filters=filters))
    make_file(call, job.id, documents.maker_of(kind))
    return exporting.get_job(call, job.id)


def content_of(call: Call, kind: str, **filters: Any) -> bytes:
    view = asked(call, kind, **filters)
    assert (view.state, view.refusal) == ("done", None)
    return objects.read_object(objects.BODIES, exporting.store.load_job(view.id).object_key or "")


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


@pytest.mark.parametrize("side", ["operator", "provider"])
def test_both_sides_get_a_published_report(billing: Billing, side: str) -> None:
    report = billing.publish(["10.00", None, "-4.00"])
    call = getattr(billing, side)()
    text = text_of(content_of(call, "settlement-report-pdf", report_id=report.id))
    assert "Network 1" in text
    assert "Flex 1" in text
    assert "£6.00" in text
    assert "−£4.00" in text
    book = openpyxl.load_workbook(io.BytesIO(content_of(call, "settlement-report", report_id=report.id)))
    assert book["Lines"].max_row == 4


def test_lines_are_shown_as_they_stand_when_asked(billing: Billing) -> None:
    report = billing.publish(["10.00", "20.05"])
    call = billing.operator(now="2026-05-20T09:00:00Z")
    assert "Agreed" not in text_of(content_of(call, "settlement-report-pdf", report_id=report.id))
    assert "Agreed 2 0 £30.05" in text_of(content_of(billing.operator(), "settlement-report-pdf", report_id=report.id))


@pytest.mark.parametrize("kind", REPORTS)
def test_a_draft_is_the_operators_alone(billing: Billing, kind: str) -> None:
    draft = keep(a_draft(billing.publish(["10.00"]) and [], so=billing.so, id="rpt_draft"))
    assert asked(billing.operator(), kind, report_id=draft.id).state == "done"
    assert asked(billing.provider(), kind, report_id=draft.id).refusal_code == "report.not_found"


@pytest.mark.parametrize("kind", REPORTS)
def test_another_provider_gets_no_report(billing: Billing, kind: str) -> None:
    report = billing.publish(["10.00"])
    for stranger in (billing.provider(OTHER), a_call("org_so9", "so", now=NOW)):
        assert asked(stranger, kind, report_id=report.id).refusal_code == "report.not_found"


@pytest.mark.parametrize("side", ["operator", "provider"])
def test_both_sides_get_an_invoice(billing: Billing, invoice: Invoice, side: str) -> None:
    call = getattr(billing, side)()
    text = text_of(content_of(call, "invoice-pdf", invoice_id=invoice.id))
    assert "SELF-BILLING INVOICE" in text
    assert f"Number {invoice.number}" in text
    assert "£36.06" in text
    document = etree.fromstring(content_of(call, "invoice-ubl", invoice_id=invoice.id))
    assert document.findtext("{*}ID") == invoice.number
    assert document.findtext("{*}LegalMonetaryTotal/{*}PayableAmount") == "36.06"


@pytest.mark.parametrize("kind", INVOICES)
def test_another_provider_gets_no_invoice(billing: Billing, invoice: Invoice, kind: str) -> None:
    for stranger in (billing.provider(OTHER), a_call("org_so9", "so", now=NOW)):
        assert asked(stranger, kind, invoice_id=invoice.id).refusal_code == "invoice.not_found"


@pytest.mark.parametrize(("side", "rows"), [("operator", 3), ("provider", 2)])
def test_the_ledger_holds_a_sides_own_invoices_of_a_month(
    billing: Billing, invoice: Invoice, side: str, rows: int
) -> None:
    billing.publish(["7.00"], fsp=OTHER)
    billing.draw_up(fsp=OTHER)
    text = content_of(getattr(billing, side)(), "invoice-ledger", month="2026-06").decode("utf-8-sig")
    assert len(text.splitlines()) == 1 + rows
    assert text.count(invoice.number) == 2
    assert (OTHER in text) == (side == "operator")


def test_the_ledger_of_a_month_without_invoices_is_its_header(billing: Billing, invoice: Invoice) -> None:
    for call in (billing.operator(), billing.provider()):
        assert content_of(call, "invoice-ledger", month="2026-05").decode().count("\r\n") == 1


@pytest.mark.parametrize(
    ("kind", "name", "content_type"),
    [
        ("settlement-report", "settlement-report-2026-04-version-1.xlsx", "spreadsheetml.sheet"),
        ("settlement-report-pdf", "settlement-report-2026-04-version-1.pdf", "application/pdf"),
    ],
)
def test_a_file_has_its_name_and_its_type(billing: Billing, kind: str, name: str, content_type: str) -> None:
    view = asked(billing.operator(), kind, report_id=billing.publish(["10.00"]).id)
    assert view.link is not None
    assert view.link.name == name
    key = exporting.store.load_job(view.id).object_key
    kept = client("s3").head_object(Bucket=bucket_name(objects.BODIES), Key=key)
    assert kept["ContentType"].endswith(content_type)


def test_invoices_are_named_by_their_number(billing: Billing, invoice: Invoice) -> None:
    for kind, ending in (("invoice-pdf", "pdf"), ("invoice-ubl", "xml")):
        link = asked(billing.operator(), kind, invoice_id=invoice.id).link
        assert link is not None
        assert link.name == f"self-billing-invoice-{invoice.number}.{ending}"


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        ("settlement-report", {}),
        ("settlement-report-pdf", {"report": "rpt_1"}),
        ("invoice-pdf", {"report_id": "rpt_1"}),
        ("invoice-ledger", {"month": "June"}),
    ],
)
def test_filters_that_name_nothing_are_refused_with_a_reason(
    billing: Billing, kind: str, filters: dict[str, Any]
) -> None:
    assert asked(billing.operator(), kind, **filters).refusal_code == "export.filters"


def news(kind: str, job_id: str) -> dict[str, Any]:
    (envelope,) = [
        each for each in outbox.unpublished(datetime(2036, 1, 1, tzinfo=UTC)) if each.body.get("job_id") == job_id
    ]
    assert envelope.body["kind"] == kind
    return {"Records": [SAMPLE | {"body": json.dumps({"detail": envelope.model_dump(mode="json")})}]}


def test_two_functions_hear_of_a_job_and_one_of_them_makes_it(billing: Billing, invoice: Invoice) -> None:
    call = billing.operator()
    for kind, other, own in (("invoice-pdf", make_export, make_document), ("contracts", make_document, make_export)):
        job = exporting.request_export(call, ExportRequest(kind=kind, filters={"invoice_id": invoice.id}))
        told = news(kind, job.id)
        assert other.handler(told, None) == {"batchItemFailures": []}
        assert exporting.get_job(call, job.id).state == "queued"
        assert own.handler(told, None) == {"batchItemFailures": []}
        assert exporting.get_job(call, job.id).state == "done"


def test_a_side_without_an_electronic_address_is_named_until_it_has_one(billing: Billing) -> None:
    billing.publish(["10.00"])
    (statement,) = billing.draw_up().issued
    view = asked(billing.operator(), "invoice-ubl", invoice_id=statement.id)
    assert view.refusal_code == "invoice.no_electronic_address"
    assert "Network 1 plc has none" in (view.refusal or "")
    at = datetime(2026, 6, 11, 9, tzinfo=UTC)
    fields = {"organisation": billing.so, "purpose": "settlement", "email": "settle@network.example"}
    route = ContactRoute(id="ctr_1", **fields, verified_at=at, code=Code(sent_at=at))
    commit(billing.operator(), [registry_store.create_contact(route)])
    document = etree.fromstring(content_of(billing.operator(), "invoice-ubl", invoice_id=statement.id))
    assert document.findtext("{*}AccountingCustomerParty/{*}Party/{*}EndpointID") == "settle@network.example"
