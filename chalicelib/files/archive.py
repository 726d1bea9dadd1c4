"""Owns what is asked of an uploaded workbook before a spreadsheet library opens it: anybody's bytes come here.

Sizes written in a zip's directory are not believed: every part is inflated, counted and thrown away.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from chalicelib.files.models import MOST_ROWS
from chalicelib.kernel.errors import Invalid

MEGABYTE = 1_000_000
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_LOCAL_HEADER = 30
_PIECE = 4 * MEGABYTE
_HEADER_ROWS = 1_000
_ROW = re.compile(rb'row[^>]*?\sr\s*=\s*["\'](\d{1,12})')
_COLUMN = re.compile(rb'r="([A-Z]{1,8})\d')
_ODD_COLUMN = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br\s*=\s*["\']([A-Z]{1,8})\d')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_REFERENCE = re.compile(rb't\s*=\s*["\']s["\'][^>]*>\s*<(?:\w+:)?v>(\d+)<')
_TEXT_END = re.compile(rb"</(?:\w+:)?si>")
_TEXTS = "xl/sharedStrings.xml"


@dataclass(frozen=True, slots=True)
class Caps:
    """How much an archive may hold: parts, bytes once expanded, expansion of any part, rows, cells laid out, text."""

    parts: int = 2_000
    expanded: int = 1_000 * MEGABYTE
    ratio: int = 200
    ratio_from: int = 20 * MEGABYTE
    rows: int = MOST_ROWS
    cells: int = 40_000_000
    text: int = 2_000 * MEGABYTE


CAPS = Caps()


@dataclass(slots=True)
class _Part:
    """What was counted of one part: cells written, and the corner that they reach."""

    name: str
    size: int = 0
    cells: int = 0
    rows: int = 0
    columns: int = 0
    has_formulas_or_errors: bool = False


@dataclass(slots=True)
class _Whole:
    expanded: int = 0
    cells: int = 0
    suspects: list[str] = field(default_factory=list)


def check_workbook(content: bytes, caps: Caps = CAPS) -> tuple[str, ...]:
    """Refuse what is no plain XLSX workbook or would not fit; the answer names the parts with formulas or errors.

    Raises `Invalid`: encrypted, an older or macro workbook, corrupt, a zip bomb, too many rows, columns or cells.
    """
    if content.startswith(_OLE):
        raise _refusal_of_ole(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _checked(archive, content, caps)
    except (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, ValueError) as error:
        raise Invalid("file.corrupt", "The workbook is damaged and cannot be opened; save it again.") from error


def _refusal_of_ole(content: bytes) -> Invalid:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return Invalid("file.encrypted", "The workbook is protected by a password; save it without one.")
    return Invalid("file.wrong_type", "This is an old .xls workbook; save it as .xlsx.")


def _checked(archive: zipfile.ZipFile, content: bytes, caps: Caps) -> tuple[str, ...]:
    parts = archive.infolist()
    if len(parts) > caps.parts:
        raise _bomb(f"it has {len(parts):,} parts")
    if any(part.flag_bits & 1 for part in parts):
        raise Invalid("file.encrypted", "The workbook is protected by a password; save it without one.")
    _check_kind({part.filename for part in parts})
    whole = _Whole()
    for part in parts:
        _count(part, content, caps, whole)
    _check_repeated_text(archive, whole, caps)
    return tuple(whole.suspects)


def _check_kind(names: set[str]) -> None:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Invalid("file.macros", "The workbook has macros; save it as .xlsx without them.")
    if "xl/workbook.bin" in names or "mimetype" in names:
        raise Invalid("file.wrong_type", "Save the workbook as .xlsx: other spreadsheet formats are not taken.")
    if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
        raise Invalid("file.wrong_type", "This archive is not an XLSX workbook.")


def _count(info: zipfile.ZipInfo, content: bytes, caps: Caps, whole: _Whole) -> None:
    part = _Part(info.filename)
    is_sheet = info.filename.endswith(".xml") and info.filename != _TEXTS
    rest = b""
    for piece in _inflated(info, content):
        part.size += len(piece)
        whole.expanded += len(piece)
        _check_expansion(info, part, caps, whole)
        if is_sheet:
            tags, rest = _up_to_a_tag(rest + piece)
            _count_cells(tags, part)
            _check_extent(part, caps)
    if part.size != info.file_size:
        raise ValueError("a part is not of the size that the directory says")
    whole.cells += part.cells
    if part.has_formulas_or_errors:
        whole.suspects.append(part.name)


def _inflated(info: zipfile.ZipInfo, content: bytes) -> Iterator[bytes]:
    """A part's bytes, piece by piece, to the true end of its stream, whatever length the directory gives."""
    head = content[info.header_offset : info.header_offset + _LOCAL_HEADER]
    name_length, extra_length = struct.unpack("<HH", head[26:30])
    start = info.header_offset + _LOCAL_HEADER + name_length + extra_length
    packed = content[start : start + info.compress_size]
    if info.compress_type == zipfile.ZIP_STORED:
        yield packed
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        yield from _deflated(packed)
    else:
        raise ValueError("a part is packed in a way that workbooks do not use")


