"""Claims about who may act when: entry until qualification closes, overrides until bidding opens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.kernel.errors import Refused
from chalicelib.qualification import moments
from tests.builders.qualification import CLOSE, a_competition

SECOND = timedelta(seconds=1)
OPENS = a_competition().calendar.qualification_open
BIDDING = CLOSE + timedelta(days=1)


def refusal(check, competition, now) -> str | None:
    try:
        check(competition, now)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (OPENS - SECOND, "qualification.not_open"),
        (OPENS, None),
        (CLOSE - SECOND, None),
        (CLOSE, "entry.closed"),
        (BIDDING, "entry.closed"),
    ],
)
def test_entry_changes_from_the_opening_of_qualification_until_its_close(now, code) -> None:
    assert refusal(moments.check_entry_open, a_competition(), now) == code
    assert moments.can_enter(a_competition(), now) is (code is None)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (OPENS - SECOND, "qualification.not_open"),
        (OPENS, None),
        (CLOSE, None),
        (BIDDING - SECOND, None),
        (BIDDING, "override.closed"),
    ],
)
def test_overrides_change_from_the_opening_of_qualification_until_bidding_opens(now, code) -> None:
    assert refusal(moments.check_override_open, a_competition(), now) == code


def test_where_nobody_bids_overrides_end_as_qualification_closes() -> None:
    seen = a_competition(calendar={"open": None, "closed": None})
    assert refusal(moments.check_override_open, seen, CLOSE - SECOND) is None
    with pytest.raises(Refused, match="Qualification closed for NORTH-1 on 1 May 2026 17:00 UTC"):
        moments.check_override_open(seen, CLOSE)


@pytest.mark.parametrize("outcome", ["withdrawn", "confirmed"])
@pytest.mark.parametrize("check", [moments.check_entry_open, moments.check_override_open])
def test_nothing_changes_in_a_competition_that_is_over(check, outcome) -> None:
    over = a_competition(outcome=outcome)
    assert refusal(check, over, OPENS) == f"competition.{outcome}"
    assert not moments.can_enter(over, OPENS)


@pytest.mark.parametrize("check", [moments.check_entry_open, moments.check_override_open])
def test_nothing_begins_in_a_draft(check) -> None:
    draft = a_competition(state="draft")
    assert refusal(check, draft, OPENS) == "competition.draft"
    assert not moments.can_enter(draft, OPENS)


def test_the_refusal_says_when_it_closed() -> None:
    with pytest.raises(Refused, match="closed on 1 May 2026 17:00 UTC"):
        moments.check_entry_open(a_competition(), CLOSE)
    with pytest.raises(Refused, match="Bidding opened for NORTH-1 on 2 May 2026 17:00 UTC"):
        moments.check_override_open(a_competition(), BIDDING)
    with pytest.raises(Refused, match="opens on 1 April 2026 09:00 UTC"):
        moments.check_entry_open(a_competition(), OPENS - SECOND)
