"""What the platform says of a function: one value for its log, the tail and the Telemetry API.

Names and shapes: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
How a record looks in a log of each format is in ``platform_lines``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlatformRecord:
    """One event. ``at`` is epoch seconds; ``record`` has AWS's own member names."""

    at: float
    type: str
    record: Record

    def document(self) -> dict[str, Any]:
        """As the Telemetry API (2022-07-01) and a log in JSON format show it."""
        return {"time": timestamp(self.at), "type": self.type, "record": self.record}


@dataclass(frozen=True, slots=True)
class Ending:
    """``status``: ``success``, ``failure``, ``error`` or ``timeout``; an error has a type."""

    status: str = "success"
    error_type: str = ""


SUCCESS = Ending()
TIMEOUT = Ending("timeout")


@dataclass(frozen=True, slots=True)
class Subject:
    """The environment that records are about. Version fields are None for container packages."""

    function_name: str
    function_arn: str
    log_stream: str
    memory_size_mb: int
    version: str = "$LATEST"
    initialization_type: str = "on-demand"
    runtime_version: str | None = None
    runtime_version_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one invocation. ``max_memory_mb`` is None where it cannot be measured.

    ``init_ms`` is there for the first invocation of an environment alone.
    """

    duration_ms: float
    memory_size_mb: int
    max_memory_mb: int | None = None
    init_ms: float | None = None

    @property
    def billed_ms(self) -> int:
        """Whole milliseconds, at least one, the init phase among them (since 2025-08).

        https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
        """
        return max(1, math.ceil(round(self.duration_ms + (self.init_ms or 0.0), 3)))


@dataclass(frozen=True, slots=True)
class Tracing:
    """The trace header of one invocation, and the segment's id."""

    value: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a phase; ``start`` is epoch seconds."""

    name: str
    start: float
    duration_ms: float


def init_start(subject: Subject, at: float, phase: str = "init") -> PlatformRecord:
    """``platform.initStart``; ``phase`` is ``init`` or ``invoke`` (a suppressed init)."""
    record: dict[str, Any] = {
        "initializationType": subject.initialization_type,
        "phase": phase,
        "runtimeVersion": subject.runtime_version,
        "runtimeVersionArn": subject.runtime_version_arn,
        "functionName": subject.function_name,
        "functionVersion": subject.version,
        "instanceId": subject.log_stream,
        "instanceMaxMemory": subject.memory_size_mb * 1024 * 1024,
    }
    return PlatformRecord(at, "platform.initStart", _present(record))


def init_runtime_done(
    subject: Subject, at: float, ending: Ending = SUCCESS, phase: str = "init"
) -> PlatformRecord:
    """``platform.initRuntimeDone``: the runtime has asked for its first invocation, or ended."""
    record = {"initializationType": subject.initialization_type, "phase": phase, **_ended(ending)}
    return PlatformRecord(at, "platform.initRuntimeDone", record)


def init_report(
    subject: Subject, at: float, duration_ms: float, ending: Ending = SUCCESS, phase: str = "init"
) -> PlatformRecord:
    """``platform.initReport``: runtime and extensions are ready, or the init phase has failed."""
    record = {
        "initializationType": subject.initialization_type,
        "phase": phase,
        **_ended(ending),
        "metrics": {"durationMs": round(duration_ms, 3)},
    }
    return PlatformRecord(at, "platform.initReport", record)


def start(
    subject: Subject, at: float, request_id: str, tracing: Tracing | None = None
) -> PlatformRecord:
    """``platform.start``: an invocation is handed over."""
    record = {
        "requestId": request_id,
        "functionArn": subject.function_arn,
        "version": subject.version,
        "tracing": _traced(tracing),
    }
    return PlatformRecord(at, "platform.start", _present(record))


def runtime_done(
    at: float,
    request_id: str,
    metrics: Mapping[str, float | int],
    ending: Ending = SUCCESS,
    spans: Sequence[Span] = (),
) -> PlatformRecord:
    """``platform.runtimeDone``. ``metrics``: ``durationMs`` and ``producedBytes``."""
    record: dict[str, Any] = {"requestId": request_id, **_ended(ending), "metrics": dict(metrics)}
    if spans:
        record["spans"] = [_span(each) for each in spans]
    return PlatformRecord(at, "platform.runtimeDone", record)


def end(at: float, request_id: str) -> PlatformRecord:
    """``platform.end``, known to the Logs API and to logs in text format alone."""
    return PlatformRecord(at, "platform.end", {"requestId": request_id})


def report(
    at: float,
    request_id: str,
    metrics: Metrics,
    ending: Ending = SUCCESS,
    tracing: Tracing | None = None,
) -> PlatformRecord:
    """``platform.report``: runtime and extensions have finished an invocation."""
    figures = {
        "durationMs": round(metrics.duration_ms, 3),
        "billedDurationMs": metrics.billed_ms,
        "memorySizeMB": metrics.memory_size_mb,
        "maxMemoryUsedMB": metrics.max_memory_mb,
        "initDurationMs": None if metrics.init_ms is None else round(metrics.init_ms, 3),
    }
    record = {
        "requestId": request_id,
        "metrics": _present(figures),
        **_ended(ending),
        "tracing": _traced(tracing),
    }
    return PlatformRecord(at, "platform.report", _present(record))


def extension(
    at: float, name: str, state: str, events: Sequence[str], error_type: str = ""
) -> PlatformRecord:
    """``platform.extension``: one has registered (``Ready``) or failed."""
    record = {"name": name, "state": state, "events": list(events), "errorType": error_type or None}
    return PlatformRecord(at, "platform.extension", _present(record))


def subscription(at: float, api: str, name: str, types: Sequence[str]) -> PlatformRecord:
    """An extension listens from now on; ``api`` is ``telemetry`` or ``logs``."""
    record = {"name": name, "state": "Subscribed", "types": list(types)}
    return PlatformRecord(at, f"platform.{api}Subscription", record)


def logs_dropped(at: float, records: int, size_bytes: int, reason: str) -> PlatformRecord:
    """``platform.logsDropped``: more was written than could be kept or sent."""
    record = {"droppedBytes": size_bytes, "droppedRecords": records, "reason": reason}
    return PlatformRecord(at, "platform.logsDropped", record)


def fault(at: float, message: str) -> PlatformRecord:
    """``platform.fault``: why an invocation or an init phase failed, in AWS's words."""
    return PlatformRecord(at, "platform.fault", {"message": message})


def timestamp(at: float) -> str:
    """Epoch seconds as ``2026-01-31T12:00:00.123Z``."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _ended(ending: Ending) -> dict[str, str]:
    named = {"errorType": ending.error_type} if ending.error_type else {}
    return {"status": ending.status, **named}


def _traced(tracing: Tracing | None) -> dict[str, str] | None:
    if tracing is None:
        return None
    return {"spanId": tracing.span_id, "type": "X-Amzn-Trace-Id", "value": tracing.value}


def _span(span: Span) -> dict[str, Any]:
    return {
        "name": span.name,
        "start": timestamp(span.start),
        "durationMs": round(span.duration_ms, 3),
    }


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
