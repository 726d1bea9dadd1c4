"""The write-ahead journal: what is read back, what a crash may leave, what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.journal import Damaged, encode, fold, latest_generation, read

RECORDS = st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.none(), max_size=3))


def journal_of(folder: Path) -> Path:
    return max(folder.glob("journal-*"))


@given(snapshot=RECORDS, later=RECORDS)
def test_what_was_folded_and_appended_is_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, snapshot: list, later: list
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = fold(folder, snapshot)
    for record in later:
        journal.append(record)
    assert list(read(folder)) == snapshot + later


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert list(read(tmp_path)) == []


@pytest.mark.parametrize("cut", [1, 5, 9, 12])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    journal = fold(tmp_path, [])
    journal.append({"kept": 1})
    journal.append({"torn": 2})
    content = journal_of(tmp_path).read_bytes()
    journal_of(tmp_path).write_bytes(content[:-cut])
    assert list(read(tmp_path)) == [{"kept": 1}]


def test_a_changed_line_before_the_end_is_refused_by_name(tmp_path: Path) -> None:
    journal = fold(tmp_path, [])
    for number in range(3):
        journal.append({"number": number})
    lines = journal_of(tmp_path).read_bytes().splitlines(keepends=True)
    journal_of(tmp_path).write_bytes(lines[0] + lines[1].replace(b"1}", b"7}") + lines[2])
    with pytest.raises(Damaged, match=r"journal-00000001 is damaged at line 2"):
        list(read(tmp_path))


def test_a_torn_snapshot_is_refused(tmp_path: Path) -> None:
    fold(tmp_path, [{"a": 1}, {"b": 2}])
    snapshot = max(tmp_path.glob("snapshot-*"))
    snapshot.write_bytes(snapshot.read_bytes()[:-3])
    with pytest.raises(Damaged, match="snapshot-00000001"):
        list(read(tmp_path))


def test_folding_starts_a_generation_and_drops_the_one_before(tmp_path: Path) -> None:
    fold(tmp_path, [{"a": 1}]).append({"b": 2})
    fold(tmp_path, read(tmp_path))
    assert latest_generation(tmp_path) == 2
    assert list(read(tmp_path)) == [{"a": 1}, {"b": 2}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-00000002", "snapshot-00000002"]


def test_a_crash_while_folding_leaves_the_generation_before(tmp_path: Path) -> None:
    fold(tmp_path, [{"a": 1}])

    def state():
        yield {"half": True}
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fold(tmp_path, state())
    assert list(read(tmp_path)) == [{"a": 1}]


def test_the_journal_of_an_older_generation_is_not_read(tmp_path: Path) -> None:
    fold(tmp_path, [{"a": 1}])
    stale = journal_of(tmp_path)
    fold(tmp_path, [{"a": 1}])
    stale.write_bytes(encode({"old": True}))
    assert list(read(tmp_path)) == [{"a": 1}]


def test_many_waiters_are_answered_once_their_records_are_on_disk(tmp_path: Path) -> None:
    journal = fold(tmp_path, [])

    async def write(number: int) -> None:
        journal.append({"number": number})
        end = journal._written
        await journal.durable()
        assert journal._synced >= end

    async def write_all() -> None:
        await asyncio.gather(*(write(number) for number in range(50)))

    asyncio.run(write_all())
    assert sorted(record["number"] for record in read(tmp_path)) == list(range(50))
    assert journal._synced == journal._written
