"""Constraints of a service model, in AWS's words: all that fail are told at once."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from lambdash import limits


def problems(operation: OperationModel, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with an operation's parameters, a sentence each."""
    shape = operation.input_shape
    return [] if shape is None else list(_structure(shape, parameters, ""))


def _structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        here = f"{path}{name[:1].lower()}{name[1:]}"
        if name in value:
            yield from _member(member, value[name], here)
        elif name in shape.required_members:
            yield f"Value null at '{here}' failed to satisfy constraint: Member must not be null"


def _member(shape: Shape, value: Any, path: str) -> Iterator[str]:
    for constraint in _constraints(shape, value):
        shown = str(value)[: limits.PATTERN_CHECKED_MAX_CHARS]
        yield f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, f"{path}.")
    elif isinstance(shape, ListShape):
        for position, item in enumerate(value, 1):
            yield from _member(shape.member, item, f"{path}.{position}.member")


def _constraints(shape: Shape, value: Any) -> Iterator[str]:
    metadata, kind = shape.metadata, shape.type_name
    if kind in ("integer", "long", "float", "double"):
        yield from _range(metadata, value, "value")
    elif kind in ("string", "list", "map"):
        yield from _range(metadata, len(value), "length")
    if kind != "string":
        return
    pattern = metadata.get("pattern")
    # a value past its length was told of already, and is not worth a search
    if pattern is not None and len(value) <= limits.PATTERN_CHECKED_MAX_CHARS:
        compiled = _compiled(pattern)
        if compiled is not None and not compiled.fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
    if "enum" in metadata and value not in metadata["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"


def _range(metadata: Mapping[str, Any], number: float, what: str) -> Iterator[str]:
    least, most = metadata.get("min"), metadata.get("max")
    if least is not None and number < least:
        yield f"Member must have {what} greater than or equal to {least}"
    if most is not None and number > most:
        yield f"Member must have {what} less than or equal to {most}"


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for what only Java's expressions can say."""
    try:
        return re.compile(pattern, re.ASCII)
    except re.error:
        return None
