"""Owns what an areas file becomes: features or lists checked together, then zones, then areas. Heavy; for workers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chalicelib.areas import actions_import, formats, geometry, rules
from chalicelib.areas.actions import lists_problems
from chalicelib.areas.actions_import import MOST_AREAS
from chalicelib.areas.covering import cover
from chalicelib.areas.features import Feature, Layer, Source, find_reference, propose_reference, reference_of
from chalicelib.areas.matching import ZoneCell, box_cells
from chalicelib.areas.models import HALO_M, MOST_NAME, Boundary, Box, Exact, NewArea
from chalicelib.areas.sheets import AREAS, BOX_FIELDS, TEMPLATE
from chalicelib.files.importing import Importer, ParsedRow, RowOutcome
from chalicelib.files.models import Receipt
from chalicelib.files.workbook import read_file
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.storage import objects

_NAME_ATTRIBUTES = ("name", "area name", "area_name", "areaname", "title", "description")
_MARK = re.compile(r"\[(?:reference|ref)=([^\]]+)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """An area as a file gives it, checked: what the reader may be told of it in `notes`."""

    row: int
    sheet: str
    ref: str
    name: str
    shape: Any
    lists: Boundary
    attributes: Mapping[str, str]
    notes: tuple[Problem, ...] = ()


def apply_object(call: Call, receipt: Receipt, content: bytes) -> list[RowOutcome]:
    """Import an areas file, whole or not at all; `Invalid` with everything that is wrong with it."""
    if not formats.is_boundary_file(content):
        found = read_file(content, TEMPLATE)
        return bring_in(call, receipt, _noting(draw_lists(found.sheets[AREAS.name].rows), found.notes))
    metadata = objects.head_object(objects.FILES, receipt.object_key)["metadata"]
    return bring_in(call, receipt, draw_features(formats.read(content), wanted_reference(metadata, receipt.name)))


def wanted_reference(metadata: Mapping[str, str], name: str) -> str | None:
    """The attribute an uploader names: the object's metadata `reference-attribute`, or `[ref=…]` in its name."""
    given = metadata.get("reference-attribute", "").strip()
    found = _MARK.search(name)
    return given or (found.group(1).strip() if found else None)


def draw_features(source: Source, wanted: str | None) -> list[Drawn]:
    """Every feature of a boundary file as an area; `Invalid` with all that is wrong, feature by feature."""
    features = source.features
    if not features:
        raise _refused("area.no_features", "The file holds no features.")
    if len(features) > MOST_AREAS:
        raise _refused("area.too_many", f"The file holds {len(features)} features.", f"at most {MOST_AREAS} in a file")
    attribute = _reference_attribute(features, wanted)
    problems: list[Problem] = [*_reference_problems(features, attribute)]
    drawn: list[Drawn] = []
    for layer in source.layers:
        found, wrong = _draw_layer(layer, attribute)
        drawn += found
        problems += wrong
    if problems:
        raise Invalid.of(sorted(problems, key=lambda each: (each.sheet or "", each.row or 0)), "areas.invalid")
    return _noting(drawn, [*source.notes, *_proposal_notes(attribute, wanted)])


def _proposal_notes(attribute: str, wanted: str | None) -> list[str]:
    if wanted is not None:
        return []
    how = "To name another, send it as the object's metadata reference-attribute or as [ref=…] in the file's name."
    return [f"Each area's reference is its “{attribute}”, since no attribute was named. {how}"]


def _noting(drawn: Sequence[Drawn], texts: Sequence[str]) -> list[Drawn]:
    """The areas with remarks on the whole file, which the first of them carries."""
    first, *others = drawn
    remarks = tuple(Problem("areas.note", text) for text in texts)
    return [replace(first, notes=(*remarks, *first.notes)), *others]


def draw_lists(rows: Sequence[ParsedRow]) -> list[Drawn]:
    """Every area of a list file; `Invalid` with all that is wrong, row by row."""
    problems = [problem for row in rows for problem in row.problems]
    by_ref: dict[str, list[ParsedRow]] = {}
    for row in rows:
        if not row.problems:
            by_ref.setdefault(row.values["ref"], []).append(row)
    drawn = []
    for ref, held in by_ref.items():
        area, wrong = _draw_list(ref, held)
        problems += wrong
        drawn.append(area)
    if not rows:
        problems.append(Problem("area.no_rows", "The file has no rows.", sheet=AREAS.name))
    if problems:
        raise Invalid.of(problems, "areas.invalid")
    return drawn


def bring_in(call: Call, receipt: Receipt, drawn: Sequence[Drawn]) -> list[RowOutcome]:
    """Keep the zones of checked areas and import them; the outcome of each, with what was repaired."""
    areas = [_new_area(each) for each in drawn]
    came = actions_import.import_areas(call, receipt.organisation, receipt.id, areas)
    return [RowOutcome(each.row, each.sheet, came[each.ref], each.ref, each.notes) for each in drawn]


def covering_of(shape: Any, lists: Boundary) -> list[ZoneCell]:
    """The cells of a boundary's polygons (with their halo) and of its boxes."""
    found: list[ZoneCell] = []
    if shape is not None:
        for cell in cover(geometry.nano_edges(shape), float(HALO_M)):
            found.append(ZoneCell("a", cell.level, cell.code, cell.clip.pack() if cell.clip else None))
    return found + box_cells(lists.boxes)


def _new_area(drawn: Drawn) -> NewArea:
    exact = None if drawn.shape is None else _exact(drawn.shape)
    zone = actions_import.find_zone(exact, drawn.lists)
    if zone is None:
        zone = actions_import.keep_zone(exact, drawn.lists, covering_of(drawn.shape, drawn.lists))
    return NewArea(ref=drawn.ref, name=drawn.name, zone=zone, attributes=dict(drawn.attributes))


