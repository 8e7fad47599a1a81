"""A pattern's text as a tree that keeps what a dict would lose: repeated keys and exact numbers."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn, TypeAlias

from lambdash.patterns.leaves import Leaf
from lambdash.patterns.problems import InvalidPattern


@dataclass(frozen=True, slots=True)
class Members:
    """A JSON object, members in order, a repeated key as often as it stands there."""

    items: tuple[tuple[str, "Node"], ...]

    @property
    def first_key(self) -> str | None:
        return self.items[0][0] if self.items else None


Node: TypeAlias = Members | list["Node"] | Leaf


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"Unrecognized token '{name}'")


_DECODER = json.JSONDecoder(
    object_pairs_hook=lambda pairs: Members(tuple(pairs)),
    parse_float=Decimal,
    parse_constant=_refuse_constant,
)


def parse_document(text: str) -> Members:
    """The object at the beginning of ``text``; what follows it is not looked at, as at AWS.

    Raises ``InvalidPattern`` for what is no JSON object.
    """
    try:
        node, _ = _DECODER.raw_decode(text.strip())
    except RecursionError:
        raise InvalidPattern("Filter is nested too deeply") from None
    except ValueError as error:
        raise InvalidPattern(f"Filter is not valid JSON: {error}") from None
    if not isinstance(node, Members):
        raise InvalidPattern("Filter is not an object")
    return node
