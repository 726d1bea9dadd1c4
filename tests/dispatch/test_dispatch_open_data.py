"""Claims about open data of dispatch and calendar links: after the delay, nobody's ids, and a link that can be shut."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from chalicelib.dispatch import actions_answering as answering
from chalicelib.dispatch import actions_feeds as feeds
from chalicelib.dispatch import actions_rules as rules
from chalicelib.dispatch.actions_open_data import list_public_dispatches
from chalicelib.dispatch.listing import as_open_csv
from chalicelib.dispatch.open_data import PublicDispatch
from chalicelib.dispatch.requests import (
    Answer,
    CalendarLinkRequest,
    EndRequest,
    PublicDispatchQuery,
    RulesRequest,
)
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.kernel.models import Page
from chalicelib.registry import actions_operators as operators
from chalicelib.registry.models import PublicationPolicy
from chalicelib.storage.keys import forget_keys
from tests.builders.calls import a_call
from tests.builders.dispatch import FSP, DispatchMarket
from tests.builders.registry import a_system_operator

pytestmark = pytest.mark.usefixtures("market")
NOON = "2026-06-01T12:00:00Z"
ENDED = "2026-06-01T17:00:00Z"
NEXT_DAY = "2026-06-02T17:00:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    forget_keys()
    made = DispatchMarket()
    made.obligation()
    return made


def run(place: DispatchMarket, stopped_at: str | None = None) -> str:
    """An hour from 17:00 London on 1 June, acknowledged, and stopped early if asked; its id."""
    [issued] = place.issue()
    instruction_id = str(issued.instruction_id)
    answering.answer_instruction(place.call(now=NOON), instruction_id, Answer(answer="acknowledge"))
    if stopped_at is not None:
        answering.stop_instruction(place.operator(stopped_at), instruction_id, EndRequest(reason="load fell"))
    return instruction_id


def shown(now: str = NEXT_DAY, **query: Any) -> Page[PublicDispatch]:
    anybody = a_call(None, None, frozenset(), now=now)  # type: ignore[arg-type]
    return list_public_dispatches(anybody, PublicDispatchQuery(**query))


def items(now: str = NEXT_DAY) -> list[PublicDispatch]:
    """Every operator's, page by page."""
    page = shown(now)
    found = list(page.items)
    while page.next is not None:
        page = shown(now, cursor=page.next)
        found += page.items
    return found


def test_an_instruction_that_ran_is_open_data_a_day_later_and_not_a_second_before(place: DispatchMarket) -> None:
    run(place)
    assert items("2026-06-02T16:59:59Z") == []
    [told] = items(NEXT_DAY)
    assert (told.mw, told.mwh, told.competition_reference) == (2, 2, "NORTH-1")
    assert (told.start_local, told.end_local) == ("2026-06-01T17:00", "2026-06-01T18:00")
    assert (told.product_type, told.need_direction) == ("Operational Utilisation", "Deficit")


def test_the_delay_is_the_operators(place: DispatchMarket) -> None:
    asked = RulesRequest.model_validate({"publication_delay": "P7D", "effective_from": "2026-05-01"})
    rules.set_rules(place.operator(), asked)
    run(place)
    assert items("2026-06-08T16:59:59Z") == []
    assert len(items("2026-06-08T17:00:00Z")) == 1


def test_one_that_was_stopped_is_shown_as_long_as_it_ran(place: DispatchMarket) -> None:
    run(place, stopped_at="2026-06-01T16:15:00Z")
    [told] = items()
    assert (told.state, told.mwh, told.end_local) == ("stopped", told.mw / 4, "2026-06-01T17:15")


def test_one_that_was_declined_never_is(place: DispatchMarket) -> None:
    [issued] = place.issue()
    answer = Answer(answer="decline", reason="broken")
    answering.answer_instruction(place.call(now=NOON), str(issued.instruction_id), answer)
    assert items("2026-07-01T12:00:00Z") == []


