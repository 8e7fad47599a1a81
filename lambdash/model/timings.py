"""Marks on one invocation's way, in monotonic seconds; every phase comes from its own pair."""

from dataclasses import dataclass, fields


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
        found = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: at for name, at in found if at is not None}


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000


def summary_ms(timings: Timings) -> dict[str, float]:
    """The figures of the timing line; absent phases are omitted.

    ``package``: building before the invocation could begin. ``queue``: waiting for a slot.
    ``launch``: assignment to the runtime process's start. ``init``: from there to its first
    ``/next``. ``duration``: hand-over to answer. ``overhead``: what is left of ``total``.
    """
    ready = timings.image_ready or timings.packaged or timings.resolved
    slot = timings.dispatched if timings.assigned is None else timings.assigned
    figures = {
        "package": _ms(timings.resolved, timings.image_ready or timings.packaged),
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
