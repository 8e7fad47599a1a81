"""Marks on one invocation's way, in monotonic seconds; every phase comes from its own pair."""

from dataclasses import dataclass, fields
from operator import attrgetter


@dataclass(slots=True)
class Timings:
    """Absent marks are None: a warm invocation was never launched. Made while it goes on."""

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
        found = zip(MARKS, _all_marks(self), strict=True)
        return {name: at for name, at in found if at is not None}

    def in_microseconds(self) -> list[int | None]:
        """Every mark in the order of ``MARKS``, in whole microseconds: what the journal keeps."""
        return [None if at is None else int(at * 1e6) for at in _all_marks(self)]


MARKS = tuple(field.name for field in fields(Timings))
_all_marks = attrgetter(*MARKS)


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000


def _first(*marks: float | None) -> float | None:
    return next((at for at in marks if at is not None), None)


def summary_ms(timings: Timings) -> dict[str, float]:
    """The figures of the timing line; absent phases are omitted.

    ``package``: building before the invocation could begin. ``queue``: waiting for a slot.
    ``launch``: assignment to the runtime process's start. ``init``: from there to its first
    ``/next``. ``duration``: hand-over to answer. ``overhead``: what is left of ``total``.
    """
    packaged = _first(timings.image_ready, timings.packaged)
    ready = _first(packaged, timings.resolved)
    slot = _first(timings.assigned, timings.runtime_started, timings.dispatched)
    figures = {
        "package": _ms(timings.resolved, packaged),
        "queue": _ms(ready, slot),
        "launch": _ms(timings.assigned, timings.runtime_started),
        "init": _ms(timings.runtime_started, timings.first_next),
        "duration": _ms(timings.dispatched, timings.responded),
    }
    total = _ms(timings.received, timings.responded)
    if total is not None:
        known = sum(value for value in figures.values() if value is not None)
        figures = {"total": total, **figures, "overhead": total - known}
    return {name: round(value, 3) for name, value in figures.items() if value is not None}
