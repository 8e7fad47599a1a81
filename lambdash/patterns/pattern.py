"""Patterns compiled once and matched many times, arrays of objects consistently.

Two fields of a pattern that lie in one array must be satisfied within one element of it (AWS:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html and
aws/event-ruler's README, *JSON Array Matching*). Fields are decided in the order of their names, as
there: what an ``exists: false`` sees of an array is the element that the names before it chose.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from lambdash.patterns.document import parse_document
from lambdash.patterns.event import Field, Membership, flatten, names_with_prefixes
from lambdash.patterns.grammar import EVENT_BRIDGE, Condition, Dialect, read_alternatives
from lambdash.patterns.problems import InvalidPattern

# A membership as a value: which elements the fields so far have chosen
_Choice: TypeAlias = tuple[tuple[int, int], ...]
_Rule: TypeAlias = tuple[tuple[str, Condition], ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What ``compile_pattern`` makes: alternatives, each the conditions on its fields by name."""

    rules: tuple[_Rule, ...]
    names: frozenset[str]

    def matches(self, event: Mapping[str, object]) -> bool:
        """Whether the event (parsed JSON; see ``parse_event``) satisfies the pattern."""
        fields = flatten(event, self.names)
        return any(_satisfied(rule, fields) for rule in self.rules)


def compile_pattern(
    pattern: str | Mapping[str, object], dialect: Dialect = EVENT_BRIDGE
) -> Pattern:
    """Read a pattern, as JSON text or as the dict it stands for.

    Raises ``InvalidPattern`` with AWS's message.
    """
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    if len(text) > dialect.max_chars:
        raise InvalidPattern(f"Filter is longer than {dialect.max_chars} characters")
    alternatives = read_alternatives(parse_document(text), dialect)
    names = names_with_prefixes({name for fields in alternatives for name in fields})
    rules = tuple(
        tuple(sorted(fields.items(), key=lambda field: field[0])) for fields in alternatives
    )
    return Pattern(rules, names)


def parse_event(text: str | bytes) -> object:
    """An event's text as values, numbers with all their digits. Raises ``ValueError``."""
    try:
        return json.loads(text, parse_float=Decimal)
    except RecursionError:
        raise ValueError("the event is nested too deeply") from None


def _satisfied(rule: _Rule, fields: Mapping[str, list[Field]]) -> bool:
    """Follow all choices of array elements at once, forgetting those that no later field is in.

    Breadth first: as many choices as there are elements at most, where trying one after the other
    would take their product.
    """
    choices: set[_Choice] = {()}
    for position, (name, condition) in enumerate(rule):
        present = fields.get(name, ())
        later = _arrays_of(rule[position + 1 :], fields) if _in_arrays(present, choices) else ()
        choices = {
            tuple(item for item in sorted(merged.items()) if item[0] in later)
            for merged in _extended(choices, condition, present)
        }
        if not choices:
            return False
    return True


def _in_arrays(present: Iterable[Field], choices: set[_Choice]) -> bool:
    return choices != {()} or any(field.membership for field in present)


def _arrays_of(rule: _Rule, fields: Mapping[str, list[Field]]) -> frozenset[int]:
    """The arrays that fields still to come lie in."""
    return frozenset(
        array for name, _ in rule for field in fields.get(name, ()) for array in field.membership
    )


def _extended(
    choices: set[_Choice], condition: Condition, present: Iterable[Field]
) -> Iterable[Membership]:
    """The memberships that satisfy the condition and go with one of the choices."""
    satisfying = _ByElement(
        field for field in present if any(each.matches(field.leaf) for each in condition.matchers)
    )
    anything = _ByElement(present) if condition.absent else None
    for choice in choices:
        chosen = dict(choice)
        if anything is not None and not any(anything.consistent(chosen)):
            yield chosen
        for field in satisfying.consistent(chosen):
            yield {**chosen, **field.membership}


class _ByElement:
    """Fields of one name, found by an array element they lie in rather than one after the other."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._all = list(fields)
        self._in: dict[int, dict[int, list[Field]]] = {}

    def consistent(self, chosen: Membership) -> Iterable[Field]:
        """The fields that lie in no other element of an array than the chosen one."""
        candidates = self._all
        for array, index in chosen.items():
            found = self._elements(array).get(index, []) + self._elements(array).get(-1, [])
            if len(found) < len(candidates):
                candidates = found
        return (
            field
            for field in candidates
            if all(chosen.get(array, index) == index for array, index in field.membership.items())
        )

    def _elements(self, array: int) -> dict[int, list[Field]]:
        """The fields by their index in ``array``, -1 for those outside of it."""
        if array not in self._in:
            elements: dict[int, list[Field]] = {}
            for field in self._all:
                elements.setdefault(field.membership.get(array, -1), []).append(field)
            self._in[array] = elements
        return self._in[array]
