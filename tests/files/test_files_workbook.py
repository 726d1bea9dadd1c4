"""Reading dropped files: every origin, every refusal, and the same verdicts as the plain rule."""
# ruff: noqa: DTZ001 (local clock times have no zone)

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BeforeValidator, ValidationError, create_model

from chalicelib.files.archive import CAPS
from chalicelib.files.cells import Fault, read_cell
from chalicelib.files.columns import Column, DecimalNumber, Sheet, Template, Text
from chalicelib.files.models import MOST_BYTES, MOST_ROWS
from chalicelib.files.reading import RawTable, find_header, read_table
from chalicelib.files.workbook import ReadFile, read_file
from chalicelib.files.writing import write_download, write_template
from chalicelib.kernel.errors import Invalid
from tests.builders.files import EVERY_KIND, TEMPLATE, TWO_TABS, a_csv, a_row, a_workbook, repacked

HEADERS = ["Asset Ref", "Name", "Capacity (MW)"]


def rows_of(found: ReadFile, sheet: str = "Assets") -> list[dict[str, Any]]:
    return [row.values for row in found.sheets[sheet].rows]


def codes_of(content: bytes) -> list[tuple[int | None, str | None, str]]:
    found = read_file(content, TEMPLATE)
    problems = [problem for row in found.sheets["Assets"].rows for problem in row.problems]
    return [(problem.row, problem.column, problem.code) for problem in problems]


def refusal_of(content: bytes, template: Template = TEMPLATE) -> Invalid:
    with pytest.raises(Invalid) as refused:
        read_file(content, template)
    return refused.value


def test_headers_match_without_case_spaces_or_order() -> None:
    content = a_workbook({"assets ": [["name", "CAPACITY(MW)", "asset_ref"], ["Depot", 1.5, "EV-1"]]})
    assert rows_of(read_file(content, TEMPLATE)) == [{"name": "Depot", "mw": "1.5", "ref": "EV-1"}]


def test_unknown_columns_are_named_and_ignored() -> None:
    found = read_file(a_csv([[*HEADERS, "Colour", ""], ["EV-1", "Depot", "1", "red", "x"]]), TEMPLATE)
    assert found.notes == ("Assets: the column “Colour” is not known and was ignored.",)
    assert rows_of(found) == [{"ref": "EV-1", "name": "Depot", "mw": "1"}]


def test_a_column_that_is_only_shown_is_neither_read_nor_unknown() -> None:
    found = read_file(a_csv([["Asset Ref", "Name", "Phase"], ["EV-1", "Depot", "bidding"]]), TEMPLATE)
    assert (rows_of(found), found.notes) == ([{"ref": "EV-1", "name": "Depot"}], ())


def test_a_workbook_made_elsewhere_with_one_tab_of_any_name_is_taken() -> None:
    assert rows_of(read_file(a_workbook({"Tabelle1": [HEADERS[:2], ["EV-1", "Depot"]]}), TEMPLATE))


def test_every_kind_of_cell_comes_through_a_workbook() -> None:
    cells = ["EV-1", "Depot", 1.25, 12, date(2026, 4, 1), datetime(2026, 4, 1, 9), time(16, 30), time(0, 30), True]
    content = a_workbook(
        {
            "Assets": [
                [column.header for column in EVERY_KIND.columns[:-1]],
                [*cells, "operational", "IP1 1AA; IP1 1AB"],
            ]
        },
        {(1, 5): "yyyy-mm-dd hh:mm", (1, 6): "hh:mm", (1, 7): "[h]:mm:ss"},
    )
    assert rows_of(read_file(content, TEMPLATE)) == [
        {
            "ref": "EV-1",
            "name": "Depot",
            "mw": "1.25",
            "count": 12,
            "day": "2026-04-01",
            "seen": "2026-04-01T09:00:00",
            "start": "16:30",
            "response": "PT30M",
            "flexible": True,
            "status": "Operational",
            "postcodes": ["IP1 1AA", "IP1 1AB"],
        }
    ]


