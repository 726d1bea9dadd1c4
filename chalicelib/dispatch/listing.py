"""Owns how a dispatch schedule is told as CSV and as iCalendar (RFC 5545)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from chalicelib.dispatch.open_data import PublicDispatch
from chalicelib.dispatch.views import InstructionView
from chalicelib.files.cells import neutralise
from chalicelib.kernel import periods
from chalicelib.kernel.quantities import plain

_LINE = 75
_OVER = frozenset({"cancelled", "declined", "expired", "failed"})
COLUMNS = (
    "instruction_id",
    "obligation_id",
    "competition_reference",
    "system_operator",
    "provider",
    "state",
    "start_utc",
    "end_utc",
    "start_local",
    "end_local",
    "time_zone",
    "requested_mw",
    "acknowledged_mw",
    "utilisation_price",
    "earns",
    "currency",
    "respond_by_utc",
)


def as_csv(instructions: Iterable[InstructionView]) -> str:
    """The schedule as CSV with a header: UTC and local times, and text that no spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(each) for each in instructions)
    return out.getvalue()


def as_open_csv(dispatches: Iterable[PublicDispatch]) -> str:
    """Open data as CSV with a header; its columns are the fields of the JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(PublicDispatch.model_fields)
    for each in dispatches:
        shown = each.model_dump(mode="json")
        writer.writerow("" if value is None else neutralise(str(value)) for value in shown.values())
    return out.getvalue()


def as_calendar(instructions: Iterable[InstructionView]) -> str:
    """The schedule as iCalendar, CRLF lines, each instruction an entry that keeps its identity through its moves."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Headroom//Dispatch//EN", "CALSCALE:GREGORIAN"]
    lines.append("X-WR-CALNAME:Dispatch schedule")
    for each in instructions:
        lines += _entry(each)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _row(each: InstructionView) -> list[str]:
    zone = periods.zone_of(each.time_zone)
    local = [f"{periods.local_of(instant, zone):%Y-%m-%d %H:%M}" for instant in (each.start, each.effective_end)]
    return [
        each.id,
        each.obligation_id,
        neutralise(each.competition_reference),
        neutralise(each.so_name),
        neutralise(each.fsp_name),
        each.state,
        f"{each.start:%Y-%m-%dT%H:%M:%SZ}",
        f"{each.effective_end:%Y-%m-%dT%H:%M:%SZ}",
        *local,
        each.time_zone,
        plain(each.requested_mw),
        "" if each.acknowledged_mw is None else plain(each.acknowledged_mw),
        "" if each.utilisation_price is None else plain(each.utilisation_price),
        "" if each.earns is None else f"{each.earns:.2f}",
        each.currency,
        f"{each.respond_by:%Y-%m-%dT%H:%M:%SZ}" if each.respond_by else "",
    ]


def _entry(each: InstructionView) -> list[str]:
    words = f"{plain(each.mw)} MW {each.competition_reference} ({each.state})"
    return [
        "BEGIN:VEVENT",
        f"UID:{each.id}@headroom",
        f"DTSTAMP:{_utc(each.changed_at)}",
        f"SEQUENCE:{each.version}",
        f"DTSTART:{_utc(each.start)}",
        f"DTEND:{_utc(each.effective_end)}",
        f"SUMMARY:{_escaped(words)}",
        f"DESCRIPTION:{_escaped(f'{each.so_name} to {each.fsp_name}, obligation {each.obligation_id}')}",
        f"STATUS:{'CANCELLED' if each.state in _OVER else 'CONFIRMED'}",
        "END:VEVENT",
    ]


def _utc(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for plainly, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plainly, escaped)
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
