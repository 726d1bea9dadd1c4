"""Claims about metering at its doors: the inbox's function, and completeness over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.edge import identity
from chalicelib.files import actions as files
from chalicelib.files.actions_receiving import receive
from chalicelib.kernel.call import ROLES
from chalicelib.kernel.meters import check_digit
from chalicelib.metering import actions
from chalicelib.storage import outbox
from functions import import_readings
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.calls import a_call
from tests.builders.files import ARRIVED, a_csv, put_drop
from tests.builders.metering import SUMMER, long_table

pytestmark = pytest.mark.usefixtures("market")

METER = "120000000001" + str(check_digit("120000000001"))
RECORD = json.loads((Path(__file__).parents[2] / "events" / "aws" / "s3_object_created.json").read_text())["Records"][0]


def drop(rows: Any, kind: str = "meter-data") -> str:
    """A file of this test's meter in the inbox, and the function woken for it; its receipt's id."""
    content = a_csv([[METER if cell == "1200000000000" else cell for cell in row] for row in rows])
    receipt = receive(a_call(), put_drop(f"inbox/org_fsp1/{kind}/june.csv", content), "org_fsp1", "fsp")
    for envelope in outbox.unpublished(ARRIVED + timedelta(days=3650)):
        if envelope.name == "files.file_received.v1":
            record = RECORD | {"body": json.dumps({"detail": envelope.model_dump(mode="json")})}
            assert import_readings.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    return receipt.id


@pytest.fixture(autouse=True)
def _asset(market: None) -> None:
    import_assets([asset_cells(import_meter_id=METER)], a_receipt())


def test_a_dropped_file_is_read_and_its_receipt_says_what_came_of_it() -> None:
    found = files.get_receipt(drop(long_table(SUMMER)))
    assert (found.state, found.counts.created, found.counts.errors) == ("done", 1, 0)
    assert found.notes == (f"{METER}: {SUMMER} stands at one value for 12 hours or more.",)
    assert len(actions.readings_between([METER], SUMMER, SUMMER)[METER]) == 48


def test_a_dropped_file_that_fits_two_readings_is_refused_with_the_question() -> None:
    found = files.get_receipt(drop(long_table(SUMMER, clock="local")))
    assert (found.state, found.refusal_code) == ("refused", "stamps.ambiguous")
    problems = list(files.all_problems(a_call(), found))
    assert [problem.code for problem in problems] == ["stamps.clock"]


def test_a_file_of_another_kind_is_left_to_its_own_function() -> None:
    assert files.get_receipt(drop([["asset_ref"], ["EV-1"]], "assets")).state == "received"


def test_completeness_is_asked_for_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    from app import app

    def member_of(subject: str) -> Any:
        return SimpleNamespace(id=subject, roles=ROLES), SimpleNamespace(id="org_fsp1", kind="fsp")

    monkeypatch.setattr(identity._memory, "members", member_of)
    identity.forget_member()
    drop(long_table(SUMMER))
    with Client(app) as client:
        token = {"Authorization": f"Bearer {identity.machine_token('mac_1')}"}
        answer = client.http.get(f"/v1/meter-data?month=2026-06&meter_id={METER}", headers=token)
        both = client.http.get("/v1/meter-data?month=2026-06", headers=token)
    identity.forget_member()
    [view] = answer.json_body["items"]
    assert (view["meter_id"], view["present"], view["expected"]) == (METER, 48, 30 * 48)
    assert both.status_code == 422
