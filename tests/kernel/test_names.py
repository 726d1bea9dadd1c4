"""Claims about names: one line one can see, that leads nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.kernel.names import CompanyName, FileName, PersonName, is_name, one_line

PERSON: TypeAdapter[str] = TypeAdapter(PersonName)
COMPANY: TypeAdapter[str] = TypeAdapter(CompanyName)
FILE: TypeAdapter[str] = TypeAdapter(FileName)


@pytest.mark.parametrize(
    "name",
    ["Ann Abel", "Zoë O'Neill-Šmíd", "李小龍", "Ибрагим", "J. R. Hartley", "Booking.com Ltd", "A/S Kraft & Søn"],
)
def test_names_of_people_and_companies_are_taken_as_they_are(name: str) -> None:
    assert PERSON.validate_python(name) == COMPANY.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "Ann,\n\nYour account is locked. Unlock it",
        "Ann\r\nBcc: all@evil.example",
        "Ann\x00",
        "Ann\tAbel",
        "Ann\u2028Abel",
        "\u202eAnn",
        "An\u200bn",
        "\ufeffAnn",
        "Ann https://evil.example/login",
        "Ann HTTP\uff1a//evil.example",
        "Ann WWW.evil.example",
        "\uff57\uff57\uff57.evil.example",
        "",
    ],
)
def test_what_could_pass_for_more_than_a_name_is_refused(name: str) -> None:
    for kind in (PERSON, COMPANY):
        with pytest.raises(ValidationError):
            kind.validate_python(name)


def test_people_have_100_characters_and_companies_160() -> None:
    assert PERSON.validate_python("x" * 100)
    assert COMPANY.validate_python("x" * 160)
    for kind, most in ((PERSON, 100), (COMPANY, 160)):
        with pytest.raises(ValidationError):
            kind.validate_python("x" * (most + 1))


def test_wide_and_hard_spaces_become_plain_ones() -> None:
    assert PERSON.validate_python("Ann\u00a0Abel") == PERSON.validate_python("Ann\u3000Abel") == "Ann Abel"


def test_a_file_may_be_named_after_a_page_but_is_one_line() -> None:
    assert FILE.validate_python("www.flex.example.xlsx") == "www.flex.example.xlsx"
    with pytest.raises(ValidationError):
        FILE.validate_python("assets\n.xlsx")


@given(st.text(max_size=400))
def test_whatever_it_was_one_line_is_one_line_of_what_can_be_seen(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 200
    assert one_line(line) == line


@given(st.text(min_size=1, max_size=100))
def test_a_name_that_passes_is_a_name(text: str) -> None:
    try:
        assert is_name(PERSON.validate_python(text))
    except ValidationError:
        assert not is_name(text) or text.strip() == ""
