"""Owns what settlement speaks of: market rules by version, instructions as it takes them, runs, lines, invoices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import Megawatts, Money, Number, Price, SignedPrice
from chalicelib.settlement.methods import PRESETS as BASELINES
from chalicelib.settlement.methods import Method

PaidVolume = Literal["instructed", "delivered"]
Level = Literal["group", "meter"]
LateData = Literal["re-run", "credit-note", "frozen"]
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
Component = Literal["utilisation", "penalty", "availability", "recovery", "service_fee"]
LineState = Literal["open", "disputed", "agreed", "invoiced", "paid"]
ReportState = Literal["draft", "published", "superseded"]
Unsettleable = Literal["INSUFFICIENT_BASELINE", "MISSING_READINGS"]

NOT_DELIVERED: frozenset[InstructionState] = frozenset({"declined", "expired", "failed"})
"""States that count f = 0 in the month's performance."""
SETTLED: frozenset[InstructionState] = frozenset({"acknowledged", "delivering", "delivered", "stopped"})
"""States whose instructions are settled by their readings."""


class LinearCap(Value):
    """f = the delivered share, at most 1."""

    kind: Literal["linear_cap"] = "linear_cap"


class FloorLinear(Value):
    """Nothing below the floor, the delivered share from there on."""

    kind: Literal["floor_linear"] = "floor_linear"
    floor: Number = Field(default=Decimal("0.5"), ge=0, le=1)


class GraceSlope(Value):
    """Full pay within the grace, then `slope` per cent off for each per cent missing."""

    kind: Literal["grace_slope"] = "grace_slope"
    grace: Number = Field(default=Decimal("0.05"), ge=0, le=1)
    slope: Number = Field(default=Decimal(3), ge=0)


class Threshold(Value):
    """From this share on, this factor."""

    ratio: Number = Field(ge=0, le=1)
    factor: Number = Field(ge=0, le=1)


class Step(Value):
    """The factor of the highest threshold reached; 0 below the lowest."""

    kind: Literal["step"] = "step"
    thresholds: tuple[Threshold, ...] = Field(min_length=1, max_length=100)


class Penalty(Value):
    """The delivered share, and a charge for each MWh not delivered, period by period."""

    kind: Literal["penalty"] = "penalty"
    price: Price


class ScheduleAccuracy(Value):
    """Judged by how well the FSP's schedule fitted outside events; means below `epsilon_mw` tell nothing."""

    kind: Literal["schedule_accuracy"] = "schedule_accuracy"
    epsilon_mw: Megawatts = Decimal("0.001")
    grace: Number = Field(default=Decimal("0.05"), ge=0, le=1)
    slope: Number = Field(default=Decimal(3), ge=0)


Performance = Annotated[
    LinearCap | FloorLinear | GraceSlope | Step | Penalty | ScheduleAccuracy, Field(discriminator="kind")
]


class MarketRules(Value):
    """How one SO settles one market, from a local day on; a later version takes its place, none is edited.

    How instructions are answered stands in the dispatch rules of the same name.
    """

    name: str = Field(min_length=1, max_length=80)
    effective_from: date
    version: int = 1
    baseline: Method = BASELINES["mid-8-of-10"]
    performance: Performance = LinearCap()
    paid_volume: PaidVolume = "instructed"
    level: Level = "group"
    over_delivery: Number = Field(default=Decimal(1), ge=1, le=2, description="share of the instructed MW that counts")
    max_missing_share: Number = Field(default=Decimal("0.1"), ge=0, le=1)
    availability_recovery: bool = True
    recovery_months: int = Field(default=3, ge=0, le=12)
    report_day: int = Field(default=8, ge=1, le=28, description="of the month after, local")
    meter_data_working_days: int = Field(default=5, ge=1, le=20)
    dispute_working_days: int = Field(default=10, ge=0, le=60)
    vat_rate: Number = Field(default=Decimal(20), ge=0, le=100, description="per cent")
    self_billing: bool = True
    payment_days: int = Field(default=30, ge=0, le=120)
    late_data: LateData = "re-run"
    negative_total: Literal["carry", "credit"] = "carry"
    failure_performance: Number = Field(
        default=Decimal("0.6"), ge=0, le=1, description="a mean performance below it over `failure_months` is flagged"
    )
    failure_months: int = Field(default=2, ge=1, le=12)
    failure_unavailable: Number = Field(
        default=Decimal("0.3"), ge=0, le=1, description="unavailable beyond this share of a month's MWh is flagged"
    )


class KeptRules(MarketRules):
    """Market rules as an operator set them."""

    so: str
    set_at: Instant
    set_by: str


class Member(Value):
    """A meter point behind an obligation: its channels' meter ids and its share of what is promised, MW."""

    point: str
    meters: tuple[str, ...]
    capacity_mw: Megawatts
    devices: int = 1


class Instruction(Value):
    """A dispatch instruction as settlement takes it: what was asked and acknowledged, when, of which meter points.

    `ends` is the end after a stop. `direction` is what the network needed. `available_mw` is what the FSP had declared
    available for the span (the instructed MW where nothing was declared).
    """

    id: str
    obligation_id: str
    so: str
    fsp: str
    direction: Literal["deficit", "excess"]
    state: InstructionState
    starts: Instant
    ends: Instant
    instructed_mw: Megawatts
    acknowledged_mw: Megawatts
    available_mw: Megawatts | None = None
    utilisation_price: SignedPrice | None = None
    notice_at: Instant | None = None
    members: tuple[Member, ...] = ()

    @property
    def span(self) -> tuple[datetime, datetime]:
        return self.starts, self.ends

    @property
    def sign(self) -> int:
        """s of page 7: +1 for a deficit, −1 for an excess."""
        return 1 if self.direction == "deficit" else -1


class Line(Value):
    """One amount of a run: an instruction's or an obligation-month's component, or why there is none."""

    id: str
    obligation_id: str
    instruction_id: str | None = None
    month: str
    component: Component
    amount: Money | None = None
    reason: Unsettleable | None = None
    rules_version: int
    fingerprint: str = ""
    state: LineState = "open"
    version: int = 1
