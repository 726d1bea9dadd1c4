"""Owns the plot of an instruction: baseline against metered, what was asked, and when. Vector graphics of reportlab."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from reportlab.graphics.shapes import Drawing, Line, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor

from chalicelib.kernel.periods import local_of
from chalicelib.settlement.models_runs import InstructionDetail, PeriodDetail
from chalicelib.settlement.pages import INK, LINE, QUIET, REGULAR
from chalicelib.settlement.report_contents import length_of

BASELINE, METERED, REQUESTED = HexColor("#5B6B7A"), HexColor("#0F766E"), HexColor("#B45309")
DELIVERED, WRONG_WAY, SPAN = Color(0.06, 0.46, 0.43, alpha=0.18), Color(0.73, 0.16, 0.1, alpha=0.2), HexColor("#EDF2F7")
_LEFT, _RIGHT, _TOP, _FOOT = 36, 6, 20, 22
_FONT = 6.4
_AIR = 0.08
_MOST_MARKS = 10.5
_MINUTE = timedelta(minutes=1)
_A_DAY = 1440
_EVERY = (5, 10, 15, 30, 60, 120, 180, 360, 720, _A_DAY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where instants and MW fall on the drawing."""

    first: datetime
    last: datetime
    low: float
    high: float
    width: float
    height: float

    def x(self, instant: datetime) -> float:
        return _LEFT + (instant - self.first) / (self.last - self.first) * (self.width - _LEFT - _RIGHT)

    def y(self, mw: float) -> float:
        return _FOOT + (mw - self.low) / (self.high - self.low) * (self.height - _FOOT - _TOP)

    @property
    def top(self) -> float:
        return self.height - _TOP

    @property
    def right(self) -> float:
        return self.width - _RIGHT


def can_be_drawn(instruction: InstructionDetail) -> bool:
    """Whether any period has a baseline or a reading to draw."""
    return any(period.baseline_mw is not None or period.metered_mw is not None for period in instruction.periods)


def plot(instruction: InstructionDetail, zone: ZoneInfo, width: float, height: float) -> Drawing:
    """Steps by period of average power, import positive: baseline, metered, and the level that was asked for.

    The instruction's span is shaded, and so is what was delivered between the two curves. The axis runs in instants,
    so a day of 46 or 50 half-hours has as many steps; its marks are the local clock's.
    """
    periods = sorted(instruction.periods, key=lambda period: period.start)
    step = length_of(periods, instruction.ends - instruction.starts)
    asked = _asked(instruction, periods)
    series = [[_number(p.baseline_mw) for p in periods], [_number(p.metered_mw) for p in periods], asked]
    low, high, ticks = _range(value for each in series for value in each if value is not None)
    frame = _Frame(*_span(instruction, periods, step), low, high, width, height)
    drawing = Drawing(width, height)
    _shade_span(drawing, frame, instruction)
    _draw_levels(drawing, frame, ticks)
    _draw_clock(drawing, frame, zone)
    _shade_delivered(drawing, frame, periods, step, instruction)
    _draw_steps(drawing, frame, periods, step, series[0], BASELINE, (3, 2))
    _draw_steps(drawing, frame, periods, step, asked, REQUESTED, (1, 1.6))
    _draw_steps(drawing, frame, periods, step, series[1], METERED, None)
    _draw_legend(drawing, frame)
    return drawing


def runs(values: Sequence[float | None]) -> list[tuple[int, int]]:
    """Stretches `[first, end)` of values that are there: a gap in the readings is a gap in the curve."""
    found, first = [], None
    for place, value in enumerate([*values, None]):
        if value is not None and first is None:
            first = place
        elif value is None and first is not None:
            found.append((first, place))
            first = None
    return found


def _span(
    instruction: InstructionDetail, periods: Sequence[PeriodDetail], step: timedelta
) -> tuple[datetime, datetime]:
    """From the first period to the last, with some air around an instruction that fills it."""
    first, last = periods[0].start, periods[-1].start + step
    air = (last - first) / 10
    return (
        first - air if instruction.starts <= first else first,
        last + air if instruction.ends >= last else last,
    )


def _asked(instruction: InstructionDetail, periods: Sequence[PeriodDetail]) -> list[float | None]:
    """The level the metered power was to come to: the baseline less (for a deficit) what was asked."""
    sign = 1 if instruction.direction == "deficit" else -1
    return [
        float(period.baseline_mw - sign * period.requested_mw)
        if period.baseline_mw is not None and period.requested_mw
        else None
        for period in periods
    ]


def _number(mw: Decimal | None) -> float | None:
    return None if mw is None else float(mw)


def _range(values: Iterable[float]) -> tuple[float, float, list[float]]:
    """The axis: from and to round figures around all values, four to seven marks; from zero where that is near."""
    found = list(values)
    low, high = min(found), max(found)
    if low * high <= 0 or min(abs(low), abs(high)) < max(abs(low), abs(high)) / 2:
        low, high = min(low, 0.0), max(high, 0.0)
    spread = (high - low) or max(abs(high), 0.001)
    rough = spread * 1.08 / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * each for each in _STEPS if size * each >= rough * 0.999)
    first = math.floor(low / step - (_AIR if low else 0) + 1e-9)
    last = math.ceil(high / step + (_AIR if high else 0) - 1e-9)
    return first * step, last * step, [number * step for number in range(first, last + 1)]


def _shade_span(drawing: Drawing, frame: _Frame, instruction: InstructionDetail) -> None:
    starts, ends = max(instruction.starts, frame.first), min(instruction.ends, frame.last)
    left, right = frame.x(starts), frame.x(ends)
    drawing.add(Rect(left, _FOOT, right - left, frame.top - _FOOT, fillColor=SPAN, strokeColor=None))


