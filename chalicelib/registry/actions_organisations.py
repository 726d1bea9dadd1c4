"""An organisation's own affairs: its company, contact routes, contracting entities and machine users."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, Refused, raise_problems
from chalicelib.kernel.models import Page
from chalicelib.registry import rules, store
from chalicelib.registry.actions_codes import is_code
from chalicelib.registry.actions_joining import tidy_company
from chalicelib.registry.events import CodeAsked
from chalicelib.registry.models import (
    CODE_LASTS,
    Code,
    Company,
    ContactRoute,
    ContractingEntity,
    MachineUser,
    Organisation,
    Secret,
)
from chalicelib.registry.requests import (
    ContactRouteRequest,
    ContactRouteView,
    ContractingEntityRequest,
    MachineUserChange,
    MachineUserRequest,
    MachineUserView,
    OrganisationChange,
    SecretShown,
    SecretView,
)
from chalicelib.storage import keys
from chalicelib.storage.audit import Change, differences
from chalicelib.storage.commit import commit


def get_organisation(call: Call) -> Organisation:
    """The caller's organisation."""
    return store.load_organisation(call.organisation)


def change_organisation(call: Call, body: OrganisationChange, if_match: int) -> Organisation:
    """New name, company or support contact; another company number must be verified anew."""
    before = store.load_organisation(call.organisation)
    company = tidy_company(body.company) if body.company else before.company
    raise_problems([*_company_problems(body, company), *_support_problems(body, before)])
    after = rules.with_company(before, company).but(
        name=body.name or before.name,
        support_contact=body.support_contact or before.support_contact,
        authenticator_required=_kept(body.authenticator_required, before.authenticator_required),
        version=if_match + 1,
    )
    claims = []
    if company and rules.is_other_company(before.company, company):
        claims = [store.claim_company(company, company.company_number, before.id)]
    old, new = differences(before, after)
    change = _change(before.id, "organisation", before.id, "changed", old, new)
    commit(call, [store.save_organisation(after), *claims], changes=[change])
    return after


def list_contact_routes(call: Call) -> Page[ContactRouteView]:
    routes = [it for it in store.list_contacts(call.organisation) if it.state == "active"]
    return Page(items=[_contact_view(it) for it in routes])


def get_contact_route(call: Call, contact_id: str) -> ContactRouteView:
    return _contact_view(store.load_contact(call.organisation, contact_id))


def add_contact_route(call: Call, body: ContactRouteRequest) -> ContactRouteView:
    """Add an address for a purpose; it counts once the code mailed to it came back."""
    email = body.email.lower()
    raise_problems(rules.email_problems(email))
    contact = ContactRoute(
        id=call.new_id("con"),
        organisation=call.organisation,
        purpose=body.purpose,
        email=email,
        code=Code(sent_at=call.now),
    )
    change = _change(contact.organisation, "contact_route", contact.id, "added", after={"purpose": contact.purpose})
    commit(call, [store.create_contact(contact)], [_asked(contact)], [change], contact.id)
    return _contact_view(contact)


def send_contact_code(call: Call, contact_id: str) -> ContactRouteView:
    """Mail a new code, in place of the last."""
    before = _present_contact(call, contact_id)
    if before.verified_at:
        raise Refused("contact_route.verified", "This address is verified already.")
    after = before.but(code=rules.next_code(before.code, call.now), version=before.version + 1)
    change = _change(after.organisation, "contact_route", after.id, "code_sent")
    commit(call, [store.save_contact(after)], [_asked(after)], [change], after.id)
    return _contact_view(after)


def verify_contact_route(call: Call, contact_id: str, given: str) -> ContactRouteView:
    """The address answers: the code mailed to it came back. `Invalid` for a wrong, old or worn-out code."""
    before = _present_contact(call, contact_id)
    if before.verified_at:
        return _contact_view(before)
    is_right = is_code("contact_route", before.id, before.code, given)
    if not is_right:
        commit(
            call, [store.save_contact(before.but(code=rules.after_wrong_code(before.code), version=before.version + 1))]
        )
    rules.check_code(before.code, call.now, CODE_LASTS, is_right)
    after = before.but(verified_at=call.now, version=before.version + 1)
    change = _change(after.organisation, "contact_route", after.id, "verified")
    commit(call, [store.save_contact(after)], changes=[change], result=after.id)
    return _contact_view(after)


