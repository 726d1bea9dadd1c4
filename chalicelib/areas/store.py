"""Owns the areas table: heads and versions of areas, zones, and the rows by cell and by list that find them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.areas.matching import ZoneCell
from chalicelib.areas.models import Area, AreaHead, AreaVersion, Boundary, ImportDone, ImportLock, Zone
from chalicelib.kernel import cells
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.postcodes import normalise_postcode, sector_of
from chalicelib.storage import objects
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    RowPage,
    batch_put,
    get,
    get_many,
    query,
    query_all,
    query_index,
    table_name,
)
from chalicelib.storage.writes import Write, create, put, replace

HEAD = "head"


class _HeadRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")

    so = UnicodeAttribute()
    ref = UnicodeAttribute()
    body = BodyAttribute(AreaHead)


class _VersionRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")

    body = BodyAttribute(AreaVersion)


class _ZoneRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")

    body = BodyAttribute(Zone)


class _CellRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")

    clip = BinaryAttribute(legacy_encoding=False, null=True)


class _ListRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")


class _LockRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")

    body = BodyAttribute(ImportLock)


class _DoneRow(Row):
    class Meta(RowMeta):
        table_name = table_name("areas")

    body = BodyAttribute(ImportDone)


def load_heads(area_ids: Iterable[str]) -> dict[str, tuple[AreaHead, int]]:
    """Heads of areas by id, each with its row's version; those that are not there are left out."""
    rows = get_many(_HeadRow, [(area_id, HEAD) for area_id in area_ids])
    return {row.pk: (row.body, int(row.version)) for row in rows}


def list_heads(so: str, limit: int, cursor: str | None) -> RowPage[_HeadRow]:
    """A page of an operator's heads in order of reference (a moment behind)."""
    return query_index(_HeadRow, "by_so", so, limit=limit, cursor=cursor)


def stage_heads(heads: Sequence[tuple[AreaHead, int]]) -> list[Write]:
    """Writes of heads given with the row version now stored (0 when there is none)."""
    return [_head_write(head, stored) for head, stored in heads]


def _head_write(head: AreaHead, stored: int) -> Write:
    known = head.area or (head.staged.area if head.staged else None)
    assert known is not None, "a head without an area"
    row = _HeadRow(pk=known.id, sk=HEAD, version=stored + 1, so=known.so, ref=known.ref, body=head)
    return replace(row) if stored else create(row, _moved())


def save_version(version: AreaVersion) -> Write:
    """A version of an area; one that an import staged and never finished is written over by the next."""
    row = _VersionRow(pk=version.area_id, sk=_version_key(version.version), version=1, body=version)
    return put(row)


def list_versions(area_id: str, limit: int, cursor: str | None, newest: int) -> RowPage[_VersionRow]:
    """A page of an area's versions up to `newest`, oldest first."""
    page = query(_VersionRow, area_id, "v#", limit=limit, cursor=cursor)
    return RowPage([row for row in page.items if row.body.version <= newest], page.next)


def load_zone(zone_id: str) -> Zone | None:
    row = get(_ZoneRow, zone_id, "zone")
    return row.body if row else None


def load_zones(zone_ids: Iterable[str]) -> dict[str, Zone]:
    """Zones by id; those that are not there are left out."""
    return {row.pk: row.body for row in get_many(_ZoneRow, [(zone_id, "zone") for zone_id in zone_ids])}


def save_zone(zone: Zone) -> Write:
    return put(_zone_row(zone))


def keep_zone(zone: Zone) -> None:
    """Keep a zone by itself: its id is the hash of what it holds, so there is nothing that a condition could guard."""
    batch_put([_zone_row(zone)])


def _zone_row(zone: Zone) -> _ZoneRow:
    return _ZoneRow(pk=zone.id, sk="zone", version=1, body=zone)


def keep_places(zone_id: str, covering: Sequence[ZoneCell], lists: Boundary) -> None:
    """Keep the rows by which places and lists find a zone; the same rows however often."""
    batch_put([*_cell_rows(zone_id, covering), *_list_rows(zone_id, lists)])


