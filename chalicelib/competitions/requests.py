"""Owns what an operator asks for: a competition as JSON or as rows of the workbook, under the same field names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from chalicelib.areas.models import Box
from chalicelib.competitions import words
from chalicelib.competitions.words import (
    CeilingRule,
    CompetitionType,
    Day,
    HolidayHandling,
    LocationRule,
    NeedDirection,
    NeedType,
    PowerType,
    ProductType,
    SettlementPriceRule,
    canonical,
)
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import Value
from chalicelib.kernel.names import Title
from chalicelib.kernel.periods import DAYS, clock_minutes
from chalicelib.kernel.quantities import Kilovolts, Megawatts, Metres, Money, Number, SignedPrice

M = TypeVar("M", bound=Value)
Dated = TypeVar("Dated", bound=date)
REFERENCE = r"^[A-Za-z0-9_-]{1,40}$"
MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
LONGEST = timedelta(days=366)
MOST_MW = Decimal(1_000_000)
MOST_WINDOWS = 2_000
EVERY_DAY = frozenset({"all", "everyday", "daily"})


def parse_days(given: Any) -> Any:
    """Day names from a list, or from text such as `Mon-Fri`, `Mon; Wed` or `all`, in the order of the week.

    ValueError names the part that is no day. Ranges may run over Sunday (`Fri-Mon`).
    """
    parts = given.replace(";", ",").split(",") if isinstance(given, str) else given
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError("not a list of days")
    found = {number for part in parts if part.strip() for number in _days_of(part)}
    return tuple(DAYS[number] for number in sorted(found))


def _days_of(part: str) -> list[int]:
    text = "".join(part.split()).casefold()
    if text in EVERY_DAY:
        return list(range(7))
    first, dash, last = text.replace("\N{EN DASH}", "-").partition("-")
    start, end = _day_number(first), _day_number(last if dash else first)
    return [number % 7 for number in range(start, end + 1 if end >= start else end + 8)]


def _day_number(text: str) -> int:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    matches = [number for number, name in enumerate(names) if len(text) >= 3 and name.startswith(text)]
    if not matches:
        raise ValueError(f"{text!r} is not a day; write Mon, Tue … or Mon-Fri")
    return matches[0]


def _clock(text: str) -> str:
    clock_minutes(text)
    return text


def _length(length: timedelta) -> timedelta:
    if length < timedelta(0) or length > LONGEST or length.microseconds:
        raise ValueError("must be whole seconds between 0 and 366 days")
    return length


def _not_beyond_any_grid(value: Decimal) -> Decimal:
    if value > MOST_MW:
        raise ValueError(f"must be {MOST_MW} or less")
    return value


def _in_our_time(value: Dated) -> Dated:
    if not 2000 <= value.year <= 2100:
        raise ValueError("must lie between the years 2000 and 2100")
    return value


Days = Annotated[tuple[Day, ...], Field(max_length=7), BeforeValidator(parse_days)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"), AfterValidator(_clock)]
Length = Annotated[timedelta, AfterValidator(_length)]
CalendarDay = Annotated[date, AfterValidator(_in_our_time)]
LocalOrUtc = Annotated[
    datetime,
    AfterValidator(_in_our_time),
    Field(description="UTC with Z, or without a zone the operator's local time"),
]
Power = Annotated[Megawatts, AfterValidator(_not_beyond_any_grid)]
Reference = Annotated[str, Field(pattern=REFERENCE)]


def _word(name: str, spellings: Mapping[str, str]) -> BeforeValidator:
    return BeforeValidator(lambda given: canonical(getattr(words, name), spellings, given))


class BoundaryRequest(Value):
    """Where it is wanted: any number of area references, postcodes, postcode sectors and bounding boxes."""

    areas: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(default=(), max_length=2_000)
    postcodes: tuple[Annotated[str, Field(max_length=20)], ...] = Field(default=(), max_length=10_000)
    postcode_sectors: tuple[Annotated[str, Field(max_length=20)], ...] = Field(default=(), max_length=10_000)
    bounding_boxes: tuple[Box, ...] = Field(default=(), max_length=500)


class WindowRequest(Value):
    """One service window of one service period; `service_period_end` is inclusive, clock times are local."""

    service_period_name: Title
    service_period_start: CalendarDay
    service_period_end: CalendarDay
    service_window_name: Title
    start: Clock
    end: Clock
    service_days: Days
    public_holiday_handling: HolidayHandling = "include"
    capacity_required: Power
    minimum_aggregate_asset_size: Power | None = None
    minimum_run_time: Length | None = None
    required_response_time: Length | None = None
    dispatch_estimate: Number | None = None
    dispatch_duration: Length | None = None
    availability_ceiling: SignedPrice | None = None
    utilisation_ceiling: SignedPrice | None = None
    effective_price_ceiling: SignedPrice | None = None


Windows = Annotated[tuple[WindowRequest, ...], Field(max_length=MOST_WINDOWS)]


class CompetitionChange(Value):
    """What may be asked to change: a field left out stays, a field given as null is emptied."""

    reference: Reference | None = None
    name: Title | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    contact: Annotated[str, Field(pattern=MAIL, max_length=254)] | None = None
    round_ref: Reference | None = None
    qualification_open: LocalOrUtc | None = None
    qualification_closed: LocalOrUtc | None = None
    open: LocalOrUtc | None = None
    closed: LocalOrUtc | None = None
    archive_on: CalendarDay | None = None
    power_type: Annotated[PowerType, _word("PowerType", words.POWER_SPELLINGS)] | None = None
    need_direction: Annotated[NeedDirection, _word("NeedDirection", words.DIRECTION_SPELLINGS)] | None = None
    need_type: Annotated[NeedType, _word("NeedType", {})] | None = None
    product_type: Annotated[ProductType, _word("ProductType", words.PRODUCT_SPELLINGS)] | None = None
    type: Annotated[CompetitionType, _word("CompetitionType", words.TYPE_SPELLINGS)] | None = None
    pricing_type: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="read and left aside: which prices are fixed follows from the fixed prices"
    )
    availability_fixed_price: SignedPrice | None = None
    utilisation_fixed_price: SignedPrice | None = None
    service_fee_fixed: SignedPrice | None = None
    settlement_price_rule: SettlementPriceRule | None = None
    availability_guide_price: SignedPrice | None = None
    utilisation_guide_price: SignedPrice | None = None
    service_fee_guide: SignedPrice | None = None
    minimum_budget: Money | None = None
    maximum_budget: Money | None = None
    availability_ceiling: SignedPrice | None = None
    utilisation_ceiling: SignedPrice | None = None
    effective_price_ceiling: SignedPrice | None = None
    ceiling_rule: CeilingRule | None = None
    minimum_connection_voltage: Kilovolts | None = None
    maximum_connection_voltage: Kilovolts | None = None
    area_buffer: Metres | None = None
    location_rule: LocationRule | None = None
    dps_record_reference: Annotated[str, Field(max_length=100)] | None = None
    minimum_bid_size: Power | None = None
    entry_required: bool | None = None
    accept_planned_assets: bool | None = None
    accept_partial_award: bool | None = None
    duplicate_asset_overrides: Reference | None = None
    market_rules: Annotated[str, Field(max_length=100)] | None = None
    boundaries: BoundaryRequest | None = None
    service_windows: Windows | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, nulls included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class CompetitionFields(CompetitionChange):
    """A competition's fields, the necessary ones among them there."""

    reference: Reference
    name: Title
    qualification_open: LocalOrUtc
    qualification_closed: LocalOrUtc
    power_type: Annotated[PowerType, _word("PowerType", words.POWER_SPELLINGS)]
    need_direction: Annotated[NeedDirection, _word("NeedDirection", words.DIRECTION_SPELLINGS)]
    product_type: Annotated[ProductType, _word("ProductType", words.PRODUCT_SPELLINGS)]
    boundaries: BoundaryRequest
    service_windows: Windows


