"""Tells providers, once of each, that a month's meter data is due soon and that it is missing, while meters lack it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from chalicelib.contracts import actions_operations as contracts
from chalicelib.dispatch import actions as dispatch
from chalicelib.dispatch.models import Instruction
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import Span, days_span, local_day, zone_of
from chalicelib.metering import actions as metering
from chalicelib.registry import actions as registry
from chalicelib.settlement import store, store_deadlines
from chalicelib.settlement.deadlines import Notice, due_on, meters_without, month_before, notice_on
from chalicelib.settlement.events import MeterDataDue
from chalicelib.settlement.models import SETTLED
from chalicelib.settlement.rules import standing_rules
from chalicelib.storage.commit import commit


def tell_of_meter_data(call: Call, so: str) -> None:
    """One round for an operator: its providers that were instructed in the month before, each told once of each.

    A provider of whose meters none is without readings is told nothing, then or later in the same notice.
    """
    settings = registry.get_operator(so)
    zone, holidays = zone_of(settings.time_zone), holidays_of(settings.holiday_region)
    today = local_day(call.now, zone)
    first, last = month_before(today)
    rules = standing_rules(store.list_rules(so), settings.default_market_rules, today)
    due = due_on(last, rules.meter_data_working_days, holidays)
    notice = notice_on(today, due, holidays)
    if notice is None:
        return
    month = f"{first:%Y-%m}"
    told = store_deadlines.list_told(so, month, notice)
    for fsp, instructions in _instructed(call, so, days_span(first, last, zone)).items():
        if fsp not in told:
            missing = len(_without(instructions, (first, last)))
            event = MeterDataDue(so=so, fsp=fsp, month=month, kind=notice, due=str(due), missing=missing)
            _tell(call, event, notice)


def _instructed(call: Call, so: str, span: Span) -> dict[str, list[Instruction]]:
    """An operator's instructions of a span that are settled by readings, by provider."""
    found: dict[str, list[Instruction]] = {}
    for stored in dispatch.instructions_of("so", so, span):
        instruction = dispatch.caught_up(stored, call.now)
        if instruction.state in SETTLED and not instruction.test:
            found.setdefault(instruction.fsp, []).append(instruction)
    return dict(sorted(found.items()))


def _without(instructions: Sequence[Instruction], days: tuple[date, date]) -> set[str]:
    wanted = _wanted(instructions)
    return meters_without(wanted, metering.readings_between(wanted, *days))


def _wanted(instructions: Sequence[Instruction]) -> Mapping[str, list[Span]]:
    """The spans that readings of each meter are wanted for."""
    spans: dict[str, list[Span]] = {}
    for instruction in instructions:
        spans.setdefault(instruction.obligation_id, []).append((instruction.start, instruction.effective_end))
    wanted: dict[str, list[Span]] = {}
    for obligation_id, of_obligation in spans.items():
        for asset in contracts.list_assets(obligation_id):
            for meter in (asset.import_meter_id, asset.export_meter_id):
                if meter:
                    wanted.setdefault(meter, []).extend(of_obligation)
    return wanted


def _tell(call: Call, event: MeterDataDue, notice: Notice) -> None:
    claim = store_deadlines.told(event.so, event.fsp, event.month, notice)
    try:
        commit(call, [claim], [event] if event.missing else [])
    except Refused:
        # Two rounds at once: what the other said is the same.
        if event.fsp not in store_deadlines.list_told(event.so, event.month, notice):
            raise
