"""Draws up obligations from confirmed results, contracts them, and shows them to both sides."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from chalicelib.assets import actions as assets
from chalicelib.assets.models import Asset
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.contracts import rules, store
from chalicelib.contracts.events import ObligationContracted, ObligationsDrawnUp
from chalicelib.contracts.lifecycle import MOVES
from chalicelib.contracts.models import (
    AssetsQuery,
    AvailabilityVariation,
    ObligatedAsset,
    Obligation,
    ObligationQuery,
    ObligationView,
)
from chalicelib.decisions import actions as decisions
from chalicelib.decisions.models import AcceptedBid
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.models import Page
from chalicelib.kernel.quantities import plain
from chalicelib.qualification import actions as qualification
from chalicelib.registry import actions as registry
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

_ASSETS_AT_ONCE = 25


def draw_up(call: Call, competition_id: str) -> None:
    """Draw up an obligation for every accepted bid of a confirmed competition, then say so, once.

    An obligation's assets are written before it, so that one that can be seen is whole; what stands already is left,
    so that this may be repeated after a crash at any point.
    """
    if store.is_drawn_up(competition_id):
        return
    competition = competitions.get_competition(competition_id)
    contracted = registry.get_operator(competition.so).contract_at_confirmation
    accepted = list(decisions.accepted_bids(competition_id))
    for bid in accepted:
        _draw_up_one(call, competition, bid, contracted)
    _say_drawn_up(call, competition, sorted({bid.fsp for bid in accepted}))


def _draw_up_one(call: Call, competition: Competition, bid: AcceptedBid, contracted: bool) -> None:
    if store.find_obligation(rules.obligation_id(bid.bid_id)) is not None:
        return
    obligation = rules.obligation_of(competition, bid, contracted, call.now)
    loaded = assets.load_assets(bid.asset_ids)
    capacities = qualification.qualified_set(competition.id, bid.fsp)
    behind = rules.obligated_assets(obligation, list(loaded.values()), capacities)
    for start in range(0, len(behind), _ASSETS_AT_ONCE):
        part = behind[start : start + _ASSETS_AT_ONCE]
        commit(call, [*store.obligated(part), *_commitments(competition, obligation, part, loaded)])
    _write_head(call, obligation)


def _commitments(
    competition: Competition, obligation: Obligation, part: list[ObligatedAsset], loaded: dict[str, Asset]
) -> list[Write]:
    spans = list(competition.occurrences(competition.windows_by_id[obligation.window_id]))
    if not spans:
        return []
    starts, ends = spans[0][0], spans[-1][1]
    shares = {asset.asset_id: asset.capacity_mw for asset in part}
    windows = (obligation.window_id,)
    return assets.commitment_writes(
        obligation.id, obligation.so, obligation.competition_id, starts, ends, shares, windows
    )


def _write_head(call: Call, obligation: Obligation) -> None:
    change = Change(
        thing=f"obligation:{obligation.id}",
        action="obligation.drawn_up",
        organisation=obligation.so,
        after=obligation.model_dump(mode="json"),
    )
    try:
        commit(call, store.new_obligation(obligation), [], [change])
    except Refused:
        # The same confirmation was heard twice at once; what the other wrote is the same.
        if store.find_obligation(obligation.id) is None:
            raise


def _say_drawn_up(call: Call, competition: Competition, fsps: list[str]) -> None:
    event = ObligationsDrawnUp(competition_id=competition.id, so=competition.so, fsps=fsps)
    try:
        commit(call, [store.drawn_up(competition.id, call.now)], [event])
    except Refused:
        if not store.is_drawn_up(competition.id):
            raise


def get_obligation(call: Call, obligation_id: str) -> ObligationView:
    """One obligation, for either of its two sides."""
    return _view(_own(call, obligation_id))


def list_obligations(call: Call, query: ObligationQuery) -> Page[ObligationView]:
    """The caller's obligations by period start."""
    page = store.list_obligations(_side(call), call.organisation, query.limit, query.cursor)
    wanted = [
        obligation
        for obligation in page.items
        if query.competition_id in (None, obligation.competition_id) and query.state in (None, obligation.state)
    ]
    return Page(items=[_view(obligation) for obligation in wanted], next=page.next)


def list_assets(call: Call, obligation_id: str, query: AssetsQuery) -> Page[ObligatedAsset]:
    """The assets behind one obligation, by reference."""
    _own(call, obligation_id)
    return store.list_assets(obligation_id, query.limit, query.cursor)


def contract_obligation(call: Call, obligation_id: str) -> ObligationView:
    """The operator says the contract is signed: availability and instructions may start."""
    before = _own(call, obligation_id)
    call.check_owner(before.so, "obligation")
    state = move(MOVES, "obligation", before.state, "contract")
    after = before.but(state=state, contracted_at=call.now, version=before.version + 1)
    event = ObligationContracted(obligation_id=after.id, so=after.so, fsp=after.fsp)
    change = Change(
        thing=f"obligation:{after.id}",
        action="obligation.contracted",
        organisation=after.so,
        before={"state": before.state},
        after={"state": after.state},
    )
    commit(call, store.changed_obligation(after), [event], [change], result=after.id)
    return _view(after)


def obligations_of(call: Call) -> Iterator[tuple[Obligation, list[ObligatedAsset], list[AvailabilityVariation]]]:
    """Everything the caller is party to, for the contracts workbook: each obligation, its assets, its variations."""
    for obligation in store.list_all_obligations(_side(call), call.organisation):
        yield obligation, list(store.list_all_assets(obligation.id)), store.list_variations(obligation.id)


def count_by_fsp(competition_id: str) -> dict[str, int]:
    """How many obligations each FSP has from a confirmed competition."""
    counts: dict[str, int] = {}
    for bid in decisions.accepted_bids(competition_id):
        counts[bid.fsp] = counts.get(bid.fsp, 0) + 1
    return dict(sorted(counts.items()))


def is_drawn_up(competition_id: str) -> bool:
    """Whether every obligation of a confirmed competition stands."""
    return store.is_drawn_up(competition_id)


def _own(call: Call, obligation_id: str) -> Obligation:
    obligation = store.find_obligation(obligation_id)
    if obligation is None or call.actor.organisation not in (obligation.so, obligation.fsp):
        raise NotFound("obligation.not_found", "There is no such obligation.")
    return obligation


def _side(call: Call) -> str:
    return "so" if call.actor.organisation_kind == "so" else "fsp"


def _view(obligation: Obligation) -> ObligationView:
    competition = competitions.get_competition(obligation.competition_id)
    window = competition.windows_by_id[obligation.window_id]
    return ObligationView(
        **obligation.model_dump(),
        so_name=registry.get_organisation(obligation.so).name,
        fsp_name=registry.get_organisation(obligation.fsp).name,
        available_hours=plain(Decimal(window.hours)),
    )
