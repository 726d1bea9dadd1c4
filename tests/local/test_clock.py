"""The local market's clock: forward only, kept, and true to what happened before a move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.clock import Backwards, Clock

SOON = timedelta(seconds=5)


def machine() -> datetime:
    return datetime.now(UTC)


def test_a_new_clock_is_the_machines(tmp_path: Path) -> None:
    assert abs(Clock(tmp_path / "clock").now() - machine()) < SOON


def test_a_moved_clock_goes_on_from_there(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    wanted = machine() + timedelta(days=90)
    clock.move_to(wanted)
    assert timedelta(0) <= clock.now() - wanted < SOON


def test_a_move_outlives_a_restart(tmp_path: Path) -> None:
    wanted = machine() + timedelta(days=90)
    Clock(tmp_path / "clock").move_to(wanted)
    assert timedelta(0) <= Clock(tmp_path / "clock").now() - wanted < SOON


def test_the_clock_does_not_go_back(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    clock.move_to(machine() + timedelta(days=2))
    with pytest.raises(Backwards, match="only goes forward"):
        clock.move_to(machine() + timedelta(days=1))


def test_what_happened_before_a_move_keeps_its_time(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    first, before = machine(), machine() - timedelta(minutes=1)
    clock.move_to(first + timedelta(days=10))
    assert clock.at(before) == before
    clock.move_to(first + timedelta(days=30))
    assert clock.at(before) == before
    assert clock.at(machine()) >= first + timedelta(days=30)


def test_what_is_stamped_in_milliseconds_right_after_a_move_counts_as_after(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    wanted = machine() + timedelta(days=1)
    clock.move_to(wanted)
    stamped = datetime.fromtimestamp(int(machine().timestamp() * 1000) / 1000, UTC)
    assert clock.at(stamped) >= wanted - timedelta(milliseconds=1)


def test_a_new_clock_may_begin_in_the_past_and_come_back_to_the_present(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    start = machine() - timedelta(days=7)
    clock.begin_at(start)
    assert timedelta(0) <= clock.now() - start < SOON
    clock.move_to(machine())
    assert abs(clock.now() - machine()) < SOON


def test_a_clock_that_moved_does_not_begin_again(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    clock.move_to(machine() + timedelta(days=1))
    with pytest.raises(Backwards, match="moved already"):
        clock.begin_at(machine() - timedelta(days=7))
