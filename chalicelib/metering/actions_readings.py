"""Judges and keeps meter-days, from files and from requests alike, each by itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import accumulate
from typing import Any, Literal

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, raise_problems
from chalicelib.kernel.periods import instant_of, local_of
from chalicelib.metering import actions
from chalicelib.metering.actions import Meter
from chalicelib.metering.reading import LOCAL, ReadDay, read_days
from chalicelib.metering.requests import MeterDayOutcome, ReadingsRequest, ReadingsView, Remark, SeriesRequest
from chalicelib.metering.rules import remarks
from chalicelib.storage import objects
from chalicelib.storage.commit import commit

Outcome = Literal["created", "updated", "unchanged", "error"]
_HEADER = ("meter_id", "timestamp", "value")


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a meter-day: why it was not kept, or what is worth a look."""

    read: ReadDay
    outcome: Outcome
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


def keep_days(call: Call, source: str, part: Iterable[ReadDay], known: Mapping[str, Meter]) -> Iterator[Judged]:
    """Keep the sound meter-days among these that are of known meters, as `source` (a receipt, a request) told them."""
    sound = []
    for each in part:
        problems = each.problems if each.day is None else _stranger(each, known)
        if problems:
            yield Judged(each, "error", problems=problems)
        else:
            sound.append(each)
    outcomes = actions.save_days(call, source, [each.day for each in sound if each.day is not None])
    for each in sound:
        assert each.day is not None
        meter = known[each.meter_id]
        notes = remarks(each.day, meter.most_import_mw, meter.most_export_mw)
        outcome: Outcome = outcomes[each.meter_id, each.day.day]  # type: ignore[assignment]
        yield Judged(each, outcome, remarks=tuple(notes))


def take_readings(call: Call, request: ReadingsRequest) -> ReadingsView:
    """Keep the readings of a request by the rules of files: each meter-day is taken or refused by itself.

    `Invalid` where a stamp names a time that the clocks skipped.
    """
    table = _table(request)
    known = actions.meters_of(call.organisation, list(dict.fromkeys(each.meter_id for each in request.series)))
    days = read_days(table, {meter.id for meter in known.values() if meter.is_export})
    starts = list(accumulate((len(each.figures) for each in request.series), initial=len(table) - _figures(request)))
    judged = keep_days(call, call.new_id("rdg"), days, known)
    items = [_told(each, bisect_right(starts, each.read.row - 1) - 1) for each in judged]
    found = ReadingsView(items=tuple(sorted(items, key=lambda each: (each.series, str(each.day)))))
    if call.idempotency is not None:
        commit(call, [], result=objects.put_json(found.model_dump(mode="json"), "readings"))
    return found


def replay_readings(call: Call, result: str) -> ReadingsView:
    """What became of readings that were sent before under the same Idempotency-Key."""
    return ReadingsView.model_validate(objects.get_json(result))


def _table(request: ReadingsRequest) -> list[Sequence[Any]]:
    """The request as the long table it is: its declarations, a header, a row per figure."""
    first = [_first(each, request, number) for number, each in enumerate(request.series)]
    raise_problems([each for each in first if isinstance(each, Problem)], "readings.invalid")
    step = timedelta(minutes=request.minutes)
    said = (
        ("Unit", request.unit),
        ("Positive", request.positive),
        ("Stamps", request.stamp),
        ("Minutes", str(request.minutes)),
    )
    rows = [
        (series.meter_id, start + step * place, figure)
        for series, start in zip(request.series, first, strict=True)
        for place, figure in enumerate(series.figures)
    ]
    return [*said, _HEADER, *rows]


def _first(series: SeriesRequest, request: ReadingsRequest, number: int) -> Any:
    """The instant of a series' first stamp, or what is wrong with it; of a time that happens twice, the first."""
    if series.first.tzinfo is not None or request.clock == "UTC":
        return series.first.replace(tzinfo=series.first.tzinfo or UTC).astimezone(UTC)
    instant = instant_of(series.first, LOCAL)
    if local_of(instant, LOCAL) != series.first:
        detail = f"{series.first} does not exist: the clocks skipped it."
        return Problem("stamps.skipped", detail, f"series/{number}/first", "an existing time, or one with its offset")
    return instant


def _figures(request: ReadingsRequest) -> int:
    return sum(len(each.figures) for each in request.series)


def _stranger(each: ReadDay, known: Mapping[str, Meter]) -> tuple[Problem, ...]:
    if each.meter_id in known:
        return ()
    detail = "None of your assets has this meter."
    return (Problem("meter.unknown", detail, "meter_id", "a meter id of one of your assets"),)


def _told(each: Judged, series: int) -> MeterDayOutcome:
    return MeterDayOutcome(
        meter_id=each.read.meter_id,
        day=each.read.day.day if each.read.day else None,
        series=series,
        outcome=each.outcome,
        problems=tuple(_remark(problem) for problem in each.problems),
        remarks=tuple(_remark(problem) for problem in each.remarks),
    )


def _remark(problem: Problem) -> Remark:
    return Remark(code=problem.code, detail=problem.detail, allowed=problem.allowed)
