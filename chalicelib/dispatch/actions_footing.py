"""Works out what an obligation stands on: how long its assets recover, and which other obligations share them."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.assets import actions_reads as assets
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.models import Footing, Rival
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call
from chalicelib.kernel.periods import Span
from chalicelib.storage.commit import commit

_AT_ONCE = 40
_ASSETS_NAMED = 20


def footing_of(call: Call, obligation: Obligation) -> Footing:
    """An obligation's footing; worked out now where nobody has yet."""
    return store.find_footing(obligation.id) or lay_footing(call, obligation)


def lay_footing(call: Call, obligation: Obligation) -> Footing:
    """Work out an obligation's footing and tell the obligations that share its assets of it, both ways."""
    behind = [asset.asset_id for asset in contracts.list_assets(obligation.id)]
    recovery = [asset.recovery_time for asset in assets.load_assets(behind).values() if asset.recovery_time]
    footing = Footing(obligation_id=obligation.id, recovery_time=max(recovery, default=timedelta(0)))
    rivals = _rivals(obligation, behind)
    # Marked first, so that nobody who sees no mark overlooks a rival.
    writes = [store.mark_shared(each) for each in (obligation.id, *(it.obligation_id for it in rivals)) if rivals]
    for rival in rivals:
        mine = rival.but(obligation_id=obligation.id, so=obligation.so, **_held(obligation))
        writes += [store.save_rival(obligation.id, rival), store.save_rival(rival.obligation_id, mine)]
    for start in range(0, len(writes), _AT_ONCE):
        commit(call.as_system(), writes[start : start + _AT_ONCE])
    commit(call.as_system(), [store.save_footing(footing)])
    return footing


def rivals_in(obligation_id: str, span: Span) -> list[Rival]:
    """The obligations that hold some of the same assets within a span."""
    return [rival for rival in store.list_rivals(obligation_id) if rival.starts < span[1] and rival.ends > span[0]]


def _rivals(obligation: Obligation, behind: list[str]) -> list[Rival]:
    found: dict[str, Rival] = {}
    for asset_id, commitments in assets.commitments_of(behind).items():
        for one in commitments:
            if one.obligation_id == obligation.id:
                continue
            known = found.get(one.obligation_id)
            named = (*(known.asset_ids if known else ()), asset_id)[:_ASSETS_NAMED]
            found[one.obligation_id] = Rival(
                obligation_id=one.obligation_id, so=one.so, asset_ids=named, starts=one.starts, ends=one.ends
            )
    return list(found.values())


def _held(obligation: Obligation) -> dict[str, object]:
    """The span an obligation may hold its assets for: its period, and the night after its last day."""
    zone = periods.zone_of(obligation.time_zone)
    start, end = periods.days_span(obligation.period_start, obligation.period_end + periods.ONE_DAY, zone)
    return {"starts": start, "ends": end}
