"""Builds what proposals are made from: opened ballots, options, and competitions to weigh them in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from chalicelib.bidding.models import OpenedBallot
from chalicelib.competitions.models import Competition
from chalicelib.decisions.models_proposals import ProposalRequest, Weighed
from chalicelib.decisions.weighing import weighed
from tests.builders.bidding import CLOSES, a_competition
from tests.builders.decisions import an_opened_bid


def options(**asked: Any) -> ProposalRequest:
    return ProposalRequest.model_validate(asked)


def an_opened_ballot(number: int, *bids: Mapping[str, Any], fsp: str = "org_fsp1", **changes: Any) -> OpenedBallot:
    """A ballot with one asset of its own, of these bids or of one: 2 MW at 100 per MWh, all-or-nothing."""
    ballot_id = f"bal_{number}"
    opened = [
        an_opened_bid(
            f"bid_{number}-001-{row:04d}",
            ballot_id=ballot_id,
            fsp=fsp,
            competition_id="cmp_1",
            submitted_at=CLOSES - timedelta(hours=number),
            **bid,
        )
        for row, bid in enumerate(bids or ({},), start=1)
    ]
    plain = {
        "ballot_id": ballot_id,
        "version": 1,
        "ref": f"B{number}",
        "fsp": fsp,
        "competition_id": "cmp_1",
        "contracting_entity": None,
        "submitted_at": CLOSES - timedelta(hours=number),
        "asset_ids": (f"ast_{number}",),
        "bids": tuple(opened),
    }
    return OpenedBallot.model_validate(plain | changes)


def weigh(
    *ballots: OpenedBallot, competition: Competition | None = None, asked: ProposalRequest | None = None
) -> Weighed:
    """These ballots weighed in a competition that wants 5 MW; each ballot's assets deliver 10 MW."""
    deliverable = {ballot.ballot_id: Decimal(10) for ballot in ballots}
    return weighed(competition or a_competition(), ballots, deliverable, asked or ProposalRequest())
