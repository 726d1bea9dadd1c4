"""A drop's way through the functions: arrival, import, chunks, exports, the sweep."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chalicelib.files import actions, actions_exporting
from chalicelib.files.kinds import EXPORTS, KINDS
from chalicelib.files.models import ExportRequest, FileQuery
from chalicelib.kernel.events import Envelope
from chalicelib.storage import objects, outbox, settings
from chalicelib.storage.clients import client
from functions import documents, exports, import_chunk, import_file, imports, make_export, on_file, sweep, templates
from tests.builders.calls import a_call, a_system_call
from tests.builders.files import ARRIVED, a_csv
from tests.builders.registry import a_registered_fsp, a_system_operator, given_pool

pytestmark = pytest.mark.usefixtures("market")
SAMPLE = json.loads((Path(__file__).parents[2] / "events" / "aws" / "s3_object_created.json").read_text())
HEADER = ["Asset Ref", "Name", "Status", "Category", "Type", "Voltage Level (kV)", "Postcode", "Demand Turn Down (MW)"]
ROW = ["EV-1", "Depot", "Operational", "Demand side response", "EV charging", "0.4", "IP1 1AA", "0.05"]


@pytest.fixture
def fsp() -> str:
    given_pool()
    return a_registered_fsp().organisation


def arrival(key: str, content: bytes) -> dict[str, Any]:
    """The event of an object put in the inbox, as its queue gives it."""
    objects.put_object(objects.FILES, key, content)
    event = json.loads(json.dumps(SAMPLE))
    told = json.loads(event["Records"][0]["body"])
    told["Records"][0]["s3"]["object"] |= {"key": key.replace(" ", "+"), "size": len(content)}
    event["Records"][0]["body"] = json.dumps(told)
    return event


def news(envelope: Envelope) -> dict[str, Any]:
    record = SAMPLE["Records"][0] | {"body": json.dumps({"detail": envelope.model_dump(mode="json")})}
    return {"Records": [record]}


def waiting(name: str) -> list[Envelope]:
    found = outbox.unpublished(ARRIVED + timedelta(days=3650))
    return [envelope for envelope in found if envelope.name == name]


def import_all() -> None:
    for envelope in waiting("files.file_received.v1"):
        assert import_file.handler(news(envelope), None) == {"batchItemFailures": []}


def chunks() -> list[dict[str, Any]]:
    url = client("sqs").get_queue_url(QueueName=settings.queue_name("import-chunk"))["QueueUrl"]
    found = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [SAMPLE["Records"][0] | {"messageId": each["MessageId"], "body": each["Body"]} for each in found]


def test_a_dropped_assets_file_becomes_assets(fsp: str) -> None:
    content = a_csv([HEADER, ROW, ["EV-2", *ROW[1:7], "-1"]])
    assert on_file.handler(arrival(f"inbox/{fsp}/assets/my assets.csv", content), None) == {"batchItemFailures": []}
    import_all()
    (view,) = actions.list_files(a_call(fsp), FileQuery()).items
    assert (view.state, view.name, view.counts.created, view.counts.errors) == ("done", "my assets.csv", 1, 1)
    assert (view.at, view.has_marked_workbook) == (ARRIVED, True)


@pytest.fixture
def every_file_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.files.imports.DIRECT_ROWS", 0)


@pytest.mark.usefixtures("every_file_is_long")
def test_a_long_file_is_applied_chunk_by_chunk(fsp: str) -> None:
    rows = [[f"EV-{number}", *ROW[1:]] for number in range(3)]
    on_file.handler(arrival(f"inbox/{fsp}/assets/a.csv", a_csv([HEADER, *rows])), None)
    import_all()
    for record in chunks():
        assert import_chunk.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    (view,) = actions.list_files(a_call(fsp), FileQuery()).items
    assert (view.state, view.counts.created) == ("done", 3)


def test_a_file_that_cannot_be_processed_says_so_and_its_message_is_given_again(fsp: str) -> None:
    event = arrival(f"inbox/{fsp}/assets/a.csv", a_csv([HEADER, ROW]))
    on_file.handler(event, None)
    objects.remove_object(objects.FILES, f"inbox/{fsp}/assets/a.csv")
    (envelope,) = waiting("files.file_received.v1")
    assert import_file.handler(news(envelope), None)["batchItemFailures"] != []
    (view,) = actions.list_files(a_call(fsp), FileQuery()).items
    assert (view.state, view.failed) == ("received", True)


@pytest.mark.usefixtures("every_file_is_long")
def test_a_chunk_that_cannot_be_processed_says_so_and_its_message_is_given_again(fsp: str) -> None:
    on_file.handler(arrival(f"inbox/{fsp}/assets/a.csv", a_csv([HEADER, ROW])), None)
    import_all()
    for item in objects.list_objects(objects.BODIES, "chunks/"):
        objects.remove_object(objects.BODIES, item["key"])
    assert import_chunk.handler({"Records": chunks()[:1]}, None)["batchItemFailures"] != []
    (view,) = actions.list_files(a_call(fsp), FileQuery()).items
    assert (view.state, view.failed) == ("processing", True)


def test_a_drop_under_nobodys_prefix_has_no_receipt(fsp: str) -> None:
    for key in ("inbox/org_nobody/assets/a.csv", "inbox/assets.csv"):
        assert on_file.handler(arrival(key, b"hello"), None) == {"batchItemFailures": []}
    assert waiting("files.file_received.v1") == []


def test_the_news_that_a_bucket_has_a_queue_is_no_drop() -> None:
    event = json.loads(json.dumps(SAMPLE))
    event["Records"][0]["body"] = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    assert on_file.handler(event, None) == {"batchItemFailures": []}


def test_areas_are_left_to_their_own_function() -> None:
    given_pool()
    so = a_system_operator().organisation
    on_file.handler(arrival(f"inbox/{so}/areas/a.geojson", b"{}"), None)
    import_all()
    (view,) = actions.list_files(a_call(so, "so"), FileQuery()).items
    assert view.state == "received"


def test_an_operators_dates_are_read_in_its_own_order() -> None:
    given_pool()
    so = a_system_operator().organisation
    on_file.handler(arrival(f"inbox/{so}/competitions/a.csv", b"Competition Ref,Name\nC1,x\n"), None)
    import_all()
    (view,) = actions.list_files(a_call(so, "so"), FileQuery()).items
    assert (view.state, view.refusal_code) == ("refused", "file.needs_workbook")


def test_the_sweep_takes_in_what_was_lost_and_has_the_templates_made(fsp: str) -> None:
    objects.put_object(objects.FILES, f"inbox/{fsp}/assets/lost.csv", a_csv([HEADER, ROW]))
    now = (
        objects.head_object(objects.FILES, f"inbox/{fsp}/assets/lost.csv")["modified"] + timedelta(hours=1)
    ).isoformat()
    sweep.sweep(a_system_call(now))
    import_all()
    (view,) = actions.list_files(a_call(fsp), FileQuery()).items
    assert (view.name, view.state) == ("lost.csv", "done")
    (envelope,) = waiting("files.export_requested.v1")
    assert make_export.handler(news(envelope), None) == {"batchItemFailures": []}
    assert all(actions.template_link(a_call(fsp), kind).url for kind in KINDS)


def test_a_download_is_made_by_its_room(fsp: str) -> None:
    job = actions_exporting.request_export(a_call(fsp), ExportRequest(kind="assets"))
    (envelope,) = waiting("files.export_requested.v1")
    assert make_export.handler(news(envelope), None) == {"batchItemFailures": []}
    assert actions_exporting.get_job(a_call(fsp), job.id).state == "done"


def test_every_kind_of_file_has_its_importer_and_template() -> None:
    assert set(imports.kinds()) | imports.ELSEWHERE == set(KINDS)
    assert {imports.importer_of(kind).kind for kind in imports.kinds()} == set(imports.kinds())
    assert {kind: template.kind for kind, template in templates.templates().items()} == {kind: kind for kind in KINDS}


def test_every_kind_of_download_has_its_room() -> None:
    assert sorted([*exports.kinds(), *documents.KINDS]) == sorted(EXPORTS)
    assert all(callable(exports.exporter_of(kind)) for kind in exports.kinds())
    assert all(callable(documents.maker_of(kind)) for kind in documents.KINDS)


def test_areas_have_a_function_of_their_own() -> None:
    assert callable(import_module("functions.import_areas").handler)