def remove_contact_route(call: Call, contact_id: str) -> None:
    """The address is used no more; that it was stays on record."""
    before = _present_contact(call, contact_id)
    after = before.but(state="removed", version=before.version + 1)
    change = _change(after.organisation, "contact_route", after.id, "removed")
    commit(call, [store.save_contact(after)], changes=[change])


def list_entities(call: Call) -> Page[ContractingEntity]:
    return Page(items=store.list_entities(call.organisation))


def get_entity(call: Call, entity_id: str) -> ContractingEntity:
    return store.load_entity(call.organisation, entity_id)


def add_entity(call: Call, body: ContractingEntityRequest) -> ContractingEntity:
    """Another company in whose name the FSP applies and contracts."""
    entity = ContractingEntity(id=call.new_id("ent"), organisation=call.organisation, **_entity_fields(body))
    change = _change(
        entity.organisation, "contracting_entity", entity.id, "added", after=entity.model_dump(mode="json")
    )
    commit(call, [store.create_entity(entity)], changes=[change], result=entity.id)
    return entity


def change_entity(call: Call, entity_id: str, body: ContractingEntityRequest, if_match: int) -> ContractingEntity:
    before = store.load_entity(call.organisation, entity_id)
    after: ContractingEntity = before.but(**_entity_fields(body), version=if_match + 1)
    old, new = differences(before, after)
    change = _change(after.organisation, "contracting_entity", after.id, "changed", old, new)
    commit(call, [store.save_entity(after)], changes=[change])
    return after


def list_machine_users(call: Call) -> Page[MachineUserView]:
    uses = store.last_uses(call.organisation)
    machines = store.list_machines(call.organisation)
    return Page(items=[_machine_view(it, uses[it.id].at if it.id in uses else None) for it in machines])


def get_machine_user(call: Call, machine_id: str) -> MachineUserView:
    uses = store.last_uses(call.organisation)
    machine = store.load_machine(call.organisation, machine_id)
    return _machine_view(machine, uses[machine_id].at if machine_id in uses else None)


def add_machine_user(call: Call, body: MachineUserRequest) -> MachineUserView:
    """A login for software, named after what it does; its first secret is drawn next."""
    machine = MachineUser(
        id=call.new_id("mac"),
        organisation=call.organisation,
        name=body.name,
        roles=body.roles | {"read"},
        created_at=call.now,
    )
    writes = [store.create_machine(machine), store.create_subject(machine.id, machine.organisation, machine.id)]
    view = _machine_view(machine, None)
    change = _change(machine.organisation, "machine_user", machine.id, "added", after=view.model_dump(mode="json"))
    commit(call, writes, changes=[change], result=machine.id)
    return view


def change_machine_user(call: Call, machine_id: str, body: MachineUserChange, if_match: int) -> MachineUserView:
    """New name or roles, or revoked for good: then its tokens stop working as well."""
    before = _live_machine(call, machine_id)
    after = before.but(
        name=body.name or before.name,
        roles=before.roles if body.roles is None else body.roles | {"read"},
        state=body.state or before.state,
        secrets=() if body.state else before.secrets,
        version=if_match + 1,
    )
    return _save_machine(call, before, after, "revoked" if body.state else "changed")


