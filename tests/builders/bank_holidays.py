"""Writes the bank holidays that ship from the `holidays` package: `python -m tests.builders.bank_holidays`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import holidays

YEARS = (2020, 2035)
REGIONS = {"england-and-wales": "ENG", "northern-ireland": "NIR", "scotland": "SCT"}
TARGET = Path(__file__).parents[2] / "chalicelib" / "kernel" / "bank_holidays.json"


def library_holidays(subdivision: str, first: int, last: int) -> list[date]:
    """The library's bank holidays of a part of the United Kingdom, in order."""
    return sorted(holidays.country_holidays("GB", subdiv=subdivision, years=range(first, last + 1)))


def shipped() -> dict[str, object]:
    """What the data file must hold."""
    days = {name: [str(day) for day in library_holidays(code, *YEARS)] for name, code in REGIONS.items()}
    return {"years": YEARS, "regions": days}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(shipped(), indent=1) + "\n", encoding="utf-8")
