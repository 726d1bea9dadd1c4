"""Owns gathering what an assessment stands on: a competition's ground, companies, asset versions as at the close."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import islice

from chalicelib.areas import actions as areas
from chalicelib.areas.matching import Matcher
from chalicelib.areas.models import NEAR_MISS_M, Boundary, MatchKind, ZoneMatch
from chalicelib.assets import actions as assets
from chalicelib.assets.models import Asset
from chalicelib.competitions.models import Competition
from chalicelib.kernel.cells import nanodegrees
from chalicelib.kernel.postcodes import sector_of
from chalicelib.qualification.models import Answer, Company, Need
from chalicelib.qualification.rules import assess, is_worth_keeping, locate, need_of, with_losses
from chalicelib.registry import actions as registry
from chalicelib.registry.schemes import Approval

Matches = Callable[[Asset], list[ZoneMatch]]
NO_COMPANY = Company()
_ASSETS_AT_ONCE = 100
_AN_INSTANT = timedelta(microseconds=1)


@dataclass(slots=True)
class Companies:
    """How FSPs stand in schemes, each read once."""

    _known: dict[tuple[str, str], Approval | None] = field(default_factory=dict)

    def of(self, need: Need, fsp: str) -> Company:
        """An FSP's standing for a need; that of nobody in particular where no scheme is named."""
        if need.scheme_id is None:
            return NO_COMPANY
        key = (need.scheme_id, fsp)
        if key not in self._known:
            self._known[key] = registry.approval_of(need.scheme_id, fsp)
        return company_of(self._known[key], need)

    def moved(self) -> bool:
        """Whether any standing changed since it was read."""
        return any(registry.approval_of(*key) != approval for key, approval in self._known.items())


def company_of(approval: Approval | None, need: Need) -> Company:
    """An approval, now and as at the close of qualification."""
    if approval is None:
        return NO_COMPANY
    return Company(
        state=approval.state,
        approved_now=approval.is_approved,
        approved_at_close=approval.was_approved_at(need.deadline),
        version=approval.version,
    )


def version_assessed(head: Asset, need: Need) -> Asset:
    """The version that counts: the newest from before the close of qualification, or the first there is.

    An asset that came later keeps failing by the deadline, whatever version is taken.
    """
    if head.changed_at < need.deadline:
        return head
    return assets.asset_as_at(head.id, need.deadline - _AN_INSTANT) or head


def answer_for(head: Asset, need: Need, companies: Companies, matches: Matches) -> Answer:
    """The answer for an asset: as at the close of qualification, with what it lost since."""
    asset = version_assessed(head, need)
    company = companies.of(need, head.owner)
    answer = assess(asset, need, locate(matches(asset), need, asset.place is not None), company)
    return with_losses(answer, head, need, company)


@dataclass(frozen=True, slots=True)
class Lists:
    """What one zone lists."""

    postcodes: frozenset[str]
    sectors: frozenset[str]
    meters: frozenset[str]

    @classmethod
    def of(cls, boundary: Boundary) -> Lists:
        return cls(frozenset(boundary.postcodes), frozenset(boundary.sectors), frozenset(boundary.meters))

    def kinds(self, asset: Asset) -> Iterator[MatchKind]:
        """In which ways the zone lists an asset."""
        if any("".join(meter.split()) in self.meters for meter in asset.meter_ids):
            yield "meter"
        if asset.postcode and (asset.postcode in self.postcodes or sector_of(asset.postcode) in self.sectors):
            yield "postcode"


