"""Claims about endpoints: who gets in, what is read, and how refusals look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice import Chalice
from chalice.test import Client
from pydantic import Field

from chalicelib.edge import identity, web
from chalicelib.edge.web import PUBLIC, Page, PageQuery, Routes, Text, either, fsp, member, so
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, Refused, TooMany, raise_problems
from chalicelib.kernel.models import Value
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call


class Kettle(Value):
    id: str
    litres: int = Field(ge=1, le=3)
    version: int = 1


class KettleRequest(Value):
    litres: int = Field(ge=1, le=3)
    colour: str


MADE: list[str] = []


def _routes() -> Routes:
    routes = Routes("test_kettles")

    @routes.get("/kettles", query=PageQuery, returns=Page[Kettle], who=PUBLIC)
    def list_kettles(call: Call, query: PageQuery) -> Page[Kettle]:
        return Page(items=[Kettle(id="k1", litres=query.limit % 3 + 1)], next=None)

    @routes.get("/kettles/{kettle_id}", returns=Kettle, who=either(fsp("read"), so("procurement")))
    def get_kettle(call: Call, kettle_id: str) -> Kettle:
        return Kettle(id=kettle_id, litres=2, version=7)

    @routes.post(
        "/kettles",
        body=KettleRequest,
        returns=Kettle,
        status=201,
        who=fsp("procurement"),
        replay=lambda call, made: Kettle(id=made, litres=1),
    )
    def make_kettle(call: Call, body: KettleRequest) -> Kettle:
        MADE.append(call.new_id("ket"))
        commit(call, [], result=MADE[-1])
        return Kettle(id=MADE[-1], litres=body.litres)

    @routes.patch("/kettles/{kettle_id}", body=KettleRequest, returns=Kettle, who=member("account"), if_match=True)
    def paint_kettle(call: Call, kettle_id: str, body: KettleRequest, if_match: int) -> Kettle:
        return Kettle(id=kettle_id, litres=body.litres, version=if_match + 1)

    @routes.delete("/kettles/{kettle_id}", who=PUBLIC)
    def drop_kettle(call: Call, kettle_id: str) -> None:
        if kettle_id == "busy":
            raise TooMany("kettle.busy", "It boils.", retry_after=9)
        if kettle_id == "broken":
            raise RuntimeError("a secret of ours")
        if kettle_id == "hot":
            raise_problems([Problem("kettle.hot", "Too hot.", "temperature", "below 50")])
        if kettle_id == "gone":
            raise Refused("kettle.gone", "Somebody drank it.")

    @routes.get("/calendar", returns=Text, who=PUBLIC)
    def get_calendar(call: Call) -> Text:
        return Text("BEGIN:VCALENDAR", "text/calendar", "kettle.ics")

    return routes


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, market: None) -> Iterator[Client]:
    before = list(web.ENDPOINTS)
    app = Chalice("kettles")
    app.register_blueprint(_routes(), url_prefix="/v1")
    web.ENDPOINTS[:] = before
    MADE.clear()
    who: dict[str, Any] = {"": None, "fsp": ("org_1", "fsp"), "so": ("org_2", "so"), "mo": ("org_3", "market_operator")}

    def call_from_request(headers: dict[str, str], context: dict[str, Any], idempotency: Any) -> Call:
        found = who[headers.get("x-who", "")]
        roles = set(headers.get("x-roles", "account procurement read").split())
        organisation, kind = found or (None, "fsp")
        return a_call(organisation, kind, roles, idempotency=idempotency)

    monkeypatch.setattr(identity, "call_from_request", call_from_request)
    with Client(app) as opened:
        yield opened


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    return client.http.request(method, f"/v1{path}", {"Content-Type": "application/json", **named}, raw)


def problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.body)
    assert found["status"] == answer.status_code
    return found


def test_anybody_reads_what_is_public(client: Client) -> None:
    answer = send(client, "GET", "/kettles")
    assert answer.status_code == 200
    assert json.loads(answer.body) == {"items": [{"id": "k1", "litres": 2, "version": 1}], "next": None}


def test_fields_slim_an_answer(client: Client) -> None:
    assert json.loads(send(client, "GET", "/kettles?fields=id").body) == {"items": [{"id": "k1"}], "next": None}
    assert json.loads(send(client, "GET", "/kettles/k9?fields=litres", x_who="fsp").body) == {"litres": 2}


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "colour=red"])
def test_a_query_that_is_not_understood_is_refused(client: Client, query: str) -> None:
    assert problem(send(client, "GET", f"/kettles?{query}"))["status"] == 422


def test_nobody_is_asked_to_sign_in(client: Client) -> None:
    answer = send(client, "GET", "/kettles/k1")
    assert problem(answer)["code"] == "identity.none"
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_wrong_kind_of_organisation_is_not_let_in(client: Client) -> None:
    assert problem(send(client, "GET", "/kettles/k1", x_who="mo"))["code"] == "identity.kind"


def test_a_missing_role_is_named(client: Client) -> None:
    refused = problem(send(client, "GET", "/kettles/k1", x_who="so", x_roles="read"))
    assert refused["code"] == "identity.role"
    assert "procurement" in refused["detail"]


def test_any_role_lets_its_holder_read(client: Client) -> None:
    assert send(client, "GET", "/kettles/k1", x_who="fsp", x_roles="bidding").status_code == 200


def test_an_answer_with_a_version_has_an_etag(client: Client) -> None:
    assert send(client, "GET", "/kettles/k1", x_who="fsp").headers["ETag"] == '"7"'


def test_all_problems_of_a_body_are_told_at_once(client: Client) -> None:
    refused = problem(send(client, "POST", "/kettles", {"litres": 9, "depth": 1}, x_who="fsp"))
    assert refused["status"] == 422
    assert {error["pointer"]: error["code"] for error in refused["errors"]} == {
        "/litres": "field.less_than_equal",
        "/colour": "field.missing",
        "/depth": "field.unknown",
    }


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    assert problem(send(client, "POST", "/kettles", body, x_who="fsp"))["status"] == 422


def test_the_same_request_with_its_key_is_done_once(client: Client) -> None:
    body = {"litres": 2, "colour": "red"}
    first = send(client, "POST", "/kettles", body, x_who="fsp", idempotency_key="k")
    again = send(client, "POST", "/kettles", body, x_who="fsp", idempotency_key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert json.loads(first.body)["id"] == json.loads(again.body)["id"]
    assert len(MADE) == 1


def test_a_key_with_another_request_is_refused(client: Client) -> None:
    send(client, "POST", "/kettles", {"litres": 2, "colour": "red"}, x_who="fsp", idempotency_key="k")
    refused = problem(
        send(client, "POST", "/kettles", {"litres": 1, "colour": "red"}, x_who="fsp", idempotency_key="k")
    )
    assert refused["errors"][0]["code"] == "idempotency.reused"


def test_a_key_that_is_too_long_is_refused(client: Client) -> None:
    body = {"litres": 2, "colour": "red"}
    assert send(client, "POST", "/kettles", body, x_who="fsp", idempotency_key="k" * 201).status_code == 422


def test_a_change_says_which_version_it_changes(client: Client) -> None:
    body = {"litres": 2, "colour": "red"}
    assert send(client, "PATCH", "/kettles/k1", body, x_who="fsp").status_code == 428
    assert send(client, "PATCH", "/kettles/k1", body, x_who="fsp", if_match="red").status_code == 422
    changed = send(client, "PATCH", "/kettles/k1", body, x_who="fsp", if_match='W/"7"')
    assert changed.headers["ETag"] == '"8"'


def test_refusals_say_what_to_do_and_faults_say_nothing(client: Client) -> None:
    busy = send(client, "DELETE", "/kettles/busy")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "9")
    hot = problem(send(client, "DELETE", "/kettles/hot"))
    assert hot["errors"] == [
        {"pointer": "/temperature", "code": "kettle.hot", "detail": "Too hot.", "allowed": "below 50"}
    ]
    assert problem(send(client, "DELETE", "/kettles/gone"))["status"] == 409
    broken = send(client, "DELETE", "/kettles/broken")
    assert broken.status_code == 500
    assert b"secret" not in broken.body


def test_nothing_to_tell_is_204(client: Client) -> None:
    assert send(client, "DELETE", "/kettles/k1").status_code == 204


def test_a_text_comes_as_a_file(client: Client) -> None:
    answer = send(client, "GET", "/calendar")
    assert answer.headers["Content-Type"] == "text/calendar"
    assert "kettle.ics" in answer.headers["Content-Disposition"]
