"""Claims about what is stated ahead and sent by API, at their doors: over HTTP with a key, and by a dropped file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.edge import identity
from chalicelib.files import actions as files
from chalicelib.files.actions_receiving import receive
from chalicelib.files.writing import write_download
from chalicelib.kernel.call import ROLES
from chalicelib.metering import actions as metering
from chalicelib.metering.sheets_statements import NOMINATIONS, TEMPLATE, WEEKLY
from chalicelib.storage import outbox
from functions import import_file
from tests.builders.calls import a_call
from tests.builders.files import ARRIVED, put_drop
from tests.builders.nominations import DAY, given_asset, meter_id

pytestmark = pytest.mark.usefixtures("market")
RECORD = json.loads((Path(__file__).parents[2] / "events" / "aws" / "s3_object_created.json").read_text())["Records"][0]


@pytest.fixture
def asset(market: None) -> str:
    return given_asset()


@pytest.fixture
def client(asset: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    from app import app

    def member_of(subject: str) -> Any:
        return SimpleNamespace(id=subject, roles=ROLES), SimpleNamespace(id="org_fsp1", kind="fsp")

    monkeypatch.setattr(identity._memory, "members", member_of)
    identity.forget_member()
    with Client(app) as found:
        yield found
    identity.forget_member()


def post(client: Client, path: str, body: Any, key: str) -> Any:
    headers = {
        "Authorization": f"Bearer {identity.machine_token('mac_1')}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    return client.http.post(f"/v1{path}", headers=headers, body=json.dumps(body))


def get(client: Client, path: str) -> Any:
    return client.http.get(f"/v1{path}", headers={"Authorization": f"Bearer {identity.machine_token('mac_1')}"})


def test_statements_are_sent_once_under_a_key_and_read_back(client: Client, asset: str) -> None:
    body = {"nominations": [{"asset_ref": "EV-1", "day": str(DAY), "kw": ["5.5"] * 48}]}
    first, again = (post(client, "/nominations", body, "k-1") for _ in range(2))
    assert (first.status_code, again.json_body) == (201, first.json_body)
    [told] = first.json_body["items"]
    assert (told["outcome"], told["kind"], told["asset_id"]) == ("created", "nominated", asset)
    found = get(client, f"/nominations?asset_id={asset}&first={DAY}&last={DAY}&versions=true")
    assert [set(each["kw"]) for each in found.json_body["nominations"]] == [{"5.5"}]
    wrong = post(client, "/nominations", {"nominations": [{"asset_ref": "EV-9", "day": str(DAY), "kw": ["1"]}]}, "k-2")
    assert wrong.status_code == 422, wrong.json_body
    assert {each["code"] for each in wrong.json_body["errors"]} == {"asset.unknown", "nomination.count"}


def test_readings_are_sent_once_under_a_key_and_the_forecast_is_judged_by_them(client: Client, asset: str) -> None:
    day = {"meter_id": meter_id(), "first": f"{DAY}T00:00:00", "figures": ["2.5"] * 48}
    body = {"unit": "kWh", "positive": "import", "clock": "local", "stamp": "start", "series": [day]}
    first, again = (post(client, "/meter-data", body, "k-1") for _ in range(2))
    assert (first.status_code, again.json_body) == (201, first.json_body)
    assert [(each["day"], each["outcome"]) for each in first.json_body["items"]] == [(str(DAY), "created")]
    found = get(client, f"/nominations/accuracy?asset_id={asset}&first={DAY}&last={DAY}").json_body
    assert (found.get("days"), found.get("compared")) == ([], 0), found
    assert found["empty"].startswith("There is nothing to compare yet")


def test_a_dropped_file_of_statements_is_taken_and_its_receipt_says_what_came_of_it(asset: str) -> None:
    halves = {f"hh{number}": "5" for number in range(1, 49)}
    sheets = {
        NOMINATIONS: [{"asset_ref": "EV-1", "day": DAY, **halves}, {"asset_ref": "EV-9", "day": DAY, **halves}],
        WEEKLY: [{"asset_ref": "EV-1", "weekday": "Mon", **halves}],
    }
    content = write_download(TEMPLATE, sheets)
    receipt = receive(a_call(), put_drop("inbox/org_fsp1/baselines/june.xlsx", content), "org_fsp1", "fsp")
    for envelope in outbox.unpublished(ARRIVED + timedelta(days=3650)):
        if envelope.name == "files.file_received.v1":
            record = RECORD | {"body": json.dumps({"detail": envelope.model_dump(mode="json")})}
            assert import_file.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    found = files.get_receipt(receipt.id)
    assert (found.state, found.counts.created, found.counts.errors) == ("done", 2, 1)
    assert [each.code for each in files.all_problems(a_call(), found)] == ["asset.unknown"]
    told = metering.statements_of({"p": asset}, DAY, DAY)["p"]
    assert [(each.kind, len(each.by_start) + len(each.by_week)) for each in told] == [
        ("nominated", 48),
        ("weekly_template", 48),
    ]
