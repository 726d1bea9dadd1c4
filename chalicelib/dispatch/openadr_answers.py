"""Owns what a report of OpenADR 3.1 says to dispatch: an answer, how delivery goes, or nothing.

3.1 has no enumerated payload by which a VEN opts in or out of an event, only private strings and the operating states
of opted-out devices. We ask for `OPT_IN` (with MW for a part) and `OPT_OUT` (with a reason), and read what the drafts
and clients write instead: other case, hyphens and spaces, synonyms, one `OPT` payload with the choice as its value,
kW and W.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.dispatch.openadr_models import (
    MEGAWATT,
    OPT_IN,
    OPT_OUT,
    SETPOINT,
    Interval,
    ReportRequest,
    ReportResource,
    ValuesMap,
)
from chalicelib.dispatch.requests import Answer
from chalicelib.dispatch.requests import ReportRequest as DeliveryReport
from chalicelib.kernel.errors import Invalid, Problem

_IN = frozenset({"OPT_IN", "OPTIN", "OPTED_IN", "ACKNOWLEDGE", "ACKNOWLEDGED", "ACCEPT", "ACCEPTED"})
_OUT = frozenset({"OPT_OUT", "OPTOUT", "OPTED_OUT", "DECLINE", "DECLINED", "REJECT", "REJECTED"})
_OUT_STATES = frozenset({"IDLE_OPTED_OUT", "RUNNING_OPTED_OUT"})
_CHOICES = frozenset({"OPT", "OPT_STATE", "OPT_STATUS", "OPT_TYPE", "EVENT_RESPONSE", "DISPATCH_RESPONSE"})
_SETPOINTS = frozenset({SETPOINT, "DISPATCHSETPOINT", "DISPATCH_SET_POINT", "SETPOINT"})
_DELIVERY = frozenset({"DELIVERY", "DELIVERY_STATE", "DISPATCH_STATE"})
_DELIVERED = {
    "STARTED": "started",
    "DELIVERED": "delivered",
    "COMPLETE": "delivered",
    "COMPLETED": "delivered",
    "FAILED": "failed",
}
_PER_MW = {
    "MW": Decimal(1),
    "MEGAWATT": Decimal(1),
    "MEGAWATTS": Decimal(1),
    "KW": Decimal("0.001"),
    "KILOWATT": Decimal("0.001"),
    "KILOWATTS": Decimal("0.001"),
    "W": Decimal("0.000001"),
    "WATT": Decimal("0.000001"),
    "WATTS": Decimal("0.000001"),
}
_WATT = Decimal("0.000001")
_MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says: an answer to the instruction, or of its delivery."""

    answer: Answer | None = None
    delivery: DeliveryReport | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    """One resource's word: in with so many MW (None: all of it), or out with a reason."""

    opted_in: bool
    mw: Decimal | None = None
    reason: str | None = None


def read_report(report: ReportRequest) -> Said:
    """What a report says to dispatch; `Invalid` where its resources contradict each other or a figure is unreadable.

    Resources that opt in with MW are added up; those that opt out add nothing. Where one opts out and another opts in
    without MW, nobody can tell how much is meant.
    """
    units = {normal(each.payload_type): each.units for each in report.payload_descriptors or () if each.units}
    chosen = [choice for each in report.resources if (choice := _chosen(each, units)) is not None]
    return Said(answer=_answer(chosen, report) if chosen else None, delivery=_delivery(report))


def normal(text: str) -> str:
    """A payload type or value as it is compared: capitals, every other sign an underscore."""
    return re.sub(r"[^A-Z0-9]+", "_", text.strip().upper()).strip("_")


def in_megawatts(value: Decimal, units: str | None) -> Decimal:
    """A power in MW, to the watt; `Invalid` in units that are none of power, or finer than a watt."""
    factor = _PER_MW.get(normal(units or MEGAWATT))
    if factor is None:
        raise _unreadable(f"{units} is not a unit of power here.", "MW, KW or W")
    mw = value * factor
    if mw != mw.quantize(_WATT):
        raise _unreadable("MW go to the watt.", "at most 6 decimal places of a MW")
    return mw


def _answer(chosen: list[_Choice], report: ReportRequest) -> Answer:
    opted_in = [each for each in chosen if each.opted_in]
    if not opted_in:
        reasons = dict.fromkeys(each.reason for each in chosen if each.reason)
        reason = "; ".join(reasons) or f"Opted out by {report.client_name} over OpenADR."
        return Answer(answer="decline", reason=reason[:_MOST_REASON])
    figures = [each.mw for each in opted_in if each.mw is not None]
    if len(figures) == len(opted_in):
        return Answer(answer="acknowledge", mw=sum(figures, Decimal(0)))
    if figures or len(opted_in) < len(chosen):
        raise _unreadable("Some resources opt in without MW and others differ.", "the MW of each that opts in")
    return Answer(answer="acknowledge")


def _chosen(resource: ReportResource, units: dict[str, str]) -> _Choice | None:
    """The first choice among a resource's intervals: an instruction has but one."""
    return next((choice for each in resource.intervals if (choice := _choice(each, units)) is not None), None)


def _choice(interval: Interval, units: dict[str, str]) -> _Choice | None:
    for payload in interval.payloads:
        word, values = _word(payload)
        if word in _IN:
            stated = _figure(payload, values, units)
            return _Choice(True, mw=_setpoint(interval, units) if stated is None else stated)
        if word in _OUT:
            return _Choice(False, reason=next((each for each in values if isinstance(each, str) and each), None))
    return None


def _word(payload: ValuesMap) -> tuple[str, tuple[object, ...]]:
    """The choice a payload makes, by its type or by its first value, and the values besides it."""
    kind, values = normal(payload.type), payload.values
    first = normal(values[0]) if values and isinstance(values[0], str) else ""
    if kind in _CHOICES:
        return first, values[1:]
    if kind == "OPERATING_STATE" and first in _OUT_STATES:
        return OPT_OUT, ()
    if kind in _IN and values and values[0] is False:
        return OPT_OUT, values[1:]
    if kind in _OUT and values and values[0] is False:
        return OPT_IN, values[1:]
    return kind, values


def _figure(payload: ValuesMap, values: tuple[object, ...], units: dict[str, str]) -> Decimal | None:
    figure = next((each for each in values if isinstance(each, Decimal)), None)
    return None if figure is None else in_megawatts(figure, units.get(normal(payload.type)))


def _setpoint(interval: Interval, units: dict[str, str]) -> Decimal | None:
    """The MW that stand beside an opt-in."""
    found = (each for each in interval.payloads if normal(each.type) in _SETPOINTS)
    return next((_figure(each, each.values, units) for each in found), None)


def _delivery(report: ReportRequest) -> DeliveryReport | None:
    """The last thing said of delivery, with what follows it as the reason of a failure."""
    said = [payload.values for payload in _payloads(report) if normal(payload.type) in _DELIVERY]
    for values in reversed(said):
        word = _DELIVERED.get(normal(values[0])) if values and isinstance(values[0], str) else None
        if word is not None:
            reason = next((each for each in values[1:] if isinstance(each, str) and each), None)
            failed = f"Reported by {report.client_name} over OpenADR." if word == "failed" else None
            return DeliveryReport(report=word, reason=(reason or failed or "")[:_MOST_REASON] or None)  # type: ignore[arg-type]
    return None


def _payloads(report: ReportRequest) -> Iterator[ValuesMap]:
    return (payload for each in report.resources for part in each.intervals for payload in part.payloads)


def _unreadable(detail: str, allowed: str) -> Invalid:
    return Invalid.of([Problem("openadr.answer", detail, "resources", allowed)])
