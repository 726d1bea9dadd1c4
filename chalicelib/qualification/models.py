"""Owns the values of qualification: needs, answers with their numbers, overrides, entries and sheets."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import Kilovolts, Megawatts, Metres

Rule = Literal["location", "voltage", "capacity", "deadline", "company", "status"]
MatchKind = Literal["meter", "area", "postcode", "bounding box", "buffer"]
LocationRule = Literal["area_or_meter", "area", "meter"]
Choice = Literal["undecided", "entered", "withdrawn"]
EntryState = Literal["undecided", "entered", "withdrawn", "not applicable"]
Effect = Literal["qualify", "disqualify"]
Standing = Literal["eligible", "not eligible", "qualified", "not qualified"]
Loss = Literal["lower capacity", "archived", "approval lost"]

RULES: tuple[Rule, ...] = ("location", "voltage", "capacity", "deadline", "company", "status")
"""The automatic rules of page 4; the place in this tuple is the rule's bit in an answer."""
MATCH_ORDER: tuple[MatchKind, ...] = ("meter", "area", "postcode", "bounding box", "buffer")
"""The ways a location matches, surest first."""


class Need(Value):
    """What one competition asks of an asset; everything the rules compare with.

    `zones` names each zone by the area it stands for; `smallest_minimum_mw` is the smallest minimum aggregate asset
    size of all its windows.
    """

    competition_id: str
    so: str
    version: int
    zones: dict[str, str]
    location_rule: LocationRule = "area_or_meter"
    buffer_m: Metres = Decimal(0)
    lowest_kv: Kilovolts | None = None
    highest_kv: Kilovolts | None = None
    power_type: str
    direction: str
    deadline: Instant
    scheme_id: str | None = None
    scheme_ref: str | None = None
    smallest_minimum_mw: Megawatts = Decimal(0)
    entry_required: bool = False


class Company(Value):
    """How an FSP stands in the scheme a competition names, now and at the close of qualification.

    `version` grows with every move of the application; `state` is None where there is no application.
    """

    state: str | None = None
    approved_now: bool = False
    approved_at_close: bool = False
    version: int = 0


class Location(Value):
    """How an asset lies to a competition: the surest match, or the nearest boundary when it is outside by < 1 km.

    `area` is the area's reference; `distance_m` counts from its unwidened edge, 0 inside; `placed` says whether the
    asset has a place at all.
    """

    match: MatchKind | None = None
    area: str | None = None
    distance_m: Metres | None = None
    placed: bool = True


class Answer(Value):
    """One asset against one competition, as at the close of qualification or, before it, as it stands.

    Bit i of `passed` is rule i of `RULES`. The other fields are the two things each rule compared, from which the
    sentences are rendered on reading. `remaining_mw` and `losses` tell what was lost after the close. The versions
    are those of the facts it was made from: `head_version` is the asset's newest, `asset_version` the one assessed.
    """

    competition_id: str
    so: str
    fsp: str
    asset_id: str
    asset_ref: str
    passed: int = Field(ge=0, lt=64)
    match: MatchKind | None = None
    area: str | None = None
    distance_m: Metres | None = None
    placed: bool = True
    location_rule: LocationRule
    buffer_m: Metres
    voltage_kv: Kilovolts
    lowest_kv: Kilovolts | None = None
    highest_kv: Kilovolts | None = None
    power_type: str
    direction: str
    capacity_mw: Megawatts
    complete_since: Instant
    deadline: Instant
    scheme_ref: str | None = None
    company_state: str | None = None
    status: str
    remaining_mw: Megawatts
    losses: tuple[Loss, ...] = ()
    asset_version: int
    head_version: int
    competition_version: int
    company_version: int = 0

    @property
    def location(self) -> Location:
        return Location(match=self.match, area=self.area, distance_m=self.distance_m, placed=self.placed)


class RuleResult(Value):
    """One line of the trace: pass or fail, the two things compared, and what would make it pass."""

    rule: Rule
    passed: bool
    found: str
    needed: str
    detail: str
    would_pass: str | None = None


class Override(Value):
    """An operator's hand on one asset in one competition; a lifted one is kept."""

    competition_id: str
    so: str
    asset_id: str
    fsp: str
    effect: Effect
    reason: str
    by: str
    at: Instant
    copied_from: str | None = None
    lifted_at: Instant | None = None
    lifted_by: str | None = None
    receipt: str | None = Field(default=None, description="the file that wrote this version")
    version: int = 1

    @property
    def is_active(self) -> bool:
        return self.lifted_at is None


class Entry(Value):
    """An FSP's stored choice whether to take part in a competition."""

    competition_id: str
    so: str
    fsp: str
    choice: Choice = "undecided"
    by: str | None = None
    at: Instant | None = None
    receipt: str | None = Field(default=None, description="the file that wrote this version")
    version: int = 0


class Sheet(Value):
    """All there is to say of one FSP in one competition, computed from its answers, overrides and entry.

    `counted_at` is the count of changes it was computed at; an older one is computed anew, and so is one under other
    terms. `capacities` holds MW per asset that is eligible and not lost (`held` of them, `held_mw` together); they
    count as qualified once qualification has closed, if `entered`.
    """

    competition_id: str
    so: str
    fsp: str
    counted_at: int
    smallest_minimum_mw: Megawatts
    entry_required: bool
    choice: Choice
    state: EntryState
    entered: bool
    assessed: int
    eligible: int
    eligible_mw: Megawatts
    held: int
    held_mw: Megawatts
    capacities: dict[str, Megawatts]

    @property
    def lost(self) -> int:
        """Eligible at the close, and lost since."""
        return self.eligible - self.held

    @property
    def qualified(self) -> dict[str, Decimal]:
        return dict(self.capacities) if self.entered else {}

    @property
    def qualified_count(self) -> int:
        return self.held if self.entered else 0

    @property
    def qualified_mw(self) -> Decimal:
        return self.held_mw if self.entered else Decimal(0)

    def is_current(self, need: Need, changes: int) -> bool:
        """Whether nothing it was computed from has changed since."""
        terms = (self.smallest_minimum_mw, self.entry_required)
        return self.counted_at == changes and terms == (need.smallest_minimum_mw, need.entry_required)
