"""Lets a process seal and open files of sealed kinds. Only the API and functions that handle bid files ask for it.

Roles are made from what code names, so that leave to ask `keep-keys` follows from `may_open_files` being named, and
from nothing else in the files room.
"""

from __future__ import annotations

from chalicelib.files.keeping import use_keys
from chalicelib.storage.sealing import file_key


def may_open_files() -> None:
    """Sealed files are sealed and opened in this process from now on, each with a key asked for it alone."""
    use_keys(file_key)
