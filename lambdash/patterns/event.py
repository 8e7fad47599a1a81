"""An event as flat fields, each with the array elements it lies in.

Source of behaviour: aws/event-ruler's ``Event``: names are joined by dots, arrays are crushed out
of the names, and what remembers them is the *membership* of a field: which element of which array.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from lambdash.patterns.leaves import Leaf

# array (numbered as met) -> index in it
Membership = Mapping[int, int]
_NOWHERE: Membership = {}


class Field(NamedTuple):
    """One leaf of the event and where in the event's arrays it lies."""

    leaf: Leaf
    membership: Membership


def flatten(event: Mapping[str, object], names: Collection[str]) -> dict[str, list[Field]]:
    """The fields of the event that bear one of ``names``, in no order; absent names are missing.

    ``names`` holds dotted names and, ending in a dot, every prefix of theirs worth going into.
    Iterative: an event may be nested as deeply as its sender likes.
    """
    fields: dict[str, list[Field]] = {}
    arrays = 0
    waiting: list[tuple[str, object, Membership]] = [("", event, _NOWHERE)]
    while waiting:
        name, value, membership = waiting.pop()
        if isinstance(value, Mapping):
            path = f"{name}." if name else ""
            for key, member in value.items():
                below = path + key
                if below in names or f"{below}." in names:
                    waiting.append((below, member, membership))
        elif isinstance(value, list | tuple):
            arrays += 1
            for index, element in enumerate(value):
                nested = isinstance(element, Mapping | list | tuple)
                inside = {**membership, arrays: index} if nested else membership
                waiting.append((name, element, inside))
        else:
            fields.setdefault(name, []).append(Field(value, membership))  # type: ignore[arg-type]
    return fields


def names_with_prefixes(names: Collection[str]) -> frozenset[str]:
    """What ``flatten`` asks for: the names and all their prefixes, the latter ending in a dot."""
    prefixes = {
        name[: position + 1]
        for name in names
        for position, character in enumerate(name)
        if character == "."
    }
    return frozenset(names) | prefixes
