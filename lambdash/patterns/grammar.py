"""The grammar of event patterns: a tree of members in, the alternatives it stands for out.

Source of behaviour: aws/event-ruler's ``JsonRuleCompiler``, whose messages EventBridge passes on
after ``Event pattern is not valid. Reason: ``. Names of nested fields are joined by dots, as there.
"""

from dataclasses import dataclass, field

from lambdash import limits
from lambdash.patterns.document import Members, Node
from lambdash.patterns.leaves import as_number, number_key
from lambdash.patterns.matchers import Literal, Matcher, NumberEquals
from lambdash.patterns.operators import ABSENT, OPERATORS, Absent
from lambdash.patterns.problems import InvalidPattern
from lambdash.patterns.strings import string_matcher

OR = "$or"
# Names that an alternative of `$or` may not use: the operators, and what AWS keeps for later ones.
_RESERVED_IN_OR = frozenset(OPERATORS) | {
    "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after",
    "date-on-or-after", "date-before", "date-on-or-before", "in-date-range", "ip-address-in-range",
    "ip-address-not-in-range",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """What one field must satisfy: any of the matchers, or not being there where ``absent``."""

    matchers: tuple[Matcher, ...]
    absent: bool = False


Alternative = dict[str, Condition]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which operators there are, whether they take one another, and how long a pattern may be."""

    operators: frozenset[str]
    nested: bool = True
    max_chars: int = limits.EVENT_PATTERN_MAX_CHARS


EVENT_BRIDGE = Dialect(frozenset(OPERATORS))


@dataclass(slots=True)
class _Reading:
    """Where the reader is: the alternatives so far, and the dialect."""

    dialect: Dialect
    alternatives: list[Alternative] = field(default_factory=lambda: [{}])


def read_alternatives(document: Members, dialect: Dialect) -> tuple[Alternative, ...]:
    """The alternatives (fields by dotted name) of which an event must satisfy one.

    Raises ``InvalidPattern``. A field named twice counts as written last.
    """
    reading = _Reading(dialect)
    _read_object(document, "", reading, inside_or=False, depth=1)
    return tuple(reading.alternatives)


def _read_object(
    members: Members, path: str, reading: _Reading, *, inside_or: bool, depth: int
) -> None:
    if not members.items:
        raise InvalidPattern("Empty objects are not allowed")
    if depth > limits.PATTERN_MAX_DEPTH:
        raise InvalidPattern("Filter is nested too deeply")
    for key, node in members.items:
        if key == OR:
            _read_or(node, path, reading, depth)
        elif inside_or and key in _RESERVED_IN_OR:
            raise InvalidPattern(
                f"{key} is Ruler reserved fieldName which cannot be used inside {OR}."
            )
        elif isinstance(node, Members):
            below = f"{path}{key}."
            _read_object(node, below, reading, inside_or=inside_or, depth=depth + 1)
        elif isinstance(node, list):
            condition = _read_condition(node, reading.dialect)
            for alternative in reading.alternatives:
                alternative[path + key] = condition
        else:
            raise InvalidPattern(f'"{key}" must be an object or an array')


def _read_or(node: Node, path: str, reading: _Reading, depth: int) -> None:
    """Fork the alternatives so far by each object of the array."""
    if not isinstance(node, list):
        raise InvalidPattern(f"It must be an Array followed with {OR}.")
    before, after = reading.alternatives, []
    for choice in node:
        if not isinstance(choice, Members):
            raise InvalidPattern(f"Only JSON object is allowed in array of {OR} relationship.")
        reading.alternatives = [dict(alternative) for alternative in before]
        _read_object(choice, path, reading, inside_or=True, depth=depth + 1)
        after.extend(reading.alternatives)
        if len(after) > limits.PATTERN_MAX_ALTERNATIVES:
            raise InvalidPattern("Rule is too complex - try using fewer rules within $or")
    if len(node) < 2:
        raise InvalidPattern(f"There must have at least 2 Objects in {OR} relationship.")
    reading.alternatives = after


def _read_condition(values: list[Node], dialect: Dialect) -> Condition:
    if not values:
        raise InvalidPattern("Empty arrays are not allowed")
    read = [_read_value(value, dialect) for value in values]
    return Condition(
        tuple(matcher for matcher in read if not isinstance(matcher, Absent)), ABSENT in read
    )


def _read_value(value: Node, dialect: Dialect) -> Matcher | Absent:
    if isinstance(value, Members):
        name = value.first_key
        if name is None:
            raise InvalidPattern("Match expression name not found")
        argument = value.items[0][1]
        if name not in dialect.operators:
            raise InvalidPattern(f"Unrecognized match type {name}")
        if isinstance(argument, Members) and not dialect.nested:
            raise InvalidPattern(f"{name} match pattern must be a string")
        matcher = OPERATORS[name](argument)
        if len(value.items) > 1:
            raise InvalidPattern("Only one key allowed in match expression")
        return matcher
    if isinstance(value, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    if isinstance(value, str):
        return string_matcher(value)
    number = as_number(value)
    if number is not None:
        return NumberEquals(number_key(number))
    assert value is None or isinstance(value, bool)
    return Literal(value)
