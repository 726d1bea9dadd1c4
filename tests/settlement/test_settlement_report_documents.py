"""The settlement report as PDF and as workbook: the same bytes each time, and nothing of the report left out."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from reportlab.graphics.shapes import Drawing, Polygon, PolyLine, String

from chalicelib.kernel.periods import half_hours_in
from chalicelib.settlement import wording
from chalicelib.settlement.models_runs import InstructionDetail
from chalicelib.settlement.plots import WRONG_WAY, can_be_drawn, plot, runs
from chalicelib.settlement.report_contents import energy_mwh, is_shared
from chalicelib.settlement.report_pdf import report_pdf
from chalicelib.settlement.report_workbook import report_workbook
from chalicelib.settlement.workings import Workings
from tests.builders.settlement import LONDON, local, rules
from tests.builders.settlement_documents import (
    DAY,
    LINES,
    PROVIDER,
    a_clock_change_day,
    a_meter,
    a_negative_delivery,
    a_report,
    a_report_line,
    an_instruction_detail,
    contents,
    fully_delivered,
    many,
    periods_of,
    unsettled,
)

ROOT = Path(__file__).parents[2]
FORMULA = '=HYPERLINK("http://evil")'


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def rows_of(content: bytes, tab: str) -> list[dict[str, Any]]:
    header, *rows = opened(content)[tab].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def steps(drawing: Drawing) -> list[PolyLine]:
    return [shape for shape in drawing.contents if isinstance(shape, PolyLine)]


def clock_marks(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.contents if isinstance(shape, String)]


@pytest.mark.parametrize("write", [report_pdf, report_workbook])
def test_the_same_report_gives_the_same_bytes(write: Any) -> None:
    assert write(contents()) == write(contents())


def test_another_process_gives_the_same_bytes_too() -> None:
    code = (
        "import hashlib; from tests.builders.settlement_documents import contents\n"
        "from chalicelib.settlement.report_pdf import report_pdf\n"
        "from chalicelib.settlement.report_workbook import report_workbook\n"
        "print(hashlib.sha256(report_pdf(contents()) + report_workbook(contents())).hexdigest())"
    )
    ask = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"}
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=ask, capture_output=True, text=True, check=True)
    here = hashlib.sha256(report_pdf(contents()) + report_workbook(contents())).hexdigest()
    assert found.stdout.strip() == here


def test_the_pdf_holds_every_amount() -> None:
    text = text_of(report_pdf(contents()))
    assert [line.amount for line in LINES if line.amount and wording.money(line.amount) not in text] == []
    assert wording.money(sum((line.amount for line in LINES if line.amount), Decimal(0))) in text


def test_the_pdf_names_both_sides_whatever_their_letters() -> None:
    text = flat(text_of(report_pdf(contents())))
    assert PROVIDER in text
    assert "Eastern Grid Networks plc" in text


def test_each_page_says_which_of_how_many_it_is_and_of_which_version() -> None:
    pages = PdfReader(io.BytesIO(report_pdf(contents()))).pages
    assert len(pages) == 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of 3" in page.extract_text()
    assert "version 2, published" in flat(text_of(report_pdf(contents(provider="Short name"))))


def test_an_instruction_that_could_not_be_settled_is_shown_with_its_reason() -> None:
    text = flat(text_of(report_pdf(contents())))
    assert "Not settled: meter readings are missing (MISSING_READINGS)" in text
    assert "Meter points left out: 1200012345671 (MISSING_READINGS)" in text
    row = rows_of(report_workbook(contents()), "Lines")[2]
    assert (row["Amount"], row["Reason there is none"]) == (None, "MISSING_READINGS")


def test_negative_delivery_is_shown_as_negative() -> None:
    assert "−1.0000 MWh" in text_of(report_pdf(contents()))
    row = rows_of(report_workbook(contents()), "Instructions")[2]
    assert (row["Delivered MWh"], row["Counted MWh"]) == (-1, 0)


def test_delivery_the_wrong_way_is_shaded_in_red() -> None:
    def reds(instruction: InstructionDetail) -> int:
        shapes = plot(instruction, LONDON, 300, 150).contents
        return sum(isinstance(shape, Polygon) and shape.fillColor == WRONG_WAY for shape in shapes)

    assert reds(a_negative_delivery(1)) == 4
    assert reds(an_instruction_detail()) == 0


@pytest.mark.parametrize(("day", "halves"), [(date(2024, 3, 31), 46), (date(2024, 10, 27), 50), (DAY, 48)])
def test_a_day_is_drawn_with_as_many_half_hours_as_it_has(day: date, halves: int) -> None:
    drawing = plot(a_clock_change_day(day), LONDON, 320, 150)
    assert [len(line.points) // 4 for line in steps(drawing)] == [halves] * 3
    xs = steps(drawing)[0].points[0::2]
    assert xs == sorted(xs)


def test_the_axis_names_both_zones_on_the_day_the_clocks_change() -> None:
    marks = clock_marks(plot(a_clock_change_day(date(2024, 10, 27)), LONDON, 320, 150))
    assert {"BST", "GMT"} <= set(marks)
    assert not {"BST", "GMT"} & set(clock_marks(plot(a_clock_change_day(DAY), LONDON, 320, 150)))


def test_the_axis_shows_round_times_of_the_local_clock_before_and_after_a_change() -> None:
    marks = clock_marks(plot(a_clock_change_day(date(2024, 10, 27)), LONDON, 320, 150))
    assert [mark for mark in marks if re.fullmatch(r"\d\d:\d\d", mark)] == [
        f"{hour:02d}:00" for hour in (3, 6, 9, 12, 15, 18, 21)
    ]
    assert [mark for mark in marks if "Oct" in mark] == ["27 Oct", "28 Oct"]


def test_weeks_are_marked_by_days() -> None:
    span = (local(date(2026, 6, 1), "00:00"), local(date(2026, 6, 29), "00:00"))
    long = an_instruction_detail(starts=span[0], ends=span[1], periods=periods_of(list(half_hours_in(span)), span))
    marks = [mark for mark in clock_marks(plot(long, LONDON, 320, 150)) if "Ju" in mark or "May" in mark]
    assert 4 <= len(marks) <= 10


def test_delivery_that_was_shared_is_said_to_be() -> None:
    shared = an_instruction_detail(delivered_mwh=Decimal("0.95"))
    assert is_shared(shared)
    assert not is_shared(an_instruction_detail())
    assert not is_shared(a_negative_delivery(1))
    assert not is_shared(fully_delivered(1))
    assert not is_shared(unsettled(1))
    detail = contents().detail
    text = flat(text_of(report_pdf(contents(detail=detail.but(instructions=(shared,))))))
    assert "shared in proportion to what was asked" in text


def test_an_obligation_without_any_amount_has_no_total() -> None:
    line = a_report_line(1, amount=None, reason="MISSING_READINGS", obligation_id="obl_9")
    assert "obl_9 – –" in flat(text_of(report_pdf(contents(lines=(line,)))))


def test_a_gap_in_the_readings_is_a_gap_in_the_curve() -> None:
    assert runs([1.0, None, 2.0, 3.0]) == [(0, 1), (2, 4)]
    assert runs([]) == []
    whole = an_instruction_detail()
    holes = tuple(
        period.but(metered_mw=None) if place in (3, 4, 9) else period for place, period in enumerate(whole.periods)
    )
    drawing = plot(whole.but(periods=holes), LONDON, 320, 150)
    assert len(steps(drawing)) == 3 + 2


def test_a_small_instruction_is_drawn_in_kilowatts() -> None:
    period = an_instruction_detail().periods[0].but(baseline_mw=Decimal("0.0036"), metered_mw=Decimal(0))
    drawing = plot(an_instruction_detail().but(periods=(period,)), LONDON, 320, 150)
    assert "kW" in clock_marks(drawing)


def test_what_has_no_readings_has_nothing_to_draw() -> None:
    assert not can_be_drawn(unsettled(1))


def test_energy_counts_the_instructed_time_only() -> None:
    whole = an_instruction_detail()
    inside = [period for period in whole.periods if whole.starts <= period.start < whole.ends]
    assert energy_mwh(whole, "metered_mw") == sum((period.metered_mw for period in inside), Decimal(0)) / 2
    assert energy_mwh(unsettled(1), "metered_mw") is None


def test_names_without_a_break_and_long_words_are_wrapped() -> None:
    endless = "ŻółćØŵ" * 60
    lines = (a_report_line(1, window_name=endless, why="because " * 240), a_report_line(2, instruction_id=None))
    detail = contents().detail
    instruction = an_instruction_detail(window_name=endless, left_out=((endless, "MISSING_READINGS"),) * 9)
    odd = contents(lines=lines, provider=endless, operator=endless, detail=detail.but(instructions=(instruction,)))
    text = re.sub(r"\s+", "", text_of(report_pdf(odd)))
    assert text.count(endless) >= 4
    assert "and3more,intheworkbook" in text


def test_documents_made_at_once_are_the_same_as_one_by_one() -> None:
    alone = report_pdf(contents())
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: report_pdf(contents()), range(12))) == {alone}


def test_a_draft_says_so() -> None:
    text = text_of(report_pdf(contents(report=a_report(state="draft", published_at=None, disputable_until=None))))
    assert "Draft: not published" in text


def test_a_superseded_report_says_so() -> None:
    assert "Superseded: a later version" in text_of(report_pdf(contents(report=a_report(state="superseded"))))


def test_an_empty_report_is_still_a_report() -> None:
    empty = contents(lines=(), detail=contents().detail.but(instructions=(), obligations=(), quality=(), rules=()))
    assert "£0.00" in text_of(report_pdf(empty))
    assert opened(report_workbook(empty)).sheetnames[0] == "Summary"


def test_a_report_of_thousands_of_meters_lists_the_worst_and_names_the_workbook() -> None:
    meters = tuple(a_meter(f"12{number:011d}", present=4320 - number % 7) for number in range(3000))
    text = text_of(report_pdf(contents(detail=contents().detail.but(quality=meters))))
    assert "The 120 least complete of 3000 meters" in text
    assert "1200000000006" in text


def test_the_workbook_has_numbers_as_numbers_and_local_times_as_dates() -> None:
    row = rows_of(report_workbook(contents()), "Lines")[0]
    assert row["Amount"] == 351.53
    assert row["Starts (local)"] == datetime(2026, 6, 17, 17)  # noqa: DTZ001 (a local clock)
    assert row["How it came about"] == "2.0000 MWh × £181.20/MWh × factor 0.97"


def test_the_workbook_has_every_tab_under_a_frozen_header() -> None:
    book = opened(report_workbook(contents()))
    tabs = ["Summary", "Lines", "Instructions", "Half-hours", "Availability", "Data quality", "Baselines"]
    assert book.sheetnames == tabs
    assert {book[tab].freeze_panes for tab in tabs[1:]} == {"B2"}


def test_the_workbook_has_every_line_half_hour_baseline_day_and_meter() -> None:
    content = report_workbook(contents())
    found = contents()
    periods = sum(len(each.periods) for each in found.detail.instructions)
    days = sum(
        len(basis.days_used) + len(basis.days_refused) for each in found.detail.instructions for basis in each.baselines
    )
    assert len(rows_of(content, "Lines")) == len(LINES)
    assert len(rows_of(content, "Half-hours")) == periods
    assert len(rows_of(content, "Baselines")) == days
    assert len(rows_of(content, "Data quality")) == 2
    assert rows_of(content, "Availability")[0]["Availability recovery"] == -7.78


def test_the_repeated_hour_is_told_apart_in_the_workbook() -> None:
    detail = contents().detail.but(instructions=(a_clock_change_day(date(2024, 10, 27)),))
    rows = rows_of(report_workbook(contents(detail=detail)), "Half-hours")
    at_one = [row for row in rows if row["Starts (local)"] == datetime(2024, 10, 27, 1)]  # noqa: DTZ001
    assert len(rows) == 50
    assert [row["Zone"] for row in at_one] == ["BST", "GMT"]
    assert len({row["Starts (UTC)"] for row in rows}) == 50


def test_formulas_in_names_are_neutralised() -> None:
    line = a_report_line(1, window_name=FORMULA)
    row = rows_of(report_workbook(contents(lines=(line,))), "Lines")[0]
    assert row["Service window"] == "'" + FORMULA
    book = opened(report_workbook(contents(operator=FORMULA)))
    assert book["Summary"]["B3"].value == "'" + FORMULA


def test_another_currency_is_written_in_its_own_sign() -> None:
    euros = contents(report=a_report(currency="EUR"))
    assert "€351.53" in text_of(report_pdf(euros))
    assert "€" in opened(report_workbook(euros))["Lines"]["G2"].number_format


def test_a_report_of_three_hundred_instructions_takes_seconds_and_less_than_two_megabytes() -> None:
    whole = many(300)
    began = time.process_time()
    pdf, workbook = report_pdf(whole), report_workbook(whole)
    assert time.process_time() - began < 20
    assert max(len(pdf), len(workbook)) < 2_000_000
    text = text_of(pdf)
    assert [line.amount for line in whole.lines if wording.money(line.amount) not in text] == []


def working(line: Any, *instructions: InstructionDetail, **but: Any) -> str:
    detail = contents().detail.but(**({"instructions": instructions} if instructions else {}), **but)
    return Workings(detail, "GBP").of(line)


def test_each_component_says_how_it_came_about() -> None:
    assert working(LINES[1]) == "−0.1200 MWh missed × £11.00/MWh; under dispute dis_1"
    assert [working(line) for line in LINES if line.instruction_id is None] == [
        "41.500 MWh × £6.25/MW/h",
        "−41.500 MWh × £6.25/MW/h × (1 − 0.97)",
        "30 of 183 days of £1,000.00/MW",
    ]


def test_what_is_paid_by_delivery_counts_delivery() -> None:
    delivered = an_instruction_detail(paid_volume="delivered")
    assert working(a_report_line(), delivered) == "1.8800 MWh × £181.20/MWh"
    nothing = a_report_line(amount=Decimal(0))
    assert working(nothing, delivered) == "1.8800 MWh × £181.20/MWh × 0, below the floor"


def test_a_correction_says_what_it_differs_from() -> None:
    corrected = a_report_line(corrects=Decimal("1234.50"), instruction_id="ins_gone")
    assert working(corrected) == "difference to £1,234.50 invoiced before"


def test_a_charge_whose_rules_are_not_told_is_still_explained() -> None:
    assert working(LINES[1], rules=(rules(name="Other"),)) == "0.1200 MWh missed; under dispute dis_1"
    assert working(a_report_line(instruction_id=None, component="availability", month="2020-01")) == ""


def test_a_fee_without_days_is_a_share() -> None:
    obligations = tuple(each.but(days_in_month=None) for each in contents().detail.obligations)
    fee = a_report_line(instruction_id=None, component="service_fee")
    assert working(fee, obligations=obligations) == "share of £1,000.00/MW"


def test_the_golden_amount_can_be_worked_out_from_what_is_shown() -> None:
    golden = fully_delivered(4)
    assert golden.requested_mwh * golden.utilisation_price * golden.factor == Decimal("2910.1626")
    assert "16.0605 MWh × £181.20/MWh × factor 1" in flat(text_of(report_pdf(contents())))
