"""Owns what each function uses of AWS, read from its code: tables, indexes, buckets, queues, functions, secrets, calls.

The roles of the functions stack are made from this; nothing about access is written down by hand twice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import botocore.session

from chalicelib.storage.schema import BUCKETS, TABLES
from functions.wiring import FUNCTIONS, Asked, Function, Queue
from infrastructure.code import Place, led_to, nodes, reached_from, read

# What the words of `storage.tables` and `storage.writes` ask of DynamoDB, in IAM's words.
TABLE_WORDS: dict[str, tuple[str, ...]] = {
    "get": ("GetItem",),
    "get_many": ("BatchGetItem",),
    "query": ("Query",),
    "query_all": ("Query",),
    "sort_keys": ("Query",),
    "query_index": ("Query",),
    "query_index_all": ("Query",),
    "batch_put": ("BatchWriteItem",),
    "batch_remove": ("BatchWriteItem",),
    "create": ("PutItem",),
    "replace": ("PutItem",),
    "told": ("PutItem",),
    "put": ("PutItem",),
    "put_if": ("PutItem",),
    "check": ("ConditionCheckItem",),
    "update_if": ("UpdateItem",),
    "update": ("UpdateItem",),
    "remove": ("DeleteItem",),
}
WORDS_THAT_ASK_NOTHING = frozenset({"text", "number", "encode_cursor", "decode_cursor", "table_name"})
WORD_MODULES = ("chalicelib.storage.tables", "chalicelib.storage.writes")
OBJECTS = "chalicelib.storage.objects"
# A role that may not list a bucket is told "forbidden" in place of "not there", which our reads rely on.
OBJECT_WORDS: dict[str, tuple[str, ...]] = {
    "put_object": ("PutObject",),
    "put_new": ("PutObject",),
    "first_versions": ("ListBucketVersions",),
    "read_object": ("GetObject", "GetObjectVersion", "ListBucket"),
    "head_object": ("GetObject", "GetObjectVersion", "ListBucket"),
    "list_objects": ("ListBucket",),
    "remove_object": ("DeleteObject",),
    "presign_download": ("GetObject",),
    "presign_upload": ("PutObject",),
}
# Calls proved by the caller's own token, which IAM is not asked about.
BY_TOKEN = {"associate_software_token", "verify_software_token", "set_user_mfa_preference"}
TABLE_NAMES = frozenset(table.name for table in TABLES)
BUCKET_NAMES = frozenset(bucket.name for bucket in BUCKETS)
INDEX_NAMES = {table.name: frozenset(index.name for index in table.indexes) for table in TABLES}


@dataclass(slots=True)
class Uses:
    """What a function uses: IAM actions by table and bucket, indexes by table, queues, other functions that it asks,
    secrets, other calls."""

    tables: dict[str, set[str]] = field(default_factory=dict)
    indexes: dict[str, set[str]] = field(default_factory=dict)
    buckets: dict[str, set[str]] = field(default_factory=dict)
    queues: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    calls: dict[str, set[str]] = field(default_factory=dict)


@cache
def uses_of(function: Function) -> Uses:
    """What the function's code can come to."""
    uses = Uses()
    reached = reached_from(function.handler)
    by_module: dict[str, list[Place]] = {}
    for place in reached:
        by_module.setdefault(place.module, []).append(place)
    for module, places in by_module.items():
        _note_tables(uses, module, places)
        _note_calls(uses, places)
        for place in places:
            _note_objects(uses, place)
            _note_queues(uses, place)
            _note_functions(uses, place)
            _note_secrets(uses, place)
    return uses


def _note_tables(uses: Uses, module: str, places: list[Place]) -> None:
    """A module's rows and its reads and writes belong together: stores have one table each."""
    found = [part for place in places for part in _parts(place)]
    metas = [part for place in places for named in led_to(place) if named.module != module for part in _metas(named)]
    tables = {table for part in (*found, *metas) for table in _tables_named(part)}
    words = {word for place in places for word in _words(place, WORD_MODULES) if word in TABLE_WORDS}
    actions = {action for word in words for action in TABLE_WORDS[word]}
    if module not in WORD_MODULES:
        actions |= {_pascal(method) for service, method in _methods(places) if service == "dynamodb"}
    for table in tables if actions else ():
        uses.tables.setdefault(table, set()).update(actions)
        uses.indexes.setdefault(table, set()).update(_indexes(table, found))


