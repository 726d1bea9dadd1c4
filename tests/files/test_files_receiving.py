"""Files arriving: one receipt for each object, refusals at the door, failures, and what the sweep finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.files import actions, store
from chalicelib.files.actions_receiving import (
    load_object,
    lost_drops,
    mark_failed,
    owner_of,
    receive,
    refuse,
    replay_file,
    sweep,
)
from chalicelib.files.models import MOST_BYTES, Drop, FileRequest, Receipt
from chalicelib.kernel.call import OrganisationKind
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused
from chalicelib.storage import objects, outbox
from chalicelib.storage.audit import trail_of
from tests.builders.calls import a_call, a_system_call
from tests.builders.files import ARRIVED, a_drop, put_drop

pytestmark = pytest.mark.usefixtures("market")
LATER = "2026-04-01T09:10:00Z"


def told() -> list[tuple[str, str]]:
    """Events written but not yet on the bus, with the receipt each is about."""
    waiting = outbox.unpublished(ARRIVED + timedelta(days=30))
    return [(envelope.name, envelope.body["receipt_id"]) for envelope in waiting]


def received(drop: Drop, organisation: str = "org_fsp1", kind: OrganisationKind = "fsp") -> Receipt:
    return receive(a_system_call(), drop, organisation, kind)


def announced(**changes: Any) -> Receipt:
    asked = {"kind": "assets", "name": "assets.xlsx", "size": 5, "sha256": "0" * 64} | changes
    view = actions.request_upload(a_call(), FileRequest.model_validate(asked))
    return actions.get_receipt(view.id)


def test_a_dropped_object_gets_a_receipt_and_its_importer_is_told() -> None:
    receipt = received(a_drop(b"hello"))
    assert (receipt.state, receipt.kind, receipt.name, receipt.at) == ("received", "assets", "assets.xlsx", ARRIVED)
    assert (receipt.actor_kind, receipt.size, receipt.organisation) == ("machine", 5, "org_fsp1")
    assert told() == [("files.file_received.v1", receipt.id)]
    assert [record.action for record in trail_of(f"file:{receipt.id}").items] == ["file.received"]
    assert load_object(receipt) == b"hello"


def test_hearing_of_an_object_twice_opens_one_receipt() -> None:
    drop = a_drop(b"hello")
    assert received(drop) == received(drop)
    assert len(told()) == 1


def test_the_same_name_dropped_again_is_another_file() -> None:
    first = received(put_drop("inbox/org_fsp1/assets/a.csv", b"one"))
    second = received(put_drop("inbox/org_fsp1/assets/a.csv", b"two", ARRIVED + timedelta(seconds=1)))
    assert first.id != second.id


@pytest.mark.parametrize(
    ("drop", "code"),
    [
        (Drop(key="inbox/org_fsp1/recipes/a.xlsx", size=5, at=ARRIVED), "file.kind_unknown"),
        (Drop(key="inbox/org_fsp1/a.xlsx", size=5, at=ARRIVED), "file.kind_unknown"),
        (Drop(key="inbox/org_fsp1/assets/", size=0, at=ARRIVED), "file.empty"),
        (Drop(key="inbox/org_fsp1/competitions/a.xlsx", size=5, at=ARRIVED), "file.kind_not_yours"),
        (Drop(key="inbox/org_fsp1/assets/a.xlsx", size=0, at=ARRIVED), "file.empty"),
        (Drop(key="inbox/org_fsp1/assets/a.xlsx", size=MOST_BYTES + 1, at=ARRIVED), "file.too_large"),
        (Drop(key="inbox/org_fsp1/assets/rct_of_another/a.xlsx", size=5, at=ARRIVED), "file.another_organisation"),
    ],
)
def test_what_the_key_or_size_tells_is_refused_with_a_receipt_that_says_so(drop: Drop, code: str) -> None:
    receipt = received(drop)
    assert (receipt.state, receipt.refusal_code) == ("refused", code)
    assert told() == [("files.file_refused.v1", receipt.id)]
    assert list(store.list_open(receipt.kind)) == []


def test_a_drop_into_another_organisations_upload_is_refused() -> None:
    theirs = announced()
    key = f"inbox/org_fsp2/assets/{theirs.id}/assets.xlsx"
    refused = received(Drop(key=key, size=5, at=ARRIVED), "org_fsp2")
    assert refused.refusal_code == "file.another_organisation"
    assert actions.get_receipt(theirs.id) == theirs


def test_an_announced_upload_keeps_its_receipt_when_it_arrives() -> None:
    expected = announced()
    arrived = received(put_drop(expected.object_key, b"hello"))
    assert (arrived.id, arrived.state, arrived.at, arrived.actor) == (expected.id, "received", ARRIVED, "per_1")
    assert received(put_drop(expected.object_key, b"hello")) == arrived
    assert told() == [("files.file_received.v1", expected.id)]


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("inbox/org_1/assets/a.xlsx", "org_1"),
        ("inbox/org_1/a.xlsx", "org_1"),
        ("inbox/org_1", None),
        ("inbox//assets/a", None),
        ("inbox/org_1/", None),
        ("outbox/org_1/assets/a", None),
    ],
)
def test_an_object_belongs_to_whose_prefix_it_stands_under(key: str, owner: str | None) -> None:
    assert owner_of(key) == owner


def test_a_refusal_keeps_its_problems_and_tells_whoever_dropped_the_file() -> None:
    receipt = received(a_drop(b"hello"))
    refusal = Invalid.of([Problem("file.column_missing", "No column Name.", "name", column="Name")], "file.columns")
    refused = refuse(a_system_call(), receipt, refusal)
    assert (refused.state, refused.refusal_code, refused.problem_count) == ("refused", "file.columns", 1)
    assert [problem.column for problem in actions.all_problems(a_call(), refused)] == ["Name"]
    assert told()[-1] == ("files.file_refused.v1", receipt.id)


def test_a_closed_receipt_is_not_refused_again() -> None:
    refused = refuse(a_system_call(), received(a_drop(b"hello")), Invalid("file.empty", "Empty."))
    with pytest.raises(Refused, match="it is refused"):
        refuse(a_system_call(), refused, Invalid("file.empty", "Empty."))


def test_a_failure_is_noted_once_and_only_while_the_file_is_open() -> None:
    receipt = received(a_drop(b"hello"))
    mark_failed(a_system_call(), receipt.id)
    mark_failed(a_system_call(), receipt.id)
    failed = actions.get_receipt(receipt.id)
    assert (failed.failed, failed.state, failed.version) == (True, "received", 2)
    mark_failed(a_system_call(), "rct_nobody")
    closed = refuse(a_system_call(), failed, Invalid("file.empty", "Empty."))
    mark_failed(a_system_call(), receipt.id)
    assert actions.get_receipt(receipt.id) == closed


def test_a_failed_file_can_be_replayed_as_of_the_instant_it_arrived() -> None:
    receipt = received(a_drop(b"hello"))
    mark_failed(a_system_call(), receipt.id)
    again = replay_file(a_call("org_mo", "market_operator", now=LATER), receipt.id)
    assert (again.failed, again.state, again.at) == (False, "received", ARRIVED)
    assert told()[-1] == ("files.file_received.v1", receipt.id)


def test_a_refused_file_can_be_replayed_and_loses_its_old_reasons() -> None:
    refused = refuse(a_system_call(), received(a_drop(b"x")), Invalid.of([Problem("a", "b")]))
    again = replay_file(a_call("org_mo", "market_operator"), refused.id)
    assert (again.state, again.refusal, again.problem_count, again.problems_key) == ("received", None, 0, None)


def test_a_file_being_read_is_not_replayed() -> None:
    receipt = received(a_drop(b"hello"))
    with pytest.raises(Refused) as refused:
        replay_file(a_call("org_mo", "market_operator"), receipt.id)
    assert refused.value.code == "file.being_read"


def test_the_sweep_tells_the_importer_again_of_a_file_that_waits_too_long() -> None:
    receipt = received(a_drop(b"hello"))
    sweep(a_system_call())
    assert len(told()) == 1
    sweep(a_system_call(LATER))
    assert told() == [("files.file_received.v1", receipt.id)] * 2
    sweep(a_system_call(), patience=timedelta(0))
    assert len(told()) == 3


def test_the_sweep_leaves_failed_and_closed_files_alone() -> None:
    failed, closed = received(a_drop(b"one", name="a.csv")), received(a_drop(b"two", name="b.csv"))
    mark_failed(a_system_call(), failed.id)
    refuse(a_system_call(), closed, Invalid("file.empty", "Empty."))
    before = told()
    sweep(a_system_call("2026-04-02T12:00:00Z"))
    assert told() == before


def test_the_sweep_closes_an_upload_that_never_came() -> None:
    expected = announced()
    sweep(a_system_call(LATER))
    assert actions.get_receipt(expected.id).state == "expected"
    sweep(a_system_call("2026-04-02T09:00:01Z"))
    closed = actions.get_receipt(expected.id)
    assert (closed.state, closed.refusal_code) == ("refused", "file.never_arrived")
    assert told() == []


def test_objects_without_a_receipt_are_found() -> None:
    known = a_drop(b"one", name="known.csv")
    head = objects.head_object(objects.FILES, known.key)
    received(known.but(at=head["modified"]))
    lost = a_drop(b"two", name="lost.csv")
    objects.put_object(objects.FILES, "inbox/org_fsp1", b"under nobody's prefix")
    expected = announced()
    objects.put_object(objects.FILES, expected.object_key, b"hello")
    now = (head["modified"] + timedelta(minutes=5)).isoformat()
    assert {drop.key for drop in lost_drops(a_system_call(now))} == {lost.key, expected.object_key}
    young = (head["modified"] + timedelta(seconds=1)).isoformat()
    assert lost_drops(a_system_call(young)) == []
    old = (head["modified"] + timedelta(days=4)).isoformat()
    assert lost_drops(a_system_call(old)) == []


def test_an_object_that_is_gone_is_said_to_be_gone() -> None:
    receipt = received(Drop(key="inbox/org_fsp1/assets/gone.csv", size=5, at=ARRIVED))
    with pytest.raises(NotFound) as refused:
        load_object(receipt)
    assert refused.value.code == "file.gone"
