"""Owns the verbs of areas: find a place's zones, read areas and their versions, rename and archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from chalicelib.areas import rules, store
from chalicelib.areas.events import AreasChanged
from chalicelib.areas.matching import (
    Matcher,
    ZoneCell,
    box_cells,
    match_in_cell,
    nearest_of_each_kind,
    pack_cells,
    unpack_cells,
)
from chalicelib.areas.models import (
    HALO_M,
    Area,
    AreaChange,
    AreaHead,
    AreaQuery,
    AreaVersion,
    AreaView,
    Boundary,
    Box,
    Exact,
    ImportLock,
    Zone,
    ZoneMatch,
)
from chalicelib.kernel import cells
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import NotFound, Problem, Stale, raise_problems
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.kernel.quantities import plain
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

Position = tuple[Decimal, Decimal]


def area_id_of(so: str, ref: str) -> str:
    """The id of an operator's area: its reference decides it, so no two areas can share one."""
    return derived_id("are", so, ref)


def find_area(so: str, ref: str) -> Area | None:
    """An operator's area by its reference, archived or not; None when there is none."""
    return _load_areas([area_id_of(so, ref)]).get(area_id_of(so, ref))


def find_areas(so: str, refs: Iterable[str]) -> dict[str, Area]:
    """An operator's areas by reference; references that are not there are left out."""
    wanted = {area_id_of(so, ref): ref for ref in refs}
    return {wanted[area_id]: area for area_id, area in _load_areas(wanted).items()}


def get_zone(zone_id: str) -> Zone:
    """A zone by id; `NotFound` when there is none."""
    zone = store.load_zone(zone_id)
    if zone is None:
        raise NotFound("zone.not_found", "There is no such zone.")
    return zone


def zones_near(lat: Decimal, lon: Decimal, within_m: Decimal = HALO_M) -> list[ZoneMatch]:
    """Every zone with polygons or boxes that a place (degrees, WGS84) is in, or is within `within_m` metres of.

    Polygons are known up to `HALO_M`, boxes up to `NEAR_MISS_M`; each match tells its distance. Six reads.
    """
    return zones_near_each([(lat, lon)], within_m)[0]


def zones_near_each(positions: Iterable[Position], within_m: Decimal = HALO_M) -> list[list[ZoneMatch]]:
    """`zones_near` for many places, in their order; each cell is read once."""
    read: dict[tuple[int, int], list[tuple[str, ZoneCell]]] = {}
    return [_zones_near(cells.nanodegrees(lat), cells.nanodegrees(lon), within_m, read) for lat, lon in positions]


def _zones_near(
    lat: int, lon: int, within_m: Decimal, read: dict[tuple[int, int], list[tuple[str, ZoneCell]]]
) -> list[ZoneMatch]:
    found: list[ZoneMatch] = []
    for level in cells.LEVELS:
        code = cells.cell_at(lat, lon, level)
        held = read.get((level, code))
        if held is None:
            held = read[(level, code)] = store.find_cell(code, level)
        found += [match for zone_id, cell in held if (match := match_in_cell(zone_id, cell, lat, lon, within_m))]
    return nearest_of_each_kind(found)


def zones_listing(postcode: str | None, meter_ids: Iterable[str] = ()) -> list[ZoneMatch]:
    """Zones that list a postcode, the sector it lies in, or one of the meter ids."""
    by_postcode = store.find_zones_listing_postcode(postcode) if postcode else []
    meters = [rules.normal_meter(meter) for meter in meter_ids if meter]
    by_meter = {zone_id for meter in meters for zone_id in store.find_zones_listing_meter(meter)}
    return [ZoneMatch(zone_id=zone_id, kind="meter") for zone_id in sorted(by_meter)] + [
        ZoneMatch(zone_id=zone_id, kind="postcode") for zone_id in by_postcode
    ]


