"""The registry over HTTP, as a client meets it: joining, roles, machine users' tokens, another's things not found."""

from __future__ import annotations

import base64
import json

import pytest
from chalice.test import Client

from chalicelib.registry import actions
from chalicelib.registry.store import find_reset, list_people
from tests.builders.registry import PASSWORD, a_market_operator, an_acceptance
from tests.builders.registry_http import Session, a_joined_fsp, registration_body, signed_in


def test_an_fsp_joins_and_finds_itself(client: Client) -> None:
    me = a_joined_fsp(client).ok("GET", "/me")
    assert (me["name"], me["organisation"]["name"], me["organisation"]["verified"]) == ("Ann", "Flex 1 Ltd", False)
    assert len(me["roles"]) == 7


def test_all_problems_of_a_registration_come_back_with_their_places(client: Client) -> None:
    response = Session(client).send(
        "POST", "/registrations", registration_body(kind="so", password="x", user_terms=None)
    )
    assert response.status_code == 422
    pointers = [error["pointer"] for error in json.loads(response.body)["errors"]]
    assert pointers == ["/kind", "/password", "/user_terms"]


def test_a_registration_sent_twice_with_one_key_is_one(client: Client) -> None:
    nobody = Session(client)
    once = nobody.ok("POST", "/registrations", registration_body(), Idempotency_Key="k1")
    assert nobody.ok("POST", "/registrations", registration_body(), Idempotency_Key="k1") == once


def test_the_answer_to_registering_a_known_address_is_of_the_same_shape(client: Client) -> None:
    a_joined_fsp(client)
    known = Session(client).ok("POST", "/registrations", registration_body())
    new = Session(client).ok("POST", "/registrations", registration_body(2))
    assert set(known) == set(new)
    assert known["state"] == new["state"] == "code_sent"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me"), ("GET", "/people"), ("PATCH", "/organisation"), ("GET", "/operators"), ("POST", "/schemes")],
)
def test_nobody_gets_in_without_a_token(client: Client, method: str, path: str) -> None:
    assert Session(client).send(method, path, {} if method != "GET" else None).status_code == 401


def test_a_machine_user_gets_a_token_by_form_json_or_basic_header(client: Client) -> None:
    fsp = a_joined_fsp(client)
    machine = fsp.ok("POST", "/machine-users", {"name": "meters", "roles": ["settlement"]})
    secret = fsp.ok("POST", f"/machine-users/{machine['id']}/secrets")["client_secret"]
    grant = {"grant_type": "client_credentials"}
    by_json = Session(client).ok("POST", "/token", grant | {"client_id": machine["id"], "client_secret": secret})
    form = f"grant_type=client_credentials&client_id={machine['id']}&client_secret={secret}".encode()
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    by_form = json.loads(client.http.request("POST", "/v1/token", headers=sent, body=form).body)
    basic = base64.b64encode(f"{machine['id']}:{secret}".encode()).decode()
    sent |= {"Authorization": f"Basic {basic}"}
    by_basic = json.loads(
        client.http.request("POST", "/v1/token", headers=sent, body=b"grant_type=client_credentials").body
    )
    for token in (by_json, by_form, by_basic):
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
        me = Session(client, token["access_token"]).ok("GET", "/me")
        assert (me["kind"], me["roles"]) == ("machine", ["read", "settlement"])
    assert fsp.ok("GET", f"/machine-users/{machine['id']}")["last_used_at"] is not None


def test_a_revoked_machine_users_token_stops_at_once(client: Client) -> None:
    fsp = a_joined_fsp(client)
    machine = fsp.ok("POST", "/machine-users", {"name": "meters"})
    secret = fsp.ok("POST", f"/machine-users/{machine['id']}/secrets")["client_secret"]
    asked = {"grant_type": "client_credentials", "client_id": machine["id"], "client_secret": secret}
    software = Session(client, Session(client).ok("POST", "/token", asked)["access_token"])
    assert software.send("GET", "/me").status_code == 200
    fsp.ok("PATCH", f"/machine-users/{machine['id']}", {"state": "revoked"}, If_Match='"2"')
    assert software.send("GET", "/me").status_code == 401
    assert Session(client).send("POST", "/token", asked).status_code == 401


