"""Builds settlement reports: lines, heads and what explains them, each valid as it is, kept in the test's market."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib.kernel.call import Call
from chalicelib.registry import store as store_registry
from chalicelib.registry.models import Operator, OperatorSettings
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store_reports, store_runs
from chalicelib.settlement.models import MarketRules
from chalicelib.settlement.models_runs import InstructionDetail, Report, ReportDetail, ReportLine, Run
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.registry import an_organisation
from tests.builders.settlement import local, rules

SO, FSP, MONTH = "org_so1", "org_fsp1", "2026-04"
DAY = date(2026, 4, 15)
MADE_AT = "2026-05-08T06:00:00Z"
PUBLISHED_AT = "2026-05-08T09:00:00Z"
"""A Friday; ten working days on, past the bank holiday of 25 May, is Friday the 22nd."""


def a_report_line(ordinal: int = 0, amount: str | None = "10.00", **but: Any) -> ReportLine:
    """The utilisation line of one instruction; its number is the ordinal's."""
    report_id = but.get("report_id", "rpt_1")
    fields = {
        "id": reports.line_id_of(report_id, ordinal),
        "obligation_id": "obl_1",
        "instruction_id": f"ins_{ordinal}",
        "month": MONTH,
        "component": "utilisation",
        "amount": None if amount is None else Decimal(amount),
        "reason": "MISSING_READINGS" if amount is None else None,
        "rules_version": 1,
        "fingerprint": "a",
        "report_id": report_id,
        "run_id": "run_1",
        "ordinal": ordinal,
        "so": SO,
        "fsp": FSP,
        "competition_reference": "CMZ-1",
        "window_name": "Evenings",
    }
    return ReportLine.model_validate({**fields, **but})


def an_instruction_detail(instruction_id: str = "ins_0", **but: Any) -> InstructionDetail:
    fields = {
        "instruction_id": instruction_id,
        "obligation_id": "obl_1",
        "competition_reference": "CMZ-1",
        "window_name": "Evenings",
        "direction": "deficit",
        "state": "delivered",
        "starts": local(DAY, "17:00"),
        "ends": local(DAY, "19:00"),
        "instructed_mw": "1",
        "acknowledged_mw": "1",
        "utilisation_price": "100",
        "paid_volume": "instructed",
        "performance": "linear_cap",
        "rules_name": "test",
        "rules_version": 1,
        "requested_mwh": "2",
        "delivered_mwh": "2",
        "counted_mwh": "2",
        "ratio": "1",
        "factor": "1",
    }
    return InstructionDetail.model_validate({**fields, **but})


def a_detail(applied: MarketRules | None = None, **but: Any) -> ReportDetail:
    fields = {"instructions": (an_instruction_detail(),), "rules": (applied or rules(),)}
    return ReportDetail.model_validate({**fields, **but})


def a_draft(lines: Sequence[ReportLine], number: int = 1, detail: ReportDetail | None = None, **but: Any) -> Report:
    """A draft of `lines` from run `number`, its lines and detail kept: ids are written anew for this report."""
    report_id = but.pop("id", None) or reports.report_id_of(f"run_{number}", but.get("fsp", FSP))
    owner = {name: but.get(name, default) for name, default in (("so", SO), ("fsp", FSP))}
    own = [
        line.but(
            id=reports.line_id_of(report_id, place),
            report_id=report_id,
            run_id=f"run_{number}",
            ordinal=place,
            **owner,
        )
        for place, line in enumerate(lines)
    ]
    fields = {
        "id": report_id,
        "run_id": f"run_{number}",
        **owner,
        "first": date(2026, 4, 1),
        "last": date(2026, 4, 30),
        "month": MONTH,
        "number": number,
        "made_at": MADE_AT,
        "lines": len(own),
        "unsettled": sum(line.amount is None for line in own),
        "total": sum((line.amount or Decimal(0) for line in own), Decimal(0)),
        "lines_key": reports.keep_lines(own),
        "detail_key": reports.keep_detail(detail or a_detail()),
    }
    return Report.model_validate({**fields, **but})


def keep(report: Report) -> Report:
    """The report written as a run writes it."""
    commit(a_call(SO, "so"), [store_reports.save_report(report)])
    return report


def a_run(number: int = 1, **but: Any) -> Run:
    """A finished run of April 2026, all obligations, of the builders' operator and provider."""
    fields = {
        "id": f"run_{number}",
        "so": SO,
        "first": date(2026, 4, 1),
        "last": date(2026, 4, 30),
        "number": number,
        "asked_by": "per_1",
        "asked_at": MADE_AT,
        "state": "done",
        "fsps": (FSP,),
    }
    return Run.model_validate({**fields, **but})


def given_sides(*fsps: str, **settings: Any) -> None:
    """The operator and its providers, by name."""
    names = {SO: "Northern Network", **{fsp: f"Flex of {fsp}" for fsp in (fsps or (FSP,))}}
    kinds = {SO: "so"}
    writes = [
        store_registry.create_organisation(an_organisation(id=each, kind=kinds.get(each, "fsp"), name=name))
        for each, name in names.items()
    ]
    operator = Operator(organisation=SO, settings=OperatorSettings(**settings))
    commit(a_call(SO, "so"), [*writes, store_registry.create_operator(operator)])


def made(lines: Sequence[ReportLine], number: int = 1, **but: Any) -> Report:
    """A draft as run `number` made it, with its run."""
    run = a_run(number, fsps=(but.get("fsp", FSP),))
    commit(a_call(SO, "so"), [store_runs.save_run(run)])
    return keep(a_draft(lines, number, **but))


def so_call(now: str = PUBLISHED_AT) -> Call:
    return a_call(SO, "so", now=now, actor="per_so")


def fsp_call(now: str = PUBLISHED_AT, fsp: str = FSP) -> Call:
    return a_call(fsp, "fsp", now=now)
