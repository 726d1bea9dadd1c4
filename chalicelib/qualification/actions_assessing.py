"""Owns assessing: which pairs of asset and competition a change touches, and keeping the answers that changed.

Answers can be rebuilt, so they are written without conditions. What makes that safe is the order: facts are read,
answers written, and then the facts' versions read again; as long as one has moved, the pairs are assessed anew. Of two
assessments of one pair, the one that writes last therefore stands on the newest facts. After the answers, the count of
changes of each FSP and competition moves on, which makes every sheet computed before out of date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TypeVar

from chalicelib.assets import actions as assets
from chalicelib.assets.models import Asset
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.competitions.rules import phase
from chalicelib.kernel.call import Call, derived_id, ordered_ids
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.events import Event
from chalicelib.qualification import store
from chalicelib.qualification.actions_facts import (
    Companies,
    Ground,
    Matches,
    Surroundings,
    answer_for,
    candidates_on,
    distinct,
    ground_of,
)
from chalicelib.qualification.events import AnswersChanged, CompetitionAssessed
from chalicelib.qualification.models import Answer, Override
from chalicelib.qualification.moments import is_running
from chalicelib.qualification.rules import is_eligible, is_worth_keeping, need_of
from chalicelib.storage.commit import commit

ASSETS_AT_ONCE = 100
MOST_IDS = 100
_ATTEMPTS = 10
_COUNTS_AT_ONCE = 90
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one pair: the answer before and after, and the override that stands over both."""

    before: Answer | None
    after: Answer
    override: Override | None

    @property
    def kept(self) -> bool:
        return is_worth_keeping(self.after, self.override)

    @property
    def changed(self) -> bool:
        """Whether there is something to write; other versions of the same facts are nothing."""
        return self.kept and (self.before is None or _facts(self.before) != _facts(self.after))

    @property
    def dropped(self) -> bool:
        return not self.kept and self.before is not None

    @property
    def was_eligible(self) -> bool:
        return self.before is not None and is_eligible(self.before, self.override)

    @property
    def now_eligible(self) -> bool:
        return self.kept and is_eligible(self.after, self.override)


def assess_competition(call: Call, competition_id: str, first: bool = False) -> None:
    """Assess every asset that can match a competition, or has an answer in it.

    With `first` (its publication) one fact tells which FSPs have eligible assets, in place of one per asset.
    """
    competition = competitions.get_competition(competition_id)
    if not is_assessed(competition, call):
        return
    ground = ground_of(competition)
    eligible: set[str] = set()
    for batch in _batches(_candidates(competition, ground)):
        judged = _assess(call, {competition_id: batch}, ground.matches, told=not first)
        eligible |= {each.after.fsp for each in judged if each.now_eligible}
    if first:
        _tell(call, _assessed_events(competition, sorted(eligible)))


def assess_assets(call: Call, asset_ids: Collection[str]) -> None:
    """Assess changed assets against the competitions they match, lie near, or have an answer in."""
    pairs: dict[str, set[str]] = {}
    found, around = assets.load_assets(asset_ids), Surroundings()
    around.learn(found.values())
    for asset in found.values():
        for competition_id in _competitions_for(call, asset, around.matches):
            pairs.setdefault(competition_id, set()).add(asset.id)
    _assess(call, {competition_id: sorted(ids) for competition_id, ids in pairs.items()}, around.matches)


def assess_pairs(call: Call, competition_id: str, asset_ids: Collection[str]) -> None:
    """Assess single assets against one competition, near it or not: after an override."""
    _assess(call, {competition_id: sorted(asset_ids)}, Surroundings().matches)


def assess_company(call: Call, scheme_id: str, fsp: str) -> None:
    """Assess an FSP's answers anew where the competition names a scheme in which its standing changed."""
    touched = competitions.load_competitions(store.find_competitions_of(fsp)).values()
    for competition in touched:
        if competition.scheme_id == scheme_id and is_assessed(competition, call):
            ground = ground_of(competition)
            for batch in _batches(answer.asset_id for answer in store.answers_of(competition.id, fsp)):
                _assess(call, {competition.id: batch}, ground.matches)


def is_assessed(competition: Competition, call: Call) -> bool:
    """Whether answers are kept up to date: from publication until results are confirmed or it is over."""
    return is_running(competition) and phase(competition, call.now) != "archived"


def _candidates(competition: Competition, ground: Ground) -> Iterator[str]:
    """Assets that can match, then those with an answer, each once."""
    fsps = store.counts_of(competition.id)
    answered = (answer.asset_id for fsp in fsps for answer in store.answers_of(competition.id, fsp))
    return distinct(chain(candidates_on(ground), answered))


