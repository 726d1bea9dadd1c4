"""Endpoints of schemes and of applications to them."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, either, fsp, member, so
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_application_views, actions_applications, actions_schemes
from chalicelib.registry.forms import Form
from chalicelib.registry.scheme_requests import (
    ApplicationChange,
    ApplicationQuery,
    ApplicationRequest,
    ApplicationSummary,
    ApplicationView,
    DecisionRequest,
    FileRequest,
    FileUpload,
    FileView,
    SchemeChange,
    SchemeQuery,
    SchemeRequest,
    SchemeView,
    SubmissionView,
    WithdrawalRequest,
)

routes = Routes(__name__)


@routes.get("/standard-form", returns=Form, who=member("read"))
def get_standard_form(call: Call) -> Form:
    """The form a scheme has unless its SO gives another."""
    return actions_schemes.get_standard_form(call)


@routes.get("/schemes", query=SchemeQuery, returns=Page[SchemeView], who=member("read"))
def list_schemes(call: Call, query: SchemeQuery) -> Page[SchemeView]:
    """Company qualification schemes: all for FSPs, its own for an SO."""
    return actions_schemes.list_schemes(call, query)


@routes.post(
    "/schemes",
    body=SchemeRequest,
    returns=SchemeView,
    status=201,
    who=so("procurement"),
    replay=actions_schemes.get_scheme,
)
def create_scheme(call: Call, body: SchemeRequest) -> SchemeView:
    """Open a company qualification scheme."""
    return actions_schemes.create_scheme(call, body)


@routes.get("/schemes/{scheme_id}", returns=SchemeView, who=member("read"))
def get_scheme(call: Call, scheme_id: str) -> SchemeView:
    """A scheme with its form."""
    return actions_schemes.get_scheme(call, scheme_id)


@routes.patch("/schemes/{scheme_id}", body=SchemeChange, returns=SchemeView, who=so("procurement"), if_match=True)
def change_scheme(call: Call, scheme_id: str, body: SchemeChange, if_match: int) -> SchemeView:
    """Describe, close or reopen a scheme, or give it another form."""
    return actions_schemes.change_scheme(call, scheme_id, body, if_match)


@routes.get(
    "/schemes/{scheme_id}/applications", query=ApplicationQuery, returns=Page[ApplicationSummary], who=so("read")
)
def list_applications_to(call: Call, scheme_id: str, query: ApplicationQuery) -> Page[ApplicationSummary]:
    """Applications submitted to a scheme."""
    return actions_application_views.list_applications_to(call, scheme_id, query)


@routes.post(
    "/schemes/{scheme_id}/applications",
    body=ApplicationRequest,
    returns=ApplicationView,
    status=201,
    who=fsp("account"),
    replay=actions_applications.get_application,
)
def begin_application(call: Call, scheme_id: str, body: ApplicationRequest) -> ApplicationView:
    """Begin an application to a scheme."""
    return actions_applications.begin_application(call, scheme_id, body)


@routes.get(
    "/applications", query=ApplicationQuery, returns=Page[ApplicationSummary], who=either(fsp("read"), so("read"))
)
def list_applications(call: Call, query: ApplicationQuery) -> Page[ApplicationSummary]:
    """My applications; for an SO those submitted to its schemes."""
    return actions_application_views.list_applications(call, query)


@routes.get("/applications/{application_id}", returns=ApplicationView, who=member("read"))
def get_application(call: Call, application_id: str) -> ApplicationView:
    """One application."""
    return actions_applications.get_application(call, application_id)


@routes.patch(
    "/applications/{application_id}", body=ApplicationChange, returns=ApplicationView, who=fsp("account"), if_match=True
)
def change_application(call: Call, application_id: str, body: ApplicationChange, if_match: int) -> ApplicationView:
    """Save answers, section by section."""
    return actions_applications.change_application(call, application_id, body, if_match)


@routes.get("/applications/{application_id}/submission", returns=Page[SubmissionView], who=member("read"))
def list_submissions(call: Call, application_id: str) -> Page[SubmissionView]:
    """Every version submitted."""
    return actions_applications.list_submissions(call, application_id)


@routes.post(
    "/applications/{application_id}/submission",
    returns=ApplicationView,
    who=fsp("account"),
    replay=actions_applications.get_application,
)
def submit_application(call: Call, application_id: str) -> ApplicationView:
    """Submit an application; all that is missing is told at once."""
    return actions_applications.submit_application(call, application_id)


@routes.post(
    "/applications/{application_id}/withdrawal",
    body=WithdrawalRequest,
    returns=ApplicationView,
    who=fsp("account"),
    replay=actions_applications.get_application,
)
def withdraw_application(call: Call, application_id: str, body: WithdrawalRequest) -> ApplicationView:
    """Take an application back."""
    return actions_applications.withdraw_application(call, application_id, body.reason)


@routes.post(
    "/applications/{application_id}/decision",
    body=DecisionRequest,
    returns=ApplicationView,
    who=so("procurement"),
    replay=actions_applications.get_application,
)
def decide_application(call: Call, application_id: str, body: DecisionRequest) -> ApplicationView:
    """Approve, reject, suspend or reinstate."""
    return actions_applications.decide_application(call, application_id, body)


@routes.get("/applications/{application_id}/files", returns=Page[FileView], who=member("read"))
def list_application_files(call: Call, application_id: str) -> Page[FileView]:
    """The files of an application with links to download them."""
    return actions_applications.list_files(call, application_id)


@routes.post(
    "/applications/{application_id}/files",
    body=FileRequest,
    returns=FileUpload,
    status=201,
    who=fsp("account"),
    replay=actions_applications.begun_file,
)
def begin_application_file(call: Call, application_id: str, body: FileRequest) -> FileUpload:
    """Where to upload a file as the answer to a question."""
    return actions_applications.begin_file(call, application_id, body)


@routes.get("/applications/{application_id}/files/{file_id}", returns=FileView, who=member("read"))
def get_application_file(call: Call, application_id: str, file_id: str) -> FileView:
    """One file with a link to download it."""
    return actions_applications.get_file(call, application_id, file_id)
