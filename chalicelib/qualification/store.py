"""Owns the rows of qualification: answers, overrides, entries, counts of changes, and sheets computed from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import Value
from chalicelib.kernel.quantities import plain
from chalicelib.qualification.models import Answer, Entry, Override, Sheet
from chalicelib.storage import objects
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    RowPage,
    batch_put,
    batch_remove,
    get,
    get_many,
    query,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, create, number, replace, update

BUCKETS = "0123456789abcdef"
MOST_INLINE = 1_000
"""Assets of a sheet kept in its item; a longer list is a body in S3."""

_STALE = Stale("stale", "Somebody changed this meanwhile. Read it again and repeat the change.")

Pair = tuple[str, str, str]
"""Competition, FSP and asset: what an answer is kept under."""


class _AnswerRow(Row):
    class Meta(RowMeta):
        table_name = table_name("qualification")

    asset = UnicodeAttribute()
    body = BodyAttribute(Answer)


class _OverrideRow(Row):
    class Meta(RowMeta):
        table_name = table_name("qualification")

    body = BodyAttribute(Override)


class _EntryRow(Row):
    class Meta(RowMeta):
        table_name = table_name("qualification")

    body = BodyAttribute(Entry)


class _CountRow(Row):
    """Its version counts the changes to an FSP's answers, overrides and entry in a competition."""

    class Meta(RowMeta):
        table_name = table_name("qualification")

    org = UnicodeAttribute(null=True)


class _KeptSheet(Value):
    """A sheet as kept: with few assets whole, else `digest` names the body that holds them."""

    sheet: Sheet
    digest: str | None = None


class _SheetRow(Row):
    class Meta(RowMeta):
        table_name = table_name("qualification")

    body = BodyAttribute(_KeptSheet)


# Answers


def load_answers(pairs: Iterable[Pair]) -> dict[Pair, Answer]:
    """The kept answers of pairs, strongly consistent."""
    rows = get_many(_AnswerRow, [_answer_key(pair) for pair in pairs])
    return {pair_of(row.body): row.body for row in rows}


def answers_of(competition_id: str, fsp: str) -> Iterator[Answer]:
    """Every kept answer of an FSP in a competition."""
    for bucket in BUCKETS:
        for row in query_all(_AnswerRow, f"{competition_id}#{fsp}#{bucket}"):
            yield row.body


def page_of_bucket(competition_id: str, fsp: str, bucket: str, limit: int, cursor: str | None) -> RowPage[_AnswerRow]:
    """One page of an FSP's answers in a competition, of those in one of `BUCKETS`."""
    return query(_AnswerRow, f"{competition_id}#{fsp}#{bucket}", limit=limit, cursor=cursor)


def find_pairs_of_asset(asset_id: str) -> list[Pair]:
    """The competitions that keep an answer for an asset, a moment behind."""
    rows = query_index_all(_AnswerRow, "by_asset", asset_id)
    return [(row.pk.split("#")[0], row.pk.split("#")[1], asset_id) for row in rows]


def page_of_asset(asset_id: str, limit: int, cursor: str | None) -> RowPage[_AnswerRow]:
    """One page of an asset's answers, a moment behind."""
    return query_index(_AnswerRow, "by_asset", asset_id, limit=limit, cursor=cursor)


def keep_answers(answers: Sequence[Answer]) -> None:
    batch_put([_answer_row(answer) for answer in answers])


def drop_answers(pairs: Sequence[Pair]) -> None:
    batch_remove(_AnswerRow, [_answer_key(pair) for pair in pairs])


def pair_of(answer: Answer) -> Pair:
    return answer.competition_id, answer.fsp, answer.asset_id


# Overrides


def load_overrides(competition_id: str, asset_ids: Iterable[str]) -> dict[str, Override]:
    """The overrides of assets in a competition, lifted ones too."""
    rows = get_many(_OverrideRow, [(competition_id, _override_key(asset_id)) for asset_id in asset_ids])
    return {row.body.asset_id: row.body for row in rows}


def overrides_of(competition_id: str) -> Iterator[Override]:
    """Every override of a competition, lifted ones too, in order of asset."""
    return (row.body for row in query_all(_OverrideRow, competition_id, "override#"))


def page_of_overrides(competition_id: str, limit: int, cursor: str | None) -> RowPage[_OverrideRow]:
    return query(_OverrideRow, competition_id, "override#", limit=limit, cursor=cursor)


