"""`python -m local.dependencies`: are holes known in what the lock files name? Says so when nobody can be asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from pip._internal.models.index import PyPI

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "dev.txt"  # every other lock but that of infrastructure is a part of it
SERVICE = str(PyPI.pypi_url)  # where pip-audit asks
SECONDS = 15
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def main() -> int:
    """0 when there is none or nobody could be asked, else what pip-audit answers."""
    pins = _PIN.findall(LOCK.read_text())
    reason = unreachable(*pins[0])
    if reason:
        print(f"dependency audit skipped: the index that knows of vulnerabilities cannot be asked ({reason}).")
        print("Run `make audit` where it can be reached, at least before a release.")
        return 0
    print(f"auditing {len(pins)} packages of {LOCK.name}")
    return audit(LOCK)


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


if __name__ == "__main__":
    sys.exit(main())
