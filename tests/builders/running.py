"""Builds what a run takes, in memory: obligations with availability, instructions to one meter each, a month read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.kernel.periods import days_between
from chalicelib.settlement.inputs import Inputs, Promise, Stretch, month_of
from chalicelib.settlement.models import Instruction, MarketRules
from chalicelib.settlement.models_runs import Run
from chalicelib.settlement.running import Account, accounts, settle
from chalicelib.settlement.series import Series
from tests.builders.settlement import a_member, an_instruction, evidence, flat_days, local, rules, utc

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)
RULES = rules()
LEVEL_KW = 5000


def a_run(**but: Any) -> Run:
    fields = {"id": "run_1", "so": "org_so1", "first": FIRST, "last": LAST, "asked_by": "per_1"}
    return Run.model_validate(fields | {"asked_at": utc("2026-07-08T09:00:00"), "state": "done"} | but)


def a_promise(id_: str = "obl_1", terms: MarketRules = RULES, **but: Any) -> Promise:
    fields = {
        "id": id_,
        "fsp": "org_fsp1",
        "competition_reference": "NORTH-1",
        "window_name": "Evening",
        "period_start": FIRST,
        "period_end": LAST,
        "capacity_mw": Decimal(1),
        "rules": dict.fromkeys(months(), terms),
    }
    return Promise(**{**fields, **but})


def months() -> list[str]:
    return sorted({month_of(day) for day in days_between(date(2024, 1, 1), date(2026, 12, 31))})


def a_stretch(day: date, start: str = "17:00", end: str = "19:00", mw: str = "1", **but: Any) -> Stretch:
    return Stretch(
        **{
            "day": day,
            "start": local(day, start),
            "end": local(day, end),
            "promised_mw": Decimal(mw),
            "available_mw": Decimal(mw),
            **but,
        }
    )


def evening(day: date, id_: str, mw: str = "1", point: str = "m1", **but: Any) -> Instruction:
    """17:00 to 19:00 of a local day, to one meter point, at 100 per MWh."""
    span = {"starts": local(day, "17:00"), "ends": local(day, "19:00")}
    return an_instruction(id_, mw, **{**span, "members": (a_member(point, mw),), **but})


def read_month(delivered: Mapping[date, int] | None = None, level: int = LEVEL_KW) -> dict[Any, int]:
    """Half-hours from April to June at a level, kW, less what was delivered from 17:00 to 19:00 of some days."""
    readings = flat_days(dict.fromkeys(days_between(date(2026, 4, 1), LAST), level))
    for day, kw in (delivered or {}).items():
        for place in range(4):
            readings[local(day, "17:00") + timedelta(minutes=30 * place)] -= kw * 10**6
    return readings


def inputs(
    promises: Sequence[Promise],
    instructions: Sequence[Instruction],
    readings: Mapping[str, Series],
    terms: MarketRules = RULES,
    **but: Any,
) -> Inputs:
    """All instructions are settled by the same rules, unless `rules` tells otherwise."""
    known = evidence(readings, **{name: but.pop(name) for name in ("grid", "events", "statements") if name in but})
    fields = {
        "first": FIRST,
        "last": LAST,
        "promises": promises,
        "instructions": instructions,
        "rules": {each.id: terms for each in instructions},
        "known": known,
    }
    return Inputs(**{**fields, **but})


def account(*clusters: Inputs, fsp: str = "org_fsp1", run: Run | None = None) -> Account:
    """The account of a provider, of clusters settled."""
    [found] = [each for each in accounts(run or a_run(), map(settle, clusters)) if each.fsp == fsp]
    return found


def told(found: Account) -> bytes:
    """An account as it is kept, to the byte."""
    lines = "".join(line.model_dump_json() for line in found.lines)
    return (lines + found.detail.model_dump_json()).encode()


def amounts(found: Account) -> dict[str, Decimal | None]:
    return {line.component: line.amount for line in found.lines}
