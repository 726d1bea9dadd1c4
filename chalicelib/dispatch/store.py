"""Owns the rows of dispatch: offers, guards, instructions, days, conflicts, rules and auto-accept rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.dispatch.models import (
    AutoAccept,
    Conflict,
    Day,
    Footing,
    Instruction,
    OfferedPeriod,
    Rival,
)
from chalicelib.dispatch.terms import DispatchRules
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import Page, iso
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    get,
    get_many,
    query,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, number, put, remove, replace

_DUE = "instruction"
_TOLD = frozenset({"sent", "acknowledged", "delivering", "delivered", "stopped", "failed"})
MOVED = "dispatch.moved"
_MOVED = Stale(MOVED, "Something else moved this obligation at the same moment. Read it and try again.")


class _GuardRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")


class _OfferRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(OfferedPeriod)


class _InstructionRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    fsp = UnicodeAttribute()
    so = UnicodeAttribute()
    sort = UnicodeAttribute()
    told = UnicodeAttribute(null=True)
    due = UnicodeAttribute(null=True)
    next_check_at = InstantAttribute(null=True)
    body = BodyAttribute(Instruction)


class _DayRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Day)


class _RivalRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Rival)


class _FootingRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Footing)


class _ConflictRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Conflict)


class _RulesRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(DispatchRules)


class _AutoAcceptRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(AutoAccept)


class _BatchRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = UnicodeAttribute()


def guard_seen(obligation_id: str) -> int:
    """The version of an obligation's availability; 0 where nothing was ever declared or offered."""
    row = get(_GuardRow, obligation_id, "availability")
    return int(row.version) if row else 0


def guards_seen(obligation_ids: Iterable[str]) -> dict[str, int]:
    """The versions of several obligations' availability; those without any are left out."""
    rows = get_many(_GuardRow, [(obligation_id, "availability") for obligation_id in obligation_ids])
    return {row.pk: int(row.version) for row in rows}


def move_guard(obligation_id: str, seen: int) -> Write:
    """Say that an obligation's availability changed, on condition that it is as it was seen."""
    row = _GuardRow(pk=obligation_id, sk="availability", version=seen + 1)
    return create(row, _MOVED) if seen == 0 else replace(row, _MOVED)


def check_guard(obligation_id: str, seen: int) -> Write:
    """Require that an obligation's availability is as it was seen."""
    return _unchanged(_GuardRow, obligation_id, "availability", seen)


def list_offers(obligation_id: str, start: datetime, end: datetime) -> dict[datetime, OfferedPeriod]:
    """Offers of periods that start in `[start, end)`, by start."""
    found = (row.body for row in query_all(_OfferRow, obligation_id, "offer#"))
    return {offer.start: offer for offer in found if start <= offer.start < end}


def save_offer(offer: OfferedPeriod) -> Write:
    row = _OfferRow(pk=offer.obligation_id, sk=f"offer#{iso(offer.start)}", version=offer.version, body=offer)
    return create(row, _MOVED) if offer.version == 1 else replace(row)


def find_instruction(instruction_id: str) -> Instruction | None:
    row = get(_InstructionRow, instruction_id, "head")
    return row.body if row else None


def load_instructions(instruction_ids: Iterable[str]) -> dict[str, Instruction]:
    """Instructions by id; unknown ids are left out."""
    rows = get_many(_InstructionRow, [(instruction_id, "head") for instruction_id in instruction_ids])
    return {row.pk: row.body for row in rows}


def save_instruction(instruction: Instruction, next_check_at: datetime | None) -> Write:
    """Write an instruction, new at version 1; it is due at `next_check_at`, or never again."""
    row = _InstructionRow(
        pk=instruction.id,
        sk="head",
        version=instruction.version,
        fsp=instruction.fsp,
        so=instruction.so,
        sort=f"{iso(instruction.start)}#{instruction.id}",
        told=instruction.fsp if instruction.state in _TOLD else None,
        due=_DUE if next_check_at else None,
        next_check_at=next_check_at,
        body=instruction,
    )
    return create(row, _MOVED) if instruction.version == 1 else replace(row)


