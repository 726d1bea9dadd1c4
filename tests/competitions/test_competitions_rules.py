"""The calendar decides: phases, milestones and the next waking, at every instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.competitions import events, rules
from chalicelib.competitions.models import Competition
from tests.builders.competitions import a_competition, a_published, window_values


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        ("2026-05-01T07:59:59", "published"),
        ("2026-05-01T08:00", "qualifying"),
        ("2026-05-29T15:59:59", "qualifying"),
        ("2026-05-29T16:00", "qualified"),
        ("2026-06-01T07:59:59", "qualified"),
        ("2026-06-01T08:00", "bidding"),
        ("2026-06-12T15:59:59", "bidding"),
        ("2026-06-12T16:00", "closed"),
        ("2026-09-30T22:59:59", "closed"),
        ("2026-09-30T23:00", "archived"),
    ],
)
def test_the_phase_changes_at_the_very_instant_of_the_calendar(now: str, phase: str) -> None:
    assert rules.phase(a_published(), utc(now)) == phase


def test_a_draft_stays_a_draft_whatever_the_date() -> None:
    assert rules.phase(a_competition(), utc("2030-01-01T00:00")) == "draft"


def test_facts_go_before_dates() -> None:
    at = utc("2026-06-20T12:00")
    assert rules.phase(a_published(outcome="withdrawn", outcome_at=at), utc("2026-05-02T12:00")) == "withdrawn"
    confirmed = a_published(outcome="confirmed", outcome_at=at)
    assert rules.phase(confirmed, utc("2026-06-21T12:00")) == "confirmed"
    assert rules.phase(confirmed, utc("2026-08-18T22:59")) == "confirmed"
    assert rules.phase(confirmed, utc("2026-08-18T23:00")) == "archived"
    assert rules.phase(a_competition(outcome="withdrawn", outcome_at=at), at) == "withdrawn"


def test_an_archive_date_counts_from_the_start_of_its_local_day_but_never_before_the_close() -> None:
    assert rules.archived_from(a_published(archive_on="2026-12-01")) == utc("2026-12-01T00:00")
    assert rules.archived_from(a_published(archive_on="2026-06-12")) == utc("2026-06-12T16:00")


def test_a_visibility_only_competition_is_never_bid_and_lives_until_its_last_period_ends() -> None:
    competition = a_published(open=None, closed=None)
    assert rules.phase(competition, utc("2026-07-15T12:00")) == "qualified"
    assert rules.ends_at(competition) == utc("2026-09-30T23:00")
    assert rules.is_live(competition, utc("2026-09-30T22:59"))
    names = [type(each.event).__name__ for each in rules.milestones(competition)]
    assert "BiddingOpened" not in names
    assert "BiddingClosed" not in names


def test_live_is_published_open_and_not_over() -> None:
    before, after = utc("2026-06-12T15:59"), utc("2026-06-12T16:00")
    assert rules.is_live(a_published(), before)
    assert not rules.is_live(a_published(), after)
    assert not rules.is_live(a_competition(), before)
    assert not rules.is_live(a_published(outcome="withdrawn", outcome_at=before), before)
    assert not rules.is_historic(a_published(), before)
    assert rules.is_historic(a_published(), after)
    assert rules.is_visible(a_published())
    assert not rules.is_visible(a_competition())


def test_every_date_is_told_in_order() -> None:
    told = [(f"{each.at:%m-%dT%H}", type(each.event).__name__) for each in rules.milestones(a_published())]
    assert told == [
        ("05-01T08", "QualificationOpened"),
        ("05-26T16", "EntryReminderDue"),
        ("05-28T16", "EntryReminderDue"),
        ("05-29T16", "QualificationClosed"),
        ("06-01T08", "BiddingOpened"),
        ("06-11T16", "BiddingClosesSoon"),
        ("06-12T16", "BiddingClosed"),
        ("09-30T23", "CompetitionArchived"),
    ]


def test_drafts_and_withdrawn_competitions_tell_nothing() -> None:
    assert rules.milestones(a_competition()) == []
    assert rules.milestones(a_published(outcome="withdrawn", outcome_at=utc("2026-05-02T00:00"))) == []
    assert rules.next_check_at(a_competition()) is None


def test_reminders_before_an_opening_are_left_out() -> None:
    day_ahead = a_published(
        qualification_open="2026-05-01T09:00:00",
        qualification_closed="2026-05-01T12:00:00",
        open="2026-05-01T12:00:00",
        closed="2026-05-01T18:00:00",
    )
    names = [type(each.event).__name__ for each in rules.milestones(day_ahead)]
    assert names[:4] == ["QualificationOpened", "QualificationClosed", "BiddingOpened", "BiddingClosed"]


def test_the_archive_is_told_and_then_nothing_wakes_any_more() -> None:
    announced = a_published(announced_until=utc("2026-09-30T23:00"))
    assert rules.next_check_at(announced) is None


def test_a_reminder_says_how_many_days_are_left() -> None:
    days = [
        each.event.days for each in rules.milestones(a_published()) if isinstance(each.event, events.EntryReminderDue)
    ]
    assert days == [3, 1]


INSTANTS = st.datetimes(datetime(2026, 4, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ORDER = ("published", "qualifying", "qualified", "bidding", "closed", "archived")


@st.composite
def competitions(draw: st.DrawFn) -> Competition:
    """Any calendar in order, with bidding or without."""
    start = draw(INSTANTS)
    steps = [draw(st.integers(1, 60 * 24 * 40)) for _ in range(3)]
    qualified = start + timedelta(minutes=steps[0])
    opened = qualified + timedelta(minutes=draw(st.integers(0, 60 * 24 * 10)))
    bid = draw(st.booleans())
    return a_published(
        qualification_open=start.isoformat(),
        qualification_closed=qualified.isoformat(),
        open=opened.isoformat() if bid else None,
        closed=(opened + timedelta(minutes=steps[1])).isoformat() if bid else None,
        service_windows=[window_values(service_period_start="2026-07-01", service_period_end="2027-01-31")],
    )


@settings(deadline=None)
@given(competitions(), INSTANTS, INSTANTS)
def test_phases_only_go_forward(competition: Competition, one: datetime, two: datetime) -> None:
    early, late = sorted((one, two))
    assert ORDER.index(rules.phase(competition, early)) <= ORDER.index(rules.phase(competition, late))


@settings(deadline=None)
@given(competitions(), st.lists(INSTANTS, max_size=8))
def test_each_milestone_is_crossed_once_however_often_the_minute_strikes(
    competition: Competition, strikes: list[datetime]
) -> None:
    begin, finish = datetime(2026, 3, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    times = [begin, *sorted(strikes), finish]
    told = [each for since, now in pairwise(times) for each in rules.crossed(competition, since, now)]
    assert told == rules.milestones(competition)


@settings(deadline=None)
@given(competitions(), INSTANTS)
def test_the_next_waking_is_the_next_milestone(competition: Competition, now: datetime) -> None:
    at = rules.next_check_at(competition.but(announced_until=now))
    later = [each.at for each in rules.milestones(competition) if each.at > now]
    assert at == (later[0] if later else None)
    assert at is None or rules.crossed(competition, now, at)
