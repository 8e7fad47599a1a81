"""The operators of a match expression (``{"prefix": ...}``): each reads its argument.

Messages are aws/event-ruler's. Where several things are wrong, the first that AWS's reader meets is
told.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lambdash.patterns.anything_but import read_anything_but
from lambdash.patterns.document import Node
from lambdash.patterns.leaves import address
from lambdash.patterns.matchers import AddressBetween, Exists, Matcher
from lambdash.patterns.numeric import read_numeric
from lambdash.patterns.problems import InvalidPattern
from lambdash.patterns.strings import (
    IGNORE_CASE,
    read_equals_ignoring_case,
    read_exactly,
    read_prefix,
    read_suffix,
    read_wildcard,
    required_string,
)

_MASK_BITS = re.compile(r"[+-]?[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Absent:
    """``{"exists": false}``: about the event, not about a leaf, so it is no matcher."""


ABSENT = Absent()


def _exists(argument: Node) -> Matcher | Absent:
    if argument is True:
        return Exists()
    if argument is False:
        return ABSENT
    raise InvalidPattern("exists match pattern must be either true or false.")


def _cidr(argument: Node) -> Matcher:
    base, slash, bits = required_string(argument, "prefix").partition("/")
    if not slash or "/" in bits or not bits:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    if not _MASK_BITS.fullmatch(bits):
        raise InvalidPattern("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise InvalidPattern("Malformed CIDR, mask bits must not be negative")
    packed = address(base)
    if packed is None:
        raise InvalidPattern(f"Nonstandard IP address: {base}")
    width, version = len(packed) * 8, 4 if len(packed) == 4 else 6
    if int(bits) >= width:
        raise InvalidPattern(f"IPv{version} mask bits must be < {width}")
    free = (1 << (width - int(bits))) - 1
    value = int.from_bytes(packed)
    return AddressBetween(
        (value & ~free).to_bytes(len(packed)), (value | free).to_bytes(len(packed))
    )


OPERATORS: Mapping[str, Callable[[Node], Matcher | Absent]] = {
    "exactly": read_exactly,
    "prefix": read_prefix,
    "suffix": read_suffix,
    IGNORE_CASE: read_equals_ignoring_case,
    "wildcard": read_wildcard,
    "anything-but": read_anything_but,
    "exists": _exists,
    "numeric": read_numeric,
    "cidr": _cidr,
}
