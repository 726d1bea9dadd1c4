"""Owns what a demo is played with: the files of its operator and providers, invented or real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider and its asset rows by the template's headers."""

    name: str
    assets: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Need:
    """One competition: its row and its windows' rows without dates, the areas it is for, and whether anybody bids."""

    row: Row
    areas: Sequence[str]
    windows: Sequence[Row]
    boundaries: Sequence[Row] = ()
    needs_scheme: bool = False
    nobody_bids: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """All files of one demo. `area_files` are (name, bytes) of the same areas, sent one after the other."""

    operator: str
    area_files: Sequence[tuple[str, bytes]]
    area_count: int
    gazetteer: tuple[str, bytes]
    gazetteer_rows: int
    providers: Sequence[Provider]
    needs: Sequence[Need]
    located: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)
    real: bool = False
