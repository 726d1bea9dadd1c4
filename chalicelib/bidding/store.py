"""Owns bidding's rows: the sheet of an FSP in a competition, ballots with their versions, and who bids where.

| pk | sk | holds |
|---|---|---|
| competition # FSP | sheet | what live ballots hold, sealed; the guard of every ballot |
| competition # FSP | ballot#id | where the ballot stands |
| competition # FSP | ballot#id#v#n | one version with its bids packed, sealed; never changed |
| ballot | place | the competition and FSP it belongs to |
| competition | bidder#FSP | that the FSP has a sheet here: whom to read after close |
| competition | opened | when the ballots were first opened: nothing is added after it |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.models import BallotHead, BallotVersion
from chalicelib.bidding.seal import Sealed, seal
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused, Stale
from chalicelib.kernel.models import iso
from chalicelib.storage import objects
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    RowPage,
    get,
    get_many,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, put_if, replace

MOST_INLINE = 200_000
OPENED_BEFORE = "bidding.opened_before"
SHEET_MOVED = "bidding.sheet"
_PREFIX = "ballots"
_SHEET = "sheet"


class _Row(Row):
    class Meta(RowMeta):
        table_name = table_name("bidding")


class _SealedRow(_Row):
    """Sealed bytes in the row, or beside it in S3 where they are too many."""

    class Meta(RowMeta):
        table_name = table_name("bidding")

    org = UnicodeAttribute()
    at = UnicodeAttribute()
    competition = UnicodeAttribute()
    fsp = UnicodeAttribute()
    content = BinaryAttribute(null=True, legacy_encoding=False)
    content_key = UnicodeAttribute(null=True)


class _SheetRow(_SealedRow):
    class Meta(RowMeta):
        table_name = table_name("bidding")

    starts = UnicodeAttribute()


class VersionRow(_SealedRow):
    class Meta(RowMeta):
        table_name = table_name("bidding")

    ballot = UnicodeAttribute()


class _HeadRow(_Row):
    class Meta(RowMeta):
        table_name = table_name("bidding")

    body = BodyAttribute(BallotHead)


class _PlaceRow(_Row):
    class Meta(RowMeta):
        table_name = table_name("bidding")

    competition = UnicodeAttribute()
    fsp = UnicodeAttribute()


class _OpenedRow(_Row):
    class Meta(RowMeta):
        table_name = table_name("bidding")

    at = InstantAttribute()


def load_sheet(competition_id: str, fsp: str) -> Sealed | None:
    """The sealed sheet of an FSP in a competition, or None where it never bid."""
    row = get(_SheetRow, _home(competition_id, fsp), _SHEET)
    return _sealed(row) if row else None


def load_sheets(competition_id: str, fsps: Iterable[str]) -> list[Sealed]:
    """The sealed sheets of FSPs in a competition, in order of FSP."""
    rows = get_many(_SheetRow, [(_home(competition_id, fsp), _SHEET) for fsp in fsps])
    return [_sealed(row) for row in sorted(rows, key=lambda row: row.fsp)]


def find_sheets_between(fsp: str, starts: datetime, ends: datetime) -> Iterator[Sealed]:
    """The sealed sheets of an FSP in competitions whose service may touch `[starts, ends)`."""
    rows = query_index_all(_SheetRow, "by_organisation", _sheets_of(fsp), between=(iso(starts), "9"))
    return (_sealed(row) for row in rows if row.starts < iso(ends))


def load_place(ballot_id: str) -> tuple[str, str] | None:
    """The competition and FSP of a ballot, or None when there is no such ballot."""
    row = get(_PlaceRow, ballot_id, "place")
    return (row.competition, row.fsp) if row else None


def load_head(competition_id: str, fsp: str, ballot_id: str) -> BallotHead | None:
    """Where a ballot stands."""
    row = get(_HeadRow, _home(competition_id, fsp), f"ballot#{ballot_id}")
    return row.body if row else None


def load_heads(keys: Iterable[tuple[str, str, str]]) -> dict[str, BallotHead]:
    """Where ballots stand, by ballot id; keys are (competition, FSP, ballot)."""
    places = [(_home(competition, fsp), f"ballot#{ballot_id}") for competition, fsp, ballot_id in keys]
    return {row.body.ballot_id: row.body for row in get_many(_HeadRow, places)}


def load_versions(keys: Iterable[tuple[str, str, str, int]]) -> list[Sealed]:
    """Sealed versions, in order of FSP and ballot; keys are (competition, FSP, ballot, version)."""
    places = [
        (_home(competition, fsp), _version_key(ballot_id, number)) for competition, fsp, ballot_id, number in keys
    ]
    rows = get_many(VersionRow, places)
    return [_sealed(row) for row in sorted(rows, key=lambda row: (row.pk, row.sk))]


def find_history(fsp: str, limit: int, cursor: str | None) -> RowPage[VersionRow]:
    """An FSP's ballot versions in any competition, newest first; `unpacked` opens a row's bytes."""
    return query_index(VersionRow, "by_organisation", fsp, limit=limit, cursor=cursor, newest_first=True)


def cursor_after(row: VersionRow) -> dict[str, dict[str, str]]:
    """The place just after a row of the history, as an index's cursor holds it."""
    names = ("pk", "sk", "org", "at")
    return {name: {"S": getattr(row, name)} for name in names}


