"""Sessions end when they are ended, and a second factor stands where it must, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from chalice.test import Client

from chalicelib.edge import identity
from chalicelib.registry import actions, actions_sessions
from chalicelib.registry.events import AuthenticatorChanged
from chalicelib.registry.store import find_reset, list_people
from chalicelib.storage import settings
from chalicelib.storage.outbox import unpublished
from tests.builders.calls import a_call
from tests.builders.registry import PASSWORD, a_market_operator, an_acceptance
from tests.builders.registry_http import Session, a_joined_fsp, signed_in


def test_an_access_token_alone_takes_no_authenticator_away_nor_puts_another_in_its_place(client: Client) -> None:
    fsp = with_authenticator(a_joined_fsp(client))
    for body, status in (
        (None, 422),
        ({}, 422),
        ({"code": "123456"}, 422),
        ({"password": PASSWORD}, 422),
        ({"password": "wrong", "code": "123456"}, 401),
    ):
        assert fsp.send("DELETE", "/me/authenticator", body).status_code == status
    assert fsp.send("PUT", "/me/authenticator").status_code == 409
    assert fsp.send("PUT", "/me/authenticator/verification", {"code": "123456"}).status_code == 409
    asked = {"email": "ann@fsp1.example", "password": PASSWORD}
    refused = Session(client).send("POST", "/sessions", asked)
    assert (refused.status_code, json.loads(refused.body)["code"]) == (401, "session.code_wanted")


def test_a_person_is_told_by_mail_when_their_authenticator_is_turned_on_and_off(client: Client) -> None:
    fsp = with_authenticator(a_joined_fsp(client))
    fsp.ok("DELETE", "/me/authenticator", {"password": PASSWORD, "code": "123456"})
    told = [waiting.event() for waiting in unpublished(datetime(2100, 1, 1, tzinfo=UTC))]
    changes = [event for event in told if isinstance(event, AuthenticatorChanged)]
    me = fsp.ok("GET", "/me")
    assert [(event.person, event.is_on) for event in changes] == [(me["id"], True), (me["id"], False)]


def test_where_an_authenticator_is_required_a_powerful_role_can_do_nothing_before_it(client: Client) -> None:
    fsp = a_joined_fsp(client)
    fsp.ok("PATCH", "/organisation", {"authenticator_required": True}, If_Match='"1"')
    for method, path in (("GET", "/people"), ("GET", "/assets"), ("GET", "/me/preferences"), ("DELETE", "/people/x")):
        refused = fsp.send(method, path)
        assert refused.status_code in (403, 405)
        assert refused.status_code == 405 or json.loads(refused.body)["code"] == "identity.authenticator_wanted"
    assert fsp.ok("GET", "/me")["authenticator"] is False
    asked = {"email": "ann@fsp1.example", "password": PASSWORD}
    assert Session(client).ok("POST", "/sessions", asked)["authenticator_wanted"] is True
    with_authenticator(fsp)
    assert fsp.send("GET", "/people").status_code == 200
    whole = Session(client).ok("POST", "/sessions", asked | {"code": "123456"})
    assert whole["authenticator_wanted"] is False


def test_people_without_a_powerful_role_and_software_need_none(client: Client) -> None:
    fsp = a_joined_fsp(client)
    machine = fsp.ok("POST", "/machine-users", {"name": "meters", "roles": ["account"]})
    software = Session(client, identity.machine_token(machine["id"]))
    person = fsp.ok("POST", "/people", {"name": "Bo", "email": "bo@fsp1.example", "roles": ["bidding"]})
    organisation = fsp.ok("GET", "/organisation")["id"]
    Session(client).ok("POST", "/invitations", an_acceptance(organisation, person["id"]).model_dump(exclude_none=True))
    fsp.ok("PATCH", "/organisation", {"authenticator_required": True}, If_Match='"1"')
    assert signed_in(client, "bo@fsp1.example").send("GET", "/people").status_code == 200
    assert software.send("GET", "/people").status_code == 200


def test_the_market_operators_powerful_people_need_one_wherever_it_is_deployed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_market_operator()
    assert signed_in(client, "mo@market.example").send("GET", "/operators").status_code == 200
    monkeypatch.delenv("HEADROOM_OPERATOR_AUTHENTICATOR")
    identity.forget_member()
    assert signed_in(client, "mo@market.example").send("GET", "/operators").status_code == 403
    monkeypatch.setenv("HEADROOM_STAGE", "local")
    assert not settings.operator_needs_authenticator()


def test_an_account_person_without_the_role_cannot_turn_the_requirement_off(client: Client) -> None:
    fsp = a_joined_fsp(client)
    fsp.ok("PATCH", "/organisation", {"authenticator_required": True}, If_Match='"1"')
    assert fsp.send("PATCH", "/organisation", {"authenticator_required": False}, If_Match='"2"').status_code == 403


def with_authenticator(somebody: Session) -> Session:
    somebody.ok("PUT", "/me/authenticator")
    somebody.ok("PUT", "/me/authenticator/verification", {"code": "123456"})
    return somebody


def test_who_signs_out_is_signed_out_at_once_and_may_sign_in_again(client: Client) -> None:
    fsp, elsewhere = a_joined_fsp(client), signed_in(client, "ann@fsp1.example")
    other = a_joined_fsp(client, 2)
    assert fsp.send("DELETE", "/sessions").status_code == 204
    for session in (fsp, elsewhere):
        refused = session.send("GET", "/me")
        assert (refused.status_code, json.loads(refused.body)["code"]) == (401, "identity.ended")
    assert signed_in(client, "ann@fsp1.example").send("GET", "/me").status_code == 200
    assert other.send("GET", "/me").status_code == 200


def test_another_process_hears_of_it_when_it_looks_again(client: Client) -> None:
    """Members are kept for 30 seconds; what `forget_member` does here, time does there."""
    fsp = a_joined_fsp(client)
    me = fsp.ok("GET", "/me")
    found = next(person for person in list_people(me["organisation"]["id"]) if person.id == me["id"])
    call = a_call(me["organisation"]["id"], actor=me["id"])
    actions_sessions.sign_out(call, identity.token_time())
    assert fsp.send("GET", "/me").status_code == 200
    identity.forget_member(found.subject)
    assert fsp.send("GET", "/me").status_code == 401


def test_a_new_password_ends_what_was_begun_with_the_old_one(client: Client) -> None:
    fsp = a_joined_fsp(client)
    Session(client).send("POST", "/password-resets", {"email": "ann@fsp1.example"})
    letter = actions.find_code_letter("password_reset", find_reset("ann@fsp1.example").id, 1)
    body = {"email": "ann@fsp1.example", "code": letter.code, "password": "quite another one"}
    assert Session(client).send("POST", "/password-resets/confirmation", body).status_code == 204
    assert fsp.send("GET", "/me").status_code == 401


def test_a_revoked_secret_takes_its_tokens_with_it_and_leaves_the_others(client: Client) -> None:
    fsp = a_joined_fsp(client)
    machine = fsp.ok("POST", "/machine-users", {"name": "meters"})
    secrets = [fsp.ok("POST", f"/machine-users/{machine['id']}/secrets") for _ in range(2)]
    grant = {"grant_type": "client_credentials", "client_id": machine["id"]}
    grants = [grant | {"client_secret": secret["client_secret"]} for secret in secrets]
    old, new = (Session(client, Session(client).ok("POST", "/token", it)["access_token"]) for it in grants)
    assert old.send("GET", "/me").status_code == new.send("GET", "/me").status_code == 200
    fsp.ok("DELETE", f"/machine-users/{machine['id']}/secrets/{secrets[0]['id']}")
    assert (old.send("GET", "/me").status_code, new.send("GET", "/me").status_code) == (401, 200)
