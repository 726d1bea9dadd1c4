"""A whole local market: started, used, stopped or killed, and started again on the same state."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from local import market_operator
from local.client import Market, Session
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow]
STOPS_WITHIN_SECONDS = 15


def sign_in(market: Market) -> Session:
    return market.sign_in(market_operator.EMAIL, market_operator.PASSWORD)


def create_operator(market: Market, name: str) -> dict[str, Any]:
    body = {"name": name, "people": [{"name": "Bo", "email": f"bo@{name.lower()}.example"}]}
    made: dict[str, Any] = sign_in(market).post("/operators", body, key=name)
    return made


def names(market: Market) -> list[str]:
    return [view["name"] for view in sign_in(market).get("/operators")["items"]]


def test_a_stopped_market_finds_its_state_again(stopped_market: RunningMarket) -> None:
    market = stopped_market.start()
    create_operator(market, "Northmoor")
    market.settle()
    mails = market.mails()
    assert [mail["to"] for mail in mails] == [["bo@northmoor.example"]]
    began = time.monotonic()
    assert stopped_market.interrupt() == 0
    assert time.monotonic() - began < STOPS_WITHIN_SECONDS
    market = stopped_market.start()
    assert names(market) == ["Northmoor"]
    assert market.mails() == mails
    assert stopped_market.interrupt() == 0


def test_a_killed_market_tells_what_it_had_not_told_yet(stopped_market: RunningMarket) -> None:
    market = stopped_market.start()
    create_operator(market, "Northmoor")
    stopped_market.kill()
    market = stopped_market.start()
    assert names(market) == ["Northmoor"]
    market.settle()
    assert [mail["to"] for mail in market.mails()] == [["bo@northmoor.example"]]
    assert create_operator(market, "Northmoor")["name"] == "Northmoor"  # the same key: answered, not done again
    assert names(market) == ["Northmoor"]
    assert stopped_market.interrupt() == 0


def test_a_moved_clock_is_the_apis_and_outlives_the_market(stopped_market: RunningMarket) -> None:
    market = stopped_market.start()
    market.move_clock("2031-04-01T09:00:00Z")
    made = create_operator(market, "Northmoor")
    recorded = sign_in(market).get("/audit", day="2031-04-01", organisation=made["id"])["items"]
    assert recorded
    assert all(record["at"].startswith("2031-04-01T09:0") for record in recorded)
    backwards = httpx.post(f"{stopped_market.address}/local/clock", json={"now": "2031-03-31T09:00:00Z"})
    assert backwards.status_code == 409
    assert "only goes forward" in backwards.json()["detail"]
    assert stopped_market.interrupt() == 0
    assert stopped_market.start().now().startswith("2031-04-01T09:")
    assert stopped_market.interrupt() == 0


@pytest.mark.parametrize(
    "path", ["/", "/mailbox", "/mailbox.json", "/local/health", "/local/clock", "/v1/openapi.json"]
)
def test_every_address_that_a_start_prints_opens(running_market: Market, path: str) -> None:
    found = httpx.get(f"{running_market.address}{path}")
    assert found.status_code == 200
    assert found.content


def test_a_mail_can_be_read_in_the_mailbox(running_market: Market) -> None:
    create_operator(running_market, "Fenland")
    running_market.settle()
    mail = running_market.mails("bo@fenland.example")[0]
    page = httpx.get(f"{running_market.address}/mailbox/{mail['id']}").text
    assert mail["subject"] in page
    assert "bo@fenland.example" in httpx.get(f"{running_market.address}/mailbox").text
    assert httpx.get(f"{running_market.address}/mailbox/none").status_code == 404


@pytest.mark.parametrize("body", ['{"now": "yesterday"}', "{}", '{"now": 5}'])
def test_an_instant_that_is_none_is_refused(running_market: Market, body: str) -> None:
    assert httpx.post(f"{running_market.address}/local/clock", content=body).status_code == 422
