"""Translates between dispatch and OpenADR 3.1: obligations as programs, instructions as events, reports as answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.contracts.models import Obligation
from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.openadr_models import (
    MEGAWATT,
    OPT_IN,
    OPT_OUT,
    SETPOINT,
    Event,
    Interval,
    IntervalPeriod,
    PayloadDescriptor,
    Program,
    ReportDescriptor,
    ValuesMap,
)
from chalicelib.kernel import periods
from chalicelib.kernel.models import iso

SHOWN = frozenset({"sent", "acknowledged", "delivering", "delivered", "stopped", "failed"})
"""States in which an instruction is an event; declined, expired and cancelled ones are deleted, as 3.1 cancels."""

_DESCRIPTORS = (PayloadDescriptor(object_type="EVENT_PAYLOAD_DESCRIPTOR", payload_type=SETPOINT, units=MEGAWATT),)
_URGENT, _PLAIN = 0, 10
_NOTHING = Decimal(0)


def program_of(obligation: Obligation, operator: str, wanted: Iterable[str] = ()) -> Program:
    """An obligation as a program: named by its id, spanning its service period, with its terms as attributes."""
    zone = periods.zone_of(obligation.time_zone)
    start, end = periods.days_span(obligation.period_start, obligation.period_end, zone)
    return Program(
        id=obligation.id,
        created_date_time=obligation.drawn_up_at,
        modification_date_time=obligation.contracted_at or obligation.drawn_up_at,
        program_name=obligation.id,
        interval_period=IntervalPeriod(start=iso(start), duration=duration_text(end - start)),
        payload_descriptors=_DESCRIPTORS,
        attributes=tuple(_attributes(obligation, operator)),
        targets=met(targets_of(obligation.id, obligation.competition_reference), wanted),
    )


def event_of(instruction: Instruction, wanted: Iterable[str] = ()) -> Event:
    """An instruction, caught up with the clock, as an event. A test asks for 0 MW, so that nothing follows from it."""
    test = "TEST " if instruction.test else ""
    targets = targets_of(instruction.obligation_id, instruction.competition_reference)
    length = max(instruction.effective_end - instruction.start, timedelta(0))
    return Event(
        id=instruction.id,
        created_date_time=instruction.issued_at,
        modification_date_time=instruction.changed_at,
        program_id=instruction.obligation_id,
        event_name=f"{test}{instruction.competition_reference}"[:128],
        priority=_URGENT if instruction.urgent else _PLAIN,
        targets=met(targets, wanted),
        report_descriptors=_asked_for(instruction),
        payload_descriptors=_DESCRIPTORS,
        interval_period=IntervalPeriod(start=iso(instruction.start), duration=duration_text(length)),
        intervals=(Interval(id=0, payloads=tuple(_payloads(instruction))),),
    )


def targets_of(obligation_id: str, competition_reference: str) -> tuple[str, ...]:
    """The targets of a program and of its events: each is met by naming them."""
    return obligation_id, competition_reference


def meets(targets: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether every target asked for is among those of an object (3.1: filters are additive)."""
    return set(wanted) <= set(targets)


def met(targets: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...] | None:
    """Those targets that were asked for: others are hidden (3.1, "Target hiding")."""
    asked = set(wanted)
    return tuple(each for each in targets if each in asked) or None


def is_active(instruction: Instruction, now: datetime) -> bool:
    """Whether any of an event is still to come or on."""
    return instruction.effective_end > now


def duration_text(length: timedelta) -> str:
    """A length in ISO 8601, without days, so that no clock change can stretch it."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value]
    return "PT" + ("".join(parts) or "0S")


def _attributes(obligation: Obligation, operator: str) -> Iterable[ValuesMap]:
    named = f"{obligation.competition_reference} {obligation.period_name} {obligation.window_name}"
    yield ValuesMap(type="PROGRAM_LONG_NAME", values=(named[:1000],))
    yield ValuesMap(type="PROGRAM_TYPE", values=(obligation.product_type,))
    yield ValuesMap(type="RETAILER_NAME", values=(operator[:1000],))
    yield ValuesMap(type="COMPETITION_REFERENCE", values=(obligation.competition_reference[:1000],))
    yield ValuesMap(type="NEED_DIRECTION", values=(obligation.need_direction,))
    yield ValuesMap(type="CAPACITY_MW", values=(obligation.capacity_mw,))


def _payloads(instruction: Instruction) -> Iterable[ValuesMap]:
    yield ValuesMap(type=SETPOINT, values=(_NOTHING if instruction.test else instruction.mw,))
    if instruction.state == "sent" and instruction.respond_by is not None:
        yield ValuesMap(type="RESPOND_BY", values=(iso(instruction.respond_by),))
    if instruction.test:
        yield ValuesMap(type="TEST", values=(True,))


def _asked_for(instruction: Instruction) -> tuple[ReportDescriptor, ...] | None:
    if instruction.state != "sent":
        return None
    return (ReportDescriptor(payload_type=OPT_IN, units=MEGAWATT), ReportDescriptor(payload_type=OPT_OUT))
