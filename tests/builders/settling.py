"""Builds a market ready to be settled: obligations with meters behind them, instructions as they ended, readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.assets import actions_reads as assets
from chalicelib.contracts import store as contracts
from chalicelib.contracts.models import AvailabilityVariation, ObligatedAsset, Obligation
from chalicelib.dispatch import store as dispatch
from chalicelib.dispatch.models import Day, Entry, Instruction
from chalicelib.kernel.call import Call
from chalicelib.kernel.periods import day_span, days_between, days_span, local_day
from chalicelib.metering import actions as metering
from chalicelib.metering.models import MeterDay
from chalicelib.metering.reading import expected_periods
from chalicelib.settlement import actions_differences, actions_making, actions_rules, actions_runs
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.models import KeptRules
from chalicelib.settlement.models_runs import Report, ReportLine
from chalicelib.settlement.requests import RulesRequest
from chalicelib.settlement.requests_runs import DifferencesQuery, DifferenceView, RunRequest, RunView
from chalicelib.storage.commit import commit
from tests.builders.bidding import a_verified_fsp
from tests.builders.calls import a_call
from tests.builders.dispatch import an_obligation
from tests.builders.registry import a_system_operator
from tests.builders.settlement import LONDON, local
from tests.scenes import built_once

FSP = "org_fsp1"
MONTH = "2026-06"
AFTER = "2026-07-08T09:00:00Z"
KW = 10**6


@built_once
class SettlingMarket:
    """An operator whose June 2026 is settled. An obligation is 2 MW on weekday evenings, 17:00 to 19:00, at 100."""

    def __init__(self) -> None:
        self.so = a_system_operator().organisation
        for number in (1, 2):
            a_verified_fsp(f"org_fsp{number}")
        self.given = 0

    def operator(self, now: str = AFTER, **how: Any) -> Call:
        return a_call(self.so, "so", now=now, **how)

    def fsp(self, fsp: str = FSP, now: str = AFTER, **how: Any) -> Call:
        return a_call(fsp, "fsp", now=now, **how)

    def obligation(self, id_: str = "obl_1", meters: Iterable[str] = ("m1",), **changes: Any) -> Obligation:
        """An obligation whose assets have one import meter each and share its MW alike; committed as when drawn up."""
        made = an_obligation(**{"id": id_, "bid_id": f"bid_{id_}", "so": self.so, **changes})
        names = list(meters)
        share = round(made.capacity_mw / max(len(names), 1), 6)
        behind = [
            ObligatedAsset(
                obligation_id=id_,
                asset_id=f"ast_{name}",
                asset_ref=f"REF-{name}",
                name=name,
                import_meter_id=name,
                capacity_mw=share,
            )
            for name in names
        ]
        span = days_span(made.period_start, made.period_end, LONDON)
        shares = {each.asset_id: share for each in behind}
        commitments = assets.commitment_writes(id_, made.so, made.competition_id, *span, shares, (made.window_id,))
        commit(a_call(), [*contracts.new_obligation(made), *contracts.obligated(behind), *commitments])
        return made

    def instruction(
        self, day: date, id_: str | None = None, obligation: str = "obl_1", mw: str = "2", **changes: Any
    ) -> Instruction:
        """An instruction from 17:00 to 19:00 of a local day as it ended: acknowledged whole and delivered."""
        self.given += 1
        starts, ends = local(day, changes.pop("start", "17:00")), local(day, changes.pop("end", "19:00"))
        held = contracts.find_obligation(obligation)
        assert held is not None
        fields = {
            "id": id_ or f"ins_{self.given:06d}",
            "obligation_id": obligation,
            "so": held.so,
            "fsp": held.fsp,
            "competition_id": held.competition_id,
            "competition_reference": held.competition_reference,
            "client_token": f"t{self.given}",
            "start": starts,
            "end": ends,
            "requested_mw": mw,
            "acknowledged_mw": mw,
            "state": "delivered",
            "ended_at": ends,
            "send_at": starts - timedelta(hours=1),
            "utilisation_price": held.utilisation_price,
            "issued_by": "per_9",
            "issued_at": starts - timedelta(hours=1),
            "changed_at": ends,
        }
        made = Instruction.model_validate(fields | changes)
        commit(a_call(), [dispatch.save_instruction(made, None)])
        for touched in days_between(made.start.date(), made.end.date()):
            self._enter(made, touched)
        return made

    def _enter(self, made: Instruction, day: date) -> None:
        """The instruction on its obligation's timeline of a day."""
        days = {each.date: each for each in dispatch.list_days(made.obligation_id)}
        before = days.get(day.isoformat()) or Day(obligation_id=made.obligation_id, date=day.isoformat())
        entry = Entry(instruction_id=made.id, start=made.start, end=made.end, mw=made.mw)
        commit(a_call(), [dispatch.save_day(before.but(entries=(*before.entries, entry)))])

    def vary(self, starts: Any, ends: Any, mw: str = "0", obligation: str = "obl_1", **changes: Any) -> None:
        """An availability variation as it was declared, in time unless told."""
        self.given += 1
        fields = {
            "id": f"var_{self.given:06d}",
            "obligation_id": obligation,
            "starts": starts,
            "ends": ends,
            "available_mw": mw,
            "reason": "broken",
            "declared_at": starts - timedelta(days=3),
        }
        commit(a_call(), [contracts.new_variation(AvailabilityVariation.model_validate(fields | changes))])

    def read(
        self,
        meter: str = "m1",
        kw: int = 5000,
        delivered: Mapping[date, int] | None = None,
        days: tuple[date, date] = (date(2026, 4, 1), date(2026, 6, 30)),
        now: str = "2026-07-03T09:00:00Z",
        source: str | None = None,
        minutes: int = 30,
    ) -> None:
        """Periods of `minutes` of whole days at `kw`; on the days of `delivered` so many kW less, 17:00 to 19:00."""
        self.given += 1
        made = [_day(meter, day, kw, (delivered or {}).get(day, 0), minutes) for day in days_between(*days)]
        metering.save_days(self.fsp(now=now), source or f"rcp_{self.given}", made)

    def rules(self, now: str = "2026-05-01T09:00:00Z", **request: Any) -> KeptRules:
        """Market rules as the operator sets them, in May unless told."""
        return actions_rules.set_rules(self.operator(now), RulesRequest.model_validate(request))

    def run(self, now: str = AFTER, call: Call | None = None, **request: Any) -> RunView:
        """Ask for a run, of June unless told, and make it."""
        asked = RunRequest.model_validate(request or {"month": MONTH})
        caller = call or self.operator(now)
        view = actions_runs.ask_run(caller, asked)
        actions_making.make_run(caller.as_system(), view.id)
        return actions_runs.get_run(caller, view.id)

    def changes(self, run: RunView, call: Call | None = None, **query: Any) -> list[DifferenceView]:
        """What changed since the version before, as the operator sees it, or another caller."""
        asked = DifferencesQuery.model_validate(query)
        return actions_differences.list_differences(call or self.operator(), run.id, asked).items

    def report(self, run: RunView, fsp: str = FSP) -> Report:
        return reports.load_report(reports.report_id_of(run.id, fsp))

    def lines(self, run: RunView, fsp: str = FSP) -> list[ReportLine]:
        return reports.load_lines(self.report(run, fsp))

    def amounts(self, run: RunView, fsp: str = FSP) -> dict[str, Decimal | None]:
        """What each component of a run's lines comes to, where there is one line of each."""
        return {line.component: line.amount for line in self.lines(run, fsp)}


def _day(meter: str, day: date, kw: int, less: int, minutes: int) -> MeterDay:
    start = day_span(day, LONDON)[0]
    low, high = local(day, "17:00"), local(day, "19:00")
    moments = [start + timedelta(minutes=minutes * place) for place in range(expected_periods(day, minutes))]
    values = tuple((kw - (less if low <= at < high else 0)) * KW for at in moments)
    return MeterDay(meter_id=meter, day=day, minutes=minutes, values=values)


def day_of(instruction: Instruction) -> date:
    """The local day an instruction starts on."""
    return local_day(instruction.start, LONDON)
