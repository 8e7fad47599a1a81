"""Pagination: a page of a list, and the marker of the next one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lambdash.lambda_api.operation import Parameters

T = TypeVar("T")


def page(
    items: Sequence[T], parameters: Parameters, identity: Callable[[T], str], most: int
) -> tuple[list[T], str | None]:
    """The items that ``Marker`` and ``MaxItems`` ask for, and ``NextMarker``.

    ``items`` are sorted by what they are listed by; a marker is the identity of the first item of
    a page, so that what is made or removed meanwhile shifts nothing. One whose item is gone ends
    the list.
    """
    start, marker = 0, parameters.get("Marker")
    if marker:
        identities = [identity(item) for item in items]
        start = identities.index(marker) if marker in identities else len(items)
    size = min(parameters.get("MaxItems") or most, most)
    rest = items[start + size :]
    return list(items[start : start + size]), identity(rest[0]) if rest else None
