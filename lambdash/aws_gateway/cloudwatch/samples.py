"""What each invocation adds to each metric. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from lambdash.emulator.turns import began_at, ended_at
from lambdash.model import PlatformFailed, Succeeded, Throttled
from lambdash.storage.journal import JournalEntry

# metric to its unit
UNITS = {
    "ConcurrentExecutions": "Count",
    "Duration": "Milliseconds",
    "Errors": "Count",
    "Invocations": "Count",
    "Throttles": "Count",
}


class Sample(NamedTuple):
    """One value; ``at`` is epoch seconds."""

    at: float
    value: float


def samples(metric: str, entries: Iterable[JournalEntry]) -> list[Sample]:
    """The values of a metric: errors and throttles are 0 where there was none, so that their
    average is a rate. What failed in lambdash itself was no invocation."""
    if metric == "ConcurrentExecutions":
        return _concurrent(entries)
    found = []
    for entry in entries:
        value = _value(metric, entry)
        if value is not None:
            found.append(Sample(entry.at, value))
    return found


def _value(metric: str, entry: JournalEntry) -> float | None:
    is_throttled = entry.outcome == Throttled.kind
    if metric == "Throttles":
        return float(is_throttled)
    if is_throttled or entry.outcome == PlatformFailed.kind:
        return None
    if metric == "Errors":
        return float(entry.outcome != Succeeded.kind)
    if metric == "Duration":
        return (ended_at(entry) - began_at(entry)) * 1000 if _ran(entry) else None
    return 1.0


def _concurrent(entries: Iterable[JournalEntry]) -> list[Sample]:
    """How many there were as each one began, itself among them."""
    spans = sorted((began_at(entry), ended_at(entry)) for entry in entries if _ran(entry))
    found, ends = [], list[float]()
    for began, ended in spans:
        while ends and ends[0] <= began:
            heapq.heappop(ends)
        heapq.heappush(ends, ended)
        found.append(Sample(began, float(len(ends))))
    return found


def _ran(entry: JournalEntry) -> bool:
    return "dispatched" in entry.marks and "responded" in entry.marks
