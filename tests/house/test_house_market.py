"""The market checks itself: routes guarded, events heard, letters rendering, indexes used, the API as described."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import app as api
from chalicelib.edge.openapi import describe
from chalicelib.edge.web import ENDPOINTS, Endpoint
from chalicelib.kernel.events import event_types
from chalicelib.notifications.facts import TOLD_OF
from chalicelib.notifications.letters import LETTERS
from chalicelib.storage.schema import TABLES
from functions.wiring import FUNCTIONS, Api, Events, Function

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "events" / "market"
PUBLIC_PATHS = re.compile(
    r"^/(health|openapi\.json|docs|registrations|sessions|password-resets|token|terms|invitations|public/|eligibility-checks|openadr3/3\.1\.0/auth/)"
)
for path in ROOT.glob("chalicelib/*/events.py"):
    import_module(f"chalicelib.{path.parent.name}.events")
EVENTS = {name: event for name, event in event_types().items() if event.__module__.startswith("chalicelib.")}
HEARD = {name for function in FUNCTIONS if isinstance(function.trigger, Events) for name in function.trigger.names}


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_every_route_is_guarded_or_on_the_public_list() -> None:
    open_doors = [name_of(endpoint) for endpoint in ENDPOINTS if endpoint.who.is_public]
    assert [door for door in open_doors if not PUBLIC_PATHS.match(door.split(" ")[1])] == []


def test_every_endpoint_is_an_endpoint_of_the_app() -> None:
    """The app has no route beside them but the answers to browsers that ask first."""
    known = {(method, path) for path, views in api.app.routes.items() for method in views if method != "OPTIONS"}
    assert {(endpoint.method, f"/v1{endpoint.path}") for endpoint in ENDPOINTS} == known


def test_every_post_that_writes_can_be_sent_twice() -> None:
    """A POST either re-reads what its Idempotency-Key made, or is public, or writes nothing."""
    writes_nothing = {"model_ballot", "preview_competition", "check_eligibility", "preview_baseline"}
    writes_nothing |= {"add_openadr_event", "add_openadr_program"}
    offenders = [
        name_of(endpoint)
        for endpoint in ENDPOINTS
        if endpoint.method == "POST"
        and endpoint.replay is None
        and not endpoint.who.is_public
        and endpoint.name not in writes_nothing
    ]
    assert offenders == []


def test_every_endpoint_says_what_it_does() -> None:
    assert [name_of(endpoint) for endpoint in ENDPOINTS if not endpoint.act.__doc__] == []


def test_operation_names_are_unique() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert sorted(names) == sorted(set(names))


def test_the_api_is_as_described() -> None:
    """`docs/openapi.json` is the description the API serves: `make openapi` writes it anew."""
    assert json.loads((ROOT / "docs" / "openapi.json").read_text()) == json.loads(json.dumps(describe()))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_has_a_sample_that_dumps_back_identical(name: str) -> None:
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    assert json.loads(EVENTS[name].model_validate(sample).model_dump_json()) == sample


def test_there_is_no_sample_without_its_event() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(EVENTS)


def test_every_event_a_function_hears_exists() -> None:
    assert set(EVENTS) >= HEARD


def test_every_event_people_are_told_of_is_heard_by_the_notifier() -> None:
    notify = next(function for function in FUNCTIONS if function.name == "notify")
    assert isinstance(notify.trigger, Events)
    assert set(notify.trigger.names) == set(TOLD_OF)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_every_function_has_its_handler(function: Function) -> None:
    module, _, attribute = function.handler.rpartition(".")
    assert callable(getattr(import_module(module), attribute))


def test_function_names_are_unique_and_one_is_the_api() -> None:
    names = [function.name for function in FUNCTIONS]
    assert len(set(names)) == len(names)
    assert sum(isinstance(function.trigger, Api) for function in FUNCTIONS) == 1


@pytest.mark.parametrize("letter", sorted(LETTERS))
def test_every_letter_has_its_three_templates(letter: str) -> None:
    folder = ROOT / "chalicelib" / "notifications" / "templates" / letter
    assert {path.name for path in folder.iterdir()} == {"subject.txt", "body.txt", "body.html"}


def test_every_index_of_every_table_is_used() -> None:
    stores = "\n".join(
        path.read_text() for path in [*ROOT.glob("chalicelib/**/*store*.py"), *ROOT.glob("chalicelib/storage/*.py")]
    )
    used_by_side = {"by_fsp", "by_so"}
    unused = [
        f"{table.name}.{index.name}"
        for table in TABLES
        for index in table.indexes
        if f'"{index.name}"' not in stores.replace(schema_text(), "") and index.name not in used_by_side
    ]
    assert unused == []


def schema_text() -> str:
    return (ROOT / "chalicelib" / "storage" / "schema.py").read_text()


def test_every_command_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named <= targets
    assert {"run", "test", "demo", "check", "bench"} <= named


def test_lists_take_at_most_five_hundred() -> None:
    def limit(endpoint: Endpoint) -> Any:
        schema = endpoint.query.model_json_schema() if endpoint.query else {}
        return schema.get("properties", {}).get("limit", {}).get("maximum", 500)

    assert [name_of(endpoint) for endpoint in ENDPOINTS if limit(endpoint) > 500] == []
