"""Owns what callers send and get about market rules and previews of baselines."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Number
from chalicelib.settlement.methods import Historical, Method
from chalicelib.settlement.models import KeptRules, LateData, Level, MarketRules, PaidVolume, Performance


class RulesRequest(BaseModel):
    """Rules under a name from a local day on: a preset, and whatever differs from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^#/]+$")
    effective_from: date
    preset: str | None = Field(default=None, max_length=80, description="a name of /market-rules/presets to start from")
    baseline: Method | None = None
    performance: Performance | None = None
    paid_volume: PaidVolume | None = None
    level: Level | None = None
    over_delivery: Number | None = None
    max_missing_share: Number | None = None
    availability_recovery: bool | None = None
    recovery_months: int | None = None
    report_day: int | None = None
    meter_data_working_days: int | None = None
    dispute_working_days: int | None = None
    vat_rate: Number | None = None
    self_billing: bool | None = None
    payment_days: int | None = None
    late_data: LateData | None = None
    negative_total: Literal["carry", "credit"] | None = None
    failure_performance: Number | None = None
    failure_months: int | None = None
    failure_unavailable: Number | None = None

    def fields(self) -> dict[str, Any]:
        """What is said beside the preset."""
        return {name: value for name, value in dict(self).items() if value is not None and name != "preset"}


class RulesQuery(PageQuery):
    """Whose rules: an FSP names the operator."""

    so: str | None = Field(default=None, max_length=80)
    name: str | None = Field(default=None, max_length=80)


class RulesList(BaseModel):
    """Versions of an operator's rules, by name and version."""

    items: tuple[KeptRules, ...]


class PresetList(BaseModel):
    """The market rules that ship."""

    items: tuple[MarketRules, ...]


class PreviewRequest(Value):
    """A baseline to look at: of an asset of the caller's own, over a span, by a preset, a method or an obligation.

    `notice_at` is when an instruction would be known; the start, where it is left out. Of an obligation the rules in
    force give the method, where neither a preset nor a method is named, and its operator's holidays count; `so` names
    the operator where there is no obligation.
    """

    asset_id: str = Field(max_length=80)
    starts: Instant
    ends: Instant
    preset: str | None = Field(default=None, max_length=80)
    method: Historical | None = None
    obligation_id: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)
    notice_at: Instant | None = None
    minutes: Literal[30, 15, 5, 1] = 30

    @model_validator(mode="after")
    def _span(self) -> PreviewRequest:
        if not 0 < (self.ends - self.starts).total_seconds() <= 86_400:
            raise ValueError("a span ends after its start, at most a day later")
        if not 2000 <= self.starts.year < 2100:
            raise ValueError("a span of this century")
        if self.preset is not None and self.method is not None:
            raise ValueError("a preset or a method, not both")
        if self.so is not None and self.obligation_id is not None:
            raise ValueError("an obligation is its own operator's: leave `so` out")
        return self


class PreviewPeriod(Value):
    """A period of a preview, kW, import positive; None where there is no baseline or no reading."""

    start: Instant
    baseline_kw: Decimal | None = None
    metered_kw: Decimal | None = None


class RefusedDay(Value):
    """A day that does not count, and why."""

    day: date
    reason: str


class PreviewView(Value):
    """A baseline with its explanation."""

    asset_id: str
    method: str
    version: str
    status: str
    why: str | None = None
    days_used: tuple[date, ...] = ()
    days_refused: tuple[RefusedDay, ...] = ()
    adjustment: str | None = Field(default=None, description="additive, ratio or none")
    adjustment_before_clamp: Decimal | None = None
    adjustment_applied: Decimal | None = None
    adjustment_why: str | None = None
    completeness: Decimal
    fingerprint: str
    periods: tuple[PreviewPeriod, ...]
