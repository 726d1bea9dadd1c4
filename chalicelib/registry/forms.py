"""Owns forms as data: sections of questions, and the problems of answers given to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import Value
from chalicelib.kernel.quantities import parse_decimal, plain

QuestionKind = Literal["text", "number", "date", "yes_no", "choice", "file"]
Answer = str | bool
Answers = Mapping[str, Mapping[str, Answer]]
DOCUMENTS = "documents"
MOST_TEXT = 10_000


class Question(Value):
    """One question. `choices` belong to `choice`; `must_be` is the only answer that lets a form be submitted."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    label: str = Field(min_length=1, max_length=1000)
    kind: QuestionKind
    required: bool = True
    choices: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=300)
    help: str = Field(default="", max_length=2000)
    must_be: bool | None = None


class Section(Value):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    title: str = Field(min_length=1, max_length=200)
    questions: tuple[Question, ...] = Field(min_length=1, max_length=100)


class Form(Value):
    sections: tuple[Section, ...] = Field(min_length=1, max_length=30)


def form_problems(form: Form) -> list[Problem]:
    """What is wrong with a form: ids used twice, choices missing or misplaced, the reserved section's name taken."""
    problems = _repeated([section.id for section in form.sections], "form/sections")
    for section in form.sections:
        place = f"form/sections/{section.id}"
        problems += _repeated([question.id for question in section.questions], place)
        problems += [problem for question in section.questions for problem in _question_problems(question, place)]
        if section.id == DOCUMENTS:
            problems.append(Problem("form.reserved", "The section `documents` is made from required documents.", place))
    return problems


def with_documents(form: Form, required_documents: tuple[str, ...]) -> Form:
    """The form with a last section that asks for each required document as a file."""
    if not required_documents:
        return form
    questions = tuple(
        Question(id=f"document_{number}", label=label, kind="file")
        for number, label in enumerate(required_documents, start=1)
    )
    return form.but(sections=(*form.sections, Section(id=DOCUMENTS, title="Documents", questions=questions)))


def read_answers(
    form: Form, given: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Answer]], list[Problem]]:
    """Answers as they are kept, and every problem of those given; a blank answer is left out."""
    kept: dict[str, dict[str, Answer]] = {}
    problems: list[Problem] = []
    for section_id, answers in given.items():
        questions = {question.id: question for question in _section(form, section_id)}
        if not questions:
            problems.append(_unknown(f"answers/{section_id}", "section", [section.id for section in form.sections]))
        for question_id, value in answers.items() if questions else ():
            place = f"answers/{section_id}/{question_id}"
            question = questions.get(question_id)
            if question is None:
                problems.append(_unknown(place, "question", list(questions)))
                continue
            answer, problem = _read(question, value, place)
            problems += [problem] if problem else []
            if answer is not None:
                kept.setdefault(section_id, {})[question_id] = answer
    return kept, problems


def missing_answers(form: Form, answers: Answers) -> list[Problem]:
    """What keeps a form from being submitted: required questions unanswered, declarations not made."""
    problems = []
    for section in form.sections:
        for question in section.questions:
            problems += _missing(question, answers.get(section.id, {}).get(question.id), section)
    return problems


def answered_files(form: Form, answers: Answers) -> Iterator[tuple[str, str]]:
    """The place and file id of every file given as an answer."""
    for section in form.sections:
        for question in section.questions:
            given = answers.get(section.id, {}).get(question.id)
            if question.kind == "file" and isinstance(given, str):
                yield f"answers/{section.id}/{question.id}", given


def file_question(form: Form, section_id: str, question_id: str) -> Question | None:
    """The question if it exists and asks for a file."""
    return next((q for q in _section(form, section_id) if q.id == question_id and q.kind == "file"), None)


def _section(form: Form, section_id: str) -> tuple[Question, ...]:
    return next((section.questions for section in form.sections if section.id == section_id), ())


def _read(question: Question, value: Any, place: str) -> tuple[Answer | None, Problem | None]:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, None
    try:
        return _READERS[question.kind](question, value), None
    except ValueError as error:
        return None, Problem(f"answer.{question.kind}", f"{question.label}: {error}.", place, _ALLOWED[question.kind])


def _text(question: Question, value: Any) -> Answer:
    if not isinstance(value, str):
        raise ValueError("text is wanted")
    if len(value) > MOST_TEXT:
        raise ValueError(f"at most {MOST_TEXT} characters")
    return value.strip()


def _number(question: Question, value: Any) -> Answer:
    return plain(parse_decimal(value))


def _date(question: Question, value: Any) -> Answer:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise ValueError("not a day of the calendar") from error


def _yes_no(question: Question, value: Any) -> Answer:
    if not isinstance(value, bool):
        raise ValueError("yes or no is wanted")
    return value


def _choice(question: Question, value: Any) -> Answer:
    if value not in question.choices:
        raise ValueError(f"choose one of: {', '.join(question.choices)}")
    return str(value)


_READERS = {"text": _text, "number": _number, "date": _date, "yes_no": _yes_no, "choice": _choice, "file": _text}
_ALLOWED = {
    "text": f"text of at most {MOST_TEXT} characters",
    "number": "a plain decimal number such as 12.5",
    "date": "a date such as 2026-04-01",
    "yes_no": "true or false",
    "choice": "one of the choices",
    "file": "the id of a file uploaded for this question",
}


def _missing(question: Question, given: Answer | None, section: Section) -> list[Problem]:
    place = f"answers/{section.id}/{question.id}"
    if given is None:
        missing = Problem("answer.missing", f"{section.title}: {question.label} is not answered.", place)
        return [missing] if question.required else []
    if question.must_be is not None and given != question.must_be:
        wanted = "yes" if question.must_be else "no"
        return [Problem("answer.declaration", f"{question.label}: only {wanted} lets you submit.", place, wanted)]
    return []


def _question_problems(question: Question, place: str) -> list[Problem]:
    here = f"{place}/{question.id}"
    if question.kind == "choice" and len(question.choices) < 2:
        return [Problem("form.choices", f"{question.label}: a choice needs two choices or more.", here)]
    if question.kind != "choice" and question.choices:
        return [Problem("form.choices", f"{question.label}: only a choice has choices.", here)]
    if question.kind != "yes_no" and question.must_be is not None:
        return [Problem("form.must_be", f"{question.label}: only yes or no can be demanded.", here)]
    return []


def _repeated(ids: list[str], place: str) -> list[Problem]:
    twice = sorted({name for name in ids if ids.count(name) > 1})
    return [Problem("form.repeated", f"`{name}` is used twice.", f"{place}/{name}") for name in twice]


def _unknown(place: str, what: str, known: list[str]) -> Problem:
    return Problem(f"answer.unknown_{what}", f"The form has no such {what}.", place, ", ".join(known))