class CompetitionRequest(CompetitionFields):
    """A competition as its operator asks for it; times without a zone are the operator's local time."""

    publish: bool = False


def read_request(values: Mapping[str, Any]) -> tuple[CompetitionRequest, list[Problem]]:
    """A request from plain values with every problem of their shape; what did not fit is None in the request."""
    try:
        return CompetitionRequest.model_validate(values), []
    except ValidationError as error:
        problems = [_problem(found) for found in error.errors(include_url=False, include_context=False)]
        return _what_fits(CompetitionRequest, values), problems


def _what_fits(model: type[M], values: Mapping[str, Any]) -> M:
    """The value with each field that fits by itself, None for the others, so that rules can judge the rest."""
    read = {name: _field(model, name, values) for name in model.model_fields}
    windows = values.get("service_windows")
    if model is CompetitionRequest and isinstance(windows, list | tuple):
        read["service_windows"] = tuple(_what_fits(WindowRequest, window) for window in windows)
    return cast(M, model.model_construct(**read))


def _field(model: type[Value], name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        info = model.model_fields[name]
        return None if info.is_required() else info.get_default()
    try:
        return _adapter(model, name).validate_python(values[name])
    except ValidationError:
        return None


@cache
def _adapter(model: type[Value], name: str) -> TypeAdapter[Any]:
    info = model.model_fields[name]
    return TypeAdapter(Annotated[info.annotation, info])  # type: ignore[arg-type]


def _problem(found: Mapping[str, Any]) -> Problem:
    field = "/".join(str(part) for part in found["loc"])
    name = field.rsplit("/", 1)[-1].replace("_", " ")
    if found["type"] == "missing":
        return Problem("field.missing", f"The {name} is required.", field)
    if found["type"] == "extra_forbidden":
        return Problem("field.unknown", f"{name} is not a field of a competition.", field)
    return Problem(f"field.{found['type']}", f"The {name}: {str(found['msg']).removeprefix('Value error, ')}.", field)
