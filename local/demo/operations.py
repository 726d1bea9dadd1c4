"""Owns the stages of operation: availability declared, instructions issued, answered, run and stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.demo import workbooks
from local.demo.calendars import ZONE, instant
from local.demo.stages import Shortfall

if TYPE_CHECKING:
    from local.demo.line import Line
    from local.demo.people import Member

SCHEDULED = ("Peak Reduction", "Scheduled Utilisation")
_EVERY = 2
_RUNS_EACH = 3
_MOST_RUN = timedelta(hours=2)
_STOPPED_AFTER = timedelta(minutes=50)
_UNANSWERED = timedelta(minutes=31)
_PART = Decimal("0.6")


@dataclass(slots=True)
class Wanted:
    """An instruction the operator means to issue, and how its provider will answer it."""

    obligation: dict[str, Any]
    token: str
    start: datetime
    end: datetime
    mw: Decimal
    answer: str = "all"
    id: str = ""


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
        self._instruct()
        self._answer()
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
        return _at(day + timedelta(days=-day.weekday() % 7), 9)

    @property
    def callable_ones(self) -> list[dict[str, Any]]:
        return [each for each in self.obligations if each["product_type"] not in SCHEDULED]

    def instructions(self) -> list[dict[str, Any]]:
        """Every instruction of the month, as it stands, by start."""
        span = {"after": instant(_at(self.first)), "until": instant(_at(self.month_end))}
        return list(self.line.operator.session.all("/instructions", **span))

    def _set_rules(self) -> None:
        with self.line.story.stage("The operator sets its rules for dispatch and settlement"):
            session, tag = self.line.operator.session, self.line.tag
            dispatch = {"acceptance_time": "PT30M", "minimum_part": "0.5"}
            session.post("/dispatch-rules", dispatch, key=f"dispatch-rules/{tag}")
            settled = {
                "name": "standard agreement",
                "preset": "standard agreement",
                "effective_from": self.first.isoformat(),
                "self_billing": True,
            }
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
            period = self._periods(varied)[-1]
            half = _floor(Decimal(varied["capacity_mw"]) / 2)
            body = {
                "obligation_id": varied["id"],
                "start": period["start"],
                "end": period["end"],
                "available_mw": str(half),
                "reason": "A transformer is inspected.",
            }
            member = self.line.member_of(varied["fsp"])
            declared = member.session.post("/availability-variations", body, key=f"variation/{varied['id']}")
            self.line.story.expect("the variation came too late", declared["late"], False)
            [shown] = self.line.operator.session.get(
                "/availability", obligation_id=varied["id"], after=period["start"], until=period["end"]
            )["items"]
            left = [segment["available_mw"] for segment in shown["periods"][0]["segments"]]
            self.line.story.expect("the operator sees what is left, MW", [Decimal(each) for each in left], [half])

    def _instruct(self) -> None:
        with self.line.story.stage("The operator instructs: one by API, many by file"):
            self.wanted = list(self._plan())
            if not self.wanted:
                self.line.story.say("No obligation can be called: its schedule alone is delivered.")
                return
            self._issue_by_api(self.wanted[0])
            self._issue_by_file(self.wanted[1:])
            issued = {each["client_token"]: each["id"] for each in self.instructions()}
            for each in self.wanted:
                each.id = issued[each.token]
            self.line.tell_mails()

    def _plan(self) -> Iterator[Wanted]:
        """Every second period of each obligation that can be called, three of each; the answers vary."""
        planned = []
        for obligation in self.callable_ones:
            periods = [each for each in self._periods(obligation) if _utc(each["start"]) > _utc(instant(self.begins))]
            for number, period in enumerate(periods[: _EVERY * _RUNS_EACH : _EVERY]):
                start, end = _utc(period["start"]), _utc(period["end"])
                mw = min(Decimal(each["available_mw"]) for each in period["segments"])
                token = f"{self.line.tag}-{obligation['competition_reference']}-{obligation['window_name']}-{number}"
                owner = obligation["fsp_name"].split()[0]
                planned.append(Wanted(obligation, f"{token}-{owner}", start, min(end, start + _MOST_RUN), mw))
        planned.sort(key=lambda each: (each.start, each.token))
        for place, answer in enumerate(("all", "a part", "no", "silence")):
            if place < len(planned):
                planned[place].answer = answer
        return iter(planned)

    def _issue_by_api(self, wanted: Wanted) -> None:
        body = {
            "obligation_id": wanted.obligation["id"],
            "client_token": wanted.token,
            "mw": str(wanted.mw),
            "start": _iso(wanted.start),
            "end": _iso(wanted.end),
        }
        session = self.line.operator.session
        first = session.post("/instructions", {"instructions": [body]}, key=f"instruct/{wanted.token}")["items"][0]
        again = session.post("/instructions", {"instructions": [body]}, key=f"instruct/{wanted.token}")["items"][0]
        self.line.story.expect("by API", first["outcome"], "issued")
        self.line.story.expect("sent twice, issued once", again["instruction_id"], first["instruction_id"])
        self.line.story.say(f"it earns {first['earns']} delivered in full")

    def _issue_by_file(self, wanted: Sequence[Wanted]) -> None:
        rows = [
            {
                "Obligation ID": each.obligation["id"],
                "Token": each.token,
                "From": each.start.astimezone(ZONE).replace(tzinfo=None),
                "Until": each.end.astimezone(ZONE).replace(tzinfo=None),
                "MW": float(each.mw),
            }
            for each in wanted
        ]
        content = workbooks.fill(self.line.operator.session.template("dispatch"), {"Instructions": rows})
        self.line.keep("dispatch.xlsx", content)
        receipt = self.line.operator.session.upload("dispatch", "dispatch.xlsx", content)
        self.line.tell_receipt(receipt)
        self.line.story.expect("by file", receipt["counts"]["created"], len(rows))

    def _answer(self) -> None:
        if not self.wanted:
            return
        with self.line.story.stage("Providers answer: all of it, a part, no; one stays silent"):
            for member in self.line.providers.values():
                mine = [each for each in self.wanted if each.obligation["fsp"] == member.organisation]
                self._answer_all(member, [each for each in mine if each.answer != "silence"])
            self.line.market.move_clock(instant(self.begins, _UNANSWERED))
            states = Counter(self._state_of(each) for each in self.wanted)
            self.line.story.expect("the states they are in", dict(sorted(states.items())), self._states_answered())
            self.line.tell_mails()

    def _answer_all(self, member: Member, mine: Sequence[Wanted]) -> None:
        if not mine:
            return
        body = {"answers": [_answer_to(each) for each in mine]}
        taken = member.session.post("/instruction-answers", body, key=f"answers/{member.organisation}")["items"]
        outcomes = Counter(each["outcome"] for each in taken)
        self.line.story.expect(f"{member.name}: answers taken", dict(outcomes), {"answered": len(mine)})

    def _states_answered(self) -> dict[str, int]:
        became = {"all": "acknowledged", "a part": "acknowledged", "no": "declined", "silence": "expired"}
        return dict(sorted(Counter(became[each.answer] for each in self.wanted).items()))

    def _deliver(self) -> None:
        with self.line.story.stage("They run by the clock; one is stopped early"):
            if self.wanted:
                self._stop_first()
            self.line.market.move_clock(instant(_at(self.month_end, 9)))
            found = [each for each in self.instructions() if not each["test"]]
            issued = {each.id for each in self.wanted}
            states = Counter(each["state"] for each in found if each["id"] in issued)
            scheduled = Counter(each["state"] for each in found if each["source"] == "schedule")
            self.line.story.expect("instructions by state", dict(sorted(states.items())), self._states_delivered())
            self.line.story.expect("states of the schedule", set(scheduled), {"delivered"} if scheduled else set())
            self.line.story.say(f"{sum(scheduled.values())} instructions of the schedule ran by themselves")
            self.line.tell_mails()

    def _stop_first(self) -> None:
        first = self.wanted[0]
        at = first.start + _STOPPED_AFTER
        self.line.market.move_clock(_iso(at))
        body = {"reason": "The load has fallen."}
        stopped = self.line.operator.session.post(f"/instructions/{first.id}/stop", body, key=f"stop/{first.id}")
        self.line.story.expect("the first, stopped after fifty minutes", stopped["state"], "stopped")
        self._declare_late()

    def _declare_late(self) -> None:
        """By file, inside the notice period: what is taken back tomorrow."""
        varied = self._of_the_last_provider()[-1]
        tomorrow = [each for each in self._periods(varied) if self._is_near(each, varied)]
        if not tomorrow:
            return
        row = {
            "Obligation ID": varied["id"],
            "From": _local(tomorrow[0]["start"]),
            "Until": _local(tomorrow[0]["end"]),
            "Available MW": 0,
            "Reason": "A fault.",
        }
        member = self.line.member_of(varied["fsp"])
        content = workbooks.fill(member.session.template("availability"), {"Availability": [row]})
        receipt = member.session.upload("availability", "availability.xlsx", content)
        self.line.tell_receipt(receipt)
        declared = member.session.get("/availability-variations", obligation_id=varied["id"])["items"]
        self.line.story.expect("unavailable tomorrow, declared too late", declared[-1]["late"], True)

    def _is_near(self, period: dict[str, Any], obligation: dict[str, Any]) -> bool:
        """Whether a period begins within a day of now and nothing is instructed in it."""
        now, start = _utc(self.line.market.now()), _utc(period["start"])
        busy = any(
            each.obligation["id"] == obligation["id"] and each.start < _utc(period["end"]) and each.end > start
            for each in self.wanted
        )
        return now < start < now + timedelta(hours=23, minutes=59) and not busy

    def _states_delivered(self) -> dict[str, int]:
        states = Counter(self._states_answered())
        if self.wanted:
            states["stopped"] += 1
            states["delivered"] = states.pop("acknowledged") - 1
        return dict(sorted((+states).items()))

    def _of_the_last_provider(self) -> list[dict[str, Any]]:
        """The callable obligations of whichever provider comes last."""
        last = self.callable_ones[-1]["fsp"]
        return [each for each in self.callable_ones if each["fsp"] == last]

    def _periods(self, obligation: dict[str, Any]) -> list[dict[str, Any]]:
        """Its availability periods of the two weeks from the control room's first day on."""
        span = {"after": instant(self.begins), "until": instant(self.begins, timedelta(days=14))}
        [shown] = self.line.operator.session.get("/availability", obligation_id=obligation["id"], **span)["items"]
        found: list[dict[str, Any]] = shown["periods"]
        if not found:
            raise Shortfall(f"{obligation['id']} has no availability period in its first weeks")
        return found

    def _state_of(self, wanted: Wanted) -> str:
        return str(self.line.operator.session.get(f"/instructions/{wanted.id}")["state"])


def part_of(mw: Decimal) -> Decimal:
    """What a provider acknowledges that can deliver a part only, to the kilowatt."""
    return _floor(mw * _PART)


def _answer_to(wanted: Wanted) -> dict[str, Any]:
    if wanted.answer == "no":
        return {"instruction_id": wanted.id, "answer": "decline", "reason": "The batteries are empty."}
    part = {"mw": str(part_of(wanted.mw))} if wanted.answer == "a part" else {}
    return {"instruction_id": wanted.id, "answer": "acknowledge", **part}


def _floor(mw: Decimal) -> Decimal:
    return mw.quantize(Decimal("0.001"), rounding="ROUND_UP")


def _place(obligation: dict[str, Any]) -> tuple[str, str, str]:
    return obligation["competition_reference"], obligation["window_name"], obligation["fsp_name"]


def _at(day: date, hour: int = 0) -> datetime:
    """A local clock time, as the demo's plans carry it."""
    return datetime.combine(day, time(hour))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _local(text: str) -> datetime:
    return _utc(text).astimezone(ZONE).replace(tzinfo=None)
