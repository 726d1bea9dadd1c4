"""Makes an obligation ready for operations when it is contracted: its footing, and its schedule where it has one."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_footing import lay_footing
from chalicelib.dispatch.actions_instructing import instruction_id, new_instruction
from chalicelib.dispatch.actions_moving import Ledger, entry_of
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.lifecycle import next_check_at
from chalicelib.dispatch.models import SCHEDULED_PRODUCTS, Instruction
from chalicelib.dispatch.requests import InstructionRequest
from chalicelib.dispatch.rules_availability import promised_spans
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import Span
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_TOGETHER = 25


def prepare_drawn_up(call: Call, competition_id: str, so: str) -> None:
    """Prepare every obligation of a competition that was contracted at its confirmation."""
    for obligation in contracts.list_all_obligations("so", so):
        if obligation.competition_id == competition_id:
            prepare(call, obligation.id)


def prepare(call: Call, obligation_id: str) -> None:
    """Lay an obligation's footing and, once it is in force, write its schedule; again, it changes nothing."""
    obligation = contracts.find_obligation(obligation_id)
    if obligation is None:
        return
    if store.find_footing(obligation.id) is None:
        lay_footing(call, obligation)
    if obligation.state in contracts.IN_FORCE and obligation.product_type in SCHEDULED_PRODUCTS:
        _schedule(call, obligation)


def _schedule(call: Call, obligation: Obligation) -> None:
    """An instruction of the full MW for every period still to come, sent in the market's time without an answer."""
    zone = periods.zone_of(obligation.time_zone)
    whole = periods.days_span(obligation.period_start, obligation.period_end + periods.ONE_DAY, zone)
    spans = promised_spans(obligation, holidays_of(obligation.holiday_region), whole)
    coming = [span for span in spans if span[0] > call.now]
    for start in range(0, len(coming), _TOGETHER):
        _schedule_some(call, obligation, coming[start : start + _TOGETHER])


def _schedule_some(call: Call, obligation: Obligation, spans: Sequence[Span]) -> None:
    """Those of these periods that have no instruction yet; `Stale` lets the queue bring the news again."""
    wanted = {instruction_id(obligation.id, _token(span)): span for span in spans}
    standing = store.load_instructions(wanted)
    made = [_scheduled(call, obligation, span) for each, span in wanted.items() if each not in standing]
    ledger = Ledger()
    for each in made:
        ledger.put(obligation.id, (each.start, each.end), entry_of(each))
    writes = [store.save_instruction(each, next_check_at(each)) for each in made] + ledger.writes()
    try:
        commit(call, writes, [], [_change(obligation, made)] if made else [])
    except Stale:
        # The same news, heard twice at once, wrote the same; anything else is tried again.
        if set(store.load_instructions(wanted)) != set(wanted):
            raise


def _change(obligation: Obligation, made: Sequence[Instruction]) -> Change:
    return Change(
        thing=f"obligation:{obligation.id}",
        action="obligation.scheduled",
        organisation=obligation.so,
        after={"instructions": [each.id for each in made]},
    )


def _scheduled(call: Call, obligation: Obligation, span: Span) -> Instruction:
    rules = rules_of(obligation, call.now)
    asked = InstructionRequest(obligation_id=obligation.id, client_token=_token(span), mw=obligation.capacity_mw)
    made = new_instruction(call, obligation, rules, span, asked)
    send_at = max(span[0] - rules.schedule_lead, call.now)
    return made.but(source="schedule", send_at=send_at, respond_by=None, escalate_at=None)  # type: ignore[no-any-return]


def _token(span: Span) -> str:
    return f"schedule/{iso(span[0])}"
