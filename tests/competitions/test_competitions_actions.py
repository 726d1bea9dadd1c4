"""Competitions as stored: created, changed, published, withdrawn, found again; nothing half-done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.competitions import actions, actions_reading, store
from chalicelib.competitions.requests import CompetitionChange
from chalicelib.kernel.errors import Invalid, NotFound, Refusal, Refused, Stale
from chalicelib.storage.commit import commit
from chalicelib.storage.outbox import unpublished
from tests.builders.calls import a_call
from tests.builders.competitions import (
    SO,
    a_request,
    a_stored_area,
    a_stored_competition,
    an_operator,
    an_so_call,
    window_values,
)

pytestmark = pytest.mark.usefixtures("stored_operator")
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def stored_operator(market: None) -> None:
    an_operator()
    a_stored_area()


def facts() -> list[str]:
    return [each.name.split(".")[1] for each in unpublished(FAR)]


def refusal_of(act: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def test_a_competition_arrives_as_a_draft_that_nobody_hears_of() -> None:
    made = a_stored_competition()
    stored = actions.get_competition(made.id)
    assert stored == made
    assert (stored.state, stored.version, facts()) == ("draft", 1, [])


def test_publish_yes_publishes_at_once() -> None:
    made = a_stored_competition(publish=True)
    assert made.is_published
    assert facts() == ["competition_published"]
    assert actions.list_by_zones(made.zone_ids) == [made.id]


def test_a_reference_is_never_used_twice() -> None:
    made = a_stored_competition()
    actions.withdraw_competition(an_so_call(), made.id, "Not needed.")
    refusal = refusal_of(a_stored_competition)
    assert isinstance(refusal, Invalid)
    assert [each.code for each in refusal.problems] == ["competition.reference_taken"]


def test_two_who_take_a_reference_at_once_get_one_competition() -> None:
    first = a_stored_competition()
    with pytest.raises(Refused, match="reference_taken"):
        commit(an_so_call(), store.create_competition(first.but(id="cmp_other")))
    assert store.find_ids(SO, [first.reference]) == {first.reference: first.id}


def test_another_operators_reference_is_its_own_affair() -> None:
    an_operator("org_so2")
    a_stored_area(so="org_so2")
    mine, theirs = a_stored_competition(), a_stored_competition(an_so_call(so="org_so2"))
    assert actions.find_by_ref(SO, mine.reference) == mine
    assert actions.find_by_ref("org_so2", mine.reference) == theirs
    assert actions.find_by_ref("org_so3", mine.reference) is None


def test_an_area_that_does_not_exist_is_refused_and_nothing_is_written() -> None:
    refusal = refusal_of(lambda: a_stored_competition(boundaries={"areas": ["NORTH", "NOWHERE"]}))
    assert [(each.code, each.field) for each in refusal.problems] == [("area.unknown", "boundaries/areas/1")]
    assert actions.find_by_ref(SO, "T2605_NORTH_01") is None


def test_a_scheme_that_does_not_exist_is_refused() -> None:
    refusal = refusal_of(lambda: a_stored_competition(dps_record_reference="NOT-THERE"))
    assert [each.code for each in refusal.problems] == ["scheme.unknown"]


def test_overrides_are_copied_from_an_earlier_competition() -> None:
    earlier = a_stored_competition()
    later = a_stored_competition(reference="LATER", duplicate_asset_overrides=earlier.reference)
    assert later.overrides_from == earlier.id


def test_own_lists_become_a_zone_that_is_kept_while_they_stay_the_same() -> None:
    lists = {"areas": ["NORTH"], "postcodes": ["ip12ab"], "postcode_sectors": ["IP1 3"]}
    made = a_stored_competition(boundaries=lists)
    assert made.boundaries.postcodes == ("IP1 2AB",)
    assert len(made.zone_ids) == 2
    changed = actions.change_competition(an_so_call(), made.id, CompetitionChange(name="New"), 1)
    assert changed.zones == made.zones
    moved = CompetitionChange.model_validate({"boundaries": {"postcodes": ["IP9 9ZZ"]}})
    assert set(actions.change_competition(an_so_call(), made.id, moved, 2).zone_ids).isdisjoint(made.zone_ids)


def test_a_change_needs_the_version_that_is_stored() -> None:
    made = a_stored_competition()
    change = CompetitionChange(name="New")
    after = actions.change_competition(an_so_call(), made.id, change, 1)
    assert (after.name, after.version) == ("New", 2)
    with pytest.raises(Stale):
        actions.change_competition(an_so_call(), made.id, change, 1)


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    made = a_stored_competition()
    same = actions.change_competition(an_so_call(now="2026-04-02T09:00:00Z"), made.id, CompetitionChange(), 1)
    assert same == made


def test_a_required_field_cannot_be_emptied() -> None:
    made = a_stored_competition()
    change = CompetitionChange.model_validate({"name": None, "description": None})
    refusal = refusal_of(lambda: actions.change_competition(an_so_call(), made.id, change, 1))
    assert [each.field for each in refusal.problems] == ["name"]


def test_a_published_change_is_told_with_the_names_of_the_fields() -> None:
    made = a_stored_competition(publish=True)
    change = CompetitionChange.model_validate({"closed": "2026-06-20T17:00:00", "contact": "a@b.example"})
    actions.change_competition(an_so_call(), made.id, change, 1)
    (told,) = [each for each in unpublished(FAR) if "changed" in each.name]
    assert told.body["fields"] == ["contact", "closed"]


def test_a_change_too_late_is_refused_by_field() -> None:
    made = a_stored_competition(publish=True)
    late = an_so_call(now="2026-05-10T09:00:00Z")
    change = CompetitionChange.model_validate({"minimum_bid_size": "1", "product_type": "Peak Reduction"})
    refusal = refusal_of(lambda: actions.change_competition(late, made.id, change, 1))
    assert {each.field for each in refusal.problems} == {"minimum_bid_size", "product_type"}
    assert actions.get_competition(made.id) == made


def test_a_published_competition_keeps_the_setting_it_was_made_in() -> None:
    from chalicelib.registry import store as registry

    made = a_stored_competition(publish=True)
    operator = registry.load_operator(SO)
    moved = operator.but(settings=operator.settings.but(time_zone="Europe/Paris"), version=2)
    commit(an_so_call(), [registry.save_operator(moved)])
    late = an_so_call(now="2026-05-10T09:00:00Z")
    after = actions.change_competition(late, made.id, CompetitionChange(name="New"), 1)
    assert after.time_zone == "Europe/London"
    draft = a_stored_competition(reference="PARIS")
    assert draft.calendar.qualification_open == datetime(2026, 5, 1, 7, tzinfo=UTC)


def test_publishing_twice_is_publishing_once() -> None:
    made = a_stored_competition()
    first = actions.publish_competition(an_so_call(), made.id)
    assert actions.publish_competition(an_so_call(), made.id) == first
    assert facts() == ["competition_published"]


def test_publishing_while_qualification_is_open_tells_both() -> None:
    made = a_stored_competition()
    actions.publish_competition(an_so_call(now="2026-05-10T09:00:00Z"), made.id)
    assert facts() == ["competition_published", "qualification_opened"]


def test_publishing_after_qualification_closed_is_refused() -> None:
    made = a_stored_competition()
    late = an_so_call(now="2026-05-29T16:00:00Z")
    refusal = refusal_of(lambda: actions.publish_competition(late, made.id))
    assert [each.code for each in refusal.problems] == ["calendar.past"]
    refusal = refusal_of(lambda: a_stored_competition(late, reference="OTHER", publish=True))
    assert [each.code for each in refusal.problems] == ["calendar.past"]


def test_a_withdrawal_says_why_and_is_final() -> None:
    made = a_stored_competition(publish=True)
    after = actions.withdraw_competition(an_so_call(), made.id, "The line was reinforced.")
    stored = actions.get_competition(made.id)
    assert stored == after
    assert (stored.outcome, stored.withdrawal_reason) == ("withdrawn", "The line was reinforced.")
    assert facts() == ["competition_published", "competition_withdrawn"]
    assert refusal_of(lambda: actions.withdraw_competition(an_so_call(), made.id, "x")).code == "competition.withdrawn"
    assert refusal_of(lambda: actions.publish_competition(an_so_call(), made.id)).code == "competition.withdrawn"


def test_the_withdrawal_of_a_draft_is_told_to_nobody() -> None:
    made = a_stored_competition()
    actions.withdraw_competition(an_so_call(), made.id, "Not needed.")
    assert facts() == []


@pytest.mark.parametrize(("first", "second"), [("confirmed", "withdrawn"), ("withdrawn", "confirmed")])
def test_confirmed_and_withdrawn_exclude_each_other(first: Any, second: Any) -> None:
    made = a_stored_competition(publish=True)
    at = datetime(2026, 6, 20, tzinfo=UTC)
    commit(an_so_call(), [actions.outcome_write(made, first, at)])
    with pytest.raises(Refused, match="over"):
        commit(an_so_call(), [actions.outcome_write(made, second, at)])
    stored = actions.get_competition(made.id)
    assert (stored.outcome, stored.outcome_at, stored.version) == (first, at, 2)
    if first == "confirmed":
        refusal = refusal_of(lambda: actions.withdraw_competition(an_so_call(), made.id, "x"))
        assert refusal.code == "competition.confirmed"


def test_a_change_racing_a_confirmation_loses() -> None:
    made = a_stored_competition(publish=True)
    commit(an_so_call(), [actions.outcome_write(made, "confirmed", datetime(2026, 6, 20, tzinfo=UTC))])
    with pytest.raises(Stale):
        commit(an_so_call(), store.save_competition(made, made.but(name="New", version=2)))


def test_later_rooms_can_require_an_open_competition_at_its_version() -> None:
    made = a_stored_competition(publish=True)
    commit(an_so_call(), [actions.unchanged_check(made)])
    actions.change_competition(an_so_call(), made.id, CompetitionChange(contact="a@b.example"), 1)
    with pytest.raises(Stale):
        commit(an_so_call(), [actions.unchanged_check(made)])


def test_a_new_area_version_is_taken_by_an_explicit_act_before_qualification_closes() -> None:
    made = a_stored_competition(publish=True)
    from tests.builders.competitions import IPSWICH

    newer = a_stored_area(box=IPSWICH.but(north="52.2"), version=2)
    renamed = actions.change_competition(an_so_call(), made.id, CompetitionChange(name="New"), 1)
    assert renamed.zones == made.zones
    assert [each.code for each in actions_reading.preview_competition(an_so_call(), made.id).warnings] == ["area.newer"]
    after = actions.take_area_versions(an_so_call(), made.id, 2, "The substation moved.")
    assert [(ref.zone_id, ref.area_version) for ref in after.zones] == [(newer.zone_id, 2)]
    assert actions.list_by_zones(made.zone_ids) == []
    assert actions.list_by_zones([newer.zone_id]) == [made.id]
    assert actions.take_area_versions(an_so_call(), made.id, 3, "Again.") == after
    with pytest.raises(Refused, match="areas_fixed"):
        actions.take_area_versions(an_so_call(now="2026-05-29T16:00:00Z"), made.id, 3, "Late.")


def test_an_archived_area_can_no_longer_be_named() -> None:
    from chalicelib.areas import actions as areas
    from chalicelib.areas.models import AreaChange

    areas.change_area(an_so_call(), areas.area_id_of(SO, "NORTH"), AreaChange(state="archived"), 1)
    assert [each.code for each in refusal_of(a_stored_competition).problems] == ["area.unknown"]


def test_what_is_over_is_no_longer_listed_for_its_zones() -> None:
    made = a_stored_competition(publish=True)
    assert actions.list_by_zones(made.zone_ids, datetime(2026, 6, 12, 15, 59, tzinfo=UTC)) == [made.id]
    assert actions.list_by_zones(made.zone_ids, datetime(2026, 6, 12, 16, tzinfo=UTC)) == []


def test_live_competitions_are_listed_soonest_end_first() -> None:
    late = a_stored_competition(publish=True, closed="2026-06-20T17:00:00")
    soon = a_stored_competition(publish=True, reference="SOON")
    a_stored_competition(reference="DRAFT")
    gone = a_stored_competition(publish=True, reference="GONE")
    actions.withdraw_competition(an_so_call(), gone.id, "x")
    assert [each.id for each in actions.list_live(datetime(2026, 6, 1, tzinfo=UTC))] == [soon.id, late.id]
    assert [each.id for each in actions.list_live(datetime(2026, 6, 15, tzinfo=UTC))] == [late.id]


def test_the_terms_at_an_instant_are_those_of_the_version_then() -> None:
    made = a_stored_competition()
    actions.change_competition(an_so_call(now="2026-04-05T09:00:00Z"), made.id, CompetitionChange(name="New"), 1)
    names = [
        found.name if (found := actions.competition_as_at(made.id, datetime(2026, 4, day, tzinfo=UTC))) else None
        for day in (1, 2, 6)
    ]
    assert names == [None, made.name, "New"]


def test_terms_over_200_kb_are_kept_beside_the_item_and_read_back_whole() -> None:
    windows = [window_values(service_window_name=f"Window {number:04} {'x' * 150}") for number in range(600)]
    made = a_stored_competition(service_windows=windows)
    assert actions.get_competition(made.id) == made
    assert actions.load_competitions([made.id, "cmp_none"]) == {made.id: made}
    assert len(made.windows) == 600


def test_another_operator_finds_nothing_and_a_provider_only_what_is_published() -> None:
    draft, published = a_stored_competition(), a_stored_competition(reference="PUB", publish=True)
    rival, provider = an_so_call(so="org_so2"), a_call()
    with pytest.raises(NotFound):
        actions.change_competition(rival, published.id, CompetitionChange(name="Mine"), 1)
    for call in (rival, provider):
        assert actions.visible_competition(call, published.id) == published
        with pytest.raises(NotFound):
            actions.visible_competition(call, draft.id)
    with pytest.raises(NotFound):
        actions.get_competition("cmp_none")


def test_an_unfit_request_is_refused_with_every_problem_at_once() -> None:
    request = a_request(open="2026-05-20T09:00:00", need_direction="Import", boundaries={"areas": ["NOWHERE"]})
    refusal = refusal_of(lambda: actions.create_competition(an_so_call(), request))
    assert {each.field for each in refusal.problems} == {"open", "need_direction", "boundaries/areas/0"}
