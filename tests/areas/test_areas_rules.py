"""Claims about what the lists of a boundary may hold, and about when two of them are the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.areas import rules
from chalicelib.areas.models import MOST_REF, Box


def a_box(**sides: str) -> Box:
    plain = {"south": "52", "west": "1", "north": "53", "east": "2"}
    return Box.model_validate(plain | sides)


@pytest.mark.parametrize("text", ["IP1 2AB", "ip12ab", " IP1  2AB "])
def test_a_whole_postcode_is_taken_however_it_is_written(text: str) -> None:
    assert rules.postcode_problem(text) is None


@pytest.mark.parametrize("text", ["IP1", "IP1 2", "", "12345"])
def test_what_is_no_whole_postcode_is_named(text: str) -> None:
    problem = rules.postcode_problem(text)
    assert problem is not None
    assert (problem.code, problem.field) == ("area.postcode", "postcode")


def test_a_sector_is_an_outward_code_and_a_figure() -> None:
    assert rules.sector_problem("ip1 2") is None
    problem = rules.sector_problem("IP1 2AB")
    assert problem is not None
    assert problem.code == "area.sector"


def test_a_box_on_the_globe_has_its_north_above_its_south_and_its_east_beyond_its_west() -> None:
    assert rules.box_problems(a_box()) == []
    upside_down, inside_out = a_box(south="54"), a_box(west="3")
    assert [problem.code for problem in rules.box_problems(upside_down)] == ["area.box_latitude"]
    assert [problem.code for problem in rules.box_problems(inside_out)] == ["area.box_longitude"]
    beyond = a_box(north="90.5", east="181")
    assert [problem.field for problem in rules.box_problems(beyond)] == ["box_south", "box_west"]


def test_the_same_lists_in_another_order_and_spelling_are_the_same_boundary() -> None:
    first = rules.boundary(["IP1 2AB", "NR1 1AA"], ["IP1 2"], ["12 34", "56"], [a_box(), a_box(south="51")])
    again = rules.boundary(["nr11aa", "ip12ab", "IP1 2AB"], ["ip1 2"], ["56", "1234"], [a_box(south="51.0"), a_box()])
    assert first == again
    assert first.meters == ("1234", "56")
    assert [box.south for box in first.boxes] == [Decimal(51), Decimal(52)]


def test_a_reference_is_there_on_one_line_and_short() -> None:
    assert rules.ref_problem("NORTH") is None
    assert rules.ref_problem("N" * MOST_REF) is None
    found = [rules.ref_problem(ref) for ref in ("", "N" * (MOST_REF + 1), "NORTH\nSOUTH")]
    assert [problem.code for problem in found if problem] == [
        "area.reference_empty",
        "area.reference",
        "area.reference",
    ]
