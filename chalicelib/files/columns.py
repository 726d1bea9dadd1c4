"""Owns the words a workbook is described in: kinds of cell, columns, sheets and templates. Pure.

A room's `sheets.py` declares `Template(...)`; blank templates, filled downloads, marked-up copies and the reader come
from that one declaration. What the reader hands on (`ParsedRow.values`) is keyed by `Column.field` and survives JSON:

| kind            | value handed on                                  | value taken by downloads                    |
|-----------------|--------------------------------------------------|---------------------------------------------|
| `Text`          | str, trimmed                                     | str                                         |
| `DecimalNumber` | str, plain ("0.0036")                            | Decimal, int or str                         |
| `WholeNumber`   | int                                              | int                                         |
| `LocalDate`     | str "2026-04-01"                                 | date or that str                            |
| `LocalDateTime` | str "2026-04-01T09:00:00", the operator's clock  | naive datetime or that str                  |
| `ClockTime`     | str "HH:MM", "24:00" for midnight at the end     | time or that str                            |
| `Duration`      | str, ISO 8601 ("PT1H30M", "P1DT2H")              | timedelta or that str                       |
| `YesNo`         | bool                                             | bool                                        |
| `Choice`        | str, spelt as in `choices`                       | str                                         |
| `TextList`      | list[str], trimmed, no blanks, in order          | list or tuple of str                        |

A blank cell is absent from `values`, so a pydantic model's own default stands: `Request.model_validate(row.values)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Text:
    """Any text up to `maximum_length`; with `pattern` (a full match) `pattern_help` says in words what fits.

    `suggestions` are listed in the workbook; another text is questioned there, and taken.
    """

    maximum_length: int = 500
    pattern: str | None = None
    pattern_help: str | None = None
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecimalNumber:
    """A decimal of at most `places` places; `minimum` and `maximum` are inclusive, `above` is not."""

    places: int = 6
    minimum: Decimal | None = Decimal(0)
    maximum: Decimal | None = None
    above: Decimal | None = None


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number between `minimum` and `maximum`, both inclusive."""

    minimum: int | None = 0
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class LocalDate:
    """A day: a real date, ISO, or in the organisation's order of day and month."""


@dataclass(frozen=True, slots=True)
class LocalDateTime:
    """A day and a clock time of the operator's zone; a day alone is its midnight."""


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A clock time to the minute, 00:00 to 24:00."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: `D HH:MM:SS`, `HH:MM:SS`, `HH:MM` or ISO 8601; at most `maximum_days` days."""

    maximum_days: int = 366


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `choices`, matched without case or spaces; `spellings` maps other spellings taken to a choice."""

    choices: tuple[str, ...]
    spellings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextList:
    """Several texts in one cell, parted by `;`, `,` or a new line."""

    maximum_items: int = 10_000
    maximum_length: int = 200


CellKind = (
    Text | DecimalNumber | WholeNumber | LocalDate | LocalDateTime | ClockTime | Duration | YesNo | Choice | TextList
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet.

    `field` is the name in our models. `shown_only` columns are written by downloads and neither checked nor handed on
    when they come back (names and figures that help a person read the row). `aliases` are other headers taken.
    """

    header: str
    field: str
    help: str
    required: bool = False
    kind: CellKind = Text()
    example: str = ""
    aliases: tuple[str, ...] = ()
    shown_only: bool = False
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One data tab. `unique` names the fields that together may stand on one row only of a file.

    An `optional` tab may be missing from an upload. `name` matches a tab without case or spaces.
    """

    name: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()
    optional: bool = False
    help: str = ""

    def column(self, field_name: str) -> Column:
        """The column of a field; KeyError when there is none."""
        for column in self.columns:
            if column.field == field_name:
                return column
        raise KeyError(field_name)


@dataclass(frozen=True, slots=True)
class Template:
    """A workbook: the kind of drop it serves, its version (checked on the way in), its tabs and how to fill them."""

    kind: str
    title: str
    version: str
    sheets: tuple[Sheet, ...]
    how_to: tuple[str, ...] = ()

    def sheet(self, name: str) -> Sheet:
        """The tab of a name; KeyError when there is none."""
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet
        raise KeyError(name)


def describe_kind(kind: CellKind) -> str:
    """The type of a cell in a person's words, as written over each column of a template."""
    match kind:
        case Text(maximum_length=length):
            return f"text, up to {length} characters"
        case DecimalNumber(places=places):
            return f"number, up to {places} decimal places"
        case WholeNumber():
            return "whole number"
        case LocalDate():
            return "date"
        case LocalDateTime():
            return "date and time, local"
        case ClockTime():
            return "clock time, local"
        case Duration():
            return "duration"
        case YesNo():
            return "yes or no"
        case Choice():
            return "one of a list"
        case TextList():
            return "list, parted by ;"


def allowed_values(kind: CellKind) -> str:
    """What would pass, in a person's words: over each column of a template and in every problem."""
    match kind:
        case Text(pattern_help=text):
            return text or "any text"
        case DecimalNumber() | WholeNumber():
            return _range(kind)
        case LocalDate():
            return "a date: 2026-04-01, or a real date cell"
        case LocalDateTime():
            return "a date and time: 2026-04-01 09:00, or a real date cell"
        case ClockTime():
            return "HH:MM from 00:00 to 24:00"
        case Duration():
            return "D HH:MM:SS, HH:MM:SS or ISO 8601 (PT30M)"
        case YesNo():
            return "yes or no"
        case Choice(choices=choices):
            return ", ".join(choices)
        case TextList(maximum_items=items):
            return f"up to {items} texts parted by ; , or a new line"


def _range(kind: DecimalNumber | WholeNumber) -> str:
    above = kind.above if isinstance(kind, DecimalNumber) else None
    low = f"above {above}" if above is not None else f"{kind.minimum} or more" if kind.minimum is not None else ""
    high = f"{kind.maximum} or less" if kind.maximum is not None else ""
    return " and ".join(filter(None, [low, high])) or "any number"
