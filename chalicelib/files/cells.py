"""Owns what one cell means: the plain rule per kind, from what a spreadsheet or a CSV holds to the value handed on.

The reader goes column by column for speed (`files.reading`); a property test holds it to this rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

from chalicelib.files.columns import (
    CellKind,
    Choice,
    ClockTime,
    DecimalNumber,
    Duration,
    LocalDate,
    LocalDateTime,
    Text,
    TextList,
    WholeNumber,
    YesNo,
    allowed_values,
)
from chalicelib.files.durations import iso_duration, parse_duration
from chalicelib.kernel.quantities import parse_decimal, plain

DateOrder = Literal["dmy", "mdy", "ymd"]
D = TypeVar("D", date, datetime)

YES = frozenset({"yes", "y", "true", "1"})
NO = frozenset({"no", "n", "false", "0"})
FIRST_YEAR, LAST_YEAR = 1950, 2150
_SPREADSHEET_DAY_ZERO = datetime(1899, 12, 31)  # noqa: DTZ001 (a spreadsheet's days have no zone)
_FORMULA_LIKE = "\\s*[=+\\-@＝＋－＠]|[\\t\\r\\n]"
_NEUTRALISED = re.compile(f"'+(?:{_FORMULA_LIKE})")
_STARTS_A_FORMULA = re.compile(f"'*(?:{_FORMULA_LIKE})")
_NUMBER = re.compile(r"-\d+(?:\.\d+)?", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_LOCAL_DATE = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_ORDERS: dict[str, tuple[int, int, int]] = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell does not pass: a code and a sentence about it; `allowed` says what would."""

    code: str
    detail: str
    allowed: str


class _NotThis(Exception):
    """Raised inside the rules of one kind; becomes a `Fault`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def read_cell(kind: CellKind, raw: Any, order: DateOrder = "dmy") -> Any:
    """The value of a raw cell (see `files.columns`), None for a blank one, or a `Fault`.

    `raw` is what python-calamine or a CSV gives: str, float, int, bool, date, datetime, time, timedelta or None.
    `order` says how dates with the year last (or first) are meant; it is a setting, never a guess.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    try:
        return _READERS[type(kind)](kind, raw, order)
    except _NotThis as reason:
        return Fault(f"cell.{reason.code}", reason.detail, allowed_values(kind))


def neutralise(text: str) -> str:
    """Text as exports write it: what a spreadsheet could run as a formula gets an apostrophe, a number none."""
    return f"'{text}" if _STARTS_A_FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def restore(text: str) -> str:
    """Text as it was before `neutralise`."""
    return text[1:] if _NEUTRALISED.match(text) else text


def as_text(raw: Any) -> str:
    """A cell as a person sees it: whole numbers without a point, dates as ISO, text trimmed and un-neutralised."""
    match raw:
        case str():
            return restore(raw.strip())
        case bool():
            return "TRUE" if raw else "FALSE"
        case int() | float() | Decimal():
            return _number_text(raw)
        case datetime():
            return _whole_second(raw).isoformat(sep=" ")
        case date():
            return raw.isoformat()
        case time():
            return f"{raw:%H:%M}" if not raw.second else f"{raw:%H:%M:%S}"
        case timedelta():
            return iso_duration(raw) if raw >= timedelta(0) else str(raw)
    raise TypeError(f"a cell never holds {type(raw).__name__}")


def _number_text(raw: int | float | Decimal) -> str:
    """Fifteen significant digits, which is what a spreadsheet keeps and shows: 0.1 + 0.2 reads 0.3."""
    number = Decimal(f"{raw:.15g}") if isinstance(raw, float) else Decimal(raw)
    return (plain(number) if number else "0") if number.is_finite() else str(raw)


def _text(kind: Text, raw: Any, order: DateOrder) -> str | None:
    text = as_text(raw)
    if len(text) > kind.maximum_length:
        raise _NotThis("too_long", f"This text has {len(text)} characters; {kind.maximum_length} are taken.")
    if kind.pattern is not None and re.fullmatch(kind.pattern, text) is None:
        raise _NotThis("pattern", f"“{_short(text)}” does not have the form asked for.")
    return text


