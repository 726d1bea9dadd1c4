"""Reads of decisions: the bids of a closed competition, where deciding stands in all of them, and confirmed results."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.bidding import actions as bidding
from chalicelib.bidding.models import BidForDeciding
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.actions_reading import all_of_operator
from chalicelib.competitions.models import Competition
from chalicelib.decisions import results, rules, store
from chalicelib.decisions.actions import load_deciding, overview_of
from chalicelib.decisions.models import (
    REASONS,
    DecidedBidView,
    Decision,
    DecisionSheet,
    OverviewQuery,
    OverviewView,
    ResultsView,
    SheetState,
)
from chalicelib.decisions.paging import cut
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.registry import actions as registry


def list_bids(call: Call, competition_id: str, query: PageQuery) -> Page[DecidedBidView]:
    """The bids of one of the caller's closed competitions, cheapest first, with what was decided."""
    deciding = load_deciding(call, competition_id)
    views = decided_bids(deciding.competition, deciding.bids.values(), deciding.decisions)
    shown, after = cut(views, [view.bid_id for view in views], query)
    return Page(items=list(shown), next=after)


def decided_bids(
    competition: Competition, bids: Iterable[BidForDeciding], decisions: dict[str, Decision]
) -> list[DecidedBidView]:
    """Bids with their decisions: by window, then effective price, size, submission and id (the order of ties)."""
    order = {window.id: place for place, window in enumerate(competition.windows)}
    names = _Names()
    ranked = sorted(bids, key=lambda bid: (order[bid.window_id], *rules.merit(bid)))
    return [_view(competition, bid, decisions.get(bid.id), names) for bid in ranked]


def list_overviews(call: Call, query: OverviewQuery) -> Page[OverviewView]:
    """Where deciding stands in the caller's closed competitions, zero-bid ones too, latest closed first."""
    closed = [each for each in closed_competitions(call, query.round_ref) if query.state in (None, _state(each))]
    shown, after = cut(closed, [each.id for each in closed], query)
    return Page(items=[overview_of(call, load_deciding(call, each.id)) for each in shown], next=after)


def closed_competitions(call: Call, round_ref: str | None = None) -> list[Competition]:
    """The caller's competitions whose bids may be opened, latest closed first; of one round where it is named."""
    found = [
        each
        for each in all_of_operator(call.organisation)
        if round_ref in (None, each.round_ref) and rules.is_to_decide(each, call.now)
    ]
    return sorted(found, key=lambda each: (each.calendar.closed, each.id), reverse=True)


def get_results(call: Call, competition_id: str) -> ResultsView:
    """Confirmed results: the aggregates, and all bids for their operator, own bids for a provider."""
    competition = competitions.get_competition(competition_id)
    sheet = store.find_sheet(competition_id)
    if sheet is None or sheet.state != "confirmed":
        raise NotFound("results.not_found", "These results are not confirmed.")
    bids = [bid for ballot in bidding.opened_ballots(call.as_system(), competition_id) for bid in ballot.bids]
    decisions = store.load_decisions(competition_id)
    return _results(call, competition, sheet, bids, decisions)


def _results(
    call: Call,
    competition: Competition,
    sheet: DecisionSheet,
    bids: list[BidForDeciding],
    decisions: dict[str, Decision],
) -> ResultsView:
    assert sheet.confirmed_at is not None
    windows = results.window_results(competition, bids, decisions)
    seen = (
        bids
        if call.actor.organisation == competition.so
        else [bid for bid in bids if bid.fsp == call.actor.organisation]
    )
    return ResultsView(
        competition_id=competition.id,
        competition_reference=competition.reference,
        confirmed_at=sheet.confirmed_at,
        windows=windows,
        bids=decided_bids(competition, seen, decisions),
        message=results.results_message(windows),
    )


class _Names:
    """Names of organisations, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, organisation_id: str) -> str:
        if organisation_id not in self._known:
            self._known[organisation_id] = registry.get_organisation(organisation_id).name
        return self._known[organisation_id]


def _view(competition: Competition, bid: BidForDeciding, decision: Decision | None, names: _Names) -> DecidedBidView:
    window = competition.windows_by_id[bid.window_id]
    shown = bid.model_dump(include=set(DecidedBidView.model_fields) & set(BidForDeciding.model_fields))
    return DecidedBidView(
        **shown,
        bid_id=bid.id,
        competition_reference=competition.reference,
        fsp_name=names.of(bid.fsp),
        service_period_name=window.period_name,
        service_window_name=window.name,
        decision=decision.verdict if decision else "undecided",
        accepted_mw=decision.accepted_mw if decision else None,
        reason=decision.reason if decision else None,
        reason_text=REASONS[decision.reason] if decision and decision.reason else None,
        comment=decision.comment if decision else None,
    )


def _state(competition: Competition) -> SheetState:
    return "confirmed" if competition.outcome == "confirmed" else "open"
