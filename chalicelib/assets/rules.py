"""Owns the rules of a row: what an asset must say to be taken, every problem at once, the same by API and workbook.

A row's cells were read before (numbers are numbers, dates are days, choices are spelt as listed, required ones are
there); these rules weigh cells against each other and against the world.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from chalicelib.assets.countries import BOXES, COUNTRY_CODES
from chalicelib.assets.models import METER_INTERVALS, AssetFields, TypeTree
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.meters import CORE_LENGTH, FULL_LENGTH, is_core_shaped, is_mpan, normalise_mpan
from chalicelib.kernel.postcodes import is_postcode, normalise_postcode

GB = "GB"
MOST_TYPE_LENGTH = 60
CAPACITIES = (
    "generation_turn_up_mw",
    "generation_turn_down_mw",
    "demand_turn_up_mw",
    "demand_turn_down_mw",
    "reactive_import_mvar",
    "reactive_export_mvar",
)
METERS = ("import_meter_id", "export_meter_id")

Values = dict[str, Any]
_DURATION = TypeAdapter(timedelta)


@dataclass(frozen=True, slots=True)
class Checked:
    """A row after its rules: its columns, or every problem that keeps it out."""

    fields: AssetFields | None
    problems: tuple[Problem, ...]


def check_row(values: Mapping[str, Any], types: TypeTree, unread: Collection[str] = ()) -> Checked:
    """Weigh a row whose cells have been read; `values` by field name, blanks absent or None.

    `unread` names fields whose cell could not be read and is complained of already: no rule says more of those.
    """
    stated = {name: value for name, value in values.items() if value is not None and name not in unread}
    normal = _normalised(stated, types)
    problems = tuple(problem for rule in _RULES for problem in rule(normal, types, unread))
    if problems or unread:
        return Checked(None, problems)
    return Checked(AssetFields.model_validate(normal), ())


def _normalised(stated: Values, types: TypeTree) -> Values:
    """The row as we keep it: codes in capitals, postcodes and meter numbers spaced as usual, types spelt as listed."""
    normal = dict(stated)
    country = str(stated.get("country_code", GB)).upper()
    normal["country_code"] = country
    if "postcode" in stated:
        text = str(stated["postcode"])
        normal["postcode"] = normalise_postcode(text) if country == GB else " ".join(text.upper().split())
    if country == GB:
        normal |= {name: normalise_mpan(str(stated[name])) for name in METERS if name in stated}
    if "category" in stated:
        category = _spelt(str(stated["category"]), tuple(types.categories))
        of_category = types.categories.get(category, ())
        normal["category"] = category
        if "type" in stated:
            normal["type"] = _spelt(str(stated["type"]), of_category)
        elif len(of_category) == 1:
            normal["type"] = of_category[0]
    return normal


def _spelt(text: str, listed: tuple[str, ...]) -> str:
    return _spellings(listed).get(_folded(text), text)


@lru_cache(maxsize=64)
def _spellings(listed: tuple[str, ...]) -> dict[str, str]:
    return {_folded(name): name for name in listed}


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _category_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """Category and type are of the tree, and the type is of its category."""
    category = row.get("category")
    if category is None:
        return
    listed = types.categories.get(category)
    if listed is None:
        allowed = ", ".join(types.categories)
        yield Problem("asset.category_unknown", f"{category} is not a category.", "category", allowed)
    elif "type" in unread:
        return
    elif row.get("type") is None:
        yield Problem("asset.type_missing", f"{category} needs a type.", "type", ", ".join(listed))
    elif row["type"] not in listed:
        yield Problem("asset.type_unknown", f"{row['type']} is not a type of {category}.", "type", ", ".join(listed))


def _country_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """The country is one of ISO 3166."""
    country = row["country_code"]
    if country not in COUNTRY_CODES:
        detail = f"{country} is not a country code of ISO 3166."
        allowed = "GB" if country == "UK" else "two letters, such as GB"
        yield Problem("asset.country_unknown", detail, "country_code", allowed)


def _postcode_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """A British postcode has the form of one."""
    postcode = row.get("postcode")
    if postcode is not None and row["country_code"] == GB and not is_postcode(postcode):
        allowed = "a postcode such as IP1 1AA"
        yield Problem("asset.postcode_format", f"{postcode} is not a postcode.", "postcode", allowed)


def _position_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """An asset has a postcode or both coordinates; (0, 0) and points outside the country's box are refused."""
    given = {name: row.get(name) for name in ("latitude", "longitude") if name not in unread}
    stated = [name for name, value in given.items() if value is not None]
    if not stated and not {"postcode", "latitude", "longitude"} & {*row, *unread}:
        allowed = "a postcode, or latitude and longitude"
        yield Problem("asset.location_missing", "The asset says nowhere where it is.", "postcode", allowed)
    if len(given) == 2 and len(stated) == 1:
        missing = "longitude" if stated == ["latitude"] else "latitude"
        detail = f"{stated[0].capitalize()} came without {missing}."
        yield Problem("asset.half_a_position", detail, missing, "both or none")
    if len(stated) == 2:
        yield from _point_problems(Decimal(row["latitude"]), Decimal(row["longitude"]), row["country_code"])


