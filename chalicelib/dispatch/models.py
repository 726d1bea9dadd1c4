"""Owns the values of dispatch: availability offered, instructions with their moves, the day's timeline, conflicts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import Megawatts, SignedPrice

OfferState = Literal["offered", "accepted", "declined"]
PeriodState = Literal["promised", "varied", "not offered", "offered", "accepted", "declined", "lapsed"]
InstructionState = Literal[
    "scheduled",
    "sent",
    "acknowledged",
    "declined",
    "expired",
    "cancelled",
    "delivering",
    "delivered",
    "stopped",
    "failed",
]
Source = Literal["issued", "schedule"]
VARIABLE = "OU + Variable Availability"
SCHEDULED_PRODUCTS = ("Peak Reduction", "Scheduled Utilisation")


class OfferedPeriod(Value):
    """Variable availability: what a provider offers of one availability period, and what became of it."""

    obligation_id: str
    start: Instant
    end: Instant
    mw: Megawatts
    state: OfferState = "offered"
    offered_at: Instant
    decided_at: Instant | None = None
    version: int = 1


class Segment(Value):
    """A stretch `[start, end)` of one availability; `late` says it was taken back inside the notice period."""

    start: Instant
    end: Instant
    available_mw: Megawatts
    late: bool = False
    variation_id: str | None = None


class AvailabilityPeriod(Value):
    """One occurrence of an obligation's window: promised, offered where availability is variable, and available."""

    start: Instant
    end: Instant
    promised_mw: Megawatts
    state: PeriodState
    offered_mw: Megawatts | None = None
    gate: Instant | None = Field(default=None, description="until when variable availability may be offered")
    decide_by: Instant | None = Field(default=None, description="until when the operator may accept it")
    segments: tuple[Segment, ...]


class Move(Value):
    """One step of an instruction: which act, by whom, when."""

    act: str
    state: InstructionState
    at: Instant
    by: str
    reason: str | None = None


class Instruction(Value):
    """A dispatch instruction: MW of one obligation over `[start, end)`, with every move it made.

    `end` is what was instructed; `ended_at` is when it really ended. `respond_by` is None where no answer is needed.
    `send_at` is when a scheduled one goes out. The price is the obligation's, per MWh.
    """

    id: str
    obligation_id: str
    so: str
    fsp: str
    competition_id: str
    competition_reference: str
    client_token: str
    source: Source = "issued"
    urgent: bool = False
    test: bool = False
    start: Instant
    end: Instant
    requested_mw: Megawatts
    acknowledged_mw: Megawatts | None = None
    state: InstructionState = "scheduled"
    send_at: Instant
    respond_by: Instant | None = None
    escalate_at: Instant | None = None
    escalated_at: Instant | None = None
    ended_at: Instant | None = None
    minimum_part: Decimal = Decimal(1)
    rules_version: int = 0
    utilisation_price: SignedPrice | None = None
    currency: str = "GBP"
    time_zone: str = "Europe/London"
    issued_by: str
    issued_at: Instant
    changed_at: Instant
    conflicts: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    version: int = 1

    @property
    def mw(self) -> Decimal:
        """What is asked for now: what was acknowledged, or all of it."""
        return self.requested_mw if self.acknowledged_mw is None else self.acknowledged_mw

    @property
    def effective_end(self) -> datetime:
        """When it ends, or ended."""
        return self.ended_at or self.end


class Entry(Value):
    """An instruction on its obligation's day; one that is not `live` stands in nobody's way."""

    instruction_id: str
    start: Instant
    end: Instant
    mw: Megawatts
    live: bool = True


class Day(Value):
    """The timeline of an obligation's local day: every instruction that touches it. `version` 0 was never written."""

    obligation_id: str
    date: str
    entries: tuple[Entry, ...] = ()
    version: int = 0


class Rival(Value):
    """Another obligation that stands on some of the same assets, and the span it holds them for."""

    obligation_id: str
    so: str
    asset_ids: tuple[str, ...]
    starts: Instant
    ends: Instant


class Footing(Value):
    """What an obligation's assets need, worked out once: how long they recover between runs."""

    obligation_id: str
    recovery_time: timedelta = timedelta(0)


class Conflict(Value):
    """Two operators' instructions to the same assets at once, as it was detected."""

    id: str
    instruction_ids: tuple[str, str]
    obligation_ids: tuple[str, str]
    sos: tuple[str, str]
    asset_ids: tuple[str, ...]
    start: Instant
    end: Instant
    detected_at: Instant


class AutoAccept(Value):
    """A provider's rule: acknowledge at once what an operator sends for an obligation, up to so many MW."""

    id: str
    fsp: str
    obligation_id: str | None = None
    so: str | None = None
    maximum_mw: Megawatts | None = None
    minimum_notice: timedelta | None = None
    created_at: Instant
    version: int = 1
