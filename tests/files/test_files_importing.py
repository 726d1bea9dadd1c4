"""Importing: chunks, progress, outcomes, the same bytes twice, crashes at every step, and files taken whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.files import actions, store
from chalicelib.files import actions_importing as work
from chalicelib.files.actions_receiving import mark_failed, receive, refuse
from chalicelib.files.importing import (
    Chunk,
    Importer,
    ParsedRow,
    ParsedSheet,
    RowOutcome,
    by_key,
    by_rows,
    call_for_row,
    row_id,
    whole,
)
from chalicelib.files.imports import import_chunk, import_file
from chalicelib.files.models import FileQuery, Receipt
from chalicelib.files.workbook import read_file
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refused, Stale
from chalicelib.kernel.models import PageQuery
from chalicelib.storage import commit as committing
from chalicelib.storage import objects, settings
from chalicelib.storage.audit import trail_of
from chalicelib.storage.clients import client
from tests.builders.calls import a_call, a_system_call
from tests.builders.files import ARRIVED, TEMPLATE, TWO_TABS, Shelf, a_csv, a_drop, a_workbook

pytestmark = pytest.mark.usefixtures("market")
HEADER = ["Asset Ref", "Name", "Capacity (MW)"]
FIVE = a_csv([HEADER, ["A1", "one", 1], ["A2", "bad", 2], ["A3", "three", -3], ["A4", "four", 4], ["A5", "five", 5]])


def dropped(content: bytes = FIVE, name: str = "assets.csv") -> Receipt:
    return receive(a_system_call(), a_drop(content, name=name), "org_fsp1", "fsp")


def queued() -> list[int]:
    """Numbers of the chunks waiting in the queue, taken from it."""
    import json

    url = client("sqs").get_queue_url(QueueName=settings.queue_name("import-chunk"))["QueueUrl"]
    numbers = []
    while messages := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            numbers.append(json.loads(message["Body"])["body"]["number"])
            client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(numbers)


def run(receipt: Receipt, importer: Importer) -> Receipt:
    """The whole import as the functions run it."""
    import_file(a_system_call(), receipt.id, importer)
    for number in queued():
        import_chunk(a_system_call(), receipt.id, number, importer)
    return actions.get_receipt(receipt.id)


def test_rows_are_applied_chunk_by_chunk_and_the_last_one_closes_the_receipt() -> None:
    shelf = Shelf()
    done = run(dropped(), shelf.importer())
    assert done.state == "done"
    assert done.counts.model_dump() == {"created": 3, "updated": 0, "unchanged": 0, "errors": 2}
    assert (done.rows, done.chunks, done.problem_count) == (5, 3, 2)
    assert set(shelf.rows) == {"A1", "A4", "A5"}
    assert [record.action for record in trail_of(f"file:{done.id}").items] == ["file.done", "file.received"]
    assert list(store.list_open("assets")) == []


def test_progress_is_seen_while_the_file_is_being_read() -> None:
    receipt, importer = dropped(), Shelf().importer()
    import_file(a_system_call(), receipt.id, importer)
    view = actions.get_file(a_call(), receipt.id)
    assert (view.state, view.rows_done, view.rows) == ("processing", 0, 5)
    import_chunk(a_system_call(), receipt.id, 1, importer)
    view = actions.get_file(a_call(), receipt.id)
    assert (view.state, view.rows_done, view.counts.errors) == ("processing", 2, 1)
    assert [problem.row for problem in view.problems] == [4]
    assert actions.list_files(a_call(), FileQuery()).items[0].rows_done == 2


def test_problems_name_sheet_row_column_code_and_what_would_pass() -> None:
    done = run(dropped(), Shelf().importer())
    problems = actions.list_problems(a_call(), done.id, PageQuery()).items
    assert [(each.sheet, each.row, each.column, each.code, each.allowed) for each in problems] == [
        ("Assets", 3, "Name", "asset.name", "any other"),
        ("Assets", 4, "Capacity (MW)", "cell.negative", "0 or more"),
    ]


def test_problems_come_page_by_page() -> None:
    rows = [[f"A{number}", "bad", -1] for number in range(1, 8)]
    receipt = dropped(a_csv([HEADER, *rows]))
    done = run(receipt, Shelf().importer(split=by_rows(3)))
    seen, cursor = [], None
    while True:
        page = actions.list_problems(a_call(), done.id, PageQuery(limit=2, cursor=cursor))
        seen += [problem.row for problem in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("cursor", ["x", "1", "1:x", "-1:0", "٣:٠", "1:" + "9" * 30])
def test_a_cursor_of_problems_that_we_never_gave_is_refused(cursor: str) -> None:
    done = run(dropped(), Shelf().importer())
    with pytest.raises(Invalid) as refused:
        actions.list_problems(a_call(), done.id, PageQuery(cursor=cursor))
    assert refused.value.problems[0].code == "cursor.unknown"


def test_a_short_file_is_applied_at_once() -> None:
    shelf = Shelf()
    receipt = dropped()
    import_file(a_system_call(), receipt.id, shelf.importer(split=by_rows(100)))
    assert (actions.get_receipt(receipt.id).state, queued()) == ("done", [])


def test_rows_are_applied_as_the_organisation_at_the_instant_the_file_arrived() -> None:
    shelf = Shelf()
    run(dropped(), shelf.importer())
    call = shelf.calls[0]
    assert (call.now, call.organisation, call.actor.kind) == (ARRIVED, "org_fsp1", "machine")
    assert call.actor.roles == {"procurement", "read"}


def test_a_file_with_problems_has_a_marked_copy_and_one_without_has_none() -> None:
    done = run(dropped(a_workbook({"Assets": [HEADER, ["A1", "one", -1]]}), "a.xlsx"), Shelf().importer())
    copy = objects.read_object(objects.BODIES, done.marked_workbook or "")
    assert read_file(copy, TEMPLATE).sheets["Assets"].rows[0].problems[0].code == "cell.negative"
    assert actions.marked_workbook(a_call(), done.id).name == "a - marked.xlsx"
    clean = run(dropped(a_csv([HEADER, ["A1", "one", 1]]), "b.csv"), Shelf().importer())
    assert clean.marked_workbook is None


def test_a_file_that_cannot_be_read_is_refused_whole() -> None:
    shelf = Shelf()
    refused = run(dropped(b"PK\x03\x04 broken"), shelf.importer())
    assert (refused.state, refused.refusal_code, shelf.rows) == ("refused", "file.corrupt", {})


def test_a_file_may_be_refused_by_its_room_before_any_row_is_applied() -> None:
    def check(call: Call, receipt: Receipt, sheets: Any) -> list[Problem]:
        return [Problem("assets.too_many", f"{len(sheets['Assets'].rows)} rows are too many.")]

    shelf = Shelf()
    refused = run(dropped(), shelf.importer(check=check))
    assert (refused.refusal_code, refused.refusal) == ("file.refused", "1 problem: 5 rows are too many.")
    assert shelf.rows == {}


def test_a_room_that_finds_nothing_wrong_with_the_file_sees_its_rows_applied() -> None:
    assert run(dropped(), Shelf().importer(check=lambda call, receipt, sheets: [])).state == "done"


def test_the_same_bytes_twice_say_unchanged() -> None:
    shelf = Shelf()
    content = a_csv([HEADER, ["A1", "one", 1], ["A2", "two", 2]])
    first = run(dropped(content), shelf.importer())
    second = run(dropped(content, "again.csv"), shelf.importer())
    assert (second.state, second.same_as, second.counts.unchanged, second.rows) == ("done", first.id, 2, 2)
    assert first.id in second.notes[0]
    assert len(shelf.calls) == 1


def test_the_same_bytes_while_the_first_are_being_read_say_unchanged() -> None:
    shelf = Shelf()
    first, second = dropped(), dropped(name="again.csv")
    import_file(a_system_call(), first.id, shelf.importer())
    import_file(a_system_call(), second.id, shelf.importer())
    assert actions.get_receipt(second.id).same_as == first.id


def test_the_same_bytes_are_applied_again_after_another_file_of_the_kind() -> None:
    shelf = Shelf()
    content = a_csv([HEADER, ["A1", "one", 1]])
    run(dropped(content), shelf.importer())
    run(dropped(a_csv([HEADER, ["A1", "two", 1]]), "b.csv"), shelf.importer())
    third = run(dropped(content, "c.csv"), shelf.importer())
    assert (third.same_as, third.counts.updated, shelf.rows["A1"]["name"]) == (None, 1, "one")


def test_the_same_bytes_are_applied_again_after_errors_a_refusal_or_a_failure() -> None:
    shelf = Shelf()
    with_errors = run(dropped(), shelf.importer())
    assert run(dropped(name="b.csv"), shelf.importer()).same_as is None
    assert with_errors.counts.errors
    refuse(a_system_call(), dropped(b"x,y", "c.csv"), Invalid("file.x", "No."))
    again = dropped(b"x,y", "d.csv")
    assert run(again, shelf.importer()).refusal_code == "file.wrong_template"
    stuck, shelf.faults = dropped(a_csv([HEADER, ["A9", "n", 1]]), "e.csv"), [RuntimeError("broken")]
    with pytest.raises(RuntimeError):
        import_file(a_system_call(), stuck.id, shelf.importer())
    mark_failed(a_system_call(), stuck.id)
    assert run(dropped(a_csv([HEADER, ["A9", "n", 1]]), "f.csv"), shelf.importer()).same_as is None


def test_two_files_of_the_same_bytes_that_race_for_the_claim_are_not_both_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = dropped(), dropped(name="again.csv")
    find = store.find_bytes_claim

    def overtaken(receipt: Receipt) -> str | None:
        found = find(receipt)
        monkeypatch.setattr(store, "find_bytes_claim", find)
        work.begin(a_system_call(), first, FIVE)
        return found

    monkeypatch.setattr(store, "find_bytes_claim", overtaken)
    with pytest.raises(Refused) as refused:
        work.begin(a_system_call(), second, FIVE)
    assert refused.value.code == "file.claimed"
    assert work.begin(a_system_call(), second, FIVE) is None


def test_bytes_other_than_announced_are_refused() -> None:
    receipt = dropped().but(sha256="0" * 64)
    assert work.begin(a_system_call(), receipt, FIVE) is None
    assert actions.get_receipt(receipt.id).refusal_code == "file.not_as_announced"


def test_a_closed_file_is_not_read_again() -> None:
    shelf = Shelf()
    done = run(dropped(), shelf.importer())
    calls = len(shelf.calls)
    import_file(a_system_call(), done.id, shelf.importer())
    import_chunk(a_system_call(), done.id, 0, shelf.importer())
    assert len(shelf.calls) == calls
    assert actions.get_receipt(done.id) == done


def test_a_chunk_that_comes_twice_is_applied_once() -> None:
    shelf = Shelf()
    receipt = dropped()
    import_file(a_system_call(), receipt.id, shelf.importer())
    import_chunk(a_system_call(), receipt.id, 0, shelf.importer())
    import_chunk(a_system_call(), receipt.id, 0, shelf.importer())
    assert len(shelf.calls) == 1


def test_news_of_a_file_being_read_queues_only_what_is_missing() -> None:
    receipt, importer = dropped(), Shelf().importer()
    import_file(a_system_call(), receipt.id, importer)
    assert queued() == [0, 1, 2]
    import_chunk(a_system_call(), receipt.id, 1, importer)
    import_file(a_system_call(), receipt.id, importer)
    assert queued() == [0, 2]


class _Crash(Exception):
    pass


WRITES = 15


def crashing_at(step: int, monkeypatch: pytest.MonkeyPatch, is_done: bool = False) -> Callable[[], int]:
    """Make the n-th write to AWS raise, before it is done or just after; the answer counts the writes."""
    count = [0]

    def guarded(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            if count[0] == step and not is_done:
                raise _Crash(name)
            answer = original(*args, **kwargs)
            if count[0] == step:
                raise _Crash(name)
            return answer

        return act

    monkeypatch.setattr(committing, "_execute", guarded("commit", committing._execute))
    monkeypatch.setattr(objects, "put_object", guarded("put", objects.put_object))
    monkeypatch.setattr(work.queues, "send", guarded("send", work.queues.send))
    return lambda: count[0]


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("step", range(1, WRITES + 1))
def test_a_crash_at_any_write_and_a_retry_give_the_end_state_of_an_undisturbed_import(
    step: int, is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    receipt = dropped()
    with monkeypatch.context() as patched:
        writes = crashing_at(step, patched, is_done)
        with pytest.raises(_Crash):
            run(receipt, shelf.importer())
        assert writes() == step
    queued()
    done = run(receipt, shelf.importer())
    assert done.state == "done"
    assert done.counts.model_dump() == {"created": 3, "updated": 0, "unchanged": 0, "errors": 2}
    assert set(shelf.rows) == {"A1", "A4", "A5"}
    assert [problem.row for problem in actions.all_problems(a_call(), done)] == [3, 4]
    assert [record.action for record in trail_of(f"file:{done.id}").items] == ["file.done", "file.received"]


def test_an_undisturbed_import_makes_as_many_writes_as_the_crash_test_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = dropped()
    writes = crashing_at(0, monkeypatch)
    run(receipt, Shelf().importer())
    assert writes() == WRITES


def test_a_fault_in_a_room_is_raised_and_the_chunk_is_applied_again() -> None:
    shelf = Shelf(faults=[RuntimeError("broken")])
    receipt = dropped(a_csv([HEADER, ["A1", "one", 1]]))
    with pytest.raises(RuntimeError, match="broken"):
        import_file(a_system_call(), receipt.id, shelf.importer())
    mark_failed(a_system_call(), receipt.id)
    done = run(receipt, shelf.importer())
    assert (done.state, done.failed, done.counts.created) == ("done", False, 1)


def test_whoever_closes_a_receipt_second_finds_it_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    receipt, importer = dropped(a_csv([HEADER, ["A1", "one", 1]])), Shelf().importer(split=by_rows(100))
    load = work.find_work
    done: list[Receipt] = []

    def overtaken(receipt_id: str) -> Receipt | None:
        found = load(receipt_id)
        if found and found.state == "processing" and work.has_result(found, 0) and not done:
            done.append(found)
            assert work.finish_if_last(a_system_call(), found)
        return found

    monkeypatch.setattr(work, "find_work", overtaken)
    import_file(a_system_call(), receipt.id, importer)
    closed = actions.get_receipt(receipt.id)
    assert (closed.state, closed.version) == ("done", 4)
    assert not work.finish_if_last(a_system_call(), receipt.but(chunks=2))


def test_a_receipt_that_changed_otherwise_at_its_closing_is_closed_by_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receipt = dropped(a_csv([HEADER, ["A1", "one", 1]]))
    importer = Shelf().importer(split=by_rows(100))
    load = work.find_work

    def noted_meanwhile(receipt_id: str) -> Receipt | None:
        found = load(receipt_id)
        if found and found.state == "processing" and work.has_result(found, 0) and not found.failed:
            mark_failed(a_system_call(), receipt_id)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(work, "find_work", noted_meanwhile)
        with pytest.raises(Stale):
            import_file(a_system_call(), receipt.id, importer)
    assert run(receipt, importer).state == "done"


def test_a_row_the_room_left_out_is_a_fault_unless_the_reader_found_it_wrong() -> None:
    chunk = Chunk(
        0, {"Assets": [ParsedRow(2, {"ref": "A1"}), ParsedRow(3, {}, (Problem("cell.required", "x", "ref"),))]}
    )
    with pytest.raises(RuntimeError, match="left out row 2"):
        work.merge(TEMPLATE, chunk, [])
    merged = work.merge(TEMPLATE, chunk, [RowOutcome(2, "Assets", "created", "A1")])
    assert [(outcome.row, outcome.outcome) for outcome in merged] == [(2, "created"), (3, "error")]


def test_the_readers_problems_and_the_rooms_are_told_together_each_once() -> None:
    of_reader, of_room = Problem("cell.x", "x", "mw"), Problem("asset.y", "y", "name")
    chunk = Chunk(0, {"Assets": [ParsedRow(2, {}, (of_reader,))]})
    (merged,) = work.merge(TEMPLATE, chunk, [RowOutcome(2, "Assets", "created", None, (of_reader, of_room))])
    assert merged.outcome == "error"
    assert [(problem.code, problem.column, problem.row) for problem in merged.problems] == [
        ("cell.x", "Capacity (MW)", 2),
        ("asset.y", "Name", 2),
    ]


def test_a_warning_on_a_row_that_went_in_stays_a_warning() -> None:
    chunk = Chunk(0, {"Assets": [ParsedRow(2, {"ref": "A1"})]})
    warned = RowOutcome(2, "Assets", "created", "A1", (Problem("asset.duplicate", "Also registered."),))
    (merged,) = work.merge(TEMPLATE, chunk, [warned])
    assert (merged.outcome, len(merged.problems)) == ("created", 1)


def area_file(content: bytes = b"{}") -> Receipt:
    return receive(a_system_call(), a_drop(content, "areas", "areas.geojson", "org_so1"), "org_so1", "so")


def test_a_file_taken_whole_is_applied_whole() -> None:
    def apply(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
        assert (call.organisation, content) == ("org_so1", b"{}")
        return [RowOutcome(1, "Areas", "created", "N1"), RowOutcome(2, "Areas", "unchanged", "N2")]

    receipt = area_file()
    work.import_object(a_system_call(), receipt.id, apply)
    done = actions.get_receipt(receipt.id)
    assert (done.state, done.rows, done.counts.created, done.counts.unchanged) == ("done", 2, 1, 1)
    work.import_object(a_system_call(), receipt.id, apply)
    assert actions.get_receipt(receipt.id) == done


def test_a_file_taken_whole_is_refused_whole_with_every_problem() -> None:
    def apply(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
        raise Invalid.of([Problem("area.ring", "Ring 1 is not closed."), Problem("area.ref", "No reference.")])

    receipt = area_file()
    work.import_object(a_system_call(), receipt.id, apply)
    refused = actions.get_receipt(receipt.id)
    assert (refused.state, refused.problem_count) == ("refused", 2)
    assert len(actions.list_problems(a_call("org_so1", "so"), refused.id, PageQuery()).items) == 2


def test_a_file_taken_whole_that_was_overtaken_or_broke_is_tried_again() -> None:
    faults: list[Exception] = [RuntimeError("broken"), Stale("stale", "Overtaken.")]

    def apply(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
        if faults:
            raise faults.pop()
        return [RowOutcome(1, "Areas", "created", "N1")]

    receipt = area_file()
    for fault in (Stale, RuntimeError):
        with pytest.raises(fault):
            work.import_object(a_system_call(), receipt.id, apply)
    work.import_object(a_system_call(), receipt.id, apply)
    assert actions.get_receipt(receipt.id).counts.created == 1


def test_a_file_taken_whole_goes_on_after_a_crash_between_start_and_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def apply(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
        return [RowOutcome(1, "Areas", "created", "N1")]

    def crash(*_: Any) -> None:
        raise _Crash

    receipt = area_file()
    with monkeypatch.context() as patched:
        patched.setattr(work, "record", crash)
        with pytest.raises(_Crash):
            work.import_object(a_system_call(), receipt.id, apply)
    work.import_object(a_system_call(), receipt.id, apply)
    assert actions.get_receipt(receipt.id).state == "done"


def test_the_same_areas_file_twice_is_applied_once() -> None:
    applied: list[str] = []

    def apply(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
        applied.append(receipt.id)
        return [RowOutcome(1, "Areas", "created", "N1")]

    first = area_file()
    work.import_object(a_system_call(), first.id, apply)
    second = receive(a_system_call(), a_drop(b"{}", "areas", "again.geojson", "org_so1"), "org_so1", "so")
    work.import_object(a_system_call(), second.id, apply)
    assert applied == [first.id]
    assert actions.get_receipt(second.id).counts.unchanged == 1


def sheets(*refs: str) -> dict[str, ParsedSheet]:
    rows = [ParsedRow(number, {"ref": ref} if ref else {}) for number, ref in enumerate(refs, 2)]
    return {"Assets": ParsedSheet("Assets", ("ref",), rows)}


def test_rows_that_stand_alone_are_split_by_number() -> None:
    chunks = by_rows(2)(sheets("a", "b", "c"))
    assert [[row.row for row in chunk.rows("Assets")] for chunk in chunks] == [[2, 3], [4]]
    assert [chunk.number for chunk in chunks] == [0, 1]
    assert by_rows()(sheets()) == []


def test_rows_of_one_reference_stay_together_and_those_without_come_last() -> None:
    found = sheets("a", "", "B", "A", "b", "c")
    found["More"] = ParsedSheet("More", ("ref",), [ParsedRow(9, {"ref": "a"})])
    chunks = by_key("ref", 3)(found)
    assert [[(sheet, row.row) for sheet, row in chunk] for chunk in chunks] == [
        [("Assets", 2), ("Assets", 5), ("More", 9)],
        [("Assets", 4), ("Assets", 6), ("Assets", 7)],
        [("Assets", 3)],
    ]
    assert by_key("ref", 1)(sheets("a", "a"))[0].size == 2


def test_a_file_taken_whole_is_one_chunk() -> None:
    (chunk,) = whole()(sheets("a", "b"))
    assert (chunk.size, chunk.rows("Nope")) == (2, ())


def test_a_chunk_survives_json() -> None:
    rows = [ParsedRow(2, {"ref": "a", "list": ["x"], "yes": True}), ParsedRow(3, {}, (Problem("c", "d", row=3),))]
    chunk = Chunk(4, {"Assets": rows})
    assert Chunk.from_json(4, chunk.as_json()) == chunk
    assert [row.row for row in chunk.clean("Assets")] == [2]


def test_a_row_of_a_file_has_ids_of_its_own_however_often_it_is_applied() -> None:
    receipt = dropped()
    assert (
        row_id("ast", receipt, "Assets", 2)
        == row_id("ast", receipt, "Assets", 2)
        != row_id("ast", receipt, "Assets", 3)
    )
    drawn = [call_for_row(a_system_call(), receipt, "Assets", row).new_id("aud") for row in (2, 2, 3)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_kind_of_two_tabs_is_read_by_both() -> None:
    content = a_workbook(
        {
            "Competitions": [["Competition Ref", "Name"], ["C1", "x"]],
            "Service Windows": [["Competition Ref", "Window", "MW"], ["C1", "w", 0]],
        }
    )
    (problem,) = read_file(content, TWO_TABS).sheets["Service Windows"].rows[0].problems
    assert (problem.code, problem.detail) == ("cell.too_small", "The value 0 is not above 0.")
