"""System operators and the market operator's view: SOs set up, settings and profiles kept, organisations verified."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, raise_problems
from chalicelib.kernel.models import Page
from chalicelib.registry import rules, store
from chalicelib.registry.actions_joining import tidy_company
from chalicelib.registry.actions_people import invited_person
from chalicelib.registry.events import OperatorCreated, OrganisationVerified, PersonInvited
from chalicelib.registry.models import (
    ALL_ROLES,
    MARKET_OPERATOR,
    Operator,
    OperatorProfile,
    OperatorSettings,
    Organisation,
    Person,
)
from chalicelib.registry.requests import (
    AuditQuery,
    AuditView,
    FirstPerson,
    OperatorChange,
    OperatorRequest,
    OperatorView,
    OrganisationQuery,
    PublicOperator,
)
from chalicelib.storage.audit import AuditRecord, Change, differences, records_of_day, trail_of
from chalicelib.storage.commit import commit


def create_operator(call: Call, body: OperatorRequest) -> OperatorView:
    """Set up an SO and invite its first people, who have every role; `Invalid` with all problems at once."""
    company = tidy_company(body.company) if body.company else None
    raise_problems(_operator_problems(body))
    so_id = call.new_id("org")
    organisation = Organisation(
        id=so_id,
        kind="so",
        name=body.name,
        company=company,
        verified=True,
        verified_at=call.now,
        verified_by=call.actor.id,
        created_at=call.now,
    )
    operator = Operator(organisation=so_id, settings=body.settings, profile=body.profile)
    people = [_first(call, so_id, it) for it in body.people]
    _commit_operator(call, organisation, operator, people)
    return _view(organisation, operator)


def list_operators(call: Call, limit: int, cursor: str | None) -> Page[OperatorView]:
    """Every SO with its settings and profile."""
    page = store.list_organisations("so", limit, cursor)
    operators = store.load_operators(it.id for it in page.items)
    return Page(items=[_view(it, operators[it.id]) for it in page.items], next=page.next)


def get_operator(call: Call, so_id: str) -> OperatorView:
    """An SO, for itself and for the market operator; another's is not found."""
    _check_sees(call, so_id, "operator")
    return _view(store.load_organisation(so_id), store.load_operator(so_id))


def change_operator(call: Call, so_id: str, body: OperatorChange, if_match: int) -> OperatorView:
    """New settings or profile of an SO, by itself or the market operator."""
    _check_sees(call, so_id, "operator")
    before = store.load_operator(so_id)
    after = before.but(
        settings=body.settings or before.settings, profile=body.profile or before.profile, version=if_match + 1
    )
    raise_problems(rules.settings_problems(after.settings))
    old, new = differences(before, after)
    change = Change(thing=f"operator:{so_id}", action="operator.changed", organisation=so_id, before=old, after=new)
    commit(call, [store.save_operator(after)], changes=[change])
    return _view(store.load_organisation(so_id), after)


def get_own_operator(call: Call) -> OperatorView:
    return get_operator(call, call.organisation)


def change_own_profile(call: Call, body: OperatorProfile, if_match: int) -> OperatorView:
    return change_operator(call, call.organisation, OperatorChange(profile=body), if_match)


def change_own_settings(call: Call, body: OperatorSettings, if_match: int) -> OperatorView:
    return change_operator(call, call.organisation, OperatorChange(settings=body), if_match)


def list_public_operators(call: Call, limit: int, cursor: str | None) -> Page[PublicOperator]:
    """Every SO as anybody sees it."""
    page = store.list_organisations("so", limit, cursor)
    operators = store.load_operators(it.id for it in page.items)
    return Page(items=[_public(it, operators[it.id]) for it in page.items], next=page.next)


def get_public_operator(call: Call, so_id: str) -> PublicOperator:
    return _public(store.load_organisation(so_id), store.load_operator(so_id))


def list_organisations(call: Call, query: OrganisationQuery) -> Page[Organisation]:
    """Every organisation of a kind (FSPs unless asked otherwise), for the market operator."""
    page: Page[Organisation] = store.list_organisations(query.kind or "fsp", query.limit, query.cursor)
    return page


