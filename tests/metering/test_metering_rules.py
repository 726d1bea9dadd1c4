"""Claims about revisions of a meter's day, and about what a person should look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chalicelib.metering.models import MeterDay, Revision
from chalicelib.metering.rules import is_news, merged, readings_of, remarks
from tests.builders.metering import METER, SUMMER

KW = 10**6
START = datetime(2026, 6, 16, 23, tzinfo=UTC)


def a_day(values: list[int | None], minutes: int = 30) -> MeterDay:
    return MeterDay(meter_id=METER, day=SUMMER, minutes=minutes, values=tuple(values))


def a_revision(values: list[int | None], hour: int, minutes: int = 30) -> Revision:
    received = datetime(2026, 7, 1, hour, tzinfo=UTC)
    return Revision(day=a_day(values, minutes), received_at=received, source=f"rcp_{hour}")


def test_the_later_file_counts_and_its_blanks_take_nothing_away() -> None:
    later, earlier = a_revision([None, 5, 6], 12), a_revision([1, 2, None], 9)
    expected = {START: 1, START + timedelta(minutes=30): 5, START + timedelta(hours=1): 6}
    assert merged([later, earlier]) == expected == merged([earlier, later])
    assert merged([]) == {}


def test_a_later_file_of_other_periods_stands_alone() -> None:
    assert merged([a_revision([1] * 48, 9), a_revision([7], 12, minutes=15)]) == {START: 7}


def test_only_what_does_not_hold_already_is_news() -> None:
    held = [a_revision([1, 2, None], 9)]
    assert not is_news(a_day([1, None, None]), held)
    assert is_news(a_day([1, 3, None]), held)
    assert is_news(a_day([None, None, 4]), held)
    assert is_news(a_day([1], minutes=15), held)
    assert is_news(a_day([1]), [])
    assert not is_news(a_day([None]), [])


def test_gaps_limits_and_long_runs_are_worth_a_look() -> None:
    def of(values: list[int | None], *limits: Decimal | None) -> list[str]:
        most_import, most_export = limits or (None, None)
        return [remark.code for remark in remarks(a_day(values), most_import, most_export)]

    sound: list[int | None] = [n * KW for n in range(1, 49)]
    assert of(sound) == of(sound, Decimal("0.048"), Decimal(0)) == []
    assert of(sound, Decimal("0.047"), None) == ["readings.beyond_limit"]
    assert of([-value for value in sound if value], Decimal(1), Decimal("0.047")) == ["readings.beyond_limit"]
    assert of([None, *sound[1:]], Decimal(1), Decimal(1)) == ["readings.gap"]
    assert of([*sound[:24], *[0] * 24]) == ["readings.run"]
    assert of([*sound[:24], *[9] * 24]) == ["readings.run"]
    assert of([*sound[:25], *[9] * 23]) == []
    assert of([None] * 48, Decimal(1), Decimal(1)) == ["readings.gap"]


def test_missing_readings_are_not_readings() -> None:
    assert readings_of(a_day([None, 5])) == {START + timedelta(minutes=30): 5}
