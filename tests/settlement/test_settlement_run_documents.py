"""The documents of reports that runs made: what is shown of an amount leads to that amount."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader

from chalicelib.kernel.quantities import round_money
from chalicelib.settlement import wording
from chalicelib.settlement.documents import contents_of
from chalicelib.settlement.report_contents import Contents, energy_mwh
from chalicelib.settlement.report_pdf import report_pdf
from chalicelib.settlement.report_workbook import report_workbook
from chalicelib.settlement.workings import Workings
from tests.builders.settling import SettlingMarket

TUESDAY, THURSDAY, NEXT_TUESDAY = date(2026, 6, 16), date(2026, 6, 18), date(2026, 6, 23)


@pytest.fixture
def settling(market: Any) -> SettlingMarket:
    return SettlingMarket()


def settled(settling: SettlingMarket, **rules: Any) -> Contents:
    """June with one part delivered, one in full, one declined, one without readings; all components but penalties."""
    if rules:
        settling.rules(name="ours", effective_from="2026-05-01", **rules)
    named = {"market_rules": "ours"} if rules else {}
    settling.obligation(availability_price="3", service_fee="1000", **named)
    settling.instruction(TUESDAY)
    settling.instruction(THURSDAY)
    settling.instruction(NEXT_TUESDAY, state="declined", acknowledged_mw="0")
    settling.obligation("obl_2", ("m2",), **named)
    settling.instruction(TUESDAY, obligation="obl_2")
    settling.read(delivered={TUESDAY: 1500, THURSDAY: 2000})
    report = settling.report(settling.run())
    return contents_of(settling.operator(), report.id)


def worked_out(working: str) -> Decimal:
    """The product of the figures of a working, as a person with a calculator would have it."""
    found = Decimal(1)
    for text in working.split(" × "):
        sign = -1 if text.startswith("−") else 1
        bare = text.replace("£", "").replace(",", "")
        if bare.startswith("(1 − "):
            found *= 1 - Decimal(bare[5:-1])
        else:
            match = re.search(r"\d+(\.\d+)?", bare)
            assert match is not None, text
            found *= sign * Decimal(match[0])
    return round_money(found)


def test_every_amount_can_be_worked_out_from_the_figures_beside_it(settling: SettlingMarket) -> None:
    contents = settled(settling)
    workings = Workings(contents.detail, "GBP")
    shown = {line.component: [] for line in contents.lines}  # type: ignore[var-annotated]
    for line in contents.lines:
        if line.amount is not None and line.component != "service_fee":
            assert worked_out(workings.of(line)) == line.amount, workings.of(line)
            shown[line.component].append(line.amount)
    assert {name for name, amounts in shown.items() if amounts} == {"utilisation", "availability", "recovery"}


def test_a_charge_for_what_is_missing_can_be_worked_out_too(settling: SettlingMarket) -> None:
    contents = settled(settling, preset="linear", performance={"kind": "penalty", "price": "11"})
    charges = [line for line in contents.lines if line.component == "penalty" and line.amount]
    assert charges
    workings = Workings(contents.detail, "GBP")
    assert [worked_out(workings.of(line)) for line in charges] == [line.amount for line in charges]


def test_baseline_less_metered_is_what_was_delivered(settling: SettlingMarket) -> None:
    contents = settled(settling)
    measured = [each for each in contents.detail.instructions if each.delivered_mwh is not None and not each.reason]
    found = [energy_mwh(each, "baseline_mw") - energy_mwh(each, "metered_mw") for each in measured]  # type: ignore[operator]
    assert found == [each.delivered_mwh for each in measured]
    assert len(found) == 2


def test_the_documents_of_a_run_hold_all_of_it(settling: SettlingMarket) -> None:
    contents = settled(settling)
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(report_pdf(contents))).pages)
    flat = re.sub(r"\s+", " ", text)
    assert [line.amount for line in contents.lines if line.amount and wording.money(line.amount) not in flat] == []
    assert "No amount; it counts as not delivered" in flat
    assert "MISSING_READINGS" in flat
    book = openpyxl.load_workbook(io.BytesIO(report_workbook(contents)))
    assert book["Lines"].max_row == 1 + len(contents.lines)
    assert book["Instructions"].max_row == 1 + 4
    assert book["Data quality"].max_row == 1 + len(contents.detail.quality)
