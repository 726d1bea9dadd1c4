"""Owns what is asked and told over the API: answers with traces, overrides, entries and participants."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.kernel.models import Id, Instant, PageQuery, Value
from chalicelib.kernel.quantities import Megawatts, Metres
from chalicelib.qualification.models import Choice, Effect, EntryState, Loss, MatchKind, Rule, RuleResult, Standing

MOST_AT_ONCE = 200
"""Overrides or entries in one request; a file takes more."""

Reason = Annotated[str, Field(min_length=3, max_length=500, description="shown to the FSP")]


class OverrideView(Value):
    """An override as both sides see it."""

    competition_id: str
    asset_id: str
    asset_ref: str | None = None
    fsp: str
    effect: Effect
    reason: str
    at: Instant
    active: bool
    copied_from: str | None = None
    lifted_at: Instant | None = None
    version: int


class AnswerView(Value):
    """An answer with its trace, as the asset's owner and the competition's operator see it."""

    competition_id: str
    competition_ref: str
    competition_name: str
    phase: str
    so: str
    fsp: str
    fsp_name: str | None = None
    asset_id: str
    asset_ref: str
    asset_name: str | None = None
    eligible: bool
    standing: Standing
    why: tuple[str, ...] = Field(description="what stands between the asset and taking part, in sentences")
    capacity_mw: Megawatts
    remaining_mw: Megawatts
    match: MatchKind | None = None
    area: str | None = None
    distance_m: Metres | None = None
    rules: tuple[RuleResult, ...]
    override: OverrideView | None = None
    losses: tuple[Loss, ...] = ()


class RuleCount(Value):
    """How many assets a rule turns away; one asset may fail several."""

    rule: Rule
    assets: int


class WouldQualifyView(Value):
    """What would qualify if a competition were published now."""

    competition_id: str
    assessed: int = Field(description="assets inside or within reach of the competition's areas")
    all_assessed: bool = Field(description="false where there are more than a preview looks at")
    eligible: int
    eligible_mw: Megawatts
    fsps: int = Field(description="FSPs with an eligible asset")
    failed: tuple[RuleCount, ...] = Field(description="what turns the others away, by rule")


class EntryView(Value):
    """An FSP's entry in a competition with what it stands on."""

    competition_id: str
    competition_ref: str
    competition_name: str
    fsp: str
    choice: Choice
    state: EntryState
    counts_as_entered: bool
    entry_required: bool
    eligible: int
    eligible_mw: Megawatts
    smallest_minimum_mw: Megawatts
    changeable: bool
    changeable_until: Instant
    at: Instant | None = None
    version: int


class ParticipantView(Value):
    """One FSP in one competition, for the operator's table."""

    competition_id: str
    competition_ref: str
    fsp: str
    fsp_name: str
    state: EntryState
    counts_as_entered: bool
    assessed: int
    eligible: int
    eligible_mw: Megawatts
    qualified: int
    qualified_mw: Megawatts
    lost: int


class RoundParticipantView(Value):
    """One FSP over all competitions of a round: in how many it stands how, and the competitions one by one."""

    fsp: str
    fsp_name: str
    entered: int
    undecided: int
    withdrawn: int
    not_applicable: int
    eligible: int
    qualified: int
    competitions: tuple[ParticipantView, ...]


class AnswersQuery(PageQuery):
    """Which answers of a competition: by default those near it; `scope=all` adds an FSP's assets far from it."""

    asset: str | None = Field(default=None, max_length=60, description="the trace of this one asset, near or far")
    fsp: str | None = Field(default=None, max_length=60, description="an operator's filter")
    standing: Standing | None = None
    scope: Literal["near", "all"] = "near"


class AssetAnswersQuery(PageQuery):
    """Which competitions' answers for an asset: those near it, or (`scope=all`) every live competition."""

    competition: str | None = Field(default=None, max_length=60, description="the trace in this one, near or far")
    scope: Literal["near", "all"] = "near"


class OverridesQuery(PageQuery):
    """Which overrides: in force by default, with `lifted=true` the lifted ones too."""

    lifted: bool = False


class OverrideItem(Value):
    """An override asked for: of an asset by its id, or by its FSP and reference."""

    asset_id: str | None = Field(default=None, max_length=60)
    fsp: str | None = Field(default=None, max_length=60)
    asset_ref: str | None = Field(default=None, max_length=100)
    effect: Literal["qualify", "disqualify", "lift"]
    reason: Reason


class OverridesRequest(Value):
    """Overrides of one competition, all or none of them."""

    overrides: list[OverrideItem] = Field(min_length=1, max_length=MOST_AT_ONCE)


class OverridesMade(Value):
    """What came of a request for overrides."""

    competition_id: str
    overrides: tuple[OverrideView, ...]


class EntryRequest(Value):
    """The choice to take part, or not, or to think again."""

    choice: Choice


class EntriesRequest(Value):
    """One choice for many competitions: named by id, or all those of an operator's round."""

    choice: Choice
    competition_ids: list[Id] = Field(default_factory=list, max_length=MOST_AT_ONCE)
    so: str | None = Field(default=None, max_length=60, description="the operator whose round it is")
    round_ref: str | None = Field(default=None, max_length=60)


class EntriesMade(Value):
    """Every entry as it stands after the request; all of them changed or none."""

    entries: tuple[EntryView, ...]
