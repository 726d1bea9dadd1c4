"""`headroom audit`: an organisation's audit trail as a file, and the proof that nothing in it was touched.

    headroom audit export ORGANISATION FILE     the whole trail, from the deployment the environment leads to
    headroom audit roots FOLDER                 the daily roots, as they stand in the locked bucket
    headroom audit verify FILE [--roots FOLDER] needs nothing but the file

`--cloud-port` leads to the market of `make run` on this machine. `verify` ends with 0 when every link holds, and with 1
when a link is broken, which it names, or when records older than five minutes are in no block. Without the roots, an
export from whose end blocks and their records were cut, or whose whole chain was made anew, cannot be told.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalicelib.storage.audit_chain import Verdict, verify
from local.cloud import launch

MOST_NAMED = 20


def main(arguments: list[str] | None = None) -> int:
    asked = _arguments(arguments)
    if asked.what == "verify":
        return tell(verify_file(asked.file, asked.roots))
    if asked.cloud_port is not None:
        os.environ.update(launch.settings_for(f"http://{launch.HOST}:{asked.cloud_port}"))
    if asked.what == "export":
        return _export(asked.organisation, asked.file)
    return _keep_roots(asked.folder)


def verify_file(file: Path, roots: Path | None = None) -> Verdict:
    """The verdict on an export, held against the daily roots of a folder where one is given."""
    with file.open(encoding="utf-8") as lines:
        return verify(lines, _roots_in(roots) if roots else ())


def tell(verdict: Verdict) -> int:
    """Say what was found; the program's exit status."""
    if verdict.broken is not None:
        print(f"BROKEN: {verdict.broken}")
        return 1
    print(f"{verdict.organisation}: {verdict.records} records, {verdict.blocks} blocks, every link holds.")
    if verdict.unsealed:
        print(f"BUT {len(verdict.unsealed)} records older than five minutes are in no block:")
        print("\n".join(verdict.unsealed[:MOST_NAMED]))
        return 1
    return 0


def _export(organisation: str, file: Path) -> int:
    from chalicelib.edge.identity import start_call
    from chalicelib.storage.audit_export import export_trail

    with file.open("w", encoding="utf-8") as out:
        count = sum(1 for line in export_trail(start_call(), organisation) if out.write(line + "\n"))
    print(f"{file}: {count} lines")
    return 0


def _keep_roots(folder: Path) -> int:
    from chalicelib.storage.audit_export import daily_roots

    folder.mkdir(parents=True, exist_ok=True)
    days = [_keep_root(folder, root) for root in daily_roots()]
    print(f"{folder}: {len(days)} days")
    return 0


def _keep_root(folder: Path, root: dict[str, Any]) -> Path:
    file = folder / f"{root['day']}.json"
    file.write_text(json.dumps(root, sort_keys=True, indent=1), encoding="utf-8")
    return file


def _roots_in(folder: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json")))


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="headroom audit", description="An audit trail and its proof.")
    whats = parser.add_subparsers(dest="what", required=True)
    export = whats.add_parser("export", help="write an organisation's whole trail")
    export.add_argument("organisation")
    export.add_argument("file", type=Path)
    roots = whats.add_parser("roots", help="write the daily roots")
    roots.add_argument("folder", type=Path)
    for reading in (export, roots):
        reading.add_argument("--cloud-port", type=int, help="of the market of `make run` (4566 unless told otherwise)")
    check = whats.add_parser("verify", help="walk an export and name the first broken link")
    check.add_argument("file", type=Path)
    check.add_argument("--roots", type=Path, help="a folder of daily roots, to hold the export against")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
