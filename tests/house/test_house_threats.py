"""The threat model names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()


def named() -> list[tuple[str, str | None]]:
    """Files and tests as the page names them; `::name` alone belongs to the file before it."""
    found, file = [], ""
    for text in re.findall(r"`((?:[\w/]+\.py)?(?:::\w+)?)`", PAGE):
        path, _, name = text.partition("::")
        file = path or file
        if "/test_" in file and text:
            found.append((file, name or None))
    return found


def test_every_test_the_threat_model_names_exists() -> None:
    assert len(named()) > 40
    missing = [
        f"{file}::{name}"
        for file, name in named()
        if not (ROOT / "tests" / file).exists() or (name and f"def {name}(" not in (ROOT / "tests" / file).read_text())
    ]
    assert missing == []
