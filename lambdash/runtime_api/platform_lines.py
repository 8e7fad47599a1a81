"""Platform records as lines of a log, in text and in JSON format, and the level of each.

The text is that of logs recorded from AWS; levels are those of the table at
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html.
"""

import json
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from lambdash.runtime_api.platform_records import PlatformRecord, Record


class Level(IntEnum):
    """How much an entry matters; a log keeps those at its own level and above."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    FATAL = 5


def text_line(record: PlatformRecord) -> str | None:
    """The entry of a log in text format, without its last newline; None where it has none.

    Text logs have what is at INFO and above, and the END line besides.
    """
    render = _TEXT.get(record.type)
    return None if render is None else render(record.record)


def json_line(record: PlatformRecord) -> str | None:
    """The entry of a log in JSON format; None for what only text logs have."""
    if record.type in _TEXT_ONLY:
        return None
    return json.dumps(record.document(), separators=(",", ":"))


def level(record: PlatformRecord) -> Level:
    """The level that AWS gives a record."""
    return _LEVELS.get(record.type, _informed)(record.record)


def _init_start(record: Record) -> str | None:
    version, arn = record.get("runtimeVersion"), record.get("runtimeVersionArn")
    if version is None or record["phase"] != "init":  # none for container packages
        return None
    return f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}"


def _init_report(record: Record) -> str | None:
    if record["status"] == "success":
        return None
    duration_ms = record["metrics"]["durationMs"]
    line = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {record['phase']}"
    return line + _status(record)


def _start(record: Record) -> str:
    return f"START RequestId: {record['requestId']} Version: {record['version']}"


def _end(record: Record) -> str:
    return f"END RequestId: {record['requestId']}"


def _report(record: Record) -> str:
    figures = record["metrics"]
    line = (
        f"REPORT RequestId: {record['requestId']}\t"
        f"Duration: {figures['durationMs']:.2f} ms\t"
        f"Billed Duration: {figures['billedDurationMs']} ms\t"
        f"Memory Size: {figures['memorySizeMB']} MB"
    )
    if "maxMemoryUsedMB" in figures:
        line += f"\tMax Memory Used: {figures['maxMemoryUsedMB']} MB"
    if "initDurationMs" in figures:
        line += f"\tInit Duration: {figures['initDurationMs']:.2f} ms"
    # AWS ends the line of a success with a tab, and that of a failure without one
    line += _status(record) or "\t"
    tracing = record.get("tracing")
    return line if tracing is None else f"{line}\n{_xray(tracing)}"


def _xray(tracing: Mapping[str, str]) -> str:
    fields = dict(part.partition("=")[::2] for part in tracing["value"].split(";"))
    sampled = "true" if fields.get("Sampled") == "1" else "false"
    return (
        f"XRAY TraceId: {fields.get('Root', '')}\tSegmentId: {tracing['spanId']}\t"
        f"Sampled: {sampled}\t"
    )


def _extension(record: Record) -> str:
    line = f"EXTENSION\tName: {record['name']}\tState: {record['state']}\t"
    line += f"Events: {_listed(record['events'])}"
    return line if "errorType" not in record else f"{line}\tError Type: {record['errorType']}"


def _subscription(word: str, record: Record) -> str:
    types = _listed(each.capitalize() for each in record["types"])
    return f"{word}\tName: {record['name']}\tState: {record['state']}\tTypes: {types}"


def _logs_dropped(record: Record) -> str:
    return (
        f"LOGS_DROPPED\tDroppedBytes: {record['droppedBytes']}\t"
        f"DroppedRecords: {record['droppedRecords']}\tReason: {record['reason']}"
    )


def _fault(record: Record) -> str:
    return str(record["message"])


def _listed(names: Any) -> str:
    return f"[{', '.join(names)}]"


def _status(record: Record) -> str:
    status = record["status"]
    if status == "success":
        return ""
    error_type = record.get("errorType")
    return f"\tStatus: {status}" + (f"\tError Type: {error_type}" if error_type else "")


_TEXT: Mapping[str, Callable[[Record], str | None]] = {
    "platform.initStart": _init_start,
    "platform.initReport": _init_report,
    "platform.start": _start,
    "platform.end": _end,
    "platform.report": _report,
    "platform.extension": _extension,
    "platform.telemetrySubscription": lambda record: _subscription("TELEMETRY", record),
    "platform.logsSubscription": lambda record: _subscription("LOGS", record),
    "platform.logsDropped": _logs_dropped,
    "platform.fault": _fault,
}
_TEXT_ONLY = frozenset({"platform.end", "platform.fault"})


def _informed(record: Record) -> Level:
    return Level.INFO


def _warned(record: Record) -> Level:
    return Level.WARN


def _by_runtime_version(record: Record) -> Level:
    return Level.INFO if "runtimeVersion" in record else Level.DEBUG


def _quiet_success(record: Record) -> Level:
    return Level.DEBUG if record["status"] == "success" else Level.WARN


def _told_success(record: Record) -> Level:
    return Level.INFO if record["status"] == "success" else Level.WARN


def _init_reported(record: Record) -> Level:
    if record["status"] != "success":
        return Level.WARN
    return Level.DEBUG if record["initializationType"] == "on-demand" else Level.INFO


def _by_state(record: Record) -> Level:
    return Level.WARN if "errorType" in record else Level.INFO


_LEVELS: Mapping[str, Callable[[Record], Level]] = {
    "platform.initStart": _by_runtime_version,
    "platform.initRuntimeDone": _quiet_success,
    "platform.initReport": _init_reported,
    "platform.runtimeDone": _quiet_success,
    "platform.report": _told_success,
    "platform.extension": _by_state,
    "platform.logsDropped": _warned,
    "platform.fault": _warned,
}
