"""Ids in bodies and queries: another organisation's tells a stranger as much as one that nobody has, which is nothing.

Generated from the description. An endpoint with an id in its path too looks that thing up first, and another's is not
found (`test_house_access`): what its body names is read within it, so those are not asked here.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.dispatch.openadr_models import PATH as OPENADR
from chalicelib.edge.openapi import describe
from chalicelib.edge.web import ENDPOINTS, Endpoint
from chalicelib.kernel.meters import check_digit
from tests.builders.assets import asset_cells
from tests.builders.filled import placed, places_of
from tests.builders.small_market import FSP, Answer, SmallMarket, ask, openadr_subscription, secrets_of

STRANGERS = {"fsp": "other_fsp", "so": "other_so"}
LIKE_AN_ID = re.compile(r"(_ids?|ID)$")
OF_OURS = {
    "asset": "asset_id",
    "asset_id": "asset_id",
    "asset_ids": "asset_id",
    "competition_id": "competition_id",
    "competition_ids": "competition_id",
    "contracting_entity": "entity_id",
    "eventID": "event_id",
    "fsp": "fsp",
    "instruction_id": "instruction_id",
    "line_ids": "line_id",
    "obligation_id": "obligation_id",
    "organisation": "organisation_id",
    "programID": "program_id",
    "run_id": "run_id",
    "scheme": "scheme_id",
    "so": "so_id",
    "thing": "thing",
    "venID": "ven_id",
    "window_id": "window_id",
    "meter_id": "meter_id",
}
"""By name of field: which of the market's things it names."""

NOT_AN_ID_OF_OURS = {
    "export_meter_id": "a fact about the caller's own asset",
    "import_meter_id": "a fact about the caller's own asset",
    "client_id": "a machine user's own, with its secret",
}
OF_PUBLISHED = {
    ("list_bid_history", "competition_id"): "competition_1",
    ("list_obligations", "competition_id"): "competition_1",
    ("list_bidding_opportunities", "competition_id"): "bidding",
    ("model_ballot", "competition_id"): "bidding",
    ("model_ballot", "window_id"): "window_id",
    ("put_entries", "competition_ids"): "bidding",
}
"""Where a draft is not the thing to ask for: a published competition and its windows are there for everybody."""

KNOWN_TO_ALL = {"so", "fsp", "scheme"}
SUCCEEDS_FOR_ALL = {
    ("set_market_rules", "so"): "the caller's own rules",
    ("propose_agreement", "so"): "an operator may propose to any provider, and to the entity of it that it names",
    ("ask_settlement_run", "so"): "ignored from an operator, who runs its own months",
}
"""What a stranger may do with an id that is not one organisation's, and why."""

ANSWERS_EACH = {"send_readings"}
"""What takes many things at once and says of each what became of it."""

OWNER_SEES_NO_DIFFERENCE = {
    ("list_audit", "organisation"): "for the market operator alone",
    ("add_auto_accept_rule", "so"): "a rule may wait for an operator that has not instructed yet",
    ("list_market_rules", "so"): "this operator has set none: both have the market's own",
    ("list_settlement_reports", "run_id"): "the reports of this market were published without a run",
}


METER = "101234567890" + str(check_digit("101234567890"))
SHAPE = {"unit": "kWh", "positive": "import", "clock": "UTC", "stamp": "start", "minutes": 30}
READINGS = SHAPE | {"series": [{"meter_id": METER, "first": "2026-05-01T00:00:00Z", "figures": ["1"] * 48}]}


@dataclass(frozen=True)
class Named:
    """A field of an endpoint that names a thing."""

    endpoint: Endpoint
    where: str
    path: tuple[str, ...]

    @property
    def field(self) -> str:
        return next(part for part in reversed(self.path) if part != "[]")


def operation(endpoint: Endpoint) -> dict[str, Any]:
    return describe()["paths"][f"/v1{endpoint.path}"][endpoint.method.lower()]


def body_shape(endpoint: Endpoint) -> dict[str, Any]:
    return dict(next(iter(operation(endpoint)["requestBody"]["content"].values()))["schema"])


def all_fields() -> Iterator[Named]:
    for endpoint in sorted(ENDPOINTS, key=lambda endpoint: endpoint.name):
        if endpoint.who.is_public or "{" in endpoint.path:
            continue
        for part in operation(endpoint)["parameters"]:
            if part["in"] == "query":
                yield Named(endpoint, "query", (part["name"],))
        if endpoint.body:
            for path in places_of(body_shape(endpoint)):
                yield Named(endpoint, "body", path)


FIELDS = list(all_fields())
NAMED = [named for named in FIELDS if named.field in OF_OURS]
each = pytest.mark.parametrize("named", NAMED, ids=lambda named: f"{named.endpoint.name}-{'.'.join(named.path)}")


@pytest.fixture(scope="module")
def things(small_market: SmallMarket) -> dict[str, str]:
    """The market's things by name, and an asset's meter."""
    asset = small_market.assets[0]
    more = {name: getattr(small_market, name).id for name in ("competition_1", "bidding")}
    more |= {"fsp": FSP, "thing": f"asset:{asset.id}", "window_id": small_market.bidding.windows[0].id}
    token = small_market.token("fsp")
    assert ask("POST", "/assets", token, asset_cells("MET-1", import_meter_id=METER)).status == 201
    told_of = openadr_subscription().model_copy(update={"program_id": small_market.things["program_id"]})
    subscription = told_of.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert ask("POST", f"{OPENADR}/subscriptions", token, subscription).status == 201
    assert ask("POST", "/meter-data", token, READINGS).json["items"][0]["outcome"] == "created"
    return small_market.things | more | {"meter_id": METER}