def _cell_rows(zone_id: str, covering: Sequence[ZoneCell]) -> Iterator[_CellRow]:
    for number, cell in enumerate(covering):
        ending = f"{cell.shape}{number:x}" if cell.shape == "b" else cell.shape
        key = cells.cell_key(cell.code, cell.level)
        yield _CellRow(pk=key, sk=f"{zone_id}#{ending}", version=1, clip=cell.clip)


def _list_rows(zone_id: str, lists: Boundary) -> Iterator[_ListRow]:
    values = {"postcode": lists.postcodes, "sector": lists.sectors, "meter": lists.meters}
    for kind, listed in values.items():
        for value in listed:
            yield _ListRow(pk=_list_key(kind, value), sk=zone_id, version=1)


def find_cell(code: int, level: int) -> list[tuple[str, ZoneCell]]:
    """What is kept for one cell: the zones that take it up, each with its part of it."""
    return [_zone_cell(row, code, level) for row in query_all(_CellRow, cells.cell_key(code, level))]


def _zone_cell(row: _CellRow, code: int, level: int) -> tuple[str, ZoneCell]:
    zone_id, shape = row.sk.split("#")
    return zone_id, ZoneCell(shape[0], level, code, row.clip)


def find_zones_listing_postcode(postcode: str) -> list[str]:
    """Zones that list a postcode or the sector it lies in."""
    normal = normalise_postcode(postcode)
    keys = [_list_key("postcode", normal), _list_key("sector", sector_of(normal))]
    return sorted({row.sk for key in keys for row in query_all(_ListRow, key)})


def find_zones_listing_meter(meter_id: str) -> list[str]:
    """Zones that list a meter id."""
    return [row.sk for row in query_all(_ListRow, _list_key("meter", meter_id))]


def load_lock(so: str) -> tuple[ImportLock, int] | None:
    row = get(_LockRow, _so_key(so), "import")
    return (row.body, int(row.version)) if row else None


def save_lock(so: str, lock: ImportLock, stored: int) -> Write:
    """The lock's new state; refused when another import took it meanwhile."""
    row = _LockRow(pk=_so_key(so), sk="import", version=stored + 1, body=lock)
    return replace(row, _overtaken()) if stored else create(row, _overtaken())


def load_done(import_ids: Iterable[str]) -> set[str]:
    """Which of these imports are done."""
    rows = get_many(_DoneRow, [(_import_key(import_id), "done") for import_id in import_ids])
    return {row.body.import_id for row in rows}


def save_done(done: ImportDone) -> Write:
    """The one pointer that makes all of an import seen."""
    return create(_DoneRow(pk=_import_key(done.import_id), sk="done", version=1, body=done), _overtaken())


def keep_geometry(wkb: bytes) -> str:
    return objects.put_body(wkb, "zones")


def load_geometry(key: str) -> bytes:
    """The exact boundary as WKB in degrees, WGS84."""
    return objects.get_body(key)


def keep_cells(packed: bytes) -> str:
    return objects.put_body(packed, "zones")


def load_cells(key: str) -> bytes:
    return objects.get_body(key)


def keep_lists(lists: Boundary) -> str:
    return objects.put_json(lists.model_dump(mode="json"), "zones")


def load_lists(key: str) -> Boundary:
    return Boundary.model_validate(objects.get_json(key))


def keep_outline(outline: dict[str, object]) -> str:
    return objects.put_json(outline, "zones")


def load_outline(key: str) -> dict[str, object]:
    return dict(objects.get_json(key))


def area_of(head: AreaHead, done: set[str]) -> Area | None:
    """The area a head stands for, given which imports are done."""
    if head.staged and head.staged.import_id in done:
        return head.staged.area
    return head.area


def _version_key(version: int) -> str:
    return f"v#{version:08d}"


def _list_key(kind: str, value: str) -> str:
    return f"list#{kind}#{value}"


def _so_key(so: str) -> str:
    return f"so#{so}"


def _import_key(import_id: str) -> str:
    return f"import#{import_id}"


def _moved() -> Stale:
    return Stale("area.moved", "Somebody changed this area meanwhile. Read it again and repeat the change.")


def _overtaken() -> Stale:
    return Stale("areas.overtaken", "Another areas file of this operator began meanwhile.")
