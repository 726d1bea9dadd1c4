"""The registry over HTTP: joining, me, my organisation, operators, schemes and applications."""

from __future__ import annotations

from chalicelib.edge import identity
from chalicelib.edge.web import PUBLIC, Page, PageQuery, Routes, either, fsp, market_operator, member, so
from chalicelib.kernel.call import Call
from chalicelib.registry import (
    actions_application_views,
    actions_applications,
    actions_joining,
    actions_operators,
    actions_organisations,
    actions_people,
    actions_schemes,
    actions_sessions,
)
from chalicelib.registry.forms import Form
from chalicelib.registry.models import (
    ContractingEntity,
    OperatorProfile,
    OperatorSettings,
    Organisation,
    Preferences,
)
from chalicelib.registry.requests import (
    AcceptanceRequest,
    AuditQuery,
    AuditView,
    AuthenticatorView,
    CodeRequest,
    ContactRouteRequest,
    ContactRouteView,
    ContractingEntityRequest,
    InvitationRequest,
    MachineUserChange,
    MachineUserRequest,
    MachineUserView,
    MeChange,
    MeView,
    OperatorChange,
    OperatorRequest,
    OperatorView,
    OrganisationChange,
    OrganisationQuery,
    PasswordConfirmation,
    PasswordResetRequest,
    PasswordResetView,
    PersonChange,
    PersonView,
    PublicOperator,
    RefreshRequest,
    RegistrationRequest,
    RegistrationView,
    SecretShown,
    SessionRequest,
    SessionView,
    TermsView,
    TokenRequest,
    TokenView,
    VerificationRequest,
)
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
FORM = "application/x-www-form-urlencoded"

# Joining


@routes.get("/terms", returns=TermsView, who=PUBLIC)
def get_terms(call: Call) -> TermsView:
    """Both terms in their present versions."""
    return actions_joining.get_terms(call)


@routes.post(
    "/registrations",
    body=RegistrationRequest,
    returns=RegistrationView,
    status=201,
    who=PUBLIC,
    replay=actions_joining.get_registration,
)
def register(call: Call, body: RegistrationRequest) -> RegistrationView:
    """Begin an FSP's registration; a code goes to the person's address."""
    return actions_joining.register(call, body)


@routes.post(
    "/registrations/{registration_id}/code",
    returns=RegistrationView,
    who=PUBLIC,
    replay=actions_joining.get_registration,
)
def send_registration_code(call: Call, registration_id: str) -> RegistrationView:
    """Mail a new code in place of the last."""
    return actions_joining.send_registration_code(call, registration_id)


@routes.post(
    "/registrations/{registration_id}/verification",
    body=CodeRequest,
    returns=RegistrationView,
    who=PUBLIC,
    replay=actions_joining.get_registration,
)
def verify_registration(call: Call, registration_id: str, body: CodeRequest) -> RegistrationView:
    """Complete a registration with the mailed code."""
    return actions_joining.verify_registration(call, registration_id, body.code)


@routes.post(
    "/invitations",
    body=AcceptanceRequest,
    returns=PersonView,
    status=201,
    who=PUBLIC,
    replay=actions_joining.accepted_person,
)
def accept_invitation(call: Call, body: AcceptanceRequest) -> PersonView:
    """Take the login an invitation leads to."""
    return actions_joining.accept_invitation(call, body)


@routes.post("/sessions", body=SessionRequest, returns=SessionView, status=201, who=PUBLIC)
def sign_in(call: Call, body: SessionRequest) -> SessionView:
    """Sign in with address and password, and the authenticator's code where one is set up."""
    return actions_sessions.sign_in(call, body)


@routes.post("/sessions/refresh", body=RefreshRequest, returns=SessionView, status=201, who=PUBLIC)
def refresh_session(call: Call, body: RefreshRequest) -> SessionView:
    """A new access token for a refresh token."""
    return actions_sessions.refresh(call, body.refresh_token)


@routes.delete("/sessions", who=member("read"), status=204)
def sign_out(call: Call) -> None:
    """End every session of the person."""
    actions_sessions.sign_out(call)


@routes.post("/password-resets", body=PasswordResetRequest, returns=PasswordResetView, status=202, who=PUBLIC)
def ask_password_reset(call: Call, body: PasswordResetRequest) -> PasswordResetView:
    """Mail a code to set a new password with; the answer is the same for every address."""
    return actions_sessions.ask_password_reset(call, body)


@routes.post("/password-resets/confirmation", body=PasswordConfirmation, who=PUBLIC, status=204)
def confirm_password_reset(call: Call, body: PasswordConfirmation) -> None:
    """Set a new password with the mailed code."""
    actions_sessions.confirm_password_reset(call, body)


