"""A proposal's record is made again without a market: equal as it is, different where anything in it was changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.decisions.actions_proposing import made_from
from chalicelib.decisions.models_proposals import ProposalInput, ProposalRecord
from local import replay_proposal
from tests.builders.bidding import CLOSES
from tests.builders.proposals import an_opened_ballot, options, weigh


@pytest.fixture
def record() -> dict[str, Any]:
    """A what-if over three bids of 2 MW each for 5 MW, as its link gives it."""
    ballots = [an_opened_ballot(number, {"utilisation_price": str(90 + number)}) for number in (1, 2, 3)]
    asked = options(budget="4000")
    given = ProposalInput(
        competition_id="cmp_1",
        competition_reference="NORTH-1",
        number=2,
        asked_at=CLOSES,
        options=asked,
        weighed=weigh(*ballots, asked=asked),
        plain=weigh(*ballots),
    )
    made: dict[str, Any] = json.loads(ProposalRecord(input=given, result=made_from(given)).model_dump_json())
    return made


def replayed(monkeypatch: pytest.MonkeyPatch, folder: Path, *records: Any) -> int:
    paths = []
    for place, content in enumerate(records):
        path = folder / f"{place}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        paths.append(str(path))
    monkeypatch.setattr(sys, "argv", ["replay", *paths])
    return replay_proposal.main()


def test_a_record_as_it_was_kept_is_equal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], record: dict[str, Any]
) -> None:
    assert replayed(monkeypatch, tmp_path, record) == 0
    told = capsys.readouterr().out
    assert "proposal 2 of NORTH-1 (cmp_1)" in told
    assert f"equal: made again from input {record['result']['selection']['digest']}" in told


def change_price(record: dict[str, Any]) -> None:
    record["input"]["weighed"]["request"]["candidates"][0]["cost_per_mw"] = "5000"


def change_accepted(record: dict[str, Any]) -> None:
    record["result"]["selection"]["mw"].popitem()


def change_plain(record: dict[str, Any]) -> None:
    record["result"]["plain"]["cost"] = "1"


def drop_plain(record: dict[str, Any]) -> None:
    record["result"]["plain"] = None


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (change_price, "the input on record has digest"),
        (change_accepted, "what was asked: mw is"),
        (change_plain, "the plain proposal: cost is"),
        (drop_plain, "on one side alone"),
    ],
)
def test_whatever_was_changed_is_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    record: dict[str, Any],
    tamper: Any,
    told: str,
) -> None:
    tamper(record)
    assert replayed(monkeypatch, tmp_path, record) == 1
    output = capsys.readouterr().out
    assert told in output
    assert "different" in output


def test_another_version_of_the_solver_is_told_and_what_it_finds_is_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], record: dict[str, Any]
) -> None:
    record["result"]["selection"]["solver_version"] = "0.9"
    assert replayed(monkeypatch, tmp_path, record) == 0
    assert "made with HiGHS 0.9" in capsys.readouterr().out


def test_what_is_no_record_is_said_and_one_bad_file_spoils_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], record: dict[str, Any]
) -> None:
    assert replayed(monkeypatch, tmp_path, record, "{}") == 1
    assert "no record of a proposal" in capsys.readouterr().out
