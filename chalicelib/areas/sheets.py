"""Owns the workbook of areas given as lists: any number of rows per area, several values in a cell."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.areas.models import MOST_NAME, MOST_REF
from chalicelib.files.columns import Column, DecimalNumber, Sheet, Template, Text, TextList

_LATITUDE = DecimalNumber(9, Decimal(-90), Decimal(90))
_LONGITUDE = DecimalNumber(9, Decimal(-180), Decimal(180))

AREAS = Sheet(
    "Areas",
    (
        Column("Area Ref", "ref", "The area's reference, unique for you.", True, Text(MOST_REF), "IPSWICH-NORTH"),
        Column("Area Name", "name", "What people read; the reference if blank.", kind=Text(MOST_NAME)),
        Column("Postcodes", "postcodes", "Whole postcodes.", kind=TextList(), example="IP1 2AB; IP1 2AD",
               aliases=("Postcode",)),
        Column("Postcode Sectors", "sectors", "Sectors: all postcodes that begin so.", kind=TextList(),
               example="IP1 3; IP4 1", aliases=("Postcode Sector", "Sector")),
        Column("Meter Ids", "meters", "Meter ids (MPANs) behind which assets match.", kind=TextList(),
               example="1200051234567", aliases=("Meter Id", "MPAN", "MPANs")),
        Column("Box South", "box_south", "Southern edge of a bounding box, WGS84 degrees.", kind=_LATITUDE),
        Column("Box West", "box_west", "Western edge of the box.", kind=_LONGITUDE),
        Column("Box North", "box_north", "Northern edge of the box.", kind=_LATITUDE),
        Column("Box East", "box_east", "Eastern edge of the box.", kind=_LONGITUDE),
    ),
)  # fmt: skip

TEMPLATE = Template(
    "areas",
    "Areas as lists",
    "1",
    (AREAS,),
    (
        "An area may have any number of rows; all of them together are its boundary.",
        "A place matches by any of its postcode, its sector, a box it is in, or its meter id.",
        "Polygons are uploaded as GeoPackage, GeoJSON, KML or a zipped Shapefile instead.",
        "A file is taken whole or not at all.",
    ),
)

BOX_FIELDS = ("box_south", "box_west", "box_north", "box_east")
