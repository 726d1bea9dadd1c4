"""Owns finding cells whose formula has no value and cells that show an error: libraries read both as blank."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.parsers import expat

from chalicelib.files.cells import Fault
from chalicelib.kernel.errors import Invalid

Address = tuple[int, int]
Faults = dict[Address, Fault]

_NO_VALUE = "Open the workbook in a spreadsheet program, let it calculate, and save it; or type the value."


def faults_of_parts(content: bytes, parts: Sequence[str]) -> dict[str, Faults]:
    """By tab name: the bad cells, by (row, column) from 1, of the sheet parts named."""
    if not parts:
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = _tabs(archive)
        return {names[part]: _faults(archive.read(part)) for part in parts if part in names}


def address(row: int, column: int) -> str:
    """A cell's address as a spreadsheet shows it: row 12, column 28 is AB12."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


class _Cells:
    """Walks a sheet's XML and keeps the cells with a formula and no value, and those of type error."""

    def __init__(self) -> None:
        self.faults: Faults = {}
        self._row = self._column = 0
        self._type = ""
        self._has_formula = self._in_value = False
        self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._column = 0
            case "c":
                self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
                self._type = attributes.get("t", "")
                self._has_formula = False
                self._value = ""
            case "f":
                self._has_formula = True
            case "v":
                self._in_value = True

    def text(self, data: str) -> None:
        if self._in_value:
            self._value += data

    def end(self, name: str) -> None:
        match _local(name):
            case "v":
                self._in_value = False
            case "c":
                self._judge()

    def _judge(self) -> None:
        where = address(self._row, self._column)
        if self._type == "e":
            detail = f"The cell {where} shows the error {self._value or '#?'}."
            self.faults[self._row, self._column] = Fault("cell.error", detail, "a value")
        elif self._has_formula and not self._value and self._type != "str":
            detail = f"The formula in cell {where} has no calculated value."
            self.faults[self._row, self._column] = Fault("cell.formula", detail, _NO_VALUE)


def _faults(part: bytes) -> Faults:
    cells = _Cells()
    parser = _parser()
    parser.StartElementHandler = cells.start
    parser.EndElementHandler = cells.end
    parser.CharacterDataHandler = cells.text
    _parse(parser, part)
    return cells.faults


def _tabs(archive: zipfile.ZipFile) -> dict[str, str]:
    """Tab names by part, from the workbook and its relationships."""
    targets: dict[str, str] = {}
    tabs: list[tuple[str, str]] = []

    def relationship(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            number = next(text for key, text in attributes.items() if _local(key) == "id")
            tabs.append((number, attributes["name"]))

    _each_element(archive.read("xl/_rels/workbook.xml.rels"), relationship)
    _each_element(archive.read("xl/workbook.xml"), sheet)
    return {_part_name(targets[number]): name for number, name in tabs if number in targets}


def _part_name(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _each_element(part: bytes, start: object) -> None:
    parser = _parser()
    parser.StartElementHandler = start  # type: ignore[assignment]
    _parse(parser, part)


def _parser() -> expat.XMLParserType:
    """A parser that refuses document types, and with them every kind of entity."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise Invalid("file.corrupt", "The workbook declares XML entities, which no spreadsheet program writes.")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _parse(parser: expat.XMLParserType, part: bytes) -> None:
    try:
        parser.Parse(part, True)
    except (expat.ExpatError, LookupError, ValueError, StopIteration) as error:
        raise Invalid("file.corrupt", "The workbook is damaged and cannot be opened; save it again.") from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _column(reference: str) -> int:
    number = 0
    for char in reference:
        if "A" <= char <= "Z":
            number = number * 26 + ord(char) - 64
    return number
