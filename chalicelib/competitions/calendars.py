"""Owns the calendar feed of a competition: its dates and service periods as iCalendar (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from chalicelib.competitions.models import Competition

_LINE = 75


def competition_calendar(competition: Competition) -> str:
    """An iCalendar of the competition: qualification, bidding, their deadlines and each service period, CRLF lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Headroom//Competitions//EN", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{_escaped(competition.name)}")
    for entry in _entries(competition):
        lines += entry
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _entries(competition: Competition) -> Iterator[list[str]]:
    calendar = competition.calendar
    yield _instants(
        competition, "qualification", "Qualification", calendar.qualification_open, calendar.qualification_closed
    )
    if calendar.open is not None and calendar.closed is not None:
        yield _instants(competition, "bidding", "Bidding", calendar.open, calendar.closed)
    periods = {window.period_name: (window.period_start, window.period_end) for window in competition.windows}
    for number, (name, (first, last)) in enumerate(periods.items()):
        yield _days(competition, f"period-{number}", f"Service period {name}", first, last)


def _instants(competition: Competition, part: str, words: str, start: datetime, end: datetime) -> list[str]:
    return _entry(competition, part, words, f"DTSTART:{_utc(start)}", f"DTEND:{_utc(end)}")


def _days(competition: Competition, part: str, words: str, first: date, last: date) -> list[str]:
    """Whole days; iCalendar ends are exclusive, ours are not."""
    end = last + timedelta(days=1)
    return _entry(competition, part, words, f"DTSTART;VALUE=DATE:{first:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}")


def _entry(competition: Competition, part: str, words: str, start: str, end: str) -> list[str]:
    status = "CANCELLED" if competition.outcome == "withdrawn" else "CONFIRMED"
    return [
        "BEGIN:VEVENT",
        f"UID:{competition.id}-{part}@headroom",
        f"DTSTAMP:{_utc(competition.changed_at)}",
        f"SEQUENCE:{competition.version}",
        start,
        end,
        f"SUMMARY:{_escaped(f'{words}: {competition.reference} {competition.name}')}",
        f"STATUS:{status}",
        "END:VEVENT",
    ]


def _utc(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, escaped)
    return text


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 bytes, each after the first begun by a space, no character cut."""
    piece = ""
    for char in line:
        if len((piece + char).encode()) > _LINE:
            yield piece
            piece = " "
        piece += char
    yield piece