def _metas(place: Place) -> list[ast.AST]:
    """A class that names a table for rows written in another file of the room."""
    return [part for node in nodes(place) if isinstance(node, ast.ClassDef) for part in ast.walk(node)]


def _indexes(table: str, parts: list[ast.AST]) -> frozenset[str]:
    """The indexes a module asks by name; all of them where the name is made up as it runs."""
    asked = [
        part.args[1]
        for part in parts
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id.startswith("query_index")
    ]
    if all(isinstance(name, ast.Constant) for name in asked):
        return INDEX_NAMES[table] & {str(name.value) for name in asked if isinstance(name, ast.Constant)}
    return INDEX_NAMES[table]


def _note_calls(uses: Uses, places: list[Place]) -> None:
    for service, method in _methods(places):
        if service not in ("dynamodb", "s3") and method not in BY_TOKEN:
            uses.calls.setdefault(service, set()).add(_pascal(method))


def _note_objects(uses: Uses, place: Place) -> None:
    words = set(_words(place, (OBJECTS,))) & set(OBJECT_WORDS)
    named = {text for text in _constants(place, OBJECTS) if text in BUCKET_NAMES}
    assert named or not words, f"{place} does {words} with a bucket that it does not name as {OBJECTS} does"
    for bucket in named:
        for word in words:
            uses.buckets.setdefault(bucket, set()).update(OBJECT_WORDS[word])


def _note_queues(uses: Uses, place: Place) -> None:
    if "send" in _words(place, ("chalicelib.storage.queues",)):
        texts = _texts(_parts(place)) | set(_constants(place, place.module))
        uses.queues |= {function.name for function in FUNCTIONS if isinstance(function.trigger, Queue)} & texts


def _note_functions(uses: Uses, place: Place) -> None:
    if "invoke" in _words(place, ("chalicelib.storage.invoking",)):
        texts = _texts(_parts(place)) | {text for named in led_to(place) for text in _constants(place, named.module)}
        uses.functions |= {function.name for function in FUNCTIONS if isinstance(function.trigger, Asked)} & texts


def _note_secrets(uses: Uses, place: Place) -> None:
    if place.module == "chalicelib.storage.keys":
        for part in _parts(place):
            match part:
                case ast.Call(func=ast.Name(id="_secret"), args=[ast.Constant(value=str(name)), *_]):
                    uses.secrets.add(name)


def _parts(place: Place) -> list[ast.AST]:
    return [part for node in nodes(place) for part in ast.walk(node)]


def _words(place: Place, modules: Iterable[str]) -> Iterator[str]:
    """The names of these modules that a definition uses."""
    return (named.name for named in led_to(place) if named.module in modules)


def _constants(place: Place, module: str) -> Iterator[str]:
    """The texts behind the constants of a module that a definition names."""
    for name in _words(place, (module,)):
        for node in read(module).definitions[name]:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                yield str(node.value.value)


def _texts(parts: Iterable[ast.AST]) -> set[str]:
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def _tables_named(part: ast.AST) -> Iterator[str]:
    match part:
        case ast.Call(
            func=ast.Name(id="table_name") | ast.Attribute(attr="table_name"), args=[ast.Constant(value=str(name))]
        ):
            assert name in TABLE_NAMES, f"{name} is no table of the schema"
            yield name


def _methods(places: list[Place]) -> set[tuple[str, str]]:
    """The operations of AWS services that definitions of one module call, by method or by its name as text."""
    parts = [part for place in places for part in _parts(place)]
    services = {service for part in parts for service in _services_named(part)}
    called = {part.attr for part in parts if isinstance(part, ast.Attribute)} | _texts(parts)
    return {(service, method) for service in services for method in called & _operations(service)}


def _services_named(part: ast.AST) -> Iterator[str]:
    match part:
        case ast.Call(func=ast.Name(id="client"), args=[ast.Constant(value=str(service))]):
            yield service


@cache
def _operations(service: str) -> frozenset[str]:
    model = botocore.session.get_session().get_service_model(service)
    return frozenset(botocore.xform_name(name) for name in model.operation_names)


def _pascal(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))


@cache
def services() -> frozenset[str]:
    """Every AWS service that any function's code makes a client of."""
    reached = {place for function in FUNCTIONS for place in reached_from(function.handler)}
    return frozenset(service for place in reached for part in _parts(place) for service in _services_named(part))