def zone_matcher(zone_id: str) -> Matcher:
    """A zone ready to be held against many places, from one read; `NotFound` when there is none."""
    zone = get_zone(zone_id)
    return Matcher.of(zone_id, unpack_cells(store.load_cells(zone.cells)) if zone.cells else ())


def zone_cells(zone_id: str, within_m: Decimal = HALO_M) -> list[int]:
    """The cells (of the level that places are kept by) in which a place can match the zone, its halo included."""
    return zone_matcher(zone_id).place_cells(within_m)


def zone_lists(zone_id: str) -> Boundary:
    """The postcodes, sectors, meter ids and boxes of a zone."""
    zone = get_zone(zone_id)
    return store.load_lists(zone.lists) if zone.lists else Boundary()


def list_zone_writes(
    postcodes: Iterable[str] = (), sectors: Iterable[str] = (), boxes: Iterable[Box] = ()
) -> tuple[str, list[Write]]:
    """The zone of a boundary given as lists, and the write that makes it known.

    The rows by which places find it are kept at once: they never change and nothing refers to them before the write.
    `Invalid` with every entry that is not a postcode, sector or box.
    """
    lists = rules.boundary(postcodes, sectors, boxes=boxes)
    raise_problems(lists_problems(lists), "area.lists")
    covering = box_cells(lists.boxes)
    zone = zone_of(None, lists, covering)
    store.keep_places(zone.id, covering, lists)
    return zone.id, [store.save_zone(zone)]


def lists_problems(lists: Boundary) -> list[Problem]:
    """Every entry of the lists that is not what it should be."""
    found = [rules.postcode_problem(text) for text in lists.postcodes]
    found += [rules.sector_problem(text) for text in lists.sectors]
    of_boxes = [problem for box in lists.boxes for problem in rules.box_problems(box)]
    return [problem for problem in found if problem] + of_boxes


def zone_of(exact: Exact | None, lists: Boundary, covering: Sequence[ZoneCell]) -> Zone:
    """The zone of a boundary, its bodies kept; its id comes from the exact polygons and the lists alone."""
    geometry = store.keep_geometry(exact.wkb) if exact else None
    kept = store.keep_lists(lists) if lists != Boundary() else None
    return Zone(
        id=derived_id("zon", geometry or "-", kept or "-"),
        geometry=geometry,
        lists=kept,
        cells=store.keep_cells(pack_cells(covering)) if covering else None,
        outline=store.keep_outline(exact.outline) if exact else None,
        polygons=exact.polygons if exact else 0,
        vertices=exact.vertices if exact else 0,
        boxes=len(lists.boxes),
        postcodes=len(lists.postcodes),
        sectors=len(lists.sectors),
        meters=len(lists.meters),
        bounds=_around([*lists.boxes, *([exact.bounds] if exact else [])]),
        area_km2=exact.area_km2 if exact else None,
    )


def get_area(call: Call, area_id: str) -> AreaView:
    """An operator's own area with its outline; `NotFound` for anybody else's."""
    area = _own_area(call, area_id)
    zone = get_zone(area.zone_id)
    outline = store.load_outline(zone.outline) if zone.outline else None
    return _view(area, zone).but(outline=outline)


def list_areas(call: Call, query: AreaQuery) -> Page[AreaView]:
    """The caller's areas in order of reference."""
    if query.ref is not None:
        area = find_area(call.organisation, query.ref)
        return Page(items=_views([area] if area and area.state == query.state else []))
    page = store.list_heads(call.organisation, query.limit, query.cursor)
    areas = _areas_of({row.pk: row.body for row in page.items}).values()
    return Page(items=_views([area for area in areas if area.state == query.state]), next=page.next)


def list_area_versions(call: Call, area_id: str, query: PageQuery) -> Page[AreaVersion]:
    """Every version of an operator's own area, oldest first."""
    area = _own_area(call, area_id)
    page = store.list_versions(area_id, query.limit, query.cursor, area.version)
    return Page(items=[row.body for row in page.items], next=page.next)


