"""Owns what an answer says in words: each rule's two things compared and what would make it pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from chalicelib.assets.models import ONE_KV
from chalicelib.kernel.quantities import plain
from chalicelib.qualification.models import RULES, Answer, Loss, Override, Rule, RuleResult
from chalicelib.qualification.rules import OWN_LIST, PASSING_STATUSES, passes

_DIRECTIONS = {
    ("Active Power", "Deficit"): "generation turn up or demand turn down",
    ("Active Power", "Excess"): "generation turn down or demand turn up",
    ("Reactive Power", "Import"): "reactive import",
    ("Reactive Power", "Export"): "reactive export",
}
_NO_PLACE = "location unknown"


def trace(answer: Answer) -> tuple[RuleResult, ...]:
    """Every rule's line, in the order of `RULES`."""
    return tuple(_line(answer, rule) for rule in RULES)


def failing(answer: Answer) -> list[RuleResult]:
    return [line for line in trace(answer) if not line.passed]


def loss_sentence(loss: Loss, answer: Answer) -> str:
    """Why an asset that qualified brings less, or nothing, since the close."""
    before, after = quantity(answer.capacity_mw, answer), quantity(answer.remaining_mw, answer)
    return {
        "lower capacity": f"since qualification closed its capacity went from {before} to {after}",
        "archived": "archived since qualification closed",
        "approval lost": f"the approval in scheme {answer.scheme_ref} was lost since qualification closed",
    }[loss]


def override_sentence(override: Override) -> str:
    act = "qualified" if override.effect == "qualify" else "disqualified"
    return f"{act} by the operator: {override.reason}"


def quantity(amount: Decimal, answer: Answer) -> str:
    return f"{plain(amount)} {'MW' if answer.power_type == 'Active Power' else 'MVAr'}"


def moment(instant: datetime) -> str:
    """An instant as people read it, in UTC: "1 April 2026 09:00 UTC"."""
    seconds = f":{instant:%S}" if instant.second else ""
    return f"{instant.day} {instant:%B %Y %H:%M}{seconds} UTC"


def _line(answer: Answer, rule: Rule) -> RuleResult:
    found, needed = _COMPARED[rule](answer)
    passed = passes(answer, rule)
    would_pass = None if passed else _REMEDIES[rule](answer)
    detail = f"{found}; {needed}"
    return RuleResult(rule=rule, passed=passed, found=found, needed=needed, detail=detail, would_pass=would_pass)


def _location(answer: Answer) -> tuple[str, str]:
    return _where(answer), _where_needed(answer)


def _where(answer: Answer) -> str:
    if answer.match is not None:
        return _matched(answer)
    if answer.area is None:
        return "outside every area by 1 km or more" if answer.placed else _NO_PLACE
    if not answer.distance_m:
        return f"inside {_boundary(answer)}, but its meter is not on a list"
    return f"{plain(answer.distance_m)} m outside {_boundary(answer)}"


def _matched(answer: Answer) -> str:
    return {
        "meter": f"its meter is listed for {_boundary(answer)}",
        "area": f"inside {_boundary(answer)}",
        "postcode": f"its postcode is listed for {_boundary(answer)}",
        "bounding box": f"inside a bounding box of {_boundary(answer)}",
        "buffer": f"{plain(answer.distance_m or Decimal(0))} m outside {_boundary(answer)}",
    }[str(answer.match)]


def _boundary(answer: Answer) -> str:
    return "the competition's own boundaries" if answer.area == OWN_LIST else f"area {answer.area}"


def _where_needed(answer: Answer) -> str:
    widened = f", widened by {plain(answer.buffer_m)} m" if answer.buffer_m else ""
    return {
        "area_or_meter": f"needs to be in an area{widened}, or to have its meter listed",
        "area": f"needs to be in an area{widened}",
        "meter": "needs its meter listed for an area",
    }[answer.location_rule]


def _location_remedy(answer: Answer) -> str:
    if answer.location_rule == "meter":
        return "ask the operator to list its meter, or correct the meter id"
    if not answer.placed:
        return "give latitude and longitude, or a postcode that the gazetteer knows"
    if answer.distance_m:
        gap = answer.distance_m - answer.buffer_m
        return f"{plain(gap if gap > 0 else answer.distance_m)} m closer would pass; check the coordinates"
    return "only assets in these areas can take part; check the coordinates"


def _voltage(answer: Answer) -> tuple[str, str]:
    level = " (low voltage)" if answer.voltage_kv < ONE_KV else ""
    return f"connected at {plain(answer.voltage_kv)} kV{level}", f"needs {voltage_limits(answer)}"


def voltage_limits(answer: Answer) -> str:
    """The limits in words: "6.6 to 33 kV"."""
    lowest, highest = answer.lowest_kv, answer.highest_kv
    if lowest is not None and highest is not None:
        return f"{plain(lowest)} to {plain(highest)} kV"
    if lowest is not None:
        return f"{plain(lowest)} kV or more"
    return "no particular voltage" if highest is None else f"{plain(highest)} kV or less"


def _voltage_remedy(answer: Answer) -> str:
    return f"a connection at {voltage_limits(answer)}; correct the voltage if it is wrong"


def _capacity(answer: Answer) -> tuple[str, str]:
    return f"has {quantity(answer.capacity_mw, answer)} of {_wanted(answer)}", "needs more than 0"


def _capacity_remedy(answer: Answer) -> str:
    return f"enter a capacity for {_wanted(answer)}"


def _wanted(answer: Answer) -> str:
    return _DIRECTIONS[answer.power_type, answer.direction]


def _deadline(answer: Answer) -> tuple[str, str]:
    needed = f"needs to be complete before qualification closes on {moment(answer.deadline)}"
    return f"complete since {moment(answer.complete_since)}", needed


def _deadline_remedy(answer: Answer) -> str:
    return "too late for this competition; it will count in the next one"


def _company(answer: Answer) -> tuple[str, str]:
    if answer.scheme_ref is None:
        return "no company qualification asked for", "needs none"
    state = answer.company_state or "without an application"
    return f"{state} in scheme {answer.scheme_ref}", f"needs approval in scheme {answer.scheme_ref}"


def _company_remedy(answer: Answer) -> str:
    return {
        None: f"apply to scheme {answer.scheme_ref}",
        "draft": f"submit the application to scheme {answer.scheme_ref}",
        "submitted": f"the operator must approve the application to scheme {answer.scheme_ref}",
        "approved": "the approval came after qualification had closed",
        "suspended": "ask the operator to reinstate the approval",
    }.get(answer.company_state, f"correct the application to scheme {answer.scheme_ref} and submit it again")


def _status(answer: Answer) -> tuple[str, str]:
    return f"status {answer.status}", f"needs {' or '.join(PASSING_STATUSES)}"


def _status_remedy(answer: Answer) -> str:
    return f"set the status to {' or '.join(PASSING_STATUSES)}"


_COMPARED: dict[Rule, Callable[[Answer], tuple[str, str]]] = {
    "location": _location,
    "voltage": _voltage,
    "capacity": _capacity,
    "deadline": _deadline,
    "company": _company,
    "status": _status,
}
_REMEDIES: dict[Rule, Callable[[Answer], str]] = {
    "location": _location_remedy,
    "voltage": _voltage_remedy,
    "capacity": _capacity_remedy,
    "deadline": _deadline_remedy,
    "company": _company_remedy,
    "status": _status_remedy,
}