def _decimal(kind: DecimalNumber, raw: Any, order: DateOrder) -> str:
    number = _number(raw)
    if number != round(number, kind.places):
        raise _NotThis("too_precise", f"The value {plain(number)} has more than {kind.places} decimal places.")
    _check_range(kind.minimum, kind.maximum, number)
    if kind.above is not None and number <= kind.above:
        raise _NotThis("too_small", f"The value {plain(number)} is not above {plain(kind.above)}.")
    return plain(number) if number else "0"


def _whole(kind: WholeNumber, raw: Any, order: DateOrder) -> int:
    number = _number(raw)
    if number != number.to_integral_value():
        raise _NotThis("not_whole", f"The value {plain(number)} is not a whole number.")
    low = Decimal(kind.minimum) if kind.minimum is not None else None
    high = Decimal(kind.maximum) if kind.maximum is not None else None
    _check_range(low, high, number)
    return int(number)


def _number(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, str | float | int | Decimal):
        raise _NotThis("not_a_number", f"“{_short(as_text(raw))}” is not a number.")
    try:
        return parse_decimal(_exact(raw))
    except ValueError as error:
        raise _NotThis("not_a_number", f"“{_short(as_text(raw))}” is not a number we take: {error}.") from error


def _exact(raw: str | float | int | Decimal) -> Any:
    if isinstance(raw, str):
        return restore(raw.strip())
    return Decimal(f"{raw:.15g}") if isinstance(raw, float) else raw


def _check_range(low: Decimal | None, high: Decimal | None, number: Decimal) -> None:
    if low is not None and number < low:
        if number < 0 <= low:
            raise _NotThis("negative", f"The value {plain(number)} is negative.")
        raise _NotThis("too_small", f"The value {plain(number)} is below {plain(low)}.")
    if high is not None and number > high:
        raise _NotThis("too_large", f"The value {plain(number)} is above {plain(high)}.")


def _date(kind: LocalDate, raw: Any, order: DateOrder) -> str:
    if isinstance(raw, datetime) and raw.time() != time(0):
        raise _NotThis("not_a_date", f"{as_text(raw)} has a clock time; only a day is asked for.")
    day = raw if isinstance(raw, date) else _day(_date_text(raw), order)
    return f"{_plausible(day):%Y-%m-%d}"


def _datetime(kind: LocalDateTime, raw: Any, order: DateOrder) -> str:
    if isinstance(raw, datetime):
        return _whole_second(_plausible(raw)).isoformat()
    if isinstance(raw, date):
        return f"{_plausible(raw).isoformat()}T00:00:00"
    text = _date_text(raw)
    day, _, clock = text.replace("T", " ", 1).partition(" ")
    moment = _clock_time(clock.strip()) if clock.strip() else time(0)
    return datetime.combine(_plausible(_day(day, order)), moment).isoformat()


