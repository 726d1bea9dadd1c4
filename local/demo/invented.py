"""Owns the invented scene: a small coastal network, two providers, four competitions; seeded, the same each time."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from local.demo.scenes import Need, Provider, Scene

_SEED = 20260401
_AREAS: dict[str, tuple[float, float, float]] = {
    "NORTHMOOR": (1.10, 52.75, 0.09),
    "HARBOUR": (1.32, 52.62, 0.07),
    "MARSHSIDE": (1.55, 52.55, 0.08),
}
_POSTCODES = ("NR2 1AA", "NR2 1AB", "NR3 4AD", "NR7 0EF", "NR11 6AA", "NR13 3BD", "NR29 3HJ", "NR30 1LN")


def invented_scene() -> Scene:
    random = Random(_SEED)
    return Scene(
        operator="Northmoor Networks",
        area_files=[("northmoor-areas.geojson", _areas())],
        area_count=len(_AREAS),
        gazetteer=("northmoor-postcodes.csv", _gazetteer(random)),
        gazetteer_rows=len(_POSTCODES),
        providers=[
            Provider("Kestrel Flex", [_charger(random, number) for number in range(1, 61)]),
            Provider("Harbour Energy Services", [_battery(random, number) for number in range(1, 41)]),
        ],
        needs=_needs(),
    )


def _areas() -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"area_ref": ref, "name": ref.title()},
            "geometry": {"type": "Polygon", "coordinates": [_octagon(*place)]},
        }
        for ref, place in _AREAS.items()
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _octagon(lon: float, lat: float, size: float) -> list[list[float]]:
    corners = [(1, 0), (0.7, 0.5), (0, 0.7), (-0.7, 0.5), (-1, 0), (-0.7, -0.5), (0, -0.7), (0.7, -0.5), (1, 0)]
    return [[round(lon + x * size, 6), round(lat + y * size, 6)] for x, y in corners]


def _gazetteer(random: Random) -> bytes:
    places = [_near(random, *place) for place in list(_AREAS.values()) * 3]
    lines = [f"{code},{lat},{lon}" for code, (lat, lon) in zip(_POSTCODES, places, strict=False)]
    return "\n".join(["postcode,latitude,longitude", *lines, ""]).encode()


def _near(random: Random, lon: float, lat: float, size: float) -> tuple[float, float]:
    spread = size * 1.4
    return round(lat + random.uniform(-0.6, 0.6) * spread, 6), round(lon + random.uniform(-1, 1) * spread, 6)


def _placed(random: Random, number: int) -> dict[str, Any]:
    """Every fourth asset says only its postcode; the others their coordinates."""
    if number % 4 == 0:
        return {"Postcode": random.choice(_POSTCODES)}
    lat, lon = _near(random, *random.choice(list(_AREAS.values())))
    return {"Latitude": lat, "Longitude": lon}


def _charger(random: Random, number: int) -> dict[str, Any]:
    return {
        "Asset Ref": f"EV-{number:04d}",
        "Name": f"Charging hub {number}",
        "Status": "In Development" if number % 15 == 0 else "Operational",
        "Category": "Demand side response",
        "Type": "EV charging",
        "Device Count": random.randint(2, 24),
        "Voltage Level (kV)": 0.4,
        "Demand Turn Down (MW)": round(random.uniform(0.05, 0.4), 3),
        "Demand Turn Up (MW)": round(random.uniform(0.05, 0.2), 3),
        "Response Time": "00:05:00",
        "Maximum Run Time": "06:00:00",
        **_placed(random, number),
    }


def _battery(random: Random, number: int) -> dict[str, Any]:
    power = round(random.uniform(0.4, 3), 3)
    return {
        "Asset Ref": f"BAT-{number:04d}",
        "Name": f"Battery {number}",
        "Status": "Mothballed" if number % 13 == 0 else "Operational",
        "Category": "Storage",
        "Type": "Battery",
        "Voltage Level (kV)": random.choice([0.4, 11, 11, 33]),
        "Generation Turn Up (MW)": power,
        "Generation Turn Down (MW)": power,
        "Response Time": "00:02:00",
        "Maximum Run Time": "04:00:00",
        **_placed(random, number),
    }


def _needs() -> list[Need]:
    evening = {"Service Window Name": "Evening", "Start": "17:00", "End": "20:00", "Service Days": "Mon-Fri"}
    night = {"Service Window Name": "Night", "Start": "23:00", "End": "02:00", "Service Days": "Mon-Sun"}
    expected = {"Dispatch Estimate": 20, "Dispatch Duration": "02:00:00"}
    return [
        Need(
            {"Name": "Northmoor winter peak", "Product Type": "Peak Reduction", "Need Direction": "Deficit"},
            ["NORTHMOOR"],
            [{**evening, "Capacity Required (MW)": 2, **expected}],
        ),
        Need(
            {
                "Name": "Harbour secure",
                "Product Type": "OU + Scheduled Availability",
                "Need Direction": "Deficit",
                "Utilisation Ceiling": 400,
            },
            ["HARBOUR", "MARSHSIDE"],
            [
                {**evening, "Capacity Required (MW)": 4, **expected},
                {**night, "Capacity Required (MW)": 3, **expected},
            ],
            needs_scheme=True,
        ),
        Need(
            {
                "Name": "Marshside solar excess",
                "Product Type": "Operational Utilisation",
                "Need Direction": "Excess",
                "Minimum Connection Voltage (kV)": 6.6,
                "Area Buffer (m)": 2000,
            },
            ["MARSHSIDE"],
            [
                {
                    **evening,
                    "Service Window Name": "Midday",
                    "Start": "11:00",
                    "End": "15:00",
                    "Capacity Required (MW)": 3,
                    **expected,
                }
            ],
        ),
        Need(
            {
                "Name": "Harbour restoration",
                "Product Type": "Restore",
                "Need Direction": "Deficit",
                "Minimum Connection Voltage (kV)": 132,
            },
            ["HARBOUR"],
            [{**night, "Capacity Required (MW)": 10, **expected}],
            nobody_bids=True,
        ),
    ]
