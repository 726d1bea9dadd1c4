"""Builds what settlement's documents are made of: a report with lines and all that explains them, and invoices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.kernel.periods import days_span, half_hours, half_hours_in
from chalicelib.settlement.models import Penalty
from chalicelib.settlement.models_runs import (
    BaselineDetail,
    InstructionDetail,
    Invoice,
    InvoiceLine,
    MeterQuality,
    ObligationDetail,
    Party,
    PeriodDetail,
    Report,
    ReportDetail,
    ReportLine,
)
from chalicelib.settlement.report_contents import Contents
from tests.builders.settlement import LONDON, local, rules

DAY = date(2026, 6, 17)
OPERATOR = "Eastern Grid Networks plc"
PROVIDER = "Zażółć & Ørsted Ŵŷnni Flexibility <Gdańsk> Services and Energy Management Limited"
HALF_HOUR = Decimal("0.5")


def a_report(**but: Any) -> Report:
    fields = {
        "id": "rep_1",
        "run_id": "run_1",
        "so": "org_so1",
        "fsp": "org_fsp1",
        "first": date(2026, 6, 1),
        "last": date(2026, 6, 30),
        "month": "2026-06",
        "number": 2,
        "state": "published",
        "made_at": datetime(2026, 7, 8, 5, 0, tzinfo=UTC),
        "published_at": datetime(2026, 7, 8, 9, 0, tzinfo=UTC),
        "disputable_until": date(2026, 7, 22),
        "lines_key": "lines/1",
        "detail_key": "detail/1",
    }
    return Report.model_validate(fields | but)


def a_report_line(ordinal: int = 1, **but: Any) -> ReportLine:
    fields = {
        "id": f"rep_1-{ordinal:05d}",
        "ordinal": ordinal,
        "report_id": "rep_1",
        "run_id": "run_1",
        "so": "org_so1",
        "fsp": "org_fsp1",
        "obligation_id": "obl_1",
        "instruction_id": "ins_1",
        "month": "2026-06",
        "component": "utilisation",
        "amount": Decimal("2910.16"),
        "rules_version": 3,
        "competition_reference": "EGN-2026-IPSWICH",
        "window_name": "Weekday evenings",
        "starts": local(DAY, "17:00"),
        "ends": local(DAY, "19:00"),
        "fingerprint": "f" * 64,
    }
    return ReportLine.model_validate(fields | but)


def periods_of(
    starts: Sequence[datetime], span: tuple[datetime, datetime], asked: str = "1", delivered: str = "0.94"
) -> tuple[PeriodDetail, ...]:
    """Half-hours with a believable evening baseline of 4 to 5 MW and a response within the span."""
    found = []
    for start in starts:
        hour = start.astimezone(LONDON).hour + start.astimezone(LONDON).minute / 60
        baseline = Decimal(str(round(3.4 + 1.5 * math.exp(-(((hour - 18) / 3.4) ** 2)), 4)))
        during = span[0] <= start < span[1]
        wobble = Decimal(0) if during else Decimal(str(round(0.06 * math.sin(hour * 5), 4)))
        response = Decimal(asked) * Decimal(delivered) if during else Decimal(0)
        found.append(
            PeriodDetail(
                start=start,
                requested_mw=Decimal(asked) if during else Decimal(0),
                baseline_mw=baseline,
                metered_mw=baseline - response + wobble,
                delivered_mw=response if during else None,
                counted_mw=max(Decimal(0), min(Decimal(asked), response)) if during else None,
            )
        )
    return tuple(found)


def an_instruction_detail(number: int = 1, **but: Any) -> InstructionDetail:
    """Delivered, 17:00 to 19:00, with the half-hours from 12:00 to 23:00 around it."""
    span = (local(DAY, "17:00"), local(DAY, "19:00"))
    around = list(half_hours_in((local(DAY, "12:00"), local(DAY, "23:00"))))
    fields = {
        "instruction_id": f"ins_{number}",
        "obligation_id": "obl_1",
        "competition_reference": "EGN-2026-IPSWICH",
        "window_name": "Weekday evenings",
        "direction": "deficit",
        "state": "delivered",
        "starts": span[0],
        "ends": span[1],
        "instructed_mw": "1",
        "acknowledged_mw": "1",
        "utilisation_price": "181.2",
        "paid_volume": "instructed",
        "performance": "linear_cap",
        "rules_name": "Sustain 2026",
        "rules_version": 3,
        "requested_mwh": Decimal(2),
        "delivered_mwh": Decimal("1.880000000"),
        "counted_mwh": Decimal("1.880000000"),
        "ratio": Decimal("0.940000000"),
        "factor": Decimal("0.970000000"),
        "baselines": (a_baseline_detail(),),
        "periods": periods_of(around, span),
    }
    return InstructionDetail.model_validate(fields | but)


def a_baseline_detail(**but: Any) -> BaselineDetail:
    used = tuple(DAY - timedelta(days=back) for back in (1, 2, 5, 6, 7, 8, 9, 12))
    fields = {
        "point": "group",
        "method": "mid-8-of-10",
        "version": "1",
        "status": "SUFFICIENT",
        "days_used": used,
        "days_refused": ((DAY - timedelta(days=13), "event day"), (DAY - timedelta(days=14), "lowest")),
        "adjustment": "ratio",
        "adjustment_before_clamp": Decimal("1.31"),
        "adjustment_applied": Decimal("1.2"),
        "completeness": Decimal("0.9986"),
        "fingerprint": "ab" * 32,
    }
    return BaselineDetail.model_validate(fields | but)


def unsettled(number: int, reason: str = "MISSING_READINGS") -> InstructionDetail:
    """An instruction that could not be settled, with a reason and nothing measured."""
    nothing = {"delivered_mwh": None, "counted_mwh": None, "ratio": None, "factor": None, "periods": ()}
    left_out = (("1200012345671", reason),)
    return an_instruction_detail(number, reason=reason, baselines=(), left_out=left_out, **nothing)


def fully_delivered(number: int) -> InstructionDetail:
    """0.1245 MW for 129 h at 181.20 a MWh, all of it delivered: £2,910.16 (a golden figure)."""
    span = (local(date(2026, 6, 20), "09:00"), local(date(2026, 6, 25), "18:00"))
    whole = {"requested_mwh": "16.0605", "delivered_mwh": "16.0605", "counted_mwh": "16.0605", "ratio": 1, "factor": 1}
    asked = {"instructed_mw": "0.1245", "acknowledged_mw": "0.1245"}
    times = {"starts": span[0], "ends": span[1]}
    periods = periods_of(list(half_hours_in(span)), span, "0.1245", "1")
    return an_instruction_detail(number, **whole, **asked, **times, periods=periods)


def a_clock_change_day(day: date) -> InstructionDetail:
    """An instruction over a whole local day, which has 46 or 50 half-hours when the clocks change."""
    starts = half_hours(day, LONDON)
    span = days_span(day, day, LONDON)
    return an_instruction_detail(9, starts=span[0], ends=span[1], periods=periods_of(starts, span))


def a_meter(meter_id: str = "1200012345671", **but: Any) -> MeterQuality:
    fields = {
        "meter_id": meter_id,
        "asset_ref": "BATTERY-07",
        "expected": 4320,
        "present": 4317,
        "revisions": 2,
        "latest_at": datetime(2026, 7, 3, 14, 2, tzinfo=UTC),
    }
    return MeterQuality.model_validate(fields | but)


def an_obligation_detail(**but: Any) -> ObligationDetail:
    fields = {
        "obligation_id": "obl_1",
        "competition_reference": "EGN-2026-IPSWICH",
        "window_name": "Weekday evenings",
        "month": "2026-06",
        "promised_mwh": Decimal("44"),
        "available_mwh": Decimal("41.5"),
        "availability_price": "6.25",
        "performance": Decimal("0.970000000"),
        "performance_from": "instructions",
        "service_fee_price": "1000",
        "days_in_month": 30,
        "days_in_period": 183,
    }
    return ObligationDetail.model_validate(fields | but)


LINES = (
    a_report_line(1, amount=Decimal("351.53"), state="agreed"),
    a_report_line(2, component="penalty", amount=Decimal("-1.32"), state="disputed", why="under dispute dis_1"),
    a_report_line(3, instruction_id="ins_2", amount=None, reason="MISSING_READINGS"),
    a_report_line(9, instruction_id="ins_4", amount=Decimal("2910.16"), state="paid"),
    a_report_line(4, instruction_id="ins_3", amount=Decimal("0.00")),
    a_report_line(10, instruction_id="ins_3", component="penalty", amount=Decimal("-33.00")),
    a_report_line(5, instruction_id=None, component="availability", amount=Decimal("259.38")),
    a_report_line(6, instruction_id=None, component="recovery", amount=Decimal("-7.78")),
    a_report_line(7, instruction_id=None, component="service_fee", amount=Decimal("163.93"), state="invoiced"),
    a_report_line(8, instruction_id="ins_0", amount=Decimal("12.34"), corrects=Decimal("1234567.89"), month="2026-05"),
)


def a_negative_delivery(number: int) -> InstructionDetail:
    """Metered above the baseline while it was asked to turn down."""
    span = (local(DAY, "17:00"), local(DAY, "19:00"))
    around = list(half_hours_in((local(DAY, "15:00"), local(DAY, "21:00"))))
    delivered = {"delivered_mwh": Decimal("-1"), "counted_mwh": Decimal(0), "ratio": Decimal(0), "factor": Decimal(0)}
    return an_instruction_detail(number, **delivered, periods=periods_of(around, span, delivered="-0.5"))


def contents(**but: Any) -> Contents:
    """A report with a delivered instruction, one that cannot be settled, and one delivered the wrong way."""
    detail = ReportDetail(
        instructions=(an_instruction_detail(1), unsettled(2), a_negative_delivery(3), fully_delivered(4)),
        obligations=(an_obligation_detail(),),
        quality=(a_meter(), a_meter("1200012345680", asset_ref="BATTERY-08", present=4320)),
        rules=(rules(name="Sustain 2026", version=3, performance=Penalty(price=Decimal("11"))),),
    )
    fields = {"report": a_report(), "lines": LINES, "detail": detail, "operator": OPERATOR, "provider": PROVIDER}
    return Contents(**(fields | but))


def many(instructions: int) -> Contents:
    """A report of so many instructions, each with its lines."""
    details = tuple(an_instruction_detail(number) for number in range(instructions))
    lines = tuple(
        a_report_line(number, instruction_id=f"ins_{number}", amount=Decimal(number) / 100)
        for number in range(instructions)
    )
    meters = tuple(a_meter(f"12000{number:08d}") for number in range(500))
    whole = contents()
    return contents(lines=lines, detail=whole.detail.but(instructions=details, quality=meters))


OPERATOR_PARTY = Party(
    organisation="org_so1",
    name=OPERATOR,
    company_number="02366906",
    address="1 Substation Road, Ipswich, IP1 1AA",
    country="GB",
    vat_number="GB123456789",
    email="accounts@egn.example",
)
PROVIDER_PARTY = Party(
    organisation="org_fsp1",
    name=PROVIDER,
    company_number="09876543",
    address="Ulica Żółta 7\nFlat 2\nCardiff CF10 1AA",
    country="GB",
    vat_number="GB987654321",
    email="pay@zażółć.example",
)


def an_invoice_line(number: int = 1, **but: Any) -> InvoiceLine:
    fields = {
        "line_id": f"rep_1-{number:05d}",
        "report_id": "rep_1",
        "month": "2026-06",
        "obligation_id": "obl_1",
        "instruction_id": "ins_1",
        "component": "utilisation",
        "description": "Wed 17 Jun 2026, 17:00 to 19:00 BST, EGN-2026-IPSWICH, Weekday evenings",
        "amount": Decimal("2910.16"),
    }
    return InvoiceLine.model_validate(fields | but)


INVOICE_LINES = (
    an_invoice_line(1),
    an_invoice_line(2, component="penalty", amount=Decimal("-4.00")),
    an_invoice_line(
        3,
        instruction_id=None,
        component="availability",
        amount=Decimal("259.38"),
        description="EGN-2026-IPSWICH, all of June 2026",
    ),
    an_invoice_line(
        4,
        instruction_id=None,
        obligation_id="obl_2",
        month="2026-05",
        component="service_fee",
        amount=Decimal("163.93"),
        description="EGN-2026-NORWICH, 31 of 183 days",
    ),
)


def an_invoice(**but: Any) -> Invoice:
    """A self-billing invoice with VAT at 20 %; give other lines and the totals follow."""
    fields: dict[str, Any] = {
        "id": "inv_1",
        "so": "org_so1",
        "fsp": "org_fsp1",
        "kind": "self_billing_invoice",
        "number": "EGN-000042",
        "serial": 42,
        "seller": PROVIDER_PARTY,
        "buyer": OPERATOR_PARTY,
        "issued_on": date(2026, 7, 24),
        "issued_at": datetime(2026, 7, 24, 8, 0, tzinfo=UTC),
        "issued_by": "usr_1",
        "due": date(2026, 8, 23),
        "vat_rate": Decimal(20),
        "months": ("2026-05", "2026-06"),
        "lines": INVOICE_LINES,
    }
    fields |= but
    net = sum((line.amount for line in fields["lines"]), Decimal(0))
    vat = (net * fields["vat_rate"] / 100).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    return Invoice.model_validate({"net": net, "vat": vat, "gross": net + vat} | fields)


def a_purchase_statement(**but: Any) -> Invoice:
    """What the provider invoices against: no VAT on it."""
    return an_invoice(**({"kind": "purchase_statement", "vat_rate": Decimal(0)} | but))


def a_credit_note(**but: Any) -> Invoice:
    """Puts right what was invoiced: its total is negative."""
    lines = (an_invoice_line(1, amount=Decimal("-120.45"), description="Correction after late data"),)
    return an_invoice(
        **({"kind": "credit_note", "credits": "EGN-000042", "number": "EGN-000043", "lines": lines} | but)
    )
