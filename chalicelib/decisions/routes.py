"""Endpoints of deciding: bids after close, decisions, confirmation, results."""

from __future__ import annotations

from chalicelib.decisions import actions, actions_proposals, reads, rounds
from chalicelib.decisions.models import (
    ConfirmationView,
    DecidedBidView,
    DecisionsRequest,
    OverviewQuery,
    OverviewView,
    ResultsView,
    RoundConfirmationView,
    RoundOverviewView,
)
from chalicelib.decisions.models_proposals import (
    DecidingRequest,
    ProposalLine,
    ProposalQuery,
    ProposalRequest,
    ProposalView,
    ProposedBidsQuery,
)
from chalicelib.edge.web import Page, PageQuery, Routes, either, fsp, so
from chalicelib.files.models import LinkView
from chalicelib.kernel.call import Call

routes = Routes(__name__)


@routes.get("/decisions", query=OverviewQuery, returns=Page[OverviewView], who=so("read"))
def list_overviews(call: Call, query: OverviewQuery) -> Page[OverviewView]:
    """Where deciding stands in each closed competition, those without bids too."""
    return reads.list_overviews(call, query)


@routes.get("/competitions/{competition_id}/bids", query=PageQuery, returns=Page[DecidedBidView], who=so("procurement"))
def list_bids_to_decide(call: Call, competition_id: str, query: PageQuery) -> Page[DecidedBidView]:
    """The bids of a closed competition with what was decided, cheapest first."""
    return reads.list_bids(call, competition_id, query)


@routes.get("/competitions/{competition_id}/decisions", returns=OverviewView, who=so("read"))
def get_decisions_overview(call: Call, competition_id: str) -> OverviewView:
    """Where deciding stands in a closed competition."""
    return actions.get_overview(call, competition_id)


@routes.post(
    "/competitions/{competition_id}/decisions",
    body=DecisionsRequest,
    returns=OverviewView,
    who=so("procurement"),
    replay=actions.get_overview,
)
def record_decisions(call: Call, competition_id: str, body: DecisionsRequest) -> OverviewView:
    """Decide bids, many at once: all are taken or none; changeable until results are confirmed."""
    return actions.record_decisions(call, competition_id, body)


@routes.post(
    "/competitions/{competition_id}/proposals",
    body=ProposalRequest,
    returns=ProposalLine,
    status=202,
    who=so("procurement"),
    replay=actions_proposals.replay_asked,
)
def ask_proposal(call: Call, competition_id: str, body: ProposalRequest) -> ProposalLine:
    """Ask which bids cost least, plainly or with what-if options; it is made in a moment and decides nothing."""
    return actions_proposals.ask_proposal(call, competition_id, body)


@routes.get(
    "/competitions/{competition_id}/proposals",
    query=ProposalQuery,
    returns=Page[ProposalLine],
    who=so("procurement", "confirm"),
)
def list_proposals(call: Call, competition_id: str, query: ProposalQuery) -> Page[ProposalLine]:
    """The proposals for a closed competition with their figures, newest first."""
    return actions_proposals.list_proposals(call, competition_id, query)


@routes.get(
    "/competitions/{competition_id}/proposals/{number}",
    query=ProposedBidsQuery,
    returns=ProposalView,
    who=so("procurement", "confirm"),
)
def get_proposal(call: Call, competition_id: str, number: str, query: ProposedBidsQuery) -> ProposalView:
    """A proposal: windows, each bid's proposed decision with its reason, beside the merit order and the plain one."""
    return actions_proposals.get_proposal(call, competition_id, number, query)


@routes.get(
    "/competitions/{competition_id}/proposals/{number}/record",
    returns=LinkView,
    who=so("procurement", "confirm"),
)
def get_proposal_record(call: Call, competition_id: str, number: str) -> LinkView:
    """A short link to what a proposal was made from and came to, so that anybody can make it again."""
    return actions_proposals.get_record(call, competition_id, number)


@routes.post(
    "/competitions/{competition_id}/proposals/{number}/decisions",
    body=DecidingRequest,
    returns=OverviewView,
    who=so("procurement"),
    replay=actions.get_overview,
)
def decide_from_proposal(call: Call, competition_id: str, number: str, body: DecidingRequest) -> OverviewView:
    """Decide bids as a proposal proposes; changeable until results are confirmed, as any decision."""
    return actions_proposals.decide_from_proposal(call, competition_id, number, body)


@routes.post(
    "/competitions/{competition_id}/confirmation",
    returns=ConfirmationView,
    status=201,
    who=so("confirm"),
    replay=actions.get_confirmation,
)
def confirm_results(call: Call, competition_id: str) -> ConfirmationView:
    """Make the decisions final, once and for all."""
    return actions.confirm_results(call, competition_id)


@routes.get("/competitions/{competition_id}/confirmation", returns=ConfirmationView, who=so("read"))
def get_confirmation(call: Call, competition_id: str) -> ConfirmationView:
    """When and by whom results were confirmed."""
    return actions.get_confirmation(call, competition_id)


@routes.get("/rounds/{round_ref}/decisions", returns=RoundOverviewView, who=so("read"))
def get_round_overview(call: Call, round_ref: str) -> RoundOverviewView:
    """Where deciding stands in every closed competition of a round."""
    return rounds.get_round_overview(call, round_ref)


@routes.post(
    "/rounds/{round_ref}/decisions",
    body=DecisionsRequest,
    returns=RoundOverviewView,
    who=so("procurement"),
    replay=rounds.get_round_overview,
)
def record_round_decisions(call: Call, round_ref: str, body: DecisionsRequest) -> RoundOverviewView:
    """Decide bids of any competition of a round, many at once: all are taken or none."""
    return rounds.record_round_decisions(call, round_ref, body)


@routes.post(
    "/rounds/{round_ref}/confirmation",
    returns=RoundConfirmationView,
    who=so("confirm"),
    replay=rounds.get_round_confirmation,
)
def confirm_round(call: Call, round_ref: str) -> RoundConfirmationView:
    """Confirm every closed competition of a round; each is confirmed or says why not."""
    return rounds.confirm_round(call, round_ref)


@routes.get("/competitions/{competition_id}/results", returns=ResultsView, who=either(so("read"), fsp("read")))
def get_results(call: Call, competition_id: str) -> ResultsView:
    """Confirmed results: aggregates for all, bids for whom they concern."""
    return reads.get_results(call, competition_id)
