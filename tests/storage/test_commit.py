"""Claims about the one way to write."""

from __future__ import annotations

from dataclasses import replace as replaced
from datetime import datetime

import pytest
from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.call import Call, Idempotency, ordered_ids
from chalicelib.kernel.errors import Invalid, Refused, Stale
from chalicelib.kernel.events import Event
from chalicelib.kernel.models import Value
from chalicelib.storage import audit, claims, outbox
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import Group, commit, commit_each
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    batch_put,
    batch_remove,
    get,
    get_many,
    query,
    query_all,
    query_index,
    table_name,
)
from chalicelib.storage.writes import check, create, number, put, put_if, remove, replace, text, update_if
from tests.builders.calls import NOON, a_call

pytestmark = pytest.mark.usefixtures("market")


class Thing(Value):
    colour: str


class ThingPainted(Event):
    thing_id: str


class _ThingRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    owner = UnicodeAttribute(null=True)
    ref = UnicodeAttribute(null=True)
    body = BodyAttribute(Thing)


def a_row(
    pk: str = "ast_1", sk: str = "head", version: int = 1, colour: str = "red", owner: str = "org_1"
) -> _ThingRow:
    return _ThingRow(pk=pk, sk=sk, version=version, owner=owner, ref=pk, body=Thing(colour=colour))


def a_change() -> Change:
    return Change(thing="asset:ast_1", action="asset.created", organisation="org_fsp1", after={"colour": "red"})


def colour_of(pk: str = "ast_1") -> str | None:
    row = get(_ThingRow, pk, "head")
    return row.body.colour if row else None


def test_rows_outbox_and_audit_go_in_together() -> None:
    commit(a_call(), [create(a_row())], [ThingPainted(thing_id="ast_1")], [a_change()])
    assert colour_of() == "red"
    assert [envelope.body for envelope in outbox.unpublished(a_call().now)] == [{"thing_id": "ast_1"}]
    trail = audit.trail_of("asset:ast_1").items
    assert [(record.action, record.actor) for record in trail] == [("asset.created", "per_1")]


def test_a_refused_row_leaves_neither_event_nor_audit() -> None:
    commit(a_call(), [create(a_row())])
    taken = Refused("taken", "taken")
    with pytest.raises(Refused, match="taken"):
        commit(a_call(), [create(a_row(), taken), create(a_row("ast_2"))], [ThingPainted(thing_id="x")], [a_change()])
    assert colour_of("ast_2") is None
    assert outbox.unpublished(a_call().now) == []
    assert audit.trail_of("asset:ast_1").items == []


def test_a_change_to_what_somebody_changed_meanwhile_is_stale() -> None:
    commit(a_call(), [create(a_row())])
    commit(a_call(), [replace(a_row(version=2, colour="blue"))])
    with pytest.raises(Stale):
        commit(a_call(), [replace(a_row(version=2, colour="green"))])
    assert colour_of() == "blue"


def test_an_idempotency_key_is_claimed_once_with_its_result() -> None:
    call = a_call(idempotency=Idempotency("k", "hash"))
    assert claims.find_result(call) is None
    commit(call, [create(a_row())], result="ast_1")
    assert claims.find_result(call) == "ast_1"
    with pytest.raises(Refused) as raced:
        commit(call, [create(a_row("ast_2"))], result="ast_2")
    assert raced.value.code == claims.RACED
    assert colour_of("ast_2") is None


def test_an_idempotency_key_with_another_request_is_refused() -> None:
    commit(a_call(idempotency=Idempotency("k", "hash")), [create(a_row())], result="ast_1")
    with pytest.raises(Invalid):
        claims.find_result(a_call(idempotency=Idempotency("k", "other")))


def test_an_idempotency_key_is_forgotten_after_seven_days() -> None:
    commit(a_call(idempotency=Idempotency("k", "hash")), [create(a_row())], result="ast_1")
    later = a_call(idempotency=Idempotency("k", "hash"), now="2026-04-09T09:00:01Z")
    assert claims.find_result(later) is None


def test_conditions_guard_rows_elsewhere() -> None:
    commit(a_call(), [create(a_row())])
    wrong = Refused("wrong", "wrong")
    guard = check(_ThingRow, "ast_1", "head", "#owner = :owner", {":owner": text("org_2")}, wrong)
    with pytest.raises(Refused, match="wrong"):
        commit(a_call(), [guard, create(a_row("ast_2"))])
    raise_version = update_if(
        _ThingRow,
        "ast_1",
        "head",
        "SET #version = :two",
        "#version = :one",
        {":one": number(1), ":two": number(2)},
        wrong,
    )
    commit(a_call(), [raise_version])
    with pytest.raises(Refused, match="wrong"):
        commit(a_call(), [raise_version])
    newer = a_row(version=9, colour="gold")
    commit(a_call(), [put_if(newer, "#version < :new", {":new": number(9)}, wrong)])
    with pytest.raises(Refused, match="wrong"):
        commit(a_call(), [put_if(newer, "#version < :new", {":new": number(9)}, wrong)])
    assert colour_of() == "gold"


def test_a_transaction_never_names_a_key_twice_nor_grows_over_a_hundred() -> None:
    with pytest.raises(AssertionError, match="twice"):
        commit(a_call(), [create(a_row()), put(a_row())])
    with pytest.raises(AssertionError, match="101 writes"):
        commit(a_call(), [create(a_row(f"ast_{n}")) for n in range(101)])


