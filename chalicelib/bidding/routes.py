"""Owns the doors of bidding: opportunities, ballots, the modeller and the history, for an FSP's bidding people."""

from __future__ import annotations

from chalicelib.bidding import actions
from chalicelib.bidding.models import (
    BallotLine,
    BallotReceipt,
    BallotRequest,
    BallotView,
    BidHistoryView,
    HistoryQuery,
    ModelRequest,
    ModelView,
    OpportunityQuery,
    OpportunityView,
    ReplacementRequest,
    WithdrawalView,
)
from chalicelib.edge.web import Page, PageQuery, Routes, fsp
from chalicelib.kernel.call import Call

routes = Routes(__name__)
BIDDERS = fsp("bidding")


@routes.get("/bidding-opportunities", query=OpportunityQuery, returns=Page[OpportunityView], who=BIDDERS)
def list_bidding_opportunities(call: Call, query: OpportunityQuery) -> Page[OpportunityView]:
    """The open windows you may bid in now: hours, capacity limit, prices asked and ceilings."""
    return actions.list_opportunities(call, query)


@routes.post(
    "/competitions/{competition_id}/ballots",
    body=BallotRequest,
    returns=BallotReceipt,
    status=201,
    who=BIDDERS,
    replay=actions.replay_receipt,
)
def submit_ballot(call: Call, competition_id: str, body: BallotRequest) -> BallotReceipt:
    """Submit a ballot: bids of one set of assets, taken or refused whole. It stays sealed until bidding closes."""
    return actions.submit_ballot(call, competition_id, body)


@routes.get("/competitions/{competition_id}/ballots", query=PageQuery, returns=Page[BallotLine], who=BIDDERS)
def list_own_ballots(call: Call, competition_id: str, query: PageQuery) -> Page[BallotLine]:
    """Your ballots in a competition, live and withdrawn."""
    return actions.list_ballots(call, competition_id, query)


@routes.get("/ballots/{ballot_id}", returns=BallotView, who=BIDDERS)
def get_ballot(call: Call, ballot_id: str) -> BallotView:
    """One of your ballots in its newest version, with its bids."""
    return actions.get_ballot(call, ballot_id)


@routes.put("/ballots/{ballot_id}", body=ReplacementRequest, returns=BallotReceipt, who=BIDDERS, if_match=True)
def replace_ballot(call: Call, ballot_id: str, body: ReplacementRequest, if_match: int) -> BallotReceipt:
    """Put a new version in place of a live ballot, whole; the old version is kept in the history."""
    return actions.replace_ballot(call, ballot_id, body, if_match)


@routes.post(
    "/ballots/{ballot_id}/withdrawal", returns=WithdrawalView, status=201, who=BIDDERS, replay=actions.replay_withdrawal
)
def withdraw_ballot(call: Call, ballot_id: str) -> WithdrawalView:
    """Take a live ballot back, before bidding closes."""
    return actions.withdraw_ballot(call, ballot_id)


@routes.post("/ballot-models", body=ModelRequest, returns=ModelView, who=BIDDERS)
def model_ballot(call: Call, body: ModelRequest) -> ModelView:
    """Effective price and expected revenue of a draft ballot, and what would refuse it. Nothing is stored."""
    return actions.model_ballot(call, body)


@routes.get("/bids", query=HistoryQuery, returns=Page[BidHistoryView], who=BIDDERS)
def list_bid_history(call: Call, query: HistoryQuery) -> Page[BidHistoryView]:
    """Every bid your organisation ever made, of every version, newest ballots first."""
    return actions.list_history(call, query)
