"""Owns the table of a settlement: each instruction with what was asked, measured, counted and paid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from local.client import Session
from local.demo.calendars import ZONE

_SHOWN_OF_SCHEDULE = 4
_HALF_HOUR = Decimal("0.5")
HEADER = (
    "provider",
    "window",
    "start",
    "state",
    "req MWh",
    "baseline",
    "metered",
    "delivered",
    "ratio",
    "f",
    "price",
    "amount or reason",
)


def instruction_rows(
    session: Session, report: dict[str, Any], lines: Sequence[dict[str, Any]], issued: Collection[str]
) -> list[tuple[Any, ...]]:
    """The instructions that were issued, and the first of those by schedule, each with what it came to."""
    explained = list(session.all(f"/settlement-reports/{report['id']}/instructions"))
    scheduled = [each for each in explained if each["instruction_id"] not in issued]
    shown = [each for each in explained if each["instruction_id"] in issued] + scheduled[:_SHOWN_OF_SCHEDULE]
    return [_row(session, report, each, lines) for each in shown]


def _row(
    session: Session, report: dict[str, Any], told: dict[str, Any], lines: Sequence[dict[str, Any]]
) -> tuple[Any, ...]:
    path = f"/settlement-reports/{report['id']}/instructions/{told['instruction_id']}"
    periods = session.get(path)["detail"]["periods"]
    line = next((each for each in lines if _is_paid_by(each, told["instruction_id"])), None)
    start = datetime.fromisoformat(told["starts"]).astimezone(ZONE)
    return (
        report["fsp_name"].split()[0],
        f"{told['competition_reference'][-3:]} {told['window_name']}",
        f"{start:%d %b %H:%M}",
        told["state"],
        _short(told["requested_mwh"]),
        _energy(periods, "baseline_mw"),
        _energy(periods, "metered_mw"),
        _short(told["delivered_mwh"]),
        _short(told["ratio"]),
        _short(told["factor"]),
        told["utilisation_price"] or "",
        _amount(line),
    )


def _is_paid_by(line: dict[str, Any], instruction_id: str) -> bool:
    return bool(line["component"] == "utilisation" and line["instruction_id"] == instruction_id)


def _amount(line: dict[str, Any] | None) -> str:
    """What a line came to, or why it came to nothing; what was never acknowledged has no line."""
    if line is None:
        return "nothing"
    return str(line["reason"]) if line["amount"] is None else f"{Decimal(line['amount']):.2f}"


def _short(figure: str | None) -> str:
    return "" if figure is None else f"{Decimal(figure):.3f}"


def _energy(periods: list[dict[str, Any]], name: str) -> str:
    """MWh over an instruction's half-hours; blank where any is unknown."""
    known = [each[name] for each in periods]
    if not known or any(each is None for each in known):
        return ""
    return f"{sum((Decimal(each) for each in known), Decimal(0)) * _HALF_HOUR:.3f}"
