"""Owns CSV as it comes from anywhere: its encoding, its separator, and newlines inside cells."""

from __future__ import annotations

import codecs
import csv
import io

from chalicelib.kernel.errors import Invalid

SEPARATORS = (",", ";", "\t")
MOST_CELL = 100_000
_SAMPLE_LINES = 50
_MOST_SEEN = 100_000


def read_csv(content: bytes, most_rows: int) -> list[list[str]]:
    """The cells of a CSV: UTF-8 with or without BOM, UTF-16 or Windows-1252; comma, semicolon or tab.

    `Invalid` when it is no text, has a quote that never closes, or more than `most_rows` rows.
    """
    text = decode(content)
    # A wrapper reads on as it goes, where a StringIO would hold every character in four bytes at once.
    lines = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogatepass")), "utf-8", "surrogatepass", newline="")
    reader = csv.reader(lines, delimiter=find_separator(text), strict=True)
    rows: list[list[str]] = []
    seen: dict[str, str] = {}
    try:
        for row in reader:
            rows.append(_shared(row, seen))
            if len(rows) > most_rows:
                raise Invalid("file.too_many_rows", f"The file has more than {most_rows:,} rows.")
    except csv.Error as error:
        line = reader.line_num
        raise Invalid("file.corrupt", f"The CSV cannot be read beyond line {line}: {error}.") from error
    return rows


def _shared(row: list[str], seen: dict[str, str]) -> list[str]:
    """The row with cells that were seen before in place of their equals: millions of figures are a few thousand."""
    if len(seen) < _MOST_SEEN:
        return [seen.setdefault(cell, cell) for cell in row]
    return [seen.get(cell, cell) for cell in row]


def decode(content: bytes) -> str:
    """Text of bytes. UTF-16 is known by its BOM or its zeros; what is not UTF-8 is Windows-1252."""
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise _not_text() from error
        text = _windows_text(content)
    if "\x00" in text:
        raise _not_text()
    return text


def find_separator(text: str) -> str:
    """The separator that parts the first lines, outside quotes, into the most columns, the same on most lines."""
    lines = _lines(text)
    return max(SEPARATORS, key=lambda separator: (_score(lines, separator), -SEPARATORS.index(separator)))


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(content) % 2 == 0 and content[1:2] == b"\x00" != content[:1]:
        return "utf-16-le"
    if len(content) % 2 == 0 and content[:1] == b"\x00" != content[1:2]:
        return "utf-16-be"
    return "utf-8-sig"


def _windows_text(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _not_text() from error


def _not_text() -> Invalid:
    detail = "This is neither an XLSX workbook nor CSV text in UTF-8, UTF-16 or Windows-1252."
    return Invalid("file.wrong_type", detail)


def _lines(text: str) -> list[str]:
    """The first lines with what stands in quotes left out, so that its separators and newlines do not count."""
    bare = "".join(text[:200_000].split('"')[::2])
    return [line for line in bare.splitlines() if line.strip()][:_SAMPLE_LINES]


def _score(lines: list[str], separator: str) -> int:
    """How many separators the most common count has, weighed by how many lines have it; nought where none has any."""
    counts = [line.count(separator) for line in lines]
    used = [count for count in counts if count]
    if not used:
        return 0
    usual = max(set(used), key=lambda count: (used.count(count), count))
    return usual * used.count(usual)
