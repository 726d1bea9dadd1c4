"""Owns what a service failure is: a flag to both sides where little was available or delivered, never an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from chalicelib.dispatch.models import AvailabilityPeriod
from chalicelib.kernel.models import PageQuery, Value
from chalicelib.kernel.periods import Span
from chalicelib.kernel.quantities import ZERO, Number

_HOUR = Decimal(3600)
_PLACES = Decimal("0.0001")
MONTH = r"^20\d\d-(0[1-9]|1[0-2])$"


class FailureQuery(PageQuery):
    """Flags of one local month, the one before this unless said, over a page of the caller's obligations."""

    month: str | None = Field(default=None, pattern=MONTH, description="YYYY-MM")


class ServiceFailure(Value):
    """A flag: what was measured of an obligation, and the threshold of its market rules that it missed."""

    obligation_id: str
    so: str
    fsp: str
    competition_reference: str
    month: str
    kind: Literal["availability", "performance"]
    measured: Number = Field(description="share of promised MWh unavailable, or mean performance of `months`")
    threshold: Number
    months: tuple[str, ...]
    rules_version: int


def unavailable_share(periods: Iterable[AvailabilityPeriod], month: Span) -> Decimal | None:
    """The share of the MWh promised in a month that was declared unavailable; None where nothing was promised."""
    promised = missing = ZERO
    for period in periods:
        for segment in period.segments:
            hours = _hours(segment.start, segment.end, month)
            promised += period.promised_mw * hours
            missing += (period.promised_mw - segment.available_mw) * hours
    return (missing / promised).quantize(_PLACES) if promised else None


def mean_performance(known: Sequence[Decimal | None]) -> Decimal | None:
    """The mean performance over months; None where one of them has none: two bad months are told only by two."""
    found = [each for each in known if each is not None]
    if not found or len(found) < len(known):
        return None
    return (sum(found, ZERO) / len(found)).quantize(_PLACES)


def _hours(start: datetime, end: datetime, month: Span) -> Decimal:
    """Hours of a stretch within a month."""
    inside = (min(end, month[1]) - max(start, month[0])).total_seconds()
    return Decimal(int(max(inside, 0))) / _HOUR
