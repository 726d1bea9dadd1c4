"""Claims about runs as software meets them over HTTP: asked once per key, followed by its id, told to each side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from chalicelib.storage import keys
from chalicelib.storage.clients import forget_clients
from tests.builders.small_market import Answer, SmallMarket, ask
from tests.tables import create_state


@pytest.fixture(scope="module")
def market() -> Iterator[SmallMarket]:
    with mock_aws():
        forget_clients()
        create_state()
        yield SmallMarket()
    forget_clients()
    keys.forget_keys()


def ask_run(market: SmallMarket, key: str, who: str = "so", **body: str) -> Answer:
    return ask("POST", "/settlement-runs", market.token(who), body, Idempotency_Key=key)


def test_the_same_key_asks_once(market: SmallMarket) -> None:
    first, again = (ask_run(market, "key", month="2026-03", note="trial") for _ in range(2))
    assert (first.status, again.status) == (202, 202)
    assert first.json == again.json
    assert (first.json["number"], first.json["state"], first.json["month"]) == (1, "queued", "2026-03")
    listed = ask("GET", "/settlement-runs", market.token("so", {"read"})).json["items"]
    assert [each["id"] for each in listed if each["month"] == "2026-03"] == [first.json["id"]]


def test_what_a_run_changed_is_known_once_it_is_made(market: SmallMarket) -> None:
    waiting = ask_run(market, "other", month="2026-02").json["id"]
    refused = ask("GET", f"/settlement-runs/{waiting}/differences", market.token("so"))
    assert (refused.status, refused.json["code"]) == (409, "run.not_done")
    made = ask("GET", market.path("/settlement-runs/{run_id}/differences"), market.token("so"))
    assert made.status == 200
    assert isinstance(made.json["items"], list)


def test_days_not_over_and_anothers_month_are_refused(market: SmallMarket) -> None:
    ahead = ask_run(market, "ahead", first="2026-05-01", last="2026-05-12")
    assert (ahead.status, ahead.json["errors"][0]["code"]) == (422, "run.not_over")
    unnamed = ask_run(market, "unnamed", "other_fsp", month="2026-03")
    assert (unnamed.status, unnamed.json["errors"][0]["code"]) == (422, "run.month_of_report")
    theirs = ask_run(market, "theirs", "other_fsp", month="2026-03", so=market.so.organisation)
    assert (theirs.status, theirs.json["code"]) == (404, "report.not_found")
