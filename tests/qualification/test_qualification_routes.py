"""Claims about qualification's endpoints: who gets in, what they answer, and how refusals look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.edge import identity
from chalicelib.kernel.call import Call
from tests.builders.calls import a_call
from tests.builders.qualifying import QualifyingMarket

pytestmark = pytest.mark.usefixtures("market")


class Browser:
    """Sends requests as one organisation or another."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, method: str, path: str, who: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        raw = json.dumps(body).encode() if body is not None else b""
        sent = {"Content-Type": "application/json", "x-who": who, **named}
        answer = self._client.http.request(method, f"/v1{path}", sent, raw)
        return answer.status_code, json.loads(answer.body) if answer.body else None


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


@pytest.fixture
def send(world: QualifyingMarket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    from app import app

    def call_from_request(headers: dict[str, str], context: dict[str, Any], idempotency: Any) -> Call:
        kind, _, organisation = headers["x-who"].partition(":")
        roles = set(headers.get("x-roles", "procurement").split())
        organisation = organisation or (world.so.organisation if kind == "so" else "org_fsp1")
        return a_call(organisation, kind, roles, idempotency=idempotency)

    monkeypatch.setattr(identity, "call_from_request", call_from_request)
    with Client(app) as opened:
        yield Browser(opened)


def test_both_sides_read_answers_and_each_its_own(world, send) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    path = f"/competitions/{competition.id}/qualification"
    for who in ("fsp", "so"):
        status, page = send("GET", path, who)
        assert (status, [item["asset_id"] for item in page["items"]]) == (200, [asset.id])
        assert [line["rule"] for line in page["items"][0]["rules"]] == [
            "location",
            "voltage",
            "capacity",
            "deadline",
            "company",
            "status",
        ]
    assert send("GET", path, "fsp:org_fsp2")[1]["items"] == []
    assert send("GET", path, "market_operator")[0] == 403
    assert send("GET", f"{path}?asset={asset.id}", "fsp:org_fsp2")[0] == 404
    assert send("GET", f"/assets/{asset.id}/qualification", "fsp")[1]["items"][0]["eligible"] is True
    assert send("GET", f"/assets/{asset.id}/qualification", "fsp:org_fsp2")[0] == 404
    assert send("GET", "/competitions/cmp_none/qualification", "fsp")[0] == 404


def test_a_cursor_nobody_gave_is_refused(world, send) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    path = f"/competitions/{competition.id}/qualification?cursor=nonsense"
    assert send("GET", path, "so")[0] == 422


def test_entry_is_put_and_read(world, send) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    path = f"/competitions/{competition.id}/entry"
    status, entry = send("PUT", path, "fsp", {"choice": "entered"})
    assert (status, entry["state"], entry["version"]) == (200, "entered", 1)
    assert send("GET", path, "fsp")[1] == entry
    assert send("PUT", path, "fsp", {"choice": "perhaps"})[0] == 422
    assert send("PUT", path, "fsp", {"choice": "withdrawn"}, x_roles="bidding")[0] == 403
    assert send("GET", path, "so")[0] == 403


def test_entries_sent_twice_under_one_key_are_made_once(world, send) -> None:
    competition = world.competition()
    body = {"choice": "entered", "competition_ids": [competition.id]}
    first = send("POST", "/entries", "fsp", body, idempotency_key="k1")
    assert (first[0], first[1]["entries"][0]["choice"]) == (200, "entered")
    send("PUT", f"/competitions/{competition.id}/entry", "fsp", {"choice": "withdrawn"})
    again = send("POST", "/entries", "fsp", body, idempotency_key="k1")
    assert again[1]["entries"][0]["choice"] == "withdrawn"
    assert send("POST", "/entries", "fsp", {**body, "choice": "undecided"}, idempotency_key="k1")[0] == 422


def test_overrides_are_posted_and_listed(world, send) -> None:
    competition, asset = world.competition(), world.asset()
    path = f"/competitions/{competition.id}/overrides"
    body = {"overrides": [{"asset_id": asset.id, "effect": "disqualify", "reason": "wrong feeder"}]}
    status, made = send("POST", path, "so", body, idempotency_key="k1")
    assert (status, made["overrides"][0]["reason"]) == (200, "wrong feeder")
    assert send("POST", path, "so", body, idempotency_key="k1")[1] == made
    assert send("GET", path, "fsp")[1]["items"] == made["overrides"]
    assert send("POST", path, "fsp", body)[0] == 403
    assert send("POST", path, "so:org_other", body)[0] == 404
    bad = {"overrides": [{"asset_id": "ast_none", "effect": "qualify", "reason": "because"}]}
    status, problem = send("POST", path, "so", bad)
    assert (status, problem["errors"][0]["pointer"]) == (422, "/overrides/0")


def test_participants_are_the_operators_alone(world, send) -> None:
    competition, _ = world.competition(round_ref="R1"), world.asset()
    world.deliver()
    path = f"/competitions/{competition.id}/participants"
    status, page = send("GET", path, "so")
    assert (status, page["items"][0]["fsp"], page["items"][0]["eligible_mw"]) == (200, "org_fsp1", "0.0072")
    assert send("GET", path, "fsp")[0] == 403
    assert send("GET", path, "so:org_other")[0] == 404
    assert send("GET", "/rounds/R1/participants", "so")[1]["items"][0]["eligible"] == 1
    assert send("GET", "/rounds/NONE/participants", "so")[0] == 404
