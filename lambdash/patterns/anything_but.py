"""The operator ``anything-but``: of strings, of numbers, and of some other operators."""

from collections.abc import Callable, Mapping

from lambdash.patterns.document import Members, Node
from lambdash.patterns.matchers import AnythingBut, Matcher, NumberEquals, OneOf
from lambdash.patterns.numeric import read_bound
from lambdash.patterns.problems import InvalidPattern
from lambdash.patterns.strings import (
    IGNORE_CASE,
    read_equals_ignoring_case,
    read_prefix,
    read_suffix,
    read_wildcard,
)

_NEITHER = "Value of anything-but must be an array or single string/number value."


def read_anything_but(argument: Node) -> Matcher:
    """``"x"``, ``5``, ``["x", "y"]``, ``[1, 2]``, ``{"prefix": ...}`` and the other forms."""
    if isinstance(argument, Members):
        return AnythingBut(_read_form(argument))
    if isinstance(argument, bool) or argument is None:
        raise InvalidPattern(_NEITHER)
    values = argument if isinstance(argument, list) else [argument]
    if any(isinstance(value, Members | list | bool) or value is None for value in values):
        raise InvalidPattern("Inside anything but list, start|null|boolean is not supported.")
    strings = [value for value in values if isinstance(value, str)]
    if not values or 0 < len(strings) < len(values):
        raise InvalidPattern(
            "Inside anything but list, either all values are number or string, "
            "mixed type is not supported"
        )
    if strings:
        return AnythingBut((OneOf(frozenset(strings)),))
    return AnythingBut(tuple(NumberEquals(read_bound([value], "=")) for value in values))


def _read_form(members: Members) -> tuple[Matcher, ...]:
    name = members.first_key
    if name is None:
        raise InvalidPattern("Anything-But expression name not found")
    if name not in _FORMS:
        raise InvalidPattern(f"Unsupported anything-but pattern: {name}")
    argument = members.items[0][1]
    if argument is None or isinstance(argument, Members | bool):
        raise InvalidPattern(_NEITHER)
    values = argument if isinstance(argument, list) else [argument]
    matchers = tuple(_read_excluded(value, name) for value in values)
    if len(members.items) > 1:
        raise InvalidPattern("Too many elements in numeric expression")
    return matchers


def _read_excluded(value: Node, form: str) -> Matcher:
    read, complaint = _FORMS[form]
    if not isinstance(value, str):
        raise InvalidPattern(complaint)
    if form in ("prefix", "suffix") and not value:
        raise InvalidPattern("Null prefix/suffix not allowed")
    return read(value)


_FORMS: Mapping[str, tuple[Callable[[Node], Matcher], str]] = {
    "prefix": (read_prefix, "prefix/suffix match pattern must be a string"),
    "suffix": (read_suffix, "prefix/suffix match pattern must be a string"),
    "wildcard": (read_wildcard, "wildcard match pattern must be a string"),
    IGNORE_CASE: (
        read_equals_ignoring_case,
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    ),
}
