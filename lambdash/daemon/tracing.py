"""One invocation's waterfall: each phase from its own pair of marks, and the rest."""

from typing import Any

from lambdash.storage.journal import JournalEntry

# name, the mark it ends at, the marks it may begin at (the last of them that was made)
_PHASES = (
    ("resolve", "resolved", ("received",)),
    ("package", "packaged", ("resolved",)),
    ("prepare", "image_ready", ("packaged",)),
    ("queue", "assigned", ("received", "resolved", "packaged", "image_ready")),
    ("network", "network_ready", ("assigned",)),
    ("create", "created", ("network_ready",)),
    ("start", "started", ("created",)),
    ("launcher", "runtime_started", ("started",)),
    ("init", "first_next", ("runtime_started",)),
    ("dispatch", "dispatched", ("received", "resolved", "packaged", "image_ready", "first_next")),
    ("duration", "responded", ("dispatched",)),
)


def trace_document(entry: JournalEntry) -> dict[str, Any]:
    """Phases in milliseconds from the arrival. Marks that overtook one another meet in the middle.

    (An engine may say "started" after the runtime already runs.)
    """
    marks = dict(entry.marks)
    if "runtime_started" in marks and "started" in marks:
        marks["started"] = min(marks["started"], marks["runtime_started"])
    origin = marks.get("received", 0.0)
    phases = []
    for name, end, begins in _PHASES:
        begun = [marks[begin] for begin in begins if begin in marks]
        if end in marks and begun:
            start = max(begun)
            length_ms = max(0.0, marks[end] - start) * 1000
            phases.append(
                {
                    "name": name,
                    "start_ms": round((start - origin) * 1000, 3),
                    "length_ms": round(length_ms, 3),
                }
            )
    total_ms = (marks.get("responded", origin) - origin) * 1000
    known_ms = sum(float(str(phase["length_ms"])) for phase in phases)
    return {
        "request_id": entry.request_id,
        "function": entry.function,
        "outcome": entry.outcome,
        "start": entry.start,
        "environment": entry.environment,
        "sandbox": entry.sandbox,
        "total_ms": round(total_ms, 3),
        "phases": phases,
        "unaccounted_ms": round(total_ms - known_ms, 3),
        "error": entry.error,
    }