def _draw_levels(drawing: Drawing, frame: _Frame, ticks: Sequence[float]) -> None:
    factor, unit = _unit_of(frame)
    step = (ticks[1] - ticks[0]) * factor
    places = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if _is_quarter(step) else 0)
    for mw in ticks:
        y = frame.y(mw)
        drawing.add(Line(_LEFT, y, frame.right, y, strokeColor=INK if mw == 0 else LINE, strokeWidth=0.4))
        drawing.add(_words(_LEFT - 3, y - 2.2, f"{mw * factor:,.{places}f}".replace("-", "−"), "end"))
    drawing.add(_words(_LEFT - 3, frame.top + 7, unit, "end"))


def _unit_of(frame: _Frame) -> tuple[int, str]:
    """kW where all is below a megawatt: a charger's curve is read in kW."""
    return (1000, "kW") if max(abs(frame.low), abs(frame.high)) < 1 else (1, "MW")


def _is_quarter(step: float) -> bool:
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    return abs(mantissa - 2.5) < 1e-6


def _draw_clock(drawing: Drawing, frame: _Frame, zone: ZoneInfo) -> None:
    """Marks of the local clock; where it changes within the plot each mark names its zone."""
    marks = list(_marks(frame, zone))
    names = {mark.astimezone(zone).tzname() for mark in marks}
    for mark in marks:
        x = frame.x(mark)
        drawing.add(Line(x, _FOOT, x, _FOOT - 2.5, strokeColor=QUIET, strokeWidth=0.4))
        drawing.add(_words(x, _FOOT - 9, _clock(local_of(mark, zone)), "middle"))
        if len(names) > 1:
            drawing.add(_words(x, _FOOT - 16, str(mark.astimezone(zone).tzname()), "middle"))
    if len(names) == 1:
        middle = (_LEFT + frame.right) / 2
        drawing.add(
            _words(middle, 1, f"local time, {names.pop()}; average power of each period, import positive", "middle")
        )


def _clock(local: datetime) -> str:
    """A mark's words: midnight is named by the day it begins."""
    return f"{local:%H:%M}" if local.hour or local.minute else f"{local.day} {local:%b}"


def _marks(frame: _Frame, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which the local clock shows round times, about ten at most."""
    minutes = (frame.last - frame.first) / _MINUTE
    every = next(
        (each for each in _EVERY if minutes / each <= _MOST_MARKS), math.ceil(minutes / _MOST_MARKS / _A_DAY) * _A_DAY
    )
    step = min(every, 30) * _MINUTE
    mark = frame.first + (_EPOCH - frame.first) % step
    while mark <= frame.last:
        local = local_of(mark, zone)
        if (local.toordinal() * _A_DAY + local.hour * 60 + local.minute) % every == 0:
            yield mark
        mark += step


def _shade_delivered(
    drawing: Drawing, frame: _Frame, periods: Sequence[PeriodDetail], step: timedelta, instruction: InstructionDetail
) -> None:
    """The area between baseline and metered during the instruction, in red where it went the wrong way."""
    sign = 1 if instruction.direction == "deficit" else -1
    for period in periods:
        starts, ends = max(period.start, instruction.starts), min(period.start + step, instruction.ends)
        if starts < ends and period.baseline_mw is not None and period.metered_mw is not None:
            left, right = frame.x(starts), frame.x(ends)
            top, foot = frame.y(float(period.baseline_mw)), frame.y(float(period.metered_mw))
            corners = [left, foot, right, foot, right, top, left, top]
            colour = DELIVERED if sign * (period.baseline_mw - period.metered_mw) >= 0 else WRONG_WAY
            drawing.add(Polygon(corners, fillColor=colour, strokeColor=None, strokeWidth=0))


def _draw_steps(
    drawing: Drawing,
    frame: _Frame,
    periods: Sequence[PeriodDetail],
    step: timedelta,
    values: Sequence[float | None],
    colour: Color,
    dashes: tuple[float, float] | None,
) -> None:
    for first, end in runs(values):
        corners: list[float] = []
        for period, value in zip(periods[first:end], values[first:end], strict=True):
            assert value is not None, "a run has no gaps"
            corners += [frame.x(period.start), frame.y(value), frame.x(period.start + step), frame.y(value)]
        line = PolyLine(corners, strokeColor=colour, strokeWidth=1.1, strokeLineJoin=1)
        line.strokeDashArray = dashes
        drawing.add(line)


def _draw_legend(drawing: Drawing, frame: _Frame) -> None:
    x, y = _LEFT + 2, frame.top + 9
    for words, colour, dashes, width in (
        ("Baseline", BASELINE, (3, 2), 52),
        ("Metered", METERED, None, 50),
        ("Asked level", REQUESTED, (1, 1.6), 58),
    ):
        line = Line(x, y, x + 13, y, strokeColor=colour, strokeWidth=1.3)
        line.strokeDashArray = dashes
        drawing.add(line)
        drawing.add(_words(x + 16, y - 2.2, words, "start"))
        x += width
    for words, colour, width in (("Instructed time", SPAN, 66), ("Delivered", DELIVERED, 50)):
        drawing.add(Rect(x, y - 3, 9, 6, fillColor=colour, strokeColor=LINE, strokeWidth=0.3))
        drawing.add(_words(x + 12, y - 2.2, words, "start"))
        x += width


def _words(x: float, y: float, words: str, anchor: str) -> String:
    return String(x, y, words, fontName=REGULAR, fontSize=_FONT, fillColor=QUIET, textAnchor=anchor)
