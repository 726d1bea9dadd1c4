"""Owns what an FSP may offer with at one instant: its qualified assets, what they can do, what they are bound to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.assets import actions as assets
from chalicelib.assets.models import Commitment
from chalicelib.bidding import store
from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.models import BallotRequest, BallotVersion, Overlap, ReplacementRequest, total
from chalicelib.bidding.overlaps import Times, ballot_overlaps, free_mw, obligation_overlaps
from chalicelib.bidding.rules import Backing, Standing, check_bidder
from chalicelib.bidding.seal import unseal_own_all
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem
from chalicelib.kernel.periods import days_span
from chalicelib.qualification import actions as qualification
from chalicelib.registry import actions as registry

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a ballot is judged by but the sheet: its set of assets and where they stand."""

    asset_ids: tuple[str, ...]
    standing: Standing


def prepare(call: Call, competition: Competition, asked: BallotRequest | ReplacementRequest) -> Prepared:
    """Read what a ballot is judged by; raises `Refused` for an FSP that may not bid in the competition."""
    fsp = call.organisation
    qualified = qualification.qualified_set(competition.id, fsp)
    entered = bool(qualified) or qualification.is_entered(competition.id, fsp)
    check_bidder(registry.get_organisation(fsp).verified, entered)
    _check_contracting_entity(fsp, asked.contracting_entity)
    asset_ids = tuple(asked.asset_ids or qualified)
    backing = _backing(asset_ids, qualified)
    commitments = assets.commitments_of(list(backing))
    times = Times(_involved(competition, commitments, {}))
    windows = dict.fromkeys(bid.window_id for bid in asked.bids)
    free = free_mw(times, competition.id, windows, backing, commitments)
    return Prepared(asset_ids, Standing(backing, total(list(qualified.values())), free))


def overlaps_of(call: Call, competition: Competition, ballot: BallotVersion) -> tuple[Overlap, ...]:
    """What else the assets of the caller's ballot stand behind at the same time: obligations and live ballots."""
    others = _sheets_elsewhere(call, competition)
    commitments = assets.commitments_of(ballot.asset_ids)
    times = Times(_involved(competition, commitments, {other.id: other for other, _ in others}))
    windows = dict.fromkeys(bid.window_id for bid in ballot.bids)
    ordinals = {asset_id: asset.ordinal for asset_id, asset in assets.load_assets(ballot.asset_ids).items()}
    return (
        *obligation_overlaps(times, competition.id, windows, commitments),
        *ballot_overlaps(times, competition.id, windows, ordinals, [sheet for _, sheet in others]),
    )


def service_span(competition: Competition) -> tuple[datetime, datetime]:
    """From the first service period to the end of the day after the last, since windows may run past midnight."""
    first = min(window.period_start for window in competition.windows)
    return days_span(first, competition.last_period_end + ONE_DAY, competition.zone)


def _check_contracting_entity(fsp: str, entity_id: str | None) -> None:
    if entity_id is None:
        return
    try:
        registry.get_contracting_entity(fsp, entity_id)
    except NotFound as absent:
        detail = "Your organisation has no such contracting entity."
        problem = Problem("ballot.contracting_entity", detail, "contracting_entity", "one of your contracting entities")
        raise Invalid.of([problem], "ballot.invalid") from absent


def _backing(asset_ids: Iterable[str], qualified: Mapping[str, Decimal]) -> dict[str, Backing]:
    """What each qualified asset of the set brings, in the order of the set."""
    wanted = [asset_id for asset_id in dict.fromkeys(asset_ids) if asset_id in qualified]
    known = assets.load_assets(wanted)
    return {
        asset_id: Backing(known[asset_id].ordinal, qualified[asset_id], known[asset_id].maximum_run_time)
        for asset_id in wanted
    }


def _sheets_elsewhere(call: Call, competition: Competition) -> list[tuple[Competition, Sheet]]:
    """The FSP's sheets in other competitions that still run and whose service may be at the same time."""
    found = store.find_sheets_between(call.organisation, *service_span(competition))
    sealed = {each.competition_id: each for each in found if each.competition_id != competition.id}
    running = [other for other in competitions.load_competitions(sealed).values() if other.outcome == "open"]
    documents = unseal_own_all(call, [(other, sealed[other.id]) for other in running])
    return [(other, Sheet.model_validate(found)) for other, found in zip(running, documents, strict=True)]


def _involved(
    competition: Competition,
    commitments: Mapping[str, Sequence[Commitment]],
    others: Mapping[str, Competition],
) -> dict[str, Competition]:
    """Every competition whose windows are compared, by id; `others` are those read already."""
    involved = {competition.id: competition, **others}
    needed = {each.competition_id for held in commitments.values() for each in held}
    return involved | competitions.load_competitions(needed - involved.keys())
