"""Claims about areas over HTTP: an operator lists, reads, renames and archives its own, and nobody else sees them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from chalice.test import Client

from chalicelib.areas import actions, actions_outlines, imports
from chalicelib.areas.models import Box
from chalicelib.edge import identity
from chalicelib.kernel.call import ROLES
from chalicelib.storage.commit import commit
from tests.builders.areas import SO, a_feature, a_geojson, a_receipt, a_square, dropped
from tests.builders.calls import a_call

MEMBERS = {
    "mac_so1": (SO, "so", ROLES),
    "mac_so2": ("org_so2", "so", ROLES),
    "mac_reader": (SO, "so", frozenset({"read"})),
    "mac_fsp": ("org_fsp1", "fsp", ROLES),
}


def member_of(subject):
    organisation, kind, roles = MEMBERS[subject]
    return SimpleNamespace(id=subject, roles=roles), SimpleNamespace(id=organisation, kind=kind)


@pytest.fixture
def send(market, monkeypatch):
    """Send a request as a machine user: send("GET", "/areas", who="mac_so1", **headers)."""
    from app import app

    monkeypatch.setattr(identity._memory, "members", member_of)
    identity.forget_member()
    with Client(app) as client:

        def request(method, path, body=None, who="mac_so1", **headers):
            sent = {name.replace("_", "-"): text for name, text in headers.items()}
            sent |= {"Authorization": f"Bearer {identity.machine_token(who)}", "Content-Type": "application/json"}
            content = json.dumps(body).encode() if body is not None else b""
            answer = client.http.request(method, f"/v1{path}", headers=sent, body=content)
            return answer.status_code, (answer.json_body if answer.body else None), answer.headers

        yield request
    identity.forget_member()


@pytest.fixture
def area(market):
    content = a_geojson(a_feature(ref="A"), a_feature(a_square(2, 52, 2.1, 52.1), ref="B"))
    receipt = a_receipt()
    imports.apply_object(a_call(SO, "so"), receipt, dropped(receipt, content))
    return actions.find_area(SO, "A")


def test_an_operator_lists_its_areas_page_by_page_and_reads_one_with_its_outline(send, area):
    status, page, _ = send("GET", "/areas?limit=1")
    assert (status, [each["ref"] for each in page["items"]]) == (200, ["A"])
    status, rest, _ = send("GET", f"/areas?cursor={page['next']}")
    assert [each["ref"] for each in rest["items"]] == ["B"]
    status, one, headers = send("GET", f"/areas/{area.id}")
    assert (status, one["kinds"], one["vertices"]) == (200, ["area"], 4)
    assert one["outline"]["coordinates"]
    assert headers["ETag"] == '"1"'


def test_a_change_says_which_version_it_changes(send, area):
    assert send("PATCH", f"/areas/{area.id}", {"name": "Ipswich"})[0] == 428
    status, changed, _ = send("PATCH", f"/areas/{area.id}", {"name": "Ipswich"}, If_Match='"1"')
    assert (status, changed["name"], changed["version"]) == (200, "Ipswich", 2)
    assert send("PATCH", f"/areas/{area.id}", {"state": "archived"}, If_Match='"1"')[0] == 412
    status, versions, _ = send("GET", f"/areas/{area.id}/versions")
    assert [(each["version"], each["name"]) for each in versions["items"]] == [(1, "A"), (2, "Ipswich")]


def test_nobody_else_reads_or_changes_them(send, area):
    assert send("GET", f"/areas/{area.id}", who="mac_so2")[0] == 404
    assert send("GET", f"/areas/{area.id}/versions", who="mac_so2")[0] == 404
    assert send("PATCH", f"/areas/{area.id}", {"name": "X"}, who="mac_so2", If_Match='"1"')[0] == 404
    assert send("GET", "/areas", who="mac_so2")[1]["items"] == []
    assert send("GET", "/areas", who="mac_fsp")[0] in {403, 404}
    assert send("PATCH", f"/areas/{area.id}", {"name": "X"}, who="mac_reader", If_Match='"1"')[0] == 403


def test_a_map_shows_polygons_simplified_and_boxes_as_rectangles(area):
    boxed, writes = actions.list_zone_writes(boxes=[Box(south="51", west="0", north="52", east="1")])
    listed, more = actions.list_zone_writes(postcodes=["IP1 1AB"])
    commit(a_call(SO, "so"), [*writes, *more])
    outlines = actions_outlines.zone_outlines([area.zone_id, boxed, listed])
    assert set(outlines) == {area.zone_id, boxed}
    assert outlines[boxed]["coordinates"][0][2] == [1.0, 52.0]
    assert actions_outlines.zone_bounds([boxed, listed]) == {
        boxed: Box(south="51", west="0", north="52", east="1"),
        listed: None,
    }