def test_groups_fail_one_by_one() -> None:
    commit(a_call(), [create(a_row())])
    groups = [Group([create(a_row("ast_2"))]), Group([create(a_row())]), Group([create(a_row("ast_3"))])]
    outcomes = commit_each(a_call(), groups)
    assert [refusal and refusal.code for refusal in outcomes] == [None, "exists", None]
    assert colour_of("ast_3") == "red"


def test_nothing_to_write_is_no_transaction() -> None:
    commit(a_call(), [])
    assert outbox.unpublished(a_call().now) == []


def test_pages_follow_one_another_without_gap_or_repeat() -> None:
    batch_put([a_row(sk=f"v#{n:03d}") for n in range(30)])
    seen: list[str] = []
    cursor = None
    while True:
        page = query(_ThingRow, "ast_1", "v#", limit=7, cursor=cursor)
        seen += [row.sk for row in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f"v#{n:03d}" for n in range(30)]
    assert next(row.sk for row in query_all(_ThingRow, "ast_1", "v#01", newest_first=True)) == "v#019"


def test_an_index_lists_by_prefix_and_span() -> None:
    batch_put([a_row(f"ast_{n}") for n in range(5)])
    assert len(query_index(_ThingRow, "by_owner", "org_1").items) == 5
    assert [row.pk for row in query_index(_ThingRow, "by_owner", "org_1", prefix="ast_3").items] == ["ast_3"]
    between = query_index(_ThingRow, "by_owner", "org_1", between=("ast_1", "ast_2"), newest_first=True)
    assert [row.pk for row in between.items] == ["ast_2", "ast_1"]


def test_many_rows_are_read_at_once_and_removed_at_once() -> None:
    keys = [(f"ast_{n}", "head") for n in range(130)]
    batch_put([a_row(pk) for pk, _ in keys])
    assert len(get_many(_ThingRow, [*keys, ("ast_999", "head")])) == 130
    batch_remove(_ThingRow, keys[:60])
    assert len(get_many(_ThingRow, keys)) == 70
    commit(a_call(), [remove(_ThingRow, *keys[60])])
    assert len(get_many(_ThingRow, keys)) == 69


@pytest.mark.parametrize("cursor", ["%%%", "bm90IGpzb24", "eyJwayI6MX0", "W10", "é"])
def test_a_cursor_no_list_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        query(_ThingRow, "ast_1", cursor=cursor)


def test_a_cursor_of_another_list_is_refused() -> None:
    batch_put([a_row(sk=f"v#{n}") for n in range(3)])
    batch_put([a_row(f"ast_{n}") for n in range(2, 5)])
    of_versions = query(_ThingRow, "ast_1", limit=1).next
    of_owner = query_index(_ThingRow, "by_owner", "org_1", limit=1).next
    for cursor in (of_versions, of_owner):
        with pytest.raises(Invalid):
            query(_ThingRow, "ast_2", cursor=cursor)
        with pytest.raises(Invalid):
            query_index(_ThingRow, "by_owner", "org_2", cursor=cursor)


def test_a_published_event_is_not_swept_again() -> None:
    commit(a_call(), [create(a_row())], [ThingPainted(thing_id="ast_1")])
    outbox.publish(outbox.unpublished(a_call().now))
    assert outbox.unpublished(a_call().now) == []


def test_an_organisations_day_is_read_in_order_of_time() -> None:
    for number_ in range(5):
        commit(a_call(), [create(a_row(f"ast_{number_}"))], (), [a_change()])
    ids = [record.id for record in audit.records_of_day("org_fsp1", a_call().now.date())]
    assert len(ids) == 5
    assert ids == sorted(ids)


def test_a_repeated_call_whose_first_pass_was_cut_short_tells_what_is_left_under_ids_of_its_own() -> None:
    def same_call() -> Call:
        return replaced(a_call(), new_id=ordered_ids(datetime.fromisoformat(NOON), "message-1"))

    for number_ in range(5):
        pk = f"ast_{number_}"
        change = a_change().model_copy(update={"thing": f"asset:{pk}"})
        # Each pass begins with the same ids, as a message that is given again does, and skips what is done already.
        commit(same_call(), [create(a_row(pk))], [ThingPainted(thing_id=pk)], [change])
        assert len(audit.trail_of(f"asset:{pk}").items) == 1
    told = outbox.unpublished(before=datetime.fromisoformat("2026-05-01T09:00:00Z"))
    assert sorted(envelope.body["thing_id"] for envelope in told) == [f"ast_{number_}" for number_ in range(5)]


def test_a_repeated_call_is_still_refused_by_what_it_made_before() -> None:
    same = replaced(a_call(), new_id=ordered_ids(datetime.fromisoformat(NOON), "message-2"))
    commit(same, [create(a_row("ast_7"))], [ThingPainted(thing_id="ast_7")])
    again = replaced(a_call(), new_id=ordered_ids(datetime.fromisoformat(NOON), "message-2"))
    with pytest.raises(Refused) as refused:
        commit(again, [create(a_row("ast_7"))], [ThingPainted(thing_id="ast_7")])
    assert refused.value.code == "exists"


def test_what_was_told_already_and_comes_with_nothing_to_write_is_refused() -> None:
    def same_call() -> Call:
        return replaced(a_call(), new_id=ordered_ids(datetime.fromisoformat(NOON), "message-3"))

    commit(same_call(), [], [ThingPainted(thing_id="ast_8")])
    with pytest.raises(Refused) as refused:
        commit(same_call(), [], [ThingPainted(thing_id="ast_8")])
    assert refused.value.code == "exists"
