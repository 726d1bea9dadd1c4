"""Wakes when an object arrives in the inbox, and opens its receipt."""

from __future__ import annotations

from chalicelib.edge.entrance import Arrived, drops
from chalicelib.edge.observe import count, logger
from chalicelib.files import actions as files
from chalicelib.files.models import Drop
from chalicelib.kernel.call import Call
from chalicelib.registry import actions as registry


def take_in(call: Call, arrived: Arrived) -> None:
    receive(call, Drop(key=arrived.key, version=arrived.version, size=arrived.size, at=arrived.at))


def receive(call: Call, drop: Drop) -> None:
    """Open the receipt of an object; one under nobody's prefix is only counted."""
    owner = files.owner_of(drop.key)
    organisation = registry.get_organisations([owner]).get(owner) if owner else None
    if organisation is None:
        logger().warning("an object under no organisation's prefix", extra={"prefix": owner})
        count("drops_of_nobody")
        return
    files.receive(call, drop, organisation.id, organisation.kind)


handler = drops(take_in)
