"""Forms as data: what a form must be, how answers are read, what keeps one from being submitted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.registry.forms import (
    Form,
    Question,
    Section,
    answered_files,
    file_question,
    form_problems,
    missing_answers,
    read_answers,
    with_documents,
)
from chalicelib.registry.standard_form import STANDARD_FORM
from tests.builders.registry import full_answers

EVERY_KIND = Form(
    sections=(
        Section(
            id="all",
            title="All kinds",
            questions=(
                Question(id="words", label="Words", kind="text"),
                Question(id="count", label="Count", kind="number"),
                Question(id="day", label="Day", kind="date"),
                Question(id="sure", label="Sure", kind="yes_no", must_be=True),
                Question(id="size", label="Size", kind="choice", choices=("S", "L")),
                Question(id="paper", label="Paper", kind="file", required=False),
            ),
        ),
    )
)
RIGHT = {"words": " yes ", "count": 12.5, "day": "2026-04-01", "sure": True, "size": "S", "paper": "fil_1"}
KEPT = {"words": "yes", "count": "12.5", "day": "2026-04-01", "sure": True, "size": "S", "paper": "fil_1"}


def test_the_standard_form_has_the_four_sections_and_no_problems() -> None:
    assert [section.title for section in STANDARD_FORM.sections] == [
        "Organisation profile",
        "Organisation status",
        "Auditing, insurance and legal",
        "Declaration",
    ]
    assert form_problems(STANDARD_FORM) == []


def test_answers_of_every_kind_are_read_and_kept_as_they_survive_json() -> None:
    assert read_answers(EVERY_KIND, {"all": RIGHT}) == ({"all": KEPT}, [])


def test_reading_kept_answers_again_changes_nothing() -> None:
    assert read_answers(EVERY_KIND, {"all": KEPT}) == ({"all": KEPT}, [])


@pytest.mark.parametrize(
    ("question", "value", "code"),
    [
        ("words", 5, "answer.text"),
        ("words", "x" * 10_001, "answer.text"),
        ("count", "twelve", "answer.number"),
        ("count", True, "answer.number"),
        ("day", "2026-02-30", "answer.date"),
        ("day", 20260401, "answer.date"),
        ("sure", "yes", "answer.yes_no"),
        ("size", "M", "answer.choice"),
        ("paper", 7, "answer.file"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused_at_its_place(question: str, value: Any, code: str) -> None:
    kept, [problem] = read_answers(EVERY_KIND, {"all": {question: value}})
    assert kept == {}
    assert (problem.code, problem.field) == (code, f"answers/all/{question}")


def test_all_wrong_answers_are_told_at_once_with_unknown_questions_and_sections() -> None:
    given_answers = {"all": {"count": "x", "day": "y", "nothing": 1}, "elsewhere": {"a": 1}}
    _, problems = read_answers(EVERY_KIND, given_answers)
    assert [problem.code for problem in problems] == [
        "answer.number",
        "answer.date",
        "answer.unknown_question",
        "answer.unknown_section",
    ]


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_blank_answer_is_left_out(blank: Any) -> None:
    assert read_answers(EVERY_KIND, {"all": {"words": blank, "count": blank}}) == ({}, [])


def test_required_questions_and_declarations_keep_a_form_from_being_submitted() -> None:
    assert missing_answers(EVERY_KIND, {"all": KEPT}) == []
    assert [problem.field for problem in missing_answers(EVERY_KIND, {})] == [
        f"answers/all/{name}" for name in ("words", "count", "day", "sure", "size")
    ]
    [problem] = missing_answers(EVERY_KIND, {"all": KEPT | {"sure": False}})
    assert (problem.code, problem.allowed) == ("answer.declaration", "yes")


def test_a_declaration_may_demand_no() -> None:
    question = Question(id="q", label="Bankrupt", kind="yes_no", must_be=False)
    form = Form(sections=(Section(id="s", title="S", questions=(question,)),))
    assert missing_answers(form, {"s": {"q": False}}) == []
    assert missing_answers(form, {"s": {"q": True}})[0].allowed == "no"


def test_the_standard_form_is_complete_once_every_required_question_is_answered() -> None:
    answers, problems = read_answers(STANDARD_FORM, full_answers())
    assert problems == []
    assert missing_answers(STANDARD_FORM, answers) == []


def test_required_documents_become_a_section_of_files() -> None:
    form = with_documents(EVERY_KIND, ("Licence", "Certificate"))
    assert [question.label for question in form.sections[-1].questions] == ["Licence", "Certificate"]
    assert file_question(form, "documents", "document_2") is not None
    assert file_question(form, "all", "words") is None
    assert file_question(form, "nowhere", "words") is None
    assert with_documents(EVERY_KIND, ()) == EVERY_KIND


def test_files_given_as_answers_are_found_with_their_places() -> None:
    assert list(answered_files(EVERY_KIND, {"all": KEPT})) == [("answers/all/paper", "fil_1")]
    assert list(answered_files(EVERY_KIND, {})) == []


def a_form(*questions: Question, section: str = "s") -> Form:
    return Form(sections=(Section(id=section, title="S", questions=questions),))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (a_form(Question(id="q", label="Q", kind="text"), Question(id="q", label="R", kind="text")), "form.repeated"),
        (a_form(Question(id="q", label="Q", kind="choice", choices=("one",))), "form.choices"),
        (a_form(Question(id="q", label="Q", kind="text", choices=("a", "b"))), "form.choices"),
        (a_form(Question(id="q", label="Q", kind="text", must_be=True)), "form.must_be"),
        (a_form(Question(id="q", label="Q", kind="text"), section="documents"), "form.reserved"),
        (Form(sections=(EVERY_KIND.sections[0], EVERY_KIND.sections[0])), "form.repeated"),
    ],
)
def test_a_form_that_could_not_be_answered_is_refused(form: Form, code: str) -> None:
    assert [problem.code for problem in form_problems(form)] == [code]


json_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(RIGHT)), json_values))
def test_whatever_is_answered_is_kept_readably_or_told_as_a_problem(answers: dict[str, Any]) -> None:
    kept, problems = read_answers(EVERY_KIND, {"all": answers})
    assert read_answers(EVERY_KIND, kept) == (kept, [])
    blanks = sum(1 for value in answers.values() if value is None or (isinstance(value, str) and not value.strip()))
    assert len(kept.get("all", {})) + len(problems) + blanks == len(answers)
