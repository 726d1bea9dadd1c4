"""Nobody gets in who may not: every endpoint of the API, generated from the endpoints themselves, none left out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import jwt
import pytest

import app
from chalicelib.edge import identity
from chalicelib.edge.access import KINDS
from chalicelib.edge.openapi import describe
from chalicelib.edge.web import ENDPOINTS, Endpoint
from chalicelib.kernel.call import ROLES
from chalicelib.registry.actions import member_of, standing_of
from chalicelib.registry.models import Standing
from chalicelib.storage import keys
from tests.builders.small_market import BODIES, Answer, SmallMarket, ask, secrets_of

KNOWN = list(ENDPOINTS)
GUARDED = [endpoint for endpoint in KNOWN if not endpoint.who.is_public]
PUBLIC = [endpoint for endpoint in KNOWN if endpoint.who.is_public]
WITH_IDS = [endpoint for endpoint in GUARDED if "{" in endpoint.path]
OF_COMPETITIONS = [endpoint for endpoint in WITH_IDS if "{competition_id}" in endpoint.path]
STRANGERS = {"fsp": "other_fsp", "so": "other_so"}
OWNERS = {"fsp": "fsp", "so": "so", "market_operator": "market_operator"}

SEEN_BY_ALL = {
    ("get_template", "fsp"): "a blank workbook is nobody's",
    ("get_template", "so"): "a blank workbook is nobody's",
    ("get_scheme", "fsp"): "schemes are open to every FSP",
    ("begin_application", "fsp"): "schemes are open to every FSP",
    ("put_asset", "fsp"): "a reference is the caller's own: it makes the caller's asset",
}
"""Endpoints (by kind of the stranger) where the id is not one organisation's, and why."""

FOR_NOBODY = {
    "change_openadr_event", "change_openadr_program", "remove_openadr_event", "remove_openadr_program",
}  # fmt: skip
"""What OpenADR names and nobody may do here, once the thing is the caller's."""

PUBLISHED_FOR_ALL = {
    ("get_competition", "fsp"), ("get_competition", "so"), ("list_documents", "fsp"), ("list_documents", "so"),
    ("get_results", "fsp"), ("get_results", "so"), ("list_answers", "fsp"), ("list_overrides", "fsp"),
    ("get_entry", "fsp"), ("put_entry", "fsp"), ("list_own_ballots", "fsp"), ("submit_ballot", "fsp"),
}  # fmt: skip
"""Endpoints where a published competition is not only its operator's: an FSP meets its own part of it."""


@pytest.fixture(scope="module")
def market(small_market: SmallMarket) -> SmallMarket:
    """One small market for every test here: whoever is refused changes nothing."""
    return small_market


def names(endpoints: list[Endpoint]) -> Any:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda endpoint: endpoint.name)


def send(market: SmallMarket, endpoint: Endpoint, token: str | None, **changes: str) -> Answer:
    """The endpoint asked in the right shape, about things that exist."""
    body = BODIES.get(endpoint.name) if endpoint.body else None
    headers = {"If_Match": '"1"'} if endpoint.if_match else {}
    return ask(endpoint.method, market.path(endpoint.path, **changes), token, body, **headers)


def code(answer: Answer) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    return str(answer.json["code"])


def own_token(**changes: Any) -> str:
    now = datetime.now(UTC)
    claims = {"iss": keys.own_issuer(), "aud": "headroom", "token_use": "machine", "iat": now}
    claims |= {"exp": now + timedelta(hours=1)} | changes
    pair = keys.signing_key()
    return jwt.encode(claims, pair.private_pem, algorithm="ES256", headers={"kid": pair.id})


