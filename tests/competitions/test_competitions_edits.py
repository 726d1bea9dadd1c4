"""What may still be changed, by phase; every refusal names the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.competitions.edits import changed_fields, check_changeable, edit_problems
from chalicelib.kernel.errors import Refused
from tests.builders.competitions import a_competition, a_published, window_values

BEFORE, QUALIFYING, QUALIFIED, BIDDING, CLOSED = (
    datetime(2026, month, day, 12, tzinfo=UTC) for month, day in ((4, 20), (5, 10), (5, 30), (6, 5), (6, 13))
)


def problems_at(now: datetime, **changes: Any) -> list[tuple[str, str | None]]:
    found = edit_problems(a_published(), a_published(**changes), now)
    return [(each.code, each.field) for each in found]


def test_a_draft_may_change_in_everything_but_its_reference() -> None:
    after = a_competition(name="New", reference="OTHER", qualification_open="2026-04-01T09:00:00")
    assert [each.field for each in edit_problems(a_competition(), after, CLOSED)] == ["reference"]


def test_before_qualification_opens_terms_and_dates_to_come_may_change() -> None:
    windows = [window_values(capacity_required="9")]
    assert problems_at(BEFORE, product_type="OU", service_windows=windows, closed="2026-06-20T17:00:00") == []
    assert problems_at(BEFORE, qualification_open="2026-04-19T09:00:00") == [("edit.past", "qualification_open")]
    assert problems_at(BEFORE, reference="OTHER") == [("edit.reference", "reference")]
    assert problems_at(BEFORE, open=None, closed=None) == []


@pytest.mark.parametrize("now", [QUALIFYING, QUALIFIED])
def test_while_qualifying_names_contacts_and_guide_prices_may_change(now: datetime) -> None:
    changes = {"name": "N", "description": "D", "contact": "a@b.example", "utilisation_guide_price": "5"}
    assert problems_at(now, **changes) == []
    assert problems_at(now, round_ref="R2", minimum_bid_size="1") == [
        ("edit.fixed", "round_ref"),
        ("edit.fixed", "minimum_bid_size"),
    ]
    assert problems_at(now, service_windows=[window_values(capacity_required="9")]) == [
        ("edit.fixed", "service_windows")
    ]


@pytest.mark.parametrize("now", [BIDDING, CLOSED])
def test_after_bidding_opens_only_the_contact_may_change(now: datetime) -> None:
    assert problems_at(now, contact="a@b.example") == []
    assert problems_at(now, name="N", utilisation_guide_price="5") == [
        ("edit.fixed", "name"),
        ("edit.fixed", "utilisation_guide_price"),
    ]


def test_a_close_may_move_later_until_it_has_passed() -> None:
    assert problems_at(BIDDING, closed="2026-06-13T17:00:00") == []
    assert problems_at(BIDDING, closed="2026-06-11T17:00:00") == [("edit.close_earlier", "closed")]
    assert problems_at(CLOSED, closed="2026-06-20T17:00:00") == [("edit.close_passed", "closed")]
    later = {"qualification_closed": "2026-05-30T17:00:00"}
    assert problems_at(QUALIFYING, **later) == []
    assert problems_at(QUALIFIED, **later) == [("edit.close_passed", "qualification_closed")]


def test_the_opening_of_bidding_moves_only_later_and_only_with_a_close() -> None:
    together = {"open": "2026-06-02T09:00:00", "closed": "2026-06-13T17:00:00"}
    assert problems_at(QUALIFYING, **together) == []
    assert problems_at(QUALIFYING, open="2026-06-02T09:00:00") == [("edit.open_alone", "open")]
    earlier = {"open": "2026-05-31T09:00:00", "closed": "2026-06-13T17:00:00"}
    assert problems_at(QUALIFYING, **earlier) == [("edit.open_alone", "open")]
    assert problems_at(BIDDING, **together) == [("edit.open_passed", "open")]


def test_bidding_dates_cannot_come_or_go_once_qualification_has_opened() -> None:
    found = problems_at(QUALIFYING, open=None, closed=None)
    assert {("edit.date", "open"), ("edit.date", "closed")} <= set(found)


def test_opening_and_archive_dates_are_fixed_once_qualification_has_opened() -> None:
    found = problems_at(QUALIFYING, qualification_open="2026-05-02T09:00:00", archive_on="2027-01-01")
    assert found == [("edit.date", "qualification_open"), ("edit.date", "archive_on")]


@pytest.mark.parametrize("outcome", ["withdrawn", "confirmed"])
def test_what_is_over_does_not_change(outcome: str) -> None:
    over = a_published(outcome=outcome, outcome_at=BIDDING)
    with pytest.raises(Refused, match=outcome if outcome == "withdrawn" else "results are confirmed"):
        check_changeable(over, BIDDING)


def test_an_archived_competition_does_not_change_and_a_live_one_does() -> None:
    with pytest.raises(Refused, match="archived"):
        check_changeable(a_published(), datetime(2027, 1, 1, tzinfo=UTC))
    check_changeable(a_published(), BIDDING)


def test_changed_fields_bear_the_names_an_operator_knows() -> None:
    after = a_published(service_windows=[window_values(capacity_required="9")], closed="2026-06-20T17:00:00", name="N")
    assert changed_fields(a_published(), after) == ("name", "service_windows", "closed")
