"""Owns who may act when: overrides from the opening of qualification until bidding opens, entry until it closes."""

from __future__ import annotations

from datetime import datetime

from chalicelib.competitions.models import Competition
from chalicelib.kernel.errors import Refused
from chalicelib.qualification.sentences import moment


def is_closed(competition: Competition, now: datetime) -> bool:
    """Whether qualification has closed."""
    return now >= competition.calendar.qualification_closed


def can_enter(competition: Competition, now: datetime) -> bool:
    """Whether an entry can be changed: from the opening of qualification until its close."""
    begun = competition.calendar.qualification_open <= now
    return is_running(competition) and begun and not is_closed(competition, now)


def is_running(competition: Competition) -> bool:
    """Published, and neither withdrawn nor confirmed: answers still matter."""
    return competition.is_published and competition.outcome == "open"


def check_entry_open(competition: Competition, now: datetime) -> None:
    """`Refused` unless entries can be changed at this instant."""
    _check_running(competition)
    _check_begun(competition, now, "Entry")
    if is_closed(competition, now):
        closed = moment(competition.calendar.qualification_closed)
        raise Refused("entry.closed", f"Qualification for {competition.reference} closed on {closed}; entries stand.")


def check_override_open(competition: Competition, now: datetime) -> None:
    """`Refused` unless overrides can be set or lifted at this instant."""
    _check_running(competition)
    _check_begun(competition, now, "Overriding")
    until = override_until(competition)
    if now >= until:
        what = "Qualification closed" if competition.calendar.open is None else "Bidding opened"
        raise Refused("override.closed", f"{what} for {competition.reference} on {moment(until)}; overrides stand.")


def override_until(competition: Competition) -> datetime:
    """When overriding ends: as bidding opens, or, where nobody bids, as qualification closes."""
    return competition.calendar.open or competition.calendar.qualification_closed


def _check_running(competition: Competition) -> None:
    if not is_running(competition):
        state = competition.outcome if competition.is_published else competition.state
        raise Refused(f"competition.{state}", f"Competition {competition.reference} is {state}.")


def _check_begun(competition: Competition, now: datetime, what: str) -> None:
    opens = competition.calendar.qualification_open
    if now < opens:
        sentence = f"{what} begins as qualification for {competition.reference} opens on {moment(opens)}."
        raise Refused("qualification.not_open", sentence)
