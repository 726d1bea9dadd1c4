"""Applications to schemes: written and submitted by the FSP, ruled on by the SO, every submission kept."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refused, raise_problems
from chalicelib.kernel.events import Event
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.models import Page
from chalicelib.registry import actions_application_files, events, rules, store, store_schemes
from chalicelib.registry.actions_application_files import check_files
from chalicelib.registry.actions_application_views import application_view, submissions_of_application
from chalicelib.registry.actions_schemes import own_scheme, seen_scheme
from chalicelib.registry.forms import Form, missing_answers, read_answers, with_documents
from chalicelib.registry.lifecycle import APPLICATION_MOVES
from chalicelib.registry.scheme_requests import (
    ApplicationChange,
    ApplicationRequest,
    ApplicationView,
    DecisionRequest,
    FileRequest,
    FileUpload,
    FileView,
    SubmissionView,
)
from chalicelib.registry.schemes import Application, KeptAnswers, Ruling, Scheme, Submission
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

_EVENTS: dict[str, type[Event]] = {
    "approve": events.ApplicationApproved,
    "reject": events.ApplicationRejected,
    "suspend": events.ApplicationSuspended,
    "reinstate": events.ApplicationReinstated,
    "withdraw": events.ApplicationWithdrawn,
}


def begin_application(call: Call, scheme_id: str, body: ApplicationRequest) -> ApplicationView:
    """Begin an application to an open scheme; `Refused` when the FSP has one already."""
    scheme = seen_scheme(call, scheme_id)
    _check_open(scheme)
    entity = body.contracting_entity or _only_entity(call)
    if entity is not None:
        store.load_entity(call.organisation, entity)
    application = Application(
        id=call.new_id("app"),
        scheme=scheme.id,
        so=scheme.so,
        fsp=call.organisation,
        contracting_entity=entity,
        since=call.now,
    )
    change = _change(application, "application.begun")
    commit(call, store_schemes.create_application(application), changes=[change], result=application.id)
    return application_view(call, application)


def get_application(call: Call, application_id: str) -> ApplicationView:
    """An application, for its FSP, and for the scheme's SO once it was submitted."""
    return application_view(call, seen_application(call, application_id))


def change_application(call: Call, application_id: str, body: ApplicationChange, if_match: int) -> ApplicationView:
    """Save answers section by section, to be gone on with later; `Invalid` with every problem of those given."""
    before = own_application(call, application_id)
    state = move(APPLICATION_MOVES, "application", before.state, "edit")
    answers, problems = read_answers(form_of(store_schemes.load_scheme(before.scheme)), body.answers)
    raise_problems(problems)
    entity = body.contracting_entity or before.contracting_entity
    if body.contracting_entity:
        store.load_entity(call.organisation, body.contracting_entity)
    after = before.but(
        state=state,
        since=before.since if state == before.state else call.now,
        answers=_merged(before.answers, body, answers),
        contracting_entity=entity,
        version=if_match + 1,
    )
    change = _change(after, "application.edited", after={"sections": sorted(body.answers)})
    commit(call, [store_schemes.save_application(after)], changes=[change])
    return application_view(call, after)


def submit_application(call: Call, application_id: str) -> ApplicationView:
    """Submit for the SO to rule on; `Invalid` with all that is missing. What is submitted is kept as a version."""
    before = own_application(call, application_id)
    scheme = store_schemes.load_scheme(before.scheme)
    state = move(APPLICATION_MOVES, "application", before.state, "submit")
    _check_open(scheme)
    form = form_of(scheme)
    answers, problems = read_answers(form, _still_asked(form, before.answers))
    raise_problems(
        [*_entity_problems(before), *problems, *missing_answers(form, answers), *check_files(before, form, answers)]
    )
    number = before.submissions + 1
    after = before.but(
        state=state,
        answers=answers,
        submissions=number,
        submitted_at=call.now,
        since=call.now,
        version=before.version + 1,
    )
    submitted = events.ApplicationSubmitted(**_names(after), submission=number)
    writes = [store_schemes.save_application(after), store_schemes.create_submission(_submission(call, after, form))]
    change = _change(after, "application.submitted", after={"submission": number})
    commit(call, writes, [submitted], [change], after.id)
    return application_view(call, after)


def withdraw_application(call: Call, application_id: str, reason: str | None) -> ApplicationView:
    """The FSP takes its application, or its approval, back; it may be taken up again."""
    before = own_application(call, application_id)
    after = _moved(call, before, "withdraw")
    change = _change(after, "application.withdrawn", reason=reason)
    events_ = [_EVENTS["withdraw"](**_names(after))]
    commit(call, [store_schemes.save_application(after)], events_, [change], after.id)
    return application_view(call, after)


def decide_application(call: Call, application_id: str, body: DecisionRequest) -> ApplicationView:
    """The SO approves, rejects, suspends or reinstates; all but approving need a reason. Approval verifies the FSP."""
    before = store_schemes.load_application(application_id)
    own_scheme_of(call, before)
    raise_problems(rules.reason_problems(body.action, body.reason))
    ruling = Ruling(
        action=body.action, at=call.now, by=call.actor.id, reason=body.reason, submission=before.submissions
    )
    after = _moved(call, before, body.action).but(rulings=(*before.rulings, ruling))
    news: list[Event] = [_EVENTS[body.action](**_names(after))]
    writes = [store_schemes.save_application(after)]
    changes = [_change(after, f"application.{after.state}", reason=body.reason)]
    if body.action == "approve":
        writes += _verification(call, after.fsp, news, changes)
    commit(call, writes, news, changes, after.id)
    return application_view(call, after)


