"""Owns how other rooms' values become what settlement takes: instructions, members, availability, readings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from chalicelib.contracts.models import ObligatedAsset, Obligation
from chalicelib.dispatch.models import AvailabilityPeriod
from chalicelib.dispatch.models import Instruction as Dispatched
from chalicelib.kernel.periods import local_day
from chalicelib.kernel.quantities import ZERO
from chalicelib.metering.models_reads import HALF_HOURLY, MeterRead
from chalicelib.metering.rules import readings_of
from chalicelib.settlement.inputs import Stretch
from chalicelib.settlement.models import Instruction, Member
from chalicelib.settlement.models_runs import MeterQuality
from chalicelib.settlement.packing import Packed
from chalicelib.settlement.points import Point
from chalicelib.settlement.series import Series, coarsened

_PAID_STATES = frozenset({"promised", "varied", "accepted"})
_DEFICITS = frozenset({"Deficit", "Export"})
"""Needs that less import, or more export, meets."""


def instruction_as_taken(
    instruction: Dispatched, obligation: Obligation, members: tuple[Member, ...], stretches: Iterable[Stretch]
) -> Instruction:
    """A dispatch instruction with the meter points behind its obligation, and the least MW available through it.

    It ends when it really ended; one that failed was asked for to its end.
    """
    ends = instruction.end if instruction.state == "failed" else instruction.effective_end
    span = instruction.start, ends
    available = [each.available_mw for each in stretches if each.start < span[1] and each.end > span[0]]
    return Instruction(
        id=instruction.id,
        obligation_id=obligation.id,
        so=obligation.so,
        fsp=obligation.fsp,
        direction=_direction(obligation),
        state=instruction.state,
        starts=instruction.start,
        ends=ends,
        instructed_mw=instruction.requested_mw,
        acknowledged_mw=instruction.mw,
        available_mw=min(available, default=None),
        utilisation_price=instruction.utilisation_price,
        notice_at=_notice_at(instruction),
        members=members,
    )


def members_behind(
    behind: Iterable[ObligatedAsset], points: Mapping[str, Point], devices: Mapping[str, int]
) -> tuple[Member, ...]:
    """The meter points behind an obligation by name, each with the MW and the devices of all its assets there."""
    capacity: dict[str, Decimal] = {}
    count: dict[str, int] = {}
    named: dict[str, Point] = {}
    for asset in behind:
        point = points[asset.asset_id]
        named[point.name] = point
        capacity[point.name] = capacity.get(point.name, ZERO) + asset.capacity_mw
        count[point.name] = count.get(point.name, 0) + devices.get(asset.asset_id, 1)
    return tuple(
        Member(point=name, meters=named[name].meters, capacity_mw=capacity[name], devices=count[name])
        for name in sorted(named)
    )


def stretches_of(periods: Iterable[AvailabilityPeriod], zone: ZoneInfo) -> list[Stretch]:
    """Availability as it is paid: what is promised, less what was taken back; variable one only where accepted."""
    return [
        Stretch(
            day=local_day(period.start, zone),
            start=segment.start,
            end=segment.end,
            promised_mw=period.promised_mw,
            available_mw=segment.available_mw,
            late=segment.late,
        )
        for period in periods
        if period.state in _PAID_STATES
        for segment in period.segments
    ]


@dataclass(frozen=True, slots=True)
class Metered:
    """A meter's readings in periods of `minutes`, its coarsest day's, and how complete the days settled are."""

    series: Series
    minutes: int
    quality: MeterQuality

    def of(self, minutes: int) -> Series:
        """The readings in periods of so many minutes, which are none shorter."""
        return (
            self.series if minutes == self.minutes else Packed(coarsened(self.series, self.minutes, minutes), minutes)
        )


def metered_of(read: MeterRead, first: date, last: date) -> Metered:
    """What was read of a meter, packed, and how complete it is from a local day to another, both inclusive."""
    minutes = max((day.minutes for day in read.days.values()), default=HALF_HOURLY)
    return Metered(_packed(read, minutes), minutes, _quality(read, first, last))


def _packed(read: MeterRead, minutes: int) -> Packed:
    if any(day.minutes != minutes for day in read.days.values()):
        return Packed(series_of(read, minutes), minutes)
    return Packed.of([(day.start, day.day.values) for _, day in sorted(read.days.items())], minutes)


def series_of(read: MeterRead, minutes: int) -> dict[datetime, int]:
    """A meter's readings, milliwatts, in periods of `minutes`; days of longer periods than that are left out."""
    found: dict[datetime, int] = {}
    for _, day in sorted(read.days.items()):
        found |= coarsened(readings_of(day.day), day.minutes, minutes)
    return found


def refs_of(behind: Iterable[ObligatedAsset]) -> dict[str, str]:
    """Of each meter behind these assets, their references."""
    refs: dict[str, set[str]] = {}
    for asset in behind:
        for meter in (asset.import_meter_id, asset.export_meter_id):
            if meter:
                refs.setdefault(meter, set()).add(asset.asset_ref)
    return {meter: ", ".join(sorted(named)) for meter, named in sorted(refs.items())}


def _quality(read: MeterRead, first: date, last: date) -> MeterQuality:
    days = read.between(first, last)
    return MeterQuality(
        meter_id=read.meter_id,
        asset_ref="",
        expected=read.expected(first, last),
        present=sum(day.day.present for day in days),
        revisions=sum(day.revisions for day in days),
        latest_at=max((day.latest_at for day in days), default=None),
    )


def _direction(obligation: Obligation) -> Literal["deficit", "excess"]:
    return "deficit" if obligation.need_direction in _DEFICITS else "excess"


def _notice_at(instruction: Dispatched) -> datetime:
    """When the provider learnt of it: when it was sent."""
    return next((move.at for move in instruction.moves if move.act == "send"), instruction.send_at)
