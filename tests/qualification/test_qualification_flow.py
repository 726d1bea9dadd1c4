"""Claims about answers as the market moves: what is assessed when, by place and list, and what each side sees."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.kernel.errors import NotFound
from chalicelib.qualification import actions
from chalicelib.qualification.views import AnswersQuery, AssetAnswersQuery
from tests.builders.areas import a_square
from tests.builders.assets import load_gazetteer
from tests.builders.qualifying import FSP, QualifyingMarket

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


def refs(views) -> list[str]:
    return sorted(view.asset_ref for view in views)


def test_a_new_competition_finds_the_assets_inside_and_near_and_no_others(world) -> None:
    world.asset("IN")
    world.asset("NEAR", latitude="52.105")
    world.asset("FAR", latitude="52.5")
    world.deliver()
    competition = world.competition()
    world.deliver()
    found = {view.asset_ref: view for view in world.answers(competition)}
    assert sorted(found) == ["IN", "NEAR"]
    assert (found["IN"].eligible, found["IN"].match, found["IN"].area) == (True, "area", "NORTH")
    assert (found["NEAR"].eligible, found["NEAR"].match) == (False, None)
    assert 500 < found["NEAR"].distance_m < 600


def test_a_new_asset_finds_the_competitions_it_matches(world) -> None:
    competition = world.competition()
    world.deliver()
    assert world.answers(competition) == []
    asset = world.asset()
    world.deliver()
    (view,) = world.answers(competition)
    assert (view.asset_id, view.eligible, view.standing, view.why) == (asset.id, True, "eligible", ())


def test_both_directions_give_the_same_answers(world) -> None:
    cells = [{"latitude": f"52.{number:03d}"} for number in range(90, 112, 3)]
    cells += [{"latitude": "53", "postcode": "IP1 1AA"}, {"latitude": "51.5"}]
    box = {"south": "51.4", "west": "1", "north": "51.6", "east": "1.3"}
    boundaries = {"areas": ["NORTH"], "postcode_sectors": ["IP1 1"], "bounding_boxes": [box]}
    first = world.competition("FIRST", area_buffer="300", boundaries=boundaries)
    world.deliver()
    for number, each in enumerate(cells):
        world.asset(f"EV-{number}", **each)
    world.deliver()
    second = world.competition("SECOND", area_buffer="300", boundaries=boundaries)
    world.deliver()
    seen = [sorted(world.answers(each), key=lambda view: view.asset_ref) for each in (first, second)]
    told = [[(view.asset_ref, view.match, view.area, view.distance_m, view.rules) for view in views] for views in seen]
    assert told[0] == told[1]
    assert {view.match for view in seen[0]} == {"area", "buffer", "postcode", "bounding box", None}


def test_an_asset_that_moves_away_leaves_and_one_that_comes_in_enters(world) -> None:
    competition = world.competition()
    world.deliver()
    asset = world.asset()
    world.deliver()
    world.change(asset, latitude="53", now="2026-04-02T09:00:00Z")
    world.deliver()
    assert world.answers(competition) == []
    world.change(asset, latitude="52.05", now="2026-04-03T09:00:00Z")
    world.deliver()
    assert refs(world.answers(competition)) == ["EV-1"]
    told = world.told("qualification.answers_changed.v1")
    assert [(bool(each["gained"]), bool(each["lost"])) for each in told] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_an_asset_without_a_known_place_is_told_so_and_comes_in_with_the_gazetteer(world) -> None:
    competition = world.competition()
    asset = world.asset(latitude=None, longitude=None, postcode="IP1 1AA")
    world.deliver()
    assert world.answers(competition) == []
    (view,) = world.answers(competition, asset=asset.id)
    assert view.why == ("location unknown; needs to be in an area, or to have its meter listed",)
    load_gazetteer({"IP1 1AA": ("52.05", "1.15")})
    world.deliver()
    (view,) = world.answers(competition)
    assert (view.eligible, view.match) == (True, "area")


def test_a_competition_is_told_once_with_the_fsps_that_have_eligible_assets(world) -> None:
    world.asset("A")
    world.asset("B", owner="org_fsp2", status="Mothballed")
    world.asset("C", owner="org_fsp3")
    world.deliver()
    competition = world.competition()
    world.deliver()
    assert world.told("qualification.competition_assessed.v1") == [
        {"competition_id": competition.id, "so": competition.so, "fsps": ["org_fsp1", "org_fsp3"]}
    ]
    assert world.told("qualification.answers_changed.v1") == []
    assert actions.eligible_fsps(competition.id) == ["org_fsp1", "org_fsp3"]


def test_an_edited_competition_is_assessed_anew(world) -> None:
    world.asset()
    world.deliver()
    competition = world.competition(qualification_open="2026-04-10T09:00:00Z")
    world.deliver()
    world.edit(competition, minimum_connection_voltage="6.6", maximum_connection_voltage="33")
    world.deliver()
    (view,) = world.answers(competition)
    assert view.why == ("connected at 0.4 kV (low voltage); needs 6.6 to 33 kV",)


def test_drafts_are_not_assessed_and_not_seen(world) -> None:
    world.asset()
    competition = world.competition(publish=False)
    world.deliver()
    with pytest.raises(NotFound):
        world.answers(competition)
    assert world.answers(competition, world.operator()) == []


def test_each_fsp_sees_its_own_answers_and_the_operator_all_of_them(world) -> None:
    competition = world.competition()
    world.asset("A")
    world.asset("B", owner="org_fsp2")
    world.deliver()
    assert refs(world.answers(competition)) == ["A"]
    assert refs(world.answers(competition, world.call("org_fsp2"))) == ["B"]
    assert world.answers(competition, world.call("org_fsp3")) == []
    assert refs(world.answers(competition, world.operator())) == ["A", "B"]
    assert refs(world.answers(competition, world.operator(), fsp="org_fsp2")) == ["B"]


def test_pages_walk_through_every_answer_once(world) -> None:
    competition = world.competition()
    for number in range(7):
        world.asset(f"A{number}", owner=f"org_fsp{number % 3}")
    world.deliver()
    seen, cursor = [], None
    while True:
        page = actions.list_answers(world.operator(), competition.id, AnswersQuery(limit=2, cursor=cursor))
        assert len(page.items) <= 2
        seen += [view.asset_ref for view in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == [f"A{number}" for number in range(7)]


def test_answers_are_filtered_by_standing(world) -> None:
    competition = world.competition()
    world.asset("GOOD")
    world.asset("BAD", status="Mothballed")
    world.deliver()
    assert refs(world.answers(competition, standing="eligible")) == ["GOOD"]
    assert refs(world.answers(competition, world.operator(), standing="not eligible")) == ["BAD"]


def test_the_trace_of_any_own_asset_can_be_asked_for_however_far_it_is(world) -> None:
    competition = world.competition()
    far = world.asset(latitude="55", demand_turn_down_mw="0", demand_turn_up_mw="1")
    world.deliver()
    (view,) = world.answers(competition, asset=far.id)
    assert [line.rule for line in view.rules if not line.passed] == ["location", "capacity"]
    assert refs(world.answers(competition, scope="all")) == ["EV-1"]
    assert world.answers(competition) == []


def test_another_organisations_asset_has_no_trace(world) -> None:
    competition = world.competition()
    near, far = world.asset("NEAR"), world.asset("FAR", latitude="55")
    world.deliver()
    with pytest.raises(NotFound):
        world.answers(competition, world.call("org_fsp2"), asset=near.id)
    with pytest.raises(NotFound):
        world.answers(competition, world.operator(), asset=far.id)
    with pytest.raises(NotFound):
        world.answers(competition, asset="ast_none")
    assert refs(world.answers(competition, world.operator(), asset=near.id)) == ["NEAR"]


def test_an_fsp_sees_an_asset_against_all_competitions(world) -> None:
    world.area("SOUTH", geometry=a_square(1.1, 51.0, 1.2, 51.1), receipt="rec_s")
    near, far = world.competition("NEAR"), world.competition("FAR", boundaries={"areas": ["SOUTH"]})
    draft = world.competition("DRAFT", publish=False)
    asset = world.asset()
    world.deliver()

    def asked(**query):
        return actions.list_asset_answers(world.call(), asset.id, AssetAnswersQuery.model_validate(query)).items

    assert [view.competition_ref for view in asked()] == ["NEAR"]
    assert sorted(view.competition_ref for view in asked(scope="all")) == ["FAR", "NEAR"]
    assert [view.competition_ref for view in asked(competition=far.id)] == ["FAR"]
    assert [view.eligible for view in asked(competition=near.id)] == [True]
    with pytest.raises(NotFound):
        asked(competition=draft.id)
    with pytest.raises(NotFound):
        actions.list_asset_answers(world.call("org_fsp2"), asset.id, AssetAnswersQuery())


def test_qualified_capacity_is_summed_per_fsp_and_told_to_the_operator(world) -> None:
    competition = world.competition()
    world.asset("A", demand_turn_down_mw="1.5")
    world.asset("B", demand_turn_down_mw="0.25", generation_turn_up_mw="0.25")
    world.asset("C", status="Mothballed")
    world.deliver()
    (row,) = actions.participants(competition, world.operator())
    assert (row.fsp, row.state, row.assessed, row.eligible, row.eligible_mw) == (FSP, "undecided", 3, 2, Decimal(2))
    assert (row.qualified, row.qualified_mw) == (0, 0)
    world.close(competition)
    (row,) = actions.participants(competition, world.operator("2026-05-01T16:00:00Z"))
    assert (row.qualified, row.qualified_mw, row.lost) == (2, Decimal(2), 0)
    assert actions.qualified_fsps(competition.id) == [FSP]
