"""Owns what callers see of dispatch."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from chalicelib.contracts.models import AvailabilityVariation
from chalicelib.dispatch.models import AutoAccept, AvailabilityPeriod, Conflict, Instruction, OfferedPeriod
from chalicelib.dispatch.terms import DispatchRules, DispatchTerms, PresetName
from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import Megawatts, Money, SignedPrice


class ObligationAvailability(Value):
    """The availability periods of one obligation in the span asked for."""

    obligation_id: str
    so: str
    fsp: str
    competition_reference: str
    product_type: str
    window_name: str
    time_zone: str
    capacity_mw: Megawatts
    periods: tuple[AvailabilityPeriod, ...]


class VariationView(AvailabilityVariation):
    """A variation as it was declared, with the standing instructions it touches."""

    instructions_touched: tuple[str, ...] = ()


class OffersView(Value):
    """Offers as they stand now."""

    items: tuple[OfferedPeriod, ...]


class InstructionView(Instruction):
    """An instruction as it stands at this instant, with what it earns if it is delivered in full."""

    so_name: str
    fsp_name: str
    earns: Money | None = Field(default=None, description="MW x hours x utilisation price, in `currency`")
    can: tuple[str, ...] = Field(default=(), description="what may be done with it now")


class InstructionOutcome(Value):
    """What came of one instruction or answer among many."""

    client_token: str | None = None
    instruction_id: str | None = None
    outcome: str = Field(description="issued, answered or refused")
    state: str | None = None
    earns: Money | None = None
    conflicts: tuple[str, ...] = ()
    problems: tuple[dict[str, Any], ...] = ()


class InstructionOutcomes(Value):
    """What came of each, in the order they were sent."""

    items: tuple[InstructionOutcome, ...]


class ConflictView(Conflict):
    """A conflict with the names of its operators."""

    so_names: tuple[str, str]


class Callable(Value):
    """What one obligation can deliver, and at which price."""

    obligation_id: str
    fsp: str
    fsp_name: str
    competition_reference: str
    areas: tuple[str, ...]
    need_direction: str
    available_mw: Megawatts = Field(description="now, or from the start of its next period")
    instructed_mw: Megawatts = Field(description="of that already instructed")
    free_mw: Megawatts = Field(description="what can be called: an obligation runs one instruction at a time")
    start: Instant
    end: Instant
    notice_until: Instant = Field(description="the earliest start an instruction sent now may have")
    utilisation_price: SignedPrice | None = None
    currency: str
    maximum_run_minutes: int
    minutes_called: int = Field(description="in the last 30 days")


class AreaTotal(Value):
    """What an area can deliver together, one direction."""

    area: str
    need_direction: str
    free_mw_now: Megawatts
    free_mw_next: Megawatts = Field(description="with what opens in the hours asked for")


class ControlRoomView(Value):
    """Who can be called: totals by area, then each obligation in the order asked for."""

    at: Instant
    until: Instant
    areas: tuple[AreaTotal, ...]
    items: tuple[Callable, ...]


class AutoAcceptList(Value):
    """The provider's rules for answering by itself."""

    items: tuple[AutoAccept, ...]


class RulesList(Value):
    """An operator's dispatch rules, every version."""

    items: tuple[DispatchRules, ...]


class PresetsList(Value):
    """Terms that ship, by name."""

    items: dict[PresetName, DispatchTerms]


class CalendarLinkView(Value):
    """A link by which calendar programs follow the schedule; its secret path is shown when it is made alone."""

    id: str
    name: str
    created_at: Instant
    path: str | None = Field(default=None, description="under the address of the API")
    version: int
