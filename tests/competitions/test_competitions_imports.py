"""Competition workbooks: each competition whole or not at all, every problem at its cell, JSON and rows one verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.competitions import actions
from chalicelib.competitions.downloads import export_competitions
from chalicelib.competitions.imports import IMPORTER, apply_competitions
from chalicelib.competitions.planning import request_problems
from chalicelib.competitions.requests import read_request
from chalicelib.competitions.sheet_rows import grouped, rows_of
from chalicelib.competitions.sheet_rows import request_values as values_of
from chalicelib.competitions.sheets import BOUNDARIES, COMPETITIONS, TEMPLATE, WINDOWS
from chalicelib.files.columns import Sheet
from chalicelib.files.importing import Chunk, ParsedSheet, RowOutcome
from chalicelib.files.models import Receipt
from chalicelib.files.reading import RawTable, find_header, read_table
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import write_download, write_template
from chalicelib.kernel.errors import Invalid
from chalicelib.storage.outbox import unpublished
from tests.builders.calls import NOON
from tests.builders.competitions import (
    KNOWN,
    SETTING,
    SO,
    a_competition,
    a_stored_area,
    a_stored_competition,
    an_operator,
    an_so_call,
    request_values,
    window_values,
)

Rows = dict[str, list[dict[str, Any]]]
LATER = "2026-04-02T09:00:00Z"


@pytest.fixture
def stored_operator(market: None) -> None:
    an_operator()
    a_stored_area()


def a_receipt(receipt_id: str = "rcp_1") -> Receipt:
    return Receipt(
        id=receipt_id,
        organisation=SO,
        organisation_kind="so",
        kind="competitions",
        name="competitions.xlsx",
        state="processing",
        at=datetime.fromisoformat(NOON),
        actor="per_1",
        object_key="inbox/org_so1/competitions/x",
    )


def rows_asking(*asked: dict[str, Any]) -> Rows:
    """The rows of a workbook for competitions given as JSON."""
    rows: Rows = {COMPETITIONS: [], BOUNDARIES: [], WINDOWS: []}
    for values in asked:
        head = dict(values)
        boundaries, windows = head.pop("boundaries", {}), head.pop("service_windows", ())
        boxes = [{f"box_{side}": value for side, value in box.items()} for box in boundaries.get("bounding_boxes", ())]
        lists = {name: value for name, value in boundaries.items() if name != "bounding_boxes"}
        reference = head.get("reference")
        rows[COMPETITIONS].append(head)
        rows[BOUNDARIES] += [{"reference": reference, **each} for each in ([lists] if lists else []) + boxes]
        rows[WINDOWS] += [
            {"reference": reference, **window, "service_days": ", ".join(window.get("service_days", ()))}
            for window in windows
        ]
    return rows


def read(rows: Rows) -> Mapping[str, ParsedSheet]:
    """The tabs of a workbook of these rows, written and read as a workbook."""
    return read_file(write_download(TEMPLATE, rows), TEMPLATE).sheets


def typed(rows: Rows) -> dict[str, ParsedSheet]:
    """The tabs of a workbook into which a person typed these texts, right or wrong."""
    return {sheet.name: _typed(sheet, rows[sheet.name]) for sheet in TEMPLATE.sheets}


def _typed(sheet: Sheet, rows: list[dict[str, Any]]) -> ParsedSheet:
    cells = [[_text(row.get(column.field)) for column in sheet.columns] for row in rows]
    table = RawTable(sheet.name, [[column.header for column in sheet.columns], *cells])
    header = find_header(sheet, table)
    assert header is not None
    return read_table(sheet, table, header)


def _text(value: Any) -> Any:
    return "; ".join(value) if isinstance(value, list) else value


def sent(rows: Rows, receipt: str = "rcp_1", now: str = NOON) -> list[RowOutcome]:
    """What becomes of every row of a workbook that is dropped."""
    found = [each for chunk in IMPORTER.split(typed(rows)) for each in _applied(chunk, receipt, now)]
    return sorted(found, key=lambda each: (each.sheet, each.row))


def _applied(chunk: Chunk, receipt: str, now: str) -> list[RowOutcome]:
    """As the files room does it: chunks come back from JSON, and the reader's problems stand beside the room's."""
    again = Chunk.from_json(chunk.number, chunk.as_json())
    own = {(sheet, row.row): row.problems for sheet, row in again}
    return [
        RowOutcome(each.row, each.sheet, each.outcome, each.ref, own[(each.sheet, each.row)] + each.problems)
        for each in apply_competitions(an_so_call(now=now), a_receipt(receipt), again)
    ]


def told(outcomes: list[RowOutcome]) -> list[tuple[str, str | None, str]]:
    """Tab, column and code of every problem."""
    return [(each.sheet or "", each.column, each.code) for outcome in outcomes for each in outcome.problems]


def outcomes_of(found: list[RowOutcome]) -> set[str]:
    return {each.outcome for each in found}


@pytest.mark.usefixtures("stored_operator")
class TestImport:
    def test_a_workbook_brings_in_its_competitions(self) -> None:
        found = sent(rows_asking(request_values(), request_values(reference="SECOND", publish=True)))
        assert outcomes_of(found) == {"created"}
        assert len(found) == 6
        first, second = (actions.find_by_ref(SO, ref) for ref in ("T2605_NORTH_01", "SECOND"))
        assert first is not None
        assert second is not None
        assert (first.state, second.state) == ("draft", "published")
        assert first.windows[0].hours == 264

    def test_a_competition_with_a_problem_is_refused_whole_and_the_others_go_in(self) -> None:
        bad = request_values(
            reference="BAD",
            service_windows=[window_values(), window_values(service_window_name="N", start="06:00", end="06:00")],
        )
        found = sent(rows_asking(bad, request_values()))
        assert {each.ref for each in found if each.outcome == "error"} == {"BAD"}
        assert told(found) == [(WINDOWS, "End", "window.empty")]
        assert actions.find_by_ref(SO, "BAD") is None
        assert actions.find_by_ref(SO, "T2605_NORTH_01") is not None

    def test_all_problems_of_a_competition_come_at_once_each_at_its_cell(self) -> None:
        bad = request_values(
            qualification_open="2026-02-30 09:00",
            open="2026-05-20T09:00:00",
            need_direction="Import",
            boundaries={"areas": ["NORTH", "NOWHERE"], "postcodes": ["XX"]},
            service_windows=[window_values(service_period_end="2026-06-30", capacity_required="-1")],
        )
        assert set(told(sent(rows_asking(bad)))) == {
            (COMPETITIONS, "Qualification Open", "cell.no_such_day"),
            (COMPETITIONS, "Bidding Open", "calendar.order"),
            (COMPETITIONS, "Need Direction", "direction.conflict"),
            (BOUNDARIES, "Area Refs", "area.unknown"),
            (BOUNDARIES, "Postcodes", "area.postcode"),
            (WINDOWS, "Service Period End", "window.period_order"),
            (WINDOWS, "Capacity Required (MW)", "cell.negative"),
        }

    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"closed": "2026-06-31 17:00"}, (COMPETITIONS, "Bidding Closed")),
            ({"open": "2026-05-29T16:00:00"}, (COMPETITIONS, "Bidding Open")),
            ({"service_windows": [window_values(service_period_end="2026-06-30")]}, (WINDOWS, "Service Period End")),
            ({"boundaries": {"areas": ["NOWHERE"]}}, (BOUNDARIES, "Area Refs")),
            (
                {"boundaries": {"postcode_sectors": ["IP1 2"], "bounding_boxes": [{"south": "52", "west": "1"}]}},
                (BOUNDARIES, "Box North"),
            ),
            ({"boundaries": {}}, (COMPETITIONS, "boundaries")),
            ({"boundaries": {"areas": []}}, (BOUNDARIES, "Area Refs")),
            (
                {"boundaries": {"bounding_boxes": [{"south": "53", "west": "1", "north": "52", "east": "2"}]}},
                (BOUNDARIES, "Box South"),
            ),
            ({"service_windows": []}, (COMPETITIONS, "service_windows")),
            ({"service_windows": [window_values(service_days=["Funday"])]}, (WINDOWS, "Service Days")),
            ({"reference": "not a reference"}, (COMPETITIONS, "Competition Ref")),
            ({"dispatch": 1, "name": None}, (COMPETITIONS, "Name")),
        ],
    )
    def test_each_bad_input_names_its_place_and_leaves_nothing(
        self, changes: dict[str, Any], place: tuple[str, str]
    ) -> None:
        values = request_values(**changes)
        values.pop("dispatch", None)
        found = sent(rows_asking(values))
        assert place in {(sheet, column) for sheet, column, _ in told(found)}
        assert outcomes_of(found) == {"error"}
        assert actions.find_by_ref(SO, "T2605_NORTH_01") is None

    def test_a_reference_on_two_rows_is_refused_on_both(self) -> None:
        found = sent(rows_asking(request_values(), request_values(name="Other")))
        assert [code for sheet, _, code in told(found) if sheet == COMPETITIONS] == ["row.repeated", "row.repeated"]
        assert actions.find_by_ref(SO, "T2605_NORTH_01") is None

    def test_windows_of_a_competition_that_is_not_there_are_refused(self) -> None:
        rows = rows_asking(request_values())
        rows[WINDOWS].append({**rows[WINDOWS][0], "reference": "NOT_THERE"})
        found = sent(rows)
        assert told(found) == [(WINDOWS, "Competition Ref", "competition.row_missing")]
        assert actions.find_by_ref(SO, "T2605_NORTH_01") is not None

    def test_sending_it_again_changes_nothing_and_writes_nothing(self) -> None:
        rows = rows_asking(request_values(publish=True))
        sent(rows)
        stored = actions.find_by_ref(SO, "T2605_NORTH_01")
        events = len(unpublished(datetime(2100, 1, 1, tzinfo=UTC)))
        assert outcomes_of(sent(rows, "rcp_2", LATER)) == {"unchanged"}
        assert actions.find_by_ref(SO, "T2605_NORTH_01") == stored
        assert len(unpublished(datetime(2100, 1, 1, tzinfo=UTC))) == events

    def test_a_chunk_applied_again_after_a_crash_answers_as_the_first_time(self) -> None:
        rows = rows_asking(request_values(), request_values(reference="SECOND", publish=True))
        first = sent(rows)
        assert sent(rows) == first

    def test_sending_it_changed_updates_as_far_as_the_dates_allow(self) -> None:
        sent(rows_asking(request_values(publish=True)))
        assert outcomes_of(sent(rows_asking(request_values(name="New")), "rcp_2", LATER)) == {"updated"}
        late = sent(rows_asking(request_values(name="Newer", product_type="OU")), "rcp_3", "2026-05-10T09:00:00Z")
        assert told(late) == [(COMPETITIONS, "Product Type", "edit.fixed")]
        stored = actions.find_by_ref(SO, "T2605_NORTH_01")
        assert stored is not None
        assert stored.name == "New"

    def test_publish_yes_in_a_later_file_publishes_the_draft(self) -> None:
        sent(rows_asking(request_values()))
        assert outcomes_of(sent(rows_asking(request_values(publish=True)), "rcp_2", LATER)) == {"updated"}
        late = sent(rows_asking(request_values(reference="LATE", publish=True)), "rcp_3", "2026-06-01T09:00:00Z")
        assert told(late) == [(COMPETITIONS, "Qualification Closed", "calendar.past")]

    def test_a_withdrawn_competition_refuses_its_rows(self) -> None:
        made = a_stored_competition()
        actions.withdraw_competition(an_so_call(), made.id, "x")
        found = sent(rows_asking(request_values(name="New")))
        assert told(found) == [(COMPETITIONS, "Competition Ref", "competition.withdrawn")]

    def test_the_filled_download_sent_again_changes_nothing(self) -> None:
        a_stored_competition(
            publish=True,
            boundaries={
                "areas": ["NORTH"],
                "bounding_boxes": [
                    {"south": "52", "west": "1", "north": "53", "east": "2"},
                    {"south": "50", "west": "1", "north": "51", "east": "2"},
                ],
            },
        )
        a_stored_competition(reference="SECOND", round_ref="R1")
        gone = a_stored_competition(reference="GONE")
        actions.withdraw_competition(an_so_call(), gone.id, "x")
        template, rows = export_competitions(an_so_call(), {})
        assert [row["reference"] for row in rows[COMPETITIONS]] == ["SECOND", "T2605_NORTH_01"]
        assert template is TEMPLATE
        again = [each for chunk in IMPORTER.split(read(rows)) for each in _applied(chunk, "rcp_2", LATER)]
        assert outcomes_of(again) == {"unchanged"}
        _, of_round = export_competitions(an_so_call(), {"round": "R1"})
        assert [row["reference"] for row in of_round[COMPETITIONS]] == ["SECOND"]


def test_the_blank_template_has_its_four_tabs_and_no_rows() -> None:
    with pytest.raises(Invalid, match="no rows"):
        read_file(write_template(TEMPLATE), TEMPLATE)
    assert [sheet.name for sheet in TEMPLATE.sheets] == [COMPETITIONS, BOUNDARIES, WINDOWS]


def test_a_problem_without_a_row_stays_as_it_is() -> None:
    from chalicelib.competitions.sheet_rows import Group, placed
    from chalicelib.kernel.errors import Problem

    problem = Problem("x", "y", "name")
    assert placed(Group("REF"), problem) == problem


TERMS = st.fixed_dictionaries(
    {},
    optional={
        "closed": st.sampled_from(["2026-06-12T17:00:00", "2026-05-30T17:00:00", None]),
        "product_type": st.sampled_from(["OU", "Secure", "Restore"]),
        "type": st.sampled_from(["Utilisation", "Availability + Utilisation"]),
        "availability_fixed_price": st.sampled_from(["5", "-1", "0.0001"]),
        "service_fee_guide": st.just("10"),
        "settlement_price_rule": st.sampled_from(["pay-as-clear", "pay-at-ceiling"]),
        "utilisation_ceiling": st.just("300"),
        "minimum_bid_size": st.sampled_from(["0.000001", "2", "3"]),
        "accept_partial_award": st.booleans(),
        "area_buffer": st.sampled_from(["0", "4000"]),
        "boundaries": st.sampled_from(
            [
                {"areas": ["NORTH"]},
                {"areas": ["NOWHERE"]},
                {"postcodes": ["IP1 2AB", "XX"]},
                {"postcode_sectors": ["IP1 2"]},
            ]
        ),
    },
)
WINDOW = st.fixed_dictionaries(
    {},
    optional={
        "start": st.sampled_from(["00:00", "16:00", "23:30"]),
        "end": st.sampled_from(["00:00", "24:00", "16:00"]),
        "service_days": st.lists(st.sampled_from(["Mon", "Sat", "Sun"]), min_size=1, max_size=3, unique=True),
        "capacity_required": st.sampled_from(["0", "0.0036", "2"]),
        "dispatch_estimate": st.sampled_from(["0", "0.5", "132", "500"]),
        "public_holiday_handling": st.just("exclude"),
        "minimum_run_time": st.sampled_from(["PT30M", "P1DT2H"]),
    },
)


@settings(deadline=None)
@given(TERMS, st.lists(WINDOW, min_size=1, max_size=3))
def test_rows_and_json_get_the_same_verdict(terms: dict[str, Any], windows: list[dict[str, Any]]) -> None:
    numbered = [window_values(service_window_name=f"W{number}", **each) for number, each in enumerate(windows)]
    values = request_values(**{**terms, "service_windows": numbered})
    as_json, json_problems = read_request(values)
    (group,) = grouped({name: sheet.rows for name, sheet in read(rows_asking(values)).items()})
    assert not any(row.problems for _, row in group)
    as_rows, row_problems = read_request(values_of(group))
    assert as_rows.but(publish=False) == as_json
    assert row_problems == json_problems
    assert request_problems(as_rows, SETTING, KNOWN) == request_problems(as_json, SETTING, KNOWN)


def test_rows_of_a_competition_ask_for_it_exactly() -> None:
    competition = a_competition(type="Utilisation", product_type="SU")
    (group,) = grouped({name: sheet.rows for name, sheet in read(rows_of([competition])).items()})
    request, problems = read_request(values_of(group))
    assert problems == []
    assert request.reference == competition.reference
