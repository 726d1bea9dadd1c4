"""Owns the baseline methods as data: each with its parameters, and the presets by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chalicelib.kernel.models import Value
from chalicelib.kernel.quantities import Megawatts, Number

VERSION = "1"
"""Of the baseline library: raised when any method would give other values from the same inputs."""

DEFAULT_PRESET = "mid-8-of-10"

DayClass = Literal["same", "working", "any"]
Choice = Literal["all", "mid", "high"]


class SameDayAdjustment(Value):
    """Moves a baseline to how the day itself began, judged over `hours` before the event.

    The window ends at the event's start; with the `guard`, at the instant of notice, so that nobody who knows of the
    event can shape it. A ratio stays within `lower` and `upper`; an addition within `limit_mw` and `limit_share` (of
    the mean baseline). Where a ratio would not be sound (the means differ in sign, or one is within `epsilon_mw` of
    zero) an addition takes its place, held to what the ratio's bounds come to.
    """

    kind: Literal["additive", "ratio"]
    hours: Number = Field(default=Decimal(2), gt=0, le=24)
    guard: bool = True
    lower: Number = Decimal("0.8")
    upper: Number = Decimal("1.2")
    limit_mw: Megawatts | None = None
    limit_share: Number | None = Field(default=None, ge=0)
    epsilon_mw: Megawatts = Decimal("0.00001")

    @model_validator(mode="after")
    def _bounds(self) -> SameDayAdjustment:
        if not 0 <= self.lower <= 1 <= self.upper:
            raise ValueError("the ratio's bounds stand around 1: 0 ≤ lower ≤ 1 ≤ upper")
        return self


class Historical(Value):
    """The mean of like days: `keep` of the `days` most recent eligible ones (X of Y).

    `non_working_days` takes the place of `days` on non-working days. Holidays count as non-working; with
    `exclude_holidays` they are no one's history.
    """

    kind: Literal["historical"] = "historical"
    days: int = Field(ge=1, le=60)
    keep: int = Field(ge=1, le=60)
    choose: Choice = "all"
    rank: Literal["day", "interval"] = "day"
    day_class: DayClass = "same"
    non_working_days: int | None = Field(default=None, ge=1, le=60)
    exclude_holidays: bool = True
    exclude_event_days: bool = True
    exclude_outage_days: bool = True
    look_back_days: int = Field(default=45, ge=1, le=366)
    minimum_days: int = Field(default=5, ge=1, le=60)
    completeness: Number = Field(default=Decimal("0.9"), gt=0, le=1)
    adjustment: SameDayAdjustment | None = None

    @model_validator(mode="after")
    def _sound(self) -> Historical:
        if self.keep > self.days or (self.choose == "all") != (self.keep == self.days):
            raise ValueError("all days are kept, or fewer than there are, the middle or the high ones")
        if self.choose == "mid" and (self.days - self.keep) % 2:
            raise ValueError("the middle days leave out as many below as above")
        if self.non_working_days is not None and (self.choose != "all" or self.day_class != "same"):
            raise ValueError("another number of non-working days needs the mean of all days of the same class")
        return self


class Nominated(Value):
    """The provider's own schedule, as it stood `gate_hours` before the event."""

    kind: Literal["nominated"] = "nominated"
    gate_hours: Number = Field(default=Decimal(1), ge=0)


class Zero(Value):
    """No baseline but zero: all that is metered counts."""

    kind: Literal["zero"] = "zero"


class FixedCapacity(Value):
    """One value for every period, import positive: a contracted demand, or a generator's minus."""

    kind: Literal["capacity"] = "capacity"
    mw: Number


class MeterBefore(Value):
    """Meter before less meter after: the mean of the `minutes` before the event's start, held throughout."""

    kind: Literal["meter_before"] = "meter_before"
    minutes: int = Field(default=30, ge=1, le=240)


class FixedReference(Value):
    """A published profile per device: kW by half-hour of the local clock, working and non-working, times devices."""

    kind: Literal["fixed_reference"] = "fixed_reference"
    profile: str = Field(max_length=100)
    working_kw: tuple[Number, ...] = Field(min_length=48, max_length=48)
    non_working_kw: tuple[Number, ...] = Field(min_length=48, max_length=48)


class WeeklyTemplate(Value):
    """The provider's typical week: MW by local weekday and half-hour of the clock, uploaded before the event."""

    kind: Literal["weekly_template"] = "weekly_template"
    gate_hours: Number = Field(default=Decimal(24), ge=0)


Method = Annotated[
    Historical | Nominated | Zero | FixedCapacity | MeterBefore | FixedReference | WeeklyTemplate,
    Field(discriminator="kind"),
]

PRESETS: dict[str, Historical] = {
    "mid-8-of-10": Historical(days=10, keep=8, choose="mid"),
    "high-5-of-10": Historical(days=10, keep=5, choose="high"),
    "10-of-10": Historical(days=10, keep=10),
    "10-of-10 with 2 h same-day ratio clamped 0.8–1.2": Historical(
        days=10, keep=10, adjustment=SameDayAdjustment(kind="ratio", hours=Decimal(2))
    ),
    "5 working / 2 non-working": Historical(days=5, keep=5, non_working_days=2),
    "rolling 5 working days": Historical(days=5, keep=5, day_class="working"),
}
"""Sources: Elexon BL01 (mid 8 of 10), Connecticut programme rules (10 of 10, 2 h), NODES (5 working days)."""


def preset(name: str) -> Historical:
    """The preset of a name; ValueError naming all of them when there is none."""
    if name not in PRESETS:
        raise ValueError(f"{name!r} is not a baseline preset; there are {', '.join(PRESETS)}")
    return PRESETS[name]