def _point_problems(latitude: Decimal, longitude: Decimal, country: str) -> Iterator[Problem]:
    box = BOXES.get(country)
    if latitude == 0 and longitude == 0:
        detail = "(0, 0) lies in the Atlantic; it usually means that a position was not known."
        yield Problem("asset.zero_position", detail, "latitude", "the asset's own position, or none with a postcode")
    elif box is not None and not box.holds(latitude, longitude):
        swapped = " Latitude and longitude look swapped." if box.holds(longitude, latitude) else ""
        detail = f"The point ({latitude}, {longitude}) lies outside {country}.{swapped}"
        yield Problem("asset.outside_country", detail, "latitude", f"for {country}: {box}")


def _meter_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """A British meter number is a 13-digit core whose check digit holds; elsewhere any text."""
    if row["country_code"] != GB:
        return
    for name in METERS:
        meter = row.get(name)
        if meter is not None and not is_mpan(meter):
            yield _mpan_problem(name, meter)


def _mpan_problem(name: str, meter: str) -> Problem:
    if is_core_shaped(meter):
        detail = "The MPAN's last digit does not fit the others: a digit is mistyped."
        return Problem("asset.mpan_check_digit", detail, name, "the 13 digits of the MPAN core")
    if len(meter) == FULL_LENGTH and is_mpan(meter[-CORE_LENGTH:]):
        detail = "This is a full MPAN of 21 characters; the core is its last 13 digits."
        return Problem("asset.mpan_shape", detail, name, meter[-CORE_LENGTH:])
    detail = f"An MPAN has {CORE_LENGTH} digits."
    return Problem("asset.mpan_shape", detail, name, "the 13 digits of the MPAN core, or blank")


def _interval_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """Readings come every 30, 15, 5 or 1 minutes."""
    interval = row.get("meter_interval")
    if interval is not None and int(interval) not in METER_INTERVALS:
        allowed = ", ".join(map(str, METER_INTERVALS))
        yield Problem("asset.meter_interval", f"{interval} minutes is no meter interval.", "meter_interval", allowed)


def _capacity_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """At least one of the capacities is above 0."""
    if any(name in unread for name in CAPACITIES) or any(Decimal(row.get(name) or 0) > 0 for name in CAPACITIES):
        return
    detail = "The asset can turn nothing up or down: every capacity is blank or 0."
    yield Problem("asset.capacity_none", detail, CAPACITIES[0], "at least one capacity above 0, in MW")


def _run_time_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """The shortest run is no longer than the longest."""
    shortest, longest = row.get("minimum_run_time"), row.get("maximum_run_time")
    if shortest is None or longest is None or _length(shortest) <= _length(longest):
        return
    detail = "The minimum run time is longer than the maximum run time."
    yield Problem("asset.run_times_reversed", detail, "minimum_run_time", "no longer than the maximum run time")


def _consent_problems(row: Values, types: TypeTree, unread: Collection[str]) -> Iterator[Problem]:
    """A consent does not end before it begins."""
    first, last = row.get("consent_from"), row.get("consent_to")
    if first is not None and last is not None and str(last) < str(first):
        detail = "The consent ends before it begins."
        yield Problem("asset.consent_reversed", detail, "consent_to", f"{first} or later")


def _length(duration: str | timedelta) -> timedelta:
    return duration if isinstance(duration, timedelta) else _parsed_length(duration)


@lru_cache(maxsize=4096)
def _parsed_length(iso_text: str) -> timedelta:
    return _DURATION.validate_python(iso_text)


Rule = Callable[[Values, TypeTree, Collection[str]], Iterator[Problem]]
_RULES: tuple[Rule, ...] = (
    _category_problems,
    _country_problems,
    _postcode_problems,
    _position_problems,
    _meter_problems,
    _interval_problems,
    _capacity_problems,
    _run_time_problems,
    _consent_problems,
)


def added_types(
    current: TypeTree, added: TypeTree | None, category: str, names: Sequence[str]
) -> tuple[TypeTree | None, list[Problem]]:
    """The additions with types added to a category, None when all are there already.

    A name that only differs in case or spaces from one in use is that one; the same type may stand in two categories.
    """
    listed = _spelt(category, tuple(current.categories))
    known = {_folded(name) for name in current.categories.get(listed, ())}
    new = {_folded(name): name for name in reversed(names) if _folded(name) not in known}
    if any(not folded or len(name) > MOST_TYPE_LENGTH for folded, name in new.items()) or not _folded(category):
        allowed = f"letters or digits, at most {MOST_TYPE_LENGTH} characters"
        return None, [Problem("asset.type_name", "A category or type has no name to speak of.", "types", allowed)]
    if not new:
        return None, []
    before = added.categories if added else {}
    types = (*before.get(listed, ()), *(name for name in names if name in new.values()))
    return TypeTree(version=(added.version if added else 0) + 1, categories={**before, listed: types}), []
