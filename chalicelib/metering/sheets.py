"""Owns the workbook of meter data: a row per meter and day, a column per half-hour, and what its figures stand for."""

from __future__ import annotations

from chalicelib.files.columns import Choice, Column, DecimalNumber, LocalDate, Sheet, Template, Text

READINGS = "Readings"
README = "README"
MOST_HALF_HOURS = 50

_SAID = (
    Column("Meter ID", "meter_id", "The meter point.", True, Text(40), "1200000000000"),
    Column("Day", "day", "The day.", True, LocalDate(), "2026-04-01"),
    Column("Unit", "unit", "kWh in each period, or average kW.", True, Choice(("kWh", "Wh", "kW")), "kWh"),
    Column("Positive", "positive", "What positive figures stand for.", True, Choice(("import", "export")), "import"),
    Column(
        "Clock",
        "clock",
        "Whose day it is.",
        True,
        Choice(("local", "UTC")),
        "local",
    ),
)

TEMPLATE = Template(
    kind="meter-data",
    title="Meter data",
    version="1",
    sheets=(
        Sheet(
            READINGS,
            (
                *_SAID,
                *(
                    Column(str(number), f"hh{number}", "The half-hour of this number.", kind=DecimalNumber(6, None))
                    for number in range(1, MOST_HALF_HOURS + 1)
                ),
            ),
            unique=("meter_id", "day"),
        ),
    ),
    how_to=(
        "One row per meter and day. Column 1 is the first half-hour of the day, which begins at midnight.",
        "A local day has 48 half-hours; 46 on the day the clocks go forward and 50 on the day they go back.",
        "Leave a half-hour without a reading blank: it stays missing and never counts as zero.",
        "Unit, Positive and Clock are the same on every row of a file.",
        "A CSV will do as well: meter_id, start, kwh with stamps in UTC (2026-04-01T00:30:00Z), or one like this tab.",
    ),
)