def test_no_id_of_anything_private_is_told(place: DispatchMarket) -> None:
    instruction_id = run(place)
    text = as_open_csv(items())
    assert instruction_id not in text
    assert "obl_1" not in text
    assert f",{FSP}," not in text
    [row] = csv.DictReader(io.StringIO(text))
    assert list(row) == list(PublicDispatch.model_fields)


def test_the_provider_is_named_only_where_the_operator_lets_it(place: DispatchMarket) -> None:
    run(place)
    assert items()[0].provider is not None
    held = operators.get_own_operator(place.operator())
    unnamed = PublicationPolicy(provider_names=False)
    operators.change_own_settings(place.operator(), held.settings.but(publication_policy=unnamed), held.version)
    assert items()[0].provider is None


def test_operators_follow_each_other_and_one_can_be_asked_for(place: DispatchMarket) -> None:
    other = a_system_operator(2).organisation
    run(place)
    assert len(items()) == 1
    assert shown(so=other).items == []
    assert len(shown(so=place.so.organisation).items) == 1
    assert shown(so=place.so.organisation).next is None


@pytest.mark.parametrize("cursor", ["nonsense", "org_nobody|"])
def test_a_cursor_that_is_none_is_refused(place: DispatchMarket, cursor: str) -> None:
    with pytest.raises(Invalid):
        shown(cursor=cursor)


def test_a_market_without_operators_shows_none(market: None) -> None:
    assert shown() == Page(items=[])


def a_link(name: str = "desk") -> tuple[str, str]:
    """A link of the provider as (id, key)."""
    made = feeds.add_link(a_call(FSP, now=NOON), CalendarLinkRequest(name=name))
    return made.id, str(made.path).rsplit("/", 1)[1]


def read(key: str, now: str = NOON) -> str:
    return feeds.read_calendar(a_call(None, None, frozenset(), now=now), key)  # type: ignore[arg-type]


def test_a_link_opens_the_schedule_of_its_organisation_to_nobody_in_particular(place: DispatchMarket) -> None:
    instruction_id = run(place)
    _, key = a_link()
    assert f"UID:{instruction_id}@headroom" in read(key)
    assert read(key).startswith("BEGIN:VCALENDAR")


def test_a_link_of_another_organisation_opens_only_its_own(place: DispatchMarket) -> None:
    run(place)
    made = feeds.add_link(a_call("org_fsp2", now=NOON), CalendarLinkRequest())
    assert "BEGIN:VEVENT" not in read(str(made.path).rsplit("/", 1)[1])


def test_a_link_that_was_removed_opens_nothing_and_is_listed_no_more(place: DispatchMarket) -> None:
    link_id, key = a_link()
    feeds.remove_link(a_call(FSP), link_id)
    with pytest.raises(NotFound):
        read(key)
    with pytest.raises(NotFound):
        feeds.get_link(a_call(FSP), link_id)
    assert feeds.list_links(a_call(FSP)).items == []


def test_a_wrong_secret_and_an_unknown_link_are_told_the_same(place: DispatchMarket) -> None:
    link_id, _ = a_link()
    for key in (f"{link_id}~guess", link_id, "cal_none~guess", ""):
        with pytest.raises(NotFound) as refused:
            read(key)
        assert refused.value.code == "calendar.not_found"


def test_the_secret_is_shown_once(place: DispatchMarket) -> None:
    link_id, _ = a_link()
    assert feeds.get_link(a_call(FSP), link_id).path is None
    assert [each.path for each in feeds.list_links(a_call(FSP)).items] == [None]


def test_another_organisation_cannot_remove_a_link(place: DispatchMarket) -> None:
    link_id, key = a_link()
    with pytest.raises(NotFound):
        feeds.remove_link(a_call("org_fsp2"), link_id)
    assert read(key)


def test_there_is_an_end_to_links(place: DispatchMarket) -> None:
    for number in range(20):
        a_link(str(number))
    with pytest.raises(Refused, match="20 links"):
        a_link()


def test_the_presets_ship_with_their_times() -> None:
    presets = rules.list_presets(a_call()).items
    assert presets["48 working hours"].in_working_time
    assert not presets["no answer needed"].answer_needed
