"""Owns the real scene: public areas, postcodes and projects read from a folder beside the project, never kept in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pyproj import Transformer

from local.demo.geopackage import geopackage
from local.demo.scenes import Need, Provider, Scene

_AREAS = "gsp_regions/gsp_areas_east_and_south_east.geojson"
_POSTCODES = "postcodes/postcodes_ip_nr_cb_bn.csv"
_PROJECTS = "renewable_projects/projects_east_and_south_east.csv"
_REFERENCE = ("GSPs", "GSPGroup")  # one point may supply two groups: only both together name an area
_BUILT = ("Operational", "Under Construction")
_PROVIDERS = ("Anglia Flex", "Broadland Power", "Cambridge Storage", "Downland Renewables", "Estuary Energy")
_TYPES = {
    "Solar Photovoltaics": ("Renewable", "Solar"),
    "Wind Onshore": ("Renewable", "Onshore wind"),
    "Battery": ("Storage", "Battery"),
    "Landfill Gas": ("Renewable", "Biomass"),
    "Anaerobic Digestion": ("Renewable", "Biomass"),
    "Sewage Sludge Digestion": ("Renewable", "Biomass"),
    "Biomass (dedicated)": ("Renewable", "Biomass"),
    "EfW Incineration": ("Non-renewable", "Energy from waste"),
    "Advanced Conversion Technologies": ("Non-renewable", "Energy from waste"),
}

POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}")

Places = dict[str, tuple[float, float]]


def real_scene(folder: Path) -> Scene:
    """The scene of a data folder; FileNotFoundError names what is not there."""
    areas = (folder / _AREAS).read_bytes()
    collection = json.loads(areas)
    postcodes = (folder / _POSTCODES).read_bytes()
    gazetteer = _gazetteer(postcodes)
    projects = list(_built_projects(folder / _PROJECTS))
    rows, located = _assets(projects, gazetteer)
    return Scene(
        operator="Eastern and Southern Networks",
        area_files=[
            ("gsp-areas.geojson", areas),
            ("gsp-areas.gpkg", geopackage(collection, "gsp_areas", _REFERENCE)),
        ],
        area_count=len(collection["features"]),
        gazetteer=("postcodes.csv", postcodes),
        gazetteer_rows=len(gazetteer),
        providers=[Provider(name, rows[place :: len(_PROVIDERS)]) for place, name in enumerate(_PROVIDERS)],
        needs=_needs([area_ref(feature["properties"]) for feature in collection["features"]]),
        located=located,
        real=True,
    )


def area_ref(properties: Mapping[str, str]) -> str:
    """The reference the market proposes for an area that two attributes name together."""
    return " ".join(properties[name] for name in _REFERENCE)


def _gazetteer(content: bytes) -> Places:
    """Postcodes to (latitude, longitude)."""
    rows = csv.DictReader(io.StringIO(content.decode()))
    return {row["postcode"]: (float(row["lat"]), float(row["lng"])) for row in rows}


def _built_projects(file: Path) -> Iterator[Mapping[str, str]]:
    with file.open(encoding="cp1252", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["Development Status (short)"] in _BUILT:
                yield row


def _assets(
    projects: Sequence[Mapping[str, str]], gazetteer: Places
) -> tuple[list[dict[str, Any]], dict[str, tuple[float, float] | None]]:
    """Asset rows, and where each stands as (latitude, longitude), None where the market cannot know."""
    to_wgs84 = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)
    rows, located = [], {}
    for place, project in enumerate(projects):
        lon, lat = to_wgs84.transform(float(project["X-coordinate"]), float(project["Y-coordinate"]))
        lat, lon = round(lat, 7), round(lon, 7)
        postcode = _postcode(project["Post Code"])
        row = _asset_row(project)
        if postcode and place % 2:
            row["Postcode"] = postcode
            located[row["Asset Ref"]] = gazetteer.get(postcode)
        else:
            row |= {"Latitude": lat, "Longitude": lon}
            located[row["Asset Ref"]] = (lat, lon)
        rows.append(row)
    return rows, located


def _postcode(text: str) -> str:
    """A postcode with its one space; what is none stays as it was written."""
    joined = "".join(text.split()).upper()
    return f"{joined[:-3]} {joined[-3:]}" if POSTCODE.fullmatch(joined) else text.strip()


def _asset_row(project: Mapping[str, str]) -> dict[str, Any]:
    category, kind = _TYPES[project["Technology Type"]]
    power = _capacity(project["Installed Capacity (MWelec)"])
    return {
        "Asset Ref": f"REPD-{project['Ref ID']}",
        "Name": project["Site Name"].strip()[:200],
        "Status": "Operational" if project["Development Status (short)"] == "Operational" else "In Development",
        "Category": category,
        "Type": kind,
        "Voltage Level (kV)": _voltage(power),
        "Address": project["Address"].strip()[:400],
        "Generation Turn Down (MW)": power,
        **({} if kind in ("Solar", "Onshore wind") else {"Generation Turn Up (MW)": power}),
        "Maximum Run Time": "08:00:00",
    }


def _capacity(text: str) -> float | None:
    try:
        return float(Decimal(text))
    except InvalidOperation:
        return None


def _voltage(power: float | None) -> float:
    """The level a project of this size is usually connected at, kV."""
    size = power or 0
    return 0.4 if size < 0.3 else 11 if size < 8 else 33 if size < 60 else 132


def _needs(references: Sequence[str]) -> list[Need]:
    """Twelve competitions over consecutive runs of areas, of changing product, direction, voltage and buffer."""
    products = ("Peak Reduction", "Operational Utilisation", "OU + Scheduled Availability", "Scheduled Utilisation")
    evening = {
        "Service Window Name": "Evening",
        "Start": "16:00",
        "End": "20:00",
        "Service Days": "Mon-Fri",
        "Capacity Required (MW)": 15,
        "Dispatch Estimate": 12,
        "Dispatch Duration": "02:00:00",
    }
    return [
        Need(
            row={
                "Name": f"Need {number + 1}",
                "Product Type": products[number % len(products)],
                "Need Direction": "Excess" if number % 3 else "Deficit",
                **(
                    {"Minimum Connection Voltage (kV)": 11, "Maximum Connection Voltage (kV)": 33}
                    if number % 4 == 1
                    else {}
                ),
                **({"Area Buffer (m)": 2000} if number % 6 == 5 else {}),
            },
            areas=references[number * 3 : number * 3 + 3],
            windows=[evening],
            needs_scheme=number % 5 == 4,
            nobody_bids=number == 11,
        )
        for number in range(12)
    ]