def _exact(shape: Any) -> Exact:
    return Exact(
        wkb=geometry.wkb_of(shape),
        outline=geometry.outline_of(shape),
        polygons=len(shape.geoms),
        vertices=len(geometry.nano_edges(shape)),
        bounds=geometry.bounds_of(shape),
        area_km2=geometry.square_kilometres(shape),
    )


def _reference_attribute(features: Sequence[Feature], wanted: str | None) -> str:
    if wanted is None:
        proposed = propose_reference(features)
        if proposed is None:
            known = ", ".join(dict.fromkeys(name for feature in features for name in feature.attributes)) or "none"
            sentence = f"No attribute, nor any two together, names every feature differently (attributes: {known})."
            raise _refused("area.reference_attribute", sentence, "an attribute that is unique over all features")
        return proposed
    found = find_reference(features, wanted)
    if found is None:
        known = ", ".join(dict.fromkeys(name for feature in features for name in feature.attributes)) or "none"
        raise _refused("area.reference_attribute", f"No feature has the attribute {wanted!r}.", f"one of: {known}")
    return found


def _reference_problems(features: Sequence[Feature], attribute: str) -> Iterator[Problem]:
    """Features whose reference is empty, unusable, or another's too."""
    times = Counter(reference_of(feature, attribute) for feature in features)
    for feature in features:
        ref = reference_of(feature, attribute)
        problem = rules.ref_problem(ref)
        if problem is None and times[ref] > 1:
            sentence = f"{times[ref]} features have the reference {ref!r}."
            problem = Problem("area.reference_duplicate", sentence, "ref", "a reference that no other feature has")
        if problem:
            yield _at(feature, problem, attribute)


def _draw_layer(layer: Layer, attribute: str) -> tuple[list[Drawn], list[Problem]]:
    system = geometry.system_of(layer.system)
    drawn: list[Drawn] = []
    problems: list[Problem] = []
    for feature in layer.features:
        found = _draw(feature, system, attribute)
        if isinstance(found, Problem):
            problems.append(_at(feature, found))
        else:
            drawn.append(found)
    return drawn, problems


def _draw(feature: Feature, system: geometry.System, attribute: str) -> Drawn | Problem:
    problem = feature.problem or geometry.outside_problem(system, feature.polygons)
    if problem:
        return problem
    checked = geometry.check(feature.polygons, system)
    if isinstance(checked, Problem):
        return checked
    ref = reference_of(feature, attribute)
    notes = () if checked.repaired_m2 is None else (_at(feature, _repair_note(ref, checked.repaired_m2)),)
    name = _name(feature) or ref
    return Drawn(feature.number, feature.layer, ref, name, checked.shape, Boundary(), feature.attributes, notes)


def _repair_note(ref: str, changed_m2: float) -> Problem:
    sentence = f"The boundary of {ref} was repaired; its area changed by {changed_m2:,.2f} m²."
    return Problem("area.repaired", sentence, "geometry")


def _name(feature: Feature) -> str:
    known = {name.casefold(): text for name, text in feature.attributes.items()}
    found = next((known[name] for name in _NAME_ATTRIBUTES if known.get(name)), "")
    return found[:MOST_NAME]


def _at(feature: Feature, problem: Problem, column: str | None = None) -> Problem:
    named = Problem(
        problem.code, f"Feature {feature.number}: {problem.detail}", problem.field, problem.allowed, problem.sheet
    )
    return named.at(sheet=feature.layer, row=feature.number, column=column)


def _draw_list(ref: str, rows: Sequence[ParsedRow]) -> tuple[Drawn, list[Problem]]:
    problems: list[Problem] = []
    boxes = []
    for row in rows:
        box, wrong = _box(row)
        boxes += [box] if box else []
        entries = rules.boundary(row.values.get("postcodes", ()), row.values.get("sectors", ()))
        problems += [problem.at(sheet=AREAS.name, row=row.row) for problem in [*wrong, *lists_problems(entries)]]
    lists = rules.boundary(_listed(rows, "postcodes"), _listed(rows, "sectors"), _listed(rows, "meters"), boxes)
    if lists == Boundary() and not problems:
        sentence = f"The area {ref} has no postcode, sector, meter id or box."
        problems.append(Problem("area.lists_empty", sentence, sheet=AREAS.name, row=rows[0].row))
    name = next((row.values["name"] for row in rows if row.values.get("name")), ref)
    return Drawn(rows[0].row, AREAS.name, ref, name, None, lists, {}), problems


def _listed(rows: Sequence[ParsedRow], field: str) -> list[str]:
    return [text for row in rows for text in row.values.get(field, ())]


def _box(row: ParsedRow) -> tuple[Box | None, list[Problem]]:
    given = {field.removeprefix("box_"): row.values.get(field) for field in BOX_FIELDS}
    sides = [value for value in given.values() if value is not None]
    if not sides:
        return None, []
    if len(sides) < len(BOX_FIELDS):
        return None, [Problem("area.box", "A bounding box needs all four sides.", "box_south", "four numbers")]
    box = Box(**{side: Decimal(str(value)) for side, value in given.items()})
    problems = rules.box_problems(box)
    return (None if problems else box), problems


def _refused(code: str, detail: str, allowed: str | None = None) -> Invalid:
    return Invalid(code, detail, [Problem(code, detail, None, allowed)])


IMPORTER = Importer("areas", TEMPLATE, apply_object=apply_object)
