"""Claims about operations over HTTP: formats, refusals with every problem, and requests sent twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from chalicelib.storage import keys
from chalicelib.storage.clients import forget_clients
from tests.builders.small_market import SmallMarket, ask
from tests.tables import create_state


@pytest.fixture(scope="module")
def small() -> Iterator[SmallMarket]:
    """One small market: NORTH-1 is contracted for Peak Reduction, so that its schedule stands."""
    with mock_aws():
        forget_clients()
        create_state()
        yield SmallMarket()
    forget_clients()
    keys.forget_keys()


def test_the_schedule_comes_as_json_csv_and_calendar(small: SmallMarket) -> None:
    token = small.token("fsp")
    assert ask("GET", "/dispatch-schedule?limit=2", token).json["items"][0]["state"] == "scheduled"
    csv = ask("GET", "/dispatch-schedule?format=csv", token)
    assert csv.headers["Content-Type"].startswith("text/csv")
    assert csv.content.startswith(b"instruction_id,obligation_id")
    calendar = ask("GET", "/dispatch-schedule?format=ics", token)
    assert calendar.headers["Content-Type"].startswith("text/calendar")
    assert calendar.content.startswith(b"BEGIN:VCALENDAR")


def test_a_refused_instruction_is_told_with_its_place_in_the_request(small: SmallMarket) -> None:
    asked = {"obligation_id": small.things["obligation_id"], "client_token": "x", "mw": "1"}
    answer = ask("POST", "/instructions", small.token("so"), {"instructions": [asked]})
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/instructions/0/start"


def test_a_test_sent_twice_under_one_key_is_one(small: SmallMarket) -> None:
    asked = {"obligation_id": small.things["obligation_id"], "client_token": "key"}
    first, again = (ask("POST", "/test-instructions", small.token("so"), asked, Idempotency_Key="k") for _ in range(2))
    assert first.status == again.status == 201
    assert first.json["id"] == again.json["id"]


def test_a_webhooks_secret_is_shown_when_it_is_made_and_never_again(small: SmallMarket) -> None:
    made = ask("POST", "/webhooks", small.token("so"), {"url": "https://so.example/hook"})
    assert made.json["secret"].startswith("whsec_")
    seen = ask("GET", f"/webhooks/{made.json['id']}", small.token("so"))
    assert seen.json.get("secret") is None


def test_the_control_room_is_the_operators(small: SmallMarket) -> None:
    assert ask("GET", "/control-room", small.token("so")).json["items"] == []
    assert ask("GET", "/control-room", small.token("fsp")).status == 403
