"""How applications are read: the FSP sees what it writes, the SO the latest submission, lists where each stands."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page
from chalicelib.registry import store, store_schemes
from chalicelib.registry.actions_schemes import own_scheme
from chalicelib.registry.forms import missing_answers, with_documents
from chalicelib.registry.models import ContractingEntity
from chalicelib.registry.scheme_requests import ApplicationQuery, ApplicationSummary, ApplicationView, SubmissionView
from chalicelib.registry.schemes import Application, KeptAnswers, Submission


def application_view(call: Call, it: Application) -> ApplicationView:
    """An application as its reader may see it: only the FSP sees what is not submitted yet."""
    scheme = store_schemes.load_scheme(it.scheme)
    entity, answers = _own_side(it) if call.organisation == it.fsp else _submitted_side(it)
    form = with_documents(scheme.form, scheme.required_documents)
    incomplete = {str(problem.field).split("/")[1] for problem in missing_answers(form, answers)}
    return ApplicationView(
        **_summary(it, store.load_organisation(it.fsp).name),
        scheme_ref=scheme.ref,
        contracting_entity=entity,
        answers=answers,
        sections_complete=tuple(section.id for section in form.sections if section.id not in incomplete),
        rulings=it.rulings,
    )


def list_applications_to(call: Call, scheme_id: str, query: ApplicationQuery) -> Page[ApplicationSummary]:
    """The applications submitted to one scheme of the SO."""
    own_scheme(call, scheme_id)
    page = store_schemes.list_applications(scheme_id, query.limit, query.cursor)
    return Page(items=_summaries(it for it in page.items if it.submissions and _fits(it, query)), next=page.next)


def list_applications(call: Call, query: ApplicationQuery) -> Page[ApplicationSummary]:
    """An FSP's applications; for an SO those submitted to any scheme of its own."""
    if call.actor.organisation_kind == "fsp":
        page = store_schemes.list_applications_of(call.organisation, query.limit, query.cursor)
        return Page(items=_summaries(it for it in page.items if _fits(it, query)), next=page.next)
    everything = sorted(_submitted_to_all(call), key=lambda it: it.id)
    after = [it for it in everything if _fits(it, query) and (query.cursor is None or it.id > query.cursor)]
    shown = after[: query.limit]
    return Page(items=_summaries(shown), next=shown[-1].id if len(after) > len(shown) else None)


def submissions_of_application(it: Application) -> Page[SubmissionView]:
    """Every version submitted, oldest first."""
    return Page(items=[_submission_view(one) for one in store_schemes.list_submissions(it.scheme, it.fsp)])


def _submitted_to_all(call: Call) -> Iterable[Application]:
    for scheme in store_schemes.all_schemes(call.organisation):
        yield from (it for it in store_schemes.all_applications(scheme.id) if it.submissions)


def _fits(it: Application, query: ApplicationQuery) -> bool:
    return query.state in (None, it.state) and query.scheme in (None, it.scheme)


def _own_side(it: Application) -> tuple[ContractingEntity | None, KeptAnswers]:
    entity = store.load_entity(it.fsp, it.contracting_entity) if it.contracting_entity else None
    return entity, it.answers


def _submitted_side(it: Application) -> tuple[ContractingEntity | None, KeptAnswers]:
    submission = store_schemes.find_submission(it.scheme, it.fsp, it.submissions)
    return (submission.contracting_entity, submission.answers) if submission else (None, {})


def _summaries(applications: Iterable[Application]) -> list[ApplicationSummary]:
    listed = list(applications)
    names = {it.id: it.name for it in store.load_organisations({it.fsp for it in listed}).values()}
    return [ApplicationSummary(**_summary(it, names[it.fsp])) for it in listed]


def _summary(it: Application, fsp_name: str) -> dict[str, object]:
    shared = ("id", "scheme", "so", "fsp", "state", "submissions", "submitted_at", "since", "version")
    return {name: getattr(it, name) for name in shared} | {"fsp_name": fsp_name}


def _submission_view(it: Submission) -> SubmissionView:
    return SubmissionView(
        number=it.number, at=it.at, by=it.by, contracting_entity=it.contracting_entity, answers=it.answers
    )
