"""Platform records and their lines, against logs recorded from AWS.

Shapes: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html; levels:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html.
"""

import json

import pytest

from lambdash.runtime_api import platform_records as records
from lambdash.runtime_api.platform_lines import Level, json_line, level, text_line
from lambdash.runtime_api.platform_records import (
    SUCCESS,
    TIMEOUT,
    Ending,
    Metrics,
    PlatformRecord,
    Span,
    Subject,
    Tracing,
)

AT = 1_700_000_000.0625
ID = "6bc28136-aaaa-4365-b021-0ce6b2e64ab0"
ARN = "arn:aws:lambda:us-east-1::runtime:da57"
ZIP = Subject(
    "hello",
    "arn:aws:lambda:us-east-1:000000000000:function:hello",
    "2023/11/14/[$LATEST]00",
    256,
    runtime_version="nodejs:22.v1",
    runtime_version_arn=ARN,
)
IMAGE = Subject("hello", "arn", "stream", 128)
FAILED = Ending("error", "Runtime.ExitError")
TRACE = Tracing("Root=1-6352a70e-1e2c;Parent=35465b3a9e2f7c6a;Sampled=1", "24cd7d670fa455f0")


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (
            records.init_start(ZIP, AT),
            f"INIT_START Runtime Version: nodejs:22.v1\tRuntime Version ARN: {ARN}",
        ),
        (records.init_start(IMAGE, AT), None),
        (records.init_start(ZIP, AT, "invoke"), None),
        (records.init_runtime_done(ZIP, AT), None),
        (records.init_report(ZIP, AT, 12.0), None),
        (
            records.init_report(ZIP, AT, 10_008.548, TIMEOUT),
            "INIT_REPORT Init Duration: 10008.55 ms\tPhase: init\tStatus: timeout",
        ),
        (
            records.init_report(ZIP, AT, 99.648, FAILED, "invoke"),
            "INIT_REPORT Init Duration: 99.65 ms\tPhase: invoke\tStatus: error\t"
            "Error Type: Runtime.ExitError",
        ),
        (records.start(ZIP, AT, ID), f"START RequestId: {ID} Version: $LATEST"),
        (records.runtime_done(AT, ID, {"durationMs": 1.0, "producedBytes": 2}), None),
        (records.end(AT, ID), f"END RequestId: {ID}"),
        (
            records.report(AT, ID, Metrics(2.37, 1024, 95, 423.98)),
            f"REPORT RequestId: {ID}\tDuration: 2.37 ms\tBilled Duration: 427 ms\t"
            "Memory Size: 1024 MB\tMax Memory Used: 95 MB\tInit Duration: 423.98 ms\t",
        ),
        (
            records.report(AT, ID, Metrics(1.0, 128, 37)),
            f"REPORT RequestId: {ID}\tDuration: 1.00 ms\tBilled Duration: 1 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 37 MB\t",
        ),
        (
            records.report(AT, ID, Metrics(3000.0, 128, 35, 66.12), TIMEOUT),
            f"REPORT RequestId: {ID}\tDuration: 3000.00 ms\tBilled Duration: 3067 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 35 MB\tInit Duration: 66.12 ms\tStatus: timeout",
        ),
        (
            records.report(AT, ID, Metrics(1.5, 128), Ending("error", "Runtime.OutOfMemory")),
            f"REPORT RequestId: {ID}\tDuration: 1.50 ms\tBilled Duration: 2 ms\t"
            "Memory Size: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory",
        ),
        (
            records.report(AT, ID, Metrics(1.0, 128, 37), SUCCESS, TRACE),
            f"REPORT RequestId: {ID}\tDuration: 1.00 ms\tBilled Duration: 1 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 37 MB\t\n"
            "XRAY TraceId: 1-6352a70e-1e2c\tSegmentId: 24cd7d670fa455f0\tSampled: true\t",
        ),
        (
            records.extension(AT, "datadog-agent", "Ready", ["INVOKE", "SHUTDOWN"]),
            "EXTENSION\tName: datadog-agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
        ),
        (
            records.extension(AT, "x", "InitError", [], "Extension.Crash"),
            "EXTENSION\tName: x\tState: InitError\tEvents: []\tError Type: Extension.Crash",
        ),
        (
            records.subscription(AT, "telemetry", "x", ["platform", "function"]),
            "TELEMETRY\tName: x\tState: Subscribed\tTypes: [Platform, Function]",
        ),
        (
            records.subscription(AT, "logs", "x", ["platform"]),
            "LOGS\tName: x\tState: Subscribed\tTypes: [Platform]",
        ),
        (
            records.logs_dropped(AT, 2, 300, "too fast"),
            "LOGS_DROPPED\tDroppedBytes: 300\tDroppedRecords: 2\tReason: too fast",
        ),
        (records.fault(AT, "why"), "why"),
    ],
)
def test_text_format(record: PlatformRecord, text: str | None) -> None:
    assert text_line(record) == text