def get_any_organisation(call: Call, organisation_id: str) -> Organisation:
    _check_sees(call, organisation_id, "organisation")
    return store.load_organisation(organisation_id)


def verify_organisation(call: Call, organisation_id: str, reason: str | None) -> Organisation:
    """The market operator has checked the company: from now on it may bid. Doing it twice changes nothing."""
    before = store.load_organisation(organisation_id)
    after = rules.verified(before, call.now, call.actor.id)
    if after == before:
        return before
    old, new = differences(before, after)
    change = Change(
        thing=f"organisation:{after.id}",
        action="organisation.verified",
        organisation=after.id,
        before=old,
        after=new,
        reason=reason,
    )
    commit(call, [store.save_organisation(after)], [OrganisationVerified(organisation=after.id)], [change], after.id)
    return after


def list_audit(call: Call, query: AuditQuery) -> Page[AuditView]:
    """The caller's own trail, of a thing or of a day; the market operator sees everybody's."""
    if query.thing is not None:
        page = trail_of(query.thing, query.limit, query.cursor)
        return Page(items=[_audit_view(it) for it in page.items if _may_read(call, it)], next=page.next)
    organisation = _trail_owner(call, query)
    records = list(records_of_day(organisation, query.day or call.now.date()))
    return _page_of(records, query)


def _page_of(records: list[AuditRecord], query: AuditQuery) -> Page[AuditView]:
    """A page in order of time; the cursor is the last record's id."""
    after = [it for it in records if query.cursor is None or it.id > query.cursor]
    shown = after[: query.limit]
    return Page(items=[_audit_view(it) for it in shown], next=shown[-1].id if len(after) > len(shown) else None)


def _trail_owner(call: Call, query: AuditQuery) -> str:
    wanted = query.organisation or call.organisation
    _check_sees(call, wanted, "organisation")
    return wanted


def _may_read(call: Call, record: AuditRecord) -> bool:
    return call.organisation in (record.organisation, record.actor_organisation, MARKET_OPERATOR)


def _audit_view(it: AuditRecord) -> AuditView:
    return AuditView.model_validate(it.model_dump())


def _check_sees(call: Call, organisation_id: str, thing: str) -> None:
    if call.actor.organisation_kind != "market_operator":
        call.check_owner(organisation_id, thing)


def _operator_problems(body: OperatorRequest) -> list[Problem]:
    problems = rules.settings_problems(body.settings)
    if body.company:
        problems += rules.company_problems(tidy_company(body.company), "company")
    addresses = [it.email.lower() for it in body.people]
    for number, email in enumerate(addresses):
        problems += rules.email_problems(email, f"people/{number}/email")
        if email in addresses[:number]:
            detail = f"{email} is named twice."
            problems.append(Problem("person.known", detail, f"people/{number}/email", "each address once"))
    return problems


def _first(call: Call, so_id: str, it: FirstPerson) -> Person:
    return invited_person(call, so_id, it.name, it.email.lower(), ALL_ROLES)


def _commit_operator(call: Call, organisation: Organisation, operator: Operator, people: list[Person]) -> None:
    writes = [store.create_organisation(organisation), store.create_operator(operator)]
    writes += [store.create_person(it) for it in people]
    invited = [PersonInvited(organisation=it.organisation, person=it.id, serial=1) for it in people]
    change = Change(
        thing=f"organisation:{organisation.id}",
        action="operator.created",
        organisation=organisation.id,
        after=operator.model_dump(mode="json"),
    )
    commit(call, writes, [OperatorCreated(so=organisation.id), *invited], [change], organisation.id)


def _view(organisation: Organisation, operator: Operator) -> OperatorView:
    return OperatorView(
        id=organisation.id,
        name=organisation.name,
        verified=organisation.verified,
        settings=operator.settings,
        profile=operator.profile,
        version=operator.version,
    )


def _public(organisation: Organisation, operator: Operator) -> PublicOperator:
    return PublicOperator(
        id=organisation.id,
        name=organisation.name,
        time_zone=operator.settings.time_zone,
        currency=operator.settings.currency,
        profile=operator.profile,
    )
