"""Owns `.venv`: makes it and fills it from a lock file. Standard library only: Python 3.7 can read its refusal."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / os.environ.get("HEADROOM_VENV", ".venv")
OLDEST = (3, 11)
NEEDS_MB = 800
HOLDERS = ("dev", "rehearsal")  # whichever of them an environment is for holds all its smaller groups
_NO_PIP = "This Python has no pip of its own: install python3-venv (Debian, Ubuntu) or uv, then start again."
_NO_NETWORK = re.compile(
    r"name resolution|not known|network is unreachable|failed to fetch|connection (error|refused|timed out)|dns error"
    r"|newconnectionerror|error sending request|no matching distribution found",
    re.IGNORECASE,
)


class Stopped(Exception):
    """Installing cannot go on; the text says why and what to do next."""


def main(group: str) -> None:
    """Bring `.venv` to what `requirements/<group>.txt` names; does nothing when it is there already."""
    _check_python()
    lock = ROOT / "requirements" / (group + ".txt")
    if _is_current(group, lock):
        _place_command()
        return
    started = time.monotonic()
    print(f"installing packages ({group}) ...", flush=True)
    _check_space()
    _make_venv(lock)
    for old in VENV.glob(".installed-*"):
        old.unlink()
    _install(lock)
    _stamp(group).write_text(_fingerprint(lock))
    _place_command()
    print(f"installed packages ({group})  {time.monotonic() - started:.1f} s", flush=True)


def _check_python() -> None:
    if sys.version_info[:2] < OLDEST:
        raise Stopped(
            f"Headroom needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {sys.version.split()[0]}.\n"
            "Install a newer one (Debian 12 and Ubuntu 24.04 have it as python3), or say which to use: "
            "make run PYTHON=/path/to/python3.12"
        )


def _check_space() -> None:
    free = shutil.disk_usage(str(ROOT)).free // 2**20
    if free < NEEDS_MB:
        raise Stopped(
            f"Installing needs about {NEEDS_MB} MB; {ROOT} has {free} MB free. Make room there and start again."
        )


def _make_venv(lock: Path) -> None:
    if _venv_python().exists():
        return
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)])
    elif _run([sys.executable, "-m", "venv", str(VENV)], may_fail=True):
        # Debian keeps the part of venv that brings pip in a package of its own: do without it.
        shutil.rmtree(str(VENV), ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
        _fetch_pip(lock)


def _install(lock: Path) -> None:
    uv = shutil.which("uv")
    python = str(_venv_python())
    if uv:
        _run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock)])
    else:
        _run(
            [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                str(lock),
            ]
        )


def _fetch_pip(lock: Path) -> None:
    """Install the pip that the lock names, from its wheel alone, checked against the lock's hashes."""
    version, hashes = _locked_pip(lock.read_text())
    chosen = os.environ.get("PIP_INDEX_URL")
    if chosen is None:
        raise Stopped(_NO_PIP)
    index = chosen.rstrip("/") + "/pip/"
    try:
        page = urlopen(index, timeout=60).read().decode()
        link = re.search(rf'href="([^"#]*pip-{re.escape(version)}-py3-none-any\.whl)', page)
        if link is None:
            raise Stopped(
                f"The package index {index} has no pip {version}. Install python3-venv or uv, then start again."
            )
        wheel = urlopen(urljoin(index, link.group(1)), timeout=120).read()
    except (URLError, OSError) as error:
        raise _no_network(str(error)) from error
    if hashlib.sha256(wheel).hexdigest() not in hashes:
        raise Stopped(f"The pip that {index} gave is not the one the lock file names; nothing was installed.")
    _run_wheel(wheel, f"pip-{version}-py3-none-any.whl")


def _locked_pip(lock: str) -> tuple[str, list[str]]:
    entry = re.search(r"^pip==(\S+) ((?:.*\\\n)*.*)$", lock, re.MULTILINE)
    if entry is None:
        raise Stopped(_NO_PIP)
    return entry.group(1), re.findall(r"sha256:([0-9a-f]{64})", entry.group(2))


def _run_wheel(wheel: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(wheel)
        _run([str(_venv_python()), str(path / "pip"), "install", "--quiet", "--no-index", str(path)])


def _run(command: list[str], may_fail: bool = False) -> int:
    """Run a command quietly; its output is shown when it fails and must not."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(ROOT)
    )
    if done.returncode and not may_fail:
        raise _failed(command, done.stdout.decode(errors="replace"))
    return done.returncode


def _failed(command: list[str], output: str) -> Stopped:
    if _NO_NETWORK.search(output):
        return _no_network(output)
    if "No space left" in output:
        return Stopped(f"The disk of {ROOT} is full. Make room and start again.")
    return Stopped(f"{output.strip()[-3000:]}\n\nInstalling stopped at: {' '.join(command)}")


def _no_network(detail: str) -> Stopped:
    last = detail.strip().splitlines()[-1] if detail.strip() else ""
    return Stopped(
        f"Packages could not be fetched: {last}\n"
        "The first start needs the network (later ones do not). Check it, or set PIP_INDEX_URL to an index you can "
        "reach, and start again."
    )


def _venv_python() -> Path:
    return VENV / ("Scripts" if os.name == "nt" else "bin") / "python"


def _place_command() -> None:
    """The command `headroom` of this checkout, beside the Python that runs it."""
    command = _venv_python().with_name("headroom")
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from local.command import main; sys.exit(main())"
    text = f'#!/bin/sh\nexec {shlex.quote(str(_venv_python()))} -c {shlex.quote(program)} "$@"\n'
    if not command.exists() or command.read_text() != text:
        command.write_text(text)
        command.chmod(0o755)


def _stamp(group: str) -> Path:
    return VENV / (".installed-" + group)


def _is_current(group: str, lock: Path) -> bool:
    """Installed for this lock already, here or as a part of a group that holds it."""
    if not _venv_python().exists():
        return False
    locks = {group: lock} | ({} if group in HOLDERS else {name: lock.with_stem(name) for name in HOLDERS})
    return any(_stamp(name).exists() and _stamp(name).read_text() == _fingerprint(locks[name]) for name in locks)


def _fingerprint(lock: Path) -> str:
    return json.dumps([hashlib.sha256(lock.read_bytes()).hexdigest(), str(VENV)])


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Stopped as stopped:
        sys.exit("\n" + str(stopped))
    except KeyboardInterrupt:
        sys.exit("\nstopped")
