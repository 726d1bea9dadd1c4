"""Lets a process seal and open files of sealed kinds. Only the API and functions that handle bid files ask for it.

Roles are made from what code names, so that `kms:Decrypt` follows from `may_open_files` being named, and from nothing
else in the files room.
"""

from __future__ import annotations

from chalicelib.files.keeping import use_keys
from chalicelib.storage.sealing import opening_key, sealing_key


def may_open_files() -> None:
    """Sealed files are sealed and opened in this process from now on."""
    use_keys(sealing_key, opening_key)
