"""Claims on public data: 39 grid supply point areas by two formats, and 5,000 real postcodes against them."""

import csv
import os
import random
from decimal import Decimal
from pathlib import Path

import geopandas
import pytest
import shapely

from chalicelib.areas import actions, imports
from chalicelib.areas.models import AreaQuery
from chalicelib.kernel.cells import nanodegrees
from tests.builders.areas import SO, a_receipt, dropped
from tests.builders.calls import a_call

DATA = Path(os.environ.get("HEADROOM_SHARED_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
REGIONS = DATA / "gsp_regions" / "gsp_areas_east_and_south_east.geojson"
READ_BY_PLACE = 150
POSTCODES = DATA / "postcodes" / "postcodes_ip_nr_cb_bn.csv"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.slow,
    pytest.mark.usefixtures("market"),
    pytest.mark.skipif(not REGIONS.exists(), reason="the public data are not beside the checkout"),
]


def bring(content, receipt_id, name):
    receipt = a_receipt(receipt_id, name)
    return imports.apply_object(a_call(SO, "so"), receipt, dropped(receipt, content))


def all_areas():
    return actions.list_areas(a_call(SO, "so"), AreaQuery(limit=500)).items


def some_postcodes(count):
    with POSTCODES.open() as lines:
        rows = list(csv.DictReader(lines))
    return [(row["lat"], row["lng"]) for row in random.Random(5).sample(rows, count)]


def test_the_regions_are_the_same_zones_from_both_formats_and_postcodes_match_as_geopandas_has_it(tmp_path):
    regions = geopandas.read_file(REGIONS)
    assert len(regions) == 39
    as_geojson = bring(REGIONS.read_bytes(), "rec_1", "gsp.geojson")
    assert {each.outcome for each in as_geojson} == {"created"}
    regions.to_file(tmp_path / "gsp.gpkg", driver="GPKG", layer="gsp")
    as_geopackage = bring((tmp_path / "gsp.gpkg").read_bytes(), "rec_2", "gsp.gpkg")
    assert [(each.ref, each.outcome) for each in as_geopackage] == [(each.ref, "unchanged") for each in as_geojson]
    views = all_areas()
    assert {view.ref for view in views} == {f"{row.GSPs} {row.GSPGroup}" for row in regions.itertuples()}

    postcodes = some_postcodes(5_000)
    ref_of = {view.zone_id: view.ref for view in views}
    by_zone, by_place = matched_by_zone(postcodes, ref_of), matched_by_place(postcodes[:READ_BY_PLACE], ref_of)
    assert by_zone == expected(postcodes, regions)
    assert by_place == by_zone[:READ_BY_PLACE]
    check_distances(postcodes[:READ_BY_PLACE], regions, {view.zone_id: number_of(view.ref, regions) for view in views})


def matched_by_zone(postcodes, ref_of):
    """As a new competition finds its places: every zone held against all of them."""
    places = [(number, nanodegrees(lat), nanodegrees(lon)) for number, (lat, lon) in enumerate(postcodes)]
    found = [[] for _ in postcodes]
    for zone_id, ref in ref_of.items():
        for number, _, metres in actions.zone_matcher(zone_id).match_each(places):
            found[number] += [ref] if metres == 0 else []
    return [sorted(refs) for refs in found]


def matched_by_place(postcodes, ref_of):
    """As a new asset finds its areas: six reads each (the tables in memory are too slow for thousands)."""
    found = actions.zones_near_each([(Decimal(lat), Decimal(lon)) for lat, lon in postcodes])
    return [sorted(ref_of[match.zone_id] for match in each if match.distance_m == 0) for each in found]


def expected(postcodes, regions):
    points = geopandas.GeoDataFrame(
        geometry=[shapely.Point(float(lon), float(lat)) for lat, lon in postcodes], crs="EPSG:4326"
    )
    joined = geopandas.sjoin(points, regions, predicate="within")
    refs = {number: [] for number in range(len(postcodes))}
    for number, row in joined.iterrows():
        refs[number].append(f"{row['GSPs']} {row['GSPGroup']}")
    return [sorted(refs[number]) for number in range(len(postcodes))]


def number_of(ref, regions):
    return next(row.Index for row in regions.itertuples() if f"{row.GSPs} {row.GSPGroup}" == ref)


def check_distances(postcodes, regions, number_of_zone):
    """Distances of places outside, against shapely in a projection centred on each place (true to it within 5 km)."""
    checked = 0
    found = actions.zones_near_each([(Decimal(lat), Decimal(lon)) for lat, lon in postcodes])
    for (lat, lon), matches in zip(postcodes, found, strict=True):
        near = [match for match in matches if match.distance_m > 0]
        if not near:
            continue
        centred = f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=WGS84"
        projected = regions.geometry.to_crs(centred)
        for match in near:
            true = projected.iloc[number_of_zone[match.zone_id]].distance(shapely.Point(0, 0))
            assert float(match.distance_m) == pytest.approx(true, abs=max(0.02, true * 1e-5))
            checked += 1
    assert checked > 10
