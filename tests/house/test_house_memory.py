"""The market in memory that tests use: its short cuts come to what the long way comes to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.backends import get_backend
from moto.dynamodb.exceptions import DynamodbException

from chalicelib.storage import objects
from chalicelib.storage.clients import client
from chalicelib.storage.schema import TABLES
from chalicelib.storage.sealing import forget_keys_held
from chalicelib.storage.settings import region, table_name
from tests import lighter_moto
from tests.builders.bidding import OPENED, BiddingMarket
from tests.builders.keeper import KEEPER
from tests.builders.market_state import everything_in
from tests.builders.qualifying import QualifyingMarket
from tests.tables import fill_state, is_empty, put_back, set_aside

ALL_TABLES = [table.name for table in TABLES]
NAMES = ("assets", "bidding")
VALUES = [
    {"S": "x"}, {"S": ""}, {"N": "-1.50"}, {"BOOL": False}, {"NULL": True}, {"B": b"\x00\xff"}, {"SS": ["a", "b"]},
    {"L": [{"S": "x"}, {"M": {"N": {"N": "1"}, "S": {"B": b"y"}}}, {"L": []}]}, {"M": {}},
    {"BS": [b"a"]}, {"NS": ["1"]},
]  # fmt: skip


def held() -> dict[str, Any]:
    tables = get_backend("dynamodb")["123456789012"][region()].tables
    return {
        name: sorted(repr(row.to_json()) for rows in tables[table_name(name)].items.values() for row in rows.values())
        for name in NAMES
    }


def key(place: int) -> dict[str, Any]:
    return {"pk": {"S": f"p{place % 2}"}, "sk": {"S": f"s{place}"}}


def operation(kind: str, table: str, place: int, condition: str | None) -> dict[str, Any]:
    about: dict[str, Any] = {"TableName": table_name(table)}
    about |= {"Item": key(place) | {"n": {"N": "1"}}} if kind == "Put" else {"Key": key(place)}
    if kind == "Update":
        about |= {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    if condition or kind == "ConditionCheck":
        about["ConditionExpression"] = f"{condition or 'attribute_exists'}(pk)"
    return {kind: about}


OPERATIONS = st.builds(
    operation,
    st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]),
    st.sampled_from(NAMES),
    st.integers(0, 4),
    st.sampled_from([None, "attribute_exists", "attribute_not_exists"]),
)


def came_to(transact: Any, transactions: list[list[dict[str, Any]]]) -> list[Any]:
    """What each transaction is answered and leaves behind, beginning with some rows in each of two tables."""
    fill_state()
    client("dynamodb").transact_write_items(
        TransactItems=[operation("Put", name, n, None) for name in NAMES for n in (0, 1, 2)]
    )
    backend, found = get_backend("dynamodb")["123456789012"][region()], []
    for transaction in transactions:
        try:
            told = transact(backend, deepcopy(transaction))
        except DynamodbException as refusal:
            told = f"{type(refusal).__name__} {refusal.message}"
        found.append((told, held()))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(OPERATIONS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_transaction_leaves_behind_what_motos_own_leaves(market: None, transactions: Any) -> None:
    assert came_to(lighter_moto._transacted, transactions) == came_to(lighter_moto._transact, transactions)


def test_a_transaction_refused_by_its_last_row_leaves_nothing_of_the_others(market: None) -> None:
    rows = [operation("Put", "assets", 0, None), operation("Put", "bidding", 1, None)]
    client("dynamodb").transact_write_items(TransactItems=rows)
    before = held()
    wanted = [operation("Update", "assets", 0, None), operation("Delete", "bidding", 1, None)]
    with pytest.raises(ClientError):
        client("dynamodb").transact_write_items(TransactItems=[*wanted, operation("ConditionCheck", "assets", 4, None)])
    assert held() == before
    client("dynamodb").transact_write_items(TransactItems=wanted)
    assert held() != before


def test_every_type_of_value_comes_back_as_it_went_in_and_as_moto_would_tell_it(market: None, monkeypatch: Any) -> None:
    row = key(0) | {f"v{number}": value for number, value in enumerate(VALUES)}
    client("dynamodb").put_item(TableName=table_name("assets"), Item=row)

    def found() -> Any:
        return client("dynamodb").query(
            TableName=table_name("assets"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "p0"}},
        )["Items"]

    lighter = found()
    assert lighter == [row]
    monkeypatch.setattr(lighter_moto.JSONSerializer, "_serialize_type_structure", lighter_moto._structure_of)
    monkeypatch.setattr(lighter_moto.BotocoreStubber, "process_request", lighter_moto._process)
    assert found() == lighter


def test_a_refusal_is_told_as_moto_tells_it(market: None, monkeypatch: Any) -> None:
    def refusal() -> Any:
        with pytest.raises(ClientError) as refused:
            client("dynamodb").get_item(TableName="unknown", Key=key(0))
        return refused.value.response["Error"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]

    lighter = refusal()
    monkeypatch.setattr(lighter_moto.BotocoreStubber, "process_request", lighter_moto._process)
    assert refusal() == lighter


def test_a_state_is_put_back_with_its_rows_its_objects_and_their_contents(market: None) -> None:
    objects.put_object(objects.FILES, "a/b", b"content")
    client("dynamodb").put_item(TableName=table_name("assets"), Item=key(0))
    state, before = set_aside(), everything_in(*ALL_TABLES)
    for _ in range(2):
        objects.put_object(objects.FILES, "a/b", b"another")
        client("dynamodb").delete_item(TableName=table_name("assets"), Key=key(0))
        put_back(state)
        assert objects.read_object(objects.FILES, "a/b") == b"content"
        assert everything_in(*ALL_TABLES) == before


def test_a_scene_made_again_is_the_one_that_was_built_and_nobody_elses(market: None) -> None:
    first = BiddingMarket()
    built, bound = everything_in(*ALL_TABLES), vars(first).copy()
    first.submit(0)
    fill_state()
    forget_keys_held()
    KEEPER.forget()
    again = BiddingMarket()
    assert everything_in(*ALL_TABLES) == built
    assert vars(again) == bound
    again.submit(1)
    assert len(again.opened(OPENED)) == 1


def test_a_scene_in_a_market_that_holds_something_is_built_beside_it(market: None) -> None:
    assert is_empty()
    first = QualifyingMarket()
    assert not is_empty()
    assert QualifyingMarket().so.organisation != first.so.organisation
