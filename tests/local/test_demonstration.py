"""The market a first start shows: four logins, one round to bid in, another one to qualify for."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from local.client import Market
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow]


def logins(running: RunningMarket) -> dict[str, tuple[str, str]]:
    told = json.loads((running.folder / "logins.json").read_text())
    return {login["who"]: (login["email"], login["password"]) for login in told}


def phases(market: Market, login: tuple[str, str]) -> Counter[str]:
    return Counter(each["phase"] for each in market.sign_in(*login).all("/competitions"))


def test_a_first_start_shows_a_market_and_a_second_start_the_same(stopped_market: RunningMarket) -> None:
    stopped_market.options = ()
    market = stopped_market.start()
    known = logins(stopped_market)
    assert [who.split(",")[0] for who in known] == ["FSP", "second FSP", "SO", "market operator"]
    fsp, _, so, _ = known.values()
    assert phases(market, so) == Counter(bidding=2, qualifying=2)
    assert list(market.sign_in(*fsp).all("/bidding-opportunities"))
    assert market.settle()["dead"] == {}
    mails = market.mails()
    assert stopped_market.interrupt() == 0
    market = stopped_market.start()
    assert logins(stopped_market) == known
    assert phases(market, so) == Counter(bidding=2, qualifying=2)
    assert market.mails() == mails
    assert stopped_market.interrupt() == 0
