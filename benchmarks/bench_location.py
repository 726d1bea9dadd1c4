"""Places and areas, beside shapely and geopandas: one new asset, one new competition, the whole market.

Run: python benchmarks/bench_location.py [runs]. Answers are compared for equality before any time is shown. Times are
medians of CPU seconds of one process and core, both sides in one run, each from the bytes or arrays it keeps: what a
network or a data store takes to hand them over is in neither.

1. One new asset against 5,000 areas: its six cells' rows, as stored, against parsing every area's WKB and testing it.
2. One new competition over 300,000 assets: the zone's packed cells and the place rows of those cells, as stored,
   against building an STRtree over all positions and asking it.
   Both tell what is inside. What our answer takes with every near miss within a kilometre, its distance in metres on
   the ground, is shown beside: the peers have no such answer.
3. The whole market, 100,000 assets over 1,000 areas: `areas.join` against `geopandas.sjoin(predicate="within")`.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import geography
from chalicelib.areas.covering import Covered, cells_at
from chalicelib.areas.geometry import nano_edges, to_nano, wkb_of
from chalicelib.areas.imports import covering_of
from chalicelib.areas.join import Places, join
from chalicelib.areas.matching import INSIDE, Matcher, ZoneCell, match_in_cell, pack_cells, unpack_cells
from chalicelib.areas.models import HALO_M, NEAR_MISS_M, Boundary
from chalicelib.kernel import cells

GOAL_ONE_ASSET, GOAL_ONE_COMPETITION, GOAL_WHOLE_MARKET = 0.02, 0.05, 0.5
PROBES, COMPETITIONS = 25, 15

Rows = dict[tuple[int, int], list[tuple[str, ZoneCell]]]


def main() -> int:
    runs = max(int(sys.argv[1]) if len(sys.argv) > 1 else 5, 5)
    country = geography.a_country()
    held = [one_asset(country, runs), one_competition(country, runs), whole_market(country, runs)]
    return 0 if all(held) else 1


def one_asset(country: geography.Country, runs: int) -> bool:
    """A new asset against 5,000 areas."""
    shapes = geography.areas(country, 5_000)
    probes = geography.assets(country, PROBES, seed=5)
    nanos = to_nano(probes).tolist()
    rows = stored_rows(shapes, nanos)
    wkbs = [wkb_of(shape) for shape in shapes]
    ours = [inside_by_rows(rows, lat, lon) for lon, lat in nanos]
    theirs = [inside_by_wkb(wkbs, *probe) for probe in probes.tolist()]
    check_equal(ours, theirs, "areas of a new asset")
    read = statistics.mean(sum(len(cell.clip or b"") for _, cell in rows_of(rows, lat, lon)) for lon, lat in nanos)
    whole = sum(map(len, wkbs)) / 1e6
    print(f"   {sum(map(len, ours)) / PROBES:.1f} areas an asset; {read / 1000:.1f} kB of {whole:.0f} MB read")
    mine = median_cpu(runs, lambda: [inside_by_rows(rows, lat, lon) for lon, lat in nanos]) / PROBES
    near = median_cpu(runs, lambda: [inside_by_rows(rows, lat, lon, NEAR_MISS_M) for lon, lat in nanos]) / PROBES
    print(f"   {near * 1e3:.3f} ms with near misses")
    peer = median_cpu(runs, lambda: inside_by_wkb(wkbs, *probes[0].tolist()))
    return verdict("one new asset against 5,000 areas", mine, peer, GOAL_ONE_ASSET)


def stored_rows(shapes: list[Any], nanos: list[list[int]]) -> Rows:
    """The rows of the areas table for the cells of some places, exactly as an import keeps them."""
    rows: Rows = {}
    for number, shape in enumerate(shapes):
        for covered in cells_at(nano_edges(shape), float(HALO_M), [(lat, lon) for lon, lat in nanos]):
            rows.setdefault((covered.level, covered.code), []).append((str(number), kept(covered)))
    return rows


def kept(covered: Covered) -> ZoneCell:
    return ZoneCell("a", covered.level, covered.code, covered.clip.pack() if covered.clip else None)


def rows_of(rows: Rows, lat: int, lon: int) -> list[tuple[str, ZoneCell]]:
    places = [(level, cells.cell_at(lat, lon, level)) for level in cells.LEVELS]
    return [row for place in places for row in rows.get(place, ())]


def inside_by_rows(rows: Rows, lat: int, lon: int, within_m: Decimal = INSIDE) -> set[int]:
    found = [match_in_cell(zone, cell, lat, lon, within_m) for zone, cell in rows_of(rows, lat, lon)]
    return {int(match.zone_id) for match in found if match and match.distance_m == INSIDE}


def inside_by_wkb(wkbs: list[bytes], lon: float, lat: float) -> set[int]:
    return set(np.flatnonzero(shapely.intersects_xy(shapely.from_wkb(wkbs), lon, lat)).tolist())


def one_competition(country: geography.Country, runs: int) -> bool:
    """A new competition over 300,000 assets."""
    positions = geography.assets(country, 300_000)
    shapes = geography.areas(country, COMPETITIONS, seed=13)
    place_rows = stored_places(positions)
    packed = [pack_cells(covering_of(shape, Boundary())) for shape in shapes]
    ours = [inside_by_places(each, place_rows) for each in packed]
    tree = shapely.STRtree(shapely.points(positions))
    check_equal(ours, [set(tree.query(shape, "covers").tolist()) for shape in shapes], "assets of a competition")
    counts = sorted(map(len, ours))
    print(f"   {statistics.median(counts):.0f} assets in the middle competition, {counts[-1]} in the largest")
    mine = statistics.median(median_cpu(runs, lambda e=each: inside_by_places(e, place_rows)) for each in packed)
    with_near = (median_cpu(1, lambda e=each: inside_by_places(e, place_rows, NEAR_MISS_M)) for each in packed)
    near = statistics.median(with_near)
    print(f"   {near * 1e3:.3f} ms with near misses")
    peer = median_cpu(runs, lambda: shapely.STRtree(shapely.points(positions)).query(shapes[0], "covers"))
    return verdict("one new competition over 300,000 assets", mine, peer, GOAL_ONE_COMPETITION)


def stored_places(positions: Any) -> dict[int, list[str]]:
    """The sort keys of the assets table's place rows, by cell."""
    rows: dict[int, list[str]] = {}
    for number, (lon, lat) in enumerate(to_nano(positions).tolist()):
        rows.setdefault(cells.cell_at(lat, lon), []).append(f"{lat}#{lon}#{number}")
    return rows