@routes.post("/token", body=TokenRequest, returns=TokenView, who=PUBLIC, content_types=(FORM, "application/json"))
def issue_token(call: Call, body: TokenRequest) -> TokenView:
    """A one-hour token for a machine user: OAuth 2.0 client credentials, as a form or JSON."""
    client_id, secret = identity.basic_credentials(routes.current_request.headers) or (
        body.client_id,
        body.client_secret,
    )
    machine = actions_sessions.authenticate_machine(call, client_id, secret)
    return TokenView(access_token=identity.machine_token(machine.id), expires_in=identity.TOKEN_SECONDS)


# Me


@routes.get("/me", returns=MeView, who=member("read"))
def get_me(call: Call) -> MeView:
    """Who is signed in, in which organisation, with which roles."""
    return actions_people.get_me(call)


@routes.patch("/me", body=MeChange, returns=MeView, who=member("read"), if_match=True)
def change_me(call: Call, body: MeChange, if_match: int) -> MeView:
    """Change my name."""
    return actions_people.change_me(call, body, if_match)


@routes.get("/me/preferences", returns=Preferences, who=member("read"))
def get_preferences(call: Call) -> Preferences:
    """What I chose for myself."""
    return actions_people.get_preferences(call)


@routes.patch("/me/preferences", body=Preferences, returns=Preferences, who=member("read"))
def change_preferences(call: Call, body: Preferences) -> Preferences:
    """Choose mails, language and page length."""
    return actions_people.change_preferences(call, body)


@routes.put("/me/authenticator", returns=AuthenticatorView, who=member("read"))
def begin_authenticator(call: Call) -> AuthenticatorView:
    """A new secret for an authenticator app; it counts once confirmed."""
    token = identity.bearer_token(routes.current_request.headers)
    return actions_people.begin_authenticator(call, str(token))


@routes.put("/me/authenticator/verification", body=CodeRequest, status=204, who=member("read"))
def confirm_authenticator(call: Call, body: CodeRequest) -> None:
    """Confirm the authenticator: from now on signing in asks for its code."""
    token = identity.bearer_token(routes.current_request.headers)
    actions_people.confirm_authenticator(call, str(token), body.code)


@routes.delete("/me/authenticator", status=204, who=member("read"))
def remove_authenticator(call: Call) -> None:
    """Sign in with the password alone again."""
    actions_people.remove_authenticator(call)


# My organisation


@routes.get("/organisation", returns=Organisation, who=member("read"))
def get_organisation(call: Call) -> Organisation:
    """My organisation."""
    return actions_organisations.get_organisation(call)


@routes.patch("/organisation", body=OrganisationChange, returns=Organisation, who=member("account"), if_match=True)
def change_organisation(call: Call, body: OrganisationChange, if_match: int) -> Organisation:
    """Change the organisation's name and company data."""
    return actions_organisations.change_organisation(call, body, if_match)


@routes.get("/organisation/operator", returns=OperatorView, who=so("read"))
def get_own_operator(call: Call) -> OperatorView:
    """My settings and public profile as an SO."""
    return actions_operators.get_own_operator(call)


@routes.patch("/organisation/profile", body=OperatorProfile, returns=OperatorView, who=so("procurement"), if_match=True)
def change_own_profile(call: Call, body: OperatorProfile, if_match: int) -> OperatorView:
    """Edit the public profile of my SO."""
    return actions_operators.change_own_profile(call, body, if_match)


@routes.patch("/organisation/settings", body=OperatorSettings, returns=OperatorView, who=so("account"), if_match=True)
def change_own_settings(call: Call, body: OperatorSettings, if_match: int) -> OperatorView:
    """Change how my SO works."""
    return actions_operators.change_own_settings(call, body, if_match)


@routes.get("/people", returns=Page[PersonView], who=member("read"))
def list_people(call: Call) -> Page[PersonView]:
    """Everybody of my organisation."""
    return actions_people.list_people(call)


@routes.post(
    "/people",
    body=InvitationRequest,
    returns=PersonView,
    status=201,
    who=member("account"),
    replay=actions_people.get_person,
)
def invite_person(call: Call, body: InvitationRequest) -> PersonView:
    """Invite a person by a link good for 24 hours."""
    return actions_people.invite(call, body)


@routes.get("/people/{person_id}", returns=PersonView, who=member("read"))
def get_person(call: Call, person_id: str) -> PersonView:
    """One person of my organisation."""
    return actions_people.get_person(call, person_id)


