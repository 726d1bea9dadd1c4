"""Owns the stages of instructing: what the operator means to call, issued by API and file, and providers' answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.demo import workbooks
from local.demo.calendars import ZONE, instant
from local.demo.moments import iso, utc

if TYPE_CHECKING:
    from local.demo.operations import Operations
    from local.demo.people import Member

_EVERY = 2
_RUNS_EACH = 3
_MOST_RUN = timedelta(hours=2)
_UNANSWERED = timedelta(minutes=31)
_PART = Decimal("0.6")
_BECAME = {"all": "acknowledged", "a part": "acknowledged", "no": "declined", "silence": "expired"}


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


def plan(operations: Operations) -> list[Wanted]:
    """Every second period of each obligation that can be called, three of each; the first four are answered apart."""
    tag, begins = operations.line.tag, utc(instant(operations.begins))
    planned = []
    for obligation in operations.callable_ones:
        periods = [each for each in operations.periods(obligation) if utc(each["start"]) > begins]
        for number, period in enumerate(periods[: _EVERY * _RUNS_EACH : _EVERY]):
            start, end = utc(period["start"]), utc(period["end"])
            mw = min(Decimal(each["available_mw"]) for each in period["segments"])
            owner = obligation["fsp_name"].split()[0]
            token = f"{tag}-{obligation['competition_reference']}-{obligation['window_name']}-{number}-{owner}"
            planned.append(Wanted(obligation, token, start, min(end, start + _MOST_RUN), mw))
    planned = _runnable(operations, sorted(planned, key=lambda each: (each.start, each.token)))
    for wanted, answer in zip(planned, _BECAME, strict=False):
        wanted.answer = answer
    return planned


def _runnable(operations: Operations, planned: Iterable[Wanted]) -> list[Wanted]:
    """Those that find their assets free: each competition is decided by itself, and an asset may have been sold in two
    of the same hours."""
    session, found = operations.line.operator.session, list[Wanted]()
    assets = {
        each["id"]: {asset["asset_id"] for asset in session.all(f"/obligations/{each['id']}/assets")}
        for each in operations.callable_ones
    }
    for wanted in planned:
        at_once = [each for each in found if each.start < wanted.end and wanted.start < each.end]
        others = [each.obligation["id"] for each in at_once if each.obligation["id"] != wanted.obligation["id"]]
        if not any(assets[other] & assets[wanted.obligation["id"]] for other in others):
            found.append(wanted)
    return found


def issue(operations: Operations) -> None:
    """The first by API, the others by file; each of `operations.wanted` is given its id."""
    line, wanted = operations.line, operations.wanted
    with line.story.stage("The operator instructs: one by API, many by file"):
        if not wanted:
            line.story.say("No obligation can be called: its schedule alone is delivered.")
            return
        _issue_by_api(operations, wanted[0])
        _issue_by_file(operations, wanted[1:])
        issued = {each["client_token"]: each["id"] for each in operations.instructions()}
        for each in wanted:
            each.id = issued[each.token]
        line.tell_mails()


def answer(operations: Operations) -> None:
    """Every provider answers its own at once, but for one that nobody answers until its time is over."""
    line, wanted = operations.line, operations.wanted
    if not wanted:
        return
    with line.story.stage("Providers answer: all of it, a part, no; one stays silent"):
        for member in line.providers.values():
            mine = [each for each in wanted if each.obligation["fsp"] == member.organisation]
            _answer_all(operations, member, [each for each in mine if each.answer != "silence"])
        line.market.move_clock(instant(operations.begins, _UNANSWERED))
        states = Counter(line.operator.session.get(f"/instructions/{each.id}")["state"] for each in wanted)
        line.story.expect("the states they are in", dict(sorted(states.items())), states_answered(wanted))
        line.tell_mails()


def states_answered(wanted: Iterable[Wanted]) -> dict[str, int]:
    """How many are in which state once everybody has answered who will."""
    return dict(sorted(Counter(_BECAME[each.answer] for each in wanted).items()))


def _issue_by_api(operations: Operations, wanted: Wanted) -> None:
    body = {
        "obligation_id": wanted.obligation["id"],
        "client_token": wanted.token,
        "mw": str(wanted.mw),
        "start": iso(wanted.start),
        "end": iso(wanted.end),
    }
    session, story = operations.line.operator.session, operations.line.story
    first = session.post("/instructions", {"instructions": [body]}, key=f"instruct/{wanted.token}")["items"][0]
    again = session.post("/instructions", {"instructions": [body]}, key=f"instruct/{wanted.token}")["items"][0]
    story.expect("by API", first["outcome"], "issued")
    story.expect("sent twice, issued once", again["instruction_id"], first["instruction_id"])
    story.say(f"it earns {first['earns']} delivered in full")


def _issue_by_file(operations: Operations, wanted: Sequence[Wanted]) -> None:
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
    line = operations.line
    content = workbooks.fill(line.operator.session.template("dispatch"), {"Instructions": rows})
    line.keep("dispatch.xlsx", content)
    receipt = line.operator.session.upload("dispatch", "dispatch.xlsx", content)
    line.tell_receipt(receipt)
    line.story.expect("by file", receipt["counts"]["created"], len(rows))


def _answer_all(operations: Operations, member: Member, mine: Sequence[Wanted]) -> None:
    if not mine:
        return
    body = {"answers": [_answer_to(each) for each in mine]}
    taken = member.session.post("/instruction-answers", body, key=f"answers/{member.organisation}")["items"]
    outcomes = Counter(each["outcome"] for each in taken)
    operations.line.story.expect(f"{member.name}: answers taken", dict(outcomes), {"answered": len(mine)})


def _answer_to(wanted: Wanted) -> dict[str, Any]:
    if wanted.answer == "no":
        return {"instruction_id": wanted.id, "answer": "decline", "reason": "The batteries are empty."}
    part = {"mw": str(up_to_kilowatts(wanted.mw * _PART))} if wanted.answer == "a part" else {}
    return {"instruction_id": wanted.id, "answer": "acknowledge", **part}


def up_to_kilowatts(mw: Decimal) -> Decimal:
    """MW rounded up to the kilowatt: a part is never below the market's least."""
    return mw.quantize(Decimal("0.001"), rounding="ROUND_UP")
