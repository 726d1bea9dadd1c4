"""Fills the bids file: every bid of closed competitions with what was decided so far."""

from __future__ import annotations

from typing import Any

from chalicelib.decisions.actions import load_deciding
from chalicelib.decisions.reads import closed_competitions, decided_bids
from chalicelib.decisions.sheets import BIDS, TEMPLATE
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call

Rows = dict[str, list[dict[str, Any]]]


def export_bids(call: Call, filters: dict[str, Any]) -> tuple[Template, Rows]:
    """The bids of one competition (`competition_id`) or of every closed one of a round (`round_ref`)."""
    rows: list[dict[str, Any]] = []
    for competition_id in _asked(call, filters):
        deciding = load_deciding(call, competition_id)
        about = {
            "name": deciding.competition.name,
            "dps_record_reference": deciding.competition.dps_record_reference,
            "proposal": None,
        }
        views = decided_bids(deciding.competition, deciding.bids.values(), deciding.decisions)
        rows += [_row(view.model_dump()) | about for view in views]
    return TEMPLATE, {BIDS: rows}


def _asked(call: Call, filters: dict[str, Any]) -> list[str]:
    if "competition_id" in filters:
        return [str(filters["competition_id"])]
    return [competition.id for competition in closed_competitions(call, filters.get("round_ref"))]


def _row(view: dict[str, Any]) -> dict[str, Any]:
    undecided = view["decision"] == "undecided"
    return view | {"flags": ", ".join(view["flags"]), "decision": None if undecided else view["decision"]}
