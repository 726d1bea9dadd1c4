"""What a competition and its parts are called reaches mails, whether it came over the API or from a workbook."""

from __future__ import annotations

import pytest

from chalicelib.competitions.requests import read_request
from tests.builders.qualifying import competition_fields

LURES = ["Peak\r\nBcc: all@evil.example", "Peak\u202e", "Unlock at https://evil.example"]


@pytest.mark.parametrize("lure", LURES)
def test_a_name_that_is_more_than_a_line_is_a_problem_of_its_cell(lure: str) -> None:
    fields = competition_fields()
    [window] = fields["service_windows"]
    names = {"service_period_name": lure, "service_window_name": lure}
    _, before = read_request(fields)
    _, problems = read_request(fields | {"name": lure, "service_windows": [window | names]})
    found = {problem.field for problem in problems} - {problem.field for problem in before}
    assert found == {"name", "service_windows/0/service_period_name", "service_windows/0/service_window_name"}
