"""Wakes on every fact that can change an answer, and assesses what it touches."""

from __future__ import annotations

from chalicelib.areas.events import AreasChanged
from chalicelib.assets import actions as assets
from chalicelib.assets.events import AssetsChanged, GazetteerLoaded
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.events import CompetitionChanged, CompetitionPublished
from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope, Event
from chalicelib.qualification import actions
from chalicelib.qualification.events import OverrideSet
from chalicelib.registry import events as registry

STANDING_CHANGED = (
    registry.ApplicationSubmitted,
    registry.ApplicationApproved,
    registry.ApplicationRejected,
    registry.ApplicationWithdrawn,
    registry.ApplicationSuspended,
    registry.ApplicationReinstated,
)


def requalify(call: Call, envelope: Envelope) -> None:
    react(call, envelope.event())


def react(call: Call, event: Event) -> None:
    """Assess what one fact touches. Places that became known make assets change, which is heard here again."""
    match event:
        case AssetsChanged(asset_ids=asset_ids):
            actions.assess_assets(call, asset_ids)
        case CompetitionPublished(competition_id=competition_id):
            actions.copy_overrides(call, competition_id)
            actions.assess_competition(call, competition_id, first=True)
        case CompetitionChanged(competition_id=competition_id):
            actions.copy_overrides(call, competition_id)
            actions.assess_competition(call, competition_id)
        case AreasChanged(zone_ids=zone_ids):
            for competition_id in competitions.list_by_zones(zone_ids):
                actions.assess_competition(call, competition_id)
        case OverrideSet(competition_id=competition_id, asset_ids=asset_ids):
            actions.assess_pairs(call, competition_id, asset_ids)
        case GazetteerLoaded(outward_codes=outward_codes):
            assets.place_unplaced(call, outward_codes)
        case _ if isinstance(event, STANDING_CHANGED):
            actions.assess_company(call, event.scheme_id, event.fsp)
        case _:
            raise ValueError(f"nothing here answers {event.name}")


handler = reaction(requalify)
