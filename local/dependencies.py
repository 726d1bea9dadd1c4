"""`python -m local.dependencies`: are holes known in what the lock files name?

pip-audit asks the index about each pinned version. A mirror often serves only a project's page, which tells of the
latest version alone: there each pin that is the latest is asked for, and the others are named as not answered for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pip._internal.models.index import PyPI

ROOT = Path(__file__).resolve().parent.parent
LOCKS = tuple(ROOT / "requirements" / f"{name}.txt" for name in ("dev", "rehearsal"))  # which hold the others
SERVICE = str(PyPI.pypi_url)  # where pip-audit asks
SECONDS = 15
AT_ONCE = 8
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)

Pin = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What a project's page says of a pin: the ids of its known holes, or why it says nothing."""

    pin: Pin
    holes: tuple[str, ...] = ()
    silent: str | None = None

    def __str__(self) -> str:
        return f"{self.pin[0]} {self.pin[1]}: {self.silent or ', '.join(self.holes)}"


def main(service: str = SERVICE) -> int:
    """0 when no hole is known or nobody could be asked, else 1 or what pip-audit answers."""
    pins = pins_of(LOCKS)
    reason = unreachable(*pins[0], service)
    if reason is None:
        print(f"auditing {len(pins)} packages")
        return max(audit(lock) for lock in LOCKS)
    print(f"The index does not answer by version ({reason}); asking for the latest ones.")
    return report(ask_for_latest(pins, service))


def pins_of(locks: Iterable[Path]) -> list[Pin]:
    """Every (name, version) that the locks name, once."""
    return sorted({pin for lock in locks for pin in _PIN.findall(lock.read_text())})


def unreachable(name: str, version: str, service: str = SERVICE) -> str | None:
    """Why the index's vulnerability answers cannot be had, asked for one pinned package; None when they can."""
    try:
        with urlopen(f"{service}/{name}/{version}/json", timeout=SECONDS) as answer:
            answer.read()
    except (URLError, OSError) as error:
        return f"{service}: {error}"
    return None


def audit(lock: Path) -> int:
    """pip-audit over a lock file as it stands: nothing is resolved or installed."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes"]
    settings = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run([*command, "--progress-spinner", "off"], env=settings, check=False).returncode


def ask_for_latest(pins: Iterable[Pin], service: str = SERVICE) -> list[Told]:
    """What each project's page tells of the pinned version, in the order of the pins."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda pin: _told(pin, service), pins))


def report(told: list[Told]) -> int:
    """Print what was told; 1 when any hole is known."""
    holes, silent = [each for each in told if each.holes], [each for each in told if each.silent]
    for each in silent:
        print(f"  not answered for  {each}")
    for each in holes:
        print(f"  KNOWN HOLES IN    {each}")
    if len(silent) == len(told):
        print("dependency audit skipped: nothing could be asked. Run `make audit` where the index can be reached.")
        return 0
    print(f"{len(told) - len(silent)} of {len(told)} packages answered for, {len(holes)} with known holes")
    return 1 if holes else 0


def _told(pin: Pin, service: str) -> Told:
    name, version = pin
    try:
        with urlopen(f"{service}/{name}/json", timeout=SECONDS) as answer:
            page = json.load(answer)
    except (HTTPError, URLError, OSError, ValueError) as error:
        return Told(pin, silent=str(error))
    latest = page["info"]["version"]
    if latest != version:
        return Told(pin, silent=f"the page tells of {latest} alone")
    return Told(pin, holes=tuple(hole["id"] for hole in page.get("vulnerabilities") or () if not hole.get("withdrawn")))


if __name__ == "__main__":
    sys.exit(main())