def test_blank_rows_are_passed_over_and_row_numbers_are_the_spreadsheets() -> None:
    content = a_workbook({"Assets": [[], [], HEADERS, ["EV-1", "a", 1], [], ["  ", "", None], ["EV-2", "b", -1]]})
    assert codes_of(content) == [(7, "Capacity (MW)", "cell.negative")]


def test_columns_that_start_further_right_are_found() -> None:
    content = a_workbook({"Assets": [[], ["", "", *HEADERS], ["", "", "EV-1", "a", "x"]]})
    assert codes_of(content) == [(3, "Capacity (MW)", "cell.not_a_number")]


def test_all_problems_of_a_row_are_told_at_once() -> None:
    header = ["Asset Ref", "Name", "Capacity (MW)", "Operational Date", "Status"]
    content = a_workbook({"Assets": [header, ["", "Depot", "lots", "30/02/2026", "Broken"]]})
    assert codes_of(content) == [
        (2, "Capacity (MW)", "cell.not_a_number"),
        (2, "Operational Date", "cell.no_such_day"),
        (2, "Status", "cell.not_a_choice"),
        (2, "Asset Ref", "cell.required"),
    ]


def test_formula_cells_are_read_by_their_value() -> None:
    content = with_third_cell(b'<c r="C2"><f>1+1</f><v>2</v></c>')
    assert rows_of(read_file(content, TEMPLATE)) == [{"ref": "EV-1", "name": "Depot", "mw": "2"}]


def test_a_formula_without_a_value_is_a_problem_that_names_the_cell() -> None:
    content = with_third_cell(b'<c r="C2"><f>1+1</f></c>')
    found = read_file(content, TEMPLATE)
    (problem,) = found.sheets["Assets"].rows[0].problems
    assert (problem.code, problem.row, problem.column) == ("cell.formula", 2, "Capacity (MW)")
    assert "C2" in problem.detail


def test_a_formula_that_gives_an_empty_text_is_a_blank_cell() -> None:
    assert codes_of(with_third_cell(b'<c r="C2" t="str"><f>IF(1,"","")</f><v></v></c>')) == []


def test_a_cell_that_shows_an_error_is_a_problem_that_names_the_error() -> None:
    found = read_file(with_third_cell(b'<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'), TEMPLATE)
    (problem,) = found.sheets["Assets"].rows[0].problems
    assert (problem.code, problem.detail) == ("cell.error", "The cell C2 shows the error #DIV/0!.")


def test_a_row_of_nothing_but_a_formula_without_a_value_is_not_passed_over() -> None:
    content = with_third_cell(b'<c r="C2"/></row><row><c r="A3"><f>1</f></c>', keep_row=True)
    assert (3, "Asset Ref", "cell.formula") in codes_of(content)


def test_a_fault_above_the_header_or_in_an_ignored_column_is_no_problem() -> None:
    header = b'<row r="1"><c r="A1"><f>1</f></c></row>'
    names = b"".join(
        b'<c r="%s2" t="inlineStr"><is><t>%s</t></is></c>' % (place, text.encode())
        for place, text in zip((b"A", b"B", b"C", b"D"), [*HEADERS, "Colour"], strict=True)
    )
    row = b'<row r="3"><c r="A3" t="str"><v>EV-1</v></c><c r="B3" t="str"><v>x</v></c><c r="D3"><f>1</f></c></row>'
    content = with_sheet(header + b'<row r="2">' + names + b"</row>" + row)
    assert codes_of(content) == []


def with_third_cell(cell: bytes, keep_row: bool = False) -> bytes:
    names = b"".join(
        b'<c r="%s1" t="inlineStr"><is><t>%s</t></is></c>' % (place, text.encode())
        for place, text in zip((b"A", b"B", b"C"), HEADERS, strict=True)
    )
    row = b'<c r="A2" t="str"><v>EV-1</v></c><c r="B2" t="str"><v>Depot</v></c>' + cell
    return with_sheet(b'<row r="1">' + names + b'</row><row r="2">' + row + b"</row>")


