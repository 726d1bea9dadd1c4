"""Owns the API's description beside the code: `make openapi` writes `docs/openapi.json` anew."""

from __future__ import annotations

import json
from pathlib import Path

import app  # noqa: F401  (registers every endpoint)
from chalicelib.edge.openapi import describe

DESCRIPTION = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def written() -> str:
    """The description as it is kept: a line per value, so that a change of the API reads as one."""
    return json.dumps(describe(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DESCRIPTION.parent.mkdir(exist_ok=True)
    DESCRIPTION.write_text(written())
