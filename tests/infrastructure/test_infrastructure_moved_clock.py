"""Claims about the clock of a rehearsal: it moves for whole processes, forward only, and no wait grows with it."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from local.clock import Backwards

pytest.importorskip("libfaketime", reason="the rehearsal group is not installed: make setup-rehearsal")

from infrastructure import moved_clock
from infrastructure.door import DeployedWork
from infrastructure.moved_clock import MovedClock
from local.cloud import launch

SOON = timedelta(seconds=30)
WEEKS = timedelta(days=100)


def told(clock: MovedClock, code: str) -> str:
    command = [sys.executable, "-c", f"import os, time, datetime; print({code})"]
    return subprocess.run(command, env=clock.environment, capture_output=True, text=True, check=True).stdout.strip()


def test_a_process_lives_by_the_moved_clock_and_so_does_one_it_starts(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "ahead")
    clock.move_to(datetime.now(UTC) + WEEKS)
    nested = "__import__('subprocess').run(['date', '+%s'], capture_output=True, text=True).stdout"
    for code in ("time.time()", "datetime.datetime.now(datetime.UTC).timestamp()", nested):
        assert abs(datetime.fromtimestamp(float(told(clock, code)), UTC) - clock.now()) < SOON


def test_a_running_process_sees_each_move_at_once(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "ahead")
    code = "import sys, time\nfor line in sys.stdin: print(time.time(), flush=True)"
    running = subprocess.Popen(
        [sys.executable, "-c", code], env=clock.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None
    assert running.stdout is not None
    with running:
        for days in (10, 20):
            wanted = clock.move_to(datetime.now(UTC) + timedelta(days=days))
            running.stdin.write("now\n")
            running.stdin.flush()
            assert timedelta(0) <= datetime.fromtimestamp(float(running.stdout.readline()), UTC) - wanted < SOON
        running.stdin.close()


def test_a_wait_takes_as_long_as_ever_and_files_keep_their_times(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "ahead")
    clock.move_to(datetime.now(UTC) + WEEKS)
    began = time.monotonic()
    told(clock, "time.sleep(0.2)")
    assert 0.2 <= time.monotonic() - began < SOON.total_seconds()
    assert float(told(clock, f"os.stat({__file__!r}).st_mtime")) == pytest.approx(Path(__file__).stat().st_mtime)


def test_the_clock_of_a_rehearsal_does_not_go_back(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "ahead")
    clock.move_to(datetime.now(UTC) + WEEKS)
    with pytest.raises(Backwards, match="only goes forward"):
        clock.move_to(datetime.now(UTC))


@pytest.mark.parametrize(
    ("library", "platform", "words"), [("absent.so", "linux", "compile it"), (None, "darwin", "Linux only")]
)
def test_where_no_clock_can_be_moved_a_sentence_says_so(
    library: str | None, platform: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    if library:
        monkeypatch.setattr(moved_clock, "_LIBRARY", Path(library))
    with pytest.raises(moved_clock.Unmovable, match=words):
        MovedClock(tmp_path / "ahead")


def test_schedules_fire_by_themselves_when_their_time_comes_and_not_while_they_are_held(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "ahead")
    running = launch.start_deployed(
        tmp_path / "state", launch.free_port(), tmp_path / "log", clock.environment | {"TMPDIR": str(tmp_path)}
    )
    try:
        work = DeployedWork(running.address)
        make_hourly_rule(running.address)
        work.told("hold")
        clock.move_to(clock.now() + timedelta(hours=2))
        time.sleep(2)
        assert work.told()["waiting"] == {}
        work.wake()
        assert work.told()["waiting"] == {"woken": 1}
        clock.move_to(clock.now() + timedelta(hours=2))
        until = time.monotonic() + SOON.total_seconds()
        while work.told()["waiting"] != {"woken": 2}:
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        running.stop()


def make_hourly_rule(address: str) -> None:
    keys = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "local", "region_name": "eu-west-2"}
    boto3.client("sqs", endpoint_url=address, **keys).create_queue(QueueName="woken")
    events = boto3.client("events", endpoint_url=address, **keys)
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "queue", "Arn": "arn:aws:sqs:eu-west-2:000000000000:woken"}])
