"""Claims about an areas file's way through its function: receipts say what was assumed, repaired and refused."""

import json

import pytest

from chalicelib.areas import actions
from chalicelib.areas import imports as areas_imports
from chalicelib.files import actions as files
from chalicelib.files.actions_receiving import receive
from chalicelib.files.events import FileReceived
from chalicelib.kernel.events import Envelope
from functions import import_areas
from tests.builders.areas import SO, a_feature, a_geojson, a_polygon
from tests.builders.calls import NOON, a_system_call
from tests.builders.files import a_drop

pytestmark = pytest.mark.usefixtures("market")


def dropped(content, name="areas.geojson"):
    return receive(a_system_call(), a_drop(content, "areas", name, SO), SO, "so")


def told(receipt, kind="areas"):
    """The news of a received file, as the function's queue gives it."""
    body = FileReceived(receipt_id=receipt.id, kind=kind, organisation=SO).model_dump(mode="json")
    envelope = Envelope(id="evt_1", name=FileReceived.name, at=NOON, request_id="req_1", body=body)
    news = json.dumps({"detail": envelope.model_dump(mode="json")})
    record = {"messageId": "m1", "eventSource": "aws:sqs", "body": news}
    return import_areas.handler({"Records": [record]}, None)["batchItemFailures"]


def test_a_good_file_is_done_and_its_receipt_says_what_was_assumed():
    receipt = dropped(a_geojson(a_feature(ref="A")))
    assert told(receipt) == []
    done = files.get_receipt(receipt.id)
    assert (done.state, done.counts.created, done.problem_count) == ("done", 1, 0)
    assert "reference is its “ref”" in done.notes[0]
    assert actions.find_area(SO, "A").source == receipt.id
    assert told(receipt) == []
    assert files.get_receipt(receipt.id) == done


def test_a_bad_file_is_refused_with_all_its_problems():
    receipt = dropped(a_geojson(a_feature(a_polygon([[1, 52], [2, 52], [2, 53]]), ref="A"), a_feature(ref="")))
    assert told(receipt) == []
    refused = files.get_receipt(receipt.id)
    assert refused.state == "refused"
    assert actions.find_area(SO, "A") is None


def test_files_of_other_kinds_are_left_alone():
    receipt = dropped(a_geojson())
    assert told(receipt, kind="competitions") == []
    assert files.get_receipt(receipt.id).state == "received"


def test_a_list_file_tells_what_it_ignored():
    receipt = dropped(b"Area Ref,Postcodes,Colour\nA,IP1 1AA,red\n", "areas.csv")
    assert told(receipt) == []
    done = files.get_receipt(receipt.id)
    assert done.state == "done"
    assert any("Colour" in note for note in done.notes)


def test_a_fault_is_noted_and_the_file_given_again(monkeypatch):
    receipt = dropped(a_geojson(a_feature(ref="A")))

    def fails(drawn):
        raise ConnectionError("the machine stopped")

    with monkeypatch.context() as patch:
        patch.setattr(areas_imports, "_new_area", fails)
        assert told(receipt) == [{"itemIdentifier": "m1"}]
    assert files.get_receipt(receipt.id).failed
    assert told(receipt) == []
    assert files.get_receipt(receipt.id).state == "done"
