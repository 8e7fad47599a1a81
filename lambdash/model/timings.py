"""Marks on one invocation's way, in monotonic seconds; every phase comes from its own pair."""

from dataclasses import dataclass, fields
from itertools import pairwise


@dataclass(slots=True)
class Timings:
    """Absent marks are None: a warm invocation was never launched. Mutable until the journal has it."""

    received: float | None = None
    resolved: float | None = None
    packaged: float | None = None
    image_ready: float | None = None
    assigned: float | None = None
    network_ready: float | None = None
    created: float | None = None
    started: float | None = None
    runtime_started: float | None = None
    first_next: float | None = None
    dispatched: float | None = None
    responded: float | None = None
    next: float | None = None

    def marks(self) -> dict[str, float]:
        """The marks that were made, in the order of the phases."""
        found = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: at for name, at in found if at is not None}


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000


def summary_ms(timings: Timings) -> dict[str, float]:
    """The figures of the timing line: total, queue, launch, init, duration, overhead; absent ones omitted.

    ``launch`` is assignment to the runtime process's start, ``init`` from there to its first
    ``/next``, ``duration`` from hand-over to answer. ``queue`` is waiting that neither launch nor
    init accounts for. ``overhead`` is the whole less launch, init, duration and queue.
    """
    total = _ms(timings.received, timings.responded)
    launch = _ms(timings.assigned, timings.runtime_started)
    init = _ms(timings.runtime_started, timings.first_next)
    duration = _ms(timings.dispatched, timings.responded)
    figures = {"total": total, "launch": launch, "init": init, "duration": duration}
    figures["queue"] = _queued_ms(timings)
    if total is not None:
        known = sum(value or 0.0 for name, value in figures.items() if name != "total")
        figures["overhead"] = total - known
    return {name: round(value, 3) for name, value in figures.items() if value is not None}


def _queued_ms(timings: Timings) -> float | None:
    """From the moment the invocation could have been assigned to the moment it was."""
    waited_until = timings.assigned if timings.assigned is not None else timings.dispatched
    queued = _ms(timings.resolved, waited_until)
    return queued if queued is None or queued > 0 else 0.0


def phases(timings: Timings) -> list[tuple[str, str, float, float]]:
    """Each pair of neighbouring marks as (from, to, start_ms, length_ms), relative to ``received``."""
    marks = timings.marks()
    if not marks:
        return []
    origin = next(iter(marks.values()))
    ordered = sorted(marks.items(), key=lambda mark: mark[1])
    return [
        (before[0], after[0], (before[1] - origin) * 1000, (after[1] - before[1]) * 1000)
        for before, after in pairwise(ordered)
    ]
