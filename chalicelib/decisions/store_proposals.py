"""Owns the rows of proposals: one head each, numbered within its competition; what they hold is kept sealed beside."""

from __future__ import annotations

from chalicelib.decisions.models_proposals import Proposal
from chalicelib.kernel.errors import Stale
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, RowPage, get, query, query_all, table_name
from chalicelib.storage.writes import Write, create, replace

TAKEN = "proposal.number"
_PREFIX = "proposal#"


class _ProposalRow(Row):
    class Meta(RowMeta):
        table_name = table_name("decisions")

    body = BodyAttribute(Proposal)


def find_proposal(competition_id: str, number: int) -> Proposal | None:
    row = get(_ProposalRow, competition_id, _key(number))
    return row.body if row else None


def find_last(competition_id: str) -> Proposal | None:
    """The proposal of the highest number, strongly consistent; None where there is none."""
    found = query(_ProposalRow, competition_id, _PREFIX, limit=1, newest_first=True).items
    return found[0].body if found else None


def find_plain(competition_id: str) -> Proposal | None:
    """The latest proposal that was made without an option."""
    rows = query_all(_ProposalRow, competition_id, _PREFIX, newest_first=True)
    made = (row.body for row in rows if row.body.state == "made" and row.body.options.is_plain)
    return next(made, None)


def list_proposals(competition_id: str, limit: int, cursor: str | None) -> RowPage[_ProposalRow]:
    """Proposals, newest first."""
    return query(_ProposalRow, competition_id, _PREFIX, limit=limit, cursor=cursor, newest_first=True)


def save_proposal(proposal: Proposal) -> Write:
    """A proposal under a number that is free, or its next state."""
    row = _ProposalRow(pk=proposal.competition_id, sk=_key(proposal.number), version=proposal.version, body=proposal)
    if proposal.version == 1:
        return create(row, Stale(TAKEN, "Another proposal was asked for meanwhile. Ask again."))
    return replace(row, Stale("proposal.made", "This proposal was made meanwhile."))


def _key(number: int) -> str:
    return f"{_PREFIX}{number:06d}"
