"""Fills the month's workbook of meter data: the meters and days that its settlement will ask for, to be filled in.

It names the days of every instruction, and those that the rules in force look back on, with unit, sign and clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import Field

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import ObligatedAsset, Obligation
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Value
from chalicelib.kernel.periods import Span, days_between, days_span, local_day
from chalicelib.metering.reading import LOCAL
from chalicelib.metering.sheets import READINGS, TEMPLATE
from chalicelib.settlement.actions_history import event_spans_of, holidays_by, own_obligation
from chalicelib.settlement.actions_outages import outage_days_of
from chalicelib.settlement.actions_rules import rules_of_obligation
from chalicelib.settlement.history_days import days_needed
from chalicelib.settlement.models import Level

_LONGEST_LOOK_BACK = timedelta(days=367)
_NEVER = ("awarded",)
Row = dict[str, Any]
Days = Mapping[str, frozenset[date]]


class MeterDataFilters(Value):
    """Which month, `2026-04`, and of which obligation; of all the caller's where none is named."""

    month: str = Field(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")
    obligation_id: str | None = Field(default=None, max_length=80)


def export_meter_data(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Iterator[Row]]]:
    """A row for each meter and day that the month's instructions will be settled from; figures are left blank.

    ValidationError when the filters are not `MeterDataFilters`.
    """
    wanted = MeterDataFilters.model_validate(filters)
    first = date.fromisoformat(f"{wanted.month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return TEMPLATE, {READINGS: _rows(_days_by_meter(_obligations(call, wanted, first, last), first, last))}


def _obligations(call: Call, wanted: MeterDataFilters, first: date, last: date) -> Iterator[Obligation]:
    """A month's obligations: a window that begins on the last day may run into the next month."""
    if wanted.obligation_id is not None:
        yield own_obligation(call, wanted.obligation_id)
        return
    for each in contracts.list_all_obligations("fsp", call.organisation):
        if each.state not in _NEVER and each.period_start <= last and each.period_end >= first - timedelta(days=1):
            yield each


def _days_by_meter(obligations: Iterator[Obligation], first: date, last: date) -> dict[tuple[str, str], set[date]]:
    """The days wanted of each meter and direction."""
    found: dict[tuple[str, str], set[date]] = {}
    for obligation in obligations:
        for asset, days in _days_by_asset(obligation, first, last):
            for meter, positive in _meters(asset):
                found.setdefault((meter, positive), set()).update(days)
    return found


def _days_by_asset(obligation: Obligation, first: date, last: date) -> Iterator[tuple[ObligatedAsset, frozenset[date]]]:
    behind = list(contracts.list_assets(obligation.id))
    ids = [each.asset_id for each in behind]
    look = days_span(first - _LONGEST_LOOK_BACK, last, LOCAL)
    spans = event_spans_of(ids, look)
    asked = sorted(_days_in(_own_events(spans, first, last)))
    if not asked:
        return
    events = {asset_id: frozenset(_days_in(each)) for asset_id, each in spans.items()}
    outages = outage_days_of(ids, first - _LONGEST_LOOK_BACK, last, LOCAL)
    needed = _Needed(obligation, asked, events, outages)
    for asset in behind:
        yield asset, needed.of(asset.asset_id)


def _own_events(spans: Mapping[str, Sequence[Span]], first: date, last: date) -> list[Span]:
    """Every instruction to any of the assets within the month, whoever's: meters shared are settled together."""
    start, end = days_span(first, last, LOCAL)
    return sorted({span for each in spans.values() for span in each if span[0] < end and span[1] > start})


def _days_in(spans: Sequence[Span]) -> Iterator[date]:
    for start, end in spans:
        yield from days_between(local_day(start, LOCAL), local_day(max(start, end - timedelta(microseconds=1)), LOCAL))


class _Needed:
    """The days for an obligation's assets: of each by itself or, settled as a group, of all of them together."""

    def __init__(self, obligation: Obligation, asked: Sequence[date], events: Days, outages: Days) -> None:
        self._rules = {day: rules_of_obligation(obligation, day) for day in asked}
        self._holidays = holidays_by(obligation.so)
        self._events, self._outages = events, outages
        together = frozenset().union(*events.values()), frozenset().union(*outages.values())
        self._of_group = self._days("group", *together)

    def of(self, asset_id: str) -> frozenset[date]:
        return self._of_group | self._days("meter", self._events[asset_id], self._outages[asset_id])

    def _days(self, level: Level, events: frozenset[date], outages: frozenset[date]) -> frozenset[date]:
        return frozenset(
            needed
            for day, rules in self._rules.items()
            if rules.level == level
            for needed in days_needed(rules.baseline, day, self._holidays, events, outages)
        )


def _meters(asset: ObligatedAsset) -> list[tuple[str, str]]:
    both = [(asset.import_meter_id, "import"), (asset.export_meter_id, "export")]
    if asset.import_meter_id == asset.export_meter_id:
        both = both[:1]
    return [(meter, positive) for meter, positive in both if meter]


def _rows(wanted: Mapping[tuple[str, str], set[date]]) -> Iterator[Row]:
    for (meter, positive), days in sorted(wanted.items()):
        for day in sorted(days):
            yield {"meter_id": meter, "day": day, "unit": "kWh", "positive": positive, "clock": "local"}