def override_written(override: Override) -> Write:
    """The write of a new override (version 1), or of its next version."""
    row = _OverrideRow(
        pk=override.competition_id, sk=_override_key(override.asset_id), version=override.version, body=override
    )
    return create(row, _STALE) if override.version == 1 else replace(row, _STALE)


# Entries


def find_entry(competition_id: str, fsp: str) -> Entry | None:
    row = get(_EntryRow, competition_id, f"entry#{fsp}")
    return row.body if row else None


def entries_of(competition_id: str) -> Iterator[Entry]:
    return (row.body for row in query_all(_EntryRow, competition_id, "entry#"))


def entry_written(entry: Entry) -> Write:
    """The write of a first choice (version 1), or of its next version."""
    row = _EntryRow(pk=entry.competition_id, sk=f"entry#{entry.fsp}", version=entry.version, body=entry)
    return create(row, _STALE) if entry.version == 1 else replace(row, _STALE)


# Sheets


def count_of(competition_id: str, fsp: str) -> int:
    """How often an FSP's part in a competition has changed; 0 where it has none."""
    row = get(_CountRow, competition_id, f"count#{fsp}")
    return int(row.version) if row else 0


def counts_of(competition_id: str) -> dict[str, int]:
    """The same for every FSP with a part in a competition."""
    rows = query_all(_CountRow, competition_id, "count#")
    return {row.sk.removeprefix("count#"): int(row.version) for row in rows}


def counted(competition_id: str, fsp: str) -> Write:
    """One more change to an FSP's part in a competition: after it no sheet computed before is taken."""
    values = {":one": number(1), ":org": {"S": fsp}}
    return update(_CountRow, competition_id, f"count#{fsp}", "ADD #version :one SET #org = :org", values)


def find_competitions_of(fsp: str) -> list[str]:
    """The competitions an FSP has a part in, a moment behind."""
    return [row.pk for row in query_index_all(_CountRow, "by_organisation", fsp, prefix="count#")]


def find_sheet(competition_id: str, fsp: str) -> Sheet | None:
    row = get(_SheetRow, competition_id, _sheet_key(fsp))
    return _unpacked(row.body) if row else None


def sheets_of(competition_id: str) -> dict[str, Sheet]:
    """Every kept sheet of a competition by FSP, without the assets of those too long for their item."""
    return {row.body.sheet.fsp: row.body.sheet for row in query_all(_SheetRow, competition_id, "sum#")}


def keep_sheets(sheets: Sequence[Sheet]) -> None:
    batch_put([_sheet_row(sheet) for sheet in sheets])


def _sheet_row(sheet: Sheet) -> _SheetRow:
    row = _SheetRow(pk=sheet.competition_id, sk=_sheet_key(sheet.fsp))
    row.body = _packed(sheet)
    return row


def _packed(sheet: Sheet) -> _KeptSheet:
    if len(sheet.capacities) <= MOST_INLINE:
        return _KeptSheet(sheet=sheet)
    body = {asset_id: plain(capacity) for asset_id, capacity in sheet.capacities.items()}
    return _KeptSheet(sheet=sheet.but(capacities={}), digest=objects.put_json(body, "qualified"))


def _unpacked(kept: _KeptSheet) -> Sheet:
    if kept.digest is None:
        return kept.sheet
    body = objects.get_json(kept.digest)
    return kept.sheet.model_copy(update={"capacities": {asset: Decimal(capacity) for asset, capacity in body.items()}})


def _sheet_key(fsp: str) -> str:
    return f"sum#{fsp}"


def _override_key(asset_id: str) -> str:
    return f"override#{asset_id}"


def _answer_key(pair: Pair) -> tuple[str, str]:
    competition_id, fsp, asset_id = pair
    return f"{competition_id}#{fsp}#{bucket_of(asset_id)}", asset_id


def bucket_of(asset_id: str) -> str:
    """Sixteen ways, so that one FSP's bulk import never meets one partition's limit."""
    return BUCKETS[hashlib.sha256(asset_id.encode()).digest()[0] % len(BUCKETS)]


def _answer_row(answer: Answer) -> _AnswerRow:
    pk, sk = _answer_key(pair_of(answer))
    return _AnswerRow(pk=pk, sk=sk, asset=answer.asset_id, body=answer)
