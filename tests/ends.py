"""Owns what everybody of the demo's market has in the end, without what differs from run to run (ids, instants)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from local.client import Session
from local.cloud import launch
from local.demo.line import Line
from local.demo.moments import local_clock
from tests.ends_told import audited, kept_mails, told_by_mail, told_by_webhook
from tests.receiver import Receiver

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Repeats:
    """What reached its receiver twice, or was taken twice, because a crash fell between the act and its mark."""

    mails: int
    webhooks: int
    drops: int

    @property
    def most(self) -> int:
        return max(self.mails, self.webhooks, self.drops)


def outcome(line: Line, cloud_port: int, receiver: Receiver) -> tuple[dict[str, Any], Repeats]:
    """All that the people of the market have in the end, everything counted; and what was repeated."""
    settled = line.market.settle()
    assert settled["dead"] == {}, "no message was set aside"
    repeated = {f"receipt:{each['id']}" for each in _receipts(line) if each["same_as"]}
    mails, mails_again = told_by_mail(line.market.mails())
    letters, kept = kept_mails(line)
    codes = len(line.providers)  # those that registered got one before they were an organisation, so nobody lists it
    assert len(line.market.mails()) - mails_again == kept + codes, "a mail for each that the market lists, and no other"
    found = {
        **_procured(line),
        **_settled(line),
        "receipts": dict(sorted(Counter(map(_receipt, _receipts(line))).items())),
        "meter data": _meter_days(cloud_port, _days_by_the_second(line)),
        "webhooks": told_by_webhook(receiver),
        "mails": mails,
        "letters": letters,
        "audit trail": audited(line, cloud_port, repeated),
    }
    return found, Repeats(mails_again, receiver.repeats(receiver.deliveries()), len(repeated))


def _procured(line: Line) -> dict[str, Any]:
    operator = line.operator.session
    providers = {name: member.session for name, member in line.providers.items()}
    return {
        "assets": {
            name: sorted(f"{asset['asset_ref']} v{asset['version']}" for asset in session.all("/assets"))
            for name, session in providers.items()
        },
        "own obligations": {
            name: {each["fsp"] for each in member.session.all("/obligations")} == {member.organisation}
            for name, member in line.providers.items()
        },
        "ballots": {
            f"{name}, {reference}": _lasting(session.all(f"/competitions/{competition['id']}/ballots"), _BALLOT)
            for name, session in providers.items()
            for reference, competition in sorted(line.competitions.items())
        },
        "bids and decisions": _of_each(line, "bids", _BID),
        "proposals": _of_each(line, "proposals", _PROPOSAL),
        "overviews": _lasting(line.overviews(), _OVERVIEW),
        "obligations": _lasting(operator.all("/obligations"), _OBLIGATION),
        "instructions": [_instruction(each) for each in sorted(operator.all("/instructions"), key=_place)],
    }


def _settled(line: Line) -> dict[str, Any]:
    operator = line.operator.session
    stopped = {each["id"] for each in operator.all("/instructions") if each["state"] == "stopped"}
    reports, invoices = list(operator.all("/settlement-reports")), list(operator.all("/invoices"))
    return {
        "reports": _lasting(reports, _REPORT),
        "lines": _lines(operator, reports, stopped),
        "invoices": _lasting(invoices, _INVOICE),
        "paid": sorted(f"{each['number']}: {each['gross'] == each['paid_amount']}" for each in invoices),
    }


def _of_each(line: Line, what: str, fields: set[str]) -> dict[str, list[str]]:
    """What the operator reads of each competition, by the competition's reference."""
    session = line.operator.session
    return {
        reference: _lasting(session.all(f"/competitions/{competition['id']}/{what}", limit=100), fields)
        for reference, competition in sorted(line.competitions.items())
    }


def _receipts(line: Line) -> Iterator[Told]:
    for session in (line.market_operator, line.operator.session, *(m.session for m in line.providers.values())):
        yield from session.all("/files")


def _receipt(receipt: Told) -> str:
    """A receipt by kind, name, state and counts. One of bytes that were sent before is counted with the repeats."""
    if receipt["same_as"]:
        return f"{receipt['kind']}: sent again" if receipt["state"] == "done" else f"{receipt['kind']}: {receipt}"
    return f"{receipt['kind']} {receipt['name']}: {receipt['state']}, {receipt['counts']}, {receipt['problem_count']}"