def test_a_trace_that_is_not_sampled() -> None:
    record = records.report(AT, ID, Metrics(1.0, 128), SUCCESS, Tracing("Root=1-0", "00"))
    assert (text_line(record) or "").endswith(
        "\nXRAY TraceId: 1-0\tSegmentId: 00\tSampled: false\t"
    )


@pytest.mark.parametrize(
    ("record", "document"),
    [
        (
            records.init_start(ZIP, AT),
            {
                "initializationType": "on-demand",
                "phase": "init",
                "runtimeVersion": "nodejs:22.v1",
                "runtimeVersionArn": ARN,
                "functionName": "hello",
                "functionVersion": "$LATEST",
                "instanceId": "2023/11/14/[$LATEST]00",
                "instanceMaxMemory": 268435456,
            },
        ),
        (
            records.init_runtime_done(ZIP, AT, FAILED),
            {
                "initializationType": "on-demand",
                "phase": "init",
                "status": "error",
                "errorType": "Runtime.ExitError",
            },
        ),
        (
            records.init_report(ZIP, AT, 125.3333),
            {
                "initializationType": "on-demand",
                "phase": "init",
                "status": "success",
                "metrics": {"durationMs": 125.333},
            },
        ),
        (
            records.start(ZIP, AT, ID, TRACE),
            {
                "requestId": ID,
                "functionArn": ZIP.function_arn,
                "version": "$LATEST",
                "tracing": {
                    "spanId": "24cd7d670fa455f0",
                    "type": "X-Amzn-Trace-Id",
                    "value": TRACE.value,
                },
            },
        ),
        (
            records.runtime_done(
                AT,
                ID,
                {"durationMs": 140.0, "producedBytes": 16},
                SUCCESS,
                [Span("responseLatency", AT, 23.02)],
            ),
            {
                "requestId": ID,
                "status": "success",
                "metrics": {"durationMs": 140.0, "producedBytes": 16},
                "spans": [
                    {
                        "name": "responseLatency",
                        "start": "2023-11-14T22:13:20.062Z",
                        "durationMs": 23.02,
                    }
                ],
            },
        ),
        (
            records.report(AT, ID, Metrics(1233.96, 256, 123, 463.512)),
            {
                "requestId": ID,
                "metrics": {
                    "durationMs": 1233.96,
                    "billedDurationMs": 1698,
                    "memorySizeMB": 256,
                    "maxMemoryUsedMB": 123,
                    "initDurationMs": 463.512,
                },
                "status": "success",
            },
        ),
    ],
)
def test_json_format(record: PlatformRecord, document: dict[str, object]) -> None:
    line = json_line(record)
    assert line is not None
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.062Z",
        "type": record.type,
        "record": document,
    }
    assert list(json.loads(line)["record"]) == list(document), "AWS's order"


@pytest.mark.parametrize("record", [records.end(AT, ID), records.fault(AT, "why")])
def test_some_lines_are_in_text_logs_alone(record: PlatformRecord) -> None:
    assert json_line(record) is None


PROVISIONED = Subject("f", "arn", "s", 128, initialization_type="provisioned-concurrency")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (records.init_start(ZIP, AT), Level.INFO),
        (records.init_start(IMAGE, AT), Level.DEBUG),
        (records.init_runtime_done(ZIP, AT), Level.DEBUG),
        (records.init_runtime_done(ZIP, AT, FAILED), Level.WARN),
        (records.init_report(ZIP, AT, 1.0), Level.DEBUG),
        (records.init_report(PROVISIONED, AT, 1.0), Level.INFO),
        (records.init_report(ZIP, AT, 1.0, TIMEOUT), Level.WARN),
        (records.start(ZIP, AT, ID), Level.INFO),
        (records.runtime_done(AT, ID, {}), Level.DEBUG),
        (records.runtime_done(AT, ID, {}, TIMEOUT), Level.WARN),
        (records.report(AT, ID, Metrics(1.0, 128)), Level.INFO),
        (records.report(AT, ID, Metrics(1.0, 128), TIMEOUT), Level.WARN),
        (records.extension(AT, "x", "Ready", []), Level.INFO),
        (records.extension(AT, "x", "ExitError", [], "Extension.Crash"), Level.WARN),
        (records.subscription(AT, "telemetry", "x", []), Level.INFO),
        (records.logs_dropped(AT, 1, 1, "x"), Level.WARN),
        (records.fault(AT, "x"), Level.WARN),
    ],
)
def test_levels(record: PlatformRecord, expected: Level) -> None:
    assert level(record) is expected


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed_ms"),
    [
        (0.0, None, 1),
        (1.0, None, 1),
        (1.01, None, 2),
        (0.2, None, 1),
        (1.0, 99.0, 100),
        (0.1 + 0.2, 0.7, 1),
    ],
)
def test_billed_duration(duration_ms: float, init_ms: float | None, billed_ms: int) -> None:
    assert Metrics(duration_ms, 128, init_ms=init_ms).billed_ms == billed_ms