def with_sheet(rows: bytes) -> bytes:
    xml = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    return repacked(a_workbook({"Assets": [["x"]]}), {"xl/worksheets/sheet1.xml": xml % rows})


def test_a_workbook_that_declares_entities_is_refused() -> None:
    xml = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row><c><f>1</f></c></row></sheetData></worksheet>'
    content = repacked(a_workbook({"Assets": [HEADERS, ["EV-1", "a", 1]]}), {"xl/worksheets/sheet1.xml": xml})
    assert refusal_of(content).code == "file.corrupt"


def test_a_workbook_whose_sheet_is_no_xml_is_refused() -> None:
    content = repacked(a_workbook({"Assets": [HEADERS]}), {"xl/worksheets/sheet1.xml": b"<worksheet><f><oops"})
    assert refusal_of(content).code == "file.corrupt"


def test_a_workbook_in_an_encoding_nobody_knows_is_refused() -> None:
    xml = b'<?xml version="1.0" encoding="UTF-9"?><worksheet><f></worksheet>'
    content = repacked(a_workbook({"Assets": [HEADERS]}), {"xl/worksheets/sheet1.xml": xml})
    assert refusal_of(content).code == "file.corrupt"


@pytest.mark.parametrize("part", ["xl/_rels/workbook.xml.rels", "xl/styles.xml"])
def test_a_workbook_with_a_broken_part_is_refused_or_read(part: str) -> None:
    content = repacked(a_workbook({"Assets": [HEADERS, ["EV-1", "Depot", "=1"]]}), {part: b"<oops"})
    assert refusal_of(content).code == "file.corrupt"


def test_a_reference_on_two_rows_is_a_problem_on_both() -> None:
    content = a_csv([HEADERS, ["EV-1", "a", 1], ["ev-1", "b", 1], ["EV-2", "c", 1], ["", "d", 1]])
    assert codes_of(content) == [
        (2, "Asset Ref", "row.repeated"),
        (3, "Asset Ref", "row.repeated"),
        (5, "Asset Ref", "cell.required"),
    ]


def test_a_reference_on_every_row_of_a_long_file_does_not_take_long() -> None:
    found = read_file(a_csv([HEADERS, *[["EV-1", "a", 1]] * 20_000]), TEMPLATE)
    problem = found.sheets["Assets"].rows[-1].problems[0]
    assert problem.detail == "The same Asset Ref stands on row 2, 3, 4 too."


def test_an_empty_file_is_refused() -> None:
    assert refusal_of(b"").code == "file.empty"


@pytest.mark.parametrize("content", [a_csv([HEADERS]), write_template(TEMPLATE), a_csv([HEADERS, ["", " ", ""]])])
def test_a_file_without_rows_is_refused(content: bytes) -> None:
    assert refusal_of(content).code == "file.no_rows"


def test_a_file_over_a_hundred_megabytes_is_refused() -> None:
    assert refusal_of(b"a" * (MOST_BYTES + 1)).code == "file.too_large"


def test_half_a_million_rows_and_one_are_refused() -> None:
    sheet = Sheet("Assets", (Column("Ref", "ref", "x", True, Text(9)),))
    content = b"Ref\n" + b"a\n" * MOST_ROWS
    assert read_file(content, Template("assets", "Assets", "1", (sheet,))).rows == MOST_ROWS
    assert refusal_of(content + b"a\n", Template("assets", "Assets", "1", (sheet,))).code == "file.too_many_rows"