@routes.patch("/people/{person_id}", body=PersonChange, returns=PersonView, who=member("account"), if_match=True)
def change_person(call: Call, person_id: str, body: PersonChange, if_match: int) -> PersonView:
    """Give a person other roles, or deactivate them."""
    view = actions_people.change_person(call, person_id, body, if_match)
    identity.forget_member()
    return view


@routes.post(
    "/people/{person_id}/invitation", returns=PersonView, who=member("account"), replay=actions_people.get_person
)
def invite_person_again(call: Call, person_id: str) -> PersonView:
    """Send a new link in place of the last."""
    return actions_people.invite_again(call, person_id)


@routes.get("/contact-routes", returns=Page[ContactRouteView], who=member("read"))
def list_contact_routes(call: Call) -> Page[ContactRouteView]:
    """The addresses my organisation is reached at, by purpose."""
    return actions_organisations.list_contact_routes(call)


@routes.post(
    "/contact-routes",
    body=ContactRouteRequest,
    returns=ContactRouteView,
    status=201,
    who=member("account"),
    replay=actions_organisations.get_contact_route,
)
def add_contact_route(call: Call, body: ContactRouteRequest) -> ContactRouteView:
    """Add an address for a purpose; a code goes to it."""
    return actions_organisations.add_contact_route(call, body)


@routes.get("/contact-routes/{contact_id}", returns=ContactRouteView, who=member("read"))
def get_contact_route(call: Call, contact_id: str) -> ContactRouteView:
    """One contact route."""
    return actions_organisations.get_contact_route(call, contact_id)


@routes.delete("/contact-routes/{contact_id}", status=204, who=member("account"))
def remove_contact_route(call: Call, contact_id: str) -> None:
    """Use an address no more."""
    actions_organisations.remove_contact_route(call, contact_id)


@routes.post(
    "/contact-routes/{contact_id}/code",
    returns=ContactRouteView,
    who=member("account"),
    replay=actions_organisations.get_contact_route,
)
def send_contact_code(call: Call, contact_id: str) -> ContactRouteView:
    """Mail a new code to an address."""
    return actions_organisations.send_contact_code(call, contact_id)


@routes.post(
    "/contact-routes/{contact_id}/verification",
    body=CodeRequest,
    returns=ContactRouteView,
    who=member("account"),
    replay=actions_organisations.get_contact_route,
)
def verify_contact_route(call: Call, contact_id: str, body: CodeRequest) -> ContactRouteView:
    """Verify an address with the mailed code."""
    return actions_organisations.verify_contact_route(call, contact_id, body.code)


@routes.get("/contracting-entities", returns=Page[ContractingEntity], who=fsp("read"))
def list_contracting_entities(call: Call) -> Page[ContractingEntity]:
    """The companies in whose names my organisation contracts."""
    return actions_organisations.list_entities(call)


@routes.post(
    "/contracting-entities",
    body=ContractingEntityRequest,
    returns=ContractingEntity,
    status=201,
    who=fsp("account"),
    replay=actions_organisations.get_entity,
)
def add_contracting_entity(call: Call, body: ContractingEntityRequest) -> ContractingEntity:
    """Add a company to contract in the name of."""
    return actions_organisations.add_entity(call, body)


@routes.get("/contracting-entities/{entity_id}", returns=ContractingEntity, who=fsp("read"))
def get_contracting_entity(call: Call, entity_id: str) -> ContractingEntity:
    """One contracting entity."""
    return actions_organisations.get_entity(call, entity_id)


@routes.patch(
    "/contracting-entities/{entity_id}",
    body=ContractingEntityRequest,
    returns=ContractingEntity,
    who=fsp("account"),
    if_match=True,
)
def change_contracting_entity(
    call: Call, entity_id: str, body: ContractingEntityRequest, if_match: int
) -> ContractingEntity:
    """Change a contracting entity."""
    return actions_organisations.change_entity(call, entity_id, body, if_match)


@routes.get("/machine-users", returns=Page[MachineUserView], who=member("account"))
def list_machine_users(call: Call) -> Page[MachineUserView]:
    """The logins of my software, with their last use."""
    return actions_organisations.list_machine_users(call)


@routes.post(
    "/machine-users",
    body=MachineUserRequest,
    returns=MachineUserView,
    status=201,
    who=member("account"),
    replay=actions_organisations.get_machine_user,
)
def add_machine_user(call: Call, body: MachineUserRequest) -> MachineUserView:
    """Add a login for software."""
    return actions_organisations.add_machine_user(call, body)