def change_area(call: Call, area_id: str, change: AreaChange, if_match: int) -> AreaView:
    """Rename an area, archive it or bring it back: a new version of it over the same zone."""
    area = _own_area(call, area_id)
    if area.version != if_match:
        raise Stale("area.stale", f"This area is at version {area.version} now. Read it again and repeat the change.")
    after = area.but(**change.model_dump(exclude_none=True))
    if after == area:
        return get_area(call, area_id)
    after = after.but(version=area.version + 1, changed_at=call.now, source=call.request_id)
    _, stored = store.load_heads([area_id])[area_id]
    commit(
        call,
        [
            *store.stage_heads([(AreaHead(area=after), stored)]),
            store.save_version(version_of(after, call.actor.id)),
            *_overtake_import(call, area.so),
        ],
        [AreasChanged(so=area.so, area_ids=(area.id,), zone_ids=(area.zone_id,))],
        [_change_of(area, after)],
    )
    return get_area(call, area_id)


def _overtake_import(call: Call, so: str) -> list[Write]:
    """A file being imported right now has planned with the area as it was: it fails its last step and begins anew."""
    lock = store.load_lock(so)
    return [store.save_lock(so, ImportLock(import_id=call.request_id), lock[1])] if lock else []


def version_of(area: Area, by: str, attributes: Mapping[str, str] | None = None) -> AreaVersion:
    """The version that an area, as it stands, is kept as."""
    return AreaVersion(
        area_id=area.id,
        so=area.so,
        ref=area.ref,
        version=area.version,
        name=area.name,
        zone_id=area.zone_id,
        kinds=area.kinds,
        state=area.state,
        at=area.changed_at,
        by=by,
        source=area.source,
        attributes=dict(attributes or {}),
    )


def _own_area(call: Call, area_id: str) -> Area:
    area = _load_areas([area_id]).get(area_id)
    if area is None:
        raise NotFound("area.not_found", "There is no such area.")
    call.check_owner(area.so, "area")
    return area


def _load_areas(area_ids: Iterable[str]) -> dict[str, Area]:
    return _areas_of({area_id: head for area_id, (head, _) in store.load_heads(area_ids).items()})


def _areas_of(heads: Mapping[str, AreaHead]) -> dict[str, Area]:
    """The areas that heads stand for; those staged by an import that is not done are as they were."""
    pending = {head.staged.import_id for head in heads.values() if head.staged}
    done = store.load_done(pending)
    found = {area_id: store.area_of(head, done) for area_id, head in heads.items()}
    return {area_id: area for area_id, area in found.items() if area}


def _views(areas: list[Area]) -> list[AreaView]:
    zones = store.load_zones({area.zone_id for area in areas})
    return [_view(area, zones[area.zone_id]) for area in areas]


def _view(area: Area, zone: Zone) -> AreaView:
    return AreaView(
        **dict(area),
        polygons=zone.polygons,
        vertices=zone.vertices,
        boxes=zone.boxes,
        postcodes=zone.postcodes,
        sectors=zone.sectors,
        meters=zone.meters,
        area_km2=None if zone.area_km2 is None else plain(zone.area_km2),
        bounds=zone.bounds,
    )


def _around(boxes: Iterable[Box]) -> Box | None:
    held = list(boxes)
    if not held:
        return None
    return Box(
        south=min(box.south for box in held),
        west=min(box.west for box in held),
        north=max(box.north for box in held),
        east=max(box.east for box in held),
    )


def _change_of(before: Area, after: Area) -> Change:
    action = "area.changed" if before.state == after.state else f"area.{after.state}"
    kept = {"name", "state", "version"}
    return Change(
        thing=f"area:{after.id}",
        action=action,
        organisation=after.so,
        before=before.model_dump(mode="json", include=kept),
        after=after.model_dump(mode="json", include=kept),
    )
