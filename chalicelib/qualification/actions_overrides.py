"""Owns an operator's hand on single assets: qualify, disqualify, lift, and copying from an earlier competition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.assets import actions as assets
from chalicelib.assets.models import Asset
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call, ordered_ids
from chalicelib.kernel.errors import Invalid, Problem, Refusal, Stale
from chalicelib.kernel.models import Page
from chalicelib.qualification import store
from chalicelib.qualification.events import OverrideSet
from chalicelib.qualification.models import Override
from chalicelib.qualification.moments import check_override_open
from chalicelib.qualification.views import OverrideItem, OverridesMade, OverridesQuery, OverridesRequest, OverrideView
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

AT_ONCE = 24
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Hand:
    """What an operator wants of one asset, and the file it says so in."""

    asset: Asset
    effect: str
    reason: str
    receipt: str | None = None

    def stands(self, kept: Override | None) -> bool:
        """Whether it is so already."""
        if kept is None:
            return False
        if self.effect == "lift":
            return not kept.is_active
        return kept.is_active and (kept.effect, kept.reason) == (self.effect, self.reason)


def set_overrides(call: Call, competition_id: str, request: OverridesRequest) -> OverridesMade:
    """Qualify, disqualify or lift, all or none as far as they can be told before: `Invalid` with every problem.

    `Refused` before qualification opens and once bidding has opened. What stands already is written no second time.
    """
    competition = competitions.own_competition(call, competition_id)
    check_override_open(competition, call.now)
    hands = _hands(competition, request.overrides)
    made = objects.put_json([competition_id, [hand.asset.id for hand in hands]], "overrides")
    for start in range(0, len(hands), AT_ONCE):
        part = hands[start : start + AT_ONCE]
        _lay(call, competition, part, made if start + AT_ONCE >= len(hands) else None)
    return overrides_made(call, made)


def overrides_made(call: Call, made: str) -> OverridesMade:
    """The overrides that a request touched, as they stand now."""
    competition_id, asset_ids = objects.get_json(made)
    competitions.own_competition(call, competition_id)
    kept = store.load_overrides(competition_id, asset_ids)
    return OverridesMade(competition_id=competition_id, overrides=tuple(_views(list(kept.values()))))


def load_kept(competition_id: str, asset_ids: Iterable[str]) -> dict[str, Override]:
    """The overrides of assets in a competition, lifted ones too."""
    return store.load_overrides(competition_id, asset_ids)


def lay_by_file(call: Call, competition: Competition, hands: Sequence[Hand]) -> Refusal | None:
    """Save some overrides of a file together, with one record that names it; why not, if they did not go in."""
    try:
        _lay(call, competition, hands)
    except Refusal as refusal:
        return refusal
    return None


def list_overrides(call: Call, competition_id: str, query: OverridesQuery) -> Page[OverrideView]:
    """Overrides in order of asset: all of its own competition for an operator, those on its own assets for an FSP."""
    competition = competitions.joinable_competition(call, competition_id)
    page = store.page_of_overrides(competition_id, query.limit, query.cursor)
    seen = [row.body for row in page.items if _may_see(call, competition, row.body)]
    return Page(items=_views([each for each in seen if each.is_active or query.lifted]), next=page.next)


def copy_overrides(call: Call, competition_id: str) -> None:
    """Copy the overrides in force in the competition that this one names, for assets still in being.

    Each is copied once: one that the operator lifts afterwards stays lifted.
    """
    competition = competitions.get_competition(competition_id)
    if competition.overrides_from is None or not competition.is_published:
        return
    earlier = competitions.get_competition(competition.overrides_from)
    waiting = [override for override in store.overrides_of(earlier.id) if override.is_active]
    for start in range(0, len(waiting), AT_ONCE):
        _copy(call, competition, earlier, waiting[start : start + AT_ONCE])


def _copy(call: Call, competition: Competition, earlier: Competition, overrides: Sequence[Override]) -> None:
    present = assets.load_assets(override.asset_id for override in overrides)
    known = store.load_overrides(competition.id, present)
    groups = []
    for override in overrides:
        asset = present.get(override.asset_id)
        if asset is not None and not asset.is_archived and asset.id not in known:
            hand = Hand(asset, override.effect, override.reason)
            groups.append((hand, _first(call, competition, hand, earlier.reference)))
    if groups:
        asset_ids = [override.asset_id for _, override in groups]
        once = replace(call, new_id=ordered_ids(call.now, call.request_id, "copy", competition.id, *asset_ids))
        _save(once, competition, groups)


def _hands(competition: Competition, items: Sequence[OverrideItem]) -> list[Hand]:
    """What was asked, with the assets it is about; `Invalid` with everything that does not fit."""
    found = _assets_meant(items)
    kept = store.load_overrides(competition.id, (asset.id for asset in found.values()))
    problems: list[Problem] = []
    hands: list[Hand] = []
    seen: set[str] = set()
    for at, item in enumerate(items):
        asset = found.get(at)
        problem = _problem_of(asset, item, kept, seen)
        if problem is not None:
            problems.append(Problem(problem.code, problem.detail, f"overrides/{at}", problem.allowed))
        elif asset is not None:
            seen.add(asset.id)
            hands.append(Hand(asset, item.effect, item.reason))
    if problems:
        raise Invalid.of(problems, "override.invalid")
    return hands


def _problem_of(
    asset: Asset | None, item: OverrideItem, kept: Mapping[str, Override], seen: set[str]
) -> Problem | None:
    if asset is None:
        return Problem("asset.not_found", "There is no such asset.", None, "asset_id, or fsp and asset_ref")
    if asset.id in seen:
        return Problem("override.twice", f"Asset {asset.ref} stands here twice.", None, "each asset once")
    return lift_problem(asset, item.effect, kept.get(asset.id))


def lift_problem(asset: Asset, effect: str, kept: Override | None) -> Problem | None:
    """Only an override in force can be lifted, or one that was (which changes nothing)."""
    if effect == "lift" and kept is None:
        return Problem("override.none", f"Asset {asset.ref} has no override to lift.", None, "qualify or disqualify")
    return None


def _assets_meant(items: Sequence[OverrideItem]) -> dict[int, Asset]:
    """The assets items are about, by the item's place: by id, or by FSP and reference."""
    by_id = assets.load_assets(item.asset_id for item in items if item.asset_id)
    refs: dict[str, list[str]] = {}
    for item in items:
        if not item.asset_id and item.fsp and item.asset_ref:
            refs.setdefault(item.fsp, []).append(item.asset_ref)
    by_ref = {fsp: assets.find_by_refs(fsp, wanted) for fsp, wanted in refs.items()}
    meant = {at: _meant(item, by_id, by_ref) for at, item in enumerate(items)}
    return {at: asset for at, asset in meant.items() if asset is not None}


