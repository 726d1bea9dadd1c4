"""Company qualification on the SO's side: schemes opened, described and closed."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, raise_problems
from chalicelib.kernel.models import Page
from chalicelib.registry import store, store_schemes
from chalicelib.registry.actions_reads import list_organisations
from chalicelib.registry.forms import Form, form_problems, with_documents
from chalicelib.registry.scheme_requests import SchemeChange, SchemeQuery, SchemeRequest, SchemeView
from chalicelib.registry.schemes import Scheme
from chalicelib.registry.standard_form import STANDARD_FORM
from chalicelib.storage.audit import Change, differences
from chalicelib.storage.commit import commit


def get_standard_form(call: Call) -> Form:
    """The form a scheme has unless its SO gives another."""
    return STANDARD_FORM


def create_scheme(call: Call, body: SchemeRequest) -> SchemeView:
    """Open a scheme under a reference of the SO's own; `Refused` when the reference was used before."""
    form = body.form or STANDARD_FORM
    raise_problems(form_problems(form))
    scheme = Scheme(
        id=call.new_id("sch"),
        so=call.organisation,
        ref=body.ref,
        name=body.name,
        description=body.description,
        form=form,
        required_documents=body.required_documents,
        state=body.state,
        created_at=call.now,
    )
    after = scheme.model_dump(mode="json", exclude={"form"})
    change = Change(thing=f"scheme:{scheme.id}", action="scheme.created", organisation=scheme.so, after=after)
    commit(call, store_schemes.create_scheme(scheme), changes=[change], result=scheme.id)
    return _view(call, scheme)


def change_scheme(call: Call, scheme_id: str, body: SchemeChange, if_match: int) -> SchemeView:
    """Describe, close or reopen a scheme, or give it another form, which later submissions answer."""
    before = own_scheme(call, scheme_id)
    changes = {name: value for name, value in dict(body).items() if value is not None}
    after = before.but(**changes, version=if_match + 1)
    raise_problems(form_problems(after.form))
    old, new = differences(before, after)
    change = Change(thing=f"scheme:{scheme_id}", action="scheme.changed", organisation=after.so, before=old, after=new)
    commit(call, [store_schemes.save_scheme(after)], changes=[change])
    return _view(call, after)


def get_scheme(call: Call, scheme_id: str) -> SchemeView:
    """A scheme with its form, for its SO, the market operator and every FSP."""
    return _view(call, seen_scheme(call, scheme_id))


def list_schemes(call: Call, query: SchemeQuery) -> Page[SchemeView]:
    """An SO's own schemes; for FSPs and the market operator those of one SO, or of all in order of SO."""
    so_id = call.organisation if call.actor.organisation_kind == "so" else query.so
    if so_id is not None:
        page = store_schemes.list_schemes(so_id, query.limit, query.cursor)
        return Page(items=_views(call, page.items, query), next=page.next)
    everything = sorted(_views(call, _of_all_operators(), query), key=lambda view: view.id)
    after = [view for view in everything if query.cursor is None or view.id > query.cursor]
    shown = after[: query.limit]
    return Page(items=shown, next=shown[-1].id if len(after) > len(shown) else None)


def own_scheme(call: Call, scheme_id: str) -> Scheme:
    """The caller's own scheme; another SO's is not found."""
    scheme = store_schemes.load_scheme(scheme_id)
    call.check_owner(scheme.so, "scheme")
    return scheme


def seen_scheme(call: Call, scheme_id: str) -> Scheme:
    """A scheme the caller may read: FSPs read all, an SO its own."""
    scheme = store_schemes.load_scheme(scheme_id)
    if call.actor.organisation_kind == "so" and scheme.so != call.organisation:
        raise NotFound("scheme.not_found", "There is no such scheme.")
    return scheme


def _of_all_operators() -> Iterable[Scheme]:
    for operator in list_organisations("so"):
        yield from store_schemes.all_schemes(operator.id)


def _views(call: Call, schemes: Iterable[Scheme], query: SchemeQuery) -> list[SchemeView]:
    wanted = (it for it in schemes if query.ref in (None, it.ref) and query.state in (None, it.state))
    return [_view(call, scheme) for scheme in wanted]


def _view(call: Call, scheme: Scheme) -> SchemeView:
    is_fsp = call.actor.organisation_kind == "fsp"
    application = store_schemes.find_application_of(scheme.id, call.organisation) if is_fsp else None
    return SchemeView(
        id=scheme.id,
        so=scheme.so,
        so_name=store.load_organisation(scheme.so).name,
        ref=scheme.ref,
        name=scheme.name,
        description=scheme.description,
        sections=with_documents(scheme.form, scheme.required_documents).sections,
        required_documents=scheme.required_documents,
        state=scheme.state,
        application=application.id if application else None,
        application_state=application.state if application else None,
        version=scheme.version,
    )
