"""Fills the bids file: every bid of closed competitions with what was decided so far."""

from __future__ import annotations

from typing import Any

from chalicelib.competitions import actions as competitions
from chalicelib.decisions import telling
from chalicelib.decisions.actions_recording import Deciding, load_deciding
from chalicelib.decisions.actions_weighing import standing_plain
from chalicelib.decisions.reads import closed_competitions, decided_bids, get_results
from chalicelib.decisions.sheets import BIDS, RESULTS, RESULTS_TEMPLATE, TEMPLATE, WINDOWS
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call

Rows = dict[str, list[dict[str, Any]]]
_NOT_PROPOSED: dict[str, str | None] = {"proposal": None, "proposal_text": None}


def export_bids(call: Call, filters: dict[str, Any]) -> tuple[Template, Rows]:
    """The bids of one competition (`competition_id`) or of every closed one of a round (`round_ref`)."""
    rows: list[dict[str, Any]] = []
    for competition_id in _asked(call, filters):
        deciding = load_deciding(call, competition_id)
        about = {
            "name": deciding.competition.name,
            "dps_record_reference": deciding.competition.dps_record_reference,
        }
        proposed = _proposed(call, deciding)
        views = decided_bids(deciding.competition, deciding.bids.values(), deciding.decisions)
        rows += [_row(view.model_dump()) | about | proposed.get(view.bid_id, _NOT_PROPOSED) for view in views]
    return TEMPLATE, {BIDS: rows}


def export_results(call: Call, filters: dict[str, Any]) -> tuple[Template, Rows]:
    """The confirmed results of one competition (`competition_id`): the bids the caller may see, and the aggregates."""
    found = get_results(call, str(filters.get("competition_id", "")))
    competition = competitions.get_competition(found.competition_id)
    about = {"name": competition.name, "dps_record_reference": competition.dps_record_reference}
    bids = [bid.model_dump() | about | {"flags": ", ".join(bid.flags)} for bid in found.bids]
    reference = {"competition_reference": found.competition_reference}
    return RESULTS_TEMPLATE, {RESULTS: bids, WINDOWS: [window.model_dump() | reference for window in found.windows]}


def _asked(call: Call, filters: dict[str, Any]) -> list[str]:
    if "competition_id" in filters:
        return [str(filters["competition_id"])]
    return [competition.id for competition in closed_competitions(call, filters.get("round_ref"))]


def _proposed(call: Call, deciding: Deciding) -> dict[str, dict[str, str | None]]:
    """By bid, what the latest proposal without options says of it; nothing where that has been overtaken."""
    record = standing_plain(call, deciding)
    if record is None:
        return {}
    return {
        bid.bid_id: {"proposal": telling.in_a_cell(bid), "proposal_text": bid.text}
        for bid in telling.bids_of(deciding.competition, record)
    }


def _row(view: dict[str, Any]) -> dict[str, Any]:
    """A bid as a row to decide on; Accepted MW is filled for parts alone, so that a changed mind needs one cell."""
    undecided, part = view["decision"] == "undecided", view["accepted_mw"] not in (None, 0, view["capacity_mw"])
    said = {"decision": None if undecided else view["decision"], "accepted_mw": view["accepted_mw"] if part else None}
    return view | {"flags": ", ".join(view["flags"])} | said
