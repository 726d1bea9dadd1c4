"""Claims about the asset register over HTTP: versions, repeats, refusals and what the description says."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from chalice.test import Client

from chalicelib.assets.models import COLUMN_FIELDS
from chalicelib.assets.requests import AssetChange, AssetRequest, AssetState
from chalicelib.assets.sheets import COLUMNS
from chalicelib.edge import identity
from chalicelib.kernel.call import ROLES
from tests.builders.assets import asset_cells

MEMBERS = {
    "mac_fsp1": ("org_fsp1", "fsp", ROLES),
    "mac_fsp2": ("org_fsp2", "fsp", ROLES),
    "mac_reader": ("org_fsp1", "fsp", frozenset({"read"})),
    "mac_so": ("org_so", "so", ROLES),
    "mac_operator": ("org_market", "market_operator", ROLES),
}


def member_of(subject):
    organisation, kind, roles = MEMBERS[subject]
    return SimpleNamespace(id=subject, roles=roles), SimpleNamespace(id=organisation, kind=kind)


@pytest.fixture
def send(market, monkeypatch):
    """Send a request as a machine user: send("POST", "/assets", body, who="mac_fsp1", **headers)."""
    from app import app

    monkeypatch.setattr(identity._memory, "members", member_of)
    identity.forget_member()
    with Client(app) as client:

        def request(method, path, body=None, who="mac_fsp1", **headers):
            sent = {name.replace("_", "-"): text for name, text in headers.items()}
            sent |= {"Authorization": f"Bearer {identity.machine_token(who)}", "Content-Type": "application/json"}
            content = json.dumps(body).encode() if body is not None else b""
            answer = client.http.request(method, f"/v1{path}", headers=sent, body=content)
            return answer.status_code, (answer.json_body if answer.body else None), answer.headers

        yield request
    identity.forget_member()


def test_an_asset_is_created_read_changed_and_found(send):
    status, made, headers = send("POST", "/assets", asset_cells())
    assert (status, made["version"], headers["ETag"]) == (201, 1, '"1"')
    assert made["demand_turn_down_mw"] == made["active_export_mw"] == "0.0072"
    assert send("GET", f"/assets/{made['id']}")[1] == made
    status, changed, headers = send("PATCH", f"/assets/{made['id']}", {"name": "Depot"}, If_Match=headers["ETag"])
    assert (status, changed["name"], headers["ETag"]) == (200, "Depot", '"2"')
    assert send("PATCH", f"/assets/{made['id']}", {"name": "Late"}, If_Match='"1"')[0] == 412
    assert send("PATCH", f"/assets/{made['id']}", {"name": "Blind"})[0] == 428
    assert [item["name"] for item in send("GET", "/assets?ref=EV-1&sort=-changed")[1]["items"]] == ["Depot"]


def test_the_same_request_sent_twice_under_a_key_makes_one_asset(send):
    first = send("POST", "/assets", asset_cells(), Idempotency_Key="k-1")
    again = send("POST", "/assets", asset_cells(), Idempotency_Key="k-1")
    assert (again[0], again[1]) == (201, first[1])
    assert send("POST", "/assets", asset_cells())[0] == 409


def test_every_problem_is_told_with_its_field_and_what_would_pass(send):
    status, body, _ = send("POST", "/assets", asset_cells(postcode="IP1", voltage_kv="high"))
    assert (status, body["code"]) == (422, "asset.invalid")
    found = {error["pointer"]: error for error in body["errors"]}
    assert set(found) == {"/postcode", "/voltage_kv"}
    assert all(error["allowed"] for error in found.values())


def test_unknown_fields_and_lists_in_place_of_cells_are_refused(send):
    assert send("POST", "/assets", asset_cells(colour="red"))[0] == 422
    assert send("POST", "/assets", asset_cells(name=["a"]))[0] == 422
    assert send("GET", "/assets?colour=red")[0] == 422


def test_by_reference_an_asset_is_created_then_brought_to_the_state_given(send):
    state = {name: value for name, value in asset_cells().items() if name != "asset_ref"}
    status, made, _ = send("PUT", "/assets/by-ref/EV-9", state)
    assert (status, made["asset_ref"], made["version"]) == (200, "EV-9", 1)
    assert send("PUT", "/assets/by-ref/EV-9", {**state, "name": "Depot"})[1]["version"] == 2


def test_another_organisations_asset_is_not_there(send):
    made = send("POST", "/assets", asset_cells())[1]
    for method, body, headers in (("GET", None, {}), ("PATCH", {"name": "x"}, {"If_Match": '"1"'})):
        assert send(method, f"/assets/{made['id']}", body, who="mac_fsp2", **headers)[0] == 404
    assert send("GET", "/assets", who="mac_fsp2")[1] == {"items": [], "next": None}


def test_only_those_who_may_write_do(send):
    assert send("POST", "/assets", asset_cells(), who="mac_reader")[0] == 403
    assert send("GET", "/assets", who="mac_reader")[0] == 200
    assert send("GET", "/assets", who="mac_so")[0] == 403
    assert send("POST", "/asset-types", {"category": "Storage", "types": ["Flywheel"]})[0] == 403


def test_the_market_operator_extends_the_types_and_everybody_reads_them(send):
    body = {"category": "Storage", "types": ["Flywheel"]}
    status, tree, _ = send("POST", "/asset-types", body, who="mac_operator", Idempotency_Key="k-1")
    assert (status, tree["categories"]["Storage"][-1]) == (200, "Flywheel")
    assert send("POST", "/asset-types", body, who="mac_operator", Idempotency_Key="k-1")[1] == tree
    assert send("GET", "/asset-types", who="mac_so")[1] == tree
    assert send("POST", "/assets", asset_cells(category="Storage", type="flywheel"))[1]["type"] == "Flywheel"


@pytest.mark.parametrize("model", [AssetChange, AssetRequest, AssetState])
def test_the_description_names_every_column_with_its_help(model):
    schema = model.model_json_schema()
    assert list(schema["properties"]) == list(COLUMN_FIELDS) == list(model.model_fields)
    assert all(shape["description"] for shape in schema["properties"].values())
    required = [column.field for column in COLUMNS if column.required]
    assert schema.get("required", []) == (required if model is AssetRequest else [])