def _plausible(day: D) -> D:
    """Far years are slips of the finger, and a bare clock time reads as a day of 1900."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise _NotThis("no_such_day", f"The year {day.year} is not between {FIRST_YEAR} and {LAST_YEAR}.")
    return day


def _date_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise _NotThis("not_a_date", f"“{_short(as_text(raw))}” is not a date; format the cell as a date.")
    return raw.strip()


def _day(text: str, order: DateOrder) -> date:
    iso = _ISO_DATE.fullmatch(text)
    parts = iso or _LOCAL_DATE.fullmatch(text)
    if parts is None:
        raise _NotThis("not_a_date", f"“{_short(text)}” is not a date.")
    year, month, day = (parts[place + 1] for place in (_ORDERS["ymd"] if iso else _ORDERS[order]))
    if len(year) != 4:
        detail = f"“{text}” is not a date in the order {_order_words(order)} with a four-digit year."
        raise _NotThis("not_a_date", detail)
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        detail = f"There is no such day as “{text}” (read as {_order_words(order, iso)})."
        raise _NotThis("no_such_day", detail) from error


def _order_words(order: DateOrder, iso: Any = None) -> str:
    words = {"y": "year", "m": "month", "d": "day"}
    return ", ".join(words[letter] for letter in ("ymd" if iso else order))


def _clock_time(text: str) -> time:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise _NotThis("not_a_time", f"“{_short(text)}” is not a local clock time HH:MM.")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise _NotThis("not_a_time", f"There is no such clock time as “{text}”.") from error


def _clock(kind: ClockTime, raw: Any, order: DateOrder) -> str:
    length = _as_length(raw)
    if length is not None:
        return _clock_of(length, raw)
    text = _clock_text(raw)
    if re.fullmatch(r"24:00(:00)?", text):
        return "24:00"
    moment = _clock_time(text)
    return _clock_of(timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second), raw)


def _clock_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise _NotThis("not_a_time", f"“{_short(as_text(raw))}” is not a clock time; format the cell as a time.")
    return raw.strip()


def _clock_of(length: timedelta, raw: Any) -> str:
    minutes, rest = divmod(length, timedelta(minutes=1))
    if rest or not 0 <= minutes <= 1440:
        raise _NotThis("not_a_time", f"“{_short(as_text(raw))}” is not a clock time to the minute.")
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _duration(kind: Duration, raw: Any, order: DateOrder) -> str:
    length = _as_length(raw)
    if length is None:
        length = _length_of_text(raw)
    if length < timedelta(0):
        raise _NotThis("negative", "A duration is not negative.")
    if length > timedelta(days=kind.maximum_days):
        raise _NotThis("too_long", f"This duration is longer than {kind.maximum_days} days.")
    return iso_duration(length)


def _length_of_text(raw: Any) -> timedelta:
    if not isinstance(raw, str):
        raise _NotThis("not_a_duration", f"“{_short(as_text(raw))}” is not a duration: its unit is not known.")
    try:
        return parse_duration(raw)
    except (ValueError, OverflowError) as error:
        raise _NotThis("not_a_duration", f"“{_short(raw.strip())}” is not a duration.") from error


def _as_length(raw: Any) -> timedelta | None:
    """The length that a time-formatted cell holds, to the second; spreadsheets show 24 hours and more as early 1900."""
    if isinstance(raw, time):
        raw = datetime.combine(_SPREADSHEET_DAY_ZERO, raw)
    elif isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime.combine(raw, time(0))
    if isinstance(raw, datetime) and raw.year <= 1900:
        raw = raw - _SPREADSHEET_DAY_ZERO
    return timedelta(seconds=round(raw.total_seconds())) if isinstance(raw, timedelta) else None


def _whole_second(raw: datetime) -> datetime:
    """Spreadsheets keep days as binary fractions: 09:00 may come as 08:59:59.999999."""
    return (raw + timedelta(microseconds=500_000)).replace(microsecond=0)


def _yes_no(kind: YesNo, raw: Any, order: DateOrder) -> bool:
    if isinstance(raw, bool):
        return raw
    text = as_text(raw).casefold()
    if text in YES or text in NO:
        return text in YES
    raise _NotThis("not_yes_or_no", f"“{_short(text)}” is neither yes nor no.")


def _choice(kind: Choice, raw: Any, order: DateOrder) -> str:
    text = as_text(raw)
    folded = _folded(text)
    for choice in kind.choices:
        if _folded(choice) == folded:
            return choice
    for spelling, choice in kind.spellings.items():
        if _folded(spelling) == folded:
            return choice
    raise _NotThis("not_a_choice", f"“{_short(text)}” is not one of the values taken.")


def _folded(text: str) -> str:
    return re.sub(r"[\s_–-]", "", text.casefold())


def _list(kind: TextList, raw: Any, order: DateOrder) -> list[str] | None:
    parts = [part.strip() for part in re.split(r"[;,\n\r]", as_text(raw))]
    items = [part for part in parts if part]
    if len(items) > kind.maximum_items:
        raise _NotThis("too_many", f"This list has {len(items)} entries; {kind.maximum_items} are taken.")
    long = next((item for item in items if len(item) > kind.maximum_length), None)
    if long is not None:
        raise _NotThis("too_long", f"“{_short(long)}” is longer than {kind.maximum_length} characters.")
    return items or None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


_Reader = Callable[[Any, Any, DateOrder], Any]
_READERS: dict[type, _Reader] = {
    Text: _text,
    DecimalNumber: _decimal,
    WholeNumber: _whole,
    LocalDate: _date,
    LocalDateTime: _datetime,
    ClockTime: _clock,
    Duration: _duration,
    YesNo: _yes_no,
    Choice: _choice,
    TextList: _list,
}
