"""What forms and XML call the items of lists and maps."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from botocore.model import ListShape, MapShape, Shape


class Items(NamedTuple):
    """Names of a list or a map: ``wrapper`` is None where items lie flat in what holds them.

    ``key`` and ``value`` are those of a map's entries.
    """

    wrapper: str | None
    item: str
    key: str = ""
    value: str = ""


# member, its shape and the operation's name -> what its items are called
Naming: TypeAlias = Callable[[str, Shape, str], Items]


def of_member(name: str, shape: Shape) -> str:
    """What a member is called outside."""
    found: str = shape.serialization.get("name", name)
    return found


def of_items(name: str, shape: Shape, operation: str) -> Items:
    """As the model says, for any service whose model does.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
    """
    outer = of_member(name, shape)
    is_flat = bool(shape.serialization.get("flattened"))
    wrapper = None if is_flat else outer
    if isinstance(shape, MapShape):
        entry = outer if is_flat else "entry"
        return Items(wrapper, entry, of_member("key", shape.key), of_member("value", shape.value))
    assert isinstance(shape, ListShape)
    return Items(wrapper, of_member(outer if is_flat else "member", shape.member))
