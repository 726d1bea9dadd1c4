"""Owns the competitions table: heads and versions, references, documents, and the rows by which areas find them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.competitions.models import Competition, Document
from chalicelib.competitions.rules import ends_at, next_check_at
from chalicelib.kernel.errors import Refusal, Refused, Stale
from chalicelib.kernel.models import Page, iso
from chalicelib.storage import objects
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    RowPage,
    batch_put,
    batch_remove,
    get,
    get_many,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, number, put, put_if, text, update_if

HEAD = "head"
MOST_INLINE_BYTES = 200_000
_YES = "1"
_BULK = ("windows", "boundaries", "zones", "description")
_STALE = Stale("competition.stale", "Somebody changed this competition meanwhile. Read it again and repeat the change.")


class _Meta(RowMeta):
    table_name = table_name("competitions")


class _HeadRow(Row):
    """`body` is the competition, without its bulk (kept in S3 under `bulk`) where that is over 200 kB.

    `outcome`, its instant and reason, and `announced_until` stand beside the body and hold over what it says.
    """

    class Meta(_Meta):
        pass

    so = UnicodeAttribute()
    ref = UnicodeAttribute()
    round = UnicodeAttribute(null=True)
    listed = UnicodeAttribute(null=True)
    closing_at = InstantAttribute(null=True)
    due = UnicodeAttribute(null=True)
    next_check_at = InstantAttribute(null=True)
    announced_until = InstantAttribute()
    outcome = UnicodeAttribute()
    outcome_at = InstantAttribute(null=True)
    withdrawal_reason = UnicodeAttribute(null=True)
    bulk = UnicodeAttribute(null=True)
    body = UnicodeAttribute()


class _VersionRow(Row):
    class Meta(_Meta):
        pass

    bulk = UnicodeAttribute(null=True)
    body = UnicodeAttribute()


class _ReferenceRow(Row):
    class Meta(_Meta):
        pass

    competition = UnicodeAttribute()


class _ZoneRow(Row):
    class Meta(_Meta):
        pass

    ends_at = InstantAttribute()


class _DocumentRow(Row):
    class Meta(_Meta):
        pass

    body = BodyAttribute(Document)


def find_competition(competition_id: str) -> Competition | None:
    row = get(_HeadRow, competition_id, HEAD)
    return _competition(row) if row else None


def load_competitions(competition_ids: Iterable[str]) -> dict[str, Competition]:
    """Competitions by id; those that are not there are left out."""
    rows = get_many(_HeadRow, [(competition_id, HEAD) for competition_id in competition_ids])
    return {row.pk: _competition(row) for row in rows}


def find_ids(so: str, references: Iterable[str]) -> dict[str, str]:
    """Competition ids by reference, of one operator; references that were never used are left out."""
    rows = get_many(_ReferenceRow, [(_references(so), reference) for reference in references])
    return {row.sk: row.competition for row in rows}


def find_version_at(competition_id: str, at: datetime) -> Competition | None:
    """The terms as they stood at an instant; None before the competition was made."""
    rows = query_all(_VersionRow, competition_id, "v#", newest_first=True)
    return next((found for found in map(_of_version, rows) if found.changed_at <= at), None)


def list_of_operator(so: str, limit: int, cursor: str | None) -> Page[Competition]:
    """One page of an operator's competitions in order of reference; a moment behind the table."""
    return _page(query_index(_HeadRow, "by_so", so, limit=limit, cursor=cursor))


def list_of_round(so: str, round_ref: str, limit: int, cursor: str | None) -> Page[Competition]:
    """One page of a round in order of reference; a moment behind the table."""
    return _page(query_index(_HeadRow, "by_round", _round(so, round_ref), limit=limit, cursor=cursor))


def list_published(limit: int, cursor: str | None, closing: tuple[str, str] | None) -> Page[Competition]:
    """One page of all published competitions in order of their end, `closing` between two ISO instants."""
    return _page(query_index(_HeadRow, "listed", _YES, between=closing, limit=limit, cursor=cursor))


def list_due(now: datetime) -> Iterator[Competition]:
    """The competitions that want waking at `now` or before, earliest first; a moment behind the table."""
    rows = query_index_all(_HeadRow, "due", _YES, between=("0", iso(now)))
    return (_competition(row) for row in rows)


def list_ids_by_zone(zone_id: str, ending_after: datetime | None) -> list[str]:
    """Ids of the competitions that were published for a zone, all or those that end after an instant."""
    rows = query_all(_ZoneRow, _zone(zone_id))
    return [row.sk for row in rows if ending_after is None or row.ends_at > ending_after]


def create_competition(competition: Competition) -> list[Write]:
    """A new competition and the claim on its reference, which nobody ever takes again."""
    detail = f"The reference {competition.reference} is taken; references are never used twice."
    taken = Refused("competition.reference_taken", detail)
    claim = _ReferenceRow(pk=_references(competition.so), sk=competition.reference, competition=competition.id)
    return [create(claim, taken), create(_head(competition)), put(_version(competition))]


def save_competition(before: Competition, after: Competition) -> list[Write]:
    """A competition's new state, at version + 1; `Stale` unless the state before is still the stored one."""
    condition = "#version = :version AND #announced_until = :announced AND #outcome = :outcome"
    values = {
        ":version": number(before.version),
        ":announced": text(iso(before.announced_until)),
        ":outcome": text(before.outcome),
    }
    return [put_if(_head(after), condition, values, _STALE), put(_version(after))]


