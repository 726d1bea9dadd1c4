"""Owns the rows of decisions: one sheet per competition, one row per decided bid."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.decisions.models import Decision, DecisionSheet
from chalicelib.kernel.errors import Refused
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, get, query_all, table_name
from chalicelib.storage.writes import Write, create, remove, replace


class _SheetRow(Row):
    class Meta(RowMeta):
        table_name = table_name("decisions")

    body = BodyAttribute(DecisionSheet)


class _DecisionRow(Row):
    class Meta(RowMeta):
        table_name = table_name("decisions")

    body = BodyAttribute(Decision)


def find_sheet(competition_id: str) -> DecisionSheet | None:
    row = get(_SheetRow, competition_id, "sheet")
    return row.body if row else None


def load_decisions(competition_id: str) -> dict[str, Decision]:
    """Every decision of a competition by bid id, strongly consistent."""
    return {row.body.bid_id: row.body for row in query_all(_DecisionRow, competition_id, "bid#")}


def saved_sheet(sheet: DecisionSheet) -> Write:
    """The sheet at its new version; made when it is the first."""
    row = _SheetRow(pk=sheet.competition_id, sk="sheet", version=sheet.version, body=sheet)
    raced = Refused("decision.raced", "Somebody else decides bids of this competition right now. Try again.")
    return create(row, raced) if sheet.version == 1 else replace(row, raced)


def saved_decision(decision: Decision) -> Write:
    row = _DecisionRow(pk=decision.competition_id, sk=f"bid#{decision.bid_id}", version=decision.version, body=decision)
    return create(row) if decision.version == 1 else replace(row)


def removed_decisions(decisions: Iterable[Decision]) -> list[Write]:
    """Bids go back to undecided; what was decided before stays in the audit trail."""
    return [remove(_DecisionRow, decision.competition_id, f"bid#{decision.bid_id}") for decision in decisions]
