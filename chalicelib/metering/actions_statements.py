"""Keeps what providers state of their assets ahead, every statement of it, and tells what stood at each instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

from chalicelib.kernel.call import Call
from chalicelib.kernel.periods import days_between
from chalicelib.metering import store_statements as store
from chalicelib.metering.models_statements import Schedule, Stated, TypicalWeek
from chalicelib.metering.rules_statements import as_stated, latest_by_day, weeks_as_stated
from chalicelib.metering.store import mark_of
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

Outcome = Literal["created", "updated", "unchanged"]
_WRITES_AT_ONCE = 80


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a statement: `updated` where it takes an earlier one's place, `unchanged` where it says the same.

    `before` is the earlier one's instant, as a reader may want to know.
    """

    outcome: Outcome
    before: Schedule | TypicalWeek | None = None


def statements_of(points: Mapping[str, str], first: date, last: date) -> dict[str, list[Stated]]:
    """What had been stated, by point, of each point's asset (its id) for local days, both inclusive.

    Each `Stated` is all that stood from its `submitted_at` on: of those before an event's gate, the newest counts.
    Schedules come first, then weekly templates, each earliest first; points without any have an empty list.
    """
    return {
        point: [*as_stated(schedules_between(asset_id, first, last)), *weeks_as_stated(store.list_weeks(asset_id))]
        for point, asset_id in points.items()
    }


def schedules_between(asset_id: str, first: date, last: date) -> list[Schedule]:
    """Every schedule ever stated of an asset's local days, both inclusive."""
    months = dict.fromkeys(f"{day:%Y-%m}" for day in days_between(first, last))
    return [schedule for schedule in store.list_schedules(asset_id, months) if first <= schedule.day <= last]


def weeks_of(asset_id: str) -> list[TypicalWeek]:
    """Every typical week ever stated of an asset, earliest first."""
    return store.list_weeks(asset_id)


def state_days(call: Call, owner: str, schedules: Sequence[Schedule]) -> list[Kept]:
    """Keep schedules of an FSP's assets, each day once; what stands already is left. Answers in their order.

    Called again with the same source it keeps and answers the same.
    """
    known = _standing(schedules)
    kept = [_judged(schedule, known.get((schedule.asset_id, schedule.day))) for schedule in schedules]
    news = [schedule for schedule, each in zip(schedules, kept, strict=True) if each.outcome != "unchanged"]
    for part in _parts(news):
        change = _change(call, owner, "nomination.stated", [each.asset_id for each in part], len(part))
        commit(call.without_key(), store.schedule_writes(part), [], [change])
    return kept


def state_weeks(call: Call, owner: str, weeks: Sequence[TypicalWeek]) -> list[Kept]:
    """The same of typical weeks."""
    kept = [_judged(week, _week_before(week)) for week in weeks]
    news = [week for week, each in zip(weeks, kept, strict=True) if each.outcome != "unchanged"]
    for start in range(0, len(news), _WRITES_AT_ONCE):
        part = news[start : start + _WRITES_AT_ONCE]
        change = _change(call, owner, "weekly_template.stated", [each.asset_id for each in part], len(part))
        commit(call.without_key(), [store.week_write(each) for each in part], [], [change])
    return kept


def _standing(schedules: Sequence[Schedule]) -> dict[tuple[str, date], Schedule]:
    """What other statements say of the same days, the latest of each."""
    found: dict[tuple[str, date], Schedule] = {}
    own = {mark_of(each.source) for each in schedules}
    for (asset_id, _), told in store.load_schedules(map(_row_of, schedules)).items():
        others = [each for each in told if each.source not in own]
        found |= {(asset_id, day): schedule for day, schedule in latest_by_day(others).items()}
    return found


def _week_before(week: TypicalWeek) -> TypicalWeek | None:
    others = [each for each in store.list_weeks(week.asset_id) if each.source != mark_of(week.source)]
    return others[-1] if others else None


def _judged(told: Schedule | TypicalWeek, before: Schedule | TypicalWeek | None) -> Kept:
    if before is None:
        return Kept("created")
    return Kept("unchanged" if before.values == told.values else "updated", before)


def _parts(schedules: Sequence[Schedule]) -> Iterator[list[Schedule]]:
    """Schedules by at most so many rows at once, each row's days together."""
    ordered = sorted(schedules, key=_row_of)
    rows = [list(days) for _, days in groupby(ordered, key=_row_of)]
    for start in range(0, len(rows), _WRITES_AT_ONCE):
        yield [schedule for row in rows[start : start + _WRITES_AT_ONCE] for schedule in row]


def _row_of(schedule: Schedule) -> tuple[str, str]:
    return schedule.asset_id, f"{schedule.day:%Y-%m}"


def _change(call: Call, owner: str, action: str, asset_ids: Iterable[str], count: int) -> Change:
    named = sorted(dict.fromkeys(asset_ids))
    return Change(
        thing=f"asset:{named[0]}" if len(named) == 1 else f"nominations:{call.request_id}",
        action=action,
        organisation=owner,
        after={"assets": named, "statements": count},
    )
