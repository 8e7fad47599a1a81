"""Samples as datapoints: periods, and what is told of each. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from lambdash.aws_gateway.cloudwatch.samples import Sample
from lambdash.aws_gateway.errors import AwsError

_MINUTE_S = 60
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_SIMPLE: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}


class Window(NamedTuple):
    """From ``start``, a whole minute, to before ``end``, in epoch seconds; in periods."""

    start: float
    end: float
    period_s: int


def window(start: float, end: float, period_s: int) -> Window:
    """Raises ``AwsError`` for a period that the metrics have not, and for a time that is none."""
    if start >= end:
        message = "The parameter StartTime must be less than the parameter EndTime."
        raise invalid(message)
    if period_s % _MINUTE_S:
        raise invalid("The parameter Period must be a multiple of 60.")
    return Window(start // _MINUTE_S * _MINUTE_S, end, period_s)


def statistic(name: str) -> Callable[[Sequence[float]], float]:
    """What makes one figure of a period's values. Raises ``AwsError`` for what is not there."""
    if name in _SIMPLE:
        return _SIMPLE[name]
    found = _PERCENTILE.fullmatch(name)
    if found is None:
        raise invalid(f"The statistic {name} is not valid, or not supported by lambdash yet.")
    rank = float(found[1]) / 100
    return lambda values: _percentile(values, rank)


def periods(samples: Iterable[Sample], within: Window) -> dict[float, list[float]]:
    """Values by the beginning of their period, oldest first; periods without any are left out."""
    found: dict[float, list[float]] = {}
    for at, value in sorted(samples):
        if within.start <= at < within.end:
            number = (at - within.start) // within.period_s
            found.setdefault(within.start + number * within.period_s, []).append(value)
    return found


def invalid(message: str) -> AwsError:
    """The caller's mistake."""
    return AwsError("InvalidParameterValue", message)


def _percentile(values: Sequence[float], rank: float) -> float:
    """Between the two nearest ranks, in proportion."""
    ordered = sorted(values)
    place = rank * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
