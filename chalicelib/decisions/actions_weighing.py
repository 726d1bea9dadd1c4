"""Reads what a selection goes by (opened ballots, what their assets deliver), and whether that still stands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from chalicelib.bidding import actions as bidding
from chalicelib.bidding.models import OpenedBallot
from chalicelib.decisions import store_proposals
from chalicelib.decisions.actions_recording import Deciding
from chalicelib.decisions.asking import stale_sentence
from chalicelib.decisions.models_proposals import ProposalRecord, ProposalRequest, Weighed
from chalicelib.decisions.records import read_record
from chalicelib.decisions.weighing import weighed
from chalicelib.kernel.call import Call
from chalicelib.kernel.quantities import ZERO
from chalicelib.qualification import actions as qualification


def weigh(call: Call, deciding: Deciding, options: ProposalRequest) -> Weighed:
    """What the selection is asked for a closed competition with these options, as things stand now."""
    ballots = bidding.opened_ballots(call, deciding.competition.id)
    return weighed(deciding.competition, ballots, _deliverable(deciding.competition.id, ballots), options)


def overtaken(call: Call, deciding: Deciding, record: ProposalRecord) -> str | None:
    """What changed since a proposal was made, in a sentence; None while it would be made from the same."""
    return stale_sentence(record.input.weighed, weigh(call, deciding, record.input.options))


def standing_plain(call: Call, deciding: Deciding) -> ProposalRecord | None:
    """The latest proposal without options, unless it has been overtaken; None where there is none."""
    proposal = store_proposals.find_plain(deciding.competition.id)
    record = read_record(call, proposal) if proposal else None
    return record if record is not None and overtaken(call, deciding, record) is None else None


def _deliverable(competition_id: str, ballots: Sequence[OpenedBallot]) -> dict[str, Decimal]:
    """By ballot, the MW that its assets are qualified for together."""
    qualified = {
        fsp: qualification.qualified_set(competition_id, fsp) for fsp in sorted({ballot.fsp for ballot in ballots})
    }
    return {
        ballot.ballot_id: sum((qualified[ballot.fsp][asset_id] for asset_id in ballot.asset_ids), ZERO)
        for ballot in ballots
    }
