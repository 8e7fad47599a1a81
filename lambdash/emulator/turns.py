"""What the platform says of one invocation, from what the journal keeps of it.

A warm invocation makes none of this: its lines are made when somebody reads or follows the log, or
asked for its tail. Which outcomes name a status is as in logs recorded from AWS: what the function
itself reports is none of the platform's business.
"""

from lambdash.emulator.failures import platform_type
from lambdash.emulator.log_stream import LogStream
from lambdash.limits import MIB
from lambdash.model import Crashed, FunctionFailed, InitFailed, TimedOut
from lambdash.runtime_api import platform_records as records
from lambdash.runtime_api.platform_records import (
    SUCCESS,
    TIMEOUT,
    Ending,
    Metrics,
    PlatformRecord,
)
from lambdash.storage.journal import JournalEntry

_RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"


def is_logged(entry: JournalEntry) -> bool:
    """Whether an environment's log has the invocation: it was given to one, or waited for it."""
    return entry.environment is not None and (
        "dispatched" in entry.marks or entry.outcome in (InitFailed.kind, TimedOut.kind)
    )


def opening(entry: JournalEntry, stream: LogStream) -> PlatformRecord:
    """``platform.start``, before anything the invocation wrote."""
    return records.start(stream.subject, began_at(entry), entry.request_id)


def closing(entry: JournalEntry, stream: LogStream) -> tuple[PlatformRecord, ...]:
    """What follows all that it wrote: why it failed, that it ended, and its report."""
    at, request_id = ended_at(entry), entry.request_id
    ending, metrics = _ending(entry), _metrics(entry, stream)
    done = records.runtime_done(
        at, request_id, {"durationMs": round(metrics.duration_ms, 3)}, ending
    )
    fault = _fault(entry, stream, at)
    end = records.end(at, request_id)
    report = records.report(at, request_id, metrics, ending)
    return (done, end, report) if fault is None else (done, fault, end, report)


def began_at(entry: JournalEntry) -> float:
    """Epoch seconds at which the runtime was given it, or at which it had failed before that."""
    marks = entry.marks
    return entry.wall(marks["dispatched"] if "dispatched" in marks else marks["responded"])


def ended_at(entry: JournalEntry) -> float:
    """Epoch seconds at which the turn was over: the runtime asked for the next one, if it did."""
    marks = entry.marks
    return entry.wall(marks["next"] if "next" in marks else marks["responded"])


def _ending(entry: JournalEntry) -> Ending:
    if entry.outcome == TimedOut.kind:
        return TIMEOUT
    if entry.outcome in (Crashed.kind, InitFailed.kind):
        return Ending("error", platform_type(entry.error_type))
    if entry.outcome == FunctionFailed.kind and entry.error_type == _RESPONSE_TOO_LARGE:
        return Ending("error", _RESPONSE_TOO_LARGE)
    return SUCCESS


def _metrics(entry: JournalEntry, stream: LogStream) -> Metrics:
    memory_mb = stream.subject.memory_size_mb
    used = None if entry.memory_bytes is None else -(-entry.memory_bytes // MIB)
    init_ms = None if entry.outcome == InitFailed.kind else entry.init_ms
    return Metrics(
        _duration_ms(entry, stream),
        memory_mb,
        None if used is None else min(used, memory_mb),
        init_ms,
    )


def _duration_ms(entry: JournalEntry, stream: LogStream) -> float:
    """The timeout where that ended it; the init phase where that never did."""
    if entry.outcome == TimedOut.kind:
        return stream.timeout_s * 1000.0
    if entry.outcome == InitFailed.kind:
        return entry.init_ms or 0.0
    return (ended_at(entry) - began_at(entry)) * 1000


def _fault(entry: JournalEntry, stream: LogStream, at: float) -> PlatformRecord | None:
    """AWS's words for what ended a runtime; a runtime that reports its own failure has its own."""
    if entry.outcome == TimedOut.kind:
        moment = records.timestamp(at)
        why = f"{moment} {entry.request_id} Task timed out after {stream.timeout_s:.2f} seconds\n"
        return records.fault(at, why)
    if entry.outcome in (Crashed.kind, InitFailed.kind) and entry.error is not None:
        return records.fault(at, f"{entry.error}\n{entry.error_type}")
    return None
