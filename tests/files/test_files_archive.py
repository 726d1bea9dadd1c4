"""What is refused before a spreadsheet library opens a workbook."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.files.archive import CAPS, Caps, check_workbook
from chalicelib.files.models import MOST_ROWS
from chalicelib.files.reading import RawTable
from chalicelib.files.workbook import read_tables
from chalicelib.kernel.errors import Invalid
from tests.builders.files import a_workbook, repacked

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512
SHEET = "xl/worksheets/sheet1.xml"
PLAIN = a_workbook({"Assets": [["Asset Ref", "Name"], ["EV-1", "Depot"]]})
SHEET_XML = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


def code_of(content: bytes, caps: Caps = CAPS) -> str:
    with pytest.raises(Invalid) as refused:
        check_workbook(content, caps)
    return refused.value.code


def a_sheet(rows: bytes) -> bytes:
    return repacked(PLAIN, {SHEET: SHEET_XML % rows})


def test_a_plain_workbook_passes() -> None:
    assert check_workbook(PLAIN) == ()


def test_a_password_protected_workbook_is_refused() -> None:
    assert code_of(OLE + "EncryptedPackage".encode("utf-16-le")) == "file.encrypted"
    assert code_of(with_flag_of_encryption(PLAIN)) == "file.encrypted"


def with_flag_of_encryption(content: bytes) -> bytes:
    """The bit of encryption set on the first entry of the archive's directory."""
    place = content.index(b"PK\x01\x02") + 8
    return (
        content[:place]
        + struct.pack("<H", struct.unpack("<H", content[place : place + 2])[0] | 1)
        + content[place + 2 :]
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (OLE, "file.wrong_type"),
        (repacked(PLAIN, {"xl/vbaProject.bin": b"Sub Auto_Open"}), "file.macros"),
        (repacked(PLAIN, {"xl/workbook.bin": b"x"}), "file.wrong_type"),
        (repacked(PLAIN, {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "file.wrong_type"),
        (repacked(PLAIN, {"xl/workbook.xml": None}), "file.wrong_type"),
        (PLAIN[:-200], "file.corrupt"),
        (b"PK\x03\x04 nothing of the kind", "file.corrupt"),
    ],
)
def test_what_is_no_plain_workbook_is_refused(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_a_zip_bomb_is_refused_by_its_ratio() -> None:
    bomb = repacked(PLAIN, {"xl/media/image1.png": b"\x00" * 30_000_000})
    assert len(bomb) < 100_000
    assert code_of(bomb) == "file.bomb"


def test_a_workbook_that_expands_too_far_is_refused() -> None:
    assert code_of(PLAIN, replace(CAPS, expanded=1_000)) == "file.bomb"


def test_an_archive_of_too_many_parts_is_refused() -> None:
    assert code_of(PLAIN, replace(CAPS, parts=3)) == "file.bomb"


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(name, b"<x/>" * 1_000)
    lying = stream.getvalue()
    place = lying.rindex(b"PK\x01\x02") + 24
    assert code_of(lying[:place] + struct.pack("<I", 8) + lying[place + 4 :]) == "file.corrupt"


def test_a_stored_part_is_taken_and_one_packed_otherwise_is_not() -> None:
    def packed(method: int) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(PLAIN)) as before, zipfile.ZipFile(stream, "w", method) as after:
            for name in before.namelist():
                after.writestr(name, before.read(name))
        return stream.getvalue()

    assert check_workbook(packed(zipfile.ZIP_STORED)) == ()
    assert code_of(packed(zipfile.ZIP_BZIP2)) == "file.corrupt"


def test_a_part_that_ends_too_early_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<x/>")
        archive.writestr("xl/workbook.xml", bytes(range(256)) * 50)
    content = stream.getvalue()
    place = content.rindex(b"PK\x01\x02") + 20
    assert code_of(content[:place] + struct.pack("<I", 20) + content[place + 4 :]) == "file.corrupt"


@pytest.mark.parametrize(
    "cell",
    [
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b"<row r='1048576'><c r='A1048576'><v>1</v></c></row>",
        b'<row r = "1048576"><c><v>1</v></c></row>',
        b'<x:row xmlns:x="u" r="1048576"/>',
    ],
)
def test_a_single_cell_far_down_is_refused_however_it_is_spelt(cell: bytes) -> None:
    assert code_of(a_sheet(cell)) == "file.too_many_rows"


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="XFD400000"><v>1</v></c>',
        b"<c r='XFD400000'><v>1</v></c>",
        b'<c\nr = "XFD400000"><v>1</v></c>',
        b'<x:c s="1" r="XFD400000"><x:v>1</x:v></x:c>',
    ],
)
def test_a_single_cell_far_right_is_refused_however_it_is_spelt(cell: bytes) -> None:
    assert code_of(a_sheet(b'<row r="400000">%s</row>' % cell)) == "file.too_many_cells"


def test_a_sheet_hidden_under_another_name_is_looked_at_too() -> None:
    hidden = repacked(PLAIN, {"xl/other.xml": SHEET_XML % b'<row r="400000"><c r="XFD400000"/></row>'})
    assert code_of(hidden) == "file.too_many_cells"


def test_more_cells_than_a_file_may_have_are_refused() -> None:
    assert code_of(a_sheet(b"<row>" + b"<c/>" * 50 + b"</row>"), replace(CAPS, cells=40)) == "file.too_many_cells"


def test_more_than_half_a_million_rows_are_refused_before_the_workbook_is_opened() -> None:
    rows = b"".join(b'<row r="%d"/>' % number for number in range(1, MOST_ROWS + 1_100, 500))
    assert code_of(a_sheet(rows)) == "file.too_many_rows"


def test_one_long_text_that_every_cell_repeats_is_refused() -> None:
    texts = b"<sst><si><t>short</t></si><si><t>" + b"x" * 30_000 + b"</t></si></sst>"
    cells = b"".join(b'<c r="A%d" t="s"><v>1</v></c>' % number for number in range(1, 200))
    content = repacked(a_sheet(b'<row r="1">' + cells + b"</row>"), {"xl/sharedStrings.xml": texts})
    assert code_of(content, replace(CAPS, text=1_000_000)) == "file.bomb"
    assert check_workbook(content, replace(CAPS, text=6_000_000)) == ()


def test_a_long_text_beside_many_short_ones_is_taken() -> None:
    texts = b"<sst><si><t>short</t></si><si><t>" + b"x" * 30_000 + b"</t></si></sst>"
    cells = b"".join(b'<c r="A%d" t="s"><v>0</v></c>' % number for number in range(1, 200))
    content = repacked(a_sheet(b'<row r="1">' + cells + b"</row>"), {"xl/sharedStrings.xml": texts})
    assert check_workbook(content, replace(CAPS, text=1_000_000)) == ()


def test_parts_with_formulas_or_errors_are_named() -> None:
    assert check_workbook(a_workbook({"Assets": [["a"], ["=1+1"]]})) == (SHEET,)
    assert check_workbook(a_sheet(b'<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>')) == (SHEET,)
    assert check_workbook(a_sheet(b'<x:row><x:c r="A1"><x:f>1</x:f></x:c></x:row>')) == (SHEET,)


def read_or_refused(content: bytes) -> list[RawTable] | str:
    try:
        return read_tables(content)
    except Invalid as refusal:
        return refusal.code


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_workbook_with_some_bytes_changed_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(PLAIN)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    answer = read_or_refused(bytes(content))
    assert isinstance(answer, list) or answer.startswith("file.")
