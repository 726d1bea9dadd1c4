"""Fills the availability workbook with the caller's coming periods: the sheet that can be uploaded again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch.actions_availability import availability_of, side
from chalicelib.dispatch.sheets import AVAILABILITY, TEMPLATE
from chalicelib.files.columns import Template
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call

_AHEAD = timedelta(days=31)


def export_availability(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Iterator[dict[str, Any]]]]:
    """Every stretch of availability of the next 31 days; `obligation_id` narrows to one obligation."""
    wanted = filters.get("obligation_id")
    found = (
        each
        for each in contracts.list_all_obligations(side(call), call.organisation)
        if each.state in contracts.IN_FORCE and wanted in (None, each.id)
    )
    return TEMPLATE, {AVAILABILITY: (row for each in found for row in _rows(call, each))}


def _rows(call: Call, obligation: Obligation) -> Iterator[dict[str, Any]]:
    zone = periods.zone_of(obligation.time_zone)
    for period in availability_of(obligation, (call.now, call.now + _AHEAD), call.now):
        for segment in period.segments:
            yield {
                "obligation_id": obligation.id,
                "starts": periods.local_of(segment.start, zone),
                "ends": periods.local_of(segment.end, zone),
                "available_mw": segment.available_mw,
                "promised_mw": period.promised_mw,
                "state": period.state,
                "competition_reference": obligation.competition_reference,
                "window_name": obligation.window_name,
            }