def draw_secret(call: Call, machine_id: str) -> SecretShown:
    """A new secret, shown this once; at most two are live, so that software changes over without a pause."""
    before = _live_machine(call, machine_id)
    rules.check_room_for_secret(len(before.secrets))
    secret_id = call.new_id("sec")
    text = keys.secret_for("machine_user", machine_id, secret_id)
    secret = Secret(id=secret_id, hash=keys.secret_hash(text), created_at=call.now)
    after = before.but(secrets=(*before.secrets, secret), version=before.version + 1)
    change = _change(after.organisation, "machine_user", after.id, "secret_drawn", after={"secret": secret.id})
    commit(call, [store.save_machine(after)], changes=[change], result=f"{machine_id}/{secret.id}")
    return SecretShown(id=secret.id, client_id=machine_id, client_secret=text)


def shown_secret(call: Call, result: str) -> SecretShown:
    """What a repeated request for a secret learns: which it was, never its text again."""
    machine_id, _, secret_id = result.partition("/")
    store.load_machine(call.organisation, machine_id)
    return SecretShown(id=secret_id, client_id=machine_id, client_secret=None)


def revoke_secret(call: Call, machine_id: str, secret_id: str) -> MachineUserView:
    """One secret stops working; the other, if there is one, goes on."""
    before = _live_machine(call, machine_id)
    staying = tuple(it for it in before.secrets if it.id != secret_id)
    if len(staying) == len(before.secrets):
        raise store.not_found("secret")
    return _save_machine(call, before, before.but(secrets=staying, version=before.version + 1), "secret_revoked")


def _kept(given: bool | None, before: bool) -> bool:
    return before if given is None else given


def _company_problems(body: OrganisationChange, company: Company | None) -> list[Problem]:
    return rules.company_problems(company, "company") if body.company and company else []


def _support_problems(body: OrganisationChange, organisation: Organisation) -> list[Problem]:
    if body.support_contact is None or organisation.kind == "market_operator":
        return []
    return [Problem("organisation.support_contact", "Only the market operator sets this.", "support_contact")]


def _present_contact(call: Call, contact_id: str) -> ContactRoute:
    contact = store.load_contact(call.organisation, contact_id)
    if contact.state == "removed":
        raise store.not_found("contact_route")
    return contact


def _asked(contact: ContactRoute) -> CodeAsked:
    return CodeAsked(
        purpose="contact_route", thing=contact.id, serial=contact.code.serial, organisation=contact.organisation
    )


def _contact_view(it: ContactRoute) -> ContactRouteView:
    return ContactRouteView(
        id=it.id, purpose=it.purpose, email=it.email, verified_at=it.verified_at, version=it.version
    )


def _entity_fields(body: ContractingEntityRequest) -> dict[str, str | None]:
    country = body.country.upper()
    number = rules.plain_number(body.company_number)
    vat = rules.plain_number(body.vat_number) if body.vat_number else None
    problems = rules.company_number_problems(country, number, "company_number")
    raise_problems([*problems, *rules.vat_problems(country, vat, "vat_number")])
    return {"name": body.name, "company_number": number, "country": country, "vat_number": vat}


def _live_machine(call: Call, machine_id: str) -> MachineUser:
    machine = store.load_machine(call.organisation, machine_id)
    if machine.state == "revoked":
        raise Refused("machine_user.revoked", "This machine user was revoked for good: add another.")
    return machine


def _save_machine(call: Call, before: MachineUser, after: MachineUser, action: str) -> MachineUserView:
    view = _machine_view(after, None)
    old, new = differences(_machine_view(before, None), view)
    change = _change(after.organisation, "machine_user", after.id, action, old, new)
    commit(call, [store.save_machine(after)], changes=[change])
    return get_machine_user(call, after.id)


def _machine_view(it: MachineUser, last_used_at: object) -> MachineUserView:
    secrets = tuple(SecretView(id=secret.id, created_at=secret.created_at) for secret in it.secrets)
    fields = {name: getattr(it, name) for name in ("id", "name", "roles", "state", "version")}
    return MachineUserView(**fields, secrets=secrets, last_used_at=last_used_at)


def _change(
    organisation: str, noun: str, thing: str, act: str, before: dict | None = None, after: dict | None = None
) -> Change:
    action = f"{noun}.{act}"
    return Change(thing=f"{noun}:{thing}", action=action, organisation=organisation, before=before, after=after)
