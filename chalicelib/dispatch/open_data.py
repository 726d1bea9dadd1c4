"""Owns what the public sees of dispatch: no ids of people, meters or obligations; a provider only by policy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.terms import DispatchTerms
from chalicelib.kernel import periods
from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import Megawatts, Number, SignedPrice

SHOWN = frozenset({"delivered", "stopped", "failed"})
_SECONDS = Decimal(3600)


class PublicDispatch(Value):
    """One instruction that ran, once the operator's delay has passed. `mwh` is what was instructed, over its time."""

    so: str
    so_name: str
    competition_reference: str
    product_type: str
    need_direction: str
    provider: str | None
    state: str
    mw: Megawatts
    mwh: Number
    start_utc: Instant
    end_utc: Instant
    start_local: str
    end_local: str
    time_zone: str
    utilisation_price: SignedPrice | None
    currency: str


def is_public(instruction: Instruction, terms: DispatchTerms, now: datetime) -> bool:
    """Whether an instruction is open data by now: it ran, was no test, and the delay after its end is over."""
    ran = instruction.state in SHOWN and not instruction.test
    return ran and now >= instruction.effective_end + terms.publication_delay


def public_dispatch(each: Instruction, names: Mapping[str, str], product: tuple[str, str]) -> PublicDispatch:
    """An instruction as open data: `names` by organisation (a provider left out is not named), `product` and need."""
    zone = periods.zone_of(each.time_zone)
    end = each.effective_end
    hours = Decimal(int((end - each.start).total_seconds())) / _SECONDS
    return PublicDispatch(
        so=each.so,
        so_name=names[each.so],
        competition_reference=each.competition_reference,
        product_type=product[0],
        need_direction=product[1],
        provider=names.get(each.fsp),
        state=each.state,
        mw=each.mw,
        mwh=(each.mw * hours).quantize(Decimal("0.000001")),
        start_utc=each.start,
        end_utc=end,
        start_local=f"{periods.local_of(each.start, zone):%Y-%m-%dT%H:%M}",
        end_local=f"{periods.local_of(end, zone):%Y-%m-%dT%H:%M}",
        time_zone=each.time_zone,
        utilisation_price=each.utilisation_price,
        currency=each.currency,
    )
