"""Operators on strings: exact, prefix, suffix, in either case, wildcard."""

from lambdash.patterns.document import Members, Node
from lambdash.patterns.leaves import address
from lambdash.patterns.matchers import (
    AddressBetween,
    Matcher,
    OneOf,
    Prefix,
    Suffix,
    Wildcard,
    equals_ignoring_case,
    prefix_ignoring_case,
    suffix_ignoring_case,
)
from lambdash.patterns.problems import InvalidPattern

IGNORE_CASE = "equals-ignore-case"


def string_matcher(text: str) -> Matcher:
    """An exact string; an IP address literal matches however the address is written."""
    packed = address(text)
    return OneOf(frozenset((text,))) if packed is None else AddressBetween(packed, packed)


def required_string(argument: Node, operator: str) -> str:
    """The argument, which must be a string."""
    if not isinstance(argument, str):
        raise InvalidPattern(f"{operator} match pattern must be a string")
    return argument


def read_exactly(argument: Node) -> Matcher:
    """The string itself; an address is not looked into."""
    return OneOf(frozenset((required_string(argument, "exact"),)))


def read_prefix(argument: Node) -> Matcher:
    """``"x"``, or ``{"equals-ignore-case": "x"}``."""
    if isinstance(argument, Members):
        return prefix_ignoring_case(_ignore_case_argument(argument, "prefix"))
    return Prefix(required_string(argument, "prefix"))


def read_suffix(argument: Node) -> Matcher:
    """``"x"``, or ``{"equals-ignore-case": "x"}``."""
    if isinstance(argument, Members):
        return suffix_ignoring_case(_ignore_case_argument(argument, "suffix"))
    return Suffix(required_string(argument, "suffix"))


def _ignore_case_argument(members: Members, operator: str) -> str:
    name = members.first_key
    if name is None:
        raise InvalidPattern(f"{operator.capitalize()} expression name not found")
    if name != IGNORE_CASE:
        raise InvalidPattern(f"Unsupported {operator} pattern: {name}")
    text = required_string(members.items[0][1], IGNORE_CASE)
    if len(members.items) > 1:
        raise InvalidPattern("Only one key allowed in match expression")
    return text


def read_equals_ignoring_case(argument: Node) -> Matcher:
    """The whole string, in either case."""
    return equals_ignoring_case(required_string(argument, IGNORE_CASE))


def read_wildcard(argument: Node) -> Matcher:
    """``*`` is any string; a backslash escapes it and itself."""
    return Wildcard(_wildcard_pieces(required_string(argument, "wildcard")))


def _wildcard_pieces(text: str) -> tuple[str, ...]:
    """Split at the wildcards that no backslash escapes."""
    pieces, piece, index = [], "", 0
    while index < len(text):
        character, following = text[index], text[index + 1 : index + 2]
        if character == "*":
            if following == "*":
                raise InvalidPattern(_at("Consecutive wildcard characters", text, index))
            pieces.append(piece)
            piece = ""
        elif character == "\\":
            if following not in ("*", "\\"):
                raise InvalidPattern(_at("Invalid escape character", text, index))
            piece += following
            index += 1
        else:
            piece += character
        index += 1
    return (*pieces, piece)


def _at(complaint: str, text: str, index: int) -> str:
    """AWS counts in bytes of UTF-8, after an opening quotation mark."""
    return f"{complaint} at pos {len(text[:index].encode('utf-8', 'surrogatepass')) + 1}"
