"""Blank templates, filled downloads and marked-up copies, read back by our own reader and by another library."""
# ruff: noqa: DTZ001 (local clock times have no zone)

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.files import marking, writing
from chalicelib.files.columns import Column, Sheet, Template, Text, TextList
from chalicelib.files.marking import mark_workbook
from chalicelib.files.models import FileProblem
from chalicelib.files.workbook import match_tabs, read_file, read_tables
from chalicelib.files.writing import HEADER_ROW, write_download, write_template
from chalicelib.kernel.errors import Refused
from tests.builders.files import EVERY_KIND, TEMPLATE, TWO_TABS, a_csv, a_row, a_workbook

FULL = {
    "ref": "EV-001",
    "name": "Depot",
    "mw": "0.0036",
    "count": 12,
    "day": "2026-04-01",
    "seen": "2026-04-01T09:30:00",
    "start": "24:00",
    "response": "P1DT2H",
    "flexible": False,
    "status": "Operational",
    "postcodes": ["IP1 1AA", "IP1 1AB"],
}


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def values_of(content: bytes) -> list[dict[str, Any]]:
    return [row.values for row in read_file(content, TEMPLATE).sheets["Assets"].rows]


def test_a_blank_template_says_what_it_is_and_what_each_column_takes() -> None:
    book = opened(write_template(TEMPLATE))
    assert book.sheetnames == ["README", "Assets", "Lists"]
    readme = {row[0].value: row[1].value for row in book["README"].iter_rows(max_col=2)}
    assert (readme["Template"], readme["Template version"]) == ("assets", "3")
    capacity = [cell.value for cell in next(book["Assets"].iter_cols(min_col=3, max_col=3, max_row=HEADER_ROW + 1))]
    assert capacity == [
        "How much it can turn down.",
        "number, up to 6 decimal places",
        "Optional",
        "0 or more",
        "e.g. 1.25",
        "Capacity (MW)",
    ]
    assert [book["Assets"].cell(3, place).value for place in (1, 12)] == ["Required", "Shown only"]


def test_a_template_offers_the_choices_from_a_hidden_tab() -> None:
    book = opened(write_template(TEMPLATE))
    assert book["Lists"].sheet_state == "hidden"
    rules = {str(rule.sqref).split(":")[0]: rule.formula1 for rule in book["Assets"].data_validations.dataValidation}
    assert rules == {"I7": "Lists!$A$1:$A$2", "J7": "Lists!$B$1:$B$2"}
    assert [book["Lists"].cell(row, 2).value for row in (1, 2)] == ["In Development", "Operational"]
    assert opened(write_template(TWO_TABS)).sheetnames == ["README", "Competitions", "Service Windows", "Notes"]


def test_what_is_usual_is_suggested_and_anything_else_is_questioned_not_refused() -> None:
    column = Column("Type", "type", "What it is.", True, Text(40, suggestions=("Battery", "EV charging")), "Battery")
    template = Template("assets", "Assets", "1", (Sheet("Assets", (column,)),))
    (rule,) = opened(write_template(template))["Assets"].data_validations.dataValidation
    assert (rule.formula1, rule.errorStyle) == ("Lists!$A$1:$A$2", "warning")
    rows = read_file(write_download(template, {"Assets": [{"type": "Kettle"}]}), template).sheets["Assets"].rows
    assert [(row.values, row.problems) for row in rows] == [({"type": "Kettle"}, ())]


def test_the_header_stays_in_view() -> None:
    assert opened(write_template(TEMPLATE))["Assets"].freeze_panes == "B7"


def test_a_download_can_be_uploaded_again_and_changes_nothing() -> None:
    assert values_of(write_download(TEMPLATE, {"Assets": [FULL | {"phase": "bidding"}, a_row(name="b", ref="2")]})) == [
        FULL,
        {"ref": "2", "name": "b", "mw": "1.25"},
    ]


def test_a_download_takes_the_values_of_our_models() -> None:
    row = {
        "ref": "EV-001",
        "name": "Depot",
        "mw": Decimal("0.0036"),
        "count": 12,
        "day": date(2026, 4, 1),
        "seen": datetime(2026, 4, 1, 9, 30),
        "start": time(16, 30),
        "response": timedelta(hours=26),
        "flexible": False,
        "status": "Operational",
        "postcodes": ("IP1 1AA", "IP1 1AB"),
    }
    assert values_of(write_download(TEMPLATE, {"Assets": [row]})) == [FULL | {"start": "16:30"}]


def test_the_same_content_gives_the_same_bytes() -> None:
    assert write_download(TEMPLATE, {"Assets": [FULL]}) == write_download(TEMPLATE, {"Assets": [FULL]})


def test_no_text_of_a_user_becomes_a_formula() -> None:
    book = opened(
        write_download(TEMPLATE, {"Assets": [a_row(name='=HYPERLINK("http://x","y")', postcodes=["=1", "b"])]})
    )
    cells = [cell for cell in book["Assets"][HEADER_ROW + 2] if cell.value is not None]
    assert [cell.data_type for cell in cells] == ["s", "s", "n", "s"]
    assert cells[1].value == '\'=HYPERLINK("http://x","y")'
    assert cells[3].value == "'=1; b"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40), min_size=1, max_size=20)
)
def test_our_own_neutralised_export_reads_back_as_the_original_text(names: list[str]) -> None:
    rows = [a_row(ref=f"r{number}", name=name) for number, name in enumerate(names)]
    read = {row["ref"]: row.get("name") for row in values_of(write_download(TEMPLATE, {"Assets": rows}))}
    assert read == {f"r{number}": name.strip() or None for number, name in enumerate(names)}


