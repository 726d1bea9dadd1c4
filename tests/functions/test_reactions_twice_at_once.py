"""Reactions given twice at once, the second whole between any two requests of the first: as if it had come once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chalicelib.decisions import actions as decisions
from chalicelib.kernel.events import Envelope
from chalicelib.storage import outbox
from chalicelib.storage.sealing import forget_keys_held
from functions import draw_up_contracts, prepare_dispatch, requalify
from tests.builders.bidding import BiddingMarket
from tests.builders.market_state import everything_in
from tests.builders.overtaking import overtaken_everywhere
from tests.builders.qualifying import QualifyingMarket
from tests.decisions.test_decisions_flow import LATER, decide_all, operator
from tests.tables import put_back, set_aside

pytestmark = pytest.mark.usefixtures("market")
LONG_AFTER = datetime.fromisoformat("2030-01-01T00:00:00Z")
ROOMS = ("assets", "contracts", "dispatch", "qualification", "notifications")
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def given(handler: Handler, envelope: Envelope) -> None:
    """Give a fact to a function as its queue does: again, where it failed."""
    body = json.dumps({"detail": envelope.model_dump(mode="json")})
    for _ in range(5):
        if handler({"Records": [{"messageId": envelope.id, "body": body}]}, None) == {"batchItemFailures": []}:
            return
    raise AssertionError(f"{envelope.name} was set aside")


def fact(name: str) -> Envelope:
    return next(each for each in outbox.unpublished(LONG_AFTER) if each.name == name)


def state() -> dict[str, Any]:
    """What is in the rooms, and what was told, in any order."""
    rooms = {table: sorted(map(_plain, rows), key=repr) for table, rows in everything_in(*ROOMS).items()}
    return rooms | {"told": sorted((each.name, json.dumps(each.body)) for each in outbox.unpublished(LONG_AFTER))}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without how often something was counted: that may be more often."""
    if str(row["sk"]).startswith(("count#", "commitments")):
        return {name: value for name, value in row.items() if name not in ("version", "following")}
    body = row.get("body")
    if isinstance(body, dict) and isinstance(body.get("sheet"), dict):
        body["sheet"].pop("counted_at", None)
    return row


def check(handler: Handler, envelope: Envelope) -> None:
    before = set_aside()
    given(handler, envelope)
    alone = state()
    put_back(before)
    assert state() != alone, "it does nothing here"
    forget_keys_held()
    for place, _, _ in overtaken_everywhere(lambda: given(handler, envelope), lambda: given(handler, envelope), 4):
        found = state()
        for part, held in alone.items():
            assert found[part] == held, f"{part}, overtaken before request {place}"
        forget_keys_held()


@pytest.fixture
def confirmed(market: None) -> BiddingMarket:
    made = BiddingMarket()
    made.submit(0, price="100")
    made.submit(1, 2, mw="2", price="150")
    decide_all(made)
    decisions.confirm_results(operator(made, LATER, actor="per_2"), made.competition_1.id)
    return made


def test_contracts_are_drawn_up_once(confirmed: BiddingMarket) -> None:
    check(draw_up_contracts.handler, fact("decisions.results_confirmed.v1"))


def test_dispatch_is_prepared_once(confirmed: BiddingMarket) -> None:
    given(draw_up_contracts.handler, fact("decisions.results_confirmed.v1"))
    check(prepare_dispatch.handler, fact("contracts.obligations_drawn_up.v1"))


def qualifying() -> None:
    world = QualifyingMarket()
    world.area()
    world.deliver()
    world.competition()
    world.deliver()
    world.asset("IN", postcode="IP1 1AA")


def test_an_assets_change_is_assessed_once() -> None:
    qualifying()
    found = [each for each in outbox.unpublished(LONG_AFTER) if each.name == "assets.assets_changed.v1"]
    check(requalify.handler, found[-1])