def _deflated(packed: bytes) -> Iterator[bytes]:
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflating.eof:
        piece = inflating.decompress(packed, _PIECE)
        if not piece and not inflating.eof:
            raise ValueError("a part ends too early")
        yield piece
        packed = inflating.unconsumed_tail


def _check_expansion(info: zipfile.ZipInfo, part: _Part, caps: Caps, whole: _Whole) -> None:
    if whole.expanded > caps.expanded:
        raise _bomb(f"it expands to over {caps.expanded // MEGABYTE:,} MB")
    if part.size > caps.ratio_from and part.size > caps.ratio * max(info.compress_size, 1):
        raise _bomb(f"a part of it expands over {caps.ratio} times")


def _up_to_a_tag(data: bytes) -> tuple[bytes, bytes]:
    """The data up to the end of its last tag, and what is left over: so that no tag is counted by halves."""
    end = data.rfind(b">") + 1
    return data[:end], data[end:]


def _count_cells(tags: bytes, part: _Part) -> None:
    """A single cell far out makes a library lay out everything before it: find the corner that the cells reach."""
    cells = tags.count(b"<c")
    is_usual = cells == tags.count(b'<c r="') and b":c" not in tags
    columns = set((_COLUMN if is_usual else _ODD_COLUMN).findall(tags))
    part.cells += cells if is_usual else tags.count(b"<c") + tags.count(b":c")
    part.rows = max(part.rows, max(map(int, _ROW.findall(tags)), default=0))
    part.columns = max(part.columns, max(map(_column_number, columns), default=0))
    has_formulas = (b"<f" in tags or not is_usual) and _FORMULA.search(tags) is not None
    part.has_formulas_or_errors |= has_formulas or b't="e"' in tags


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_extent(part: _Part, caps: Caps) -> None:
    if part.rows > caps.rows + _HEADER_ROWS:
        detail = f"A tab goes down to row {part.rows:,}; {caps.rows:,} rows are taken. Delete the unused rows."
        raise Invalid("file.too_many_rows", detail)
    if part.cells > caps.cells or part.rows * part.columns > caps.cells:
        detail = f"A tab spans {part.rows:,} rows and {part.columns:,} columns. Delete the unused ones."
        raise Invalid("file.too_many_cells", detail)


def _check_repeated_text(archive: zipfile.ZipFile, whole: _Whole, caps: Caps) -> None:
    """One long text that a million cells point to is small in the file and huge in memory."""
    if _TEXTS not in archive.namelist():
        return
    lengths = [len(text) for text in _TEXT_END.split(archive.read(_TEXTS))]
    if max(lengths) * whole.cells <= caps.text:
        return
    total = 0
    for name in archive.namelist():
        if name.endswith(".xml") and name != _TEXTS:
            total += _referenced(archive.read(name), lengths)
        if total > caps.text:
            raise _bomb("its texts repeat too often")


def _referenced(part: bytes, lengths: list[int]) -> int:
    numbers = map(int, _REFERENCE.findall(part))
    return sum(lengths[number] for number in numbers if number < len(lengths))


def _bomb(reason: str) -> Invalid:
    return Invalid("file.bomb", f"The workbook is not opened: {reason}.")
