"""Owns reading the code: which definitions a function's handler can come to, found by following names and imports.

Nothing is imported or run. A definition (function, class or constant of a module) leads to every definition it names,
to every definition that registers itself on it by decorator, and by text such as
`"chalicelib.assets.imports:IMPORTER"`. Naming counts as calling, so the answer errs on the side of more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("app", "chalicelib", "functions")
LOOSE = "<module>"
"""The name under which a module's bare statements go: they run as soon as anything of the module is used."""


@dataclass(frozen=True, slots=True)
class Place:
    """A definition: the module it is in and its name there."""

    module: str
    name: str


@dataclass(slots=True)
class Module:
    """A module's definitions by name, and what its imported names stand for (module, name in it or None)."""

    name: str
    definitions: dict[str, list[ast.AST]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    registered: dict[str, list[str]] = field(default_factory=dict)


def reached_from(handler: str) -> frozenset[Place]:
    """Every definition that `package.module.name` can come to, itself included."""
    module, _, name = handler.rpartition(".")
    todo, seen = [Place(module, name)], set()
    while todo:
        place = todo.pop()
        if place not in seen:
            seen.add(place)
            todo += led_to(place)
            todo.append(Place(place.module, LOOSE))
    return frozenset(seen)


@cache
def led_to(place: Place) -> frozenset[Place]:
    """The definitions of ours that a definition names."""
    module = read(place.module)
    found = {Place(module.name, name) for name in module.registered.get(place.name, [])}
    for node in nodes(place):
        found |= {named for part in ast.walk(node) for named in _named(module, part)}
    return frozenset(found)


def nodes(place: Place) -> list[ast.AST]:
    """The syntax of a definition."""
    return read(place.module).definitions.get(place.name, [])


@cache
def read(name: str) -> Module:
    """A module of ours as its definitions and imports."""
    path = _path(name)
    assert path is not None, f"there is no module {name}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = Module(name)
    for node in ast.walk(tree):
        module.imports |= _imports(node)
    for node in tree.body:
        for defined in _defined(node):
            module.definitions.setdefault(defined, []).append(node)
        for owner in _registers_on(node):
            module.registered.setdefault(owner, []).extend(_defined(node))
    return module


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Import() | ast.ImportFrom():
            return []
    return [LOOSE]


def _registers_on(node: ast.stmt) -> Iterator[str]:
    """The names whose decorators take a function up, as `routes` in `@routes.get(…)`."""
    if isinstance(node, ast.FunctionDef):
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                yield called.value.id


def _imports(node: ast.AST) -> dict[str, tuple[str, str | None]]:
    if isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
        return {alias.asname or alias.name: _source(node.module, alias.name) for alias in node.names}
    return {}


def _source(module: str, name: str) -> tuple[str, str | None]:
    below = f"{module}.{name}"
    return (below, None) if _path(below) else (module, name)


def _named(module: Module, node: ast.AST) -> Iterator[Place]:
    match node:
        case ast.Name(id=name) if name in module.definitions:
            yield Place(module.name, name)
        case ast.Name(id=name) if name in module.imports:
            yield from _resolved(*module.imports[name])
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in module.imports:
            source, inner = module.imports[name]
            if inner is None:
                yield from _resolved(source, attribute)
        case ast.Constant(value=str(text)) if ":" in text and _is_ours(text) and _path(text.partition(":")[0]):
            yield from _resolved(*text.split(":", 1))


def _resolved(module: str, name: str | None) -> Iterator[Place]:
    """Where a name is defined, through modules that pass it on."""
    if name is None:
        return
    found = read(module)
    if name in found.definitions:
        yield Place(module, name)
    elif name in found.imports:
        yield from _resolved(*found.imports[name])


def _is_ours(name: str) -> bool:
    return name.split(".")[0] in OURS


def _path(name: str) -> Path | None:
    plain = ROOT / (name.replace(".", "/") + ".py")
    package = ROOT / name.replace(".", "/") / "__init__.py"
    return next((path for path in (plain, package) if path.is_file()), None)
