"""Owns the keeper's side of ballots' keys, for `keep-keys` alone: each ask judged by what is on record and its clock.

Nothing the asker says of a competition is believed: its calendar, operator and outcome, and whether its ballots were
opened, are read here, strongly. `call.now` is the keeper's own clock.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.bidding import store
from chalicelib.bidding.doors import check_counting, check_opening, check_own
from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.seal import unpacked
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.rules import is_visible
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.storage.data_keys import data_keys_of, load_data_key
from chalicelib.storage.key_words import Answered, Asked, KeyTold
from chalicelib.storage.sealing_cipher import Scope


def tell_own_keys(call: Call, asked: Asked) -> Answered:
    """The keys of one FSP's own ballots, which open nobody else's; `NotFound` for another's, `Forbidden` by role."""
    owner = asked.owner or ""
    check_own(replace(call, actor=asked.asker.actor), owner)
    found = competitions.load_competitions(asked.ids)
    if not all(each in found and is_visible(found[each]) for each in asked.ids):
        raise NotFound("competition.not_found", "There is no such competition.")
    scopes = [_scope(each) for each in asked.ids]
    return Answered(keys=tuple(KeyTold.of(scope, key.of(owner)) for scope, key in data_keys_of(scopes, asked.make)))


def tell_opening_keys(call: Call, asked: Asked) -> Answered:
    """The keys of every FSP's ballots of a competition, for its operator or the market itself once they were opened."""
    competition = competitions.get_competition(asked.ids[0])
    check_opening(asked.asker.actor, competition, store.opened_at(competition.id), asked.judged_at(call.now))
    fsps = store.bidders(competition.id)
    if not fsps:
        return Answered()
    scope = _scope(competition.id)
    key = load_data_key(scope)
    return Answered(keys=tuple(KeyTold.of(scope, key.of(fsp)) for fsp in fsps))


def tell_proposals_key(call: Call, asked: Asked) -> Answered:
    """The key of what is proposed about a competition's ballots, which holds their prices: as those of the ballots."""
    competition = competitions.get_competition(asked.ids[0])
    check_opening(asked.asker.actor, competition, store.opened_at(competition.id), asked.judged_at(call.now))
    if asked.owner != competition.so:
        raise NotFound("competition.not_found", "There is no such competition.")
    found = data_keys_of([Scope("proposals", competition.id)], asked.make)
    return Answered(keys=tuple(KeyTold.of(scope, key.of(competition.so)) for scope, key in found))


def tell_count(call: Call, asked: Asked) -> Answered:
    """How many bids there are in live ballots, from close on; whoever asks gets no key."""
    competition = competitions.get_competition(asked.ids[0])
    check_counting(asked.asker.actor, competition, asked.judged_at(call.now))
    found = store.load_sheets(competition.id, store.bidders(competition.id))
    if not found:
        return Answered(number=0)
    key = load_data_key(_scope(competition.id))
    sheets = [Sheet.model_validate(unpacked(key.of(each.fsp), competition.id, each)) for each in found]
    return Answered(number=sum(holding.bids for sheet in sheets for holding in sheet.live.values()))


def _scope(competition_id: str) -> Scope:
    return Scope("competition", competition_id)
