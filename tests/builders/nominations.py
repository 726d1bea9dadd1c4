"""Builds an FSP's asset behind an obligation whose rules settle as told, instructed or not, with readings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.assets import actions_reads
from chalicelib.contracts import store as contracts
from chalicelib.contracts.models import ObligatedAsset
from chalicelib.dispatch import store as dispatch
from chalicelib.dispatch.models import Day, Entry, Instruction
from chalicelib.kernel.call import Call
from chalicelib.kernel.meters import check_digit
from chalicelib.metering import actions as metering
from chalicelib.metering.models import MeterDay
from chalicelib.metering.reading import expected_periods
from chalicelib.settlement import store as settlement
from chalicelib.settlement.models import KeptRules
from chalicelib.storage.commit import commit
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.calls import a_call
from tests.builders.dispatch import an_obligation

FSP, SO = "org_fsp1", "org_so1"
DAY = date(2026, 6, 17)
"""A Wednesday."""
KW = 10**6


def meter_id(number: int = 1) -> str:
    core = f"{120_000_000_000 + number}"
    return core + str(check_digit(core))


def given_asset(number: int = 1, owner: str = FSP, **cells: Any) -> str:
    """An asset EV-<number> with an import meter of its own; its id."""
    row = asset_cells(f"EV-{number}", **{"import_meter_id": meter_id(number), **cells})
    [outcome] = import_assets([row], a_receipt(f"rcp_asset{number}", owner))
    assert outcome.outcome == "created", outcome.problems
    return actions_reads.find_by_refs(owner, [f"EV-{number}"])[f"EV-{number}"].id


def given_obligation(
    *asset_ids: str, id_: str = "obl_1", baseline: Any = None, so: str = SO, level: str = "group", **changes: Any
) -> str:
    """An obligation of June in force on assets, under rules of its own with a baseline; its id."""
    rules = {"name": id_, "effective_from": "2026-01-01", "so": so, "set_at": "2026-01-01T00:00:00Z", "set_by": "per_9"}
    if baseline is not None:
        commit(
            a_call(), [settlement.new_rules(KeptRules.model_validate({**rules, "baseline": baseline, "level": level}))]
        )
    named = {"id": id_, "bid_id": f"bid_{id_}", "so": so, "market_rules": id_, "asset_count": len(asset_ids)}
    obligation = an_obligation(**{**named, **changes})
    known = actions_reads.load_assets(asset_ids)
    behind = [
        ObligatedAsset(
            obligation_id=id_,
            asset_id=each,
            asset_ref=known[each].asset_ref,
            name=known[each].name,
            import_meter_id=known[each].import_meter_id,
            export_meter_id=known[each].export_meter_id,
            capacity_mw=Decimal(1),
        )
        for each in asset_ids
    ]
    span = (datetime.fromisoformat("2026-06-01T00:00:00Z"), datetime.fromisoformat("2026-07-01T00:00:00Z"))
    shares = dict.fromkeys(asset_ids, Decimal("0.005"))
    held = actions_reads.commitment_writes(id_, so, "cmp_1", *span, shares, ("win_1",))
    commit(a_call(), [*contracts.new_obligation(obligation), *contracts.obligated(behind), *held])
    return id_


def given_instruction(
    obligation_id: str, start: str, end: str, id_: str = "ins_1", state: str = "delivered", so: str = SO
) -> str:
    """An instruction over UTC instants; its id."""
    span = (datetime.fromisoformat(start), datetime.fromisoformat(end))
    instruction = Instruction.model_validate(
        {
            "id": id_,
            "obligation_id": obligation_id,
            "so": so,
            "fsp": FSP,
            "competition_id": "cmp_1",
            "competition_reference": "C-1",
            "client_token": id_,
            "start": span[0],
            "end": span[1],
            "requested_mw": "1",
            "state": state,
            "send_at": span[0],
            "issued_by": "per_9",
            "issued_at": span[0],
            "changed_at": span[0],
        }
    )
    entry = Entry(instruction_id=id_, start=span[0], end=span[1], mw=Decimal(1))
    day = span[0].date().isoformat()
    before = next((each for each in dispatch.list_days(obligation_id) if each.date == day), None)
    timeline = Day(obligation_id=obligation_id, date=day, entries=(entry,))
    if before is not None:
        timeline = before.but(entries=(*before.entries, entry))
    commit(a_call(), [dispatch.save_instruction(instruction, None), dispatch.save_day(timeline)])
    return id_


def given_readings(days: Sequence[date], kw: int = 10, number: int = 1, source: str = "rcp_readings") -> None:
    """Whole days of a meter at one level."""
    read = [
        MeterDay(meter_id=meter_id(number), day=day, minutes=30, values=(kw * KW,) * expected_periods(day, 30))
        for day in days
    ]
    metering.save_days(a_call(), source, read)


def days_before(day: date, count: int) -> list[date]:
    return [day - timedelta(days=back) for back in range(1, count + 1)]


def at(now: str, organisation: str = FSP, kind: Any = "fsp") -> Call:
    return a_call(organisation, kind, now=now)
