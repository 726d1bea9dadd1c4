"""Owns which competitions a list holds, and how a list is told as CSV and GeoJSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from chalicelib.areas.models import Box
from chalicelib.competitions.models import Competition
from chalicelib.competitions.rules import phase
from chalicelib.competitions.views import CompetitionQuery, CompetitionSummary
from chalicelib.competitions.words import HISTORIC_PHASES
from chalicelib.files.cells import neutralise


def is_asked_for(competition: Competition, query: CompetitionQuery, now: datetime) -> bool:
    """Whether a competition passes every filter of a query."""
    return (
        _same(query.so, competition.so)
        and _same(query.ref, competition.reference)
        and _same(query.product, competition.product_type)
        and _same(query.direction, competition.need_direction)
        and _same(query.round, competition.round_ref)
        and (query.area is None or query.area in competition.boundaries.areas)
        and _in_phase(query.phase, phase(competition, now))
        and _delivers(competition, query)
        and (query.minimum_size is None or _open_to(competition, query.minimum_size))
    )


def overlaps(bounds: Box | None, wanted: Box) -> bool:
    """Whether a box touches another; a zone without bounds is nowhere on the map."""
    if bounds is None:
        return False
    beside = bounds.east < wanted.west or wanted.east < bounds.west
    return not (beside or bounds.north < wanted.south or wanted.north < bounds.south)


def box_of(bbox: str) -> Box:
    """The box of `west,south,east,north`."""
    west, south, east, north = map(Decimal, bbox.split(","))
    return Box(south=south, west=west, north=north, east=east)


def as_csv(summaries: Iterable[CompetitionSummary]) -> str:
    """A list as CSV with a header; text that a spreadsheet would take for a formula is kept from being one."""
    out = io.StringIO()
    names = list(CompetitionSummary.model_fields)
    writer = csv.DictWriter(out, names, lineterminator="\r\n")
    writer.writeheader()
    for summary in summaries:
        writer.writerow({name: _cell(value) for name, value in summary.model_dump(mode="json").items()})
    return out.getvalue()


def as_geojson(found: Iterable[tuple[CompetitionSummary, list[Mapping[str, Any]]]]) -> dict[str, Any]:
    """A list as a FeatureCollection: each competition with the outlines of its areas, simplified for the screen."""
    return {"type": "FeatureCollection", "features": [_feature(summary, outlines) for summary, outlines in found]}


def _feature(summary: CompetitionSummary, outlines: list[Mapping[str, Any]]) -> dict[str, Any]:
    geometry: Any = None
    if outlines:
        geometry = outlines[0] if len(outlines) == 1 else {"type": "GeometryCollection", "geometries": outlines}
    return {"type": "Feature", "id": summary.id, "geometry": geometry, "properties": summary.model_dump(mode="json")}


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return _cell("; ".join(value))
    return neutralise(value) if isinstance(value, str) else value


def _same(wanted: str | None, actual: str | None) -> bool:
    return wanted is None or wanted == actual


def _in_phase(wanted: str | None, actual: str) -> bool:
    return actual in HISTORIC_PHASES if wanted == "historic" else _same(wanted, actual)


def _delivers(competition: Competition, query: CompetitionQuery) -> bool:
    """Whether one of its service periods touches the days asked for."""
    return any(
        (query.delivery_from is None or window.period_end >= query.delivery_from)
        and (query.delivery_to is None or window.period_start <= query.delivery_to)
        for window in competition.windows
    )


def _open_to(competition: Competition, size: Decimal) -> bool:
    return competition.smallest_aggregate_size <= size and competition.minimum_bid_size <= size