def save_outcome(before: Competition, after: Competition, refusal: Refusal) -> Write:
    """The outcome alone, on condition that it is open; the version moves on with it."""
    listed_next = next_check_at(after)
    sets = "SET #outcome = :after, #outcome_at = :at, #version = #version + :one"
    values = {":after": text(after.outcome), ":at": text(iso(_instant(after)))}
    values |= {":open": text("open"), ":one": number(1)}
    if after.withdrawal_reason is not None:
        sets += ", #withdrawal_reason = :reason"
        values[":reason"] = text(after.withdrawal_reason)
    if listed_next is not None:
        sets += ", #next_check_at = :next, #due = :due"
        values |= {":next": text(iso(listed_next)), ":due": text(_YES)}
    else:
        sets += " REMOVE #next_check_at, #due"
    return update_if(_HeadRow, before.id, HEAD, sets, "#outcome = :open", values, refusal)


def save_announced(before: Competition, after: Competition) -> Write:
    """That milestones were announced: moves the waking on, and nothing a client could have read."""
    following = next_check_at(after)
    sets, values = "SET #announced_until = :after", {":after": text(iso(after.announced_until))}
    if following is not None:
        sets += ", #next_check_at = :next"
        values[":next"] = text(iso(following))
    else:
        sets += " REMOVE #next_check_at, #due"
    values |= {":before": text(iso(before.announced_until)), ":version": number(before.version)}
    condition = "#announced_until = :before AND #version = :version"
    return update_if(_HeadRow, before.id, HEAD, sets, condition, values, _STALE)


def check_unchanged(competition: Competition) -> Write:
    """Requires that a competition is open and at this version, for a later room's own commit."""
    values = {":open": text("open"), ":version": number(competition.version)}
    return check(_HeadRow, competition.id, HEAD, "#outcome = :open AND #version = :version", values, _STALE)


def keep_zones(competition: Competition) -> None:
    """Let the competition be found by its zones; a row that leads to one that was not published is harmless."""
    end = ends_at(competition)
    batch_put([_ZoneRow(pk=_zone(zone_id), sk=competition.id, ends_at=end) for zone_id in competition.zone_ids])


def drop_zones(competition_id: str, zone_ids: Iterable[str]) -> None:
    """Let the competition no longer be found by these zones."""
    batch_remove(_ZoneRow, [(_zone(zone_id), competition_id) for zone_id in zone_ids])


def add_document(competition_id: str, document: Document) -> Write:
    return create(_DocumentRow(pk=competition_id, sk=f"doc#{document.id}", body=document))


def list_documents(competition_id: str) -> list[Document]:
    return [row.body for row in query_all(_DocumentRow, competition_id, "doc#")]


def _head(competition: Competition) -> _HeadRow:
    published = competition.is_published
    following = next_check_at(competition)
    body, bulk = _packed(competition)
    return _HeadRow(
        pk=competition.id,
        sk=HEAD,
        version=competition.version,
        so=competition.so,
        ref=competition.reference,
        round=_round(competition.so, competition.round_ref) if competition.round_ref else None,
        listed=_YES if published else None,
        closing_at=ends_at(competition) if published else None,
        due=_YES if following else None,
        next_check_at=following,
        announced_until=competition.announced_until,
        outcome=competition.outcome,
        outcome_at=competition.outcome_at,
        withdrawal_reason=competition.withdrawal_reason,
        body=body,
        bulk=bulk,
    )


def _version(competition: Competition) -> _VersionRow:
    body, bulk = _packed(competition)
    return _VersionRow(
        pk=competition.id, sk=f"v#{competition.version:06}", version=competition.version, body=body, bulk=bulk
    )


def _packed(competition: Competition) -> tuple[str, str | None]:
    """The JSON to keep in the item, and the key of the bulk in S3 when all of it would be too much for an item."""
    body = competition.model_dump_json(exclude_none=True)
    if len(body.encode()) <= MOST_INLINE_BYTES:
        return body, None
    whole = json.loads(body)
    key = objects.put_json({name: whole.pop(name) for name in _BULK if name in whole}, "competitions")
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False), key


def _unpacked(body: str, bulk: str | None) -> Competition:
    if bulk is None:
        return Competition.model_validate_json(body)
    return Competition.model_validate_json(json.dumps({**json.loads(body), **objects.get_json(bulk)}))


def _competition(row: _HeadRow) -> Competition:
    beside = {
        "version": int(row.version),
        "outcome": row.outcome,
        "outcome_at": row.outcome_at,
        "withdrawal_reason": row.withdrawal_reason,
        "announced_until": row.announced_until,
    }
    return _unpacked(row.body, row.bulk).model_copy(update=beside)


def _of_version(row: _VersionRow) -> Competition:
    return _unpacked(row.body, row.bulk)


def _page(rows: RowPage[_HeadRow]) -> Page[Competition]:
    return Page(items=[_competition(row) for row in rows.items], next=rows.next)


def _instant(competition: Competition) -> datetime:
    assert competition.outcome_at is not None, "an outcome has its instant"
    return competition.outcome_at


def _references(so: str) -> str:
    return f"ref#{so}"


def _round(so: str, round_ref: str) -> str:
    return f"{so}#{round_ref}"


def _zone(zone_id: str) -> str:
    return f"zone#{zone_id}"
