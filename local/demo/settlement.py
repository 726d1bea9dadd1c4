"""Owns the stages of settlement: the run and its table, publishing, a dispute, late data and what it changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.demo.calendars import instant
from local.demo.metering import Metering
from local.demo.moments import clock
from local.demo.operations import Operations
from local.demo.settled import HEADER, instruction_rows
from local.demo.stages import Shortfall

if TYPE_CHECKING:
    from local.demo.line import Line
    from local.demo.people import Member

_REPORT_DAY = 8
_AS_NEARLY = 0.15


@dataclass
class Settlement:
    """From the readings to lines that both sides stand by."""

    line: Line
    operations: Operations
    metering: Metering
    run: dict[str, Any] = field(default_factory=dict)
    dispute: dict[str, Any] = field(default_factory=dict)

    def walk(self) -> None:
        """Every stage in order."""
        self._settle()
        self._publish()
        if self.metering.late is not None:
            self._settle_again()
        self._end_dispute()

    @property
    def month(self) -> str:
        return f"{self.operations.first:%Y-%m}"

    def reports(self) -> list[dict[str, Any]]:
        """The latest run's reports, by provider."""
        found = self.line.operator.session.all("/settlement-reports", run_id=self.run["id"])
        return sorted(found, key=lambda report: str(report["fsp_name"]))

    def lines(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        """A report's lines as they stand today."""
        return list(self.line.operator.session.all(f"/settlement-reports/{report['id']}/lines"))

    def _settle(self) -> None:
        with self.line.story.stage(f"The {_REPORT_DAY}th: the month is settled by itself"):
            day = self.operations.month_end + timedelta(days=_REPORT_DAY - 1)
            self.line.market.move_clock(instant(clock(day, 9)))
            runs = [each for each in self.line.operator.session.all("/settlement-runs") if each["month"] == self.month]
            found = [f"version {each['number']}, {each['reason']}, {each['state']}" for each in runs]
            self.line.story.expect("runs of the month", found, ["version 1, scheduled, done"])
            if not runs:
                raise Shortfall(f"{self.month} was not settled")
            self.run = runs[0]
            self._tell_run()
            self.line.tell_mails()

    def _tell_run(self) -> None:
        """The table of a run, with each factor, and that its lines add up."""
        reports = self.reports()
        sides = {each["fsp"] for each in self.operations.obligations}
        self.line.story.expect("reports, one per provider", len(reports), len(sides))
        issued = {each.id for each in self.operations.wanted}
        total, rows = Decimal(0), []
        for report in reports:
            lines = self.lines(report)
            amounts = [Decimal(each["amount"]) for each in lines if each["amount"] is not None]
            self.line.story.expect(
                f"{report['fsp_name']}: {len(lines)} lines add up to", f"{sum(amounts, Decimal(0)):.2f}", _money(report)
            )
            total += sum(amounts, Decimal(0))
            rows += instruction_rows(self.line.operator.session, report, lines, issued)
            self._tell_components(report)
        self.line.story.expect("the run's total", _money(self.run), f"{total:.2f}")
        self.line.story.table(HEADER, sorted(rows))

    def _tell_components(self, report: dict[str, Any]) -> None:
        shown = self.line.operator.session.get(f"/settlement-reports/{report['id']}")
        parts = [f"{each['component']} {each['total']} ({each['lines']})" for each in shown["by_component"]]
        self.line.story.say(f"  {', '.join(parts)}; {shown['unsettled']} lines could not be settled")

    def _publish(self) -> None:
        with self.line.story.stage("The operator publishes; a provider disputes a line"):
            self._publish_run()
            for member in self.line.providers.values():
                mine = [each for each in self.reports() if each["fsp"] == member.organisation]
                for report in mine:
                    seen = member.session.get(f"/settlement-reports/{report['id']}")
                    self.line.story.expect(f"{member.name} sees its report", seen["state"], "published")
                    self.line.story.say(f"  disputable until {seen['disputable_until']}")
            self._dispute()
            self.line.tell_mails()

    def _publish_run(self) -> None:
        """All reports of the latest run, a part at a time."""
        while True:
            path = f"/settlement-runs/{self.run['id']}/publication"
            left = self.line.operator.session.post(path)["left"]
            if not left:
                break
        self.line.market.settle()
        states = Counter(each["state"] for each in self.reports())
        self.line.story.expect("reports published", states["published"], states.total())

    def _dispute(self) -> None:
        """The least paid of the instructions that were carried out: its provider thinks otherwise."""
        poor = [
            (Decimal(each["amount"]), each["id"], report)
            for report in self.reports()
            for each in self.lines(report)
            if each["component"] == "utilisation" and each["amount"] is not None and each["instruction_id"]
        ]
        if not poor:
            raise Shortfall("no instruction came to an amount, so there is nothing to dispute")
        _, line_id, report = min(poor, key=lambda found: found[:2])
        member = self.line.member_of(report["fsp"])
        body = {"reason": "Our own meter shows that we delivered.", "evidence": ["https://provider.example/meter.csv"]}
        self.dispute = member.session.post(f"/lines/{line_id}/disputes", body, key=f"dispute/{line_id}")
        self.line.story.expect("the dispute", self.dispute["state"], "raised")
        self.line.story.say(
            f"on {self.dispute['competition_reference']} {self.dispute['window_name']}: {body['reason']}"
        )
        lines = [each for each in self.lines(report) if each["id"] == line_id]
        self.line.story.expect("the line", [each["state"] for each in lines], ["disputed"])

    def _settle_again(self) -> None:
        with self.line.story.stage("The late file arrives; the month is settled again, and what changed is told"):
            before = self.run
            self.metering.drop_late()
            body = {"month": self.month, "note": "A meter's file came late."}
            asked = self.line.operator.session.post("/settlement-runs", body, key=f"run/{self.month}/2")
            self.line.market.settle()
            self.run = self.line.operator.session.get(f"/settlement-runs/{asked['id']}")
            self.line.story.expect("version 2 of the month", self.run["state"], "done")
            self.line.story.expect("it follows", (self.run["number"], self.run["previous"]), (2, before["id"]))
            self.line.story.say(f"before, {before['unsettled']} lines could not be settled")
            self.line.story.expect("lines that cannot be settled now", self.run["unsettled"], 0)
            self._tell_differences(before)
            self._publish_run()
            old = self.line.operator.session.all("/settlement-reports", run_id=before["id"])
            self.line.story.expect("the reports before", sorted({each["state"] for each in old}), ["superseded"])
            self._expect_factors()
            self.line.tell_mails()

    def _tell_differences(self, before: dict[str, Any]) -> None:
        path = f"/settlement-runs/{self.run['id']}/differences"
        found = list(self.line.operator.session.all(path))
        rows = [
            (
                f"{each['competition_reference'][-3:]} {each['window_name']}",
                each["component"],
                (each["instruction_id"] or each["month"])[-8:],
                each["before"] if each["before"] is not None else each["reason_before"],
                each["after"] if each["after"] is not None else each["reason_after"],
                each["change"],
                each["cause"],
            )
            for each in found
        ]
        self.line.story.table(("window", "component", "of", "before", "after", "change", "cause"), rows)
        self.line.story.expect("their causes", sorted({each["cause"] for each in found}), ["late_data"])
        change = sum((Decimal(each["change"]) for each in found), Decimal(0))
        came_to = Decimal(self.run["total"]) - Decimal(before["total"])
        self.line.story.expect("they add up to the difference of the totals", f"{change:.2f}", f"{came_to:.2f}")

    def _expect_factors(self) -> None:
        """What was carried out, in full, in part or not at all, is what was found."""
        found = {
            each["instruction_id"]: each["ratio"]
            for report in self.reports()
            for each in self.line.operator.session.all(f"/settlement-reports/{report['id']}/instructions")
        }
        ran = [each.id for each in self.operations.wanted if each.answer in ("all", "a part")]
        wrong = [each for each in ran if not self._is_near(each, found[each])]
        self.line.story.expect(f"of {len(ran)} that ran, those measured as what they did not do", wrong, [])

    def _is_near(self, instruction_id: str, ratio: str | None) -> bool:
        """Whether a measured share is what was done, as nearly as a baseline tells."""
        done = min(self.metering.efforts.get(instruction_id, 1), 1)
        return ratio is not None and abs(float(ratio) - done) < _AS_NEARLY

    def _end_dispute(self) -> None:
        with self.line.story.stage("The operator answers the dispute, the provider agrees; the days to dispute pass"):
            path = f"/disputes/{self.dispute['id']}"
            words = {"words": "The meter behind the obligation shows no response over the hour; see its half-hours."}
            answered = self.line.operator.session.post(f"{path}/answer", words, key=f"answer/{self.dispute['id']}")
            self.line.story.expect("answered", answered["state"], "answered")
            member: Member = self.line.member_of(self.dispute["fsp"])
            agreed = member.session.post(
                f"{path}/agreement", {"words": "We see it."}, key=f"agree/{self.dispute['id']}"
            )
            self.line.story.expect("the provider's word", agreed["state"], "agreed")
            self.line.story.expect("the line", agreed["line"]["state"], "agreed")
            last = max(date.fromisoformat(each["disputable_until"]) for each in self.reports())
            self.line.market.move_clock(instant(clock(last + timedelta(days=1), 9)))
            states = Counter(each["state"] for report in self.reports() for each in self.lines(report))
            self.line.story.expect("states of all lines", sorted(states), ["agreed"])
            self.line.tell_mails()


def _money(shown: dict[str, Any]) -> str:
    return f"{Decimal(shown['total']):.2f}"
