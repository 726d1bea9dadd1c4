"""Owns the audit trail's proof: records hashed into blocks, blocks into a chain per organisation, and its verification.

A record's hash is over its canonical JSON; a block holds the hashes of its records with their Merkle root and the hash
of the block before (trees as in RFC 6962, section 2.1: leaves and nodes are hashed apart, an odd one is carried up). So
nothing can be changed, removed, added or put elsewhere without changing every block after it; and the daily roots,
which stand in a bucket where nobody can change what was written first, hold the chain's head of each day fast.
Everything here is pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from chalicelib.kernel.models import Value

GENESIS = "0" * 64
PATIENCE = timedelta(minutes=5)
LONGEST_EXPORT = timedelta(hours=1)
_LEAF, _NODE = b"\x00", b"\x01"


class Leaf(Value):
    """A record as a block holds it."""

    id: str
    hash: str


class Block(Value):
    """A link of an organisation's chain; sequences count from 1."""

    organisation: str
    sequence: int
    previous: str
    root: str
    records: tuple[Leaf, ...]

    @property
    def hash(self) -> str:
        return _sha256(_canonical(self.model_dump(mode="json")))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk over an export found: the first broken link, or records that no block holds in time."""

    organisation: str
    records: int
    blocks: int
    broken: str | None = None
    unsealed: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return self.broken is None and not self.unsealed


class Broken(ValueError):
    """The first link of a chain that does not hold; its text says which and how."""


def record_hash(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record (JSON values), in hexadecimal, however its fields are ordered."""
    return _sha256(_LEAF + _canonical(record))


def merkle_root(hashes: Sequence[str]) -> str:
    """The root over leaf hashes in their order; of none, the hash of nothing."""
    if not hashes:
        return _sha256(b"")
    level = [bytes.fromhex(each) for each in hashes]
    while len(level) > 1:
        pairs = [level[start : start + 2] for start in range(0, len(level), 2)]
        level = [pair[0] if len(pair) == 1 else hashlib.sha256(_NODE + pair[0] + pair[1]).digest() for pair in pairs]
    return level[0].hex()


def next_block(organisation: str, sequence: int, previous: str, records: Sequence[Mapping[str, Any]]) -> Block:
    """The block that follows the block `sequence` whose hash is `previous` (0 and `GENESIS` for the first)."""
    leaves = tuple(Leaf(id=record["id"], hash=record_hash(record)) for record in records)
    root = merkle_root([leaf.hash for leaf in leaves])
    return Block(organisation=organisation, sequence=sequence + 1, previous=previous, root=root, records=leaves)


def day_root(heads: Mapping[str, Mapping[str, Any]]) -> str:
    """The Merkle root over the heads of all chains, in order of organisation."""
    return merkle_root([_sha256(_LEAF + _canonical([name, heads[name]])) for name in sorted(heads)])


def verify(lines: Iterable[str], roots: Iterable[Mapping[str, Any]] = ()) -> Verdict:
    """Walk an export (JSONL, see `audit_export`), and hold it against daily roots as they stand in the locked bucket.

    Never raises: what cannot be read is the first broken link.
    """
    walk = _Walk()
    try:
        walk.read(lines)
        for root in roots:
            walk.take_root(root)
        walk.check()
    except Broken as broken:
        return Verdict(walk.organisation, len(walk.records), len(walk.blocks), str(broken))
    return Verdict(walk.organisation, len(walk.records), len(walk.blocks), None, walk.late())


