"""`headroom replay-proposal FILE...`: makes proposals again from their records, and says whether they agree.

A record is what `GET /v1/competitions/{id}/proposals/{number}/record` links to: the input of a proposal and its result.
Nothing else is asked: no market, no network. Ends with 0 when every proposal comes to the same, else with 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from chalicelib.decisions.actions_proposing import made_from
from chalicelib.decisions.models_proposals import ProposalRecord, ProposalResult
from chalicelib.decisions.selection_models import Selection


def main() -> int:
    parser = argparse.ArgumentParser(prog="headroom replay-proposal", description=__doc__)
    parser.add_argument("records", type=Path, nargs="+", metavar="FILE", help="a proposal's record")
    differing = [path for path in parser.parse_args().records if not _replayed(path)]
    return 1 if differing else 0


def _replayed(path: Path) -> bool:
    """Print how one record comes out; whether it came out the same."""
    try:
        record = ProposalRecord.model_validate_json(path.read_text())
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        print(f"{path}: no record of a proposal: {error}")
        return False
    found = list(differences(record))
    told = record.input
    print(
        f"{path}: proposal {told.number} of {told.competition_reference} ({told.competition_id}), asked {told.asked_at}"
    )
    for line in found:
        print(f"  {line}")
    print("  different" if found else f"  equal: made again from input {record.result.selection.digest}")
    return not found


def differences(record: ProposalRecord) -> Iterator[str]:
    """In words, everything in which a proposal made again differs from what is on record."""
    again = made_from(record.input)
    yield from _digest(record)
    yield from _between("what was asked", record.result.selection, again.selection)
    yield from _beside_plain(record.result, again)


def _digest(record: ProposalRecord) -> Iterator[str]:
    found = record.input.weighed.request.digest
    if found != record.result.selection.digest:
        yield f"the input on record has digest {found}, not {record.result.selection.digest}"


def _beside_plain(kept: ProposalResult, again: ProposalResult) -> Iterator[str]:
    if (kept.plain is None) != (again.plain is None):
        yield "the plain proposal to compare with is on one side alone"
    if kept.plain is not None and again.plain is not None:
        yield from _between("the plain proposal", kept.plain, again.plain)


def _between(what: str, kept: Selection, again: Selection) -> Iterator[str]:
    """The solver's own version is no difference by itself: what it found is what counts."""
    if kept.solver_version != again.solver_version:
        print(f"  note: made with {kept.solver} {kept.solver_version}, made again with {again.solver_version}")
    for name in Selection.model_fields:
        if name != "solver_version" and getattr(kept, name) != getattr(again, name):
            yield f"{what}: {name} is {getattr(again, name)!s:.200}, on record {getattr(kept, name)!s:.200}"


if __name__ == "__main__":
    raise SystemExit(main())