def subject(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


def expired(token: str) -> str:
    return own_token(sub=subject(token), exp=datetime.now(UTC) - timedelta(minutes=1))


def tampered(token: str) -> str:
    """The same token with another subject, under the old signature."""
    head, _, signature = token.split(".")
    claims = own_token(sub="mac_of_somebody_else").split(".")[1]
    return f"{head}.{claims}.{signature}"


def kinds_of(endpoint: Endpoint) -> list[str]:
    return [kind for kind in KINDS if any(opening == kind for opening, _ in endpoint.who.openings)]


def roles_of(endpoint: Endpoint, kind: str) -> frozenset[str]:
    return frozenset().union(*(roles for opening, roles in endpoint.who.openings if opening == kind))


def needs_a_role(endpoint: Endpoint, kind: str) -> bool:
    roles = roles_of(endpoint, kind)
    return bool(roles) and "read" not in roles


def test_the_app_has_no_endpoint_that_is_left_out_here() -> None:
    routes = {(method, path) for path, views in app.app.routes.items() for method in views if method != "OPTIONS"}
    assert {(endpoint.method, f"/v1{endpoint.path}") for endpoint in [*GUARDED, *PUBLIC]} == routes


def test_every_route_of_the_description_that_bears_an_id_is_among_those_asked_here() -> None:
    described = {
        operation["operationId"]
        for path, operations in describe()["paths"].items()
        for operation in operations.values()
        if "{" in path and operation.get("security")
    }
    assert described
    assert described == {endpoint.name for endpoint in WITH_IDS}


def test_every_parameter_of_a_path_has_a_thing_that_exists(market: SmallMarket) -> None:
    wanted = {name for endpoint in KNOWN for name in re.findall(r"\{(\w+)\}", endpoint.path)}
    assert wanted == set(market.things)


def test_every_body_that_is_read_after_an_id_is_known() -> None:
    assert {endpoint.name for endpoint in WITH_IDS if endpoint.body} == set(BODIES)


@names(GUARDED)
def test_nobody_gets_in_without_a_token(market: SmallMarket, endpoint: Endpoint) -> None:
    answer = send(market, endpoint, None)
    assert (answer.status, code(answer)) == (401, "identity.none")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


SET_UP = {"get_me", "begin_authenticator", "confirm_authenticator", "sign_out"}
"""What somebody may do who must set up an authenticator before anything else."""


@names(GUARDED)
def test_who_must_set_up_an_authenticator_can_do_nothing_else(market: SmallMarket, endpoint: Endpoint) -> None:
    token = market.token(OWNERS[kinds_of(endpoint)[0]])
    identity.use_members(member_of, lambda subject: Standing(authenticator_wanted=True))
    try:
        answer = send(market, endpoint, token)
    finally:
        identity.use_members(member_of, standing_of)
    is_barred = answer.status == 403 and code(answer) == "identity.authenticator_wanted"
    assert is_barred is (endpoint.name not in SET_UP), answer


@names(GUARDED)
def test_an_expired_token_lets_nobody_in(market: SmallMarket, endpoint: Endpoint) -> None:
    answer = send(market, endpoint, expired(market.token(OWNERS[kinds_of(endpoint)[0]])))
    assert (answer.status, code(answer)) == (401, "identity.expired")


@names(GUARDED)
def test_a_tampered_token_lets_nobody_in(market: SmallMarket, endpoint: Endpoint) -> None:
    answer = send(market, endpoint, tampered(market.token(OWNERS[kinds_of(endpoint)[0]])))
    assert (answer.status, code(answer)) == (401, "identity.token")


@names([endpoint for endpoint in GUARDED if len(kinds_of(endpoint)) < len(KINDS)])
def test_another_kind_of_organisation_is_forbidden(market: SmallMarket, endpoint: Endpoint) -> None:
    for kind in set(KINDS) - set(kinds_of(endpoint)):
        answer = send(market, endpoint, market.token(OWNERS[kind]))
        assert (answer.status, code(answer)) == (403, "identity.kind"), kind


@names([endpoint for endpoint in GUARDED if any(needs_a_role(endpoint, kind) for kind in kinds_of(endpoint))])
def test_every_other_role_together_is_forbidden(market: SmallMarket, endpoint: Endpoint) -> None:
    for kind in (kind for kind in kinds_of(endpoint) if needs_a_role(endpoint, kind)):
        others = ROLES - roles_of(endpoint, kind)
        answer = send(market, endpoint, market.token(OWNERS[kind], others))
        assert (answer.status, code(answer)) == (403, "identity.role"), kind


def test_without_a_role_of_its_own_an_endpoint_reads_or_concerns_the_caller_alone() -> None:
    """`request_upload` and `replay_file` check the role that the kind of the file takes; a preview is a read."""
    found = {
        endpoint.name
        for endpoint in GUARDED
        if endpoint.method != "GET" and not all(needs_a_role(endpoint, kind) for kind in kinds_of(endpoint))
    }
    assert found == {
        "begin_authenticator",
        "change_me",
        "change_preferences",
        "confirm_authenticator",
        "preview_baseline",
        "remove_authenticator",
        "replay_file",
        "request_export",
        "request_upload",
        "sign_out",
    }


@names(PUBLIC)
def test_what_is_public_never_asks_for_a_token_even_when_one_has_expired(
    market: SmallMarket, endpoint: Endpoint
) -> None:
    """A wrong secret is refused with 401 too, but never the token."""
    for token in (None, expired(market.token("fsp")), "nonsense"):
        answer = send(market, endpoint, token, competition_id=market.bidding.id)
        assert answer.status not in (403, 500)
        assert answer.status != 401 or code(answer).split(".")[0] in {"session", "token", "invitation"}


@names(WITH_IDS)
def test_another_organisations_thing_is_not_found(market: SmallMarket, endpoint: Endpoint) -> None:
    """In place of a draft competition's it is a thing of FSP one's or of operator one's, whichever there is."""
    for kind in (kind for kind in kinds_of(endpoint) if kind in STRANGERS):
        if (endpoint.name, kind) in SEEN_BY_ALL:
            continue
        answer = send(market, endpoint, market.token(STRANGERS[kind]))
        assert answer.status == 404, (kind, answer)


@pytest.mark.parametrize("of", ["competition_1", "bidding", "qualifying"])
@names(OF_COMPETITIONS)
def test_a_published_competition_is_its_operators_and_shows_an_fsp_only_its_own(
    market: SmallMarket, endpoint: Endpoint, of: str
) -> None:
    for kind in (kind for kind in kinds_of(endpoint) if kind in STRANGERS):
        answer = send(market, endpoint, market.token(STRANGERS[kind]), competition_id=getattr(market, of).id)
        assert answer.status < 500
        assert (endpoint.name, kind) in PUBLISHED_FOR_ALL or answer.status == 404, (kind, answer)
        told = answer.content.decode()
        assert [name for name, secret in secrets_of(market).items() if secret in told] == []


def needed(market: SmallMarket, endpoint: Endpoint) -> str:
    """What a list cannot do without: ids of ours, and days."""
    fields = endpoint.query.model_fields if endpoint.query else {}
    wanted = [name for name, info in fields.items() if info.is_required() or name == "obligation_id"]
    known = market.things | {"month": "2026-05"}
    return "&".join(f"{name}={known.get(name, '2026-05-01')}" for name in wanted)


@names([each for each in GUARDED if each.method == "GET" and "{" not in each.path and "fsp" in kinds_of(each)])
def test_a_list_shows_another_fsp_nothing_of_ours(market: SmallMarket, endpoint: Endpoint) -> None:
    answer = ask("GET", f"{endpoint.path}?{needed(market, endpoint)}", market.token("other_fsp"))
    assert answer.status in (200, 404, 409), answer  # a list of one thing of ours; a machine user has no preferences
    told = answer.content.decode()
    assert [name for name, secret in secrets_of(market).items() if secret in told] == []


@names(PUBLIC)
def test_the_public_is_shown_nothing_of_an_fsps(market: SmallMarket, endpoint: Endpoint) -> None:
    guessed = {"calendar_key": f"{market.things['link_id']}~guessed"}
    for competition in (market.competition_1, market.bidding, market.draft):
        told = send(market, endpoint, None, competition_id=competition.id, **guessed).content.decode()
        assert [name for name, secret in secrets_of(market).items() if secret in told] == []


def test_a_draft_is_not_there_for_the_public(market: SmallMarket) -> None:
    for endpoint in (endpoint for endpoint in PUBLIC if "{competition_id}" in endpoint.path):
        assert send(market, endpoint, None).status == 404


def test_the_market_operator_sees_no_ballot_bid_or_asset(market: SmallMarket) -> None:
    token = market.token("market_operator")
    for endpoint, of in product([each for each in GUARDED if each.method == "GET"], ("bidding", "competition_1")):
        told = send(market, endpoint, token, competition_id=getattr(market, of).id).content.decode()
        found = {name for name, secret in secrets_of(market).items() if secret in told}
        assert not found & {"ballot_id", "asset_id", "ref"}, endpoint.name


def is_about_the_thing(answer: Answer) -> bool:
    """Whether it was found: done, or refused for its state or by its rules, or (a thing of it) not there yet."""
    if answer.status == 422:
        return code(answer) != "request.invalid"
    return answer.status != 404 or code(answer) == "file.no_marked_workbook"


@names(sorted(WITH_IDS, key=lambda endpoint: endpoint.method == "DELETE"))
def test_the_owner_finds_the_same_thing_in_the_same_words(market: SmallMarket, endpoint: Endpoint) -> None:
    """Else a wrong id would make the tests above hold of themselves. Last, since it changes the market."""
    found = [
        send(market, endpoint, market.token(OWNERS[kind]), **at)
        for kind, at in product(
            kinds_of(endpoint),
            ({}, {"competition_id": market.competition_1.id}, {"competition_id": market.bidding.id}),
        )
    ]
    closed = (401,) if endpoint.name in FOR_NOBODY else (401, 403)
    assert [answer for answer in found if answer.status in closed or answer.status >= 500] == []
    assert any(is_about_the_thing(answer) for answer in found), found


def test_a_token_of_another_issuer_use_or_audience_lets_nobody_in(market: SmallMarket) -> None:
    machine = subject(market.token("fsp"))
    for changes in ({"iss": "elsewhere"}, {"token_use": "access"}, {"aud": "another"}):
        assert ask("GET", "/me", own_token(sub=machine, **changes)).status == 401
    assert ask("GET", "/me", own_token(sub=machine)).status == 200
    assert ask("GET", "/me", identity.machine_token("mac_nobody")).status == 401
