"""Owns how competitions are told: in full, in lists, in a preview before publication."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.competitions.models import Competition, Outcome, ServiceWindow, ZoneRef
from chalicelib.competitions.planning import as_request
from chalicelib.competitions.requests import CompetitionFields, WindowRequest
from chalicelib.competitions.rules import archived_from, phase
from chalicelib.competitions.windows import asked_window
from chalicelib.competitions.words import NeedDirection, Phase, PowerType, ProductType
from chalicelib.kernel import periods
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.names import FileName, Title
from chalicelib.kernel.quantities import Megawatts, Number

Hours = Annotated[Number, Field(description="hours, to 4 places")]
Energy = Annotated[Number, Field(description="MWh (MVArh for reactive power), to 4 places")]


class WindowView(WindowRequest):
    """A service window with its id and its hours."""

    id: str
    hours: Hours
    dispatched_hours: Hours | None = None


class DocumentRequest(Value):
    """A document of a competition: its title, and a link or the name and size of a file to be uploaded."""

    title: Title
    url: Annotated[str, Field(max_length=2000, pattern=r"^https?://\S+$")] | None = None
    file_name: Annotated[FileName, Field(max_length=120)] | None = None
    content_type: Annotated[str, Field(max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+$")] = "application/pdf"


class UploadView(Value):
    """Where to send a document's file: a form POST with `fields` first and the bytes as `file`."""

    url: str
    fields: dict[str, str]
    expires_seconds: int


class DocumentView(Value):
    """A document; `url` opens it for a quarter of an hour, `upload` is only in the answer to the one who adds it."""

    id: str
    title: str
    url: str | None = None
    file_name: str | None = None
    added_at: Instant
    upload: UploadView | None = None


class CompetitionView(CompetitionFields):
    """A competition as the API tells it: the fields it was asked for with, and what follows from them."""

    id: str
    so: str
    phase: Phase
    version: int
    time_zone: str
    currency: str
    capacity_unit: str
    pricing_type: str
    asked_prices: tuple[str, ...]
    bid_prices: tuple[str, ...]
    visibility_only: bool
    zones: tuple[ZoneRef, ...]
    service_windows: tuple[WindowView, ...]
    published_at: Instant | None = None
    changed_at: Instant
    archived_from: Instant
    outcome: Outcome
    outcome_at: Instant | None = None
    withdrawal_reason: str | None = None
    documents: tuple[DocumentView, ...] = ()


class CompetitionSummary(Value):
    """A competition in a list."""

    id: str
    so: str
    reference: str
    name: str
    round_ref: str | None = None
    phase: Phase
    version: int
    power_type: PowerType
    need_direction: NeedDirection
    product_type: ProductType
    type: str | None = None
    time_zone: str
    qualification_open: Instant
    qualification_closed: Instant
    open: Instant | None = None
    closed: Instant | None = None
    first_period_start: date
    last_period_end: date
    windows: int
    capacity_required: Megawatts = Field(description="of the window that requires most")
    minimum_aggregate_asset_size: Megawatts = Field(description="of the window that asks least")
    minimum_bid_size: Megawatts
    areas: tuple[str, ...] = ()


class CompetitionQuery(PageQuery):
    """Which competitions; `phase` is one of the phases or `historic` (closed or later)."""

    phase: str | None = Field(default=None, pattern="^(draft|published|qualifying|qualified|bidding|closed|confirmed"
                              "|archived|withdrawn|historic)$")  # fmt: skip
    so: str | None = Field(default=None, max_length=64)
    ref: str | None = Field(default=None, max_length=40)
    product: ProductType | None = None
    direction: NeedDirection | None = None
    round: str | None = Field(default=None, max_length=40)
    area: str | None = Field(default=None, max_length=100, description="the reference of an area")
    delivery_from: date | None = Field(default=None, description="service periods that end on this day or later")
    delivery_to: date | None = Field(default=None, description="service periods that start on this day or earlier")
    minimum_size: Megawatts | None = Field(default=None, description="open to a provider of this many MW")


class PublicQuery(CompetitionQuery):
    """Which competitions, also by place."""

    bbox: str | None = Field(
        default=None,
        pattern=r"^-?\d{1,3}(\.\d{1,9})?(,-?\d{1,3}(\.\d{1,9})?){3}$",
        description="west,south,east,north in degrees, WGS84",
    )
    format: str = Field(default="json", pattern="^(json|geojson|csv)$")


class RoundView(Value):
    """The competitions of one round, and how many of them are in which phase."""

    ref: str
    so: str
    phases: dict[str, int]
    competitions: tuple[CompetitionSummary, ...]


class RoundOutcome(Value):
    """What an act on a round came to for one of its competitions."""

    competition_id: str
    reference: str
    outcome: Literal["published", "withdrawn", "refused"]
    code: str | None = None
    refusal: str | None = None


class RoundAnswer(Value):
    """A round after an act on it, and what the act came to for each competition."""

    round: RoundView
    outcomes: tuple[RoundOutcome, ...]


class Reason(Value):
    """Why an act is done; everyone it touches is told."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class RoundQuery(Value):
    """Whose round; the caller's own when it is left out."""

    so: str | None = Field(default=None, max_length=64)


