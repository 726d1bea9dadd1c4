"""Competitions over the API: lists, documents, rounds, previews and the public's view, for whoever asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.competitions import actions, routes
from chalicelib.competitions.actions_documents import replay_document
from chalicelib.competitions.actions_reading import replay_round
from chalicelib.competitions.requests import CompetitionChange
from chalicelib.competitions.views import CompetitionQuery, DocumentRequest, PublicQuery, Reason, RoundQuery
from chalicelib.edge.web import Text
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.storage import objects
from chalicelib.storage.audit import trail_of
from chalicelib.storage.outbox import unpublished
from tests.builders.calls import a_call
from tests.builders.competitions import a_request, a_stored_area, a_stored_competition, an_operator, an_so_call

pytestmark = pytest.mark.usefixtures("stored_operator")
NOBODY = a_call(None)


@pytest.fixture
def stored_operator(market: None) -> None:
    an_operator()
    a_stored_area()


def listed(call: Call, **asked: Any) -> list[str]:
    return [each.reference for each in routes.list_competitions(call, CompetitionQuery(**asked)).items]


def public(**asked: Any) -> list[str]:
    page = routes.list_public_competitions(NOBODY, PublicQuery(**asked))
    assert not isinstance(page, Text)
    return [each.reference for each in page.items]


def test_a_competition_is_created_changed_previewed_published_and_withdrawn() -> None:
    call = an_so_call()
    made = routes.create_competition(call, a_request())
    assert (made.phase, made.version) == ("draft", 1)
    changed = routes.change_competition(call, made.id, CompetitionChange(name="New"), 1)
    assert routes.get_competition(call, made.id) == changed
    preview = routes.preview_competition(call, made.id)
    assert (preview.available_mwh, preview.expected_mwh, preview.warnings) == (528, 40, ())
    assert preview.outlines is not None
    assert preview.outlines["geometries"][0]["type"] == "Polygon"
    published = routes.publish_competition(call, made.id)
    assert (published.phase, published.version) == ("published", 3)
    same = routes.take_area_versions(call, made.id, Reason(reason="none newer"), 3)
    assert same == published
    withdrawn = routes.withdraw_competition(call, made.id, Reason(reason="Not needed."))
    assert (withdrawn.phase, withdrawn.withdrawal_reason) == ("withdrawn", "Not needed.")
    acts = [each.action for each in trail_of(f"competition:{made.id}").items]
    assert sorted(acts) == sorted(
        ["competition.created", "competition.changed", "competition.published", "competition.withdrawn"]
    )


def test_a_preview_of_postcodes_has_no_outline() -> None:
    made = a_stored_competition(boundaries={"postcodes": ["IP1 2AB"]})
    assert routes.preview_competition(an_so_call(), made.id).outlines is None


def test_an_operator_lists_its_own_with_drafts_and_providers_what_is_published() -> None:
    an_operator("org_so2")
    a_stored_area(so="org_so2")
    a_stored_competition(reference="DRAFT")
    a_stored_competition(reference="OWN", publish=True)
    a_stored_competition(an_so_call(so="org_so2"), reference="OTHER_DRAFT")
    a_stored_competition(an_so_call(so="org_so2"), reference="OTHER", publish=True, closed="2026-06-20T17:00:00")
    assert listed(an_so_call()) == ["DRAFT", "OWN"]
    assert listed(an_so_call(), so="org_so2") == ["OTHER"]
    assert listed(a_call()) == ["OWN", "OTHER"]
    assert listed(a_call(), so="org_so1") == ["OWN"]
    assert listed(a_call(), phase="published", product="Secure") == []
    assert listed(a_call(now="2026-06-15T09:00:00Z"), phase="historic") == ["OWN"]
    assert listed(a_call(now="2026-06-15T09:00:00Z"), phase="bidding") == ["OTHER"]
    assert public() == ["OWN", "OTHER"]


def test_a_list_goes_on_page_by_page_over_what_a_filter_leaves_out() -> None:
    for number in range(5):
        a_stored_competition(reference=f"REF_{number}", round_ref="R2" if number == 4 else "R1")
    call = an_so_call()
    page = routes.list_competitions(call, CompetitionQuery(limit=2))
    rest = routes.list_competitions(call, CompetitionQuery(limit=2, cursor=page.next))
    assert [each.reference for each in (*page.items, *rest.items)] == ["REF_0", "REF_1", "REF_2", "REF_3"]
    assert listed(call, limit=1, area="NORTH", ref="REF_4") == ["REF_4"]
    assert listed(call, round="R1", limit=3) == ["REF_0", "REF_1", "REF_2"]


def test_the_public_finds_competitions_by_place() -> None:
    a_stored_competition(publish=True)
    a_stored_competition(reference="POSTCODES", publish=True, boundaries={"postcodes": ["IP1 2AB"]})
    assert public(bbox="1,51.9,1.15,52.05") == ["T2605_NORTH_01"]
    assert public(bbox="5,51,6,52") == []


def test_the_public_reads_geojson_csv_and_a_calendar() -> None:
    made = a_stored_competition(publish=True)
    shapes = routes.list_public_competitions(NOBODY, PublicQuery(format="geojson"))
    assert isinstance(shapes, Text)
    (feature,) = json.loads(shapes.body)["features"]
    assert (feature["id"], feature["geometry"]["type"]) == (made.id, "Polygon")
    table = routes.list_public_competitions(NOBODY, PublicQuery(format="csv"))
    assert isinstance(table, Text)
    assert table.body.count("T2605_NORTH_01") == 1
    feed = routes.get_calendar(NOBODY, made.id)
    assert feed.content_type.startswith("text/calendar")
    assert made.id in feed.body
    assert routes.get_public_competition(NOBODY, made.id).reference == made.reference


def test_a_draft_is_not_there_for_the_public_even_when_its_operator_asks() -> None:
    made = a_stored_competition()
    for call in (NOBODY, an_so_call()):
        with pytest.raises(NotFound):
            routes.get_public_competition(call, made.id)


def test_documents_are_links_or_files_and_everybody_who_sees_the_competition_reads_them() -> None:
    made = a_stored_competition(publish=True)
    link = DocumentRequest(title="Terms", url="https://operator.example/terms")
    routes.add_document(an_so_call(), made.id, link)
    added = routes.add_document(an_so_call(), made.id, DocumentRequest(title="Map", file_name="map.pdf"))
    assert added.upload is not None
    key = added.upload.fields["key"]
    objects.put_object(objects.FILES, key, b"%PDF-", "application/pdf")
    found = routes.list_documents(a_call(), made.id).items
    assert [each.title for each in found] == ["Terms", "Map"]
    assert found[0].url == "https://operator.example/terms"
    assert "map.pdf" in str(found[1].url)
    assert [each.title for each in routes.get_competition(a_call(), made.id).documents] == ["Terms", "Map"]


@pytest.mark.parametrize("how", [{}, {"url": "https://a.example", "file_name": "a.pdf"}])
def test_a_document_is_a_link_or_a_file_not_both_and_not_neither(how: dict[str, str]) -> None:
    made = a_stored_competition()
    with pytest.raises(Invalid, match="link or a file"):
        routes.add_document(an_so_call(), made.id, DocumentRequest(title="Terms", **how))


def test_a_repeated_request_for_a_document_gives_the_same_document() -> None:
    made = a_stored_competition()
    call = an_so_call()
    for request in (DocumentRequest(title="A", file_name="a.pdf"), DocumentRequest(title="B", url="https://b.example")):
        added = routes.add_document(call, made.id, request)
        replayed = replay_document(call, f"{made.id}/{added.id}")
        assert (replayed.id, replayed.upload is None) == (added.id, added.upload is None)


def test_a_round_is_published_and_withdrawn_as_one_competition() -> None:
    call = an_so_call()
    for number in range(3):
        a_stored_competition(reference=f"REF_{number}", round_ref="R1")
    past = {"qualification_open": "2026-03-01T09:00:00", "qualification_closed": "2026-03-30T17:00:00"}
    a_stored_competition(reference="TOO_LATE", round_ref="R1", **past)
    answer = routes.publish_round(call, "R1")
    assert [each.outcome for each in answer.outcomes] == ["published", "published", "published", "refused"]
    assert answer.outcomes[3].refusal is not None
    assert answer.round.phases == {"published": 3, "draft": 1}
    seen = routes.get_round(a_call(), "R1", RoundQuery(so="org_so1"))
    assert [each.reference for each in seen.competitions] == ["REF_0", "REF_1", "REF_2"]
    withdrawn = routes.withdraw_round(call, "R1", Reason(reason="Funding."))
    assert withdrawn.round.phases == {"withdrawn": 4}
    assert actions.find_by_ref("org_so1", "TOO_LATE") is not None
    told = [each.name for each in unpublished(datetime(2100, 1, 1, tzinfo=UTC))]
    assert told.count("competitions.competition_withdrawn.v1") == 3


def test_a_repeated_act_on_a_round_answers_with_the_round_as_it_stands() -> None:
    a_stored_competition(round_ref="R1")
    routes.publish_round(an_so_call(), "R1")
    again = replay_round(an_so_call(), "R1")
    assert (again.round.phases, again.outcomes) == ({"published": 1}, ())


def test_a_round_that_others_may_not_see_is_not_there() -> None:
    a_stored_competition(round_ref="R1")
    with pytest.raises(NotFound):
        routes.get_round(a_call(), "R1", RoundQuery(so="org_so1"))
    with pytest.raises(NotFound):
        routes.publish_round(an_so_call(), "R9")
