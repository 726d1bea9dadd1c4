"""Owns how settlement's documents word things: money, quantities, local times, components, states and reasons. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from chalicelib.kernel.quantities import plain
from chalicelib.settlement.methods import PRESETS, Method

MINUS = "−"
NOTHING = "–"
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}

COMPONENTS = {
    "utilisation": "Utilisation",
    "penalty": "Under-delivery charge",
    "availability": "Availability",
    "recovery": "Availability recovery",
    "service_fee": "Service fee",
}
LINE_STATES = {
    "open": "Open",
    "disputed": "Disputed",
    "agreed": "Agreed",
    "invoiced": "Invoiced",
    "paid": "Paid",
}
INSTRUCTION_STATES = {
    "scheduled": "Scheduled",
    "sent": "Sent",
    "acknowledged": "Acknowledged",
    "declined": "Declined",
    "expired": "Expired",
    "cancelled": "Cancelled",
    "delivering": "Delivering",
    "delivered": "Delivered",
    "stopped": "Stopped early",
    "failed": "Failed",
}
INVOICE_STATES = {"issued": "Issued", "paid": "Paid", "credited": "Credited"}
REASONS = {
    "INSUFFICIENT_BASELINE": "Not settled: too little history for a baseline",
    "MISSING_READINGS": "Not settled: meter readings are missing",
}
DIRECTIONS = {"deficit": "turn down demand or generate more", "excess": "turn up demand or generate less"}
PERFORMANCES = {
    "linear_cap": "delivered share",
    "floor_linear": "delivered share above a floor",
    "grace_slope": "grace and slope",
    "step": "steps",
    "penalty": "delivered share and a charge for what is missing",
    "schedule_accuracy": "accuracy of schedules",
}


def currency_sign(currency: str) -> str:
    """`£` for GBP; a currency without a sign of its own stands as its code and a space."""
    return _SIGNS.get(currency, f"{currency} ")


def money(amount: Decimal | None, currency: str = "GBP") -> str:
    """`£2,910.16`, `−£4.00`; a dash where there is no amount."""
    if amount is None:
        return NOTHING
    return f"{MINUS if amount < 0 else ''}{currency_sign(currency)}{abs(amount):,.2f}"


def price(amount: Decimal | None, per: str, currency: str = "GBP") -> str:
    """`£181.20/MWh`: two places, or as many of the four as there are."""
    if amount is None:
        return NOTHING
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"{MINUS if amount < 0 else ''}{currency_sign(currency)}{abs(amount):,.{places}f}/{per}"


def fixed(value: Decimal | None, places: int, unit: str = "") -> str:
    """A number to so many places, half away from zero, its thousands parted: `1,250.0000 MWh`."""
    if value is None:
        return NOTHING
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return _signed(f"{abs(rounded):,f}", rounded < 0) + _unit(unit)


def trimmed(value: Decimal | None, places: int = 6, unit: str = "") -> str:
    """A number to at most so many places without trailing zeros: `0.85`, `0.0036 MW`."""
    if value is None:
        return NOTHING
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return _signed(plain(abs(rounded)), rounded < 0) + _unit(unit)


def per_cent(part: int, whole: int) -> str:
    """`99.93 %`, never rounded up to a hundred that it is not."""
    if whole == 0:
        return NOTHING
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def month_name(month: str) -> str:
    """`April 2026` of `2026-04`."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def day(on: date | None) -> str:
    """`8 May 2026`."""
    return NOTHING if on is None else f"{on.day} {on:%B %Y}"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """`8 May 2026, 10:00 BST`: the local clock, with the zone's name at that instant."""
    if at is None:
        return NOTHING
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M} {local.tzname()}"


def span(starts: datetime, ends: datetime, zone: ZoneInfo) -> str:
    """`Wed 17 Jun 2026, 17:00 to 19:00 BST`; both ends name their zone and day where these differ."""
    first, last = starts.astimezone(zone), ends.astimezone(zone)
    begins = f"{first:%a} {first.day} {first:%b %Y}, {first:%H:%M}"
    if last.date() == first.date() and last.tzname() == first.tzname():
        return f"{begins} to {last:%H:%M} {last.tzname()}"
    until = f"{last:%H:%M}" if _is_same_night(first, last) else f"{last:%a} {last.day} {last:%b %Y}, {last:%H:%M}"
    return f"{begins} {first.tzname()} to {until} {last.tzname()}"


def period(first: date, last: date) -> str:
    """`April 2026` of a whole month, else both days, which are inclusive."""
    if first.day == 1 and (last + timedelta(days=1)).day == 1 and (first.year, first.month) == (last.year, last.month):
        return f"{first:%B %Y}"
    return f"{day(first)} to {day(last)}"


def component(name: str) -> str:
    return COMPONENTS.get(name, name)


def reason(code: str | None) -> str:
    """Why there is no amount, in a sentence, with the code that the API gives."""
    return NOTHING if code is None else f"{REASONS.get(code, 'Not settled')} ({code})"


def rules_version(number: int) -> str:
    """`version 3`; a preset that the operator took as it is has no version of its own."""
    return f"version {number}" if number else "as the preset has it"


def method(how: Method) -> str:
    """A baseline method by the name of its preset, else by its kind."""
    named = next((name for name, each in PRESETS.items() if each == how), None)
    return named or how.kind.replace("_", " ")


def _is_same_night(first: datetime, last: datetime) -> bool:
    """Whether the clocks changed between the two, on one day."""
    return first.date() == last.date()


def _signed(text: str, negative: bool) -> str:
    return f"{MINUS}{text}" if negative and any(figure in text for figure in "123456789") else text


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
