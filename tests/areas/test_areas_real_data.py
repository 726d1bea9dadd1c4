"""Claims on public data: 39 grid supply point areas by two formats, and 5,000 real postcodes against them."""

import csv
import os
import random
from decimal import Decimal
from pathlib import Path

import geopandas
import numpy as np
import pyproj
import pytest
import shapely

from chalicelib.areas import actions, imports
from chalicelib.areas.matching import INSIDE
from chalicelib.areas.models import AreaQuery
from chalicelib.kernel.cells import nanodegrees
from tests.builders.areas import SO, a_receipt, dropped
from tests.builders.calls import a_call

DATA = Path(os.environ.get("HEADROOM_SHARED_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
REGIONS = DATA / "gsp_regions" / "gsp_areas_east_and_south_east.geojson"
READ_BY_PLACE = 60
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
    truly_inside = expected(postcodes, regions)
    assert matched_by_zone(postcodes, ref_of) == truly_inside

    # as a new asset finds its areas: six reads each, for which the tables in memory are too slow by the thousand
    few = postcodes[:READ_BY_PLACE]
    found = actions.zones_near_each([(Decimal(lat), Decimal(lon)) for lat, lon in few])
    inside = [sorted(ref_of[match.zone_id] for match in each if match.distance_m == 0) for each in found]
    assert inside == truly_inside[:READ_BY_PLACE]
    shape_of = {f"{row.GSPs} {row.GSPGroup}": row.geometry for row in regions.itertuples()}
    outside = [(at, match) for at, each in zip(few, found, strict=True) for match in each if match.distance_m > 0]
    assert len(outside) > 5
    for (lat, lon), match in outside:
        true = metres_to(shape_of[ref_of[match.zone_id]], float(lat), float(lon))
        assert float(match.distance_m) == pytest.approx(true, abs=0.01)


def matched_by_zone(postcodes, ref_of):
    """As a new competition finds its places: every zone held against all of them."""
    places = [(number, nanodegrees(lat), nanodegrees(lon)) for number, (lat, lon) in enumerate(postcodes)]
    found = [[] for _ in postcodes]
    for zone_id, ref in ref_of.items():
        for number, _, _ in actions.zone_matcher(zone_id).match_each(places, INSIDE):
            found[number].append(ref)
    return [sorted(refs) for refs in found]


def metres_to(shape, lat, lon):
    """Metres to a boundary by shapely, in a projection centred on the place, its edges cut short to stay straight."""
    window = shapely.clip_by_rect(shape.boundary, lon - 0.15, lat - 0.1, lon + 0.15, lat + 0.1)
    centred = pyproj.Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=WGS84", always_xy=True
    )
    flat = shapely.transform(
        shapely.segmentize(window, 0.0005), lambda at: np.column_stack(centred.transform(at[:, 0], at[:, 1]))
    )
    return flat.distance(shapely.Point(0, 0))


def expected(postcodes, regions):
    points = geopandas.GeoDataFrame(
        geometry=[shapely.Point(float(lon), float(lat)) for lat, lon in postcodes], crs="EPSG:4326"
    )
    joined = geopandas.sjoin(points, regions, predicate="within")
    refs = {number: [] for number in range(len(postcodes))}
    for number, row in joined.iterrows():
        refs[number].append(f"{row['GSPs']} {row['GSPGroup']}")
    return [sorted(refs[number]) for number in range(len(postcodes))]
