"""Many draw up invoices at the same moment: no number is skipped or given twice, no line is on two invoices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from chalicelib.settlement import actions_invoices as invoices
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.requests_invoices import DrawnUpView
from tests.builders.invoices import Billing

pytestmark = pytest.mark.flow

PROVIDERS = 6


def test_two_people_for_each_of_many_providers_draw_every_number_once(embedded: str) -> None:
    billing = Billing()
    fsps = [f"org_fsp{number}" for number in range(3, 3 + PROVIDERS)]
    for number, fsp in enumerate(fsps):
        billing.fsp(fsp, company_number=f"{number:08d}")
        billing.publish(("10.00", "1.00"), fsp=fsp)
    barrier = Barrier(2 * PROVIDERS)

    def draw_up(fsp: str) -> DrawnUpView:
        barrier.wait()
        return billing.draw_up(fsp=fsp)

    with ThreadPoolExecutor(2 * PROVIDERS) as pool:
        answers = list(pool.map(draw_up, [*fsps, *fsps]))
    issued = [invoice for answer in answers for invoice in answer.issued]
    assert sorted(invoice.fsp for invoice in issued) == fsps
    assert sorted(invoice.serial for invoice in issued) == list(range(1, PROVIDERS + 1))
    assert [each.code for answer in answers for each in answer.not_issued] == ["nothing.left"] * PROVIDERS
    lines = [line.line_id for invoice in issued for line in invoices.load_invoice(invoice.id).lines]
    assert len(lines) == len(set(lines)) == 2 * PROVIDERS
    in_order = sorted(issued, key=lambda invoice: invoice.serial)
    assert [each.invoice_id for each in store.list_numbered(billing.so)] == [invoice.id for invoice in in_order]
