"""Owns the stage of meter data: what every meter behind an obligation showed, dropped by its provider as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from local.demo import workbooks
from local.demo.operations import Operations
from local.demo.readings import Kind, Point, Response, read_day, wide_csv, workbook_rows

if TYPE_CHECKING:
    from local.demo.line import Line
    from local.demo.people import Member

LOOK_BACK = timedelta(days=50)
_USUAL_TIMES_CAPACITY = 2.0
PART, NONE = 0.7, 0.0
_FULL, _SLACK = 1.06, 0.85
_SLACK_EVERY = 10
_KW = 1000
MeterDay = tuple[str, date, Sequence[float]]


@dataclass
class Metering:
    """The readings of the first month of the service period, and of the days before that baselines look back to."""

    line: Line
    operations: Operations
    late: Point | None = None
    behind: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def walk(self) -> None:
        """Drop everybody's files but one meter's, which is late."""
        with self.line.story.stage("Providers drop their meter data; one meter's file is late"):
            session = self.line.operator.session
            self.behind = {
                each["id"]: list(session.all(f"/obligations/{each['id']}/assets"))
                for each in self.operations.obligations
            }
            self.late = self._late_point()
            for place, member in enumerate(self.line.providers.values()):
                self._drop(place, member)
            self._expect_complete()
            self.line.tell_mails()

    def drop_late(self) -> None:
        """The late meter's own file."""
        assert self.late is not None
        member = next(
            member for member in self.line.providers.values() if self.late in self._points_of(member.organisation)
        )
        for channel, positive in _channels(self.late):
            rows = list(self._rows([self.late], channel, self._days()))
            self._upload(member, f"late-{self.late.ref}-{positive}.csv", wide_csv(rows, positive), len(rows))

    @cached_property
    def points(self) -> dict[str, Point]:
        """Every metered asset behind an obligation, by its id."""
        capacity: dict[str, float] = {}
        found: dict[str, dict[str, Any]] = {}
        for asset in (asset for assets in self.behind.values() for asset in assets):
            found[asset["asset_id"]] = asset
            capacity[asset["asset_id"]] = max(capacity.get(asset["asset_id"], 0), float(asset["capacity_mw"]) * _KW)
        return {
            each: Point(
                asset["asset_ref"],
                self._kinds[asset["asset_ref"]],
                asset["import_meter_id"],
                asset["export_meter_id"],
                capacity[each] * _USUAL_TIMES_CAPACITY,
            )
            for each, asset in found.items()
        }

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        """What each asset is, by its reference: as its provider's rows say."""
        known: dict[str, Kind] = {"Demand side response": "demand", "Storage": "storage"}
        rows = (row for provider in self.line.scene.providers for row in provider.assets)
        return {str(row["Asset Ref"]): known.get(str(row["Category"]), "generation") for row in rows}

    @cached_property
    def responses(self) -> dict[str, list[Response]]:
        """What each asset did because it was instructed: mostly all of it, once a part, once nothing."""
        found: dict[str, list[Response]] = {}
        for instruction in self.operations.instructions():
            if instruction["state"] not in ("delivered", "stopped"):
                continue
            obligation = self._obligation(instruction["obligation_id"])
            sign = -1 if obligation["need_direction"] == "Deficit" else 1
            kw = sign * float(instruction["acknowledged_mw"]) * _KW * self._effort(instruction)
            assets = self.behind[obligation["id"]]
            whole = sum(float(asset["capacity_mw"]) for asset in assets)
            start = datetime.fromisoformat(instruction["start"])
            end = datetime.fromisoformat(instruction["ended_at"] or instruction["end"])
            for asset in assets:
                share = float(asset["capacity_mw"]) / whole
                found.setdefault(asset["asset_id"], []).append(Response(start, end, kw * share))
        return found

    def _effort(self, instruction: dict[str, Any]) -> float:
        """How much of what was asked was done."""
        if instruction["source"] == "schedule":
            day = datetime.fromisoformat(instruction["start"]).toordinal()
            return _SLACK if day % _SLACK_EVERY == 0 else _FULL
        return self.efforts.get(instruction["id"], _FULL)

    @cached_property
    def efforts(self) -> dict[str, float]:
        """Of the instructions acknowledged in full, away from the late meter, two that were not carried out in full."""
        late = set() if self.late is None else set(self.late.channels)
        untouched = [
            each.id
            for each in self.operations.wanted
            if each.answer == "all"
            and late.isdisjoint(asset["import_meter_id"] for asset in self.behind[each.obligation["id"]])
        ]
        return dict(zip(untouched, (PART, NONE), strict=False))

    def _late_point(self) -> Point | None:
        """The largest asset behind the smallest group that was instructed."""
        instructed = {each.obligation["id"] for each in self.operations.wanted}
        groups = [assets for each, assets in self.behind.items() if each in instructed]
        if not groups:
            return None
        smallest = min(groups, key=lambda assets: (len(assets), assets[0]["asset_ref"]))
        largest = max(smallest, key=lambda asset: (float(asset["capacity_mw"]), asset["asset_ref"]))
        return self.points[largest["asset_id"]]

    def _drop(self, place: int, member: Member) -> None:
        """Every provider's look-back as CSV; the month too, or by every second one as the market's workbook."""
        points = [each for each in self._points_of(member.organisation) if each != self.late]
        for positive in ("import", "export"):
            exporting = [each for each in points if positive == "import" or each.export_meter]
            if not exporting:
                continue
            name = f"readings-{member.name}-{positive}"
            before, month = self._days()[: LOOK_BACK.days], self._days()[LOOK_BACK.days :]
            by_workbook = place % 2 == 1
            rows = list(self._rows(exporting, positive, before if by_workbook else before + month))
            self._upload(member, f"{name}.csv", wide_csv(rows, positive), len(rows))
            if by_workbook:
                rows = list(self._rows(exporting, positive, month))
                filled = {"Readings": list(workbook_rows(rows, positive))}
                content = workbooks.fill(member.session.template("meter-data"), filled)
                self._upload(member, f"{name}.xlsx", content, len(rows))

    def _upload(self, member: Member, name: str, content: bytes, meter_days: int) -> None:
        self.line.keep(name, content)
        receipt = member.session.upload("meter-data", name, content)
        self.line.tell_receipt(receipt)
        self.line.story.expect("meter-days taken", receipt["counts"]["created"], meter_days)

    def _rows(self, points: Iterable[Point], positive: str, days: Sequence[date]) -> Iterator[MeterDay]:
        """The rows of one kind of channel."""
        for point in points:
            meter = point.import_meter if positive == "import" else str(point.export_meter)
            for day in days:
                yield meter, day, self._read(point, day)[meter]

    def _read(self, point: Point, day: date) -> dict[str, Sequence[float]]:
        known = self._known.setdefault((point.ref, day), {})
        if not known:
            known.update(read_day(point, day, self._responses_of(point)))
        return known

    @cached_property
    def _known(self) -> dict[tuple[str, date], dict[str, Sequence[float]]]:
        return {}

    def _responses_of(self, point: Point) -> list[Response]:
        return next((self.responses.get(each, []) for each, found in self.points.items() if found == point), [])

    def _points_of(self, fsp: str) -> list[Point]:
        """The points behind a provider's obligations, in the order of their references."""
        mine = [each["id"] for each in self.operations.obligations if each["fsp"] == fsp]
        ids = {asset["asset_id"] for each in mine for asset in self.behind[each]}
        return sorted((self.points[each] for each in ids), key=lambda point: point.ref)

    def _days(self) -> list[date]:
        first = self.operations.first - LOOK_BACK
        return [first + timedelta(days=number) for number in range((self.operations.month_end - first).days)]

    def _obligation(self, obligation_id: str) -> dict[str, Any]:
        return next(each for each in self.operations.obligations if each["id"] == obligation_id)

    def _expect_complete(self) -> None:
        """Nothing of the month is missing but the late meter's."""
        missing = set()
        for obligation in self.operations.obligations:
            month = f"{self.operations.first:%Y-%m}"
            views = self.line.operator.session.all("/meter-data", month=month, obligation_id=obligation["id"])
            missing |= {view["meter_id"] for view in views if view["present"] < view["expected"]}
        late = set(self.late.channels) if self.late else set()
        self.line.story.expect("meters with gaps in the month", len(missing), len(late))
        self.line.story.expect("they are the late one's", missing, late) if missing != late else None


def _channels(point: Point) -> list[tuple[str, str]]:
    """A point's channels as (channel, what its positive figures stand for)."""
    return [(kind, kind) for kind in ("import", "export")[: len(point.channels)]]
