"""Builds a market in which assets qualify: an operator's area and competitions, assets, and every fact delivered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chalicelib.areas.imports import apply_object
from chalicelib.assets import actions as assets
from chalicelib.assets.models import AssetView
from chalicelib.assets.requests import AssetChange, AssetRequest
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.competitions.requests import CompetitionChange, CompetitionRequest
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from chalicelib.kernel.models import iso
from chalicelib.qualification import actions
from chalicelib.qualification.views import (
    AnswersQuery,
    AnswerView,
    EntryRequest,
    EntryView,
    OverridesMade,
    OverridesRequest,
)
from chalicelib.storage import outbox
from functions import requalify, settle_qualification
from functions.wiring import REQUALIFYING
from tests.builders.areas import a_feature, a_geojson, a_receipt, a_square, dropped
from tests.builders.assets import asset_cells
from tests.builders.calls import a_call
from tests.builders.registry import Joined, a_system_operator
from tests.scenes import built_once

START = "2026-04-01T09:00:00Z"
CLOSE = "2026-05-01T16:00:00Z"
AFTER = "2026-05-01T18:00:00Z"
BIDDING = "2026-05-02T16:00:00Z"
FSP = "org_fsp1"
HANDLERS = dict.fromkeys(REQUALIFYING, requalify.handler) | {
    "competitions.qualification_closed.v1": settle_qualification.handler
}
_LATE = datetime(2035, 1, 1, tzinfo=UTC)


@built_once
@dataclass
class QualifyingMarket:
    """One operator with area NORTH over Ipswich; `deliver` hands every fact to the functions that hear it."""

    so: Joined = field(default_factory=a_system_operator)
    heard: set[str] = field(default_factory=set)

    def call(self, organisation: str = FSP, now: str = START, **how: Any) -> Call:
        kind = "so" if organisation == self.so.organisation else "fsp"
        return a_call(organisation, kind, now=now, **how)

    def operator(self, now: str = START, **how: Any) -> Call:
        return self.call(self.so.organisation, now, **how)

    def area(self, ref: str = "NORTH", now: str = START, receipt: str = "rec_a", geometry: Any = None) -> None:
        content = a_geojson(a_feature(geometry or a_square(), ref=ref))
        dropping = a_receipt(f"{receipt}_{ref}", so=self.so.organisation, at=now)
        apply_object(self.operator(now), dropping, dropped(dropping, content))

    def competition(self, reference: str = "NORTH-1", now: str = START, **changes: Any) -> Competition:
        request = CompetitionRequest.model_validate(competition_fields(reference) | changes)
        return competitions.create_competition(self.operator(now), request)

    def edit(self, competition: Competition, now: str = START, **changes: Any) -> Competition:
        current = competitions.get_competition(competition.id)
        change = CompetitionChange.model_validate(changes)
        return competitions.change_competition(self.operator(now), competition.id, change, current.version)

    def asset(self, ref: str = "EV-1", owner: str = FSP, now: str = START, **cells: Any) -> AssetView:
        return assets.create_asset(self.call(owner, now), AssetRequest(**asset_cells(ref, **cells)))

    def change(self, asset: AssetView, now: str = START, **cells: Any) -> AssetView:
        call = self.call(FSP, now)
        return assets.update_asset(call, asset.id, AssetChange(**cells), assets.get_asset(call, asset.id).version)

    def override(
        self, competition: Competition, *items: tuple[str, str], now: str = START, **how: Any
    ) -> OverridesMade:
        wanted = [{"asset_id": asset_id, "effect": effect, "reason": "seen on a visit"} for asset_id, effect in items]
        request = OverridesRequest.model_validate({"overrides": wanted})
        return actions.set_overrides(self.operator(now, **how), competition.id, request)

    def enter(self, competition: Competition, choice: str = "entered", now: str = START, fsp: str = FSP) -> EntryView:
        request = EntryRequest.model_validate({"choice": choice})
        return actions.put_entry(self.call(fsp, now), competition.id, request)

    def answers(self, competition: Competition, call: Call | None = None, **query: Any) -> list[AnswerView]:
        asked = AnswersQuery.model_validate(query)
        return actions.list_answers(call or self.call(), competition.id, asked).items

    def close(self, competition: Competition, now: str = CLOSE) -> None:
        """Say, as the minute does, that qualification has closed; and deliver."""
        body = {"competition_id": competition.id, "so": competition.so, "round_ref": competition.round_ref}
        name = "competitions.qualification_closed.v1"
        told = {"id": f"evt_close_{competition.id}", "name": name, "at": now, "request_id": "tick", "body": body}
        hand_over(Envelope.model_validate(told))
        self.deliver()

    def waiting(self) -> list[Envelope]:
        """Facts told and not delivered yet."""
        return [each for each in outbox.unpublished(_LATE) if each.id not in self.heard]

    def deliver(self) -> None:
        """Deliver every fact, and those it leads to."""
        while waiting := self.waiting():
            for envelope in waiting:
                self.heard.add(envelope.id)
                hand_over(envelope)

    def told(self, name: str) -> list[dict[str, Any]]:
        """The bodies of every fact of a name told so far."""
        return [each.body for each in outbox.unpublished(_LATE) if each.name == name]


def hand_over(envelope: Envelope) -> None:
    """Give a fact to the function that hears it, as its queue does; a failure is raised."""
    handler = HANDLERS.get(envelope.name)
    if handler is None:
        return
    body = json.dumps({"detail": envelope.model_dump(mode="json")})
    failed = handler({"Records": [{"messageId": envelope.id, "body": body}]}, None)
    assert failed == {"batchItemFailures": []}


def competition_fields(reference: str = "NORTH-1") -> dict[str, Any]:
    """A published competition over NORTH; qualification until 1 May 16:00 UTC, bidding from 2 May."""
    window = {
        "service_period_name": "Summer",
        "service_period_start": "2026-06-01",
        "service_period_end": "2026-08-31",
        "service_window_name": "Evening",
        "start": "17:00",
        "end": "19:00",
        "service_days": ["Mon", "Tue"],
        "capacity_required": "5",
    }
    return {
        "reference": reference,
        "name": f"Competition {reference}",
        "qualification_open": iso(datetime.fromisoformat(START)),
        "qualification_closed": CLOSE,
        "open": BIDDING,
        "closed": "2026-05-09T16:00:00Z",
        "power_type": "Active Power",
        "need_direction": "Deficit",
        "product_type": "Peak Reduction",
        "boundaries": {"areas": ["NORTH"]},
        "service_windows": [window],
        "publish": True,
    }
