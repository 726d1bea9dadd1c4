"""Calls: whose instant they carry, and the ids they give out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.edge.identity import call_from_request, reaction_call, start_call, tick_call
from chalicelib.kernel.call import Idempotency

NOON = datetime(2026, 4, 1, 11, tzinfo=UTC)
ID = re.compile(r"bid_[0-9a-hjkmnp-tv-z]{26}")


def request_call(epoch: int = 1_775_041_200_123, **context: object):
    return call_from_request({}, {"requestTimeEpoch": epoch, "requestId": "req_1"} | context, None)


def test_a_requests_instant_is_the_gateways() -> None:
    call = request_call()
    assert call.now == datetime(2026, 4, 1, 11, 0, 0, 123000, tzinfo=UTC)
    assert call.request_id == "req_1"


def test_where_no_gateway_stands_in_front_the_clock_is_read() -> None:
    call = call_from_request({}, {}, None)
    assert abs(datetime.now(UTC) - call.now) < timedelta(seconds=5)
    assert call.request_id == "unknown"


def test_an_idempotency_key_travels_with_the_call() -> None:
    key = Idempotency("k", "hash")
    assert call_from_request({}, {}, key).idempotency == key


def test_ids_are_prefixed_opaque_and_never_the_same() -> None:
    ids = [request_call().new_id("bid") for _ in range(1000)]
    assert all(ID.fullmatch(one) for one in ids)
    assert len(set(ids)) == 1000


def test_ids_of_one_call_sort_in_the_order_they_were_drawn() -> None:
    call = request_call()
    ids = [call.new_id("bid") for _ in range(1000)]
    assert ids == sorted(ids)


@given(st.integers(0, 2**47), st.integers(1, 2**40))
def test_a_later_calls_ids_sort_after_an_earlier_ones(epoch: int, later: int) -> None:
    first = reaction_call(instant(epoch % 4 * 10**12), "a").new_id("bid")
    second = reaction_call(instant(epoch % 4 * 10**12 + later), "a").new_id("bid")
    assert first < second


def test_hearing_a_fact_again_makes_the_same_ids() -> None:
    once, again = reaction_call(NOON, "notify/evt_1"), reaction_call(NOON, "notify/evt_1")
    first = [once.new_id("bid") for _ in range(10)]
    assert [again.new_id("bid") for _ in range(10)] == first
    assert len(set(first)) == 10


def test_two_functions_that_hear_one_fact_make_different_ids() -> None:
    assert reaction_call(NOON, "notify/evt_1").new_id("x") != reaction_call(NOON, "requalify/evt_1").new_id("x")


def test_reactions_and_ticks_act_for_the_system_at_their_own_instant() -> None:
    for call in (reaction_call(NOON, "notify/evt_1", "req_9"), tick_call(NOON)):
        assert call.actor.kind == "system"
        assert call.now == NOON
    assert reaction_call(NOON, "notify/evt_1", "req_9").request_id == "req_9"
    assert reaction_call(NOON, "notify/evt_1").request_id == "notify/evt_1"
    assert tick_call(NOON).request_id == "tick-20260401T110000Z"


def test_the_machine_itself_acts_for_the_system_at_the_clocks_time() -> None:
    call = start_call()
    assert call.actor.kind == "system"
    assert abs(datetime.now(UTC) - call.now) < timedelta(seconds=5)


def instant(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
