"""Fills the shapes of the API's description: with as little as they take, or with as much."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.edge.openapi import describe

_FORMATS = {
    "date": "2026-05-01",
    "date-time": "2026-05-01T00:00:00Z",
    "duration": "PT1H",
    "time": "12:00:00",
}
_PATTERNS = (
    *("2026-05", "1", "12.5", "12:00", "REF-1", "#0b5394", "https://a.example/x", "a@b.example", "a_1", "a/b"),
    "e" * 64,
)


def shape_of(shape: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the one it refers to."""
    if "$ref" in shape:
        return dict(describe()["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]])
    return shape


def kinds_of(shape: dict[str, Any]) -> list[str]:
    """The JSON types a schema takes by itself."""
    kind = shape.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def fields_of(shape: dict[str, Any]) -> dict[str, str]:
    """The fields of an object, each with the kind that has most room in it: object, array or string."""
    return {name: _kind(part) for name, part in shape_of(shape).get("properties", {}).items()}


def _kind(part: dict[str, Any]) -> str:
    shapes = [shape_of(each) for each in part.get("anyOf", part.get("oneOf", [part]))]
    kinds = [kind for each in shapes for kind in kinds_of(each)]
    return next((kind for kind in ("object", "array") if kind in kinds), "string")


def body_of(shape: dict[str, Any]) -> Any:
    """The smallest value of a schema."""
    return _value(shape, 0, ())


def filled(shape: dict[str, Any], size: int) -> Any:
    """A value of a schema with every field there, lists and texts as long as they may be.

    The fields of an object share its `size` (bytes, about).
    """
    return _value(shape, size, ())


def _value(shape: dict[str, Any], size: int, above: tuple[str, ...]) -> Any:
    if "$ref" in shape:
        if shape["$ref"] in above:
            return None
        return _value(shape_of(shape), size, (*above, shape["$ref"]))
    for word in ("anyOf", "oneOf"):
        if word in shape:
            return _value(_roomiest(shape[word]), size, above)
    if "const" in shape:
        return shape["const"]
    if "enum" in shape:
        return shape["enum"][0]
    return _OF_KIND[next(iter(kinds_of(shape)), "null")](shape, size, above)


def _roomiest(shapes: list[dict[str, Any]]) -> dict[str, Any]:
    order = ["object", "array", "string", "integer", "number", "boolean", "null"]
    return min(shapes, key=lambda each: order.index(next(iter(kinds_of(shape_of(each))), "string")))


def _text(shape: dict[str, Any], size: int, above: tuple[str, ...]) -> str:
    if "pattern" in shape:
        return _matching(shape, size)
    if "format" in shape and shape["format"] in _FORMATS:
        return _FORMATS[shape["format"]]
    least, most = shape.get("minLength", 0), shape.get("maxLength", 10)
    return "x" * max(least, min(most, size) if size else 1)


def _matching(shape: dict[str, Any], size: int) -> str:
    long = "x" * min(shape.get("maxLength", 40), max(size, 1))
    found = [text for text in (long, *_PATTERNS) if re.search(shape["pattern"], text)]
    return found[0] if found else "x"


def _list(shape: dict[str, Any], size: int, above: tuple[str, ...]) -> list[Any]:
    least, most = shape.get("minItems", 0), shape.get("maxItems", 10)
    one = _value(shape.get("items", {}), min(size, 200), above)
    room = size // (len(str(one)) + 4)
    many = max(least, min(most, room))
    return [_another(one, number) for number in range(many)]


def _another(one: Any, number: int) -> Any:
    """One more, told apart from the others where it is a text of its own."""
    return f"{one[: -len(str(number))]}{number}" if isinstance(one, str) and one.startswith("xxxxxx") else one


def _object(shape: dict[str, Any], size: int, above: tuple[str, ...]) -> dict[str, Any]:
    properties = shape.get("properties", {})
    required = set(shape.get("required", ()))
    wanted = {name: part for name, part in properties.items() if size or name in required}
    made = {name: _value(part, size // max(len(wanted), 1), above) for name, part in wanted.items()}
    more = shape.get("additionalProperties")
    if isinstance(more, dict) and size:
        names = shape.get("propertyNames", {})
        known = shape_of(names).get("enum", [f"x{number}" for number in range(shape.get("maxProperties", 10))])
        made |= {name: _value(more, size // len(known), above) for name in known}
    return made


_OF_KIND: dict[str, Any] = {
    "string": _text,
    "array": _list,
    "object": _object,
    "integer": lambda shape, size, above: shape.get("minimum", 1),
    "number": lambda shape, size, above: shape.get("minimum", 1),
    "boolean": lambda shape, size, above: False,
    "null": lambda shape, size, above: None,
}


def places_of(shape: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where in a body a text may stand: names of fields, `[]` for any item of a list."""
    if "$ref" in shape:
        return [] if shape["$ref"] in above else places_of(shape_of(shape), (*above, shape["$ref"]))
    parts = [part for word in ("anyOf", "oneOf") for part in shape.get(word, ())]
    found = [place for part in parts for place in places_of(part, above)]
    if "items" in shape:
        found += [("[]", *place) for place in places_of(shape["items"], above)]
    for name, part in shape.get("properties", {}).items():
        found += [(name, *place) for place in places_of(part, above)]
    return found or ([()] if "string" in kinds_of(shape) else [])


def placed(shape: dict[str, Any], path: tuple[str, ...], value: str) -> Any:
    """The smallest body of a schema that holds a value at a place."""
    if not path:
        return value
    shape = shape_of(shape)
    parts = [part for word in ("anyOf", "oneOf") for part in shape.get(word, ())]
    fitting = next((part for part in parts if path in places_of(part)), None)
    if fitting is not None:
        return placed(fitting, path, value)
    if path[0] == "[]":
        return [placed(shape["items"], path[1:], value)]
    return {**body_of(shape), path[0]: placed(shape["properties"][path[0]], path[1:], value)}
