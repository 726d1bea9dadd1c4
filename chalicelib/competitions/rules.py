"""Owns what the calendar decides: a competition's phase at an instant, its milestones, its next waking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.competitions import events
from chalicelib.competitions.models import Competition
from chalicelib.competitions.words import HISTORIC_PHASES, Phase
from chalicelib.kernel.events import Event
from chalicelib.kernel.periods import MIDNIGHT, at_clock, local_day

ARCHIVED_AFTER_CONFIRMATION = timedelta(days=60)
ENTRY_REMINDERS_DAYS = (3, 1)
CLOSES_SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Milestone:
    """An instant of the calendar and the fact that is told once it has passed."""

    at: datetime
    event: Event


def phase(competition: Competition, now: datetime) -> Phase:
    """Where a competition stands at an instant, from its calendar and from what was made of it."""
    if competition.outcome == "withdrawn":
        return "withdrawn"
    if not competition.is_published:
        return "draft"
    if now >= archived_from(competition):
        return "archived"
    if competition.outcome == "confirmed":
        return "confirmed"
    return _by_calendar(competition, now)


def _by_calendar(competition: Competition, now: datetime) -> Phase:
    calendar = competition.calendar
    if now < calendar.qualification_open:
        return "published"
    if now < calendar.qualification_closed:
        return "qualifying"
    if calendar.open is None or calendar.closed is None or now < calendar.open:
        return "qualified"
    return "bidding" if now < calendar.closed else "closed"


def is_historic(competition: Competition, now: datetime) -> bool:
    """`historic` in lists: closed or later."""
    return phase(competition, now) in HISTORIC_PHASES


def is_visible(competition: Competition) -> bool:
    """Whether others than its operator may see it: once published, also after a withdrawal."""
    return competition.is_published


def is_live(competition: Competition, now: datetime) -> bool:
    """Published, not withdrawn, and neither closed nor (where nobody bids) past its last service period."""
    return competition.is_published and competition.outcome == "open" and now < ends_at(competition)


def ends_at(competition: Competition) -> datetime:
    """When the competition ends for those who take part: bidding's close, or the last service period's end."""
    if competition.calendar.closed is not None:
        return competition.calendar.closed
    return at_clock(competition.last_period_end, MIDNIGHT, competition.zone)


def archived_from(competition: Competition) -> datetime:
    """The start of the local day of `archive_on`; else 60 days after confirmation; else the end of the last period.

    Never before the last of the calendar's own dates.
    """
    return max(_archive_day(competition), competition.calendar.closed or competition.calendar.qualification_closed)


def _archive_day(competition: Competition) -> datetime:
    zone = competition.zone
    if competition.calendar.archive_on is not None:
        return at_clock(competition.calendar.archive_on, 0, zone)
    if competition.outcome == "confirmed" and competition.outcome_at is not None:
        return at_clock(local_day(competition.outcome_at, zone) + ARCHIVED_AFTER_CONFIRMATION, 0, zone)
    return at_clock(competition.last_period_end, MIDNIGHT, zone)


def milestones(competition: Competition) -> list[Milestone]:
    """Every instant that is told of a published competition, in order; none of a draft or a withdrawn one.

    A reminder that would fall before what it reminds of has opened is left out.
    """
    if not competition.is_published or competition.outcome == "withdrawn":
        return []
    found = [*_of_qualification(competition), *_of_bidding(competition), _of_archive(competition)]
    return sorted(found, key=lambda milestone: milestone.at)


def crossed(competition: Competition, since: datetime, now: datetime) -> list[Milestone]:
    """The milestones after `since` and not after `now`, in order."""
    return [milestone for milestone in milestones(competition) if since < milestone.at <= now]


def next_check_at(competition: Competition) -> datetime | None:
    """When the competition next wants waking: its first milestone that was not announced; None after the last."""
    return next((each.at for each in milestones(competition) if each.at > competition.announced_until), None)


def of_competition(competition: Competition) -> dict[str, str | None]:
    """What every event of a competition carries."""
    return {"competition_id": competition.id, "so": competition.so, "round_ref": competition.round_ref}


def _of_qualification(competition: Competition) -> list[Milestone]:
    calendar, head = competition.calendar, of_competition(competition)
    found = [Milestone(calendar.qualification_open, events.QualificationOpened(**head))]
    for days in ENTRY_REMINDERS_DAYS:
        at = calendar.qualification_closed - timedelta(days=days)
        if at > calendar.qualification_open:
            found.append(Milestone(at, events.EntryReminderDue(**head, days=days)))
    return [*found, Milestone(calendar.qualification_closed, events.QualificationClosed(**head))]


def _of_bidding(competition: Competition) -> list[Milestone]:
    calendar, head = competition.calendar, of_competition(competition)
    if calendar.open is None or calendar.closed is None:
        return []
    found = [Milestone(calendar.open, events.BiddingOpened(**head))]
    if calendar.closed - CLOSES_SOON > calendar.open:
        found.append(Milestone(calendar.closed - CLOSES_SOON, events.BiddingClosesSoon(**head)))
    return [*found, Milestone(calendar.closed, events.BiddingClosed(**head))]


def _of_archive(competition: Competition) -> Milestone:
    return Milestone(archived_from(competition), events.CompetitionArchived(**of_competition(competition)))
