"""Owns the bundles: one folder per group of functions, its packages from the group's lock, and our own code.

Packages are fetched as wheels for the stage's Python and machine, never built, each checked against the lock's hash.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functions.wiring import FUNCTIONS
from infrastructure.code import ROOT
from infrastructure.stage import Stage
from infrastructure.uses import services

BUILD = ROOT / "build"
API = "api"
MOST_MB = {API: 60}
MOST_MB_ANY = 200
# What Chalice needs on a desk, to package and to ask questions, and never where it runs.
DESK_ONLY = (
    "pip", "setuptools", "wheel", "inquirer", "click", "blessed", "readchar", "editor", "runs", "xmod", "yaml",
    "pkg_resources", "_distutils_hack", "wcwidth", "ansicon", "jinxed", "bin", "chalice/cli", "chalice/deploy",
    "chalice/cdk", "chalice/templates",
)  # fmt: skip
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
_MB = 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A group's folder, ready to be zipped, and its size in bytes unzipped."""

    group: str
    folder: Path
    size: int

    @property
    def most(self) -> int:
        return MOST_MB.get(self.group, MOST_MB_ANY) * _MB

    def __str__(self) -> str:
        return f"{self.group:<8} {self.size / _MB:6.1f} MB unzipped (at most {self.most // _MB})"


def groups() -> list[str]:
    """Every bundle that a function of the wiring asks for."""
    return sorted({function.bundle for function in FUNCTIONS})


@cache
def bundle(stage: Stage, group: str) -> Bundle:
    """The bundle of a group with our code; ValueError when it grew beyond what it may take."""
    folder = BUILD / stage.name / "bundles" / group
    _fresh(folder)
    _lay(packages(stage, group), folder)
    for part in ("chalicelib", "functions"):
        _lay(ROOT / part, folder / part)
    return _measured(group, folder)


@cache
def chalice_source(stage: Stage) -> Bundle:
    """The API as Chalice packages it: `app.py`, `chalicelib`, and the group's packages as `vendor`."""
    folder = BUILD / stage.name / "chalice"
    _fresh(folder)
    shutil.copy2(ROOT / "app.py", folder / "app.py")
    _lay(ROOT / "chalicelib", folder / "chalicelib")
    _lay(packages(stage, API), folder / "vendor")
    shutil.rmtree(folder / "vendor" / "chalice")  # Chalice brings its own
    (folder / "requirements.txt").write_text("")  # everything is in vendor, from the lock
    _lay(ROOT / ".chalice", folder / ".chalice")
    return _measured(API, folder)


@cache
def packages(stage: Stage, group: str) -> Path:
    """The packages of a group's lock for the stage's Python and machine, without what only a desk needs."""
    lock = ROOT / "requirements" / f"{group}.txt"
    stamp = hashlib.sha256(f"{lock.read_text()}{stage.runtime}{stage.architecture}{DESK_ONLY}{services()}".encode())
    folder = BUILD / "packages" / f"{group}-{stamp.hexdigest()[:16]}"
    if not folder.exists():
        making = folder.with_suffix(f".{os.getpid()}")
        _fetch(stage, lock, making)
        _trim(making)
        making.rename(folder)
    return folder


def _fetch(stage: Stage, lock: Path, folder: Path) -> None:
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--python-platform", _PLATFORMS[stage.architecture], "--python-version", stage.python]
    subprocess.run([*command, "--target", str(folder), "-r", str(lock)], check=True)


def _trim(folder: Path) -> None:
    for name in DESK_ONLY:
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in (*folder.glob("*.dist-info"), *folder.rglob("__pycache__"), *folder.glob("*/tests")):
        if path.suffix != ".dist-info" or path.name.split("-")[0].lower() in DESK_ONLY:
            shutil.rmtree(path, ignore_errors=True)
    for path in (folder / "botocore" / "data").iterdir():
        if path.is_dir() and path.name not in services():
            shutil.rmtree(path)


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _lay(source: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".lock")
    shutil.copytree(source, target, ignore=ignored, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    """A hard link in place of a copy where the disk allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _measured(group: str, folder: Path) -> Bundle:
    made = Bundle(group, folder, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    if made.size > made.most:
        raise ValueError(f"the bundle has grown too big: {made}")
    return made
