"""Claims about what each function uses of AWS, as read from its code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from chalicelib.storage.schema import BUCKETS, TABLES
from functions.wiring import FUNCTIONS, Function
from infrastructure.uses import TABLE_WORDS, WORD_MODULES, WORDS_THAT_ASK_NOTHING, services, uses_of

ROOT = Path(__file__).resolve().parent.parent.parent
BY_NAME = {function.name: function for function in FUNCTIONS}
EVERY = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


@EVERY
def test_a_function_uses_no_table_that_its_imports_do_not_lead_to(function: Function) -> None:
    """The plain way of looking, file by file, holds for more than the fine one, name by name, and never for less."""
    module = function.handler.rpartition(".")[0]
    imported = {table for name in _imported_from(module) for table in _tables_in(name)}
    assert set(uses_of(function).tables) <= imported
    assert set(uses_of(function).tables)


def test_every_table_index_and_bucket_is_used_by_some_function() -> None:
    used = [uses_of(function) for function in FUNCTIONS]
    tables = {table for uses in used for table in uses.tables}
    assert tables == {table.name for table in TABLES}
    assert {bucket for uses in used for bucket in uses.buckets} <= {bucket.name for bucket in BUCKETS}


@pytest.mark.parametrize("module", WORD_MODULES)
def test_every_word_for_tables_is_known_with_what_it_asks(module: str) -> None:
    """A word that was forgotten would leave every role that needs it without the right to do it."""
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
    words = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert words <= set(TABLE_WORDS) | WORDS_THAT_ASK_NOTHING


@EVERY
def test_whoever_changes_a_table_may_tell_of_it(function: Function) -> None:
    """`commit` writes facts and records beside the rows: a role that may write rows may write those."""
    tables = uses_of(function).tables
    if function.name not in {"keep-keys", "on-outbox", "seal-audit", "send-mail"}:
        assert "PutItem" in tables["outbox"] & tables["audit"], function.name


def test_putting_facts_on_the_bus_needs_the_outbox_alone() -> None:
    uses = uses_of(BY_NAME["on-outbox"])
    assert uses.tables == {"outbox": {"UpdateItem"}}
    assert not uses.buckets
    assert uses.calls == {"events": {"PutEvents"}}


def test_mail_is_sent_by_one_function_which_sees_no_bid() -> None:
    sending = [function.name for function in FUNCTIONS if "ses" in uses_of(function).calls]
    assert sending == ["send-mail"]
    assert "bidding" not in uses_of(BY_NAME["send-mail"]).tables


def test_logins_are_touched_by_the_api_alone() -> None:
    assert [function.name for function in FUNCTIONS if "cognito-idp" in uses_of(function).calls] == ["api"]


def test_daily_roots_are_read_where_the_trail_is_made_and_where_they_are_written() -> None:
    reading = {function.name for function in FUNCTIONS if "audit-roots" in uses_of(function).buckets}
    assert reading == {"make-document", "sweep"}


def test_the_key_of_tokens_is_read_by_the_api_alone() -> None:
    assert [function.name for function in FUNCTIONS if "token-key" in uses_of(function).secrets] == ["api"]


@EVERY
def test_no_function_removes_or_changes_audit_records_but_to_seal_them(function: Function) -> None:
    actions = uses_of(function).tables.get("audit", set())
    assert not actions & {"DeleteItem", "BatchWriteItem"}


def test_daily_roots_are_written_by_the_sweep_alone() -> None:
    writers = [name for name, function in BY_NAME.items() if "PutObject" in _done_to("audit-roots", function)]
    assert writers == ["sweep"]
    assert _done_to("audit-roots", BY_NAME["sweep"]) == {"PutObject", "ListBucketVersions"}


def _done_to(bucket: str, function: Function) -> set[str]:
    return uses_of(function).buckets.get(bucket, set())


def test_a_function_that_only_announces_writes_no_bid() -> None:
    assert "bidding" not in uses_of(BY_NAME["tick"]).tables


def test_data_keys_are_unwrapped_by_one_function_which_writes_nothing_but_them() -> None:
    assert [function.name for function in FUNCTIONS if "kms" in uses_of(function).calls] == ["keep-keys"]
    uses = uses_of(BY_NAME["keep-keys"])
    assert uses.calls == {"kms": {"Decrypt", "GenerateDataKey"}}
    writing = {table for table, actions in uses.tables.items() if actions & {"PutItem", "UpdateItem", "DeleteItem"}}
    assert writing == {"bidding", "receipts"}
    assert not uses.functions


def test_who_waits_for_another_function_is_read_from_what_it_invokes() -> None:
    asking = {function.name: uses_of(function).functions for function in FUNCTIONS if uses_of(function).functions}
    named = ("api", "import-file", "import-chunk", "make-export", "propose", "notify")
    assert asking == {name: {"keep-keys"} for name in named}
    assert all(uses_of(BY_NAME[name]).calls["lambda"] == {"Invoke"} for name in asking)


def test_every_service_in_use_is_known() -> None:
    known = {"dynamodb", "s3", "sqs", "events", "ses", "secretsmanager", "cognito-idp", "kms", "lambda"}
    assert services() >= known


def _imported_from(module: str) -> set[str]:
    """Every module of ours that importing a module brings along, also what it names as text to import later."""
    todo, seen = [module], set[str]()
    while todo:
        name = todo.pop()
        if name not in seen and _path(name).is_file():
            seen.add(name)
            todo += _imports(_path(name).read_text())
    return seen


def _imports(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("chalicelib."):
            found.append(node.value.partition(":")[0])
    return found


def _tables_in(module: str) -> set[str]:
    text = _path(module).read_text()
    return {table.name for table in TABLES if f'table_name("{table.name}")' in text}


def _path(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")
