"""What the market counts reaches CloudWatch: one line of the log for each, by stage."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.edge.clock import wall_clock
from chalicelib.edge.observe import count
from functions import deliver_dispatch, tick
from infrastructure.code import ROOT
from tests.builders.calls import a_system_call


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"_aws"')]


def test_a_count_is_told_at_once_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    count("files_failed")
    [line] = told(capsys)
    assert line["files_failed"] == [1.0]
    assert (line["service"], line["stage"]) == ("headroom", "test")
    count("files_failed", 2)
    assert [line["files_failed"] for line in told(capsys)] == [[2.0]]


@pytest.mark.usefixtures("market")
def test_every_minute_tells_how_many_audit_records_wait_to_be_sealed(capsys: pytest.CaptureFixture[str]) -> None:
    tick.announce(a_system_call())
    assert [line["audit_unsealed"] for line in told(capsys) if "audit_unsealed" in line] == [[0.0]]


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize(("ago", "at_least", "below"), [(0, 0, 60), (300, 300, 360), (-300, 0, 1)])
def test_a_tick_tells_how_late_it_is_by_the_schedules_own_time(
    capsys: pytest.CaptureFixture[str], ago: int, at_least: int, below: int
) -> None:
    at = wall_clock() - timedelta(seconds=ago)
    message = {"messageId": "m1", "body": json.dumps({"time": at.isoformat()})}
    assert tick.handler({"Records": [message]}, None) == {"batchItemFailures": []}
    [late] = [line["tick_late_seconds"] for line in told(capsys) if "tick_late_seconds" in line]
    assert isinstance(late, list)
    assert at_least <= late[0] < below


@pytest.mark.usefixtures("market")
def test_a_webhooks_try_tells_how_long_it_was_due(capsys: pytest.CaptureFixture[str]) -> None:
    at = wall_clock() - timedelta(seconds=300)
    sent = {
        "at": at.isoformat(),
        "request_id": "req_1",
        "body": dict.fromkeys(("organisation", "webhook", "delivery"), "x"),
    }
    deliver_dispatch.handler({"Records": [{"messageId": "m1", "body": json.dumps(sent)}]}, None)
    [late] = [line["webhook_late_seconds"] for line in told(capsys)]
    assert isinstance(late, list)
    assert 300 <= late[0] < 360


def test_everything_counted_has_its_alarm() -> None:
    alarms = (ROOT / "infrastructure" / "observability.py").read_text()
    for file in (*Path(ROOT, "functions").glob("*.py"), *Path(ROOT, "chalicelib").rglob("*.py")):
        text = file.read_text()
        if "edge.observe import count" in text:
            for part in text.split('count("')[1:]:
                assert f'("{part.split(chr(34))[0]}", ' in alarms, f"{file.name} counts what no alarm watches"
