"""Builds what dispatch is about: obligations in force, instructions, entries, and a market ready to be dispatched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.assets import actions as assets
from chalicelib.contracts import store as contracts_store
from chalicelib.contracts.models import AvailabilityVariation, ObligatedAsset, Obligation
from chalicelib.dispatch import actions_instructing as instructing
from chalicelib.dispatch.actions_scheduling import prepare
from chalicelib.dispatch.models import Entry, Instruction
from chalicelib.dispatch.requests import InstructionsRequest
from chalicelib.dispatch.terms import DispatchRules
from chalicelib.dispatch.views import InstructionOutcome
from chalicelib.kernel.call import Call
from chalicelib.storage.commit import commit
from tests.builders.bidding import a_verified_fsp
from tests.builders.calls import a_call, a_system_call
from tests.builders.qualifying import QualifyingMarket
from tests.scenes import built_once

FSP = "org_fsp1"
SET = datetime(2026, 5, 1, tzinfo=UTC)
ON = "2026-06-01T16:30:00Z"
"""Monday 1 June, 17:30 on London's clock: half an hour into the first period."""


def an_obligation(**changes: Any) -> Obligation:
    """2 MW on weekday evenings of June 2026, 17:00 to 19:00 London, at 100 per MWh, for at most an hour at a time."""
    plain = {
        "id": "obl_1",
        "bid_id": "bid_1",
        "so": "org_so",
        "fsp": FSP,
        "competition_id": "cmp_1",
        "competition_reference": "NORTH-1",
        "power_type": "Active Power",
        "need_direction": "Deficit",
        "product_type": "Operational Utilisation",
        "window_id": "win_1",
        "period_name": "June",
        "window_name": "Evening",
        "period_start": "2026-06-01",
        "period_end": "2026-06-30",
        "days": ("Mon", "Tue", "Wed", "Thu", "Fri"),
        "start": "17:00",
        "end": "19:00",
        "holidays": "include",
        "holiday_region": "england-and-wales",
        "time_zone": "Europe/London",
        "currency": "GBP",
        "capacity_mw": "2",
        "utilisation_price": "100",
        "maximum_run_time": "PT1H",
        "asset_count": 1,
        "state": "contracted",
        "drawn_up_at": SET,
        "contracted_at": SET,
    }
    return Obligation.model_validate(plain | changes)


def some_rules(**changes: Any) -> DispatchRules:
    """What ships, as an operator's first version."""
    plain = {"so": "org_so", "ref": "default", "effective_from": "2026-01-01", "set_at": SET, "set_by": "per_1"}
    return DispatchRules.model_validate(plain | changes)


def a_variation(starts: datetime, ends: datetime, mw: str = "0", declared_at: datetime = SET, **changes: Any) -> Any:
    plain = {"id": f"var_{declared_at:%d%H%M}", "obligation_id": "obl_1", "reason": "broken", "available_mw": mw}
    plain |= {"starts": starts, "ends": ends, "declared_at": declared_at}
    return AvailabilityVariation.model_validate(plain | changes)


def an_instruction(**changes: Any) -> Instruction:
    """2 MW from 17:30 to 18:00 London on 1 June, sent an hour before, to be answered within half an hour."""
    start = datetime.fromisoformat(ON)
    plain = {
        "id": "ins_1",
        "obligation_id": "obl_1",
        "so": "org_so",
        "fsp": FSP,
        "competition_id": "cmp_1",
        "competition_reference": "NORTH-1",
        "client_token": "t1",
        "start": start,
        "end": start + timedelta(minutes=30),
        "requested_mw": "2",
        "state": "sent",
        "send_at": start - timedelta(hours=1),
        "respond_by": start - timedelta(minutes=30),
        "escalate_at": start - timedelta(minutes=45),
        "minimum_part": "0.5",
        "utilisation_price": "100",
        "issued_by": "per_9",
        "issued_at": start - timedelta(hours=1),
        "changed_at": start - timedelta(hours=1),
    }
    return Instruction.model_validate(plain | changes)


def an_entry(start: datetime, end: datetime, id_: str = "ins_9", live: bool = True) -> Entry:
    return Entry(instruction_id=id_, start=start, end=end, mw=Decimal(1), live=live)


@built_once
class DispatchMarket(QualifyingMarket):
    """An operator with a competition, two verified FSPs, and contracted obligations written as contracts keeps them."""

    def __init__(self, **terms: Any) -> None:
        super().__init__()
        for number in (1, 2):
            a_verified_fsp(f"org_fsp{number}")
        self.area()
        self.north = self.competition(**terms)

    def obligation(self, id_: str = "obl_1", ready: bool = True, assets: tuple[str, ...] = (), **changes: Any) -> Any:
        """An obligation in force, with assets by id, ready for operations."""
        mine = {"competition_id": self.north.id, "window_id": self.north.windows[0].id, "so": self.so.organisation}
        made = an_obligation(id=id_, bid_id=f"bid_{id_}", **(mine | changes))
        behind = [
            ObligatedAsset(obligation_id=id_, asset_id=each, asset_ref=each, name=each, capacity_mw=Decimal(1))
            for each in assets
        ]
        commit(a_call(), [*contracts_store.new_obligation(made), *contracts_store.obligated(behind)])
        if ready:
            prepare(a_call(now="2026-05-20T09:00:00Z").as_system(), id_)
        return made

    def share_an_asset(self, so: str) -> str:
        """Obligations obl_s1, of this operator, and obl_s2, of operator `so`, on one asset; its id."""
        asset_id = str(self.asset("BAT-obl_s1").id)
        for id_, owner in (("obl_s1", self.so.organisation), ("obl_s2", so)):
            made = self.obligation(id_, ready=False, assets=(asset_id,), so=owner, competition_reference=id_.upper())
            held = (made.drawn_up_at, made.drawn_up_at + timedelta(days=90))
            commit(a_call(), assets.commitment_writes(id_, owner, self.north.id, *held, {asset_id: made.capacity_mw}))
        for id_ in ("obl_s1", "obl_s2"):
            prepare(a_system_call("2026-05-20T09:00:00Z"), id_)
        return asset_id

    def issue(
        self, *items: dict[str, Any], now: str = "2026-06-01T12:00:00Z", call: Call | None = None
    ) -> list[InstructionOutcome]:
        """Issue by the operator; each item needs only what differs from an hour from 17:00 London on 1 June."""
        asked = [asked_for(number, each) for number, each in enumerate(items or ({},))]
        request = InstructionsRequest.model_validate({"instructions": asked})
        return list(instructing.issue_instructions(call or self.operator(now), request).items)


def asked_for(number: int, changes: dict[str, Any]) -> dict[str, Any]:
    plain = {
        "obligation_id": "obl_1",
        "client_token": f"t{number}",
        "mw": "2",
        "start": "2026-06-01T16:00:00Z",
        "end": "2026-06-01T17:00:00Z",
    }
    return {name: value for name, value in (plain | changes).items() if value is not None}
