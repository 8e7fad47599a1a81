"""Single values of requests: numbers, truth, times. Times are epoch seconds inside."""

import math
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape

from lambdash.aws_gateway.errors import AwsError

_INTEGERS = ("integer", "long")
_REALS = ("float", "double")


def bounded(value: int, path: str) -> int:
    """Raises ``AwsError`` for what no 64-bit integer holds."""
    if not -(1 << 63) <= value < 1 << 63:
        message = f"{path.lstrip('.')} is out of range."
        raise AwsError("SerializationException", message)
    return value


def from_text(shape: Shape, text: str, name: str) -> Any:
    """A form's value by its shape. Raises ``AwsError``."""
    kind = shape.type_name
    try:
        if kind in _INTEGERS:
            return bounded(int(text), name)
        if kind in _REALS:
            return _finite(float(text))
        if kind == "timestamp":
            return moment(text)
    except ValueError as error:
        wanted = {"timestamp": "a timestamp"}.get(kind, "an integer")
        message = f"Value {text} for parameter {name} is invalid. Reason: Must be {wanted}."
        raise AwsError("InvalidParameterValue", message) from error
    return text == "true" if kind == "boolean" else text


def moment(value: str | float) -> float:
    """ISO 8601 or epoch seconds as epoch seconds. Raises ``ValueError``."""
    if isinstance(value, str):
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return _finite(float(value))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(value)
    return value