def test_half_a_million_rows_and_one_of_a_workbook_are_refused() -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(2, MOST_ROWS + 3))
    sheet = Sheet("Assets", (Column("Ref", "ref", "x", True, Text(9)),))
    header = b'<row r="1"><c r="A1" t="inlineStr"><is><t>Ref</t></is></c></row>'
    refusal = refusal_of(with_sheet(header + rows), Template("assets", "Assets", "1", (sheet,)))
    assert refusal.code == "file.too_many_rows"


def test_the_template_of_another_kind_is_refused_naming_both() -> None:
    refusal = refusal_of(write_download(TWO_TABS, {"Competitions": [{"reference": "C1", "name": "x"}]}))
    assert refusal.code == "file.wrong_template"
    assert "“competitions”" in refusal.detail
    assert "“assets”" in refusal.detail


def test_an_older_version_of_the_template_is_refused_naming_both() -> None:
    older = Template("assets", "Assets", "2", (EVERY_KIND,))
    refusal = refusal_of(write_download(older, {"Assets": [a_row()]}))
    assert refusal.code == "file.wrong_version"
    assert "version 2" in refusal.detail
    assert "version 3" in refusal.detail


@pytest.mark.parametrize(
    "content",
    [
        a_csv([["Bid ID", "Decision"], ["b", "accepted"]]),
        a_workbook({"Bids": [["Bid ID"]], "Other": [["x"]]}),
        a_workbook({"Assets": [["Bid ID", "Decision"]], "Other": [["x"]]}),
    ],
)
def test_a_file_that_names_none_of_the_columns_is_refused(content: bytes) -> None:
    assert refusal_of(content).code == "file.wrong_template"


def test_a_missing_required_column_is_refused_by_name() -> None:
    refusal = refusal_of(a_csv([["Asset Ref", "Capacity (MW)"], ["EV-1", 1]]))
    assert [(problem.code, problem.column) for problem in refusal.problems] == [("file.column_missing", "Name")]


def test_a_column_that_stands_twice_is_refused_by_name() -> None:
    refusal = refusal_of(a_csv([["Asset Ref", "Name", "name"], ["EV-1", "a", "b"]]))
    assert [(problem.code, problem.column) for problem in refusal.problems] == [("file.column_twice", "Name")]


def test_tabs_are_matched_by_name_and_a_missing_one_is_refused_unless_optional() -> None:
    tabs = {
        "competitions": [["Competition Ref", "Name"], ["C1", "x"]],
        "SERVICE WINDOWS": [["Competition Ref", "Window Name"]],
    }
    found = read_file(a_workbook({**tabs, "Notes": [["Note"], ["hello"]]}), TWO_TABS)
    assert rows_of(found, "Notes") == [{"note": "hello"}]
    assert set(read_file(a_workbook(tabs), TWO_TABS).sheets) == {"Competitions", "Service Windows"}
    refusal = refusal_of(a_workbook({"Competitions": tabs["competitions"]}), TWO_TABS)
    assert refusal.code == "file.wrong_template"
    assert "Service Windows" in refusal.detail


def test_a_kind_of_several_tabs_takes_no_csv() -> None:
    refusal = refusal_of(a_csv([["Competition Ref", "Name"]]), TWO_TABS)
    assert refusal.code == "file.needs_workbook"


def test_a_workbook_of_optional_tabs_needs_at_least_one_of_them() -> None:
    optional = Template(
        "notes", "Notes", "1", (TWO_TABS.sheet("Notes"), Sheet("More", EVERY_KIND.columns, optional=True))
    )
    assert refusal_of(a_workbook({"A": [["x"]], "B": [["y"]]}), optional).code == "file.wrong_template"


def test_a_csv_is_taken_for_the_tab_whose_columns_it_names() -> None:
    more = Sheet(
        "More", (Column("Planned Ref", "planned", "x", True), Column("Name", "name", "x", True)), optional=True
    )
    both = Template("assets", "Assets", "3", (EVERY_KIND, more))
    assert set(read_file(a_csv([["Planned Ref", "Name"], ["P1", "x"]]), both).sheets) == {"More"}


