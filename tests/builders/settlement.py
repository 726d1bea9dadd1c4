"""Builds what settlement takes: series of readings, instructions, rules and questions, each valid as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.kernel.periods import days_between, half_hours, instant_of
from chalicelib.settlement.baselines import Question
from chalicelib.settlement.measuring import Evidence
from chalicelib.settlement.models import Instruction, Line, MarketRules, Member
from chalicelib.settlement.series import Grid, Series

LONDON = ZoneInfo("Europe/London")
HALF_HOURLY = Grid(30, LONDON)
HOURLY_LIKE = Grid(60, ZoneInfo("UTC"))
EVENT_DAY = date(2026, 6, 17)
"""A Wednesday."""
KW = 10**6


def local(day: date, clock: str) -> datetime:
    """The instant of a clock time of London."""
    return instant_of(datetime.fromisoformat(f"{day}T{clock}"), LONDON)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def flat_days(levels: Mapping[date, int], hours: Mapping[int, int] | None = None) -> dict[datetime, int]:
    """Readings of whole days at a level in kW each; `hours` adds kW in some hours of the local clock."""
    return {
        moment: (level + (hours or {}).get(moment.astimezone(LONDON).hour, 0)) * KW
        for day, level in levels.items()
        for moment in half_hours(day, LONDON)
    }


def days_back(count: int, level: int = 100, before: date = EVENT_DAY) -> dict[date, int]:
    """Every calendar day of so many before the event day, at one level, kW."""
    first = before - timedelta(days=count)
    return dict.fromkeys(days_between(first, before - timedelta(days=1)), level)


def a_question(start: str = "17:00", end: str = "19:00", day: date = EVENT_DAY, **but: Any) -> Question:
    return Question(**{"span": (local(day, start), local(day, end)), "grid": HALF_HOURLY, **but})


def a_member(point: str = "m1", mw: str = "1", **but: Any) -> Member:
    return Member.model_validate({"point": point, "meters": (point,), "capacity_mw": mw, **but})


def an_instruction(id_: str = "ins_1", mw: str = "1", **but: Any) -> Instruction:
    """An instruction to turn demand down, 17:00 to 19:00 on the event day, delivered, at 100 per MWh."""
    fields = {
        "id": id_,
        "obligation_id": "obl_1",
        "so": "org_so1",
        "fsp": "org_fsp1",
        "direction": "deficit",
        "state": "delivered",
        "starts": local(EVENT_DAY, "17:00"),
        "ends": local(EVENT_DAY, "19:00"),
        "instructed_mw": mw,
        "acknowledged_mw": mw,
        "utilisation_price": "100",
        "members": (a_member(mw=mw),),
    }
    return Instruction.model_validate({**fields, **but})


def rules(**but: Any) -> MarketRules:
    return MarketRules.model_validate({"name": "test", "effective_from": date(2024, 1, 1), **but})


def evidence(readings: Mapping[str, Series], **but: Any) -> Evidence:
    return Evidence(**{"grid": HALF_HOURLY, "readings": readings, **but})


def a_line(amount: str | None = "10.00", **but: Any) -> Line:
    fields = {
        "id": "lin_1",
        "obligation_id": "obl_1",
        "instruction_id": "ins_1",
        "month": "2026-06",
        "component": "utilisation",
        "amount": None if amount is None else Decimal(amount),
        "rules_version": 1,
        "fingerprint": "a",
    }
    return Line.model_validate({**fields, **but})
