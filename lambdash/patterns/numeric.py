"""The operator ``numeric``: equality and ranges of numbers."""

import sys

from lambdash.patterns.document import Members, Node
from lambdash.patterns.leaves import as_number, comparable
from lambdash.patterns.matchers import Matcher, NumberBetween, NumberEquals
from lambdash.patterns.problems import InvalidPattern

_MAX = sys.float_info.max


def read_numeric(argument: Node) -> Matcher:
    """``[">", 0, "<=", 5]``, ``["=", 3]`` and the like."""
    if not isinstance(argument, list):
        raise InvalidPattern("Value of numeric must be an array.")
    operator, *rest = argument or [None]
    if not isinstance(operator, str):
        raise InvalidPattern(f"Invalid member in numeric match: {_token(operator)}")
    if operator not in ("=", ">", ">=", "<", "<="):
        raise InvalidPattern(f"Unrecognized numeric range operator: {operator}")
    bound = read_bound(rest[:1], "equals" if operator == "=" else operator)
    if operator in (">", ">="):
        return _from(bound, operator, rest[1:])
    if len(rest) > 1:
        raise InvalidPattern("Too many elements in numeric expression")
    if operator == "=":
        return NumberEquals(bound)
    return NumberBetween(-_MAX, bound, open_top=operator == "<")


def _from(bottom: float, operator: str, rest: list[Node]) -> Matcher:
    """A range that begins at ``bottom`` and ends where ``rest`` says, if it says."""
    if not rest:
        return NumberBetween(bottom, _MAX, open_bottom=operator == ">")
    upper = rest[0]
    if not isinstance(upper, str):
        raise InvalidPattern(f"Bad value in numeric range: {_token(upper)}")
    if upper not in ("<", "<="):
        raise InvalidPattern(f"Bad numeric range operator: {upper}")
    top = read_bound(rest[1:2], upper)
    if len(rest) > 2:
        raise InvalidPattern("Too many terms in numeric range expression")
    if bottom >= top:
        raise InvalidPattern("Bottom must be less than top")
    return NumberBetween(bottom, top, operator == ">", upper == "<")


def read_bound(values: list[Node], operator: str) -> float:
    """The number at the head of ``values``, as the double that it must be."""
    number = None
    if values and not isinstance(values[0], Members | list):
        number = as_number(values[0])
    if number is None:
        raise InvalidPattern(f"Value of {operator} must be numeric")
    double = comparable(number)
    if double is None:
        raise InvalidPattern(f"Cannot compare number : {number}")
    return double


def _token(node: Node) -> str:
    """The first token of a value, as AWS's reader quotes it."""
    if isinstance(node, Members):
        return "{"
    if isinstance(node, list):
        return "["
    return "null" if node is None else str(node).lower()
