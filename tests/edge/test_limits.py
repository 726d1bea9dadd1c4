"""How often one client may ask, and that nobody else waits for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.edge import limits
from chalicelib.edge.limits import Door, Rate
from chalicelib.edge.web import ENDPOINTS
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import TooMany
from chalicelib.storage.clients import client
from chalicelib.storage.settings import table_name
from tests.builders.calls import NOON, a_call

HERE, THERE = "192.0.2.7", "198.51.100.9"
DOOR = Door(Rate(3, 60), Rate(2, 60), lambda call, arguments, headers: arguments.get("account"))


@pytest.fixture(autouse=True)
def _limited(market: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEADROOM_RATE_LIMITS", "1")
    limits.forget_paces()
    yield
    limits.forget_paces()


def at(seconds: float) -> Call:
    moment = datetime.fromisoformat(NOON) + timedelta(seconds=seconds)
    return a_call(None, None, frozenset(), now=moment.isoformat())  # type: ignore[arg-type]


def come(seconds: float = 0, source: str = HERE, account: str | None = None, door: Door = DOOR) -> int:
    """0 when let in, else the seconds to wait."""
    try:
        limits.check_door("door", door, at(seconds), source, {"account": account}, {})
    except TooMany as refusal:
        return refusal.retry_after or -1
    return 0


def test_a_source_is_let_in_so_often_and_then_told_when_to_come_back() -> None:
    assert [come() for _ in range(4)] == [0, 0, 0, 20]
    assert come(19) == 1
    assert come(20) == 0
    assert come(20) == 20


def test_a_source_that_waited_long_enough_has_everything_back() -> None:
    assert [come() for _ in range(3)] == [0, 0, 0]
    assert [come(60) for _ in range(4)] == [0, 0, 0, 20]


def test_another_source_does_not_wait() -> None:
    assert [come() for _ in range(4)][-1] == 20
    assert come(source=THERE) == 0


def test_an_account_is_counted_over_all_sources() -> None:
    assert [come(source=f"192.0.2.{number}", account="ann") for number in range(3)] == [0, 0, 30]
    assert come(source="192.0.2.99", account="bo") == 0


def test_the_addresses_of_one_ipv6_network_are_one_source() -> None:
    inside = [f"2001:db8:1:2::{number}" for number in range(1, 5)]
    assert [come(source=source) for source in inside] == [0, 0, 0, 20]
    assert come(source="2001:db8:1:3::1") == 0


def test_what_is_kept_expires_and_names_nobody() -> None:
    come(account="ann@flex.example")
    rows = client("dynamodb").scan(TableName=table_name("claims"))["Items"]
    assert len(rows) == 2
    assert "ann" not in json.dumps(rows)
    assert HERE not in json.dumps(rows)
    assert all(int(row["expires_at"]["N"]) > datetime.fromisoformat(NOON).timestamp() for row in rows)


def test_limits_can_be_widened_and_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_RATE_LIMITS", "2")
    assert [come() for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]
    monkeypatch.setenv("HEADROOM_RATE_LIMITS", "off")
    assert [come() for _ in range(9)] == [0] * 9


def test_every_client_has_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PACE", Rate(2, 10))
    ann, bo = a_call(actor="per_ann"), a_call(actor="per_bo")
    limits.check_pace(ann, HERE)
    limits.check_pace(ann, THERE)
    limits.check_pace(bo, HERE)
    with pytest.raises(TooMany) as refused:
        limits.check_pace(ann, HERE)
    assert refused.value.retry_after == 5
    limits.check_pace(at(0), HERE)
    limits.check_pace(at(0), HERE)
    with pytest.raises(TooMany):
        limits.check_pace(at(0), HERE)


@given(
    moments=st.lists(st.integers(0, 300_000), max_size=60).map(sorted),
    times=st.integers(1, 10),
    seconds=st.integers(1, 100),
)
def test_no_client_ever_gets_more_than_the_rate_allows(moments: list[int], times: int, seconds: int) -> None:
    """In any stretch: what the bucket holds, and what flowed into it meanwhile."""
    paces, rate = limits._Paces(), Rate(times, seconds)
    let_in = [moment for moment in moments if paces.wait("ann", moment, rate) == 0]
    for first, start in enumerate(let_in):
        for last in range(first, len(let_in)):
            allowed = times + (let_in[last] - start) / rate.step
            assert last - first + 1 <= allowed + 0.001


def test_everything_public_that_does_something_has_a_door_and_no_door_leads_nowhere() -> None:
    import app

    assert app.app
    doors = [limits.door_of(each.name, each.who.is_public, each.method != "GET") for each in ENDPOINTS]
    public = [door for each, door in zip(ENDPOINTS, doors, strict=True) if each.who.is_public and each.method != "GET"]
    assert public
    assert None not in public
    assert set(limits.DOORS) - {each.name for each in ENDPOINTS} <= {"check_eligibility"}


def body_of(name: str) -> Any:
    person = {"email": "ann@fsp1.example", "password": "correct horse battery", "code": "ABCD2345"}
    return {
        "sign_in": ("/sessions", {"email": person["email"], "password": "wrong"}),
        "ask_password_reset": ("/password-resets", {"email": person["email"]}),
        "confirm_password_reset": ("/password-resets/confirmation", person),
        "verify_registration": ("/registrations/reg_1/verification", {"code": "ABCD2345"}),
        "issue_token": ("/token", {"grant_type": "client_credentials", "client_id": "mac_1", "client_secret": "x"}),
    }[name]


@pytest.mark.parametrize(
    "name", ["sign_in", "ask_password_reset", "confirm_password_reset", "verify_registration", "issue_token"]
)
def test_guessing_at_an_account_comes_to_an_end_over_http(name: str) -> None:
    from tests.builders.registry import given_pool
    from tests.builders.small_market import ask

    given_pool()
    path, body = body_of(name)
    most = limits.DOORS[name].per_account
    assert most is not None
    answers = [ask("POST", path, None, body) for _ in range(most.times + 1)]
    assert 429 not in [answer.status for answer in answers[:-1]]
    assert answers[-1].status == 429
    assert answers[-1].json["code"] == "limits.exceeded"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= most.seconds
