"""Fills the bid workbook with the windows open to an FSP, and the history workbook with every bid it ever made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from chalicelib.bidding.actions_opportunities import all_opportunities
from chalicelib.bidding.actions_reads import list_history
from chalicelib.bidding.models import BidHistoryView, HistoryQuery, OpportunityQuery, OpportunityView
from chalicelib.bidding.sheets import BIDS, HISTORY, HISTORY_TEMPLATE, TEMPLATE
from chalicelib.competitions import actions as competitions
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call
from chalicelib.kernel.periods import local_of, zone_of
from chalicelib.kernel.quantities import plain
from chalicelib.registry import actions as registry

Rows = Iterator[dict[str, Any]]
_SAME = (
    "competition_name",
    "start",
    "end",
    "available_hours",
    "dispatched_hours",
    "capacity_required",
    "capacity_limit",
    "minimum_bid_size",
    "minimum_run_time",
)


def export_bids(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Rows]]:
    """The windows the caller may bid in now, a row each. ValidationError unless `filters` are an `OpportunityQuery`."""
    found = all_opportunities(call, OpportunityQuery.model_validate(filters))
    names = _Operators()
    return TEMPLATE, {BIDS: (_open_row(window, names.of(window.so)) for window in found)}


def export_history(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Rows]]:
    """Every bid of the caller, newest first. ValidationError unless `filters` are a `HistoryQuery`."""
    return HISTORY_TEMPLATE, {HISTORY: _history_rows(call, HistoryQuery.model_validate({**filters, "limit": 500}))}


class _Operators:
    """Names of operators, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, so: str) -> str:
        if so not in self._known:
            self._known[so] = registry.get_organisation(so).name
        return self._known[so]


def _open_row(window: OpportunityView, operator: str) -> dict[str, Any]:
    return {name: getattr(window, name) for name in _SAME} | {
        "competition_ref": window.competition_reference,
        "operator": operator,
        "period_name": window.service_period_name,
        "window_name": window.service_window_name,
        "closes": local_of(window.closes, zone_of(window.time_zone)),
        "period_start": window.service_period_start,
        "period_end": window.service_period_end,
        "days": window.service_days,
        "prices_asked": [name.replace("_", " ") for name in window.prices_asked if name not in window.fixed_prices],
        "fixed_prices": "; ".join(f"{name.replace('_', ' ')} {plain(at)}" for name, at in window.fixed_prices.items()),
        "availability_ceiling": window.ceilings.get("availability_price"),
        "utilisation_ceiling": window.ceilings.get("utilisation_price"),
        "effective_ceiling": window.ceilings.get("effective_price"),
        "split": 1,
    }


def _history_rows(call: Call, query: HistoryQuery) -> Rows:
    names, windows = _Operators(), _Windows()
    while True:
        page = list_history(call, query)
        yield from (_history_row(bid, names.of(bid.so), windows.of(bid)) for bid in page.items)
        if page.next is None:
            return
        query = query.model_copy(update={"cursor": page.next})


class _Windows:
    """Names of service windows as (period, window), each competition read once."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, tuple[str, str]]] = {}

    def of(self, bid: BidHistoryView) -> tuple[str, str]:
        if bid.competition_id not in self._known:
            windows = competitions.get_competition(bid.competition_id).windows
            self._known[bid.competition_id] = {each.id: (each.period_name, each.name) for each in windows}
        return self._known[bid.competition_id][bid.window_id]


def _history_row(bid: BidHistoryView, operator: str, names: tuple[str, str]) -> dict[str, Any]:
    submitted = bid.submitted_at.astimezone(UTC).replace(tzinfo=None)
    about = {"operator": operator, "period_name": names[0], "window_name": names[1], "submitted_at": submitted}
    return bid.model_dump() | about
