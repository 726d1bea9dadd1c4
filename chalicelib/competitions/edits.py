"""Owns what may still be changed in a competition: by its phase, each refusal naming the field and why."""

from __future__ import annotations

from datetime import datetime

from chalicelib.competitions.models import Calendar, Competition
from chalicelib.competitions.planning import CLOSES
from chalicelib.competitions.rules import phase
from chalicelib.competitions.terms import CALENDAR
from chalicelib.kernel.errors import Problem, Refused

CALENDAR_FIELDS = (*CALENDAR, "archive_on")
TERMS = tuple(
    name
    for name in Competition.model_fields
    if name
    not in {
        "id",
        "so",
        "calendar",
        "state",
        "published_at",
        "created_at",
        "changed_at",
        "outcome",
        "outcome_at",
        "withdrawal_reason",
        "announced_until",
        "version",
    }
)
WHILE_QUALIFYING = frozenset(
    {
        "name",
        "description",
        "contact",
        "availability_guide_price",
        "utilisation_guide_price",
        "service_fee_guide",
    }
)
AFTER_OPENING = frozenset({"contact"})
FINISHED = {
    "withdrawn": "it was withdrawn",
    "confirmed": "its results are confirmed",
    "archived": "it is archived",
}


def changed_fields(before: Competition, after: Competition) -> tuple[str, ...]:
    """The names, as an operator knows them, of the terms and dates in which two states of a competition differ."""
    terms = [name for name in TERMS if getattr(before, name) != getattr(after, name)]
    dates = [name for name in CALENDAR_FIELDS if getattr(before.calendar, name) != getattr(after.calendar, name)]
    return tuple(_ASKED_AS.get(name, name) for name in (*terms, *dates) if name not in _FOLLOWS)


def check_changeable(competition: Competition, now: datetime) -> None:
    """`Refused` for a competition that is over: nothing of it changes any more."""
    now_phase = phase(competition, now)
    if now_phase in FINISHED:
        raise Refused(f"competition.{now_phase}", f"This competition cannot be changed: {FINISHED[now_phase]}.")


def edit_problems(before: Competition, after: Competition, now: datetime) -> list[Problem]:
    """Every change that the phase no longer allows. A draft may change in everything but its reference."""
    names = changed_fields(before, after)
    problems = [_reference_problem()] if "reference" in names else []
    now_phase = phase(before, now)
    if now_phase == "draft":
        return problems
    if now_phase == "published":
        return problems + _past_problems(before.calendar, after.calendar, now)
    allowed = WHILE_QUALIFYING if now_phase in {"qualifying", "qualified"} else AFTER_OPENING
    fixed = [name for name in names if name not in allowed and name not in (*CALENDAR_FIELDS, "reference")]
    problems += [_fixed_problem(name, now_phase) for name in fixed]
    return problems + _late_date_problems(before.calendar, after.calendar, now)


def _past_problems(before: Calendar, after: Calendar, now: datetime) -> list[Problem]:
    """A published competition's date may move, but not to an instant that has passed."""
    moved = [name for name in CALENDAR if getattr(before, name) != getattr(after, name)]
    return [_past_problem(name) for name in moved if (getattr(after, name) or now) < now]


def _late_date_problems(before: Calendar, after: Calendar, now: datetime) -> list[Problem]:
    """After qualification opens only a close may move, later and before it has passed; `open` may move with it."""
    moved = [name for name in CALENDAR_FIELDS if getattr(before, name) != getattr(after, name)]
    closes = [name for name in moved if name in CLOSES]
    problems = [_date_problem(name) for name in moved if name not in (*CLOSES, "open")]
    problems += [problem for name in closes for problem in _close_problems(name, before, after, now)]
    if "open" in moved:
        problems += _open_problems(before, after, now, bool(closes))
    return problems


def _close_problems(name: str, before: Calendar, after: Calendar, now: datetime) -> list[Problem]:
    was, wanted = getattr(before, name), getattr(after, name)
    if was is None or wanted is None:
        return [_date_problem(name)]
    if now >= was:
        detail = f"The date {name.replace('_', ' ')} has passed and cannot be moved any more."
        return [Problem("edit.close_passed", detail, name, "the date as it was")]
    if wanted < was:
        detail = f"The date {name.replace('_', ' ')} may only be moved later once qualification has opened."
        return [Problem("edit.close_earlier", detail, name, "the date as it was, or later")]
    return []


def _open_problems(before: Calendar, after: Calendar, now: datetime, with_close: bool) -> list[Problem]:
    if before.open is None or after.open is None:
        return [_date_problem("open")]
    if now >= before.open:
        return [Problem("edit.open_passed", "Bidding has opened already.", "open", "the date as it was")]
    if after.open < before.open or not with_close:
        detail = "The opening of bidding may only move later, together with a close."
        return [Problem("edit.open_alone", detail, "open", "the date as it was, or later together with a close")]
    return []


def _reference_problem() -> Problem:
    detail = "The reference of a competition never changes."
    return Problem("edit.reference", detail, "reference", "the reference as it was; or a new competition")


def _fixed_problem(name: str, now_phase: str) -> Problem:
    since = "bidding has opened" if now_phase in {"bidding", "closed"} else "qualification has opened"
    detail = f"The {name.replace('_', ' ')} cannot be changed: {since}."
    return Problem("edit.fixed", detail, name, "the value as it was; or withdraw the competition and publish it anew")


def _date_problem(name: str) -> Problem:
    detail = f"The date {name.replace('_', ' ')} cannot be changed once qualification has opened."
    return Problem("edit.date", detail, name, "the date as it was")


def _past_problem(name: str) -> Problem:
    detail = f"The date {name.replace('_', ' ')} cannot be moved into the past."
    return Problem("edit.past", detail, name, "a date to come")


_ASKED_AS = {"windows": "service_windows"}
_FOLLOWS = frozenset({"zones", "scheme_id", "overrides_from", "allow_negative_prices"})