def unknown(known: str) -> str:
    """An id of the same form that nobody has."""
    return known[:-3] + ("zz9" if known[-1].isalpha() else "000")


def body_with(market: SmallMarket, named: Named, value: str) -> Any:
    """A body with a value at the field's place: a sound one where the smallest would be refused before it is read."""
    sound = samples(market, named.field).get(named.endpoint.name, {})
    body = placed(body_shape(named.endpoint), named.path, value)
    if named.path[0] in sound and len(named.path) > 1:
        return put(copy.deepcopy(sound), named.path, value)
    others = {"asset_id", "asset_ref"} if named.field in {"asset_id", "asset_ref"} else set()
    return {**body, **{name: part for name, part in sound.items() if name not in {named.path[0], *others}}}


def put(body: Any, path: tuple[str, ...], value: str) -> Any:
    inner = body
    for part in path[:-1]:
        inner = inner[0 if part == "[]" else part]
    inner[0 if path[-1] == "[]" else path[-1]] = value
    return body


def samples(market: SmallMarket, field: str) -> dict[str, Any]:
    window = market.bidding.windows[0].id
    bid = {"window_id": window, "capacity_mw": "1", "maximum_run_time": "PT1H", "utilisation_price": "100"}
    week = {"asset_id": "ast_1", "kw": {"Mon": ["1"] * 48}}
    return {
        "add_openadr_subscription": openadr_subscription().model_dump(mode="json", by_alias=True, exclude_none=True),
        "model_ballot": {"competition_id": market.bidding.id, "bids": [bid]},
        "propose_agreement": {"fsp": FSP, "starts": "2027-06-01"},
        "put_entries": {"choice": "entered"} | ({"round_ref": "R1"} if field == "so" else {}),
        "state_nominations": {
            "nominations": [{"asset_id": "ast_1", "day": "2026-06-01", "kw": ["1"] * 48}],
            "weekly_templates": [week],
        },
        "preview_baseline": {
            "asset_id": market.assets[0].id,
            "starts": "2026-05-01T10:00:00Z",
            "ends": "2026-05-01T11:00:00Z",
        },
        "ask_settlement_run": {"month": "2026-03"},
        "send_readings": READINGS,
    }


def asked(market: SmallMarket, named: Named, who: str, value: str) -> Answer:
    endpoint, token = named.endpoint, market.token(who)
    headers = {"If_Match": '"1"'} if endpoint.if_match else {}
    if named.where == "body":
        return ask(endpoint.method, endpoint.path, token, body_with(market, named, value), **headers)
    wanted = {part["name"] for part in operation(endpoint)["parameters"] if part["in"] == "query" and part["required"]}
    query = {name: "2026-05" if name == "month" else "2026-05-01" for name in wanted} | {named.path[0]: value}
    return ask(endpoint.method, f"{endpoint.path}?{'&'.join(f'{name}={text}' for name, text in query.items())}", token)


def told(answer: Answer, value: str) -> tuple[int, str]:
    """What an answer says, but for the id asked with, the request's own and instants."""
    text = answer.content.decode().replace(json.dumps(value)[1:-1], "…")
    return answer.status, re.sub(r'"(request_id|id|at|created_at|asked_at)": ?"[^"]*"', "", text)


def is_for_all(named: Named, kind: str) -> bool:
    """Organisations, schemes and published competitions are known to everybody; what is theirs is not."""
    name = named.endpoint.name
    return (name, kind) in SUCCEEDS_FOR_ALL or (name, named.field) in OF_PUBLISHED or named.field in KNOWN_TO_ALL


def kinds_of(endpoint: Endpoint) -> list[str]:
    return sorted({kind for kind, _ in endpoint.who.openings} & STRANGERS.keys())


def test_every_field_that_looks_like_an_id_is_asked_with_or_says_why_not() -> None:
    odd = {named.field for named in FIELDS if LIKE_AN_ID.search(named.field)}
    assert odd
    assert odd - OF_OURS.keys() - NOT_AN_ID_OF_OURS.keys() == set()


@each
def test_an_id_of_anothers_says_as_little_as_one_nobody_has(
    small_market: SmallMarket, things: dict[str, str], named: Named
) -> None:
    ours = things[OF_PUBLISHED.get((named.endpoint.name, named.field), OF_OURS[named.field])]
    for kind in kinds_of(named.endpoint):
        theirs = asked(small_market, named, STRANGERS[kind], ours)
        nobodys = asked(small_market, named, STRANGERS[kind], unknown(ours))
        assert theirs.status < 500
        if is_for_all(named, kind):
            shown = theirs.content.decode().replace(ours, "")
            assert [name for name, secret in secrets_of(small_market).items() if secret in shown] == []
        else:
            assert told(theirs, ours) == told(nobodys, unknown(ours))
            assert (
                named.endpoint.method == "GET"
                or named.endpoint.name in ANSWERS_EACH
                or theirs.status in (400, 403, 404, 409, 422)
            ), theirs


@each
def test_the_owner_finds_it_by_the_same_id(small_market: SmallMarket, things: dict[str, str], named: Named) -> None:
    """Else a field nobody reads would make the test above hold of itself."""
    ours = things[OF_PUBLISHED.get((named.endpoint.name, named.field), OF_OURS[named.field])]
    found = [
        told(asked(small_market, named, kind, ours), ours)
        != told(asked(small_market, named, kind, unknown(ours)), unknown(ours))
        for kind in kinds_of(named.endpoint)
    ]
    assert any(found) or (named.endpoint.name, named.field) in OWNER_SEES_NO_DIFFERENCE
