"""Owns the workbook of baselines that a provider states ahead: schedules by day, and typical weeks."""

from __future__ import annotations

from chalicelib.files.columns import Choice, Column, DecimalNumber, LocalDate, Sheet, Template, Text

NOMINATIONS = "Nominations"
WEEKLY = "Weekly template"
MOST_HALF_HOURS = 50
HALF_HOURS = 48
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_ASSET = Column("Asset Reference", "asset_ref", "Your own reference of the asset.", True, Text(100), "EV-0001")


def _half_hours(count: int) -> tuple[Column, ...]:
    kw = DecimalNumber(6, None)
    return tuple(
        Column(str(number), f"hh{number}", "Average kW in the half-hour of this number, import positive.", kind=kw)
        for number in range(1, count + 1)
    )


TEMPLATE = Template(
    kind="baselines",
    title="Nominations and weekly templates",
    version="1",
    sheets=(
        Sheet(
            NOMINATIONS,
            (
                _ASSET,
                Column("Day", "day", "The local day.", True, LocalDate(), "2026-04-01"),
                *_half_hours(MOST_HALF_HOURS),
            ),
            unique=("asset_ref", "day"),
            optional=True,
        ),
        Sheet(
            WEEKLY,
            (
                _ASSET,
                Column("Weekday", "weekday", "The day of the week.", True, Choice(WEEKDAYS), "Mon"),
                *_half_hours(HALF_HOURS),
            ),
            unique=("asset_ref", "weekday"),
            optional=True,
        ),
    ),
    how_to=(
        "Nominations: one row per asset and day, average kW in each half-hour; what you take in is positive.",
        "Column 1 begins at local midnight. A day has 48 half-hours; 46 when the clocks go forward, 50 when back.",
        "Weekly template: one row per asset and weekday. A weekday you leave out is one you say nothing of.",
        "A later row for the same asset and day takes the place of the earlier one whole; the earlier one is kept.",
        "A blank says nothing of the half-hour: an event there cannot be settled by your schedule.",
        "What comes after the gate of an event does not count for it. The receipt says so.",
    ),
)
