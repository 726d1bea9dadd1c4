"""Owns reading answers with their traces: by competition, by asset, and of one pair near or far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from chalicelib.assets import actions as assets
from chalicelib.assets.models import Asset
from chalicelib.assets.requests import AssetQuery
from chalicelib.competitions import actions as competitions
from chalicelib.competitions import actions_reading as competitions_reading
from chalicelib.competitions.models import Competition
from chalicelib.competitions.rules import phase
from chalicelib.competitions.views import CompetitionQuery
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.models import Page
from chalicelib.qualification import store
from chalicelib.qualification.actions_facts import Companies, Surroundings, answer_for, would_be_answers
from chalicelib.qualification.actions_overrides import override_view
from chalicelib.qualification.actions_sheets import current_sheet
from chalicelib.qualification.capacity import standing, why_not
from chalicelib.qualification.models import Answer, Override, Sheet
from chalicelib.qualification.moments import is_closed, is_running
from chalicelib.qualification.rules import is_eligible, need_of
from chalicelib.qualification.sentences import trace
from chalicelib.qualification.views import AnswersQuery, AnswerView, AssetAnswersQuery
from chalicelib.registry import actions as registry
from chalicelib.storage.tables import decode_cursor, encode_cursor

_READS_AT_MOST = 40
_ANSWERS_AT_ONCE = 100
_SAME = {"competition_id", "so", "fsp", "asset_id", "asset_ref", "capacity_mw", "remaining_mw", "losses"}
_TOLD = _SAME | {"match", "area", "distance_m"}
_NO_ANSWER = NotFound("qualification.not_found", "There is no such asset in this competition.")


@dataclass(slots=True)
class Teller:
    """Turns answers into views; sheets and names are read once."""

    call: Call
    _sheets: dict[tuple[str, str], Sheet] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def views(self, competition: Competition, answers: Sequence[Answer]) -> list[AnswerView]:
        """The views of answers of one competition, in their order."""
        return [view for view, _ in self.told(competition, answers)]

    def told(self, competition: Competition, answers: Sequence[Answer]) -> list[tuple[AnswerView, Asset]]:
        """The same, each with its asset as it stands."""
        overrides = store.load_overrides(competition.id, (answer.asset_id for answer in answers))
        known = assets.load_assets(answer.asset_id for answer in answers)
        pairs = [(answer, known[answer.asset_id]) for answer in answers]
        return [(self.view(competition, answer, overrides.get(asset.id), asset), asset) for answer, asset in pairs]

    def view(self, competition: Competition, answer: Answer, override: Override | None, asset: Asset) -> AnswerView:
        """One answer with its trace as it stands at the instant of the call."""
        closed = is_closed(competition, self.call.now)
        sheet = self.sheet(competition, answer.fsp) if closed else None
        state, entered = (sheet.state, sheet.entered) if sheet else ("undecided", True)
        return AnswerView.model_validate(
            {
                **answer.model_dump(include=_TOLD),
                "competition_ref": competition.reference,
                "competition_name": competition.name,
                "phase": phase(competition, self.call.now),
                "fsp_name": self.name(answer.fsp),
                "asset_name": asset.name,
                "eligible": is_eligible(answer, override),
                "standing": standing(answer, override, entered, closed),
                "why": tuple(why_not(answer, override, state, entered, closed)),
                "rules": trace(answer),
                "override": override_view(override, asset) if override else None,
            }
        )

    def sheet(self, competition: Competition, fsp: str) -> Sheet:
        key = (competition.id, fsp)
        if key not in self._sheets:
            self._sheets[key] = current_sheet(competition, fsp)
        return self._sheets[key]

    def name(self, organisation_id: str) -> str:
        if organisation_id not in self._names:
            self._names |= names_of([organisation_id])
        return self._names[organisation_id]


def names_of(organisation_ids: Iterable[str]) -> dict[str, str]:
    """What organisations are called; one that is not known is called by its id."""
    wanted = sorted(set(organisation_ids))
    found = registry.get_organisations(wanted)
    return {each: found[each].name if each in found else each for each in wanted}


def list_answers(call: Call, competition_id: str, query: AnswersQuery) -> Page[AnswerView]:
    """Answers of a competition: all of them for its operator, an FSP's own for the FSP; a page may be short."""
    competition = competitions.joinable_competition(call, competition_id)
    if query.asset is not None:
        return Page(items=[_trace_of(call, competition, query.asset)])
    if competition.so != call.actor.organisation and query.scope == "all":
        return _all_own(call, competition, query)
    return _kept(call, competition, query)


def list_asset_answers(call: Call, asset_id: str, query: AssetAnswersQuery) -> Page[AnswerView]:
    """An asset of the caller's against competitions: those it lies near, one by id, or every live one."""
    assets.get_asset(call, asset_id)
    if query.competition is not None:
        competition = competitions.visible_competition(call, query.competition)
        return Page(items=[_trace_of(call, competition, asset_id)])
    if query.scope == "all":
        return _every_live(call, asset_id, query)
    page = store.page_of_asset(asset_id, query.limit, query.cursor)
    kept = store.load_answers(store.pair_of(row.body) for row in page.items)
    return Page(items=_across(call, list(kept.values())), next=page.next)