@dataclass(frozen=True, slots=True)
class Ground:
    """The zones of one competition, ready for many assets."""

    within_m: Decimal
    matchers: tuple[Matcher, ...] = field(repr=False)
    lists: Mapping[str, Lists] = field(repr=False)

    def matches(self, asset: Asset) -> list[ZoneMatch]:
        """Every way in which an asset matches one of the zones, or lies near it."""
        return [*self._by_place(asset), *self._by_list(asset)]

    def place_cells(self) -> set[int]:
        """The cells in which assets can match by place."""
        return {cell for matcher in self.matchers for cell in matcher.place_cells(self.within_m)}

    def reached(self, places: Sequence[tuple[str, int, int]]) -> Iterator[str]:
        """The names of those places (name, latitude, longitude in nanodegrees) that match a zone or lie near it."""
        for matcher in self.matchers:
            yield from (name for name, _, _ in matcher.match_each(places, self.within_m))

    def _by_place(self, asset: Asset) -> list[ZoneMatch]:
        if asset.place is None:
            return []
        lat, lon = nanodegrees(asset.place.lat), nanodegrees(asset.place.lon)
        return [match for matcher in self.matchers for match in matcher.match(lat, lon, self.within_m)]

    def _by_list(self, asset: Asset) -> list[ZoneMatch]:
        held = self.lists.items()
        return [ZoneMatch(zone_id=zone_id, kind=kind) for zone_id, listed in held for kind in listed.kinds(asset)]


def ground_of(competition: Competition) -> Ground:
    """The zones of a competition with their cells and lists."""
    zones = {zone_id: areas.get_zone(zone_id) for zone_id in competition.zone_ids}
    return Ground(
        within_m=competition.area_buffer + NEAR_MISS_M,
        matchers=tuple(areas.zone_matcher(zone_id) for zone_id, zone in zones.items() if zone.cells),
        lists={zone_id: Lists.of(areas.zone_lists(zone_id)) for zone_id, zone in zones.items() if zone.lists},
    )


@dataclass(slots=True)
class Surroundings:
    """How assets lie to every zone of the market, asked once for each version; many together cost little more."""

    _known: dict[tuple[str, int], list[ZoneMatch]] = field(default_factory=dict)

    def matches(self, asset: Asset) -> list[ZoneMatch]:
        """Every way in which an asset matches any zone, or lies near it."""
        self.learn([asset])
        return self._known[asset.id, asset.version]

    def learn(self, versions: Iterable[Asset]) -> None:
        """Look up versions that are not known yet."""
        new = {(asset.id, asset.version): asset for asset in versions if (asset.id, asset.version) not in self._known}
        places = {key: (asset.place.lat, asset.place.lon) for key, asset in new.items() if asset.place}
        near = dict(zip(places, areas.zones_near_each(places.values()), strict=True))
        for key, asset in new.items():
            self._known[key] = [*near.get(key, ()), *areas.zones_listing(asset.postcode, asset.meter_ids)]


def would_be_answers(competition: Competition) -> Iterator[Answer]:
    """The answers that a competition would have if it were published now, of assets it matches or that lie near."""
    need, ground, companies = need_of(competition), ground_of(competition), Companies()
    waiting = distinct(candidates_on(ground))
    while batch := list(islice(waiting, _ASSETS_AT_ONCE)):
        for asset in assets.load_assets(batch).values():
            answer = answer_for(asset, need, companies, ground.matches)
            if is_worth_keeping(answer, None):
                yield answer


def candidates_on(ground: Ground) -> Iterator[str]:
    """The ids of all assets that can match a competition's zones by place or by list, some of them twice."""
    placed = assets.assets_in_cells(sorted(ground.place_cells()))
    yield from ground.reached([(each.asset_id, nanodegrees(each.lat), nanodegrees(each.lon)) for each in placed])
    for listed in ground.lists.values():
        yield from assets.assets_with_meters(sorted(listed.meters))
        yield from assets.assets_with_postcodes(sorted(listed.postcodes))
        yield from assets.assets_with_sectors(sorted(listed.sectors))


def distinct(ids: Iterable[str]) -> Iterator[str]:
    """Each id once, in the order they come."""
    seen: set[str] = set()
    for each in ids:
        if each not in seen:
            seen.add(each)
            yield each
