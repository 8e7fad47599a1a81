"""Constraints of the service model, in AWS's words: all that fail are told at once.

``1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: Member must have
value greater than or equal to 1``
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

from lambdash import limits
from lambdash.lambda_api.errors import validation_failed

# Where the service holds tighter bounds than its model: those of functions that are not managed
# instances (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)
_MAXIMA = {
    "Timeout": limits.TIMEOUT_MAX_S,
    "MemorySize": limits.MEMORY_SIZE_MAX_MB,
    "EphemeralStorageSize": limits.EPHEMERAL_STORAGE_MAX_MB,
}
# What the service was recorded to say where the model that botocore ships words it otherwise
_PATTERNS = {
    "TaggableResource": (
        r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:"
        r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|"
        r"code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:"
        r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
        r"capacity-provider:[a-zA-Z0-9-_]+)"
    )
}
# Lists whose items AWS tells one constraint more of, which no model has
_NEVER_NULL = frozenset({"ArchitecturesList", "LayerList"})
# Letters, digits and spaces of any script; the model's patterns that use them take `_` as well
_JAVA_CLASSES = {"\\p{L}": "\\w", "\\p{N}": "\\d", "\\p{Z}": "\\s"}
_NUMBERS = ("integer", "long", "float", "double")


def validate(shape: Any, parameters: dict[str, Any]) -> None:
    """Raise ``ValidationException`` where parameters do not satisfy the input's shape."""
    if shape is not None:
        problems = list(_structure(shape, parameters, ""))
        if problems:
            raise validation_failed(*problems)


def problem(value: Any, path: str, constraint: str) -> str:
    """One of the sentences that ``validation_failed`` takes."""
    shown = "null" if value is None else f"'{_shown(value)}'"
    return _problem(f"Value {shown}", path, constraint)


def _problem(what: str, path: str, constraint: str) -> str:
    return f"{what} at '{path}' failed to satisfy constraint: {constraint}"


def _structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = f"{path}{name[:1].lower()}{name[1:]}"
        if name in value:
            yield from _member(member, value[name], inner)
        elif name in shape.required_members:
            yield problem(None, inner, "Member must not be null")


def _member(shape: Any, value: Any, path: str) -> Iterator[str]:
    for constraint in _constraints(shape, value):
        if shape.metadata.get("sensitive"):
            yield _problem("Value", path, constraint)
        else:
            yield problem(value, path, constraint)
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, f"{path}.")
    elif kind == "list" and shape.member.type_name == "structure":
        for position, item in enumerate(value, 1):
            yield from _structure(shape.member, item, f"{path}.{position}.member.")


def _constraints(shape: Any, value: Any) -> Iterator[str]:
    """Those that the value itself does not satisfy; of lists and maps also their items'."""
    kind = shape.type_name
    if kind == "string":
        yield from _of_string(shape, value)
    elif kind in _NUMBERS:
        yield from _of_number(shape, value)
    elif kind in ("list", "map"):
        yield from _length(shape, len(value))
        yield from _of_items(shape, value)
    elif kind == "blob":
        yield from _length(shape, len(value))


def _of_string(shape: Any, value: str) -> Iterator[str]:
    metadata = shape.metadata
    yield from _length(shape, len(value))
    if len(value) > max(metadata.get("max", 0), limits.PATTERN_CHECKED_MAX_CHARS):
        return
    pattern = _PATTERNS.get(shape.name, metadata.get("pattern"))
    if pattern is not None and not _compiled(pattern).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {pattern}"
    if "enum" in metadata and value not in metadata["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(enum_set(shape))}]"


def _of_number(shape: Any, value: float) -> Iterator[str]:
    least, most = shape.metadata.get("min"), _MAXIMA.get(shape.name, shape.metadata.get("max"))
    if least is not None and value < least:
        yield f"Member must have value greater than or equal to {least}"
    if most is not None and value > most:
        yield f"Member must have value less than or equal to {most}"


def _length(shape: Any, length: int) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        yield f"Member must have length greater than or equal to {least}"
    if most is not None and length > most:
        yield f"Member must have length less than or equal to {most}"


def _of_items(shape: Any, value: Any) -> Iterator[str]:
    if shape.type_name == "list":
        if any(list(_constraints(shape.member, item)) for item in value):
            null = ("Member must not be null",) if shape.name in _NEVER_NULL else ()
            told = ", ".join((*_all_of(shape.member), *null))
            yield f"Member must satisfy constraint: [{told}]"
        return
    if any(list(_constraints(shape.key, key)) for key in value):
        yield f"Map keys must satisfy constraint: [{', '.join(_all_of(shape.key))}]"
    if any(list(_constraints(shape.value, item)) for item in value.values()):
        yield f"Map value must satisfy constraint: [{', '.join(_all_of(shape.value))}]"


def _all_of(shape: Any) -> Iterable[str]:
    """Every constraint of a shape, satisfied or not: what AWS says of an item."""
    metadata = shape.metadata
    unit = "value" if shape.type_name in _NUMBERS else "length"
    if "max" in metadata:
        yield f"Member must have {unit} less than or equal to {metadata['max']}"
    if "min" in metadata:
        yield f"Member must have {unit} greater than or equal to {metadata['min']}"
    if "pattern" in metadata:
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"
    if "enum" in metadata:
        yield f"Member must satisfy enum value set: [{', '.join(enum_set(shape))}]"


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def enum_set(shape: Any) -> list[str]:
    """The values of an enum in the order AWS prints them: that of a Java ``HashSet``."""
    return list(_hash_order(tuple(shape.metadata["enum"])))


@cache
def _hash_order(values: tuple[str, ...]) -> tuple[str, ...]:
    buckets = 16
    while len(values) > buckets * 0.75:
        buckets *= 2
    return tuple(sorted(values, key=lambda value: _spread(value) & (buckets - 1)))


def _spread(text: str) -> int:
    code = 0
    for character in text:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return code ^ (code >> 16)


def _shown(value: Any) -> str:
    """As Java prints it: ``[a, b]``, ``{a=b}``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_shown(item)}' for key, item in value.items())}}}"
    return str(value)
