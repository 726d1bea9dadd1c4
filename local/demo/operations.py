"""Owns the stages of operation: rules set, availability declared, instructions run and stopped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.demo import instructing, workbooks
from local.demo.calendars import instant
from local.demo.instructing import Wanted, states_answered, up_to_kilowatts
from local.demo.moments import clock, iso, local_clock, utc
from local.demo.stages import Shortfall

if TYPE_CHECKING:
    from local.demo.line import Line

SCHEDULED = ("Peak Reduction", "Scheduled Utilisation")
_STOPPED_AFTER = timedelta(minutes=50)
_NEAR = timedelta(hours=23, minutes=59)
_LOOKED_AT = timedelta(days=14)


@dataclass(slots=True)
class Operations:
    """What the operator and providers do with the obligations in the first month of the service period."""

    line: Line
    wanted: list[Wanted] = field(default_factory=list)
    obligations: list[dict[str, Any]] = field(default_factory=list)

    def walk(self) -> None:
        """Every stage in order; without an obligation that can be called, only its schedule runs."""
        self.obligations = sorted(self.line.operator.session.all("/obligations"), key=_place)
        self._set_rules()
        self._declare()
        self.wanted = instructing.plan(self)
        instructing.issue(self)
        instructing.answer(self)
        self._deliver()

    @property
    def first(self) -> date:
        return self.line.plan.period_start

    @property
    def month_end(self) -> date:
        """The first day of the month after."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def begins(self) -> datetime:
        """When the control room sits down: nine o'clock, local, on the first Monday from the third of the month on."""
        day = self.first + timedelta(days=2)
        return clock(day + timedelta(days=-day.weekday() % 7), 9)

    @property
    def callable_ones(self) -> list[dict[str, Any]]:
        """Obligations that are called, not scheduled."""
        return [each for each in self.obligations if each["product_type"] not in SCHEDULED]

    def instructions(self) -> list[dict[str, Any]]:
        """Every instruction of the month, as it stands, by start."""
        span = {"after": instant(clock(self.first)), "until": instant(clock(self.month_end))}
        return list(self.line.operator.session.all("/instructions", **span))

    def periods(self, obligation: dict[str, Any]) -> list[dict[str, Any]]:
        """Its availability periods of the two weeks from the control room's first day on."""
        span = {"after": instant(self.begins), "until": instant(self.begins, _LOOKED_AT)}
        [shown] = self.line.operator.session.get("/availability", obligation_id=obligation["id"], **span)["items"]
        found: list[dict[str, Any]] = shown["periods"]
        if not found:
            raise Shortfall(f"{obligation['id']} has no availability period in its first weeks")
        return found

    def _set_rules(self) -> None:
        with self.line.story.stage("The operator sets its rules for dispatch and settlement"):
            session, tag = self.line.operator.session, self.line.tag
            dispatch = {"acceptance_time": "PT30M", "minimum_part": "0.5"}
            session.post("/dispatch-rules", dispatch, key=f"dispatch-rules/{tag}")
            name, starts = "standard agreement", self.first.isoformat()
            settled = {"name": name, "preset": name, "effective_from": starts, "self_billing": True}
            kept = session.post("/market-rules", settled, key=f"market-rules/{tag}")
            self.line.story.say(
                f"{kept['name']}, version {kept['version']}, from {kept['effective_from']}: baseline "
                f"{kept['baseline']['kind']}, performance {kept['performance']['kind']}, paid {kept['paid_volume']}"
            )

    def _declare(self) -> None:
        with self.line.story.stage("A provider declares that it cannot deliver all it promised"):
            self.line.market.move_clock(instant(self.begins))
            if not self.callable_ones:
                self.line.story.say("No obligation can be called: nothing is declared.")
                return
            varied = self._of_the_last_provider()[0]
            span = {name: self.periods(varied)[-1][name] for name in ("start", "end")}
            half = up_to_kilowatts(Decimal(varied["capacity_mw"]) / 2)
            body = {"obligation_id": varied["id"], "available_mw": str(half), "reason": "A transformer is inspected."}
            session = self.line.member_of(varied["fsp"]).session
            declared = session.post("/availability-variations", {**body, **span}, key=f"variation/{varied['id']}")
            self.line.story.expect("the variation came too late", declared["late"], False)
            seen = {"obligation_id": varied["id"], "after": span["start"], "until": span["end"]}
            [shown] = self.line.operator.session.get("/availability", **seen)["items"]
            left = [f"{Decimal(each['available_mw']):f}" for each in shown["periods"][0]["segments"]]
            self.line.story.expect("the operator sees what is left, MW", left, [f"{half.normalize():f}"])

    def _deliver(self) -> None:
        with self.line.story.stage("They run by the clock; one is stopped early"):
            if self.wanted:
                self._stop_first()
            self.line.market.move_clock(instant(clock(self.month_end, 9)))
            found = [each for each in self.instructions() if not each["test"]]
            issued = {each.id for each in self.wanted}
            states = Counter(each["state"] for each in found if each["id"] in issued)
            scheduled = Counter(each["state"] for each in found if each["source"] == "schedule")
            self.line.story.expect("instructions by state", dict(sorted(states.items())), self._states_delivered())
            self.line.story.expect("of the schedule, delivered", scheduled["delivered"], scheduled.total())
            self.line.tell_mails()

    def _stop_first(self) -> None:
        first = self.wanted[0]
        self.line.market.move_clock(iso(first.start + _STOPPED_AFTER))
        body = {"reason": "The load has fallen."}
        stopped = self.line.operator.session.post(f"/instructions/{first.id}/stop", body, key=f"stop/{first.id}")
        self.line.story.expect("the first, after fifty minutes", stopped["state"], "stopped")
        self._declare_late()

    def _declare_late(self) -> None:
        """By file, inside the notice period: what is taken back tomorrow."""
        varied = self._of_the_last_provider()[-1]
        tomorrow = [each for each in self.periods(varied) if self._is_free_tomorrow(each, varied)]
        if not tomorrow:
            return
        row = {
            "Obligation ID": varied["id"],
            "From": local_clock(tomorrow[0]["start"]),
            "Until": local_clock(tomorrow[0]["end"]),
            "Available MW": 0,
            "Reason": "A fault.",
        }
        session = self.line.member_of(varied["fsp"]).session
        content = workbooks.fill(session.template("availability"), {"Availability": [row]})
        self.line.tell_receipt(session.upload("availability", "availability.xlsx", content))
        declared = session.get("/availability-variations", obligation_id=varied["id"])["items"]
        self.line.story.expect("unavailable tomorrow, declared too late", declared[-1]["late"], True)

    def _is_free_tomorrow(self, period: dict[str, Any], obligation: dict[str, Any]) -> bool:
        """Whether a period begins within a day of now and nothing is instructed in it."""
        now, start = utc(self.line.market.now()), utc(period["start"])
        busy = any(
            each.obligation["id"] == obligation["id"] and each.start < utc(period["end"]) and each.end > start
            for each in self.wanted
        )
        return now < start < now + _NEAR and not busy

    def _states_delivered(self) -> dict[str, int]:
        states = Counter(states_answered(self.wanted))
        if self.wanted:
            states["stopped"] += 1
            states["delivered"] = states.pop("acknowledged") - 1
        return dict(sorted((+states).items()))

    def _of_the_last_provider(self) -> list[dict[str, Any]]:
        """The callable obligations of whichever provider comes last."""
        last = self.callable_ones[-1]["fsp"]
        return [each for each in self.callable_ones if each["fsp"] == last]


def _place(obligation: dict[str, Any]) -> tuple[str, str, str]:
    return obligation["competition_reference"], obligation["window_name"], obligation["fsp_name"]
