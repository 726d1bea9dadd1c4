"""The code base checks itself: what may be imported where, who reads the clock, how rooms are written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.name for path in (ROOT / "chalicelib").iterdir() if (path / "__init__.py").exists())
SOURCES = sorted([*ROOT.glob("chalicelib/**/*.py"), *ROOT.glob("functions/*.py"), ROOT / "app.py"])
CLOCK = re.compile(
    r"datetime\.now|utcnow|time\.time\(|date\.today|uuid\.?4|time\.monotonic|perf_counter|\brandom\.|secrets\."
)
HEAVY = (
    "shapely",
    "numpy",
    "pyproj",
    "openpyxl",
    "python_calamine",
    "xlsxwriter",
    "jinja2",
    "highspy",
    "sqlite3",
    "reportlab",
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_nothing_but_the_edge_reads_a_clock_or_draws_an_id() -> None:
    offenders = [
        relative(path)
        for path in SOURCES
        if not relative(path).startswith("chalicelib/edge/") and CLOCK.search(path.read_text())
    ]
    assert offenders == []


def test_aws_is_spoken_to_only_by_storage_edge_stores_and_the_mailer() -> None:
    def may(path: Path) -> bool:
        name = relative(path)
        in_room = name.startswith(("chalicelib/storage/", "chalicelib/edge/", "chalicelib/notifications/"))
        return in_room or re.search(r"store[a-z_]*\.py$", name) is not None

    offenders = [
        relative(path)
        for path in SOURCES
        if not may(path) and any(name.split(".")[0] in {"boto3", "botocore", "pynamodb"} for name in imports_of(path))
    ]
    assert offenders == []


def test_no_file_is_left_unfinished() -> None:
    assert [relative(path) for path in SOURCES if UNFINISHED.search(path.read_text())] == []


def test_every_module_says_in_one_line_what_it_owns() -> None:
    assert [relative(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "misc", "manager", "base", "constants"}
    assert [relative(path) for path in SOURCES if path.stem in drawers] == []


def test_the_standard_terms_are_used() -> None:
    """No other platform's words for our things in names of modules, functions and classes."""
    foreign = re.compile(r"(?i)(^|_)(tender|auction|supplier|seller|aggregator|buyer|award)(s|_|$)")
    named = (ast.FunctionDef, ast.ClassDef)
    offenders = [
        f"{relative(path)}: {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, named) and foreign.search(re.sub(r"(?<!^)(?=[A-Z])", "_", node.name))
    ]
    assert offenders == []


def test_routes_are_doors_and_nothing_more() -> None:
    """A route's body is one statement after its docstring, three at most."""
    offenders = []
    for path in ROOT.glob("chalicelib/*/routes*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                statements = [part for part in node.body if not isinstance(part, ast.Expr | ast.ImportFrom)]
                if len(statements) > 3:
                    offenders.append(f"{relative(path)}: {node.name}")
    assert offenders == []


def test_functions_are_thin() -> None:
    doors = [path for path in ROOT.glob("functions/*.py") if "handler" in path.read_text() and path.stem != "wiring"]
    long = [f"{relative(path)}: {len(path.read_text().splitlines())} lines" for path in doors]
    assert [line for line in long if int(line.split()[1]) > 60] == []


def test_app_registers_every_room_that_has_routes() -> None:
    app = (ROOT / "app.py").read_text()
    assert len(app.splitlines()) <= 60
    assert [room for room in ROOMS if list((ROOT / "chalicelib" / room).glob("routes.py")) and room not in app] == []


def test_the_api_imports_nothing_heavy() -> None:
    code = f"import sys, app; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted(ROOT.glob("chalicelib/*/store*.py")), ids=relative)
def test_a_room_opens_no_other_rooms_store(path: Path) -> None:
    room = path.parent.name
    module = f"chalicelib.{room}.{path.stem}"
    offenders = [
        relative(other)
        for other in SOURCES
        if other.parent != path.parent
        and any(name == module or name.startswith(module + ".") for name in imports_of(other))
    ]
    assert offenders == [] or room in {"storage", "edge"}


def test_import_contracts_hold() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout
