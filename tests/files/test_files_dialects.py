"""CSV as it comes from anywhere."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.files.dialects import decode, find_separator, read_csv
from chalicelib.kernel.errors import Invalid

ROWS = [["Asset Ref", "Näme", "Note"], ["EV-1", "Café £", "two\nlines, and; more"], ["EV-2", "", 'a "quoted" word']]
CELL = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\r\x85\u2028\u2029"), max_size=12
)


def written(rows: list[list[str]], separator: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator).writerows(rows)
    return stream.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_csv_reads_the_same_in_every_encoding_and_with_every_separator(separator: str, encoding: str) -> None:
    assert read_csv(written(ROWS, separator).encode(encoding), 100) == ROWS


def test_windows_1252_keeps_its_own_signs() -> None:
    assert decode("price: 5 €, “yes” – no".encode("cp1252")) == "price: 5 €, “yes” – no"


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\x00\x00\x01\xff", b"\x81\x8d\x8f\xff", b"\xff\xfe\x00\xd8\x41\x00", b"a,b\x00,c\n1"],
)
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_csv(content, 100)
    assert refused.value.code == "file.wrong_type"


def test_a_quote_that_never_closes_is_refused_with_its_line() -> None:
    with pytest.raises(Invalid, match="beyond line") as refused:
        read_csv(b'a,b\n1,"never closed\n2,3\n', 100)
    assert refused.value.code == "file.corrupt"


def test_a_csv_with_too_many_rows_is_refused_without_reading_on() -> None:
    with pytest.raises(Invalid) as refused:
        read_csv(b"a\n" * 101, 100)
    assert refused.value.code == "file.too_many_rows"


def test_separators_inside_quotes_do_not_decide() -> None:
    assert find_separator('"a;b;c;d;e";x\n"1,2,3,4,5,6";y\n') == ";"
    assert find_separator("one column\nonly\n") == ","
    assert find_separator("") == ","


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=6), st.sampled_from([",", ";", "\t"]))
def test_whatever_a_csv_writer_wrote_is_read_back(rows: list[list[str]], separator: str) -> None:
    width = max(map(len, rows))
    plain = [
        [cell.translate({ord(mark): None for mark in ",;\t"}) for cell in row] + [""] * (width - len(row))
        for row in rows
    ]
    header = [f"column {number}" for number in range(width)]
    assert read_csv(written([header, *plain], separator).encode(), 100) == [header, *plain]


def read_or_refused(content: bytes) -> list[list[str]] | str:
    try:
        return read_csv(content, 1000)
    except Invalid as refusal:
        return refusal.code


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    answer = read_or_refused(content)
    assert isinstance(answer, list) or answer in {"file.wrong_type", "file.corrupt"}
