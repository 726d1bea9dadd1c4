"""What the market counts reaches CloudWatch: one line of the log for each, by stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.edge.observe import count
from functions import tick
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
    assert [line["audit_unsealed"] for line in told(capsys)] == [[0.0]]


def test_everything_counted_has_its_alarm() -> None:
    alarms = (ROOT / "infrastructure" / "observability.py").read_text()
    for file in (*Path(ROOT, "functions").glob("*.py"), *Path(ROOT, "chalicelib").rglob("*.py")):
        text = file.read_text()
        if "edge.observe import count" in text:
            for part in text.split('count("')[1:]:
                assert f'("{part.split(chr(34))[0]}", ' in alarms, f"{file.name} counts what no alarm watches"
