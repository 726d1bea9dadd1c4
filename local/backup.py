"""`python -m local.backup`: everything a local market keeps, saved to a folder and restored into an empty one.

A market that runs is saved as it stood at one moment: the emulator's journal is copied, and what is exported is read
from an emulator started on the copy. Objects are written before the rows that name them, so they are copied after.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cloud import launch
from local.stopped import Stopped

ROOT = Path(__file__).resolve().parent.parent
# What is neither row nor object: logins, the keys under which bids are sealed, secrets, and the market's own clock. And
# the objects' files with their versions, whose ids S3 gives and takes from nobody: receipts name them.
_KEEPSAKES = ("cloud/*.json", "cloud/*.pem", "cloud/cognito-pool-keys/*", "clock.json", "logins.json")
_OBJECTS = Path("cloud") / "objects"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was saved or restored: rows by table, objects by bucket, logins, keys and secrets, and how long it took."""

    rows: dict[str, int]
    objects: dict[str, int]
    kept: dict[str, int]
    seconds: float

    def tell(self) -> None:
        for what, counts in (("rows", self.rows), ("objects", self.objects)):
            for name, count in counts.items():
                print(f"  {name:<16}{count:>9} {what}")
        for name, count in self.kept.items():
            print(f"  {count:>25} {name}")
        total = f"{sum(self.rows.values())} rows, {sum(self.objects.values())} objects"
        print(f"  {total} in {self.seconds:.1f} s")


def save(state: Path, folder: Path) -> Figures:
    """Save the market of a state folder, running or stopped, into an empty folder; `Stopped` when that cannot be."""
    from local import backup_export, backup_keepsakes

    started = time.monotonic()
    if not (state / "cloud").is_dir():
        raise Stopped(f"There is no market in {state}.")
    _check_empty(folder)
    with tempfile.TemporaryDirectory(prefix="headroom-backup-") as scratch:
        copy = Path(scratch)
        _copy_state(state, copy)
        _copy_keepsakes(copy, folder / "keepsakes")
        _copy_objects(copy, folder / "keepsakes")
        with _cloud_on(copy):
            backup_export.make_places()
            counts = backup_export.export(folder)
            backup_keepsakes.wrap_probes(folder / "keepsakes")
    backup_export.seal(folder)
    return Figures(*counts, time.monotonic() - started)


def restore(folder: Path, state: Path) -> Figures:
    """Restore a saved market into an empty state folder and prove that it equals what was saved, else `Stopped`."""
    from local import backup_export, backup_keepsakes

    started = time.monotonic()
    backup_export.check(folder)
    _check_empty(state)
    _copy_keepsakes(folder / "keepsakes", state)
    _copy_objects(folder / "keepsakes", state)
    with _cloud_on(state):
        backup_export.import_into_cloud(folder)
        _compare_keepsakes(folder / "keepsakes", state)  # before anybody reads a secret, of which the cloud takes note
        with tempfile.TemporaryDirectory(prefix="headroom-restored-") as again:
            counts = backup_export.export(Path(again))
            backup_export.compare(folder, Path(again))
        backup_keepsakes.unwrap_probes(folder / "keepsakes")
    return Figures(*counts, time.monotonic() - started)


def _copy_state(state: Path, copy: Path) -> None:
    """The journal first: whatever its rows name was there before them and is copied after."""
    (copy / "cloud").mkdir()
    for pattern in ("snapshot-*", "journal-*"):
        for file in sorted((state / "cloud").glob(pattern)):
            shutil.copy2(file, copy / "cloud" / file.name)
    _copy_keepsakes(state, copy)
    _copy_objects(state, copy)


def _copy_objects(source: Path, target: Path) -> None:
    if (source / _OBJECTS).is_dir():
        shutil.copytree(source / _OBJECTS, target / _OBJECTS, dirs_exist_ok=True)


def _copy_keepsakes(source: Path, target: Path) -> None:
    for pattern in _KEEPSAKES:
        for file in source.glob(pattern):
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)


def _compare_keepsakes(saved: Path, state: Path) -> None:
    """`Stopped` with what the cloud wrote anew when it had loaded it: passwords are told by no list."""
    files = [file.relative_to(saved) for pattern in _KEEPSAKES for file in saved.glob(pattern)]
    wrong = sorted(str(file) for file in files if (saved / file).read_bytes() != (state / file).read_bytes())
    if wrong:
        raise Stopped(f"What was restored differs from what was saved: {', '.join(wrong)}.")


@contextmanager
def _cloud_on(state: Path) -> Iterator[None]:
    """An emulator on a state folder, to which every AWS client of this process leads for as long as the block runs."""
    from chalicelib.storage.clients import forget_clients

    before = dict(os.environ)
    cloud = launch.start(state / "cloud", launch.free_port(), state / "log" / "cloud.log")
    os.environ.update({**launch.settings_for(cloud.address), "HEADROOM_STAGE": "local"})
    forget_clients()
    try:
        yield
    finally:
        cloud.stop()
        os.environ.clear()
        os.environ.update(before)
        forget_clients()


def _check_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise Stopped(f"{folder} is not empty. Name a folder that is, or one that does not exist yet.")
    folder.mkdir(parents=True, exist_ok=True)


def main() -> int:
    asked = _arguments()
    try:
        if asked.act == "save":
            figures = save(asked.state, asked.folder)
            print(f"saved {asked.state} to {asked.folder}")
        else:
            figures = restore(asked.folder, asked.state)
            print(f"restored {asked.folder} to {asked.state}; every row, object, login and key is equal")
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return 1
    figures.tell()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.backup", description="Save and restore a local market.")
    parser.add_argument("act", choices=("save", "restore"))
    parser.add_argument("folder", type=Path, help="where the backup is")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="the market's folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
