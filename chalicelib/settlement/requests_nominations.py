"""Owns what callers send and get about nominations, weekly templates and how well they fitted."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Number
from chalicelib.metering.actions_statements import Outcome
from chalicelib.metering.models_statements import Kind

LONGEST_LOOK_DAYS = 62
AT_ONCE = 1_000
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Figures = tuple[Number | None, ...]


class _OfAsset(Value):
    """Names one of the caller's assets, by id or by reference."""

    asset_id: str | None = Field(default=None, max_length=80)
    asset_ref: str | None = Field(default=None, max_length=100)

    @model_validator(mode="after")
    def _one_name(self) -> _OfAsset:
        if (self.asset_id is None) == (self.asset_ref is None):
            raise ValueError("name an asset by its id or by its reference")
        return self


class NominationRequest(_OfAsset):
    """An asset's schedule of a local day: average kW in each of its 48 (46, 50) half-hours, import positive.

    None is silence. It takes the place of the day's earlier schedule whole.
    """

    day: date
    kw: Figures = Field(max_length=50)


class WeeklyTemplateRequest(_OfAsset):
    """An asset's typical week: average kW in each half-hour of the local clock, import positive, by weekday.

    A weekday that is left out is silent. It takes the place of the earlier template whole.
    """

    kw: dict[Weekday, Annotated[Figures, Field(max_length=50)]] = Field(min_length=1, max_length=7)

    @property
    def week(self) -> Figures:
        """The 336 half-hours from Monday on; a weekday keeps the length it was given."""
        return tuple(figure for day in WEEKDAYS for figure in self.kw.get(day, (None,) * 48))


class NominationsRequest(Value):
    """Schedules and weekly templates of the caller's assets; all are taken, or none."""

    nominations: tuple[NominationRequest, ...] = Field(default=(), max_length=AT_ONCE)
    weekly_templates: tuple[WeeklyTemplateRequest, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _something(self) -> NominationsRequest:
        if not self.nominations and not self.weekly_templates:
            raise ValueError("state something: nominations or weekly_templates")
        return self


class StatedView(Value):
    """What became of one statement, and for which events it came in time."""

    kind: Kind
    asset_id: str
    day: date | None = Field(default=None, description="of a nomination")
    outcome: Outcome
    submitted_at: Instant = Field(description="of the statement that now stands")
    obligations: tuple[str, ...] = Field(
        default=(), description="whose rules settle by statements of this kind; none: nothing counts them yet"
    )
    counts_after: Instant | None = Field(
        default=None, description="it counts for events that start after this instant; none where no rules count it"
    )
    too_late_for: tuple[str, ...] = Field(
        default=(), description="instructions whose gate had passed: for them the earlier statement holds"
    )
    remark: str | None = None


class NominationsView(BaseModel):
    """What became of each statement, in the order sent: nominations, then weekly templates."""

    items: tuple[StatedView, ...]


class NominationsQuery(PageQuery):
    """One asset's statements for local days, both inclusive; every version of them with `versions`."""

    asset_id: str = Field(max_length=80)
    first: date
    last: date
    versions: bool = False

    @model_validator(mode="after")
    def _span(self) -> NominationsQuery:
        check_days(self.first, self.last)
        return self


class NominationView(Value):
    """A schedule as stated, kW, import positive; `stands` unless a later one took its place."""

    day: date
    submitted_at: Instant
    stands: bool
    kw: tuple[Decimal | None, ...]


class WeeklyTemplateView(Value):
    """A typical week as stated: 336 half-hours from Monday 00:00 of the local clock, kW."""

    submitted_at: Instant
    stands: bool
    kw: tuple[Decimal | None, ...]


class StatementsView(Value):
    """What was stated of an asset, days in order, of each the earliest statement first."""

    asset_id: str
    nominations: tuple[NominationView, ...]
    weekly_templates: tuple[WeeklyTemplateView, ...]


class AccuracyQuery(BaseModel):
    """How the caller's forecasts of an asset, or of all assets behind an obligation, fitted their meters."""

    model_config = PageQuery.model_config

    asset_id: str | None = Field(default=None, max_length=80)
    obligation_id: str | None = Field(default=None, max_length=80)
    first: date
    last: date

    @model_validator(mode="after")
    def _one_of(self) -> AccuracyQuery:
        if (self.asset_id is None) == (self.obligation_id is None):
            raise ValueError("name an asset of your own, or an obligation")
        check_days(self.first, self.last)
        return self


class AccuracyOfDay(Value):
    """A local day: half-hours compared, how near the forecast was in per cent, and the mean error in kW.

    `accuracy` is 100·(1 − mean |M − N| / |M|) over half-hours metered at a watt or more: below zero where the forecast
    missed by more than all that was metered.
    """

    day: date
    forecast: Literal["nominated", "weekly_template", "baseline"]
    compared: int
    left_out: int = Field(description="half-hours without a reading or forecast, or within an event")
    accuracy: Decimal | None = None
    mean_absolute_error_kw: Decimal | None = None


class AccuracyView(Value):
    """Days with anything to compare, and all of them together; `empty` says why there are none."""

    days: tuple[AccuracyOfDay, ...]
    compared: int
    accuracy: Decimal | None = None
    mean_absolute_error_kw: Decimal | None = None
    empty: str | None = None


def check_days(first: date, last: date) -> None:
    """ValueError for a span of days that ends before it starts or is too long to look at."""
    if not timedelta(0) <= last - first < timedelta(days=LONGEST_LOOK_DAYS):
        raise ValueError(f"last is first or later, at most {LONGEST_LOOK_DAYS} days together")
