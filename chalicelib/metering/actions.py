"""Takes readings in from files, and answers what was read, how completely, to those who may see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Asset
from chalicelib.contracts import actions as contracts
from chalicelib.contracts.models import AssetsQuery, ObligatedAsset
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import days_between
from chalicelib.metering import store
from chalicelib.metering.actions_statements import statements_of
from chalicelib.metering.models import DayView, MeterDataQuery, MeterDay, MeterView, Readings, Revision
from chalicelib.metering.reading import expected_periods
from chalicelib.metering.rules import is_news, merged

__all__ = ["Meter", "list_meter_data", "meters_of", "readings_between", "save_days", "statements_of"]

HALF_HOURLY = 30


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of an organisation: the limits of the connections behind it, MW, and whether it only exports."""

    id: str
    most_import_mw: Decimal | None
    most_export_mw: Decimal | None
    is_export: bool


def meters_of(owner: str, meter_ids: Sequence[str]) -> dict[str, Meter]:
    """The meters, among these, that stand behind assets of an organisation; another's are left out."""
    wanted = set(meter_ids)
    held: dict[str, list[Asset]] = {}
    for asset in assets.load_assets(assets.assets_with_meters(meter_ids)).values():
        if asset.owner == owner:
            for meter in wanted.intersection(asset.meter_ids):
                held.setdefault(meter, []).append(asset)
    return {meter: _meter(meter, behind) for meter, behind in held.items()}


def save_days(call: Call, source: str, days: Sequence[MeterDay]) -> dict[tuple[str, date], str]:
    """Keep what a file (its receipt's id) says of meter-days: each is `created`, `updated` or `unchanged`.

    Called again with the same days it answers and keeps the same.
    """
    known = _known_of([(day.meter_id, f"{day.day:%Y-%m}") for day in days], store.mark_of(source))
    outcomes: dict[tuple[str, date], str] = {}
    news: list[MeterDay] = []
    for day in days:
        before = known.get((day.meter_id, day.day), [])
        told = is_news(day, before)
        outcomes[day.meter_id, day.day] = "unchanged" if not told else "updated" if before else "created"
        news += [day] if told else []
    store.save_days(news, call.now, source)
    return outcomes


def readings_between(meter_ids: Iterable[str], first: date, last: date) -> dict[str, Readings]:
    """What holds of each meter from a local day to a local day, both inclusive; unread meters are empty."""
    return {meter: _of_days(_revisions(meter, first, last)) for meter in dict.fromkeys(meter_ids)}


def list_meter_data(call: Call, query: MeterDataQuery) -> Page[MeterView]:
    """How complete a month is, of the meters behind an obligation for either side, or of one's own meter."""
    if query.meter_id is not None:
        if not meters_of(call.organisation, [query.meter_id]):
            raise NotFound("meter.not_found", "There is no such meter.")
        return Page(items=[_view(query.meter_id, query.month)])
    assert query.obligation_id is not None
    behind = contracts.list_assets(call, query.obligation_id, AssetsQuery(limit=query.limit, cursor=query.cursor))
    meters = dict.fromkeys(meter for asset in behind.items for meter in _meters_behind(asset))
    return Page(items=[_view(meter, query.month) for meter in meters], next=behind.next)


def _meter(meter: str, behind: Sequence[Asset]) -> Meter:
    imports = [asset.maximum_import_mw for asset in behind]
    exports = [asset.maximum_export_mw for asset in behind]
    is_export = all(asset.export_meter_id == meter != asset.import_meter_id for asset in behind)
    return Meter(meter, _largest(imports), _largest(exports), is_export)


def _largest(limits: Sequence[Decimal | None]) -> Decimal | None:
    """The largest of known limits; None where any is unknown."""
    known = [limit for limit in limits if limit is not None]
    return max(known) if known and len(known) == len(limits) else None


def _known_of(months: Iterable[tuple[str, str]], own_mark: str) -> Mapping[tuple[str, date], list[Revision]]:
    """What other files said of the days of these meters and months."""
    found: dict[tuple[str, date], list[Revision]] = {}
    for (meter, _), revisions in store.load_months(months).items():
        for revision in revisions:
            if revision.source != own_mark:
                found.setdefault((meter, revision.day.day), []).append(revision)
    return found


def _revisions(meter: str, first: date, last: date) -> list[Revision]:
    months = dict.fromkeys(f"{day:%Y-%m}" for day in days_between(first, last))
    return [revision for revision in store.list_months(meter, months) if first <= revision.day.day <= last]


def _of_days(revisions: Iterable[Revision]) -> Readings:
    days: dict[date, list[Revision]] = {}
    for revision in revisions:
        days.setdefault(revision.day.day, []).append(revision)
    return {at: value for _, told in sorted(days.items()) for at, value in merged(told).items()}


def _view(meter: str, month: str) -> MeterView:
    first = date.fromisoformat(f"{month}-01")
    last = date.fromordinal((first.replace(day=28).toordinal()) + 4)
    last = date.fromordinal(last.replace(day=1).toordinal() - 1)
    told: dict[date, list[Revision]] = {}
    for revision in store.list_month(meter, month):
        told.setdefault(revision.day.day, []).append(revision)
    days = tuple(_day_view(day, told.get(day, [])) for day in days_between(first, last))
    present, expected = sum(day.present for day in days), sum(day.expected for day in days)
    return MeterView(meter_id=meter, month=month, expected=expected, present=present, days=days)


def _day_view(day: date, told: Sequence[Revision]) -> DayView:
    latest = max(told, key=lambda revision: revision.received_at, default=None)
    minutes = latest.day.minutes if latest else None
    return DayView(
        day=day,
        minutes=minutes,
        expected=expected_periods(day, minutes or HALF_HOURLY),
        present=len(merged(told)),
        revisions=len(told),
        received_at=latest.received_at if latest else None,
    )


def _meters_behind(asset: ObligatedAsset) -> list[str]:
    return [meter for meter in (asset.import_meter_id, asset.export_meter_id) if meter]