def told_answers(call: Call, competition: Competition, fsp: str | None) -> Iterator[tuple[AnswerView, Asset]]:
    """Every answer of a competition (of one FSP, or of all) as it is told, with its asset: for files.

    A draft has those that it would have if it were published now.
    """
    fsps = [fsp] if fsp else sorted(store.counts_of(competition.id))
    kept = (answer for each in fsps for answer in store.answers_of(competition.id, each))
    answers, teller = kept if competition.is_published else would_be_answers(competition), Teller(call)
    while batch := list(islice(answers, _ANSWERS_AT_ONCE)):
        yield from teller.told(competition, batch)


def _trace_of(call: Call, competition: Competition, asset_id: str) -> AnswerView:
    """One pair as the facts stand now, near or far; an operator sees only what takes part in its competition."""
    asset = assets.load_assets([asset_id]).get(asset_id)
    if asset is None or call.organisation not in (asset.owner, competition.so):
        raise _NO_ANSWER
    pair = (competition.id, asset.owner, asset.id)
    if call.organisation != asset.owner and not store.load_answers([pair]):
        raise _NO_ANSWER
    answer = answer_for(asset, need_of(competition), Companies(), Surroundings().matches)
    return Teller(call).views(competition, [answer])[0]


def _kept(call: Call, competition: Competition, query: AnswersQuery) -> Page[AnswerView]:
    """Kept answers, FSP by FSP and bucket by bucket, from where the cursor stands."""
    teller, reads = Teller(call), 0
    found: list[AnswerView] = []
    places = _places(_fsps(call, competition, query))
    place, inner = _from_cursor(query.cursor, places)
    while place < len(places) and len(found) < query.limit and reads < _READS_AT_MOST:
        page = store.page_of_bucket(competition.id, *places[place], query.limit - len(found), inner)
        views = teller.views(competition, [row.body for row in page.items])
        found += [view for view in views if query.standing in (None, view.standing)]
        inner, reads = page.next, reads + 1
        place += inner is None
    return Page(items=found, next=_cursor(places[place], inner) if place < len(places) else None)


def _fsps(call: Call, competition: Competition, query: AnswersQuery) -> list[str]:
    if competition.so != call.actor.organisation:
        return [call.organisation]
    return [fsp for fsp in sorted(store.counts_of(competition.id)) if query.fsp in (None, fsp)]


def _places(fsps: Iterable[str]) -> list[tuple[str, str]]:
    return [(fsp, bucket) for fsp in fsps for bucket in store.BUCKETS]


def _cursor(place: tuple[str, str], inner: str | None) -> str:
    return encode_cursor({"fsp": {"S": place[0]}, "bucket": {"S": place[1]}, "inner": {"S": inner or ""}})


def _from_cursor(cursor: str | None, places: Sequence[tuple[str, str]]) -> tuple[int, str | None]:
    """Where to go on: the first place at or after the one the cursor names."""
    if cursor is None:
        return 0, None
    named = {name: part["S"] for name, part in decode_cursor(cursor).items()}
    wanted = (named.get("fsp", ""), named.get("bucket", ""))
    place = next((at for at, each in enumerate(places) if each >= wanted), len(places))
    exact = place < len(places) and places[place] == wanted
    return place, (named.get("inner") or None) if exact else None


def _all_own(call: Call, competition: Competition, query: AnswersQuery) -> Page[AnswerView]:
    """Every asset of the FSP in order of reference, near or far; what is far is answered on the spot."""
    page = assets.list_assets(call, AssetQuery(limit=query.limit, cursor=query.cursor))
    found = assets.load_assets(view.id for view in page.items)
    companies, matches, need = Companies(), Surroundings().matches, need_of(competition)
    answers = [answer_for(found[view.id], need, companies, matches) for view in page.items]
    views = Teller(call).views(competition, answers)
    return Page(items=[view for view in views if query.standing in (None, view.standing)], next=page.next)


def _every_live(call: Call, asset_id: str, query: AssetAnswersQuery) -> Page[AnswerView]:
    """The asset against every competition that is neither withdrawn nor confirmed, in order of their end."""
    asset = assets.load_assets([asset_id])[asset_id]
    page = competitions_reading.list_competitions(call, CompetitionQuery(limit=query.limit, cursor=query.cursor))
    known = competitions.load_competitions(summary.id for summary in page.items)
    companies, matches = Companies(), Surroundings().matches
    answers = [answer_for(asset, need_of(each), companies, matches) for each in known.values() if is_running(each)]
    return Page(items=_across(call, answers), next=page.next)


def _across(call: Call, answers: Sequence[Answer]) -> list[AnswerView]:
    """Views of answers of several competitions, those that others than their operator may see."""
    known = competitions.load_competitions(answer.competition_id for answer in answers)
    teller = Teller(call)
    told = [answer for answer in answers if known[answer.competition_id].is_published]
    return [teller.views(known[answer.competition_id], [answer])[0] for answer in told]