def _instruction(each: Told) -> str:
    """An instruction by its token, with every step it took and by whom."""
    steps = [(move["act"], move["state"], move["by"] in ("clock", "system")) for move in each["moves"]]
    return f"{each['client_token']} {_lasting([each], _INSTRUCTION)[0]} {steps}"


def _place(each: Told) -> tuple[str, ...]:
    return each["competition_reference"], each["fsp_name"], each["client_token"], each["requested_mw"]


def _days_by_the_second(line: Line) -> set[str]:
    """The meter-days on which an instruction was stopped by hand, as rows are named: they read as the second had it."""
    operator, found = line.operator.session, set()
    for each in operator.all("/instructions"):
        if each["state"] == "stopped":
            day = local_clock(each["start"])
            for asset in operator.all(f"/obligations/{each['obligation_id']}/assets"):
                meters = (asset["import_meter_id"], asset["export_meter_id"])
                found |= {f"{meter}#{day:%Y-%m} day#{day:%d}" for meter in meters}
    return found


def _meter_days(cloud_port: int, by_the_second: set[str]) -> dict[str, int]:
    """How many revisions of which meter-day there are, by what they read: its packed values, hashed."""
    where = launch.settings_for(f"http://127.0.0.1:{cloud_port}")
    tables = boto3.client(
        "dynamodb",
        endpoint_url=where["AWS_ENDPOINT_URL"],
        region_name=where["AWS_REGION"],
        aws_access_key_id=where["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=where["AWS_SECRET_ACCESS_KEY"],
    )
    pages = tables.get_paginator("scan").paginate(TableName="headroom-local-metering", ConsistentRead=True)
    rows = [row for page in pages for row in page["Items"] if row["sk"]["S"].startswith("day#")]
    return dict(sorted(Counter(_meter_day(row, by_the_second) for row in rows).items()))


def _meter_day(row: Told, by_the_second: set[str]) -> str:
    name = f"{row['pk']['S']} {row['sk']['S'].rpartition('#')[0]}"
    read = "by the second" if name in by_the_second else hashlib.sha256(row["p"]["B"]).hexdigest()[:16]
    return f"{name}: {read}"


def _lines(operator: Session, reports: list[Told], stopped: set[str]) -> list[str]:
    """Every line of every report. What an instruction comes to that was stopped by hand hangs on the second."""
    told = []
    for report in reports:
        lines = list(operator.all(f"/settlement-reports/{report['id']}/lines"))
        for line in lines:
            line["amount"] = "by the second" if line["instruction_id"] in stopped else line["amount"]
        told += [f"{report['fsp_name']} {report['state']} {line}" for line in _lasting(lines, _LINE)]
    return sorted(told)


def _lasting(items: Iterable[Told], fields: set[str]) -> list[str]:
    return sorted(repr({field: found for field, found in sorted(each.items()) if field in fields}) for each in items)


_BALLOT = {"ref", "version", "state", "asset_count", "bid_count", "competition_reference"}
_BID = {
    "accepted_mw",
    "availability_price",
    "capacity_mw",
    "comment",
    "competition_reference",
    "decision",
    "divisibility",
    "effective_price",
    "exclusive_group",
    "expected_cost",
    "flags",
    "fsp_name",
    "linked_group",
    "maximum_run_time",
    "minimum_acceptance_mw",
    "offered_mw",
    "reason",
    "reason_text",
    "service_fee",
    "service_period_name",
    "service_window_name",
    "split",
    "utilisation_price",
}
_PROPOSAL = {"number", "state", "is_plain", "note", "failure", "figures"}
_OVERVIEW = {"competition_reference", "state", "bidders", "bids", "undecided", "accepted", "rejected", "accepted_mw"}
_OBLIGATION = {
    "asset_count",
    "availability_price",
    "available_hours",
    "capacity_mw",
    "competition_reference",
    "fsp_name",
    "period_end",
    "period_start",
    "product_type",
    "service_fee",
    "state",
    "utilisation_price",
    "window_name",
}
_INSTRUCTION = {"acknowledged_mw", "competition_reference", "requested_mw", "source", "state", "test", "urgent"}
_REPORT = {"fsp_name", "month", "first", "last", "state", "lines", "unsettled", "currency"}
_LINE = {
    "amount",
    "competition_reference",
    "component",
    "corrects",
    "month",
    "reason",
    "starts",
    "state",
    "window_name",
}
_INVOICE = {"kind", "number", "carried", "months", "line_count", "state"}
