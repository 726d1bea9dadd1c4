"""Claims about the monthly bill as it is computed from the stacks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from infrastructure import cost
from infrastructure.cost import PRICES, Workload, bill, table, total
from tests.infrastructure.conftest import Templates

IDLE = Workload(**dict.fromkeys((field.name for field in dataclasses.fields(Workload)), 0) | {"bids_per_ballot": 1})


def test_every_price_is_on_the_bill_once(prod: Templates) -> None:
    assert sorted(line.price for line in bill(prod.folder, Workload())) == sorted(PRICES)


def test_a_market_at_rest_costs_its_alarms_keys_firewall_and_polling(prod: Templates) -> None:
    idle = {line.price: line.dollars for line in bill(prod.folder, IDLE)}
    assert idle["CloudWatch alarms"] == pytest.approx(0.1 * len(prod.all("AWS::CloudWatch::Alarm")))
    assert idle["SQS requests, a million"] > 2
    assert idle["DynamoDB write request units, a million"] == 0
    assert 15 < sum(idle.values()) < 40


def test_twice_the_requests_cost_twice_the_gateway(prod: Templates) -> None:
    once, twice = (
        {line.price: line.dollars for line in bill(prod.folder, Workload(requests=requests))}
        for requests in (5_000_000, 10_000_000)
    )
    gateway = "API Gateway REST requests, a million"
    assert twice[gateway] == pytest.approx(2 * once[gateway])


def test_the_documented_bill_is_within_a_tenth_of_the_computed_one(prod: Templates) -> None:
    """`make cost STAGE=prod ARGS=--write` writes it anew."""
    documented = float(cost.DOCUMENT.read_text().split("**together** | | | **")[1].split("*")[0].replace(",", ""))
    assert documented == pytest.approx(total(bill(prod.folder, Workload())), rel=0.1)


def test_the_table_adds_up(prod: Templates) -> None:
    lines = bill(prod.folder, Workload())
    rows = table(lines).splitlines()[2:-1]
    shown = sum(float(row.split("|")[4].replace(",", "")) for row in rows)
    assert shown == pytest.approx(total(lines), abs=0.01 * len(rows))


def test_a_stage_that_was_not_synthesized_has_no_bill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cost, "BUILD", tmp_path)
    monkeypatch.setattr("sys.argv", ["cost", "prod"])
    monkeypatch.setenv("HEADROOM_STAGE", "test")
    assert cost.main() == 1
    assert "make synth STAGE=prod" in capsys.readouterr().err