@routes.get("/machine-users/{machine_id}", returns=MachineUserView, who=member("account"))
def get_machine_user(call: Call, machine_id: str) -> MachineUserView:
    """One machine user."""
    return actions_organisations.get_machine_user(call, machine_id)


@routes.patch(
    "/machine-users/{machine_id}",
    body=MachineUserChange,
    returns=MachineUserView,
    who=member("account"),
    if_match=True,
)
def change_machine_user(call: Call, machine_id: str, body: MachineUserChange, if_match: int) -> MachineUserView:
    """Rename a machine user, give it other roles, or revoke it for good."""
    view = actions_organisations.change_machine_user(call, machine_id, body, if_match)
    identity.forget_member(machine_id)
    return view


@routes.post(
    "/machine-users/{machine_id}/secrets",
    returns=SecretShown,
    status=201,
    who=member("account"),
    replay=actions_organisations.shown_secret,
)
def draw_secret(call: Call, machine_id: str) -> SecretShown:
    """Draw a secret, shown this once; two may be live at a time."""
    return actions_organisations.draw_secret(call, machine_id)


@routes.delete("/machine-users/{machine_id}/secrets/{secret_id}", returns=MachineUserView, who=member("account"))
def revoke_secret(call: Call, machine_id: str, secret_id: str) -> MachineUserView:
    """Revoke one secret."""
    return actions_organisations.revoke_secret(call, machine_id, secret_id)


@routes.get("/audit", query=AuditQuery, returns=Page[AuditView], who=member("account"))
def list_audit(call: Call, query: AuditQuery) -> Page[AuditView]:
    """My own audit trail: of a thing, or of a day."""
    return actions_operators.list_audit(call, query)


# Operators and the market operator


@routes.get("/public/operators", query=PageQuery, returns=Page[PublicOperator], who=PUBLIC)
def list_public_operators(call: Call, query: PageQuery) -> Page[PublicOperator]:
    """Every SO with its public profile."""
    return actions_operators.list_public_operators(call, query.limit, query.cursor)


@routes.get("/public/operators/{so_id}", returns=PublicOperator, who=PUBLIC)
def get_public_operator(call: Call, so_id: str) -> PublicOperator:
    """One SO with its public profile."""
    return actions_operators.get_public_operator(call, so_id)


@routes.get("/operators", query=PageQuery, returns=Page[OperatorView], who=market_operator("read"))
def list_operators(call: Call, query: PageQuery) -> Page[OperatorView]:
    """Every SO with its settings."""
    return actions_operators.list_operators(call, query.limit, query.cursor)


@routes.post(
    "/operators",
    body=OperatorRequest,
    returns=OperatorView,
    status=201,
    who=market_operator("account"),
    replay=actions_operators.get_operator,
)
def create_operator(call: Call, body: OperatorRequest) -> OperatorView:
    """Set up an SO and invite its first people."""
    return actions_operators.create_operator(call, body)


@routes.get("/operators/{so_id}", returns=OperatorView, who=market_operator("read"))
def get_operator(call: Call, so_id: str) -> OperatorView:
    """One SO with its settings."""
    return actions_operators.get_operator(call, so_id)


@routes.patch(
    "/operators/{so_id}", body=OperatorChange, returns=OperatorView, who=market_operator("account"), if_match=True
)
def change_operator(call: Call, so_id: str, body: OperatorChange, if_match: int) -> OperatorView:
    """Change an SO's settings or profile."""
    return actions_operators.change_operator(call, so_id, body, if_match)


@routes.get("/organisations", query=OrganisationQuery, returns=Page[Organisation], who=market_operator("read"))
def list_organisations(call: Call, query: OrganisationQuery) -> Page[Organisation]:
    """Organisations of a kind, FSPs unless asked otherwise."""
    return actions_operators.list_organisations(call, query)


@routes.get("/organisations/{organisation_id}", returns=Organisation, who=market_operator("read"))
def get_any_organisation(call: Call, organisation_id: str) -> Organisation:
    """One organisation."""
    return actions_operators.get_any_organisation(call, organisation_id)


@routes.post(
    "/organisations/{organisation_id}/verification",
    body=VerificationRequest,
    returns=Organisation,
    who=market_operator("account"),
    replay=actions_operators.get_any_organisation,
)
def verify_organisation(call: Call, organisation_id: str, body: VerificationRequest) -> Organisation:
    """Say that a company was checked: from now on it may bid."""
    return actions_operators.verify_organisation(call, organisation_id, body.reason)


# Schemes and applications


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
    "/applications/{application_id}",
    body=ApplicationChange,
    returns=ApplicationView,
    who=fsp("account"),
    if_match=True,
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
