"""Owns remembering the demonstration market's logins, so that every start can tell them."""

from __future__ import annotations

import json
from pathlib import Path

from local.journal import write_whole

Login = dict[str, str]


class Logins:
    """The logins made for this market, each with `who`, `email` and `password`; a file in its state."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Login]:
        if not self._file.exists():
            return []
        found: list[Login] = json.loads(self._file.read_text())
        return found

    def write(self, logins: list[Login]) -> None:
        write_whole(self._file, json.dumps(logins, indent=1).encode())