def test_a_file_without_a_readme_label_is_judged_by_its_columns() -> None:
    content = a_workbook({"README": [["Assets"], ["Template", ""]], "Assets": [HEADERS, ["EV-1", "a", 1]]})
    assert rows_of(read_file(content, TEMPLATE))


def test_a_template_has_no_tab_or_column_it_was_not_given() -> None:
    with pytest.raises(KeyError):
        TEMPLATE.sheet("Nope")
    with pytest.raises(KeyError):
        EVERY_KIND.column("nope")


RAW = st.one_of(
    st.sampled_from(
        [None, "", " ", "yes", "EV-1", "12", "-3", "2026-04-01", "30/02/2026", "16:30", "PT30M", "'=x", True]
    ),
    st.floats(min_value=-10, max_value=2000).map(lambda number: round(number, 7)),
    st.floats(),
    st.integers(-5, 2000),
    st.text(max_size=12),
    st.dates(date(1899, 12, 31), date(2200, 1, 1)),
    st.datetimes(datetime(1899, 12, 31), datetime(2200, 1, 1)),
    st.times(),
    st.timedeltas(),
)
READ = tuple(column for column in EVERY_KIND.columns if not column.shown_only)


def plain_rule(column: Column) -> Any:
    def check(raw: Any) -> Any:
        value = read_cell(column.kind, raw)
        if isinstance(value, Fault) or (value is None and column.required):
            raise ValueError("does not pass")
        return value

    return Annotated[Any, BeforeValidator(check)]


PLAIN_ROW = create_model("PlainRow", **{column.field: (plain_rule(column), ...) for column in READ})  # type: ignore[call-overload]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[RAW] * len(READ)), min_size=1, max_size=25))
def test_reading_by_columns_gives_the_verdicts_of_the_plain_rule_row_by_row(rows: list[tuple[Any, ...]]) -> None:
    sheet = Sheet("Assets", READ)
    table = RawTable("Assets", [[column.header for column in READ], *rows])
    header = find_header(sheet, table)
    assert header is not None
    found = {row.row: row for row in read_table(sheet, table, header).rows}
    for number, raw in enumerate(rows, 2):
        named = dict(zip((column.field for column in READ), raw, strict=True))
        if number not in found:
            assert all(read_cell(column.kind, named[column.field]) is None for column in READ)
            continue
        values, wrong = plain_verdict(named)
        assert {problem.field for problem in found[number].problems} == wrong
        assert wrong or found[number].values == values


def plain_verdict(named: dict[str, Any]) -> tuple[dict[str, Any], set[Any]]:
    """A row's values by the plain rule, or the fields that do not pass."""
    try:
        values = PLAIN_ROW.model_validate(named).model_dump()
    except ValidationError as error:
        return {}, {each["loc"][0] for each in error.errors()}
    return {name: value for name, value in values.items() if value is not None}, set()


def test_a_workbook_with_a_file_of_its_own_making_may_leave_the_problems_tab_in() -> None:
    content = a_workbook({"Problems": [["Tab", "Row"]], "Anything": [HEADERS, ["EV-1", "Depot", 1]]})
    assert rows_of(read_file(content, TEMPLATE))


def test_a_long_number_with_a_lower_bound_above_nought_is_read_by_the_plain_rule() -> None:
    sheet = Sheet("Assets", (Column("MW", "mw", "x", True, DecimalNumber(2, None, above=Decimal(0))),))
    found = read_file(a_workbook({"Assets": [["MW"], [1.5], [0.0]]}), Template("assets", "Assets", "1", (sheet,)))
    assert [bool(row.problems) for row in found.sheets["Assets"].rows] == [False, True]


def test_many_rows_are_read_within_the_caps() -> None:
    assert CAPS.rows == MOST_ROWS == 500_000
    assert Decimal(MOST_BYTES) == 100_000_000
