"""Keeps what OpenADR clients say of themselves: one VEN each, and the assets under their control as resources."""

from __future__ import annotations

from typing import Any

from chalicelib.assets import actions as assets
from chalicelib.dispatch import store_openadr as store
from chalicelib.dispatch.actions_openadr import named_nothing, page_of
from chalicelib.dispatch.actions_openadr_telling import Told, tell_own
from chalicelib.dispatch.openadr_models import (
    Listed,
    Operation,
    Resource,
    ResourceRequest,
    Ven,
    VenRequest,
)
from chalicelib.dispatch.openadr_queries import ResourceQuery, VenQuery
from chalicelib.dispatch.openadr_translate import meets
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

MOST_RESOURCES = 5_000


def list_vens(call: Call, query: VenQuery) -> Listed[Ven]:
    """The calling client's VEN, or none; a VEN has no targets of its own here, so asking for some finds none."""
    ven = store.find_ven(call.actor.id)
    fits = ven is not None and query.ven_name in (None, ven.ven_name) and not query.targets
    return Listed[Ven](page_of([ven] if ven and fits else [], query.skip, query.limit))


def get_ven(call: Call, ven_id: str) -> Ven:
    """The calling client's VEN by its id."""
    ven = store.find_ven(call.actor.id)
    if ven is None or ven.id != ven_id:
        raise NotFound("ven.not_found", "There is no such ven.")
    return ven


def add_ven(call: Call, request: VenRequest) -> Ven:
    """Register the calling client, once, under a name that no other has."""
    ven = Ven(**_said(request), **_made(call), id=call.new_id("ven"))
    last = store.last_reached(call.organisation).get(call.actor.id)
    writes = [*store.new_ven(ven), store.reached(call.organisation, call.actor.id, last)]
    _save(call, writes, ven, "openadr.ven_added")
    _tell(call, ven, "CREATE")
    return ven


def change_ven(call: Call, ven_id: str, request: VenRequest) -> Ven:
    """Call the client by another name, or describe it anew."""
    before = get_ven(call, ven_id)
    after = Ven.model_validate({**dict(before), **_said(request), "modification_date_time": call.now})
    _save(call, store.changed_ven(before, after), after, "openadr.ven_changed")
    _tell(call, after, "UPDATE")
    return after


def remove_ven(call: Call, ven_id: str) -> Ven:
    """Forget the client's VEN; its resources must be removed first."""
    ven = get_ven(call, ven_id)
    if store.list_resources(call.actor.id):
        raise Refused("ven.has_resources", "The VEN still has resources; remove them first.")
    _save(call, store.removed_ven(ven), ven, "openadr.ven_removed")
    _tell(call, ven, "DELETE")
    return ven


def list_resources(call: Call, query: ResourceQuery) -> Listed[Resource]:
    """The calling client's resources, with the obligations they stand behind as targets."""
    named = [
        each
        for each in store.list_resources(call.actor.id)
        if query.resource_name in (None, each.resource_name) and query.ven_id in (None, each.ven_id)
    ]
    if not query.targets:
        return Listed[Resource](_granted(call, page_of(named, query.skip, query.limit)))
    met = [each for each in _granted(call, named) if meets(each.targets or (), query.targets)]
    return Listed[Resource](page_of(met, query.skip, query.limit))


def get_resource(call: Call, resource_id: str) -> Resource:
    """One of the calling client's resources."""
    [found] = _granted(call, [_own(call, resource_id)])
    return found


def add_resource(call: Call, request: ResourceRequest) -> Resource:
    """Put one of the provider's assets under the client's VEN; its name is the asset's reference."""
    _check_ven(call, request.ven_id)
    _check_asset(call, request.resource_name)
    if len(store.list_resources(call.actor.id)) >= MOST_RESOURCES:
        raise Refused("resource.too_many", f"A VEN has at most {MOST_RESOURCES} resources.")
    made = derived_id("res", call.actor.id, request.resource_name)
    resource = Resource(**_said(request), **_made(call), id=made)
    _save(call, [store.new_resource(resource)], resource, "openadr.resource_added")
    _tell(call, resource, "CREATE")
    return get_resource(call, made)


def change_resource(call: Call, resource_id: str, request: ResourceRequest) -> Resource:
    """Describe a resource anew; another name would be another asset."""
    before = _own(call, resource_id)
    _check_ven(call, request.ven_id)
    if request.resource_name != before.resource_name:
        raise Refused("resource.other_asset", "Another name is another asset: add it, and remove this one.")
    after = Resource.model_validate({**dict(before), **_said(request), "modification_date_time": call.now})
    _save(call, [store.changed_resource(after)], after, "openadr.resource_changed")
    _tell(call, after, "UPDATE")
    return get_resource(call, resource_id)


def remove_resource(call: Call, resource_id: str) -> Resource:
    """Take an asset from under the client's VEN; the asset itself stays in the register."""
    resource = get_resource(call, resource_id)
    _save(call, [store.removed_resource(resource)], resource, "openadr.resource_removed")
    _tell(call, resource, "DELETE")
    return resource


def _granted(call: Call, resources: list[Resource]) -> list[Resource]:
    """Resources with the obligations their assets stand behind, which only the market writes."""
    found = assets.find_by_refs(call.organisation, [each.resource_name for each in resources])
    held = assets.commitments_of(asset.id for asset in found.values())
    targets = {
        ref: tuple(sorted({each.obligation_id for each in held[asset.id]})) or None for ref, asset in found.items()
    }
    return [each.model_copy(update={"targets": targets.get(each.resource_name)}) for each in resources]


def _check_ven(call: Call, ven_id: str) -> None:
    try:
        get_ven(call, ven_id)
    except NotFound as missing:
        raise named_nothing(missing, "venID") from missing


def _check_asset(call: Call, ref: str) -> None:
    if ref not in assets.find_by_refs(call.organisation, [ref]):
        detail = f"There is no asset with the reference {ref}."
        raise Invalid.of([Problem("resource.no_asset", detail, "resourceName", "a reference of the asset register")])


def _own(call: Call, resource_id: str) -> Resource:
    resource = store.find_resource(call.actor.id, resource_id)
    if resource is None:
        raise NotFound("resource.not_found", "There is no such resource.")
    return resource


def _said(request: VenRequest | ResourceRequest) -> dict[str, Any]:
    return {name: value for name, value in dict(request).items() if name != "object_type"}


def _made(call: Call) -> dict[str, Any]:
    return {"created_date_time": call.now, "modification_date_time": call.now, "client_id": call.actor.id}


def _save(call: Call, writes: list[Write], thing: Ven | Resource, action: str) -> None:
    after = thing.model_dump(mode="json", exclude={"attributes"})
    change = Change(thing=f"openadr:{thing.id}", action=action, organisation=call.organisation, after=after)
    commit(call, writes, [], [change], result=thing.id)


def _tell(call: Call, thing: Ven | Resource, operation: Operation) -> None:
    tell_own(call, Told(kind=thing.object_type, operation=operation, thing=thing, thing_id=thing.id))