def own_application(call: Call, application_id: str) -> Application:
    """The caller's own application; another FSP's is not found."""
    application = store_schemes.load_application(application_id)
    call.check_owner(application.fsp, "application")
    return application


def own_scheme_of(call: Call, application: Application) -> Scheme:
    """The caller's scheme that an application went to; what was never submitted is nobody's but its FSP's."""
    try:
        scheme = own_scheme(call, application.scheme)
    except NotFound as error:
        raise _no_application() from error
    if application.submissions == 0:
        raise _no_application()
    return scheme


def seen_application(call: Call, application_id: str) -> Application:
    """An application the caller may read: its FSP always, its SO and the market operator once submitted."""
    application = store_schemes.load_application(application_id)
    if call.organisation == application.fsp:
        return application
    if call.actor.organisation_kind == "so":
        own_scheme_of(call, application)
    elif call.actor.organisation_kind != "market_operator" or application.submissions == 0:
        raise _no_application()
    return application


def form_of(scheme: Scheme) -> Form:
    """The form an application answers: the scheme's, and a section for its required documents."""
    return with_documents(scheme.form, scheme.required_documents)


def _no_application() -> NotFound:
    return NotFound("application.not_found", "There is no such application.")


def _only_entity(call: Call) -> str | None:
    entities = store.list_entities(call.organisation)
    return entities[0].id if len(entities) == 1 else None


def _check_open(scheme: Scheme) -> None:
    if scheme.state != "open":
        raise Refused("scheme.closed", f"The scheme {scheme.ref} is closed to applications.")


def _merged(kept: KeptAnswers, body: ApplicationChange, given: KeptAnswers) -> KeptAnswers:
    """Sections sent take the place of those kept; a section sent empty is emptied."""
    others = {section: answers for section, answers in kept.items() if section not in body.answers}
    return others | given


def _still_asked(form: Form, answers: KeptAnswers) -> KeptAnswers:
    """Answers to questions the form still asks: it may have changed since they were given."""
    asked = {section.id: {question.id for question in section.questions} for section in form.sections}
    return {
        section: {name: value for name, value in given.items() if name in asked[section]}
        for section, given in answers.items()
        if section in asked
    }


def _entity_problems(application: Application) -> list[Problem]:
    if application.contracting_entity is not None:
        return []
    detail = "Say which of your companies applies."
    return [Problem("application.entity", detail, "contracting_entity", "the id of a contracting entity")]


def _submission(call: Call, it: Application, form: Form) -> Submission:
    return Submission(
        application=it.id,
        scheme=it.scheme,
        fsp=it.fsp,
        number=it.submissions,
        contracting_entity=store.load_entity(it.fsp, str(it.contracting_entity)),
        answers=it.answers,
        form=form,
        at=call.now,
        by=call.actor.id,
    )


def _moved(call: Call, it: Application, action: str) -> Application:
    state = move(APPLICATION_MOVES, "application", it.state, action)
    moved: Application = it.but(state=state, since=call.now, version=it.version + 1)
    return moved


def _verification(call: Call, fsp_id: str, news: list[Event], changes: list[Change]) -> list[Write]:
    before = store.load_organisation(fsp_id)
    after = rules.verified(before, call.now, call.actor.id)
    if after == before:
        return []
    news.append(events.OrganisationVerified(organisation=fsp_id))
    changes.append(Change(thing=f"organisation:{fsp_id}", action="organisation.verified", organisation=fsp_id))
    return [store.save_organisation(after)]


def _names(it: Application) -> dict[str, str]:
    return {"application_id": it.id, "scheme_id": it.scheme, "so": it.so, "fsp": it.fsp}


def _change(it: Application, action: str, after: dict | None = None, reason: str | None = None) -> Change:
    thing = f"application:{it.id}"
    return Change(thing=thing, action=action, organisation=it.fsp, after=after, reason=reason)


def list_submissions(call: Call, application_id: str) -> Page[SubmissionView]:
    """Every version submitted, oldest first."""
    return submissions_of_application(seen_application(call, application_id))


def begin_file(call: Call, application_id: str, body: FileRequest) -> FileUpload:
    """Where to upload a file for one question, while the application may be edited."""
    application = own_application(call, application_id)
    move(APPLICATION_MOVES, "application", application.state, "edit")
    return actions_application_files.begin_file(call, application, _form(application), body)


def begun_file(call: Call, result: str) -> FileUpload:
    application_id, _, file_id = result.partition("/")
    return actions_application_files.begun_file(own_application(call, application_id), file_id)


def list_files(call: Call, application_id: str) -> Page[FileView]:
    """The files of an application with links to download them; the SO sees those that were submitted."""
    application = seen_application(call, application_id)
    return actions_application_files.list_files(application, _shown(call, application))


def get_file(call: Call, application_id: str, file_id: str) -> FileView:
    application = seen_application(call, application_id)
    return actions_application_files.get_file(application, file_id, _shown(call, application))


def _shown(call: Call, it: Application) -> set[str] | None:
    return None if call.organisation == it.fsp else actions_application_files.submitted_files(it)


def _form(it: Application) -> Form:
    return form_of(store_schemes.load_scheme(it.scheme))