def test_a_deactivated_persons_token_stops_at_once(client: Client) -> None:
    fsp = a_joined_fsp(client)
    person = fsp.ok("POST", "/people", {"name": "Bo", "email": "bo@fsp1.example"})
    organisation = fsp.ok("GET", "/organisation")["id"]
    acceptance = an_acceptance(organisation, person["id"]).model_dump(exclude_none=True)
    Session(client).ok("POST", "/invitations", acceptance)
    bo = signed_in(client, "bo@fsp1.example")
    assert bo.send("GET", "/me").status_code == 200
    assert bo.send("POST", "/people", {"name": "Cy", "email": "cy@fsp1.example"}).status_code == 403
    version = fsp.send("GET", f"/people/{person['id']}").headers["ETag"]
    fsp.ok("PATCH", f"/people/{person['id']}", {"state": "deactivated"}, If_Match=version)
    assert bo.send("GET", "/me").status_code == 401


def test_new_roles_hold_from_the_next_request(client: Client) -> None:
    fsp = a_joined_fsp(client)
    person = fsp.ok("POST", "/people", {"name": "Bo", "email": "bo@fsp1.example"})
    acceptance = an_acceptance(fsp.ok("GET", "/organisation")["id"], person["id"])
    Session(client).ok("POST", "/invitations", acceptance.model_dump(exclude_none=True))
    bo = signed_in(client, "bo@fsp1.example")
    assert bo.send("GET", "/audit").status_code == 403
    version = fsp.send("GET", f"/people/{person['id']}").headers["ETag"]
    fsp.ok("PATCH", f"/people/{person['id']}", {"roles": ["account"]}, If_Match=version)
    assert bo.send("GET", "/audit").status_code == 200


def test_another_organisations_things_are_not_found_over_http(client: Client) -> None:
    one, two = a_joined_fsp(client, 1), a_joined_fsp(client, 2)
    person = one.ok("GET", "/people")["items"][0]["id"]
    machine = one.ok("POST", "/machine-users", {"name": "meters"})["id"]
    route = one.ok("POST", "/contact-routes", {"purpose": "dispatch", "email": "x@fsp1.example"})["id"]
    entity = one.ok("GET", "/contracting-entities")["items"][0]["id"]
    for method, path, body in [
        ("GET", f"/people/{person}", None),
        ("PATCH", f"/people/{person}", {"state": "deactivated"}),
        ("POST", f"/people/{person}/invitation", {}),
        ("GET", f"/machine-users/{machine}", None),
        ("POST", f"/machine-users/{machine}/secrets", {}),
        ("GET", f"/contact-routes/{route}", None),
        ("DELETE", f"/contact-routes/{route}", None),
        ("GET", f"/contracting-entities/{entity}", None),
    ]:
        assert two.send(method, path, body, If_Match='"1"').status_code == 404, path


def test_an_fsp_is_kept_from_what_is_the_market_operators(client: Client) -> None:
    fsp = a_joined_fsp(client)
    organisation = fsp.ok("GET", "/organisation")["id"]
    for method, path in [
        ("GET", "/operators"),
        ("GET", "/organisations"),
        ("POST", f"/organisations/{organisation}/verification"),
    ]:
        assert fsp.send(method, path, {} if method == "POST" else None).status_code == 403


def test_the_market_operator_sets_up_an_operator_whose_person_opens_a_scheme(client: Client) -> None:
    a_market_operator()
    mo = signed_in(client, "mo@market.example")
    asked = {"name": "Northern Networks", "people": [{"name": "Sam", "email": "sam@so.example"}]}
    made = mo.ok("POST", "/operators", asked, Idempotency_Key="so-1")
    assert mo.ok("POST", "/operators", asked, Idempotency_Key="so-1") == made
    [listed] = mo.ok("GET", "/operators")["items"]
    assert listed["id"] == made["id"]
    person = actions.list_people(made["id"])
    assert person == []
    acceptance = an_acceptance(made["id"], list_people(made["id"])[0].id).model_dump(exclude_none=True)
    Session(client).ok("POST", "/invitations", acceptance)
    sam = signed_in(client, "sam@so.example")
    scheme = sam.ok("POST", "/schemes", {"ref": "DPS", "name": "Flexibility DPS"})
    assert [section["id"] for section in scheme["sections"]][-1] == "declaration"
    fsp = a_joined_fsp(client)
    assert [view["ref"] for view in fsp.ok("GET", "/schemes?state=open")["items"]] == ["DPS"]
    applied = fsp.ok("POST", f"/schemes/{scheme['id']}/applications", {})
    assert (applied["state"], applied["contracting_entity"]["name"]) == ("draft", "Flex 1 Ltd")
    assert sam.send("GET", f"/applications/{applied['id']}").status_code == 404
    refused = fsp.send("POST", f"/applications/{applied['id']}/submission")
    assert refused.status_code == 422
    assert len(json.loads(refused.body)["errors"]) > 20
    assert Session(client).ok("GET", f"/public/operators/{made['id']}")["name"] == "Northern Networks"