def list_instructions(
    side: str, organisation: str, start: datetime, end: datetime, limit: int | None = None, cursor: str | None = None
) -> Page[Instruction]:
    """Instructions of one side ("fsp" or "so") that start in `[start, end)`, by start."""
    between = (iso(start), iso(end))
    page = query_index(_InstructionRow, f"by_{side}", organisation, between=between, limit=limit, cursor=cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def list_all_instructions(side: str, organisation: str, start: datetime, end: datetime) -> Iterator[Instruction]:
    """Every instruction of one side that starts in `[start, end)`, by start."""
    rows = query_index_all(_InstructionRow, f"by_{side}", organisation, between=(iso(start), iso(end)))
    return (row.body for row in rows)


def list_told(fsp: str, start: datetime, end: datetime) -> Iterator[Instruction]:
    """Instructions that were sent to a provider and still bind or ran, that start in `[start, end)`, by start."""
    rows = query_index_all(_InstructionRow, "told_by_fsp", fsp, between=(iso(start), iso(end)))
    return (row.body for row in rows)


def list_due(now: datetime) -> Iterator[Instruction]:
    """Instructions that something should have happened to by `now`, longest due first."""
    rows = query_index_all(_InstructionRow, "due", _DUE, between=("0", iso(now)))
    return (row.body for row in rows)


def load_days(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Day]:
    """Timelines by (obligation, local date); those never written come at version 0."""
    wanted = list(dict.fromkeys(keys))
    rows = get_many(_DayRow, [(obligation_id, f"day#{day}") for obligation_id, day in wanted])
    found = {(row.pk, row.body.date): row.body for row in rows}
    return {key: found.get(key) or Day(obligation_id=key[0], date=key[1]) for key in wanted}


def list_days(obligation_id: str) -> Iterator[Day]:
    """Every day of an obligation with an instruction, in order."""
    return (row.body for row in query_all(_DayRow, obligation_id, "day#"))


def save_day(day: Day) -> Write:
    """Write a timeline's next version; the one before must be stored."""
    after = day.but(version=day.version + 1)
    row = _DayRow(pk=day.obligation_id, sk=f"day#{day.date}", version=after.version, body=after)
    return create(row, _MOVED) if after.version == 1 else replace(row, _MOVED)


def check_day(day: Day) -> Write:
    """Require that a timeline is as it was read."""
    return _unchanged(_DayRow, day.obligation_id, f"day#{day.date}", day.version)


def list_rivals(obligation_id: str) -> list[Rival]:
    return [row.body for row in query_all(_RivalRow, obligation_id, "shares#")]


def shared_among(obligation_ids: Iterable[str]) -> set[str]:
    """Of these obligations those that share an asset with another."""
    return {row.pk for row in get_many(_GuardRow, [(obligation_id, "shared") for obligation_id in obligation_ids])}


def mark_shared(obligation_id: str) -> Write:
    return put(_GuardRow(pk=obligation_id, sk="shared"))


def save_rival(obligation_id: str, rival: Rival) -> Write:
    return put(_RivalRow(pk=obligation_id, sk=f"shares#{rival.obligation_id}", body=rival))


def find_footing(obligation_id: str) -> Footing | None:
    row = get(_FootingRow, obligation_id, "footing")
    return row.body if row else None


def load_footings(obligation_ids: Iterable[str]) -> dict[str, Footing]:
    """Footings by obligation; those not laid yet are left out."""
    rows = get_many(_FootingRow, [(obligation_id, "footing") for obligation_id in obligation_ids])
    return {row.pk: row.body for row in rows}


def save_footing(footing: Footing) -> Write:
    return put(_FootingRow(pk=footing.obligation_id, sk="footing", body=footing))


def save_conflict(conflict: Conflict, day: date, assets_recorded: int) -> list[Write]:
    """A conflict for each of its operators, and on the day of each asset it touches, up to so many."""
    sk = f"{iso(conflict.start)}#{conflict.id}"
    sides = [put(_ConflictRow(pk=f"conflicts#{so}", sk=sk, body=conflict)) for so in sorted(set(conflict.sos))]
    return sides + [
        put(_ConflictRow(pk=f"assetday#{asset_id}#{day}", sk=sk, body=conflict))
        for asset_id in conflict.asset_ids[:assets_recorded]
    ]


def list_conflicts(so: str, limit: int, cursor: str | None) -> Page[Conflict]:
    page = query(_ConflictRow, f"conflicts#{so}", limit=limit, cursor=cursor, newest_first=True)
    return Page(items=[row.body for row in page.items], next=page.next)


def list_conflicts_of_asset(asset_id: str, day: date) -> list[Conflict]:
    return [row.body for row in query_all(_ConflictRow, f"assetday#{asset_id}#{day}")]


def list_rules(so: str, ref: str | None = None) -> list[DispatchRules]:
    """An operator's rules, by name and version."""
    prefix = f"rules#{ref}#" if ref else "rules#"
    return [row.body for row in query_all(_RulesRow, f"rules#{so}", prefix)]


def new_rules(rules: DispatchRules) -> Write:
    return create(_RulesRow(pk=f"rules#{rules.so}", sk=f"rules#{rules.ref}#{rules.version:06d}", body=rules), _MOVED)


def list_auto_accepts(fsp: str) -> list[AutoAccept]:
    return [row.body for row in query_all(_AutoAcceptRow, f"auto#{fsp}")]


def find_auto_accept(fsp: str, rule_id: str) -> AutoAccept | None:
    row = get(_AutoAcceptRow, f"auto#{fsp}", rule_id)
    return row.body if row else None


def new_auto_accept(rule: AutoAccept) -> Write:
    return create(_AutoAcceptRow(pk=f"auto#{rule.fsp}", sk=rule.id, body=rule))


def removed_auto_accept(rule: AutoAccept) -> Write:
    return remove(_AutoAcceptRow, f"auto#{rule.fsp}", rule.id)


def new_batch(batch_id: str, outcomes: str) -> Write:
    """What came of a request for many, as JSON: for whoever sends it twice."""
    return create(_BatchRow(pk=batch_id, sk="batch", body=outcomes))


def find_batch(batch_id: str) -> str | None:
    row = get(_BatchRow, batch_id, "batch")
    return str(row.body) if row else None


def _unchanged(row_class: type[Row], pk: str, sk: str, seen: int) -> Write:
    if seen == 0:
        return check(row_class, pk, sk, "attribute_not_exists(pk)", {}, _MOVED)
    return check(row_class, pk, sk, "#version = :seen", {":seen": number(seen)}, _MOVED)