def unpacked(row: VersionRow) -> Sealed:
    return _sealed(row)


def bidders(competition_id: str) -> list[str]:
    """The FSPs that have or had a ballot in a competition, strongly consistent, in order."""
    return [row.sk.removeprefix("bidder#") for row in query_all(_Row, competition_id, "bidder#")]


def opened_at(competition_id: str) -> datetime | None:
    """When the ballots of a competition were first opened, or None."""
    row = get(_OpenedRow, competition_id, "opened")
    return row.at if row else None


def sheet_writes(call: Call, competition: Competition, sheet: Sheet, service: tuple[datetime, datetime]) -> list[Write]:
    """The sheet in its new version, guarded by the one before; the first also names the FSP as a bidder.

    `service` is the span from the competition's first service period to the end of its last.
    """
    row = _SheetRow(
        pk=_home(sheet.competition_id, sheet.fsp),
        sk=_SHEET,
        version=sheet.version,
        org=_sheets_of(sheet.fsp),
        at=iso(service[1]),
        starts=iso(service[0]),
        **_content(seal(call, competition, sheet.fsp, sheet.model_dump(mode="json"))),
    )
    stale = Stale(SHEET_MOVED, "Another ballot of yours was taken at the same time.")
    if sheet.version > 1:
        return [replace(row, stale)]
    return [create(row, stale), create(_Row(pk=sheet.competition_id, sk=f"bidder#{sheet.fsp}"), stale)]


def sealed_version(call: Call, competition: Competition, ballot: BallotVersion) -> Sealed:
    """One version of a ballot as it is kept; the same bytes each time."""
    return seal(call, competition, ballot.fsp, ballot.model_dump(mode="json", exclude_none=True))


def version_write(call: Call, competition: Competition, ballot: BallotVersion) -> Write:
    """One version of a ballot, sealed; it must not exist yet."""
    row = VersionRow(
        pk=_home(ballot.competition_id, ballot.fsp),
        sk=_version_key(ballot.ballot_id, ballot.version),
        version=1,
        org=ballot.fsp,
        at=iso(ballot.submitted_at),
        ballot=ballot.ballot_id,
        **_content(sealed_version(call, competition, ballot)),
    )
    return create(row)


def head_writes(head: BallotHead, is_new: bool) -> list[Write]:
    """Where the ballot stands now; a new ballot also gets its place."""
    home = _home(head.competition_id, head.fsp)
    row = _HeadRow(pk=home, sk=f"ballot#{head.ballot_id}", version=head.version, body=head)
    if not is_new:
        return [put_if(row, "attribute_exists(pk)", {}, Stale("ballot.gone", "There is no such ballot."))]
    place = _PlaceRow(pk=head.ballot_id, sk="place", competition=head.competition_id, fsp=head.fsp)
    return [create(row), create(place)]


def unopened_check(competition_id: str) -> Write:
    """Nothing is added once the operator has opened the ballots."""
    refusal = Refused("bidding.opened", "The ballots of this competition have been opened; nothing can be added.")
    return check(_OpenedRow, competition_id, "opened", "attribute_not_exists(pk)", {}, refusal)


def opened_write(competition_id: str, at: datetime) -> Write:
    """Mark the ballots of a competition as opened."""
    already = Refused(OPENED_BEFORE, "The ballots were opened before.")
    return create(_OpenedRow(pk=competition_id, sk="opened", at=at), already)


def _content(sealed: Sealed) -> dict[str, Any]:
    owner: dict[str, Any] = {"competition": sealed.competition_id, "fsp": sealed.fsp}
    if len(sealed.content) <= MOST_INLINE:
        return owner | {"content": sealed.content}
    return owner | {"content_key": objects.put_body(sealed.content, _PREFIX)}


def _sealed(row: _SealedRow) -> Sealed:
    content = row.content if row.content is not None else objects.get_body(row.content_key)
    return Sealed(row.competition, row.fsp, content)


def _home(competition_id: str, fsp: str) -> str:
    return f"{competition_id}#{fsp}"


def _sheets_of(fsp: str) -> str:
    return f"sheets#{fsp}"


def _version_key(ballot_id: str, version: int) -> str:
    return f"ballot#{ballot_id}#v#{version:06d}"