def inside_by_places(packed: bytes, place_rows: dict[int, list[str]], within_m: Decimal = INSIDE) -> set[int]:
    matcher = Matcher.of("zon_1", unpack_cells(packed))
    keys = [key for cell in matcher.place_cells(within_m) for key in place_rows.get(cell, ())]
    places = ((name, int(lat), int(lon)) for lat, lon, name in (key.split("#") for key in keys))
    return {int(name) for name, _, metres in matcher.match_each(places, within_m) if metres == INSIDE}


def whole_market(country: geography.Country, runs: int) -> bool:
    """Every asset over every area."""
    positions = geography.assets(country, 100_000)
    shapes = np.array(geography.areas(country, 1_000), dtype=object)
    ours, theirs = join_ours(positions, shapes), join_peers(positions, shapes)
    check_equal(sorted(zip(*ours, strict=True)), sorted(zip(*theirs, strict=True)), "pairs of the whole market")
    print(f"   {len(ours[0]):,} pairs")
    mine = median_cpu(runs, lambda: join_ours(positions, shapes))
    peer = median_cpu(runs, lambda: join_peers(positions, shapes))
    return verdict("whole market, 100,000 x 1,000", mine, peer, GOAL_WHOLE_MARKET)


def join_ours(positions: Any, shapes: Any) -> tuple[list[int], list[int]]:
    places, areas = join(Places.of(positions[:, 0], positions[:, 1]), shapes)
    return places.tolist(), areas.tolist()


def join_peers(positions: Any, shapes: Any) -> tuple[list[int], list[int]]:
    points = geopandas.GeoDataFrame(geometry=shapely.points(positions), crs=4326)
    found = geopandas.sjoin(points, geopandas.GeoDataFrame(geometry=shapes, crs=4326), predicate="within")
    return found.index.to_list(), found["index_right"].to_list()


def median_cpu(runs: int, act: Callable[[], Any]) -> float:
    """CPU seconds of one act, the median of some runs after one that is not counted."""
    act()
    taken = []
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def check_equal(ours: Any, theirs: Any, what: str) -> None:
    if ours != theirs:
        raise SystemExit(f"The {what} differ from the peer's: no time is shown.")


def verdict(what: str, mine: float, peer: float, most: float) -> bool:
    ratio = Decimal(mine / peer).quantize(Decimal("0.0001"))
    held = ratio <= Decimal(str(most))
    times = f"{mine * 1e3:.3f} ms beside {peer * 1e3:.3f} ms"
    print(f"{'ok ' if held else 'NOT'} {what}: {times}, {ratio}x (at most {most}x)")
    return held


if __name__ == "__main__":
    sys.exit(main())
