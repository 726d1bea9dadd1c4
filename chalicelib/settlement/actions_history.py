"""Gathers what a baseline of assets stands on before any run: readings, event spans, outage days, rules in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Asset
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import actions_reads as dispatch
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import Span, days_between, days_span
from chalicelib.metering.actions_evidence import read_meters
from chalicelib.metering.reading import LOCAL
from chalicelib.registry import actions as registry
from chalicelib.registry.models import OperatorSettings
from chalicelib.settlement.actions_outages import outage_days_of
from chalicelib.settlement.packing import netted
from chalicelib.settlement.series import Grid, Series
from chalicelib.settlement.taking import series_of

DEFAULT_HOLIDAYS = OperatorSettings().holiday_region
_UNTOUCHED = frozenset({"declined", "expired", "cancelled"})
"""Instructions that nobody was to deliver: their days stay in history."""


@dataclass(frozen=True, slots=True)
class History:
    """Assets over some local days: readings, milliwatts, import positive, and the days that cannot tell, by asset."""

    grid: Grid
    readings: Mapping[str, Series]
    events: Mapping[str, Sequence[Span]]
    outages: Mapping[str, frozenset[date]]

    def event_days(self) -> frozenset[date]:
        """The local days on which any of the assets was instructed, by any operator."""
        return frozenset(
            day
            for spans in self.events.values()
            for start, end in spans
            for day in days_between(self.grid.day(start), self.grid.day(max(start, end - self.grid.step)))
        )

    def outage_days(self) -> frozenset[date]:
        """The local days on which any of them was declared less than available."""
        return frozenset().union(*self.outages.values())


def history_of(found: Sequence[Asset], first: date, last: date, minutes: int) -> History:
    """What is known of assets over local days, both inclusive, in periods of so many minutes."""
    grid = Grid(minutes, LOCAL)
    reads = read_meters([meter for asset in found for meter in asset.meter_ids], first, last)
    series = {read.meter_id: series_of(read, minutes) for read in reads}
    ids = [asset.id for asset in found]
    return History(
        grid,
        {asset.id: netted([series[meter] for meter in asset.meter_ids]) for asset in found},
        event_spans_of(ids, days_span(first, last, LOCAL)),
        outage_days_of(ids, first, last, LOCAL),
    )


def event_spans_of(asset_ids: Iterable[str], span: Span) -> dict[str, list[Span]]:
    """When any operator's instruction to each asset ran, within a span."""
    committed = assets.commitments_of(asset_ids)
    wanted = {each.obligation_id for commitments in committed.values() for each in commitments}
    known = {obligation_id: _instructed(obligation_id, span) for obligation_id in wanted}
    return {
        asset_id: [event for each in commitments for event in known[each.obligation_id]]
        for asset_id, commitments in committed.items()
    }


def own_obligation(call: Call, obligation_id: str) -> Obligation:
    """An obligation of the calling FSP's own; `NotFound` otherwise."""
    found = contracts.find_obligation(obligation_id)
    if found is None or found.fsp != call.organisation:
        raise NotFound("obligation.not_found", "There is no such obligation.")
    return found


def own_asset(call: Call, asset_id: str) -> Asset:
    """An asset of the caller's own; `NotFound` otherwise."""
    found = assets.load_assets([asset_id]).get(asset_id)
    if found is None or found.owner != call.organisation:
        raise NotFound("asset.not_found", "There is no such asset.")
    return found


def holidays_by(so: str | None) -> frozenset[date]:
    """The holidays that an operator's settlement goes by; those of the default region without one."""
    return holidays_of(registry.get_operator(so).holiday_region if so else DEFAULT_HOLIDAYS)


def _instructed(obligation_id: str, span: Span) -> list[Span]:
    found = dispatch.instructions_in(obligation_id, span)
    return [(each.start, each.effective_end) for each in found if each.state not in _UNTOUCHED]