class DocumentList(Value):
    """The documents of a competition."""

    items: tuple[DocumentView, ...]


class PreviewWindow(Value):
    """What a window comes to over its period, clock changes and holidays counted."""

    service_period_name: str
    service_window_name: str
    occurrences: int
    hours: Hours
    clock_changes: int = Field(description="occurrences made longer or shorter by a change of the clocks")
    holidays_left_out: int
    capacity_required: Megawatts
    available_mwh: Energy
    dispatched_hours: Hours | None = None
    expected_mwh: Energy | None = None


class Caution(Value):
    """Something that a person should look at before publishing; it refuses nothing."""

    code: str
    detail: str
    field: str | None = None


class PreviewView(Value):
    """A competition before publication: what it comes to, where it is, and what to look at."""

    competition_id: str
    reference: str
    version: int
    phase: Phase
    windows: tuple[PreviewWindow, ...]
    available_mwh: Energy
    expected_mwh: Energy
    zones: tuple[ZoneRef, ...]
    outlines: dict[str, Any] | None = Field(default=None, description="GeoJSON of the areas, simplified for the screen")
    warnings: tuple[Caution, ...] = ()


def competition_view(
    competition: Competition, now: datetime, documents: tuple[DocumentView, ...] = ()
) -> CompetitionView:
    """A competition as it stands at an instant."""
    asked = dict(as_request(competition))
    asked.pop("publish")
    asked |= {"service_windows": tuple(map(window_view, competition.windows)), "pricing_type": competition.pricing_type}
    return CompetitionView(
        **asked,
        id=competition.id,
        so=competition.so,
        phase=phase(competition, now),
        version=competition.version,
        time_zone=competition.time_zone,
        currency=competition.currency,
        capacity_unit=competition.capacity_unit,
        asked_prices=competition.asked_prices,
        bid_prices=competition.bid_prices,
        visibility_only=competition.is_visibility_only,
        zones=competition.zones,
        published_at=competition.published_at,
        changed_at=competition.changed_at,
        archived_from=archived_from(competition),
        outcome=competition.outcome,
        outcome_at=competition.outcome_at,
        withdrawal_reason=competition.withdrawal_reason,
        documents=documents,
    )


def window_view(window: ServiceWindow) -> WindowView:
    return WindowView(
        **dict(asked_window(window)),
        id=window.id,
        hours=to_four_places(window.hours),
        dispatched_hours=_optional(window.dispatched_hours),
    )


def competition_summary(competition: Competition, now: datetime) -> CompetitionSummary:
    """A competition in a list, as it stands at an instant."""
    calendar = competition.calendar
    return CompetitionSummary(
        id=competition.id,
        so=competition.so,
        reference=competition.reference,
        name=competition.name,
        round_ref=competition.round_ref,
        phase=phase(competition, now),
        version=competition.version,
        power_type=competition.power_type,
        need_direction=competition.need_direction,
        product_type=competition.product_type,
        type=competition.type,
        time_zone=competition.time_zone,
        qualification_open=calendar.qualification_open,
        qualification_closed=calendar.qualification_closed,
        open=calendar.open,
        closed=calendar.closed,
        first_period_start=min(window.period_start for window in competition.windows),
        last_period_end=competition.last_period_end,
        windows=len(competition.windows),
        capacity_required=max(window.capacity_required for window in competition.windows),
        minimum_aggregate_asset_size=competition.smallest_aggregate_size,
        minimum_bid_size=competition.minimum_bid_size,
        areas=competition.boundaries.areas,
    )


def preview_window(competition: Competition, window: ServiceWindow) -> PreviewWindow:
    """What a window comes to: how often, how long, how many MWh."""
    spans = list(competition.occurrences(window))
    every_day = list(periods.window_days(window, ()))
    started = len(list(periods.window_days(window, periods_holidays(competition))))
    usual = _usual_minutes(window)
    return PreviewWindow(
        service_period_name=window.period_name,
        service_window_name=window.name,
        occurrences=len(spans),
        hours=to_four_places(window.hours),
        clock_changes=sum(periods.minutes_in([span]) != usual for span in spans) + started - len(spans),
        holidays_left_out=len(every_day) - started,
        capacity_required=window.capacity_required,
        available_mwh=to_four_places(window.capacity_required * window.hours),
        dispatched_hours=_optional(window.dispatched_hours),
        expected_mwh=_optional(expected_mwh(window)),
    )


def expected_mwh(window: ServiceWindow) -> Decimal | None:
    """Capacity required x expected dispatched hours; None when the operator expects nothing."""
    hours = window.dispatched_hours
    return None if hours is None else window.capacity_required * hours


def periods_holidays(competition: Competition) -> frozenset[date]:
    """The public holidays of a competition's region."""
    return holidays_of(competition.holiday_region)


def to_four_places(value: Decimal) -> Decimal:
    return round(value, 4)


def _usual_minutes(window: ServiceWindow) -> int:
    start, end = periods.clock_minutes(window.start), periods.clock_minutes(window.end)
    return end - start if end > start else end + periods.MIDNIGHT - start


def _optional(value: Decimal | None) -> Decimal | None:
    return None if value is None else to_four_places(value)
