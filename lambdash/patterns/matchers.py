"""One class an operator: does the value at one leaf satisfy it?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from lambdash.patterns.leaves import Leaf, address, as_number, comparable, number_key


class Matcher(Protocol):
    """A predicate over one leaf."""

    def matches(self, leaf: Leaf) -> bool:
        """Whether the leaf satisfies it."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The leaf is one of these strings."""

    strings: frozenset[str]

    def matches(self, leaf: Leaf) -> bool:
        return isinstance(leaf, str) and leaf in self.strings


@dataclass(frozen=True, slots=True)
class Literal:
    """``true``, ``false`` or ``null``: the very value, so that ``1`` is not ``true``."""

    value: bool | None

    def matches(self, leaf: Leaf) -> bool:
        return leaf is self.value


@dataclass(frozen=True, slots=True)
class NumberEquals:
    """The leaf is a number with this key (``leaves.number_key``): ``300``, ``300.0``, ``3e2``."""

    key: float | str

    def matches(self, leaf: Leaf) -> bool:
        number = as_number(leaf)
        return number is not None and number_key(number) == self.key


@dataclass(frozen=True, slots=True)
class NumberBetween:
    """The leaf is a number in a range; ``open`` ends are not part of it."""

    bottom: float
    top: float
    open_bottom: bool = False
    open_top: bool = False

    def matches(self, leaf: Leaf) -> bool:
        number = as_number(leaf)
        double = None if number is None else comparable(number)
        if double is None or not self.bottom <= double <= self.top:
            return False
        on_open_end = (self.open_bottom and double == self.bottom) or (
            self.open_top and double == self.top
        )
        return not on_open_end


@dataclass(frozen=True, slots=True)
class AddressBetween:
    """The leaf is an IP address literal in a block; both ends belong to it."""

    first: bytes
    last: bytes

    def matches(self, leaf: Leaf) -> bool:
        packed = address(leaf) if isinstance(leaf, str) else None
        return (
            packed is not None
            and len(packed) == len(self.first)
            and self.first <= packed <= self.last
        )


@dataclass(frozen=True, slots=True)
class Prefix:
    """The leaf is a string that begins with this."""

    text: str

    def matches(self, leaf: Leaf) -> bool:
        return isinstance(leaf, str) and leaf.startswith(self.text)


@dataclass(frozen=True, slots=True)
class Suffix:
    """The leaf is a string that ends with this."""

    text: str

    def matches(self, leaf: Leaf) -> bool:
        return isinstance(leaf, str) and leaf.endswith(self.text)


@dataclass(frozen=True, slots=True)
class IgnoringCase:
    """The leaf is a string that equals, begins or ends with a text in either case.

    Character by character: the upper and the lower form of each are accepted, no other folding, so
    that ``ss`` does not match a sharp s. ``backwards`` matches from the end.
    """

    expression: re.Pattern[str]
    backwards: bool = False

    def matches(self, leaf: Leaf) -> bool:
        if not isinstance(leaf, str):
            return False
        return self.expression.match(leaf[::-1] if self.backwards else leaf) is not None


def _forms(character: str) -> tuple[str, ...]:
    """Both forms of one character; those beyond the basic plane have one only, as in Java."""
    if ord(character) > 0xFFFF:
        return (character,)
    return tuple(dict.fromkeys((character.lower(), character.upper())))


def _expression(characters: Iterable[tuple[str, ...]], end: str) -> re.Pattern[str]:
    alternatives = ("|".join(map(re.escape, forms)) for forms in characters)
    return re.compile("".join(f"(?:{each})" for each in alternatives) + end)


def equals_ignoring_case(text: str) -> IgnoringCase:
    """A matcher for the whole string."""
    return IgnoringCase(_expression(map(_forms, text), r"\Z"))


def prefix_ignoring_case(text: str) -> IgnoringCase:
    """A matcher for the beginning of the string."""
    return IgnoringCase(_expression(map(_forms, text), ""))


def suffix_ignoring_case(text: str) -> IgnoringCase:
    """A matcher for the end of the string, read backwards so that it never searches."""
    reversed_forms = (tuple(form[::-1] for form in _forms(char)) for char in reversed(text))
    return IgnoringCase(_expression(reversed_forms, ""), backwards=True)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The leaf is a string made of these pieces in order, with anything between two of them."""

    pieces: tuple[str, ...]

    def matches(self, leaf: Leaf) -> bool:
        if not isinstance(leaf, str):
            return False
        first, *middle = self.pieces
        if not middle:
            return leaf == first
        last = middle.pop()
        position, end = len(first), len(leaf) - len(last)
        if position > end or not leaf.startswith(first) or not leaf.endswith(last):
            return False
        for piece in middle:
            found = leaf.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True


@dataclass(frozen=True, slots=True)
class Exists:
    """Any leaf at all, ``null`` too."""

    def matches(self, leaf: Leaf) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """A leaf that none of these match: a leaf of another type is something else as well."""

    excluded: tuple[Matcher, ...]

    def matches(self, leaf: Leaf) -> bool:
        return not any(matcher.matches(leaf) for matcher in self.excluded)
