"""Claims about the bundles: each only its own, none too big, and the API's one light."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.wiring import FUNCTIONS
from tests.infrastructure.conftest import Templates

MB = 2**20
HEAVY = ("shapely", "numpy", "pyproj", "openpyxl", "xlsxwriter", "python_calamine", "jinja2")
GROUPS = sorted({function.bundle for function in FUNCTIONS})


@pytest.mark.parametrize("group", GROUPS)
def test_a_bundle_is_no_bigger_than_it_may_be(prod: Templates, group: str) -> None:
    assert 10 * MB < _size(_folder(prod, group)) <= (60 if group == "api" else 200) * MB


@pytest.mark.parametrize("package", HEAVY)
def test_the_api_carries_nothing_heavy(prod: Templates, package: str) -> None:
    assert not (_folder(prod, "api") / package).exists()
    assert any((_folder(prod, group) / package).exists() for group in GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_a_bundle_carries_our_code_and_its_packages_for_the_machine_it_runs_on(prod: Templates, group: str) -> None:
    folder = _folder(prod, group)
    assert (folder / "functions" / "wiring.py").is_file()
    assert (folder / "chalicelib" / "kernel" / "call.py").is_file()
    compiled = {path.name for path in folder.rglob("*.so")}
    assert compiled
    assert all("x86_64" not in name and "cpython-311" not in name for name in compiled)


@pytest.mark.parametrize("group", GROUPS)
def test_no_bundle_carries_tests_tools_or_another_service(prod: Templates, group: str) -> None:
    folder = _folder(prod, group)
    for absent in ("pip", "setuptools", "tests", "local", "infrastructure", "botocore/data/ec2"):
        assert not (folder / absent).exists()


@pytest.mark.parametrize("group", GROUPS)
def test_the_lock_of_a_bundle_holds_the_worlds_time_zones(group: str) -> None:
    lock = Path(__file__).resolve().parents[2] / "requirements" / f"{group}.txt"
    assert "\ntzdata==" in lock.read_text()


@pytest.mark.parametrize("group", GROUPS)
def test_a_bundle_knows_local_time_on_a_machine_that_knows_none(prod: Templates, group: str) -> None:
    assert _can_tell_local_time(_folder(prod, group))


def test_the_api_as_chalice_packages_it_knows_local_time_too(prod: Templates) -> None:
    assert _can_tell_local_time(prod.folder.parent / "chalice" / "vendor")


def test_a_machine_without_zones_is_told_apart(tmp_path: Path) -> None:
    assert not _can_tell_local_time(tmp_path)


def _can_tell_local_time(packages: Path) -> bool:
    """Whether a Python that has these packages alone, and no zones of its machine, finds two zones apart in summer."""
    asked = (
        "from datetime import datetime; from zoneinfo import TZPATH, ZoneInfo; assert not TZPATH; "
        "noon = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo('Europe/London')); "
        "assert noon.astimezone(ZoneInfo('Europe/Dublin')) == noon and noon.utcoffset().seconds == 3600"
    )
    alone = {**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": str(packages)}
    return subprocess.run([sys.executable, "-S", "-c", asked], env=alone, capture_output=True).returncode == 0


def _folder(templates: Templates, group: str) -> Path:
    return templates.folder.parent / "bundles" / group


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
