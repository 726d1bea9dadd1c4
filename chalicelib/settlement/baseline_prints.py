"""Owns the fingerprint of a baseline: a hash of all that it stands on. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.kernel.models import iso
from chalicelib.settlement.methods import VERSION, Method
from chalicelib.settlement.packing import read
from chalicelib.settlement.questions import Question, windows
from chalicelib.settlement.series import Series


@dataclass(frozen=True, slots=True)
class Blank:
    """The text that is hashed, but for the readings, which are all that differs between meters asked the same."""

    before: str
    instants: tuple[datetime, ...]
    stamps: tuple[str, ...]
    after: str

    def filled(self, readings: Series) -> str:
        """The text with what was read of one meter."""
        told = zip(self.stamps, read(readings, self.instants), strict=True)
        used = ", ".join([f'["{stamp}", {value}]' for stamp, value in told if value is not None])
        return f"{self.before}{used}{self.after}"


def print_of(
    method: Method, asked: Question, readings: Series, days: Collection[date], stated: Sequence[object]
) -> str:
    """The same inputs give the same, any other reading used another.

    `days` are those used and refused, `stated` the one statement that counts, as far as it was asked for.
    """
    key = method, tuple(sorted(days))
    if key not in asked.blanks:
        asked.blanks[key] = blank_of(method, asked, key[1], stated)
    return hashlib.sha256(asked.blanks[key].filled(readings).encode()).hexdigest()


def blank_of(method: Method, asked: Question, days: Sequence[date], stated: Sequence[object]) -> Blank:
    """What is hashed of a question: as JSON with its keys in order, `readings` after `notice`, before `span`."""
    wanted = [*windows(method, asked), *asked.periods]
    backs = [0, *sorted({(asked.day - day).days for day in days})]
    instants = {asked.grid.shifted(period, back) for back in backs for period in wanted} | set(wanted)
    stamps = sorted((iso(at), at) for at in instants if at is not None)
    before = {
        "days": sorted(map(str, days)),
        "devices": asked.devices,
        "method": method.model_dump(mode="json"),
        "minutes": asked.grid.minutes,
        "notice": asked.notice_at and iso(asked.notice_at),
    }
    after = {
        "span": [iso(moment) for moment in asked.span],
        "statements": stated,
        "version": VERSION,
        "zone": str(asked.grid.zone),
    }
    return Blank(
        f'{json.dumps(before, sort_keys=True)[:-1]}, "readings": [',
        tuple(at for _, at in stamps),
        tuple(stamp for stamp, _ in stamps),
        f"], {json.dumps(after, sort_keys=True)[1:]}",
    )
