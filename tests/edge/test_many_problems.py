"""However many problems a request has, the answer stays small."""

from __future__ import annotations

import json

from chalicelib.edge.answers import MOST_PROBLEMS, refused
from chalicelib.kernel.errors import Invalid, Problem


def codes_told(count: int) -> list[str]:
    problems = [Problem(f"row.{number}", "This is wrong.") for number in range(count)]
    body = json.loads(refused(Invalid.of(problems), "req_1").body)
    return [error["code"] for error in body["errors"]]


def test_every_problem_is_told_up_to_a_number() -> None:
    assert codes_told(MOST_PROBLEMS) == [f"row.{number}" for number in range(MOST_PROBLEMS)]


def test_of_very_many_problems_the_first_are_told_and_how_many_more_there_are() -> None:
    assert codes_told(50_000) == [*codes_told(MOST_PROBLEMS), "problems.more"]
