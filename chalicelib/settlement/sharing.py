"""Owns who shares a delivery: concurrent instructions of one direction with a meter in common are settled together."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.settlement.models import Instruction, Member

Together = tuple[Instruction, ...]


def settled_together(instructions: Sequence[Instruction]) -> list[Together]:
    """Instructions in groups, each connected by meters in common at the same time; groups and members in time order.

    An instruction that only touches another's end stands apart. Opposite directions never share: what one of them
    delivered, the other did not.
    """
    order = sorted(instructions, key=lambda each: (each.starts, each.id))
    heads = list(range(len(order)))
    latest: dict[tuple[str, str], int] = {}
    for place, instruction in enumerate(order):
        for meter in sorted({meter for member in instruction.members for meter in member.meters}):
            key = (instruction.direction, meter)
            before = latest.get(key)
            if before is not None and order[before].ends > instruction.starts:
                _join(heads, before, place)
            if before is None or order[before].ends < instruction.ends:
                latest[key] = place
    groups: dict[int, list[Instruction]] = {}
    for place, instruction in enumerate(order):
        groups.setdefault(_head(heads, place), []).append(instruction)
    return [tuple(group) for group in groups.values()]


def _head(heads: list[int], place: int) -> int:
    while heads[place] != place:
        heads[place] = heads[heads[place]]
        place = heads[place]
    return place


def _join(heads: list[int], one: int, other: int) -> None:
    first, second = sorted((_head(heads, one), _head(heads, other)))
    heads[second] = first


def members_of(together: Together) -> tuple[Member, ...]:
    """Every meter point behind the instructions, once, by name; of unequal shares the largest stands."""
    found: dict[str, Member] = {}
    for member in (each for instruction in together for each in instruction.members):
        known = found.get(member.point)
        if known is None or known.capacity_mw < member.capacity_mw:
            found[member.point] = member
    return tuple(found[point] for point in sorted(found))
