"""The bank holidays that ship with the product are those of the library they come from."""

from __future__ import annotations

import json
from datetime import date

import pytest

from chalicelib.kernel import holidays
from tests.builders import bank_holidays


def test_the_shipped_bank_holidays_equal_the_librarys() -> None:
    stored = json.loads(bank_holidays.TARGET.read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(bank_holidays.shipped()))
    for name, code in bank_holidays.REGIONS.items():
        assert sorted(holidays.holidays_of(name)) == bank_holidays.library_holidays(code, *bank_holidays.YEARS)


@pytest.mark.parametrize(
    ("day", "where"),
    [
        (date(2025, 4, 21), {"england-and-wales", "northern-ireland"}),
        (date(2025, 1, 2), {"scotland"}),
        (date(2025, 7, 14), {"northern-ireland"}),
        (date(2022, 9, 19), {"england-and-wales", "northern-ireland", "scotland"}),
    ],
)
def test_each_region_keeps_its_own_days(day: date, where: set[str]) -> None:
    assert {region for region in holidays.regions() if day in holidays.holidays_of(region)} == where


def test_no_region_has_no_holidays_and_an_unknown_one_is_refused() -> None:
    assert holidays.holidays_of(None) == frozenset()
    with pytest.raises(ValueError, match="not a holiday region"):
        holidays.holidays_of("atlantis")


def test_years_beyond_the_calendar_are_named() -> None:
    assert holidays.uncovered_years([date(2036, 1, 1), date(2019, 5, 5), date(2024, 1, 1)]) == [2019, 2036]
    assert 2026 in holidays.covered_years()
