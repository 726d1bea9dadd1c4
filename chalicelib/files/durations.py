"""Owns lengths of time as people write them: `D HH:MM:SS`, `HH:MM:SS`, `HH:MM` and ISO 8601, read and written."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_HELP = "D HH:MM:SS, HH:MM:SS or ISO 8601 (PT30M)"

_CLOCK = re.compile(
    r"(?:(?P<days>\d{1,4})\s+)?(?P<hours>\d{1,4}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?",
    re.ASCII,
)
_ISO = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)


def parse_duration(text: str) -> timedelta:
    """The length of time that a text means, in whole seconds; ValueError when it is none.

    With days the hours stay below 24 ("1 02:00:00"); without, they may exceed it ("36:00:00"). Years and months have no
    fixed length and are refused.
    """
    bare = text.strip().upper()
    found = _ISO.fullmatch(bare) if bare.startswith("P") else _CLOCK.fullmatch(bare)
    if found is None or bare in {"P", "PT"} or bare.endswith("T"):
        raise ValueError("not a duration")
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number is not None}
    if not bare.startswith("P") and "days" in parts and parts["hours"] > 23:
        raise ValueError("more than 23 hours beside the days")
    return timedelta(**parts)


def iso_duration(length: timedelta) -> str:
    """ISO 8601 of a length of whole seconds, the way chunks and the API carry it: "PT1H30M", "P1DT2H", "PT0S"."""
    hours, minutes, seconds = _clock_parts(length)
    days, hours = divmod(hours, 24)
    clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    date = f"{days}D" if days else ""
    return f"P{date}" + (f"T{clock}" if clock else "" if date else "T0S")


def clock_duration(length: timedelta) -> str:
    """`D HH:MM:SS`, the way workbooks show it: "0 01:30:00"."""
    hours, minutes, seconds = _clock_parts(length)
    days, hours = divmod(hours, 24)
    return f"{days} {hours:02d}:{minutes:02d}:{seconds:02d}"


def _clock_parts(length: timedelta) -> tuple[int, int, int]:
    if length < timedelta(0):
        raise ValueError("a duration is not negative")
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return hours, minutes, seconds