def test_a_change_without_a_version_is_refused(client: Client) -> None:
    fsp = a_joined_fsp(client)
    assert fsp.send("PATCH", "/me", {"name": "Ann B."}).status_code == 428
    assert fsp.send("PATCH", "/me", {"name": "Ann B."}, If_Match='"7"').status_code == 412
    assert fsp.ok("PATCH", "/me", {"name": "Ann B."}, If_Match='"1"')["version"] == 2


def test_passwords_never_come_back_nor_tokens_into_the_trail(client: Client) -> None:
    fsp = a_joined_fsp(client)
    told = json.dumps([fsp.ok("GET", path) for path in ("/me", "/people", "/organisation", "/audit")])
    assert PASSWORD not in told
    assert "subject" not in told


def test_a_person_sets_an_authenticator_up_and_takes_it_away_with_password_and_code(client: Client) -> None:
    fsp = a_joined_fsp(client)
    shown = fsp.ok("PUT", "/me/authenticator")
    assert shown["otpauth"] == f"otpauth://totp/Headroom:ann@fsp1.example?secret={shown['secret']}&issuer=Headroom"
    assert fsp.send("PUT", "/me/authenticator/verification", {"code": "123456"}).status_code == 204
    assert fsp.ok("GET", "/me")["authenticator"] is True
    removal = {"password": PASSWORD, "code": "123456"}
    assert fsp.send("DELETE", "/me/authenticator", removal).status_code == 204
    assert fsp.ok("GET", "/me")["authenticator"] is False
    acts = [record["action"] for record in fsp.ok("GET", f"/audit?thing=person:{fsp.ok('GET', '/me')['id']}")["items"]]
    assert sorted(acts) == ["person.authenticator_added", "person.authenticator_removed"]


def test_a_forgotten_password_is_asked_for_and_set_over_http(client: Client) -> None:
    a_joined_fsp(client)
    nobody = Session(client)
    known = nobody.send("POST", "/password-resets", {"email": "ann@fsp1.example"})
    unknown = nobody.send("POST", "/password-resets", {"email": "nobody@fsp1.example"})
    assert known.status_code == unknown.status_code == 202
    assert known.body == unknown.body
    reset = find_reset("ann@fsp1.example")
    letter = actions.find_code_letter("password_reset", reset.id, 1)
    body = {"email": "ann@fsp1.example", "code": letter.code, "password": "quite another one"}
    assert nobody.send("POST", "/password-resets/confirmation", body).status_code == 204
    asked = {"email": "ann@fsp1.example", "password": "quite another one"}
    assert nobody.send("POST", "/sessions", asked).status_code == 201
    session = nobody.ok("POST", "/sessions", asked)
    assert nobody.ok("POST", "/sessions/refresh", {"refresh_token": session["refresh_token"]})["access_token"]


def test_an_operator_edits_its_profile_and_settings_and_the_world_reads_them(client: Client) -> None:
    a_market_operator()
    mo = signed_in(client, "mo@market.example")
    made = mo.ok("POST", "/operators", {"name": "North", "people": [{"name": "Sam", "email": "sam@so.example"}]})
    acceptance = an_acceptance(made["id"], list_people(made["id"])[0].id).model_dump(exclude_none=True)
    Session(client).ok("POST", "/invitations", acceptance)
    sam = signed_in(client, "sam@so.example")
    profile = sam.ok("PATCH", "/organisation/profile", {"buys": "Evening peaks"}, If_Match='"1"')
    settings = profile["settings"] | {"time_zone": "Europe/Dublin"}
    assert sam.ok("PATCH", "/organisation/settings", settings, If_Match='"2"')["version"] == 3
    [seen] = Session(client).ok("GET", "/public/operators")["items"]
    assert (seen["time_zone"], seen["profile"]["buys"]) == ("Europe/Dublin", "Evening peaks")
    assert Session(client).send("GET", "/public/operators/org_none").status_code == 404
    assert "support_contact" not in json.dumps(seen)


def test_preferences_and_terms_are_read_and_changed(client: Client) -> None:
    fsp = a_joined_fsp(client)
    fsp.ok("PATCH", "/me/preferences", {"muted_letters": ["bidding_opened"]})
    assert fsp.ok("GET", "/me/preferences")["muted_letters"] == ["bidding_opened"]
    terms = Session(client).ok("GET", "/terms")
    assert terms["user_terms"]["text"] != terms["service_terms"]["text"]
    assert fsp.ok("GET", "/standard-form")["sections"][0]["id"] == "organisation_profile"