def _meant(item: OverrideItem, by_id: Mapping[str, Asset], by_ref: Mapping[str, Mapping[str, Asset]]) -> Asset | None:
    if item.asset_id:
        return by_id.get(item.asset_id)
    return by_ref.get(item.fsp or "", {}).get(item.asset_ref or "")


def _lay(call: Call, competition: Competition, hands: Sequence[Hand], result: str | None = None) -> None:
    """Save what is not so already, in one transaction; the caller's key is claimed with `result`."""
    for _ in range(_ATTEMPTS):
        kept = store.load_overrides(competition.id, (hand.asset.id for hand in hands))
        wanted = [(hand, _next(call, competition, hand, kept.get(hand.asset.id))) for hand in hands]
        try:
            _save(call, competition, [(hand, after) for hand, after in wanted if after], result)
            return
        except Stale:
            continue
    raise Stale("override.raced", "Others of your organisation keep changing these overrides. Read them again.")


def _next(call: Call, competition: Competition, hand: Hand, before: Override | None) -> Override | None:
    """The override after an operator's hand; None where it stands so already."""
    if hand.stands(before):
        return None
    if before is None:
        return _first(call, competition, hand)
    if hand.effect == "lift":
        return _lifted(call, before, hand)
    return _first(call, competition, hand).but(version=before.version + 1)


def _first(call: Call, competition: Competition, hand: Hand, copied_from: str | None = None) -> Override:
    return Override.model_validate(
        {
            "competition_id": competition.id,
            "so": competition.so,
            "asset_id": hand.asset.id,
            "fsp": hand.asset.owner,
            "effect": hand.effect,
            "reason": hand.reason,
            "by": call.actor.id,
            "at": call.now,
            "copied_from": copied_from,
            "receipt": hand.receipt,
        }
    )


def _lifted(call: Call, before: Override, hand: Hand) -> Override:
    lifted = {"lifted_at": call.now, "lifted_by": call.actor.id, "receipt": hand.receipt}
    return before.but(**lifted, version=before.version + 1)


def _save(
    call: Call, competition: Competition, made: Sequence[tuple[Hand, Override]], result: str | None = None
) -> None:
    """Rows, counts, one event and one record per override, or one for all that a file wrote."""
    writes = [store.override_written(override) for _, override in made]
    writes += [store.counted(competition.id, fsp) for fsp in sorted({override.fsp for _, override in made})]
    events = [_event(competition, [override.asset_id for _, override in made])] if made else []
    receipt = made[0][0].receipt if made else None
    changes = [_change(competition, hand, override) for hand, override in made]
    changes = [_packed(competition, receipt, made)] if receipt else changes
    commit(call if result else call.without_key(), writes, events, changes, result)


def _event(competition: Competition, asset_ids: Iterable[str]) -> OverrideSet:
    return OverrideSet(competition_id=competition.id, so=competition.so, asset_ids=tuple(asset_ids))


def _change(competition: Competition, hand: Hand, override: Override) -> Change:
    return Change(
        thing=f"competition:{competition.id}",
        action=f"override.{hand.effect}",
        organisation=competition.so,
        after=override.model_dump(mode="json", exclude_none=True),
        reason=hand.reason,
    )


def _packed(competition: Competition, receipt: str, made: Sequence[tuple[Hand, Override]]) -> Change:
    return Change(
        thing=f"receipt:{receipt}",
        action="overrides.imported",
        organisation=competition.so,
        after={"competition_id": competition.id, "overrides": {each.asset_id: hand.effect for hand, each in made}},
    )


def _may_see(call: Call, competition: Competition, override: Override) -> bool:
    return call.organisation in (competition.so, override.fsp)


def _views(overrides: Sequence[Override]) -> list[OverrideView]:
    known = assets.load_assets(override.asset_id for override in overrides)
    return [override_view(override, known.get(override.asset_id)) for override in overrides]


def override_view(override: Override, asset: Asset | None = None) -> OverrideView:
    """An override as both sides see it."""
    return OverrideView(
        competition_id=override.competition_id,
        asset_id=override.asset_id,
        asset_ref=asset.ref if asset else None,
        fsp=override.fsp,
        effect=override.effect,
        reason=override.reason,
        at=override.at,
        active=override.is_active,
        copied_from=override.copied_from,
        lifted_at=override.lifted_at,
        version=override.version,
    )
