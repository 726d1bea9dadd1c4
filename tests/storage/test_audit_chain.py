"""The audit chain: sealed without forks or gaps, and whatever is done to an export is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.call import ordered_ids
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import iso
from chalicelib.storage import audit_sealing
from chalicelib.storage.audit import Change
from chalicelib.storage.audit_chain import GENESIS, day_root, merkle_root, next_block, record_hash, verify
from chalicelib.storage.audit_export import daily_roots, export_trail
from chalicelib.storage.audit_sealing import (
    RecordRow,
    blocks_of,
    count_overdue,
    head_of,
    seal_records,
    seal_waiting,
    write_daily_roots,
)
from chalicelib.storage.clients import client
from chalicelib.storage.commit import commit
from chalicelib.storage.settings import table_name
from functions import seal_audit
from local import audit as command
from tests.builders.calls import NOON, a_call, a_system_call
from tests.builders.market_state import everything_in

ORG = "org_fsp1"
AT = datetime.fromisoformat(NOON)


def a_record(number, organisation=ORG, at=AT):
    name = f"aud_{number:06d}"
    return {
        "id": name,
        "organisation": organisation,
        "at": iso(at),
        "thing": f"asset:ast_{number}",
        "after": {"mw": "1"},
    }


def an_export(sizes, at=AT + timedelta(hours=1), organisation=ORG):
    """The lines of an export with one block of each size, as objects to tamper with."""
    records = [a_record(number, organisation) for number in range(sum(sizes))]
    lines, previous, start = [{"kind": "export", "organisation": organisation, "at": iso(at)}], GENESIS, 0
    for sequence, size in enumerate(sizes):
        block = next_block(organisation, sequence, previous, records[start : start + size])
        lines.append({"kind": "block", "block": block.model_dump(mode="json"), "hash": block.hash})
        previous, start = block.hash, start + size
    return [*lines, *({"kind": "record", "record": record} for record in records)]


def verdict_on(lines, roots=()):
    return verify((json.dumps(line) for line in lines), roots)


def of_kind(lines, kind):
    return [line for line in lines if line["kind"] == kind]


def a_root(lines, day="2026-04-01", upto=None):
    """The daily root that was written when the chain stood at a block."""
    blocks = of_kind(lines, "block")
    head = blocks[(upto or len(blocks)) - 1]
    chains = {
        ORG: {"sequence": head["block"]["sequence"], "hash": head["hash"]},
        "org_so": {"sequence": 1, "hash": "0"},
    }
    return {"day": day, "at": NOON, "chains": chains, "root": day_root(chains)}


def test_an_untouched_export_holds_and_is_counted():
    verdict = verdict_on(an_export([3, 1, 4]))
    assert (verdict.holds, verdict.organisation, verdict.records, verdict.blocks) == (True, ORG, 8, 3)
    assert verdict_on(an_export([])).holds


def test_a_changed_record_is_named_with_its_block():
    lines = an_export([2, 2])
    lines[5]["record"]["after"]["mw"] = "2"
    assert verdict_on(lines).broken == "block 2: record aud_000002 was changed"


def test_a_deleted_record_is_named_with_its_block():
    lines = an_export([2, 2])
    del lines[6]
    assert verdict_on(lines).broken == "block 2: record aud_000003 is missing"


def test_a_record_that_was_put_in_is_in_no_block_and_reported():
    verdict = verdict_on([*an_export([2]), {"kind": "record", "record": a_record(99)}])
    assert (verdict.broken, verdict.unsealed, verdict.holds) == (None, ("aud_000099",), False)


def test_a_record_of_the_last_five_minutes_may_be_unsealed():
    for age, late in ((timedelta(minutes=5), ()), (timedelta(minutes=5, milliseconds=1), ("aud_000099",))):
        lines = an_export([1], at=AT + age)
        assert verdict_on([*lines, {"kind": "record", "record": a_record(99)}]).unsealed[-1:] == late


def test_a_record_put_into_a_block_breaks_that_block():
    lines = an_export([2, 1])
    added = a_record(99)
    lines[1]["block"]["records"].append({"id": added["id"], "hash": record_hash(added)})
    assert (
        verdict_on([*lines, {"kind": "record", "record": added}]).broken
        == "block 1: its records do not come to its root"
    )
    hashes = [leaf["hash"] for leaf in lines[1]["block"]["records"]]
    lines[1]["block"]["root"] = merkle_root(hashes)
    assert verdict_on([*lines, {"kind": "record", "record": added}]).broken == "block 1: it was changed"


def test_records_in_another_order_break_their_block():
    lines = an_export([3])
    lines[1]["block"]["records"].reverse()
    assert verdict_on(lines).broken == "block 1: its records do not come to its root"


def test_blocks_in_another_order_or_left_out_are_named():
    lines = an_export([1, 1, 1])
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    assert verdict_on(swapped).broken == "block 1: it is missing, or not in its place; block 2 stands there"
    assert verdict_on([*lines[:2], *lines[3:]]).broken == (
        "block 2: it is missing, or not in its place; block 3 stands there"
    )


def test_a_block_made_anew_does_not_hold_the_one_after_it():
    lines, other = an_export([1, 1]), an_export([2])
    lines[1] = other[1]
    assert verdict_on(lines).broken == "block 2: it does not follow the block before it"


def test_a_whole_chain_made_anew_is_told_by_the_daily_root():
    lines, forged = an_export([2, 2]), an_export([1, 3])
    assert verdict_on(forged).holds
    assert verdict_on(lines, [a_root(lines)]).holds
    assert verdict_on(forged, [a_root(lines)]).broken == "block 2: it is not the one that the root of 2026-04-01 names"


def test_a_chain_cut_off_at_its_end_is_told_by_the_daily_root():
    lines, cut = an_export([1, 1]), an_export([1])
    assert verdict_on(cut, [a_root(lines)]).broken == "block 2: the root of 2026-04-01 names it, and it is missing"
    told = {"kind": "root", "day": "2026-04-01", **a_root(lines)["chains"][ORG]}
    assert verdict_on([*cut, told]).broken == "block 2: the root of 2026-04-01 names it, and it is missing"


def test_a_changed_daily_root_is_told_too():
    lines = an_export([1])
    root = a_root(lines)
    root["chains"]["org_so"]["hash"] = "1"
    assert verdict_on(lines, [root]).broken == "root of 2026-04-01: it does not come from the chains it names"
    assert verdict_on(lines, [{"day": "x"}]).broken == "a daily root cannot be read"


def test_a_day_without_its_root_is_told():
    lines = an_export([1])
    roots = [a_root(lines, f"2026-04-{day:02d}") for day in (1, 2, 4)]
    assert verdict_on(lines, roots[:2]).holds
    assert verdict_on(lines, roots).broken == "root of 2026-04-03: it is missing"
    told = [{"kind": "root", "day": root["day"], **root["chains"][ORG]} for root in roots]
    assert verdict_on([*lines, *told]).broken == "root of 2026-04-03: it is missing"


def test_a_root_that_somebody_touched_after_the_lock_is_told():
    lines = an_export([1])
    root = a_root(lines) | {"touched": True}
    assert verdict_on(lines, [root]).broken == "root of 2026-04-01: it was written again or removed after it was locked"
    told = {"kind": "root", "day": "2026-04-01", **root["chains"][ORG], "touched": True}
    assert "line 4: root of 2026-04-01: it was written again" in (verdict_on([*lines, told]).broken or "")


def test_a_record_invented_for_a_time_to_come_is_reported():
    lines = an_export([1])
    invented = a_record(7, at=AT + timedelta(days=365))
    assert verdict_on([*lines, {"kind": "record", "record": invented}]).unsealed == ("aud_000007",)


def test_a_root_of_days_before_the_organisation_had_a_chain_says_nothing():
    chains = {"org_so": {"sequence": 1, "hash": "0"}}
    assert verdict_on(an_export([1]), [{"day": "2026-03-31", "chains": chains, "root": day_root(chains)}]).holds


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"kind": "record", "record": a_record(0)}, "record aud_000000 stands there twice"),
        ({"kind": "record", "record": a_record(7, "org_so")}, "record aud_000007 belongs to org_so"),
        ({"kind": "record", "record": a_record(7) | {"at": "2026-04-01T09:00:00"}}, "it is not a line of an export"),
        ({"kind": "record"}, "it is not a line of an export"),
        ({"kind": "block", "block": {"sequence": 1}, "hash": "0"}, "it is not a line of an export"),
        ({"kind": "export", "organisation": ORG, "at": NOON}, "an export says once, at its beginning, whose it is"),
        ({"kind": "rumour"}, "there is no such kind of line: rumour"),
        ([], "it is not a line of an export"),
    ],
)
def test_a_line_that_does_not_belong_there_is_named(line, told):
    assert verdict_on([*an_export([1]), line]).broken == f"line 4: {told}"


def test_a_block_of_another_chain_or_with_a_record_of_another_is_named():
    lines = an_export([1, 1])
    lines[2]["block"]["organisation"] = "org_so"
    assert verdict_on(lines).broken == "block 2: it belongs to the chain of org_so"
    twice = [a_record(0), a_record(0)]
    block = next_block(ORG, 0, GENESIS, twice)
    told = {"kind": "block", "block": block.model_dump(mode="json"), "hash": block.hash}
    assert verdict_on([lines[0], told, {"kind": "record", "record": twice[0]}]).broken == (
        "block 1: record aud_000000 is in a block twice"
    )


@pytest.mark.parametrize("text", ["", "\n", "nonsense\n", '{"kind": "record"}\n'])
def test_what_is_no_export_is_broken_at_its_first_line(text):
    assert (verify(text.splitlines()).broken or "").startswith("line 1: ")


def test_the_merkle_root_is_as_the_standard_has_it():
    """RFC 6962, section 2.1: the hash of nothing, a leaf itself, and nodes hashed apart from leaves."""
    assert merkle_root([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    one, two, three = (record_hash(a_record(number)) for number in range(3))
    assert merkle_root([one]) == one
    assert merkle_root([merkle_root([one, two]), three]) == merkle_root([one, two, three])
    assert merkle_root([one, two]) != merkle_root([two, one])


SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@settings(max_examples=60)
@given(SIZES, st.data())
def test_whatever_single_thing_is_done_to_an_export_it_no_longer_holds(sizes, data):
    lines = an_export(sizes)
    place = data.draw(st.integers(1, len(lines) - 1))
    act = data.draw(st.sampled_from(["change", "delete", "repeat"]))
    if act == "delete" and place == len(sizes):
        act = "change"  # the last block alone: its records are then reported as unsealed, which the next test shows
    if act == "delete":
        del lines[place]
    elif act == "repeat":
        lines.insert(place, lines[place])
    elif lines[place]["kind"] == "record":
        lines[place]["record"]["thing"] += "x"
    else:
        field = data.draw(st.sampled_from(["sequence", "previous", "root"]))
        lines[place]["block"][field] = 99 if field == "sequence" else "f" * 64
    assert verdict_on(lines).broken is not None


@settings(max_examples=30)
@given(SIZES)
def test_a_chain_without_its_last_block_leaves_that_blocks_records_unsealed(sizes):
    lines = an_export(sizes)
    del lines[len(sizes)]
    assert len(verdict_on(lines).unsealed) == sizes[-1]


@settings(max_examples=60)
@given(SIZES, st.randoms(use_true_random=False))
def test_the_order_of_records_in_an_export_says_nothing(sizes, order):
    lines = an_export(sizes)
    records = of_kind(lines, "record")
    order.shuffle(records)
    assert verdict_on([*lines[: len(sizes) + 1], *records]).holds


def write(count, organisation=ORG, now=NOON):
    for number in range(count):
        change = Change(thing=f"asset:ast_{number}", action="asset.created", organisation=organisation)
        commit(a_call(now=now), [], [], [change])


def stream_event():
    """What the stream tells of every item there is, records and blocks alike."""
    items = client("dynamodb").scan(TableName=table_name("audit"))["Items"]
    told = {"ApproximateCreationDateTime": AT.timestamp()}
    return {"Records": [{"eventName": "INSERT", "dynamodb": told | {"NewImage": item}} for item in items]}


def exported(organisation=ORG, now="2026-04-01T10:00:00Z"):
    return list(export_trail(a_system_call(now), organisation))


@pytest.mark.usefixtures("market")
class TestSealing:
    def test_records_of_the_stream_are_sealed_once_each_in_their_own_chain(self):
        write(3)
        write(2, "org_so")
        told = stream_event()
        seal_audit.handler(told, None)
        state = everything_in("audit")
        seal_audit.handler(told, None)
        seal_audit.handler(stream_event(), None)
        assert everything_in("audit") == state
        assert [len(block.records) for block in blocks_of(ORG)] == [3]
        assert [len(block.records) for block in blocks_of("org_so")] == [2]
        assert verify(exported()).holds

    def test_a_batch_told_of_again_with_new_records_seals_only_those(self):
        write(2)
        seal_audit.handler(stream_event(), None)
        write(1)
        seal_audit.handler(stream_event(), None)
        first, second = blocks_of(ORG)
        assert (len(first.records), len(second.records), second.previous) == (2, 1, first.hash)
        assert verify(exported()).records == 3

    def test_more_records_than_a_transaction_holds_become_several_blocks(self):
        write(95)
        assert seal_waiting(a_system_call()) == 95
        assert [len(block.records) for block in blocks_of(ORG)] == [90, 5]
        assert seal_waiting(a_system_call()) == 0
        assert verify(exported()).holds

    def test_a_sealer_that_was_overtaken_tries_again_behind_the_other(self, monkeypatch):
        write(1)
        keys = waiting()
        write(1)
        others = [key for key in waiting() if key not in keys]
        overtaken = interrupted(monkeypatch, lambda: seal_records(a_system_call(), others))
        assert seal_records(a_system_call(), keys) == 1
        assert overtaken == [1]
        assert [len(block.records) for block in blocks_of(ORG)] == [1, 1]
        assert verify(exported()).holds

    def test_two_sealers_of_the_same_records_seal_them_once(self, monkeypatch):
        write(2)
        keys = waiting()
        interrupted(monkeypatch, lambda: seal_records(a_system_call(), keys))
        assert seal_records(a_system_call(), keys) == 0
        assert [len(block.records) for block in blocks_of(ORG)] == [2]

    def test_a_sealer_overtaken_each_time_gives_up_for_the_stream_to_ask_again(self, monkeypatch):
        write(1)
        keys = waiting()

        def never(*_):
            raise Stale("audit.sealed", "Another sealer was first.")

        monkeypatch.setattr(audit_sealing, "commit", never)
        with pytest.raises(Stale):
            seal_records(a_system_call(), keys)

    def test_an_unsealed_record_is_reported_after_five_minutes(self):
        write(1)
        assert verify(exported(now="2026-04-01T09:05:00Z")).holds
        assert len(verify(exported(now="2026-04-01T09:05:01Z")).unsealed) == 1

    def test_records_that_stay_unsealed_are_counted_after_five_minutes(self):
        call = a_call(ORG)
        change = Change(thing="asset:ast_1", action="asset.created", organisation=ORG)
        commit(replace(call, new_id=ordered_ids(call.now, "one")), [], [], [change])
        assert count_overdue(a_system_call("2026-04-01T09:04:59Z")) == 0
        assert count_overdue(a_system_call("2026-04-01T09:05:01Z")) == 1
        seal_waiting(a_system_call())
        assert count_overdue(a_system_call("2026-04-01T10:00:00Z")) == 0

    def test_an_export_has_every_day_from_the_first_record_on(self):
        for day in ("2026-03-30", "2026-04-02", "2026-04-01"):
            write(1, now=f"{day}T09:00:00Z")
            seal_waiting(a_system_call())
        verdict = verify(exported())
        assert (verdict.holds, verdict.records, verdict.blocks) == (True, 3, 3)
        assert (head_of(ORG).first_day, head_of(ORG).last_day) == ("2026-03-30", "2026-04-02")

    def test_the_daily_root_is_written_once_after_the_day_and_holds_the_chain_fast(self):
        next_day = a_system_call("2026-04-02T00:00:30Z")
        assert write_daily_roots(next_day) == []
        write(2)
        seal_waiting(a_system_call())
        assert write_daily_roots(next_day) == ["2026-04-01.json"]
        write(1)
        seal_waiting(a_system_call())
        assert write_daily_roots(a_system_call("2026-04-02T01:00:00Z")) == []
        [root] = daily_roots()
        assert root["chains"] == {ORG: {"sequence": 1, "hash": next(blocks_of(ORG)).hash}}
        assert verify(exported(), [root]).holds

    def test_days_on_which_nobody_looked_get_their_roots_afterwards(self):
        write(1)
        seal_waiting(a_system_call())
        write_daily_roots(a_system_call("2026-04-02T00:00:30Z"))
        assert write_daily_roots(a_system_call("2026-04-05T09:00:00Z")) == [f"2026-04-0{day}.json" for day in (2, 3, 4)]
        assert verify(exported(now="2026-04-05T09:00:00Z"), daily_roots()).holds

    def test_the_command_exports_keeps_the_roots_and_verifies(self, tmp_path, capsys, monkeypatch):
        write(3)
        seal_waiting(a_system_call())
        write_daily_roots(a_system_call("2026-04-02T00:00:30Z"))
        file, roots = tmp_path / "trail.jsonl", tmp_path / "roots"
        assert command.main(["export", ORG, str(file)]) == 0
        assert command.main(["roots", str(roots)]) == 0
        assert command.main(["verify", str(file), "--roots", str(roots)]) == 0
        assert "3 records, 1 blocks, every link holds" in capsys.readouterr().out
        file.write_text(file.read_text().replace("asset:ast_1", "asset:ast_9"))
        assert command.main(["verify", str(file)]) == 1
        assert "BROKEN: block 1: record" in capsys.readouterr().out

    def test_the_command_names_records_in_no_block(self, tmp_path, capsys):
        write(1)
        file = tmp_path / "trail.jsonl"
        file.write_text("\n".join(exported(now="2026-04-01T10:00:00Z")))
        assert command.main(["verify", str(file)]) == 1
        assert "1 records older than five minutes are in no block" in capsys.readouterr().out


def waiting():
    rows = audit_sealing.query_index_all
    return [(row.pk, row.sk) for bucket in audit_sealing.BUCKETS for row in rows(RecordRow, "unsealed", bucket)]


def interrupted(monkeypatch, act):
    """Do something just before the first commit; what it came to."""
    done, plain = [], audit_sealing.commit

    def first(*how):
        monkeypatch.setattr(audit_sealing, "commit", plain)
        done.append(act())
        plain(*how)

    monkeypatch.setattr(audit_sealing, "commit", first)
    return done