def _competitions_for(call: Call, asset: Asset, matches: Matches) -> set[str]:
    """Where an asset counts as it is now, counted when this was told (if later changes came since), or ever did."""
    versions = [asset]
    if asset.changed_at > call.now:
        versions += filter(None, [assets.asset_as_at(asset.id, call.now)])
    zones = {match.zone_id for version in versions for match in matches(version)}
    return {*competitions.list_by_zones(sorted(zones)), *(pair[0] for pair in store.find_pairs_of_asset(asset.id))}


def _assess(call: Call, pairs: Mapping[str, Collection[str]], matches: Matches, told: bool = True) -> list[Judged]:
    """Assess assets (values) against competitions (keys) until the facts stand still; answers the last verdicts."""
    for _ in range(_ATTEMPTS):
        known = competitions.load_competitions(pairs)
        running = {each: ids for each, ids in pairs.items() if each in known and is_assessed(known[each], call)}
        heads = assets.load_assets({asset_id for ids in running.values() for asset_id in ids})
        companies = Companies()
        judged = [each for one in running for each in _judge(known[one], running[one], heads, companies, matches)]
        _keep(call, judged, told)
        if not _moved(known, heads, companies, running):
            return judged
    raise RuntimeError("assets and competitions kept changing while they were assessed")


def _judge(
    competition: Competition,
    asset_ids: Iterable[str],
    heads: Mapping[str, Asset],
    companies: Companies,
    matches: Matches,
) -> Iterator[Judged]:
    need = need_of(competition)
    present = [heads[asset_id] for asset_id in asset_ids if asset_id in heads]
    before = store.load_answers((competition.id, asset.owner, asset.id) for asset in present)
    overrides = store.load_overrides(competition.id, (asset.id for asset in present))
    for asset in present:
        after = answer_for(asset, need, companies, matches)
        yield Judged(before.get(store.pair_of(after)), after, overrides.get(asset.id))


def _keep(call: Call, judged: Sequence[Judged], told: bool) -> None:
    """Tell what changed, write it, and count it: in this order, so that a repetition after a crash does the rest.

    An answer that is no longer worth keeping is written as it is now, counted, and only then dropped.
    """
    if told:
        _tell(call, _changed_events(judged))
    store.keep_answers([each.after for each in judged if each.changed or each.dropped])
    touched = sorted({(each.after.competition_id, each.after.fsp) for each in judged if each.kept or each.before})
    for start in range(0, len(touched), _COUNTS_AT_ONCE):
        commit(call, [store.counted(*part) for part in touched[start : start + _COUNTS_AT_ONCE]])
    store.drop_answers([store.pair_of(each.after) for each in judged if each.dropped])


def _moved(
    known: Mapping[str, Competition], heads: Mapping[str, Asset], companies: Companies, running: Mapping[str, object]
) -> bool:
    """Whether a fact changed since it was read."""
    assets_now = {asset.id: asset.version for asset in assets.load_assets(heads).values()}
    competitions_now = {each.id: each.version for each in competitions.load_competitions(running).values()}
    return (
        any(assets_now[asset_id] != asset.version for asset_id, asset in heads.items())
        or any(competitions_now[each] != known[each].version for each in running)
        or companies.moved()
    )


def _facts(answer: Answer) -> Answer:
    """The answer without the versions it was made from."""
    return answer.model_copy(
        update={"asset_version": 0, "head_version": 0, "competition_version": 0, "company_version": 0}
    )


def _changed_events(judged: Sequence[Judged]) -> Iterator[Event]:
    """What became eligible and what lost it, by competition and FSP."""
    groups: dict[tuple[str, str, str], list[Judged]] = {}
    for each in judged:
        if each.was_eligible != each.now_eligible:
            groups.setdefault((each.after.competition_id, each.after.so, each.after.fsp), []).append(each)
    for (competition_id, so, fsp), changed in groups.items():
        for part in _parts(changed, MOST_IDS):
            yield AnswersChanged(
                competition_id=competition_id,
                so=so,
                fsp=fsp,
                gained=tuple(each.after.asset_id for each in part if each.now_eligible),
                lost=tuple(each.after.asset_id for each in part if each.was_eligible),
            )


def _assessed_events(competition: Competition, fsps: Sequence[str]) -> Iterator[Event]:
    for part in _parts(fsps, MOST_IDS):
        yield CompetitionAssessed(competition_id=competition.id, so=competition.so, fsps=tuple(part))


def _tell(call: Call, events: Iterable[Event]) -> None:
    """Write each fact to the outbox once, however often the same cause leads to it."""
    for event in events:
        content = event.model_dump_json()
        told = replace(call, new_id=ordered_ids(call.now, call.request_id, derived_id("say", event.name, content)))
        try:
            commit(told, [], [event])
        except Refused as refusal:
            if refusal.code != "exists":
                raise


def _batches(asset_ids: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(asset_ids)
    while batch := list(islice(waiting, ASSETS_AT_ONCE)):
        yield batch


def _parts(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (items[start : start + most] for start in range(0, len(items), most))