@settings(max_examples=50, deadline=None)
@given(st.decimals(min_value=0, max_value=10**14, places=6, allow_nan=False, allow_infinity=False))
def test_a_decimal_survives_the_round_trip_exactly(number: Decimal) -> None:
    (row,) = values_of(write_download(TEMPLATE, {"Assets": [a_row(mw=number)]}))
    assert Decimal(row["mw"]) == number


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_SHEET_ROWS", HEADER_ROW + 3)
    assert write_download(TEMPLATE, {"Assets": [FULL, FULL]})
    with pytest.raises(Refused) as refused:
        write_download(TEMPLATE, {"Assets": [FULL] * 3})
    assert refused.value.code == "export.too_many_rows"


def test_more_text_than_a_cell_holds_is_refused_and_never_cut() -> None:
    sheet = Sheet("Assets", (Column("Refs", "refs", "x", True, TextList()),))
    with pytest.raises(Refused) as refused:
        write_download(Template("assets", "Assets", "1", (sheet,)), {"Assets": [{"refs": ["x" * 40_000]}]})
    assert refused.value.code == "export.cell_too_long"


def marked(content: bytes) -> tuple[bytes, list[FileProblem]]:
    tables = read_tables(content)
    found = read_file(content, TEMPLATE)
    problems = [FileProblem.of(problem) for row in found.sheets["Assets"].rows for problem in row.problems]
    return mark_workbook(tables, match_tabs(content, tables, TEMPLATE), problems), problems


BAD = [
    ["", "Depot", -1.0, 12, date(2026, 4, 1), "x"],
    ["=EV-2", "b", 1.5, "many", datetime(2026, 4, 1, 9), "soon"],
    ["EV-3", True],
]
BAD_HEADER = ["Asset Ref", "Name", "Capacity (MW)", "Device Count", "Operational Date", "Seen"]


@pytest.mark.parametrize(
    "content",
    [
        a_workbook({"Assets": [[], BAD_HEADER, *BAD], "Mine": [["x"]]}),
        a_csv([BAD_HEADER, ["", "b", "-1", "x", "30/02/2026", ""]]),
    ],
)
def test_a_marked_copy_has_the_same_values_and_the_same_problems(content: bytes) -> None:
    copy, problems = marked(content)
    assert problems
    found, before = read_file(copy, TEMPLATE), read_file(content, TEMPLATE)
    assert [row.values for row in found.sheets["Assets"].rows] == [row.values for row in before.sheets["Assets"].rows]
    assert [row.problems for row in found.sheets["Assets"].rows] == [
        row.problems for row in before.sheets["Assets"].rows
    ]
    assert marked(copy)[0] == copy


def test_every_bad_cell_is_coloured_and_has_a_comment() -> None:
    copy, problems = marked(a_workbook({"Assets": [BAD_HEADER, *BAD]}))
    sheet = opened(copy)["Assets"]
    commented = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    coloured = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"}
    assert set(commented) == coloured == {"A2", "C2", "F2", "D3", "E3", "F3"}
    assert commented["C2"] == "The value -1 is negative.\nTaken: 0 or more"
    assert len(problems) == 6


def test_the_first_tab_of_a_marked_copy_lists_the_problems() -> None:
    copy, problems = marked(a_workbook({"Assets": [BAD_HEADER, *BAD]}))
    listed = [[cell.value for cell in row] for row in opened(copy)["Problems"].iter_rows()]
    assert listed[0] == ["Tab", "Row", "Column", "Problem", "What would pass", "Code"]
    assert listed[1] == ["Assets", 2, "Capacity (MW)", "The value -1 is negative.", "0 or more", "cell.negative"]
    assert len(listed) == len(problems) + 1


def test_a_problem_of_a_whole_row_stands_on_its_first_cell_and_one_of_no_row_only_in_the_list() -> None:
    content = a_workbook({"Assets": [["Asset Ref", "Name"], ["EV-1", "a"]]})
    tables = read_tables(content)
    whole = FileProblem(code="asset.obligated", detail="It has an obligation.", sheet="Assets", row=2)
    file = FileProblem(code="file.odd", detail="Something else.")
    elsewhere = FileProblem(code="x", detail="Another tab.", sheet="Other", row=2)
    beyond = FileProblem(code="x", detail="A row that is not there.", sheet="Assets", row=5, column="Name")
    copy = mark_workbook(tables, match_tabs(content, tables, TEMPLATE), [whole, file, elsewhere, beyond])
    sheet = opened(copy)["Assets"]
    commented = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert commented == {"A2", "B5"}


def test_comments_are_written_up_to_a_limit_and_colours_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "MOST_COMMENTS", 2)
    copy, _ = marked(a_workbook({"Assets": [BAD_HEADER, *BAD]}))
    cells = [cell for row in opened(copy)["Assets"].iter_rows() for cell in row]
    assert sum(1 for cell in cells if cell.comment) == 2
    assert sum(1 for cell in cells if cell.fill.fgColor.rgb == "FFFFC7CE") == 6


def test_a_marked_copy_keeps_clock_times_and_durations() -> None:
    header = ["Asset Ref", "Name", "Start", "Response Time", "Capacity (MW)"]
    content = a_workbook(
        {"Assets": [header, ["EV-1", "a", time(16, 30), timedelta(hours=26), "x"]]}, {(1, 2): "hh:mm", (1, 3): "[h]:mm"}
    )
    copy, _ = marked(content)
    assert values_of(copy) == [{"ref": "EV-1", "name": "a", "start": "16:30", "response": "P1DT2H"}]


def test_every_kind_of_column_is_in_the_example_template() -> None:
    assert len({type(column.kind) for column in EVERY_KIND.columns}) == 10
