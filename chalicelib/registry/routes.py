"""Endpoints of the caller's own organisation: people, contact routes, entities, machine users, its audit trail."""

from __future__ import annotations

from chalicelib.edge import identity
from chalicelib.edge.web import Page, Routes, fsp, member, so
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_operators, actions_organisations, actions_people
from chalicelib.registry.models import ContractingEntity, OperatorProfile, OperatorSettings, Organisation
from chalicelib.registry.requests import (
    AuditQuery,
    AuditView,
    CodeRequest,
    ContactRouteRequest,
    ContactRouteView,
    ContractingEntityRequest,
    InvitationRequest,
    MachineUserChange,
    MachineUserRequest,
    MachineUserView,
    OperatorView,
    OrganisationChange,
    PersonChange,
    PersonView,
    SecretShown,
)

routes = Routes(__name__)


@routes.get("/organisation", returns=Organisation, who=member("read"))
def get_organisation(call: Call) -> Organisation:
    """My organisation."""
    return actions_organisations.get_organisation(call)


@routes.patch("/organisation", body=OrganisationChange, returns=Organisation, who=member("account"), if_match=True)
def change_organisation(call: Call, body: OrganisationChange, if_match: int) -> Organisation:
    """Change the organisation's name and company data, and whether its people need an authenticator."""
    changed = actions_organisations.change_organisation(call, body, if_match)
    identity.forget_member()
    return changed


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
    "/machine-users/{machine_id}", body=MachineUserChange, returns=MachineUserView, who=member("account"), if_match=True
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
    """Revoke one secret, and with it the tokens it gave."""
    view = actions_organisations.revoke_secret(call, machine_id, secret_id)
    identity.forget_member(machine_id)
    return view


@routes.get("/audit", query=AuditQuery, returns=Page[AuditView], who=member("account"))
def list_audit(call: Call, query: AuditQuery) -> Page[AuditView]:
    """My own audit trail: of a thing, or of a day."""
    return actions_operators.list_audit(call, query)