@dataclass(slots=True)
class _Walk:
    """An export as far as it was read."""

    organisation: str = ""
    at: datetime | None = None
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    blocks: list[tuple[Block, str]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    heads: list[tuple[str, int, str]] = field(default_factory=list)
    told_days: list[date] = field(default_factory=list)
    locked_days: list[date] = field(default_factory=list)

    def read(self, lines: Iterable[str]) -> None:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                self._take(json.loads(line))
            except Broken as broken:
                raise Broken(f"line {number}: {broken}") from broken
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Broken(f"line {number}: it is not a line of an export") from error
        if self.at is None:
            raise Broken("line 1: the export does not say whose it is")

    def _take(self, told: Mapping[str, Any]) -> None:
        kind = told["kind"]
        if (kind == "export") == (self.at is not None):
            raise Broken("an export says once, at its beginning, whose it is")
        if kind == "export":
            self.organisation, self.at = str(told["organisation"]), _instant(told["at"])
        elif kind == "record":
            self._take_record(told["record"])
        elif kind == "block":
            self.blocks.append((Block.model_validate(told["block"]), str(told["hash"])))
        elif kind == "root":
            self.told_days.append(_day_of(told))
            self.heads.append((str(told["day"]), int(told["sequence"]), str(told["hash"])))
        else:
            raise Broken(f"there is no such kind of line: {kind}")

    def _take_record(self, record: Mapping[str, Any]) -> None:
        name = str(record["id"])
        _instant(record["at"])
        if record["organisation"] != self.organisation:
            raise Broken(f"record {name} belongs to {record['organisation']}")
        if name in self.records:
            raise Broken(f"record {name} stands there twice")
        self.records[name] = record

    def take_root(self, root: Mapping[str, Any]) -> None:
        try:
            self.locked_days.append(_day_of(root))
            day, chains, told = str(root["day"]), root["chains"], root["root"]
            head = chains.get(self.organisation)
            named = (day, int(head["sequence"]), str(head["hash"])) if head else None
        except Broken:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Broken("a daily root cannot be read") from error
        if day_root(chains) != told:
            raise Broken(f"root of {day}: it does not come from the chains it names")
        if named is not None:
            self.heads.append(named)

    def check(self) -> None:
        self._check_days(self.told_days)
        self._check_days(self.locked_days)
        previous = GENESIS
        for place, (block, told) in enumerate(self.blocks, start=1):
            self._check_place(block, place, previous)
            self._check_content(block, told)
            previous = told
        for day, sequence, told in self.heads:
            if not 1 <= sequence <= len(self.blocks):
                raise Broken(f"block {sequence}: the root of {day} names it, and it is missing")
            if self.blocks[sequence - 1][1] != told:
                raise Broken(f"block {sequence}: it is not the one that the root of {day} names")

    def _check_days(self, days: Sequence[date]) -> None:
        for before, day in pairwise(sorted(days)):
            if day - before > timedelta(days=1):
                raise Broken(f"root of {before + timedelta(days=1)}: it is missing")

    def _check_place(self, block: Block, place: int, previous: str) -> None:
        if block.organisation != self.organisation:
            raise Broken(f"block {place}: it belongs to the chain of {block.organisation}")
        if block.sequence != place:
            raise Broken(f"block {place}: it is missing, or not in its place; block {block.sequence} stands there")
        if block.previous != previous:
            raise Broken(f"block {place}: it does not follow the block before it")

    def _check_content(self, block: Block, told: str) -> None:
        for leaf in block.records:
            self._check_record(block.sequence, leaf)
        if merkle_root([leaf.hash for leaf in block.records]) != block.root:
            raise Broken(f"block {block.sequence}: its records do not come to its root")
        if block.hash != told:
            raise Broken(f"block {block.sequence}: it was changed")

    def _check_record(self, sequence: int, leaf: Leaf) -> None:
        if leaf.id in self.held:
            raise Broken(f"block {sequence}: record {leaf.id} is in a block twice")
        if leaf.id not in self.records:
            raise Broken(f"block {sequence}: record {leaf.id} is missing")
        if record_hash(self.records[leaf.id]) != leaf.hash:
            raise Broken(f"block {sequence}: record {leaf.id} was changed")
        self.held.add(leaf.id)

    def late(self) -> tuple[str, ...]:
        """Records in no block though they were written more than five minutes before the export, or long after it."""
        assert self.at is not None
        since, until = self.at - PATIENCE, self.at + LONGEST_EXPORT
        waiting = {name: _instant(record["at"]) for name, record in self.records.items() if name not in self.held}
        return tuple(sorted(name for name, at in waiting.items() if not since <= at <= until))


def _day_of(root: Mapping[str, Any]) -> date:
    day = date.fromisoformat(root["day"])
    if "touched" in root:
        raise Broken(f"root of {day}: it was written again or removed after it was locked")
    return day


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"an instant without its zone: {text}")
    return at


def _canonical(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
